//! The JSON of a scheme, read into shapes. What cannot be checked safely is refused here, before any hook uses it.

use http::HeaderName;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    encoding::Encoding,
    jwt::Algorithm,
    public_key::Method,
    scheme::{Detached, Digest, Format, Jwt, MadeWith, Prefix, Proof, Requirement, Scheme, SecretForm, Shape},
    template::Template,
};

/// *Source*: Standard Webhooks, "Signature scheme".
const STANDARD_WEBHOOKS_ASYMMETRIC_LABEL: &str = "v1a";

/// The label of signatures in pairs and versions, where a scheme names none.
const DEFAULT_LABEL: &str = "v1";

pub(crate) fn parse(document: &Value) -> Result<Shape, String> {
    let mut rest = document.as_object().cloned().ok_or("A scheme is a JSON object.")?;
    let shape = rest.remove("shape").unwrap_or_default();
    let rest = Value::Object(rest);
    match shape.as_str() {
        Some("hmac") => read::<HmacDocument>(rest)?.into_shape(),
        Some("ed25519") => read::<PublicKeyDocument>(rest)?.into_shape(Method::Ed25519),
        Some("rsa-sha256") => read::<PublicKeyDocument>(rest)?.into_shape(Method::RsaSha256),
        Some("standard-webhooks") => read::<Empty>(rest).and_then(|_| standard_webhooks()),
        Some("twilio") => read::<Empty>(rest).map(|_| Shape::Twilio),
        Some("sns") => read::<Empty>(rest).map(|_| Shape::Sns),
        Some("jwt") => read::<JwtDocument>(rest).map(JwtDocument::into_shape),
        Some("basic") => read::<Empty>(rest).map(|_| Shape::Basic),
        Some("header") => read::<SharedHeaderDocument>(rest)?.into_shape(),
        Some("none") => read::<Empty>(rest).map(|_| Shape::None),
        Some("any") => read::<AnyDocument>(rest)?.into_shape(),
        Some(other) => Err(format!("There is no shape {other:?}.")),
        None => Err("A scheme needs a `shape`.".to_owned()),
    }
}

fn read<T: DeserializeOwned>(document: Value) -> Result<T, String> {
    serde_json::from_value(document).map_err(|error| format!("The scheme cannot be read: {error}."))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HmacDocument {
    #[serde(default = "sha256")]
    digest: Digest,
    #[serde(default = "text")]
    secret: SecretForm,
    signature: SignatureDocument,
    timestamp: Option<HeaderDocument>,
    id: Option<HeaderDocument>,
    signed: Option<String>,
    tolerance_seconds: Option<i64>,
}

const fn sha256() -> Digest {
    Digest::Sha256
}

const fn text() -> SecretForm {
    SecretForm::Text
}

impl HmacDocument {
    fn into_shape(self) -> Result<Shape, String> {
        let spec = DetachedDocument {
            signature: self.signature,
            timestamp: self.timestamp,
            id: self.id,
            signed: self.signed,
            tolerance_seconds: self.tolerance_seconds,
        };
        let detached = spec.into_detached(MadeWith::Hmac(self.digest))?;
        Ok(Shape::Detached(Detached { secret: self.secret, ..detached }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PublicKeyDocument {
    signature: SignatureDocument,
    timestamp: Option<HeaderDocument>,
    id: Option<HeaderDocument>,
    signed: Option<String>,
    tolerance_seconds: Option<i64>,
    #[serde(default)]
    public_keys: Vec<String>,
}

impl PublicKeyDocument {
    fn into_shape(self, method: Method) -> Result<Shape, String> {
        let spec = DetachedDocument {
            signature: self.signature,
            timestamp: self.timestamp,
            id: self.id,
            signed: self.signed,
            tolerance_seconds: self.tolerance_seconds,
        };
        let detached = spec.into_detached(MadeWith::PrivateKey(method))?;
        Ok(Shape::Detached(Detached { public_keys: self.public_keys, ..detached }))
    }
}

/// What HMAC and public-key schemes have in common.
struct DetachedDocument {
    signature: SignatureDocument,
    timestamp: Option<HeaderDocument>,
    id: Option<HeaderDocument>,
    signed: Option<String>,
    tolerance_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderDocument {
    header: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignatureDocument {
    headers: Vec<String>,
    encoding: Encoding,
    #[serde(default)]
    format: FormatWord,
    prefix: Option<String>,
    #[serde(default)]
    prefix_optional: bool,
    signature_key: Option<String>,
    timestamp_key: Option<String>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum FormatWord {
    #[default]
    Plain,
    Pairs,
    Versions,
}

impl DetachedDocument {
    fn into_detached(self, made_with: MadeWith) -> Result<Detached, String> {
        let headers = self.signature.headers.iter().map(|name| header_name(name)).collect::<Result<Vec<_>, _>>()?;
        if headers.is_empty() {
            return Err("`signature.headers` must name at least one header.".to_owned());
        }
        let timestamp = self.timestamp.map(|named| header_name(&named.header)).transpose()?;
        let id = self.id.map(|named| header_name(&named.header)).transpose()?;
        let signed = Template::parse(self.signed.as_deref().unwrap_or("{body}"))?;
        let is_timed = timestamp.is_some() || self.signature.timestamp_key.is_some();
        if signed.has_timestamp() != is_timed || signed.has_id() != id.is_some() {
            return Err("`signed` must hold {timestamp} and {id} where they come, and only there: what is not signed proves nothing.".to_owned());
        }
        Ok(Detached {
            headers,
            encoding: self.signature.encoding,
            proofs: vec![Proof { label: self.signature.label(), made_with }],
            format: self.signature.into_format()?,
            timestamp,
            id,
            signed,
            secret: SecretForm::Text,
            tolerance_seconds: self.tolerance_seconds,
            public_keys: Vec::new(),
        })
    }
}

impl SignatureDocument {
    fn label(&self) -> String {
        match self.format {
            FormatWord::Plain => String::new(),
            FormatWord::Pairs | FormatWord::Versions => {
                self.signature_key.clone().unwrap_or_else(|| DEFAULT_LABEL.to_owned())
            }
        }
    }

    fn into_format(self) -> Result<Format, String> {
        match (self.format, self.prefix, self.timestamp_key) {
            (FormatWord::Plain, None, None) => Ok(Format::Plain(Prefix::None)),
            (FormatWord::Plain, Some(prefix), None) if self.prefix_optional => {
                Ok(Format::Plain(Prefix::Optional(prefix)))
            }
            (FormatWord::Plain, Some(prefix), None) => Ok(Format::Plain(Prefix::Required(prefix))),
            (FormatWord::Pairs, None, timestamp_key) => Ok(Format::Pairs { timestamp_key }),
            (FormatWord::Versions, None, None) => Ok(Format::Versions),
            (FormatWord::Plain | FormatWord::Versions, _, Some(_)) => {
                Err("Only pairs have a `timestampKey`.".to_owned())
            }
            (FormatWord::Pairs | FormatWord::Versions, Some(_), _) => {
                Err("Only the plain format has a `prefix`.".to_owned())
            }
        }
    }
}

fn standard_webhooks() -> Result<Shape, String> {
    let hmac: HmacDocument = read(json!({
        "signature": { "headers": ["webhook-signature"], "encoding": "base64", "format": "versions" },
        "timestamp": { "header": "webhook-timestamp" },
        "id": { "header": "webhook-id" },
        "signed": "{id}.{timestamp}.{body}",
        "secret": "whsec",
    }))?;
    let mut shape = hmac.into_shape()?;
    if let Shape::Detached(detached) = &mut shape {
        let label = STANDARD_WEBHOOKS_ASYMMETRIC_LABEL.to_owned();
        detached.proofs.push(Proof { label, made_with: MadeWith::PrivateKey(Method::Ed25519) });
    }
    Ok(shape)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JwtDocument {
    #[serde(default)]
    issuers: Vec<String>,
    jwks_url: Option<String>,
    #[serde(default)]
    algorithms: Vec<Algorithm>,
    #[serde(default)]
    public_keys: Vec<String>,
    #[serde(default)]
    requires: Vec<Requirement>,
}

impl JwtDocument {
    fn into_shape(self) -> Shape {
        Shape::Jwt(Jwt {
            issuers: self.issuers,
            jwks_url: self.jwks_url,
            algorithms: self.algorithms,
            public_keys: self.public_keys,
            requires: self.requires,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedHeaderDocument {
    header: Option<String>,
}

impl SharedHeaderDocument {
    fn into_shape(self) -> Result<Shape, String> {
        self.header.map(|name| header_name(&name)).transpose().map(Shape::Header)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnyDocument {
    of: Vec<Scheme>,
}

impl AnyDocument {
    /// Each alternative is known by its header, so one without would be taken whenever the others' headers are left away.
    fn into_shape(self) -> Result<Shape, String> {
        if self.of.is_empty() || self.of.iter().any(|scheme| scheme.deciding_headers().is_empty()) {
            return Err("`any` needs schemes that are known by a header each.".to_owned());
        }
        Ok(Shape::Any(self.of))
    }
}

pub(crate) fn header_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::try_from(name).map_err(|_| format!("{name:?} is not the name of a header."))
}

//! How a sender proves who it is, as data: the `auth` document of an app, or a general scheme by its word.

use std::str::FromStr;

use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Value, json};

use crate::{encoding::Encoding, jwt::Algorithm, public_key::Method, scheme_document, template::Template};

/// A way to sign, without secrets.
///
/// *Shape*, by `shape`: `hmac`, `ed25519`, `rsa-sha256` (a signature of the bytes in a header), `standard-webhooks`, `twilio`, `sns`, `jwt`,
/// `basic`, `header`, `none`, and `any` of several:
/// `{"shape":"hmac","digest":"sha256","signature":{"headers":["x-hub-signature-256"],"encoding":"hex","format":"plain","prefix":"sha256="}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    pub(crate) shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Detached(Detached),
    Twilio,
    Sns,
    Jwt(Jwt),
    Basic,
    Header(Option<HeaderName>),
    None,
    Any(Vec<Scheme>),
}

/// Signatures in a header of their own, over a template of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Detached {
    pub(crate) headers: Vec<HeaderName>,
    pub(crate) encoding: Encoding,
    pub(crate) format: Format,
    pub(crate) proofs: Vec<Proof>,
    pub(crate) timestamp: Option<HeaderName>,
    pub(crate) id: Option<HeaderName>,
    pub(crate) signed: Template,
    pub(crate) secret: SecretForm,
    pub(crate) tolerance_seconds: Option<i64>,
    pub(crate) public_keys: Vec<String>,
}

/// How the signature header is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// The whole value, behind a prefix.
    Plain(Prefix),
    /// `t=…,v1=…,v1=…`
    Pairs { timestamp_key: Option<String> },
    /// `v1,… v1,… v1a,…`
    Versions,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Prefix {
    None,
    Required(String),
    Optional(String),
}

/// What the signatures of one label are made with; a plain header has no labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) label: String,
    pub(crate) made_with: MadeWith,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MadeWith {
    Hmac(Digest),
    PrivateKey(Method),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Digest {
    Sha256,
    Sha1,
}

/// Which bytes of a secret are the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SecretForm {
    /// The text as it is, a `whsec_` in front included.
    Text,
    /// Base64 behind an optional `whsec_`.
    Whsec,
}

/// What tokens must be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Jwt {
    pub(crate) issuers: Vec<String>,
    pub(crate) jwks_url: Option<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) public_keys: Vec<String>,
    pub(crate) requires: Vec<Requirement>,
}

/// A setting that tokens are worthless without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Requirement {
    /// Who else could get a token of this issuer for this audience: anybody.
    Email,
    /// The same, by subject.
    Subject,
}

/// What a sample must be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedWith {
    /// Nothing at all.
    Nothing,
    /// One of the hook's secrets.
    Secret,
    /// One of the hook's secrets, which is sent itself: whoever has the sample has the secret.
    Credentials,
    /// A private key, which the hook does not have.
    PrivateKey,
}

/// What a sender shows to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A user name and a password, as HTTP Basic credentials.
    Password,
    /// A shared secret in a header.
    SharedSecret,
    /// A token of an issuer.
    Token,
    /// A signature, or nothing at all.
    Signature,
}

impl Scheme {
    /// Reads an `auth` document.
    ///
    /// *Errors*: a sentence for whoever wrote the document. Unknown keys are errors, and so is a scheme that does not sign the body.
    pub fn parse(document: &Value) -> Result<Self, String> {
        scheme_document::parse(document).map(|shape| Self { shape })
    }

    /// The schemes that belong to no provider: `standard-webhooks`, `jwt`, `basic`, `header`, `none`.
    pub fn general(word: &str) -> Option<Self> {
        match word {
            "standard-webhooks" | "jwt" | "basic" | "header" | "none" => Self::parse(&json!({ "shape": word })).ok(),
            _ => None,
        }
    }

    /// Where the keys of tokens are published, if the scheme says so.
    pub fn jwks_url(&self) -> Option<&str> {
        match &self.shape {
            Shape::Jwt(jwt) => jwt.jwks_url.as_deref(),
            Shape::Any(schemes) => schemes.iter().find_map(Self::jwks_url),
            Shape::Detached(_) | Shape::Twilio | Shape::Sns | Shape::Basic | Shape::Header(_) | Shape::None => None,
        }
    }

    /// What its senders show; of several schemes, what those of the first do.
    pub fn shown(&self) -> Shown {
        match &self.shape {
            Shape::Basic => Shown::Password,
            Shape::Header(_) => Shown::SharedSecret,
            Shape::Jwt(_) => Shown::Token,
            Shape::Detached(_) | Shape::Twilio | Shape::Sns | Shape::None => Shown::Signature,
            Shape::Any(schemes) => schemes.first().map_or(Shown::Signature, Self::shown),
        }
    }

    /// What [`crate::sign::sign`] needs.
    pub fn signed_with(&self) -> SignedWith {
        match &self.shape {
            Shape::Detached(detached) => match detached.proofs.first().map(|proof| proof.made_with) {
                Some(MadeWith::PrivateKey(_)) => SignedWith::PrivateKey,
                Some(MadeWith::Hmac(_)) | None => SignedWith::Secret,
            },
            Shape::Sns | Shape::Jwt(_) => SignedWith::PrivateKey,
            Shape::Twilio => SignedWith::Secret,
            Shape::Basic | Shape::Header(_) => SignedWith::Credentials,
            Shape::None => SignedWith::Nothing,
            Shape::Any(schemes) => {
                let with_secret = schemes.iter().any(|scheme| scheme.signed_with() == SignedWith::Secret);
                if with_secret { SignedWith::Secret } else { SignedWith::PrivateKey }
            }
        }
    }

    /// Whether a right proof vouches for the query as well: it covers the address, or is the sender's own whatever it sends. A signature of
    /// the body says nothing of the query, which anybody may change.
    pub fn vouches_for_query(&self) -> bool {
        match &self.shape {
            Shape::Detached(_) | Shape::Sns => false,
            Shape::Twilio | Shape::Jwt(_) | Shape::Basic | Shape::Header(_) | Shape::None => true,
            Shape::Any(schemes) => schemes.iter().all(Self::vouches_for_query),
        }
    }

    /// The headers that carry a signature or a credential, in lower case; never to be kept or shown.
    ///
    /// A hook's own `header` setting comes on top.
    pub fn credential_headers(&self) -> Vec<&str> {
        match &self.shape {
            Shape::Any(schemes) => schemes.iter().flat_map(Self::credential_headers).collect(),
            Shape::Detached(_)
            | Shape::Twilio
            | Shape::Sns
            | Shape::Jwt(_)
            | Shape::Basic
            | Shape::Header(_)
            | Shape::None => self.deciding_headers().iter().map(HeaderName::as_str).collect(),
        }
    }

    /// The headers whose presence says that this scheme is meant.
    pub(crate) fn deciding_headers(&self) -> &[HeaderName] {
        match &self.shape {
            Shape::Detached(detached) => &detached.headers,
            Shape::Twilio => &TWILIO_HEADERS,
            Shape::Sns => &SNS_HEADERS,
            Shape::Jwt(_) | Shape::Basic => &AUTHORIZATION_HEADERS,
            Shape::Header(header) => header.as_slice(),
            Shape::None | Shape::Any(_) => &[],
        }
    }

    /// The one scheme that these headers are to be checked by: of several, the first whose header came.
    pub(crate) fn meant_by(&self, headers: &HeaderMap) -> &Self {
        match &self.shape {
            Shape::Any(schemes) => {
                let came = |scheme: &&Self| scheme.deciding_headers().iter().any(|name| headers.contains_key(name));
                schemes.iter().find(came).or_else(|| schemes.first()).unwrap_or(self)
            }
            Shape::Detached(_)
            | Shape::Twilio
            | Shape::Sns
            | Shape::Jwt(_)
            | Shape::Basic
            | Shape::Header(_)
            | Shape::None => self,
        }
    }
}

pub(crate) static TWILIO_HEADERS: [HeaderName; 1] = [HeaderName::from_static("x-twilio-signature")];
static SNS_HEADERS: [HeaderName; 1] = [HeaderName::from_static("x-amz-sns-message-type")];
static AUTHORIZATION_HEADERS: [HeaderName; 1] = [AUTHORIZATION];

impl FromStr for Scheme {
    type Err = String;

    /// The same as [`Scheme::parse`], from JSON text.
    fn from_str(text: &str) -> Result<Self, String> {
        let document: Value =
            serde_json::from_str(text).map_err(|error| format!("The scheme is not JSON: {error}."))?;
        Self::parse(&document)
    }
}

impl<'de> Deserialize<'de> for Scheme {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

//! The sender's side, for samples and tests: the same scheme and settings, and what a provider would add to a request.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use ring::{digest, hmac};
use serde_json::{Map, Value, json};

use crate::{
    Scheme, Settings,
    credentials::shared_header_name,
    detached::{hmac_algorithm, key_bytes},
    encoding::{self, Encoding},
    headers,
    jwt::token_header,
    public_key::Method,
    scheme::{Detached, Format, Jwt, MadeWith, Prefix, Proof, Shape, SignedWith},
    sns,
    template::Parts,
    twilio::{BODY_DIGEST_PARAMETER, Fields, public_url},
};

pub use crate::private_key::PrivateKey;

/// How long a sample token is good for.
const TOKEN_SECONDS: i64 = 3_600;

/// Where a sample message of SNS says that its certificate is; nothing is there.
const SAMPLE_CERTIFICATE_URL: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-sample.pem";

/// A request as it is before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// In upper case.
    pub method: String,
    /// The full public address.
    pub url: String,
    /// Names in any case; the content type matters to Twilio's scheme.
    pub headers: Vec<(String, String)>,
    /// The bytes that will be sent.
    pub body: Vec<u8>,
}

/// What the signature makes of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// Headers to add, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Changed only where the scheme signs a body through its address.
    pub url: String,
    /// Changed only where the signature is part of the body.
    pub body: Vec<u8>,
}

/// Signs a request as the scheme's sender would, by the first of [`Settings::secrets`] or with a private key.
///
/// `id` is the delivery id where the scheme has one.
///
/// *Errors*: a sentence for whoever wants the sample; [`Scheme::signed_with`] tells beforehand what is needed.
pub fn sign(
    scheme: &Scheme,
    settings: &Settings,
    private_key: Option<&PrivateKey>,
    request: Unsigned,
    id: &str,
    now_seconds: i64,
) -> Result<Signed, String> {
    let Unsigned { url, body, .. } = &request;
    let added = match &scheme.shape {
        Shape::Detached(detached) => detached_headers(detached, settings, private_key, body, id, now_seconds)?,
        Shape::Twilio => return twilio(settings, request),
        Shape::Sns => return sns(settings, private_key, request, id, now_seconds),
        Shape::Jwt(jwt) => vec![token(jwt, settings, private_key, now_seconds)?],
        Shape::Basic => vec![(
            "authorization".to_owned(),
            format!("Basic {}", Encoding::Base64.encode(secret(settings)?.as_bytes())),
        )],
        Shape::Header(header) => {
            let name = shared_header_name(header.as_ref(), settings).map_err(|problem| problem.sentence)?;
            vec![(name.as_str().to_owned(), secret(settings)?.to_owned())]
        }
        Shape::None => Vec::new(),
        Shape::Any(schemes) => {
            let wanted = if private_key.is_some() { SignedWith::PrivateKey } else { SignedWith::Secret };
            let chosen = schemes.iter().find(|scheme| scheme.signed_with() == wanted).or_else(|| schemes.first());
            let chosen = chosen.ok_or("The scheme has no alternatives.")?;
            return sign(chosen, settings, private_key, request, id, now_seconds);
        }
    };
    Ok(Signed { headers: added, url: url.clone(), body: body.clone() })
}

fn secret(settings: &Settings) -> Result<&str, String> {
    settings.shared_secrets().map_err(|problem| problem.sentence)?.first().map(String::as_str).ok_or_else(String::new)
}

fn needed(private_key: Option<&PrivateKey>) -> Result<&PrivateKey, String> {
    private_key.ok_or_else(|| "This scheme is signed with a private key, which must be given.".to_owned())
}

fn detached_headers(
    scheme: &Detached,
    settings: &Settings,
    private_key: Option<&PrivateKey>,
    body: &[u8],
    id: &str,
    now_seconds: i64,
) -> Result<Vec<(String, String)>, String> {
    let proof = scheme
        .proofs
        .iter()
        .find(|proof| match proof.made_with {
            MadeWith::Hmac(_) => !settings.secrets.is_empty(),
            MadeWith::PrivateKey(_) => true,
        })
        .ok_or("This scheme needs a secret.")?;
    let timestamp = now_seconds.to_string();
    let parts = Parts { id, timestamp: &timestamp, body };
    let message = scheme.signed.fill(parts).collect::<Vec<_>>().concat();
    let signature = match proof.made_with {
        MadeWith::Hmac(digest) => {
            let bytes = key_bytes(scheme.secret, secret(settings)?).map_err(|problem| problem.sentence)?;
            hmac::sign(&hmac::Key::new(hmac_algorithm(digest), &bytes), &message).as_ref().to_vec()
        }
        MadeWith::PrivateKey(method) => needed(private_key)?.sign(method, &message)?,
    };
    let value = header_value(&scheme.format, proof, &timestamp, &scheme.encoding.encode(&signature));
    let name = scheme.headers.first().ok_or("The scheme names no header.")?;
    let mut added = vec![(name.as_str().to_owned(), value)];
    added.extend(scheme.timestamp.iter().map(|name| (name.as_str().to_owned(), timestamp.clone())));
    added.extend(scheme.id.iter().map(|name| (name.as_str().to_owned(), id.to_owned())));
    Ok(added)
}

fn header_value(format: &Format, proof: &Proof, timestamp: &str, signature: &str) -> String {
    let label = &proof.label;
    match format {
        Format::Plain(Prefix::None) => signature.to_owned(),
        Format::Plain(Prefix::Required(prefix) | Prefix::Optional(prefix)) => format!("{prefix}{signature}"),
        Format::Pairs { timestamp_key: Some(key) } => format!("{key}={timestamp},{label}={signature}"),
        Format::Pairs { timestamp_key: None } => format!("{label}={signature}"),
        Format::Versions => format!("{label},{signature}"),
    }
}

fn twilio(settings: &Settings, request: Unsigned) -> Result<Signed, String> {
    let mut url = request.url;
    let fields = if is_form(&request.headers) {
        Fields::of_form(&request.body)
    } else {
        if !request.body.is_empty() {
            let separator = if url.contains('?') { '&' } else { '?' };
            let digest = hex::encode(digest::digest(&digest::SHA256, &request.body));
            url = format!("{url}{separator}{BODY_DIGEST_PARAMETER}={digest}");
        }
        Fields::default()
    };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret(settings)?.as_bytes());
    let message = [public_url(settings.url.as_deref(), &url).as_bytes(), &fields.joined].concat();
    let signature = Encoding::Base64.encode(hmac::sign(&key, &message).as_ref());
    Ok(Signed { headers: vec![("x-twilio-signature".to_owned(), signature)], url, body: request.body })
}

fn is_form(pairs: &[(String, String)]) -> bool {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str())) {
            map.insert(name, value);
        }
    }
    headers::is_form(&map)
}

/// Fills in what the message lacks, and signs it as version 2.
fn sns(
    settings: &Settings,
    private_key: Option<&PrivateKey>,
    request: Unsigned,
    id: &str,
    now_seconds: i64,
) -> Result<Signed, String> {
    let no_message = || "The body must be a JSON object, as Amazon SNS posts it.".to_owned();
    let mut message: Map<String, Value> = serde_json::from_slice(&request.body).map_err(|_| no_message())?;
    let topic = settings.topic_arns.first().ok_or("The hook must name a topic.")?;
    let now = Timestamp::from_second(now_seconds).map_err(|error| format!("The time is out of range: {error}."))?;
    for (key, value) in
        [("Type", json!("Notification")), ("Message", json!("")), ("SigningCertURL", json!(SAMPLE_CERTIFICATE_URL))]
    {
        message.entry(key).or_insert(value);
    }
    for (key, value) in [
        ("MessageId", json!(id)),
        ("TopicArn", json!(topic)),
        ("Timestamp", json!(now.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())),
        ("SignatureVersion", json!("2")),
        ("Signature", json!("")),
    ] {
        message.insert(key.to_owned(), value);
    }
    let draft = serde_json::to_vec(&message).map_err(|_| no_message())?;
    let texts = sns::Message::read(&draft).and_then(|draft| sns::signed_texts(&draft));
    let text = texts.map_err(|refusal| refusal.to_string())?.into_iter().next().ok_or_else(no_message)?;
    let signature = needed(private_key)?.sign(Method::RsaSha256, text.as_bytes())?;
    message.insert("Signature".to_owned(), json!(Encoding::Base64.encode(&signature)));

    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let kind = message.get("Type").and_then(Value::as_str).unwrap_or_default();
    let added = vec![
        header("x-amz-sns-message-type", kind),
        header("x-amz-sns-message-id", id),
        header("x-amz-sns-topic-arn", topic),
    ];
    Ok(Signed { headers: added, url: request.url, body: serde_json::to_vec(&message).map_err(|_| no_message())? })
}

fn token(
    scheme: &Jwt,
    settings: &Settings,
    private_key: Option<&PrivateKey>,
    now_seconds: i64,
) -> Result<(String, String), String> {
    let key = needed(private_key)?;
    let mut claims = json!({
        "iss": settings.issuer.as_ref().or_else(|| scheme.issuers.first()),
        "aud": settings.audience,
        "iat": now_seconds,
        "exp": now_seconds.saturating_add(TOKEN_SECONDS),
        "sub": settings.subject,
    });
    if let (Some(email), Some(claims)) = (&settings.email, claims.as_object_mut()) {
        claims.insert("email".to_owned(), json!(email));
        claims.insert("email_verified".to_owned(), json!(true));
    }
    let mut header = json!({ "alg": key.algorithm().word(), "typ": "JWT" });
    if let (Some(kid), Some(header)) = (key.kid(), header.as_object_mut()) {
        header.insert("kid".to_owned(), json!(kid));
    }
    let part = |value: &Value| encoding::to_token_base64(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = key.sign(key.algorithm().method(), signed.as_bytes())?;
    let name = token_header(settings).map_err(|problem| problem.sentence)?;
    Ok((name.as_str().to_owned(), format!("Bearer {signed}.{}", encoding::to_token_base64(&signature))))
}

//! Rows of cases, and the arrival that a row describes.

use std::{collections::BTreeMap, sync::LazyLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use verify::{Arrival, PublicKey, Refusal, Scheme, Settings, Verified, Verifier, jwks_keys, sign::PrivateKey};

pub(crate) const HOOK_URL: &str = "https://hooks.example.com/v1/hooks/web/0123";

/// The schemes that rows name, as apps write them.
static SCHEMES: LazyLock<BTreeMap<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../cases/schemes.json")).unwrap());

pub(crate) fn scheme_names() -> impl Iterator<Item = &'static str> {
    SCHEMES.keys().map(String::as_str)
}

pub(crate) fn scheme(name: &str) -> Scheme {
    let document = SCHEMES.get(name).unwrap_or_else(|| panic!("no scheme {name}"));
    Scheme::parse(document).unwrap_or_else(|sentence| panic!("{name}: {sentence}"))
}

/// One row; `refusal` is the whole sentence, and none means that it is accepted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) scheme: String,
    #[serde(default)]
    pub(crate) settings: Settings,
    #[serde(default = "post")]
    method: String,
    #[serde(default = "hook_url")]
    url: String,
    headers: Value,
    #[serde(default)]
    pub(crate) body: String,
    #[serde(default)]
    pub(crate) now: i64,
    #[serde(default)]
    pub(crate) topic_arns: Vec<String>,
    #[serde(default)]
    pub(crate) verified: VerifiedCase,
    #[serde(default = "first")]
    pub(crate) matched: Option<usize>,
    pub(crate) refusal: Option<String>,
}

#[derive(Deserialize, Default)]
pub(crate) struct VerifiedCase {
    id: Option<String>,
    timestamp: Option<i64>,
}

fn post() -> String {
    "POST".to_owned()
}

fn hook_url() -> String {
    HOOK_URL.to_owned()
}

#[allow(clippy::unnecessary_wraps, reason = "the default of an optional field")]
fn first() -> Option<usize> {
    Some(0)
}

pub(crate) fn cases(json: &str) -> Vec<Case> {
    serde_json::from_str(json).unwrap()
}

impl Case {
    pub(crate) fn header_map(&self) -> HeaderMap {
        let pairs: Vec<(String, String)> = match &self.headers {
            Value::Object(object) => {
                object.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
            }
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                serde_json::from_value(self.headers.clone()).unwrap()
            }
        };
        header_map(&pairs)
    }

    pub(crate) fn verify(&self, fetched: &[PublicKey]) -> Result<Verified, Refusal> {
        let headers = self.header_map();
        self.verifier().verify(&self.arrival(&headers, self.body.as_bytes()), fetched, self.now)
    }

    pub(crate) fn arrival<'a>(&'a self, headers: &'a HeaderMap, body: &'a [u8]) -> Arrival<'a> {
        Arrival { method: &self.method, url: &self.url, headers, body }
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::new(&scheme(&self.scheme), &self.settings)
            .unwrap_or_else(|problem| panic!("{}: {problem}", self.name))
    }

    /// Public keys have no place among the secrets.
    pub(crate) fn expected(&self) -> Verified {
        let secret = if self.settings.secrets.is_empty() { None } else { self.matched };
        Verified { id: self.verified.id.clone(), timestamp: self.verified.timestamp, secret }
    }
}

pub(crate) fn header_map(pairs: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::try_from(name.as_str()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

pub(crate) fn rsa() -> PrivateKey {
    PrivateKey::parse(include_str!("../fixtures/test-only-rsa.private.pem")).unwrap().named("test-only-rsa")
}

pub(crate) fn ed25519() -> PrivateKey {
    PrivateKey::parse(include_str!("../fixtures/test-only-ed25519.private.pem")).unwrap().named("test-only-ed25519")
}

pub(crate) fn p256() -> PrivateKey {
    PrivateKey::parse(include_str!("../fixtures/test-only-p256.private.pem")).unwrap().named("test-only-p256")
}

pub(crate) fn published() -> Vec<PublicKey> {
    jwks_keys(include_bytes!("../fixtures/test-only-jwks.json")).unwrap()
}

pub(crate) const RSA_PUBLIC_PEM: &str = include_str!("../fixtures/test-only-rsa.public.pem");
pub(crate) const ED25519_PUBLIC_PEM: &str = include_str!("../fixtures/test-only-ed25519.public.pem");
pub(crate) const CERTIFICATE_PEM: &[u8] = include_bytes!("../fixtures/test-only-rsa.certificate.pem");
pub(crate) const EXPIRED_CERTIFICATE_PEM: &[u8] = include_bytes!("../fixtures/test-only-expired.certificate.pem");

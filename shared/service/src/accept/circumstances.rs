//! What is known of a request beside its body. Credentials and signatures never get in here.

use std::net::IpAddr;

use domain::GENERATION_HEADER;
use serde_json::{Map, Value};

/// Headers that are kept although their name does not begin with `x-`.
const KEPT: &[&str] = &["content-type", GENERATION_HEADER, "idempotency-key", "origin", "referer", "user-agent"];

/// Parts of names that tell of credentials, of signatures over the body, or of where a proxy had the request from.
const NEVER_KEPT: &[&str] = &[
    "auth",
    "cookie",
    "cred",
    "forwarded",
    "hmac",
    "jwt",
    "key",
    "pass",
    "real-ip",
    "secret",
    "session",
    "sign",
    "token",
];

/// Parts of the names of parameters that tell of credentials.
const SECRET_PARTS: &[&str] =
    &["apikey", "credential", "hmac", "jwt", "passw", "secret", "session", "signature", "token"];

/// Words that do so only where they stand alone: `api_key`, but not `keyword`.
const SECRET_WORDS: &[&str] = &["auth", "authorization", "key", "pass", "sig", "sign"];

/// The most bytes of a header's value that is kept.
const VALUE_LIMIT_BYTES: usize = 2_048;

/// The most headers that are kept because of their name alone, and the most names that are told.
const HEADERS_LIMIT: usize = 64;

/// How a request came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The method.
    pub method: String,
    /// The query as it was written. Where it is not the data itself, as of a `GET`, parameters that hold credentials by
    /// their name are left out.
    pub query: Option<String>,
    /// The headers that may be kept, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The names of all headers.
    pub header_names: Vec<String>,
    /// Where it came from, if that is known.
    pub source_address: Option<IpAddr>,
}

impl Circumstances {
    /// What of `headers` may be kept; `named` are names that an app asks for, which are kept where they hold no secret.
    pub fn of<'h>(
        method: &str,
        query: Option<&str>,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
        named: &[String],
        source_address: Option<IpAddr>,
    ) -> Self {
        let query = if method == "GET" { query.map(str::to_owned) } else { query.and_then(without_secrets) };
        let mut circumstances = Self { method: method.to_owned(), query, source_address, ..Self::default() };
        for (name, value) in headers {
            if circumstances.header_names.len() < HEADERS_LIMIT {
                circumstances.header_names.push(name.to_owned());
            }
            // What an app or this program asks for counts wherever it stands.
            let is_named = named.iter().any(|named| named == name) || KEPT.contains(&name);
            let is_room = circumstances.headers.len() < HEADERS_LIMIT;
            // A key that is too long has to be seen to be refused: left out, its request would be taken as one without.
            let is_short = value.len() <= VALUE_LIMIT_BYTES || name == "idempotency-key";
            if (is_named || (is_room && is_kept(name))) && is_short {
                let value = String::from_utf8_lossy(value).into_owned();
                circumstances.headers.push((name.to_owned(), value));
            }
        }
        circumstances
    }

    /// The kept header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(kept, _)| kept == name).map(|(_, value)| value.as_str())
    }

    /// The kept headers as data.
    pub fn header_map(&self) -> Map<String, Value> {
        self.headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect()
    }
}

fn is_kept(name: &str) -> bool {
    if KEPT.contains(&name) {
        return true;
    }
    name.starts_with("x-") && !NEVER_KEPT.iter().any(|part| name.contains(part))
}

fn without_secrets(query: &str) -> Option<String> {
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_secret(pair)).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

fn is_secret(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or(pair).replace('+', " ");
    let name = percent_encoding::percent_decode_str(&name).decode_utf8_lossy().to_lowercase();
    SECRET_PARTS.iter().any(|part| name.contains(part))
        || name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| SECRET_WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_header_that_could_hold_a_secret_is_kept() {
        for (name, kept) in [
            ("content-type", true),
            ("user-agent", true),
            ("idempotency-key", true),
            ("x-shopify-topic", true),
            ("x-request-id", true),
            ("authorization", false),
            ("proxy-authorization", false),
            ("cookie", false),
            ("x-api-key", false),
            ("x-shopify-hmac-sha256", false),
            ("x-hub-signature-256", false),
            ("x-twilio-signature", false),
            ("x-auth-request-email", false),
            ("x-csrf-token", false),
            ("x-amz-security-token", false),
            ("x-forwarded-for", false),
            ("stripe-signature", false),
            ("host", false),
        ] {
            assert_eq!(is_kept(name), kept, "{name}");
        }
    }

    #[test]
    fn a_query_is_kept_without_credentials_unless_it_is_the_data() {
        for (query, kept) in [
            ("shop=a&token=s&topic=b", Some("shop=a&topic=b")),
            ("hub.verify_token=s&accessToken=s&api_key=s&%74oken=s&X-Amz-Signature=s&SIG=s", None),
            ("author=a&keyword=b&design=c&passage=d&&", Some("author=a&keyword=b&design=c&passage=d&&")),
        ] {
            let of = |method| Circumstances::of(method, Some(query), std::iter::empty(), &[], None).query;
            assert_eq!(of("POST").as_deref(), kept);
            assert_eq!(of("GET").as_deref(), Some(query));
        }
    }

    #[test]
    fn names_of_an_app_are_kept_and_long_values_are_not() {
        let long = vec![b'x'; VALUE_LIMIT_BYTES + 1];
        let headers = [("webhook-id", &b"msg_1"[..]), ("x-at-limit", &long[1..]), ("x-over", &long[..])];
        let named = ["webhook-id".to_owned()];
        let kept = Circumstances::of("POST", None, headers.into_iter(), &named, None);
        let names: Vec<&str> = kept.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["webhook-id", "x-at-limit"]);
        assert_eq!(kept.header_names.len(), 3);
    }
}

//! Senders of webhooks, as far as benches need them.

use aws::SystemWorld;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::hmac;
use service::ports::World;

/// What senders sign with.
const SECRET: &str = "a secret for benches only";

/// How a sender is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// An API key.
    Bearer,
    /// HMAC-SHA256 of the body, and a delivery id by which repeats are known.
    Shopify,
    /// HMAC-SHA256 of time and body, and an event id in the body.
    Calendly,
}

impl Scheme {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Bearer, Self::Shopify, Self::Calendly];

    /// The scheme's name in a hook's `auth`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Shopify => "shopify",
            Self::Calendly => "calendly",
        }
    }

    /// The secrets of a hook that is set to it.
    pub fn secrets(self) -> Vec<&'static str> {
        if self == Self::Bearer { Vec::new() } else { vec![SECRET] }
    }

    /// The headers of a delivery; `key` is an API key.
    pub fn headers(self, key: &str, body: &[u8], delivery: usize) -> Vec<(&'static str, String)> {
        let signing = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        match self {
            Self::Bearer => vec![("authorization", format!("Bearer {key}"))],
            Self::Shopify => vec![
                ("x-shopify-topic", "orders/updated".to_owned()),
                ("x-shopify-webhook-id", format!("{delivery:032x}")),
                ("x-shopify-hmac-sha256", BASE64.encode(hmac::sign(&signing, body))),
            ],
            Self::Calendly => {
                let second = SystemWorld.now().as_second();
                let mut signed = format!("{second}.").into_bytes();
                signed.extend_from_slice(body);
                let hex: String =
                    hmac::sign(&signing, &signed).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
                vec![("calendly-webhook-signature", format!("t={second},v1={hex}"))]
            }
        }
    }
}

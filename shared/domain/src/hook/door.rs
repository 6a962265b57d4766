//! What guards a hook's address beside the sender's credentials.

use serde::{Deserialize, Serialize};

use super::auth::Secret;

/// How many arrivals are let in: `requests` at once, and after that as many in each `seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// 1 to 1,000,000.
    pub requests: u32,
    /// 1 to 86,400.
    pub seconds: u32,
}

impl Limit {
    /// Says what is wrong with this limit, in a sentence.
    pub fn check(self) -> Result<(), String> {
        if (1..=1_000_000).contains(&self.requests) && (1..=86_400).contains(&self.seconds) {
            Ok(())
        } else {
            Err("a limit has 1 to 1000000 requests in 1 to 86400 seconds".to_owned())
        }
    }
}

/// Which arrivals are taken for a repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Duplicates {
    /// For how long an arrival is remembered, 1 second to 30 days.
    pub window_seconds: u32,
    /// Paths in the data whose values make two arrivals the same, such as `orderId`; the provider's delivery id, or the
    /// sender's `Idempotency-Key`, where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// The longest that arrivals are remembered. *Why*: their transactions are kept as long.
pub const DUPLICATES_LIMIT_SECONDS: u32 = 30 * 24 * 60 * 60;

/// How long deliveries of a provider are remembered where the hook does not say: longer than any of them retries but
/// WhatsApp, which has seven days.
pub const DUPLICATES_DEFAULT_SECONDS: u32 = 7 * 24 * 60 * 60;

/// The most fields that make two arrivals the same.
const DUPLICATE_FIELDS_LIMIT: usize = 10;

impl Duplicates {
    /// Says what is wrong, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=DUPLICATES_LIMIT_SECONDS).contains(&self.window_seconds) {
            return Err(format!("windowSeconds is 1 to {DUPLICATES_LIMIT_SECONDS} (30 days)"));
        }
        let is_field = |field: &String| !field.is_empty() && field.len() <= 256;
        if self.fields.len() > DUPLICATE_FIELDS_LIMIT || !self.fields.iter().all(is_field) {
            return Err(format!("fields has at most {DUPLICATE_FIELDS_LIMIT} paths of 1 to 256 characters"));
        }
        Ok(())
    }
}

/// What keeps a public form from being filled in by machines. All of it is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Guard {
    /// The pages that may post from a browser: `https://shop.example`, or `https://*.shop.example`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
    /// Whether a post without an `Origin` is refused too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub origin_lock: bool,
    /// A field that people do not see and leave empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub honeypot: Option<String>,
    /// What challenges are signed with; made when the guard is set, never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge_key: Option<Secret>,
    /// How long a person takes at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_fill_seconds: Option<u32>,
    /// How many leading zero bits the sender's work has to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_of_work_bits: Option<u8>,
    /// The secret of Cloudflare Turnstile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turnstile_secret: Option<Secret>,
    /// The secret of Google reCAPTCHA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recaptcha_secret: Option<Secret>,
    /// The least score of reCAPTCHA v3, in hundredths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recaptcha_minimum_percent: Option<u8>,
}

/// The right to send more than a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadRule {
    /// The most bytes of one upload.
    pub limit_bytes: u64,
}

/// The most bytes that an upload may be allowed. *Why*: an executor never reads it, so only the price of storage bounds it.
pub const UPLOAD_LIMIT_BYTES: u64 = 1024 * 1024 * 1024;

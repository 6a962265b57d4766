//! How a webhook knows its sender: the scheme, and what the scheme needs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The most secrets a hook has at once; any of them may match, so that a secret can be changed without a gap.
pub const SECRETS_LIMIT: usize = 5;

/// How long a secret that was taken away is kept for the signature doctor, which may then say "old secret".
pub const RETIRED_SECONDS: i64 = 7 * 24 * 60 * 60;

/// The scheme of a hook that names none: an API key with the role `org.hooks`.
pub const BEARER: &str = "bearer";

/// A text that is never shown: not in answers, not in logs, not by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret `text`.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for whoever has to compare or sign.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret that was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetiredSecret {
    /// The secret.
    pub secret: Secret,
    /// Until when it is remembered.
    pub until: Timestamp,
}

/// The `auth` of a webhook.
///
/// *Shape*: `{"scheme": "shopify", "secrets": ["…"]}`. Which of the rest a scheme needs is known to `service::auth`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// `bearer`, `basic`, `header`, `jwt`, `none`, or a provider's name.
    pub scheme: String,
    /// Shared secrets, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
    /// Secrets of before, for the doctor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<RetiredSecret>,
    /// How far the sender's clock may differ; the scheme's own where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance_seconds: Option<i64>,
    /// The header of the scheme `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Public keys: PEM, base64 of an SPKI, `whpk_…` or a JWK.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_keys: Vec<String>,
    /// The address as the sender sees it, where it differs from the one requests come in at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who has to have issued a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// For whom a token has to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Where the issuer's keys are; found through its discovery document where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
    /// The account a token has to be of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The subject a token has to be of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The token of a handshake such as `hub.challenge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_token: Option<Secret>,
    /// The topics that may send; the scheme `sns` needs at least one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topic_arns: Vec<String>,
}

impl Auth {
    /// The scheme `scheme` and nothing else.
    pub fn of(scheme: &str) -> Self {
        Self {
            scheme: scheme.to_owned(),
            secrets: Vec::new(),
            retired: Vec::new(),
            tolerance_seconds: None,
            header: None,
            public_keys: Vec::new(),
            url: None,
            issuer: None,
            audience: None,
            jwks_url: None,
            email: None,
            subject: None,
            verify_token: None,
            topic_arns: Vec::new(),
        }
    }

    /// Puts `secrets` in the place of the present ones, which are remembered for the doctor as of `now`.
    pub fn replace_secrets(&mut self, secrets: Vec<Secret>, now: Timestamp) {
        let until = now.plus_seconds(RETIRED_SECONDS);
        let before = std::mem::replace(&mut self.secrets, secrets);
        self.retired.retain(|retired| now < retired.until);
        for secret in before {
            if !self.secrets.contains(&secret) {
                self.retired.insert(0, RetiredSecret { secret, until });
            }
        }
        self.retired.truncate(SECRETS_LIMIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let mut auth = Auth::of("shopify");
        auth.secrets = vec![Secret::new("hush-hush".to_owned())];
        assert!(!format!("{auth:?}").contains("hush"));
    }

    #[test]
    fn a_replaced_secret_is_remembered_for_a_while() {
        let now = Timestamp::from_millisecond(0);
        let mut auth = Auth::of("shopify");
        let secret = |text: &str| Secret::new(text.to_owned());
        auth.secrets = vec![secret("one"), secret("two")];
        auth.replace_secrets(vec![secret("two"), secret("three")], now);
        assert_eq!(auth.retired.iter().map(|retired| retired.secret.reveal()).collect::<Vec<_>>(), ["one"]);
        auth.replace_secrets(vec![secret("four")], now.plus_seconds(RETIRED_SECONDS));
        assert_eq!(auth.retired.iter().map(|retired| retired.secret.reveal()).collect::<Vec<_>>(), ["three", "two"]);
    }
}

//! What one hook is set to: its secrets, keys and expectations. `Debug` never shows a secret.

use std::fmt;

use serde::Deserialize;

use crate::clock::{TOLERANCE_LIMIT_SECONDS, TOLERANCE_SECONDS};

/// Most secrets, and most public keys, of one hook: each may have to be tried on each arrival.
pub const KEYS_LIMIT: usize = 10;

/// The settings of one hook, as its `auth` attribute has them; any of the secrets may match.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Shared secrets, or `user:password` pairs for Basic; at most [`KEYS_LIMIT`].
    pub secrets: Vec<String>,
    /// PEM, bare base64 of a `SubjectPublicKeyInfo`, `whpk_…` or a JWK; instead of those the provider publishes.
    pub public_keys: Vec<String>,
    /// The window of signed times, 1 to 86,400 s each way.
    pub tolerance_seconds: Option<i64>,
    /// The header with the shared secret, or with the token.
    pub header: Option<String>,
    /// The public address as the sender sees it, where that differs.
    pub url: Option<String>,
    /// The only issuer of tokens.
    pub issuer: Option<String>,
    /// Who tokens must be meant for.
    pub audience: Option<String>,
    /// The e-mail address that tokens must carry, verified by their issuer.
    pub email: Option<String>,
    /// The subject that tokens must carry.
    pub subject: Option<String>,
    /// The topics of Amazon SNS that are listened to.
    pub topic_arns: Vec<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("secrets", &self.secrets.len())
            .field("public_keys", &self.public_keys.len())
            .field("tolerance_seconds", &self.tolerance_seconds)
            .finish_non_exhaustive()
    }
}

/// Why a hook cannot be set so; the sentence is for its owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Problem {
    /// The setting, as the `auth` attribute spells it: `secrets`, `publicKeys`, `audience`, …
    pub setting: &'static str,
    /// What to change, without the value.
    pub sentence: String,
}

impl Problem {
    pub(crate) fn of(setting: &'static str, sentence: impl Into<String>) -> Self {
        Self { setting, sentence: sentence.into() }
    }
}

impl Settings {
    /// The window: the hook's own, the scheme's, or five minutes.
    pub(crate) fn tolerance(&self, of_scheme: Option<i64>) -> Result<i64, Problem> {
        let tolerance = self.tolerance_seconds.or(of_scheme).unwrap_or(TOLERANCE_SECONDS);
        if !(1..=TOLERANCE_LIMIT_SECONDS).contains(&tolerance) {
            return Err(Problem::of("toleranceSeconds", "The tolerance must be between 1 and 86400 seconds."));
        }
        Ok(tolerance)
    }

    /// The secrets, at least one and none of them empty.
    pub(crate) fn shared_secrets(&self) -> Result<&[String], Problem> {
        if self.secrets.is_empty() {
            return Err(Problem::of("secrets", "This scheme needs at least one secret."));
        }
        if self.secrets.len() > KEYS_LIMIT {
            return Err(Problem::of("secrets", "A hook has at most 10 secrets."));
        }
        if self.secrets.iter().any(|secret| secret.trim().is_empty()) {
            return Err(Problem::of("secrets", "A secret must not be empty."));
        }
        Ok(&self.secrets)
    }
}

//! Captchas: Turnstile and reCAPTCHA, whose verdict is asked for over the web.

use domain::{Guard, Rejected};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{refused, shown::Shown};
use crate::{
    accept::NotAccepted,
    ports::{Fetch, FetchRequest, Unavailable},
};

/// *Source*: Cloudflare, "Validate the token".
const TURNSTILE_URL: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";

/// *Source*: Google, "Verifying the user's response".
const RECAPTCHA_URL: &str = "https://www.google.com/recaptcha/api/siteverify";

/// The longest answer of a widget. *Why*: Turnstile's have at most 2,048 characters; reCAPTCHA's have no documented limit
/// and about that many.
const RESPONSE_LIMIT_BYTES: usize = 8_192;

/// The least score where the hook names none. *Source*: reCAPTCHA v3, "By default, you can use a threshold of 0.5".
const SCORE_DEFAULT_PERCENT: u8 = 50;

/// Errors that no sender can mend: the secret is wrong, or the service is in trouble.
const NOT_THE_SENDERS: &[&str] = &["missing-input-secret", "invalid-input-secret", "bad-request", "internal-error"];

/// A service that tells people from machines, with the secret it knows us by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Captcha<'a> {
    /// Cloudflare's.
    Turnstile {
        /// The site's secret.
        secret: &'a str,
    },
    /// Google's.
    Recaptcha {
        /// The site's secret.
        secret: &'a str,
        /// The least score the hook names.
        minimum_percent: Option<u8>,
    },
}

/// What siteverify answers; both services use these words.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Verdict {
    success: bool,
    score: Option<f64>,
    #[serde(default)]
    error_codes: Vec<String>,
}

impl<'a> Captcha<'a> {
    /// The field that Turnstile's widget adds to a form.
    pub(crate) const TURNSTILE_FIELD: &'static str = "cf-turnstile-response";

    /// The field that reCAPTCHA's widget adds to a form.
    pub(crate) const RECAPTCHA_FIELD: &'static str = "g-recaptcha-response";

    /// Those that the guard asks.
    pub(crate) fn asked(guard: &'a Guard) -> impl Iterator<Item = Self> {
        let turnstile = guard.turnstile_secret.as_ref().map(|secret| Self::Turnstile { secret: secret.reveal() });
        let minimum_percent = guard.recaptcha_minimum_percent;
        let recaptcha = guard.recaptcha_secret.as_ref();
        let recaptcha = recaptcha.map(|secret| Self::Recaptcha { secret: secret.reveal(), minimum_percent });
        turnstile.into_iter().chain(recaptcha)
    }

    /// What its widget gave the form.
    ///
    /// *Errors*: nothing, or too much.
    pub(crate) fn response<'s>(&self, shown: &'s Shown) -> Result<&'s str, Rejected> {
        let (response, missing, field, wrong) = match self {
            Self::Turnstile { .. } => {
                (&shown.turnstile, "turnstile_missing", Self::TURNSTILE_FIELD, "turnstile_refused")
            }
            Self::Recaptcha { .. } => {
                (&shown.recaptcha, "recaptcha_missing", Self::RECAPTCHA_FIELD, "recaptcha_refused")
            }
        };
        match response.as_deref() {
            None => Err(refused(
                missing,
                format!("This form has a captcha. Solve it and send its answer in the field {field}."),
            )),
            Some(response) if response.len() > RESPONSE_LIMIT_BYTES => Err(not_a_person(wrong)),
            Some(response) => Ok(response),
        }
    }

    /// Asks the service whether a person sent the post, whose data has the digest `post`.
    ///
    /// *Errors*: it says no; or it says nothing that can be understood, and then nobody is let in.
    pub(crate) async fn ask(&self, web: &dyn Fetch, shown: &Shown, post: &str) -> Result<(), NotAccepted> {
        let response = self.response(shown)?;
        let (url, form) = match self {
            Self::Turnstile { secret } => {
                // A repeated question with the same key is answered as the first was.
                let key = uuid(&format!("{response}\n{post}"));
                (TURNSTILE_URL, form(&[("secret", secret), ("response", response), ("idempotency_key", &key)]))
            }
            Self::Recaptcha { secret, .. } => (RECAPTCHA_URL, form(&[("secret", secret), ("response", response)])),
        };
        let fetched = web.fetch(FetchRequest { url: url.to_owned(), form: Some(form) }).await?;
        let verdict: Verdict = serde_json::from_slice(&fetched.body)
            .map_err(|_| unavailable(format!("{url} answered {} and no verdict", fetched.status)))?;
        if let Some(code) = verdict.error_codes.iter().find(|code| NOT_THE_SENDERS.contains(&code.as_str())) {
            return Err(unavailable(format!("{url} answered {code}")).into());
        }
        Ok(self.judge(&verdict)?)
    }

    fn judge(&self, verdict: &Verdict) -> Result<(), Rejected> {
        match self {
            Self::Turnstile { .. } if verdict.success => Ok(()),
            Self::Turnstile { .. } => Err(not_a_person("turnstile_refused")),
            Self::Recaptcha { .. } if !verdict.success => Err(not_a_person("recaptcha_refused")),
            Self::Recaptcha { minimum_percent, .. } => match (verdict.score, minimum_percent) {
                // Only v3 gives scores; v2 has said all with its success.
                (None, None) => Ok(()),
                (None, Some(_)) => Err(not_a_person("recaptcha_score_missing")),
                (Some(score), minimum) if is_at_least(score, minimum.unwrap_or(SCORE_DEFAULT_PERCENT)) => Ok(()),
                (Some(_), _) => Err(not_a_person("recaptcha_score_low")),
            },
        }
    }
}

/// A hundredth is not exact in binary, so the smallest of differences does not count.
fn is_at_least(score: f64, percent: u8) -> bool {
    score * 100.0 + 1e-6 >= f64::from(percent)
}

fn form(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))).collect();
    fields.join("&")
}

/// A UUID that is the same for the same text. *Source*: RFC 9562, version 8: 122 of the bits are ours.
fn uuid(text: &str) -> String {
    let half = Sha256::digest(text).iter().take(16).fold(0, |number: u128, byte| number << 8 | u128::from(*byte));
    let number = half & !(0xf << 76) | 0x8 << 76;
    let digits = format!("{:032x}", number & !(0x3 << 62) | 0x2 << 62);
    let group = |range| digits.get(range).unwrap_or_default();
    [group(0..8), group(8..12), group(12..16), group(16..20), group(20..32)].join("-")
}

fn not_a_person(code: &'static str) -> Rejected {
    refused(code, "The captcha does not take this for a person's post. Load the form again, solve it anew and send it.")
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "captcha", cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idempotency_key_is_a_uuid_of_the_whole_question() {
        // The first half of SHA-256("abc"), with version and variant set.
        assert_eq!(uuid("abc"), "ba7816bf-8f01-8fea-8141-40de5dae2223");
        assert_ne!(uuid("abd"), uuid("abc"));
    }

    #[test]
    fn a_secret_cannot_add_a_field_to_the_question() {
        assert_eq!(form(&[("secret", "a&b=c"), ("response", "ü +")]), "secret=a%26b%3Dc&response=%C3%BC%20%2B");
    }

    #[test]
    fn a_score_at_the_minimum_is_enough() {
        for percent in 0..=100_u8 {
            let score: f64 = format!("{:.2}", f64::from(percent) / 100.0).parse().unwrap();
            assert!(is_at_least(score, percent), "{percent}");
            assert!(!is_at_least(score - 0.001, percent), "{percent}");
        }
    }
}

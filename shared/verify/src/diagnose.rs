//! The signature doctor: why an arrival was refused, for the hook's owner and never for its sender. It tries what usually goes wrong and
//! reports what would have been accepted; it names headers, settings and addresses, and repeats no secret, signature or body.

mod bodies;
mod senders;
mod trials;

use http::HeaderMap;
use serde::Serialize;

use crate::{Arrival, PublicKey, Refusal, Scheme, Settings, SignedWith, jwt};

use trials::Trials;

/// How many header names a sentence lists.
const NAMED_HEADERS: usize = 30;

/// A likely reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// For programs: `wrong_secret`, `reserialised_body`, `clock`, …; the list is in this module.
    pub code: &'static str,
    /// For the owner: what it was and what to do.
    pub sentence: String,
}

impl Reason {
    pub(crate) fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }
}

/// Why an arrival was refused, the likeliest first; never empty.
///
/// *Units and limits*: up to some dozens of checks of the same bytes; bodies over 65,536 bytes are not rewritten. `retired_secrets` are
/// those the hook had before.
///
/// *Shape* of the codes, by refusal: `no_signature_header`, `other_scheme`, `several_headers`, `malformed`, `malformed_body`,
/// `too_many_signatures`, `no_key`, `old_secret`, `secret_has_whitespace`, `secret_prefix`, `wrong_digest`, `hex_not_base64`,
/// `base64_not_hex`, `base64url`, `newline_in_body`, `reserialised_body`, `url_differs`, `wrong_secret`, `clock`, `wrong_claim`,
/// `wrong_algorithm`, `unknown_key`, `certificate`, `wrong_topic`, `raw_delivery`, `body_not_signed`, `subscribe_url`.
pub fn diagnose(
    scheme: &Scheme,
    settings: &Settings,
    retired_secrets: &[String],
    arrival: &Arrival<'_>,
    fetched: &[PublicKey],
    refusal: &Refusal,
    now_seconds: i64,
) -> Vec<Reason> {
    let scheme = scheme.meant_by(arrival.headers);
    let trials = Trials { scheme, settings, retired_secrets, arrival, fetched, now_seconds };
    let mut reasons = by_refusal(&trials, refusal);
    let is_about_signature = matches!(refusal, Refusal::Missing { .. } | Refusal::WrongSignature);
    if is_about_signature && let Some(reason) = other_scheme(scheme, arrival.headers) {
        reasons.insert(0, reason);
    }
    reasons
}

fn by_refusal(trials: &Trials<'_>, refusal: &Refusal) -> Vec<Reason> {
    let plain = |code, advice: &str| vec![Reason::new(code, format!("{refusal} {advice}"))];
    match refusal {
        Refusal::Missing { header } => vec![no_signature_header(header, trials.arrival.headers)],
        Refusal::Ambiguous { .. } => {
            plain("several_headers", "Something on the way adds a second one, or joins two requests.")
        }
        Refusal::Malformed { .. } => trials.run_or(|| Reason::new("malformed", refusal.to_string())),
        Refusal::WrongSignature => trials.run_or(|| wrong_signature(trials)),
        Refusal::WrongCredentials => trials.run_or(|| {
            Reason::new(
                "wrong_secret",
                "The sender has another secret than the hook: copy it to both again, without spaces around it.",
            )
        }),
        Refusal::MalformedBody { .. } => {
            plain("malformed_body", "Something on the way changes the body, or it is of another sender.")
        }
        Refusal::TooManySignatures => {
            plain("too_many_signatures", "No known sender does this; the arrival is an attempt to wear the hook out.")
        }
        Refusal::NoSecret => {
            plain("no_key", "Add the secret or the public key for this kind of signature to the hook.")
        }
        Refusal::TooOld { by_seconds } => vec![clock(*by_seconds, "behind")],
        Refusal::TooNew { by_seconds } => vec![clock(*by_seconds, "ahead")],
        Refusal::Expired { by_seconds } => vec![clock(*by_seconds, "behind")],
        Refusal::WrongClaim { claim } => vec![wrong_claim(trials, claim)],
        Refusal::WrongAlgorithm => {
            plain("wrong_algorithm", "Let the issuer sign with RS256, ES256 or EdDSA, as the scheme has it.")
        }
        Refusal::UnknownKey | Refusal::BadKeySet => {
            plain("unknown_key", "Check the address of the issuer's keys, and whether the token is of this issuer.")
        }
        Refusal::UntrustedCertificateUrl | Refusal::BadCertificate => {
            plain("certificate", "A message that names another certificate than Amazon's is forged.")
        }
        Refusal::UnknownTopic => {
            plain("wrong_topic", "Add its ARN to the hook's `topicArns` if its messages are wanted.")
        }
        Refusal::RawDelivery => plain("raw_delivery", "Turn raw message delivery off for this subscription."),
        Refusal::BodyNotSigned => {
            plain("body_not_signed", "A body that is no form needs the parameter bodySHA256 in the address.")
        }
        Refusal::UntrustedSubscribeUrl => {
            plain("subscribe_url", "Confirm the subscription in the console of Amazon SNS.")
        }
    }
}

fn no_signature_header(header: &str, headers: &HeaderMap) -> Reason {
    let names: Vec<_> = headers.keys().take(NAMED_HEADERS).map(http::HeaderName::as_str).collect();
    let came = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Reason::new(
        "no_signature_header",
        format!(
            "The header {header} did not come: signing is not switched on at the sender, or something on the way removes it. Headers that came: {came}."
        ),
    )
}

fn other_scheme(scheme: &Scheme, headers: &HeaderMap) -> Option<Reason> {
    let (header, sender) = senders::stranger(headers, &scheme.credential_headers())?;
    Some(Reason::new(
        "other_scheme",
        format!("The header {header} came, which is {sender}'s: set the hook's scheme to that sender's."),
    ))
}

fn wrong_signature(trials: &Trials<'_>) -> Reason {
    let made_with = match trials.scheme.signed_with() {
        SignedWith::PrivateKey => "key",
        SignedWith::Secret | SignedWith::Credentials | SignedWith::Nothing => "secret",
    };
    Reason::new(
        "wrong_secret",
        format!(
            "Nothing that is usually changed on the way explains it, so the sender most likely has another {made_with} than the hook; or the body was changed past recognition."
        ),
    )
}

fn clock(by_seconds: i64, direction: &str) -> Reason {
    let mut sentence = format!("The time that was signed is {by_seconds} s {direction} this clock. ");
    sentence.push_str(if by_seconds > MILLISECONDS_LOOK_LIKE_SECONDS {
        "That far off it is not a clock: the sender most likely counts milliseconds, or the arrival is a test with a fixed time."
    } else {
        "The sender's clock is off, the arrival was held up, or an old one was sent again; `toleranceSeconds` widens the window."
    });
    Reason::new("clock", sentence)
}

/// A century; milliseconds read as seconds are fifty thousand years off.
const MILLISECONDS_LOOK_LIKE_SECONDS: i64 = 3_155_760_000;

fn wrong_claim(trials: &Trials<'_>, claim: &str) -> Reason {
    let came = match claim {
        "iss" | "aud" => jwt::claim_text(trials.arrival, trials.settings, claim),
        _ => None,
    };
    let came = came.map_or_else(String::new, |came| format!(" It says {came}."));
    Reason::new(
        "wrong_claim",
        format!("The token's claim {claim} is not what the hook is set to, or is missing.{came}"),
    )
}

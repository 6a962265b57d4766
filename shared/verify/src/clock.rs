//! Signed times against the clock; the clock is an argument, never read.

use http::HeaderName;

use crate::Refusal;

/// How far a signed time may be from now, each way, unless the hook or its scheme says otherwise.
///
/// *Source*: the reference libraries of Standard Webhooks and Stripe: 5 minutes.
pub const TOLERANCE_SECONDS: i64 = 300;

/// The widest window a hook may be set to: a delivery id is remembered for that long.
pub const TOLERANCE_LIMIT_SECONDS: i64 = 86_400;

/// Unix seconds in plain decimal digits; no sign, no fraction, no exponent.
pub(crate) fn parse(header: &HeaderName, text: &str) -> Result<i64, Refusal> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::malformed(header, "its time is not whole Unix seconds"));
    }
    text.parse().map_err(|_| Refusal::malformed(header, "its time is out of range"))
}

/// Whether the time lies in the window, its edges included.
pub(crate) fn check(timestamp: i64, now_seconds: i64, tolerance_seconds: i64) -> Result<(), Refusal> {
    let age_seconds = now_seconds.saturating_sub(timestamp);
    if age_seconds > tolerance_seconds {
        return Err(Refusal::TooOld { by_seconds: age_seconds });
    }
    if age_seconds < -tolerance_seconds {
        return Err(Refusal::TooNew { by_seconds: age_seconds.saturating_neg() });
    }
    Ok(())
}

//! Operators about instants. Epochs come as numbers or as their text; what is before 1970 or beyond the year 9999 is no instant.

use domain::Timestamp;
use serde_json::Value;

use super::text::spelled;

/// The last millisecond of the year 9999, the last that RFC 3339 can write.
const LATEST_MS: i64 = 253_402_300_799_999;

/// `$seconds`: seconds since 1970, with decimals if there are, as `2017-12-22T05:23:02.138Z`.
pub(super) fn seconds(epoch: &Value) -> Option<Value> {
    let text = spelled(epoch)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction_ms: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let whole: i64 = whole.parse().ok()?;
    instant(whole.checked_mul(1000)?.checked_add(fraction_ms)?)
}

/// `$millis`: milliseconds since 1970 in the same form.
pub(super) fn millis(epoch: &Value) -> Option<Value> {
    instant(spelled(epoch)?.parse().ok()?)
}

fn instant(epoch_ms: i64) -> Option<Value> {
    let in_range = (0..=LATEST_MS).contains(&epoch_ms);
    in_range.then(|| Value::String(Timestamp::from_millisecond(epoch_ms).to_string()))
}

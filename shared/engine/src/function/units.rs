//! Units that functions share: numbers that can be computed with, instants, and how both are written.

use std::str::FromStr;

use domain::Timestamp;
use jiff::{
    civil::{Date, DateTime},
    tz::TimeZone,
};
use rust_decimal::Decimal;
use serde_json::{Number, Value};

use crate::cast;

const NANOSECONDS_PER_MILLISECOND: i128 = 1_000_000;

/// A JSON number, or a text that is wholly one, of at most 28 digits; others cannot be computed with exactly.
pub(super) fn as_decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => parse_decimal(number.as_str()),
        Value::String(text) => parse_decimal(text.trim()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

pub(super) fn parse_decimal(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    // The library also reads `1_000`.
    if !unsigned.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    let is_scientific = text.contains(['e', 'E']);
    let parsed = if is_scientific { Decimal::from_scientific(text).ok() } else { Decimal::from_str(text).ok() };
    // More digits than fit would be rounded without a word.
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    parsed.filter(|_| mantissa.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_LIMIT)
}

/// How many digits are kept exactly. *Source* — `rust_decimal` has 96 bits.
const DIGITS_LIMIT: usize = 28;

/// The number as JSON, without needless zeros behind its point.
pub(super) fn number(decimal: Decimal) -> Value {
    let text = decimal.normalize().to_string();
    serde_json::from_str::<Number>(&text).map_or(Value::Null, Value::Number)
}

/// The instant of a date as conditions read it. A date without a time is midnight in `zone`, and a date and time without an
/// offset is in it.
pub(super) fn as_timestamp(value: &Value, zone: &TimeZone) -> Option<Timestamp> {
    let text = if let Value::String(text) = value { Some(text.trim()) } else { None };
    let nanoseconds = text
        .and_then(|text| midnight(text, zone))
        .or_else(|| cast::as_instant(value))
        .or_else(|| civil_nanoseconds(text?, zone))?;
    let milliseconds = nanoseconds.div_euclid(NANOSECONDS_PER_MILLISECOND);
    let milliseconds = i64::try_from(milliseconds).ok().filter(|milliseconds| is_representable(*milliseconds));
    milliseconds.map(Timestamp::from_millisecond)
}

/// The beginning of an ISO date.
fn midnight(text: &str, zone: &TimeZone) -> Option<i128> {
    if text.len() != "2017-12-22".len() {
        return None;
    }
    let date: Date = text.parse().ok()?;
    Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_nanosecond())
}

fn civil_nanoseconds(text: &str, zone: &TimeZone) -> Option<i128> {
    // The library reads a zone in brackets, and drops it.
    if text.contains('[') {
        return None;
    }
    if let Ok(civil) = text.parse::<DateTime>() {
        return civil.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp().as_nanosecond());
    }
    // As mails write it: Fri, 28 Nov 2026 12:00:00 +0100.
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp().as_nanosecond())
}

fn is_representable(milliseconds: i64) -> bool {
    jiff::Timestamp::from_millisecond(milliseconds).is_ok()
}

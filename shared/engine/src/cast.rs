//! How a JSON value is read as a number, a date, a truth or a text: the casts of the decision table, one function each.
//!
//! A value that cannot be read that way is `None`, never an error: a mistyped path makes a condition false.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::decimal::Decimal;

const NANOSECONDS_PER_MILLISECOND: i128 = 1_000_000;

/// An epoch time may not be further from 1970 than this; beyond it a number is not meant as a date.
const EPOCH_LIMIT_MILLISECONDS: f64 = 1e17;

/// A JSON number, or a text that is wholly one.
pub(crate) fn as_number(value: &Value) -> Option<Decimal<'_>> {
    match value {
        Value::Number(number) => Decimal::parse(number.as_str()),
        Value::String(text) => Decimal::parse(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Nanoseconds since 1970 of an RFC 3339 instant, of an ISO date (its midnight in UTC), or of epoch milliseconds.
pub(crate) fn as_instant(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => parse_epoch_milliseconds(number.as_str()),
        Value::String(text) => parse_instant(text.trim()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn parse_instant(text: &str) -> Option<i128> {
    if let Some(instant) = parse_epoch_milliseconds(text) {
        return Some(instant);
    }
    // jiff also reads zone names in brackets, which RFC 3339 does not have.
    if text.contains('[') {
        return None;
    }
    if text.len() == "2017-12-22".len() {
        let date: Date = text.parse().ok()?;
        return date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_nanosecond());
    }
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_nanosecond)
}

fn parse_epoch_milliseconds(text: &str) -> Option<i128> {
    if let Ok(milliseconds) = text.parse::<i64>() {
        return Some(i128::from(milliseconds) * NANOSECONDS_PER_MILLISECOND);
    }
    Decimal::parse(text)?;
    let milliseconds: f64 = text.parse().ok()?;
    let is_near = milliseconds.abs() <= EPOCH_LIMIT_MILLISECONDS;
    is_near.then_some((milliseconds * 1e6) as i128)
}

/// Truth as JavaScript has it: `null`, `false`, zero, `""` and nothing at all are falsy; `[]` and `{}` are not.
pub(crate) fn is_truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(truth)) => *truth,
        Some(Value::Number(number)) => !Decimal::parse(number.as_str()).is_some_and(|number| number.is_zero()),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(_) | Value::Object(_)) => true,
    }
}

/// The text a value has inside a template: nothing for `null`, the digits of a number, compact JSON for the rest.
pub(crate) fn to_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(number) => Cow::Borrowed(number.as_str()),
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(_) | Value::Object(_) => Cow::Owned(value.to_string()),
    }
}

/// The text of a text, a number or a boolean, by which such values are known as the same whatever their type; nothing for all else.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Some(to_text(value).into_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Equality across types: a text is read as the number or boolean it is compared with; `null` equals only nothing.
pub(crate) fn loosely_equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null)) {
        (Value::String(text), other @ (Value::Number(_) | Value::Bool(_)))
        | (other @ (Value::Number(_) | Value::Bool(_)), Value::String(text)) => text_equals(text, other),
        (left, right) => deeply_equal(left, right),
    }
}

fn text_equals(text: &str, other: &Value) -> bool {
    match other {
        Value::Bool(truth) => text == if *truth { "true" } else { "false" },
        Value::Number(number) => numbers_equal(text, number.as_str()),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn numbers_equal(left: &str, right: &str) -> bool {
    match (Decimal::parse(left), Decimal::parse(right)) {
        (Some(left), Some(right)) => left.compare(&right) == Ordering::Equal,
        _ => left == right,
    }
}

/// Equality within one type, numbers by value at every depth, objects without regard to the order of their keys.
fn deeply_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => numbers_equal(left.as_str(), right.as_str()),
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| deeply_equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => objects_equal(left, right),
        _ => false,
    }
}

fn objects_equal(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    left.len() == right.len()
        && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| deeply_equal(value, other)))
}

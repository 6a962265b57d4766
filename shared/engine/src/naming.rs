//! Values in a few words, for sentences: `the text "open"`, `a list of 3`.

use std::borrow::Cow;

use serde_json::Value;

use crate::allowance::Allowance;

/// How much of a text or number a sentence quotes.
const QUOTED_LIMIT_CHARACTERS: usize = 80;

/// How many bytes of JSON a list or an object has at most that a sentence shows.
const SHOWN_LIMIT_BYTES: usize = 60;

/// `the text "open"`, `the number 5`, `true`, `the list ["a",1]`, `a list of 300`, `an object of 2 keys`, `null`.
pub(crate) fn named(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {}", shortened(number.as_str())),
        Value::String(text) => format!("the text {}", quoted(text)),
        Value::Array(_) if is_short(value) => format!("the list {value}"),
        Value::Object(_) if is_short(value) => format!("the object {value}"),
        Value::Array(elements) => format!("a list of {}", elements.len()),
        Value::Object(object) if object.len() == 1 => "an object of 1 key".to_owned(),
        Value::Object(object) => format!("an object of {} keys", object.len()),
    }
}

fn is_short(value: &Value) -> bool {
    Allowance::new(SHOWN_LIMIT_BYTES, usize::MAX).take(value, 0).is_ok()
}

/// What type a value has, as `POST /v1/evaluate` names it.
pub(crate) fn type_of(value: Option<&Value>) -> &'static str {
    match value {
        None => "missing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}

/// A text in quotes, cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text))
}

/// A text, cut where it is long.
pub(crate) fn shortened(text: &str) -> String {
    domain::shortened(text, QUOTED_LIMIT_CHARACTERS)
}

/// A text of at most so many bytes, and a `…` where more was there.
pub(crate) fn cut(text: &str, limit_bytes: usize) -> Cow<'_, str> {
    if text.len() <= limit_bytes {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(limit_bytes);
    Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default()))
}

/// `a, b and c`.
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

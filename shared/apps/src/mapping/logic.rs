//! Questions whose answer is always `true` or `false`. What cannot be compared is not equal, not in, not greater.

use std::cmp::Ordering;

use serde_json::Value;

use super::amount::Amount;

/// `$eq`: the same JSON value, numbers by what they are worth (`1.0` is `1`); missing is `null`.
pub(super) fn is_equal(left: &Value, right: &Value) -> bool {
    left == right || compared(left, right) == Some(Ordering::Equal)
}

/// `$ne`: not `$eq`. With `null` it is `$exists`.
pub(super) fn is_not_equal(left: &Value, right: &Value) -> bool {
    !is_equal(left, right)
}

/// `$in`: an element of the list equals the value.
pub(super) fn is_in(value: &Value, list: &Value) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|element| is_equal(value, element)))
}

/// `$contains`: the text has the other text in it, or the list the value.
pub(super) fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        _ => is_in(part, whole),
    }
}

/// `$startsWith`: the text begins with the other text.
pub(super) fn starts_with(text: &Value, start: &Value) -> bool {
    matches!((text, start), (Value::String(text), Value::String(start)) if text.starts_with(start.as_str()))
}

/// `$gt`: both are numbers and the first is greater.
pub(super) fn is_greater(left: &Value, right: &Value) -> bool {
    compared(left, right) == Some(Ordering::Greater)
}

/// `$lt`: both are numbers and the first is less.
pub(super) fn is_less(left: &Value, right: &Value) -> bool {
    compared(left, right) == Some(Ordering::Less)
}

fn compared(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            Amount::parse(left.as_str())?.compared(Amount::parse(right.as_str())?)
        }
        _ => None,
    }
}

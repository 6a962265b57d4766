//! Whether a list holds any of several values, under the same equality as `eq`, in time linear in both.
//!
//! Comparing each with each would let two long lists in a payload stall an executor, so above a small size the
//! holder's elements are indexed by canonical spellings: equal values share one, whatever their types.

use std::collections::HashSet;

use serde_json::Value;

use crate::cast::loosely_equal;
use crate::decimal::Decimal;

/// Up to this many comparisons are made one by one, which is faster than an index.
const PAIRWISE_LIMIT_COMPARISONS: usize = 256;

/// Whether any of `sought` equals any of `elements`.
pub(crate) fn holds_any(elements: &[Value], sought: &[Value]) -> bool {
    if elements.len().saturating_mul(sought.len()) <= PAIRWISE_LIMIT_COMPARISONS {
        return sought.iter().any(|one| elements.iter().any(|element| loosely_equal(Some(element), Some(one))));
    }
    let index: HashSet<String> = elements.iter().flat_map(spellings_held).collect();
    sought.iter().flat_map(spellings_sought).any(|spelling| index.contains(&spelling))
}

/// The spellings under which an element is found: its own, and what a text is when it is read as a number or boolean.
fn spellings_held(value: &Value) -> Vec<String> {
    let mut spellings = vec![own_spelling(value)];
    if let Value::String(text) = value {
        spellings.extend(read_as_number(text).map(|number| format!("read {number}")));
        spellings.extend(read_as_boolean(text).map(|truth| format!("read {truth}")));
    }
    spellings
}

/// The spellings to look for. A text equals numbers by value, but another text only letter by letter.
fn spellings_sought(value: &Value) -> Vec<String> {
    let own = own_spelling(value);
    match value {
        Value::String(text) => {
            let mut spellings = vec![own];
            spellings.extend(read_as_number(text));
            spellings.extend(read_as_boolean(text));
            spellings
        }
        Value::Number(_) | Value::Bool(_) => vec![format!("read {own}"), own],
        Value::Null | Value::Array(_) | Value::Object(_) => vec![own],
    }
}

fn own_spelling(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => format!("boolean {truth}"),
        Value::Number(number) => read_as_number(number.as_str()).unwrap_or_else(|| format!("odd {number}")),
        Value::String(text) => format!("text {text}"),
        Value::Array(elements) => {
            let inner = elements.iter().map(|element| quoted(&own_spelling(element)));
            format!("list {}", inner.collect::<String>())
        }
        Value::Object(object) => {
            let mut inner: Vec<String> =
                object.iter().map(|(key, value)| quoted(key) + &quoted(&own_spelling(value))).collect();
            inner.sort_unstable();
            format!("object {}", inner.concat())
        }
    }
}

/// A text made unmistakable among others by its length.
fn quoted(text: &str) -> String {
    format!("{}:{text}", text.len())
}

fn read_as_number(text: &str) -> Option<String> {
    Decimal::parse(text).map(|number| format!("number {}", number.canonical()))
}

fn read_as_boolean(text: &str) -> Option<String> {
    matches!(text, "true" | "false").then(|| format!("boolean {text}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{holds_any, loosely_equal, spellings_held, spellings_sought};

    fn values() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3i64..3).prop_map(Value::from),
            prop::sample::select(vec!["1", "1.0", "-0", "true", "false", "", "a", "10e-1", "null"])
                .prop_map(Value::from),
            prop::sample::select(vec!["1.0", "1e0", "-0", "1e999999", "0.0"])
                .prop_map(|text| serde_json::from_str(text).unwrap()),
        ];
        scalar.prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::hash_map("[ab]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_share_a_spelling_exactly_when_they_are_equal(left in values(), right in values()) {
            let held = spellings_held(&left);
            let shares = spellings_sought(&right).iter().any(|spelling| held.contains(spelling));
            prop_assert_eq!(shares, loosely_equal(Some(&left), Some(&right)), "{} and {}", left, right);
        }
    }

    #[test]
    fn two_long_lists_are_compared_at_once() {
        let left: Vec<Value> = (0..100_000).map(|number| json!(number)).collect();
        let mut right: Vec<Value> = (0..100_000).map(|number| json!(format!("no {number}"))).collect();
        assert!(!holds_any(&left, &right));
        right.push(json!("99999.0"));
        assert!(holds_any(&left, &right));
    }
}

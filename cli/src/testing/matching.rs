//! Holding what is there against what is expected.
//!
//! What is expected is a part of what has to be there: an object may have more keys, a list has the same number of elements, numbers are
//! equal by their value. Three objects with one key are no values but ask for something else:
//!
//! | marker | holds for |
//! | --- | --- |
//! | `{"$exact": value}` | that value and no more |
//! | `{"$contains": text}` | a text with this in it, or a list with such an element |
//! | `{"$present": true}`, `false` | whatever is there; nothing or `null` |

use serde_json::{Map, Number, Value, json};

const EXACT: &str = "$exact";
const CONTAINS: &str = "$contains";
const PRESENT: &str = "$present";

/// What is expected, where it is a marker.
enum Marker<'e> {
    Exact(&'e Value),
    Contains(&'e Value),
    Present(bool),
}

fn marker(expected: &Value) -> Option<Marker<'_>> {
    let members = expected.as_object().filter(|members| members.len() == 1)?;
    let (key, value) = members.iter().next()?;
    match key.as_str() {
        EXACT => Some(Marker::Exact(value)),
        CONTAINS => Some(Marker::Contains(value)),
        PRESENT => Some(Marker::Present(value.as_bool()?)),
        _ => None,
    }
}

/// What a text contains that matches.
pub(crate) fn contains(text: Value) -> Value {
    json!({ CONTAINS: text })
}

/// Objects that look like markers and are none, with their paths and what to do about them.
pub(crate) fn misused_markers(expected: &Value, path: &str) -> Vec<(String, String)> {
    match expected {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        Value::Array(list) => {
            let within = list.iter().enumerate();
            within.flat_map(|(index, element)| misused_markers(element, &format!("{path}[{index}]"))).collect()
        }
        Value::Object(members) => {
            if matches!(marker(expected), Some(Marker::Exact(_))) {
                return Vec::new();
            }
            let meant = members.keys().find(|key| key.starts_with('$'));
            match meant {
                Some(key) if marker(expected).is_none() => {
                    let message = format!(
                        "\"{key}\" is no marker, or does not stand alone: there are {{\"{EXACT}\": value}}, {{\"{CONTAINS}\": text}}, {{\"{PRESENT}\": true}} and {{\"{PRESENT}\": false}}. Keys that begin with $ stand in {{\"{EXACT}\": …}}."
                    );
                    vec![(path.to_owned(), message)]
                }
                Some(_) => Vec::new(),
                None => {
                    members.iter().flat_map(|(key, value)| misused_markers(value, &format!("{path}.{key}"))).collect()
                }
            }
        }
    }
}

/// Where the first difference is, and what is there; `None` when everything is as expected.
pub(crate) fn difference(expected: &Value, actual: Option<&Value>, path: &str) -> Option<(String, Value)> {
    let here = || Some((path.to_owned(), actual.cloned().unwrap_or_default()));
    match marker(expected) {
        Some(Marker::Exact(value)) => {
            return if actual.is_some_and(|actual| equal(value, actual)) { None } else { here() };
        }
        Some(Marker::Contains(part)) => {
            return if actual.is_some_and(|actual| holds(part, actual)) { None } else { here() };
        }
        Some(Marker::Present(present)) => {
            let is_there = actual.is_some_and(|actual| !actual.is_null());
            return if is_there == present { None } else { here() };
        }
        None => {}
    }
    match (expected, actual) {
        (Value::Object(members), Some(Value::Object(found))) => {
            members.iter().find_map(|(key, value)| difference(value, found.get(key), &format!("{path}.{key}")))
        }
        (Value::Array(elements), Some(Value::Array(found))) => {
            let pairs = elements.iter().zip(found).enumerate();
            let mut differences =
                pairs.filter_map(|(index, (value, found))| difference(value, Some(found), &format!("{path}[{index}]")));
            differences.next().or_else(|| if elements.len() == found.len() { None } else { here() })
        }
        (Value::Null, None) => None,
        (expected, Some(actual)) if equal(expected, actual) => None,
        (_, _) => here(),
    }
}

/// How many leaves are not as expected, to tell which of several things is the likeliest.
pub(crate) fn differences(expected: &Value, actual: Option<&Value>) -> usize {
    match (marker(expected), expected, actual) {
        (None, Value::Object(members), Some(Value::Object(found))) => {
            members.iter().map(|(key, value)| differences(value, found.get(key))).sum()
        }
        (_, _, _) => usize::from(difference(expected, actual, "").is_some()),
    }
}

/// What is there, without what nobody asked for: what is as expected is written as it was expected.
pub(crate) fn seen(expected: &Value, actual: Option<&Value>) -> Value {
    if difference(expected, actual, "").is_none() {
        return expected.clone();
    }
    match (marker(expected), expected, actual) {
        (None, Value::Object(members), Some(Value::Object(found))) => {
            let shown = members.iter().filter_map(|(key, value)| {
                let found = found.get(key);
                let is_wanted = found.is_some() || difference(value, found, "").is_none();
                is_wanted.then(|| (key.clone(), seen(value, found)))
            });
            Value::Object(shown.collect::<Map<_, _>>())
        }
        (None, Value::Array(elements), Some(Value::Array(found))) => {
            let shown = found.iter().enumerate().map(|(index, found)| match elements.get(index) {
                Some(value) => seen(value, Some(found)),
                None => found.clone(),
            });
            Value::Array(shown.collect())
        }
        (_, _, actual) => actual.cloned().unwrap_or_default(),
    }
}

fn holds(part: &Value, actual: &Value) -> bool {
    match actual {
        Value::String(text) => part.as_str().is_some_and(|part| text.contains(part)),
        Value::Array(list) => list.iter().any(|element| difference(part, Some(element), "").is_none()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// Whether two values are one, numbers by their value.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || canonical(one) == canonical(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| equal(value, other)))
        }
        (one, other) => one == other,
    }
}

/// A number as its sign, its digits without zeros around them, and the power of ten they count in.
fn canonical(number: &Number) -> (bool, String, i64) {
    let text = number.to_string();
    let unsigned = text.strip_prefix('-').unwrap_or(&text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let trimmed = digits.trim_end_matches('0');
    if trimmed.is_empty() {
        return (false, String::new(), 0);
    }
    let count = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let power = exponent.parse::<i64>().unwrap_or(i64::MAX);
    let power = power.saturating_sub(count(fraction)).saturating_add(count(digits).saturating_sub(count(trimmed)));
    (text.starts_with('-'), trimmed.to_owned(), power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Value {
        domain::exact::parse(text).unwrap()
    }

    #[test]
    fn what_is_expected_is_a_part_of_what_is_there() {
        let rows = [
            ("{\"a\":1}", "{\"a\":1,\"b\":2}", None),
            ("{\"a\":{\"b\":[1,{}]}}", "{\"a\":{\"b\":[1,{\"c\":1}]}}", None),
            ("{\"a\":{\"b\":2}}", "{\"a\":{\"b\":1}}", Some("$.a.b")),
            ("[1,2]", "[1]", Some("$")),
            ("[1,2]", "[1,3]", Some("$[1]")),
            ("{\"a\":null}", "{}", None),
            ("{\"a\":1}", "{}", Some("$.a")),
            ("1.50", "15e-1", None),
            ("100", "1E2", None),
            ("0", "-0.0", None),
            ("-5", "5", Some("$")),
            ("9007199254740993", "9007199254740992", Some("$")),
            ("\"1\"", "1", Some("$")),
            ("{\"$exact\":{\"a\":1}}", "{\"a\":1.0}", None),
            ("{\"$exact\":{\"a\":1}}", "{\"a\":1,\"b\":2}", Some("$")),
            ("{\"$contains\":\"b\"}", "\"abc\"", None),
            ("{\"$contains\":\"b\"}", "[\"a\",\"b\"]", None),
            ("{\"$contains\":\"b\"}", "\"ac\"", Some("$")),
            ("{\"a\":{\"$present\":true}}", "{\"a\":0}", None),
            ("{\"a\":{\"$present\":true}}", "{\"a\":null}", Some("$.a")),
            ("{\"a\":{\"$present\":false}}", "{}", None),
            ("{\"a\":{\"$present\":false}}", "{\"a\":0}", Some("$.a")),
        ];
        for (expected, actual, path) in rows {
            let found = difference(&parsed(expected), Some(&parsed(actual)), "$").map(|(path, _)| path);
            assert_eq!(found.as_deref(), path, "{expected} {actual}");
        }
    }

    #[test]
    fn what_is_shown_of_what_is_there_is_what_was_asked_for() {
        let expected = parsed("{\"a\":1.0,\"b\":{\"$contains\":\"x\"},\"c\":{\"d\":1},\"e\":2,\"f\":[1]}");
        let actual = parsed("{\"z\":0,\"a\":1,\"b\":\"xyz\",\"c\":{\"d\":2,\"y\":3},\"f\":[1,{\"g\":2}]}");
        let shown = "{\"a\":1.0,\"b\":{\"$contains\":\"x\"},\"c\":{\"d\":2},\"f\":[1,{\"g\":2}]}";
        assert_eq!(seen(&expected, Some(&actual)).to_string(), shown);
        assert_eq!(differences(&expected, Some(&actual)), 3);
    }

    #[test]
    fn a_marker_that_is_none_is_told() {
        for wrong in ["{\"$contain\":\"x\"}", "{\"$present\":1}", "{\"$exact\":1,\"b\":2}", "[{\"a\":{\"$any\":1}}]"] {
            assert_eq!(misused_markers(&parsed(wrong), "$").len(), 1, "{wrong}");
        }
        for right in ["{\"$exact\":{\"$ref\":1}}", "{\"a\":\"$x\"}", "[{\"$present\":false}]", "{\"$contains\":\"$\"}"]
        {
            assert!(misused_markers(&parsed(right), "$").is_empty(), "{right}");
        }
    }
}

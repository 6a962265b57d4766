//! How values of the corpus of mails are compared. A file of its own, because the tests of `ingest` include it too, which
//! must not know this crate.

use serde_json::{Map, Number, Value};

/// The value as the corpus compares it: integers as they were written, other numbers as doubles, keys in order.
pub fn comparable(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number_text(number)),
        Value::Array(list) => list.iter().map(comparable).collect(),
        Value::Object(map) => {
            let mut members: Vec<(String, Value)> =
                map.iter().map(|(key, member)| (key.clone(), comparable(member))).collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

fn number_text(number: &Number) -> String {
    let text = number.to_string();
    let is_integer = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match text.parse::<f64>() {
        Ok(double) if !is_integer => format!("#{double:?}"),
        // The corpus was written by a program for which this is an integer without a sign.
        Ok(_) if text == "-0" => "#0".to_owned(),
        Ok(_) | Err(_) => format!("#{text}"),
    }
}

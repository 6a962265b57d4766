//! The schemas of the OpenAPI document, held against what is really answered.
//!
//! Only the words that the document uses are known; another one is a panic, so that none is passed over in silence.

use serde_json::Value;
use service::http::openapi_document;

/// What of `value` does not fit the schema of this name, each with its place.
pub fn misfits(schema: &str, value: &Value) -> Vec<String> {
    let document = openapi_document();
    let mut found = Vec::new();
    check(&document, &document["components"]["schemas"][schema], value, "$", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let Value::Object(words) = schema else { panic!("there is no schema at {place}") };
    for (word, wanted) in words {
        let fits = match word.as_str() {
            "$ref" => {
                let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                check(document, document.pointer(pointer).unwrap(), value, place, found);
                true
            }
            "type" => list(wanted).iter().any(|kind| is_of(kind.as_str().unwrap(), value)),
            "enum" => list(wanted).contains(value),
            "const" => wanted == value,
            "anyOf" | "oneOf" => list(wanted).iter().any(|schema| {
                let mut misfits = Vec::new();
                check(document, schema, value, place, &mut misfits);
                misfits.is_empty()
            }),
            "required" => value
                .as_object()
                .is_none_or(|map| list(wanted).iter().all(|key| map.contains_key(key.as_str().unwrap()))),
            "properties" => {
                check_members(document, wanted, value, place, found);
                true
            }
            "additionalProperties" => {
                let named = words.get("properties").and_then(Value::as_object);
                let others = value.as_object().into_iter().flat_map(|map| map.keys());
                let mut others = others.filter(|key| !named.is_some_and(|named| named.contains_key(*key)));
                *wanted != Value::Bool(false) || others.next().is_none()
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, wanted, item, &format!("{place}[{index}]"), found);
                }
                true
            }
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= wanted.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= wanted.as_u64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| is_like(wanted.as_str().unwrap(), text)),
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= wanted.as_f64().unwrap()),
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= wanted.as_u64().unwrap()),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= wanted.as_u64().unwrap()),
            "description" | "format" | "uniqueItems" | "default" | "examples" => true,
            unknown => panic!("{place}: teach this check the word {unknown}"),
        };
        if !fits {
            found.push(format!("{place} does not fit {word} {wanted}: {value}"));
        }
    }
}

/// Each member that the schema names; what an answer has beside them is a misfit too, since nobody could know of it.
fn check_members(document: &Value, named: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (key, member) in value.as_object().into_iter().flatten() {
        match named.get(key) {
            Some(schema) => check(document, schema, member, &format!("{place}.{key}"), found),
            None => found.push(format!("{place}.{key} is in no schema")),
        }
    }
}

/// The members of a list; a single word is a list of one.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("{unknown} is no type of JSON"),
    }
}

/// The document's patterns are all of hex digits.
fn is_like(pattern: &str, text: &str) -> bool {
    let digits: usize =
        pattern.strip_prefix("^[0-9a-f]{").and_then(|rest| rest.strip_suffix("}$")).unwrap().parse().unwrap();
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

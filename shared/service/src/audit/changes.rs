//! What is told of a change: the attributes that are different, without secrets and within limits.

use engine::{diff, surroundings::MASK};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The most bytes of a value from before or after, as JSON.
const VALUE_LIMIT_BYTES: usize = 2_048;

/// The most bytes of all changes of an entry, as JSON. *Why*: an entry stays in its item and costs few write units.
const CHANGES_LIMIT_BYTES: usize = 32 * 1024;

/// What the names of secrets have in them, in lower case.
const SECRET_WORDS: [&str; 10] = [
    "secret",
    "token",
    "password",
    "passphrase",
    "digest",
    "credential",
    "signature",
    "authorization",
    "cookie",
    "apikey",
];

/// What the names of secrets end with, in lower case. Public keys are none.
const SECRET_ENDINGS: [&str; 3] = ["key", "keys", "hash"];

/// What is told.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    /// *Shape*: `{"op":"replace","path":"$.title","before":"Orders","after":"Returns"}`.
    pub(super) changes: Vec<Value>,
    /// How many more there are.
    pub(super) left_out: usize,
}

/// What is different between two states of an object, in which also `secrets` are masked.
pub(super) fn told(before: Map<String, Value>, after: Map<String, Value>, secrets: &[&str]) -> Told {
    let (before, after) = (marked(Value::Object(before), secrets), marked(Value::Object(after), secrets));
    let diff::Changes { told, left_out } = diff::changes(&before, &after);
    let mut result = Told { changes: Vec::with_capacity(told.len()), left_out };
    let mut bytes = 0;
    for change in told {
        let mut shown = Map::new();
        shown.insert("op".to_owned(), json!(change.op));
        shown.insert("path".to_owned(), json!(change.path));
        // Value by value, so that numbers stay as they are spelled.
        shown.extend(change.before.map(|before| ("before".to_owned(), shortened(unmarked(before)))));
        shown.extend(change.after.map(|after| ("after".to_owned(), shortened(unmarked(after)))));
        let shown = Value::Object(shown);
        bytes += shown.to_string().len();
        if bytes > CHANGES_LIMIT_BYTES {
            result.left_out += 1;
        } else {
            result.changes.push(shown);
        }
    }
    result
}

fn shortened(value: Value) -> Value {
    let bytes = value.to_string().len();
    if bytes > VALUE_LIMIT_BYTES { json!({ "leftOutBytes": bytes }) } else { value }
}

/// The same with a mark in the place of each secret, which is another one for another secret: that it was changed is told.
fn marked(mut value: Value, secrets: &[&str]) -> Value {
    mark(&mut value, secrets);
    value
}

fn mark(value: &mut Value, secrets: &[&str]) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(elements) => elements.iter_mut().for_each(|element| mark(element, secrets)),
        Value::Object(members) => {
            for (name, inner) in members.iter_mut() {
                let tells_nothing = inner.is_null() || inner.is_boolean();
                if !tells_nothing && (secrets.contains(&name.as_str()) || is_secret(name)) {
                    *inner = mark_of(inner);
                } else {
                    mark(inner, secrets);
                }
            }
        }
    }
}

/// Puts a mark in the place of each text.
pub(super) fn mark_texts(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(_) => *value = mark_of(value),
        Value::Array(elements) => elements.iter_mut().for_each(mark_texts),
        Value::Object(members) => members.values_mut().for_each(mark_texts),
    }
}

fn mark_of(value: &Value) -> Value {
    Value::String(format!("{MASK}{}", hex::encode(Sha256::digest(value.to_string()))))
}

/// The same with nothing left of what a mark is made of.
fn unmarked(value: Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
        Value::String(text) if text.starts_with(MASK) => Value::String(MASK.to_owned()),
        Value::String(_) => value,
        Value::Array(elements) => Value::Array(elements.into_iter().map(unmarked).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, inner)| (name, unmarked(inner))).collect())
        }
    }
}

/// Whether what has this name is masked, whatever it is.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
        || (SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending)) && !name.starts_with("public"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn shown(before: Value, after: Value) -> Vec<Value> {
        told(object(before), object(after), &["value"]).changes
    }

    #[test]
    fn only_what_is_different_is_told() {
        let before =
            json!({ "title": "Orders", "limit": { "requests": 1, "seconds": 60 }, "tags": ["a"], "gone": true });
        let after =
            json!({ "title": "Orders", "limit": { "requests": 2, "seconds": 60 }, "tags": ["a", "b"], "new": 1 });
        assert_eq!(
            shown(before, after),
            [
                json!({ "op": "remove", "path": "$.gone", "before": true }),
                json!({ "op": "replace", "path": "$.limit.requests", "before": 1, "after": 2 }),
                json!({ "op": "add", "path": "$.tags[1]", "after": "b" }),
                json!({ "op": "add", "path": "$.new", "after": 1 }),
            ]
        );
    }

    #[test]
    fn that_a_secret_was_changed_is_told_and_never_what_it_is() {
        for name in [
            "secret",
            "turnstileSecret",
            "secrets",
            "verifyToken",
            "digest",
            "challengeKey",
            "key",
            "hash",
            "value",
            "API_KEY",
            "x-api-key",
            "Authorization",
            "password",
        ] {
            for (old, new) in [(json!("old-one"), json!("new-one")), (json!(["old-one"]), json!([{ "is": "new-one" }]))]
            {
                let told =
                    shown(json!({ "auth": { name: old, "same": 1 } }), json!({ "auth": { name: new, "same": 1 } }));
                let [change] = told.as_slice() else { panic!("{name}: {told:?}") };
                assert_eq!((&change["before"], &change["after"]), (&json!(MASK), &json!(MASK)), "{name}");
            }
            let same = json!({ "auth": { name: "old-one" } });
            assert_eq!(shown(same.clone(), same), [] as [Value; 0], "{name}");
            // Also where the whole of what it stands in is told.
            let made = shown(json!({}), json!({ "auth": { name: "new-one", "scheme": "basic" } }));
            assert_eq!(made[0]["after"], json!({ name: MASK, "scheme": "basic" }), "{name}");
            let freed = shown(json!({ name: "old-one" }), json!({ name: null }));
            assert_eq!((&freed[0]["before"], &freed[0]["after"]), (&json!(MASK), &Value::Null), "{name}");
        }
        for name in ["title", "publicKeys", "externalId", "keyboard", "hasTurnstileSecret"] {
            let told = shown(json!({}), json!({ name: true }));
            assert_eq!(told[0]["after"], true, "{name}");
        }
    }

    #[test]
    fn a_value_as_long_as_the_limit_is_told_and_one_past_it_only_counted() {
        let text = |bytes: usize| "x".repeat(bytes - "\"\"".len());
        let told = shown(json!({}), json!({ "a": text(VALUE_LIMIT_BYTES), "b": text(VALUE_LIMIT_BYTES + 1) }));
        assert_eq!(told[0]["after"], text(VALUE_LIMIT_BYTES));
        assert_eq!(told[1]["after"], json!({ "leftOutBytes": VALUE_LIMIT_BYTES + 1 }));
    }

    #[test]
    fn changes_are_told_up_to_the_limit_and_the_others_counted() {
        // Each is {"op":"add","path":"$.a00","after":"…"} of 1,024 bytes.
        let frame = json!({ "op": "add", "path": "$.a00", "after": "" }).to_string().len();
        let text = "x".repeat(1_024 - frame);
        let many = |count: usize| object((0..count).map(|at| (format!("a{at:02}"), json!(text))).collect());
        let all = told(Map::new(), many(32), &[]);
        assert_eq!((all.changes.len(), all.left_out), (32, 0));
        let past = told(Map::new(), many(33), &[]);
        assert_eq!((past.changes.len(), past.left_out), (32, 1));
    }

    #[test]
    fn numbers_keep_every_digit() {
        let after = domain::exact::parse(r#"{"n":1e400,"m":9007199254740993}"#).unwrap();
        let told = told(Map::new(), object(after), &[]);
        assert!(told.changes[0].to_string().contains("1e400"), "{told:?}");
        assert!(told.changes[1].to_string().contains("9007199254740993"), "{told:?}");
    }
}

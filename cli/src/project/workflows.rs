//! Workflow documents of a project beside those of an org: what says the same, and what makes the one of the other.

use serde_json::{Map, Value, json};

/// What a server adds to a document, and ignores in one.
const SERVER_KEYS: [&str; 4] = ["id", "rev", "createdAt", "updatedAt"];

/// The keys of a document in the order in which they are written; the others follow by name. *Why*: an update leaves keys
/// where they were, so the order of an org's document tells its history.
const KEY_ORDER: [&str; 10] =
    ["name", "description", "enabled", "logging", "version", "replaces", "meta", "trigger", "steps", "response"];

/// What the document says, to be compared: without what a server adds, without `null`, and enabled only where it says it is not.
pub(crate) fn meaning(document: &Map<String, Value>) -> Map<String, Value> {
    let says = |key: &str, value: &Value| !is_silent(key, value) && (key != "enabled" || *value != json!(true));
    document.iter().filter(|(key, value)| says(key, value)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The document as it is written into a file: keys in their order, and whether it is enabled always.
pub(crate) fn written(document: &Map<String, Value>) -> Map<String, Value> {
    let mut members: Vec<(String, Value)> = document
        .iter()
        .filter(|(key, value)| !is_silent(key, value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !members.iter().any(|(key, _)| key == "enabled") {
        members.push(("enabled".to_owned(), json!(true)));
    }
    let place = |key: &str| KEY_ORDER.iter().position(|known| *known == key).unwrap_or(KEY_ORDER.len());
    members.sort_by(|(key, _), (other, _)| (place(key), key).cmp(&(place(other), other)));
    members.into_iter().collect()
}

/// What a server is sent for a new workflow.
pub(crate) fn draft(document: &Map<String, Value>) -> Map<String, Value> {
    let kept = document.iter().filter(|(key, _)| !SERVER_KEYS.contains(&key.as_str()));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// What a server is sent to make `document` of what it has: keys that are only there are taken back with `null`.
pub(crate) fn change(live: &Map<String, Value>, document: &Map<String, Value>) -> Map<String, Value> {
    let mut change = draft(document);
    for key in live.keys().filter(|key| !document.contains_key(*key) && !SERVER_KEYS.contains(&key.as_str())) {
        let nothing = if key == "enabled" { json!(true) } else { Value::Null };
        change.insert(key.clone(), nothing);
    }
    change
}

/// A workflow that only has a name and an id: it is disabled, and listens to what no hook fires.
pub(crate) fn reserved(name: &str) -> Map<String, Value> {
    let trigger = json!({ "eventName": "kustomer.hooks.form.000000000000000000000000.receive", "transitions": [] });
    let members = [("name", json!(name)), ("enabled", json!(false)), ("trigger", trigger)];
    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Whether a key says nothing.
fn is_silent(key: &str, value: &Value) -> bool {
    SERVER_KEYS.contains(&key) || value.is_null()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn documents_say_the_same_whatever_a_server_added_and_however_they_are_ordered() {
        let live = map(json!({"steps": [], "name": "a", "id": "x", "rev": 3, "description": null, "enabled": true}));
        let file = map(json!({"name": "a", "steps": []}));
        assert_eq!(meaning(&live), meaning(&file));
        assert_ne!(meaning(&live), meaning(&map(json!({"name": "a", "steps": [], "enabled": false}))));
        assert_eq!(Value::Object(written(&live)).to_string(), r#"{"name":"a","enabled":true,"steps":[]}"#);
    }

    #[test]
    fn a_change_takes_back_what_the_document_does_not_have() {
        let live = map(json!({"id": "x", "name": "a", "enabled": false, "description": "d", "later": 1}));
        let file = map(json!({"id": "y", "name": "a", "logging": true}));
        let sent = json!({"name": "a", "logging": true, "enabled": true, "description": null, "later": null});
        assert_eq!(Value::Object(change(&live, &file)), sent);
    }

    #[test]
    fn what_only_holds_an_id_can_be_saved() {
        let checked = engine::check(&Value::Object(reserved("a")), service::actions::catalogue());
        assert!(checked.definition.is_some(), "{:?}", checked.problems);
    }
}

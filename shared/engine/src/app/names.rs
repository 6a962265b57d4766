//! The names of an app: its own events, actions, commands and cards are whole only with `kustomer.app.{app}.` before them.
//!
//! *Source* — Kustomer's "Naming schemes": names that a definition gives are prefixed when it is registered, and where its
//! workflows say them, too.

use std::collections::HashSet;

use serde_json::Value;

use super::NAMESPACE;

/// What every whole name begins with; one that begins so is left as it is.
const KUSTOMER: &str = "kustomer.";

/// Where a definition gives names: the list, and the key of its elements.
pub(super) const NAMED: [(&str, &str); 5] =
    [("hooks", "eventName"), ("triggers", "eventName"), ("actions", "name"), ("commands", "name"), ("kviews", "name")];

/// The app whose event or action `name` is: `ecommstore` of `kustomer.app.ecommstore.company.create`.
pub fn app_of(name: &str) -> Option<&str> {
    let (app, rest) = name.strip_prefix(NAMESPACE)?.split_once('.')?;
    (!app.is_empty() && !rest.is_empty()).then_some(app)
}

/// What the names of `app` begin with.
pub(super) fn prefix(app: &str) -> String {
    format!("{NAMESPACE}{app}.")
}

/// The document with whole names. Workflows name events and actions of other apps as well, so there only names that the
/// definition gives are prefixed.
pub fn prefixed(document: &Value) -> Value {
    let mut document = document.clone();
    let Some(app) = document.get("app").and_then(Value::as_str).filter(|app| is_app_name(app)) else { return document };
    let prefix = prefix(app);
    let mut given: HashSet<String> = HashSet::new();
    for (list, key) in NAMED {
        for part in parts_mut(&mut document, list) {
            if let Some(Value::String(name)) = part.get_mut(key) {
                make_whole(name, &prefix);
                given.insert(name.clone());
            }
        }
    }
    for workflow in parts_mut(&mut document, "workflows") {
        make_whole_if_given(workflow.pointer_mut("/trigger/eventName"), &prefix, &given);
        for step in parts_mut(workflow, "steps") {
            make_whole_if_given(step.get_mut("action"), &prefix, &given);
        }
    }
    document
}

/// Letters, digits and `_`, the first a lower-case letter. *Source* — Kustomer's starter files: no spaces, no dashes.
pub(super) fn is_app_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn make_whole(name: &mut String, prefix: &str) {
    if !name.is_empty() && !name.starts_with(KUSTOMER) {
        name.insert_str(0, prefix);
    }
}

fn make_whole_if_given(name: Option<&mut Value>, prefix: &str, given: &HashSet<String>) {
    if let Some(Value::String(name)) = name
        && !name.starts_with(KUSTOMER)
        && given.contains(&format!("{prefix}{name}"))
    {
        make_whole(name, prefix);
    }
}

fn parts_mut<'d>(owner: &'d mut Value, list: &str) -> impl Iterator<Item = &'d mut Value> {
    owner.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{app_of, prefixed};

    #[test]
    fn names_that_the_definition_gives_are_prefixed_where_they_are_given_and_where_workflows_say_them() {
        let whole = prefixed(&json!({
            "app": "shop",
            "hooks": [{ "eventName": "order" }, { "eventName": "kustomer.app.shop.refund" }, { "eventName": "" }, 5],
            "triggers": [{ "eventName": "order" }, { "eventName": "kustomer.app.other.x" }],
            "actions": [{ "name": "find" }],
            "commands": [{ "name": "send" }],
            "workflows": [
                { "trigger": { "eventName": "order" }, "steps": [
                    { "action": "find" }, { "action": "kustomer.company.create" }, { "action": "lookup" }, {},
                ] },
                { "trigger": { "eventName": "shopify.order.update" } },
                {},
            ],
        }));
        let expected = json!({
            "app": "shop",
            "hooks": [{ "eventName": "kustomer.app.shop.order" }, { "eventName": "kustomer.app.shop.refund" }, { "eventName": "" }, 5],
            "triggers": [{ "eventName": "kustomer.app.shop.order" }, { "eventName": "kustomer.app.other.x" }],
            "actions": [{ "name": "kustomer.app.shop.find" }],
            "commands": [{ "name": "kustomer.app.shop.send" }],
            "workflows": [
                { "trigger": { "eventName": "kustomer.app.shop.order" }, "steps": [
                    { "action": "kustomer.app.shop.find" }, { "action": "kustomer.company.create" }, { "action": "lookup" }, {},
                ] },
                { "trigger": { "eventName": "shopify.order.update" } },
                {},
            ],
        });
        assert_eq!(whole, expected);
        assert_eq!(prefixed(&whole), expected, "whole names stay as they are");
        for none in [
            json!({ "hooks": [{ "eventName": "order" }] }),
            json!({ "app": "Shop-1", "hooks": [{ "eventName": "order" }] }),
            json!([]),
        ] {
            assert_eq!(prefixed(&none), none);
        }
    }

    #[test]
    fn the_app_of_a_name_stands_behind_the_namespace() {
        for (name, app) in [
            ("kustomer.app.shop.order.create", Some("shop")),
            ("kustomer.app.shop.", None),
            ("kustomer.app.shop", None),
            ("kustomer.app..order", None),
            ("kustomer.company.create", None),
            ("shopify.order.update", None),
        ] {
            assert_eq!(app_of(name), app, "{name}");
        }
    }
}

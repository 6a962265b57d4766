//! Placeholders: what stands in a workflow of a project for an id that every org has another one of.
//!
//! | placeholder | is |
//! | --- | --- |
//! | `${hooks.NAME.id}` | the id of the hook in `hooks/NAME.json`, as in its event |
//! | `${hooks.NAME.hash}` | the secret part of its address |
//! | `${workflows.NAME.id}` | the id of the workflow in `workflows/NAME.json` |
//!
//! They stand in texts, anywhere, and not in keys. One more `$` in front makes a text of it: `$${hooks.a.id}` is `${hooks.a.id}`.
//! All other text with a `$` is what it is.

use std::{collections::HashMap, fmt};

use serde_json::{Map, Value};

/// What placeholders begin with.
const BEGINNINGS: [&str; 2] = ["${hooks.", "${workflows."];

/// What of a thing a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    /// The id of a hook.
    HookId,
    /// The hash of a hook.
    HookHash,
    /// The id of a workflow.
    WorkflowId,
}

/// A placeholder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Placeholder {
    /// What it stands for.
    pub(crate) thing: Thing,
    /// The stem of the file that it names.
    pub(crate) handle: String,
}

impl Placeholder {
    /// That of `thing` of what `handle` names.
    pub(crate) fn of(thing: Thing, handle: &str) -> Self {
        Self { thing, handle: handle.to_owned() }
    }

    /// What stands between the braces.
    fn parse(inner: &str) -> Option<Self> {
        let handle_of =
            |rest: &str, end: &str| rest.strip_suffix(end).filter(|handle| !handle.is_empty()).map(str::to_owned);
        if let Some(rest) = inner.strip_prefix("workflows.") {
            return Some(Self { thing: Thing::WorkflowId, handle: handle_of(rest, ".id")? });
        }
        let rest = inner.strip_prefix("hooks.")?;
        let id = handle_of(rest, ".id").map(|handle| Self { thing: Thing::HookId, handle });
        id.or_else(|| handle_of(rest, ".hash").map(|handle| Self { thing: Thing::HookHash, handle }))
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handle = &self.handle;
        match self.thing {
            Thing::HookId => write!(formatter, "${{hooks.{handle}.id}}"),
            Thing::HookHash => write!(formatter, "${{hooks.{handle}.hash}}"),
            Thing::WorkflowId => write!(formatter, "${{workflows.{handle}.id}}"),
        }
    }
}

/// A placeholder at its path, or what looks like one and is none.
pub(crate) type Named = (String, Result<Placeholder, String>);

/// Every placeholder of the document.
pub(crate) fn named(document: &Map<String, Value>) -> Vec<Named> {
    let mut found = Vec::new();
    walk_map(document, "$", &mut |path, text| {
        for piece in pieces(text) {
            match piece {
                Piece::Text(_) => {}
                Piece::Placeholder(placeholder, _) => found.push((path.to_owned(), Ok(placeholder))),
                Piece::Broken(text) => found.push((path.to_owned(), Err(text.to_owned()))),
            }
        }
    });
    found
}

/// The document with what `known` has in the place of its placeholders. Those that it does not have stay.
pub(crate) fn filled(
    document: &Map<String, Value>,
    known: &dyn Fn(&Placeholder) -> Option<String>,
) -> Map<String, Value> {
    let fill = |text: &str| {
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) | Piece::Broken(text) => filled.push_str(text),
                Piece::Placeholder(placeholder, text) => {
                    filled.push_str(known(&placeholder).as_deref().unwrap_or(text));
                }
            }
        }
        filled
    };
    map_of(document, &fill)
}

/// The document with the placeholder that `ids` has for an id in its place, wherever the id stands as a word of its own.
pub(crate) fn put_back(document: &Map<String, Value>, ids: &HashMap<String, Placeholder>) -> Map<String, Value> {
    let put = |text: &str| {
        let mut out = String::with_capacity(text.len());
        let escaped = BEGINNINGS.iter().fold(text.to_owned(), |text, start| text.replace(start, &format!("${start}")));
        let mut rest = escaped.as_str();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric();
            let end = match is_word(first) {
                true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                false => rest.find(is_word).unwrap_or(rest.len()),
            };
            let (word, after) = rest.split_at(end);
            // A `$` before a placeholder would make a text of it, so the id stays there.
            match ids.get(word).filter(|_| !out.ends_with('$')) {
                Some(placeholder) => out.push_str(&placeholder.to_string()),
                None => out.push_str(word),
            }
            rest = after;
        }
        out
    };
    map_of(document, &put)
}

/// The path of a key below `path`.
pub(crate) fn key_path(path: &str, key: &str) -> String {
    let is_plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { format!("{path}.{key}") } else { format!("{path}['{}']", domain::shortened(key, 80)) }
}

enum Piece<'t> {
    Text(&'t str),
    /// With how it is written.
    Placeholder(Placeholder, &'t str),
    /// It begins like one.
    Broken(&'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = BEGINNINGS.iter().filter_map(|start| rest.find(start)).min() {
        let (before, from) = rest.split_at(at);
        pieces.push(Piece::Text(before));
        if before.ends_with('$') {
            // One more `$` stood before it: what follows is text, without this one.
            let (brace, after) = from.split_at("${".len());
            pieces.push(Piece::Text(brace.trim_start_matches('$')));
            rest = after;
            continue;
        }
        let end = from.find('}').map_or(from.len(), |end| end + 1);
        let (written, after) = from.split_at(end);
        let inner = written.strip_prefix("${").and_then(|written| written.strip_suffix('}'));
        pieces.push(match inner.and_then(Placeholder::parse) {
            Some(placeholder) => Piece::Placeholder(placeholder, written),
            None => Piece::Broken(written),
        });
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn map_of(document: &Map<String, Value>, change: &dyn Fn(&str) -> String) -> Map<String, Value> {
    document.iter().map(|(key, value)| (key.clone(), value_of(value, change))).collect()
}

fn value_of(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) => Value::String(change(text)),
        Value::Array(list) => Value::Array(list.iter().map(|element| value_of(element, change)).collect()),
        Value::Object(map) => Value::Object(map_of(map, change)),
    }
}

fn walk_map(map: &Map<String, Value>, path: &str, see: &mut dyn FnMut(&str, &str)) {
    for (key, value) in map {
        walk(value, &key_path(path, key), see);
    }
}

fn walk(value: &Value, path: &str, see: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => see(path, text),
        Value::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                walk(element, &format!("{path}[{index}]"), see);
            }
        }
        Value::Object(map) => walk_map(map, path, see),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn known(placeholder: &Placeholder) -> Option<String> {
        match (placeholder.thing, placeholder.handle.as_str()) {
            (Thing::HookId, "orders") => Some("6a1f2e3d4c5b6a7980a1b2c3".to_owned()),
            (Thing::HookHash, "orders") => Some("ab".repeat(32)),
            (Thing::WorkflowId, "a.b") => Some("6a1f2e3d4c5b6a7980a1b2c4".to_owned()),
            (Thing::HookId | Thing::HookHash | Thing::WorkflowId, _) => None,
        }
    }

    #[test]
    fn placeholders_are_filled_and_put_back() {
        let rows = [
            ("kustomer.hooks.form.${hooks.orders.id}.receive", "kustomer.hooks.form.6a1f2e3d4c5b6a7980a1b2c3.receive"),
            ("kustomer.workflow.${workflows.a.b.id}.call", "kustomer.workflow.6a1f2e3d4c5b6a7980a1b2c4.call"),
            ("${workflows.a.b.id}${hooks.orders.id}", "6a1f2e3d4c5b6a7980a1b2c46a1f2e3d4c5b6a7980a1b2c3"),
            ("$${hooks.orders.id} costs $5 or ${x}", "${hooks.orders.id} costs $5 or ${x}"),
            ("$$${workflows.a}", "$${workflows.a}"),
            ("x6a1f2e3d4c5b6a7980a1b2c3", "x6a1f2e3d4c5b6a7980a1b2c3"),
        ];
        let placeholders = [Placeholder::of(Thing::HookId, "orders"), Placeholder::of(Thing::WorkflowId, "a.b")];
        let ids = placeholders.into_iter().map(|placeholder| (known(&placeholder).unwrap(), placeholder)).collect();
        for (written, applied) in rows {
            let document = map(json!({"steps": [{"a": written, "n": 1}]}));
            let filled = filled(&document, &known);
            assert_eq!(Value::Object(filled.clone()), json!({"steps": [{"a": applied, "n": 1}]}), "{written}");
            // Two ids without anything between them are no words of their own.
            if !written.contains("}${") {
                assert_eq!(put_back(&filled, &ids), document, "{written}");
            }
        }
    }

    #[test]
    fn every_placeholder_is_told_with_its_path_and_so_is_what_is_none() {
        let document =
            map(json!({"a": ["${hooks.x.hash} $${hooks.y.id}"], "b c": {"d": "${hooks.x.title} ${workflows.z"}}));
        let told: Vec<(String, String)> = named(&document)
            .into_iter()
            .map(|(path, named)| (path, named.map_or_else(|text| format!("no: {text}"), |named| named.to_string())))
            .collect();
        let expected = [
            ("$.a[0]", "${hooks.x.hash}"),
            ("$['b c'].d", "no: ${hooks.x.title}"),
            ("$['b c'].d", "no: ${workflows.z"),
        ];
        assert_eq!(told, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    proptest! {
        #[test]
        fn what_an_org_has_comes_back_as_it_was(text in "([$]{0,3}([{](hooks|workflows)[.](a|orders)[.]?(id)?[}]?)?|6a1f2e3d4c5b6a7980a1b2c3|[a. ü]){0,6}") {
            let ids = HashMap::from([("6a1f2e3d4c5b6a7980a1b2c3".to_owned(), Placeholder::of(Thing::HookId, "orders"))]);
            let document = map(json!({"text": text}));
            let exported = put_back(&document, &ids);
            prop_assert!(named(&exported).iter().all(|(_, named)| named.is_ok()));
            prop_assert_eq!(filled(&exported, &known), document);
        }
    }
}

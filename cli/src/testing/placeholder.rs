//! Names in documents that stand for what only a server can know: `${hooks.orders.id}`.
//!
//! Those of hooks and workflows are a project's; `records` are those that a test names, and `variables` those of a workflow. Any
//! other `${…}` is text, as a body that goes elsewhere may have it, and so is one with another `$` before it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What placeholders begin with, behind `${`.
const KINDS: [&str; 4] = ["hooks.", "workflows.", "variables.", "records."];

/// What placeholders stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    /// Has `${name}` stand for `meaning` from here on.
    pub(crate) fn insert(&mut self, name: String, meaning: &str) {
        self.0.insert(name, meaning.to_owned());
    }

    /// The value with all placeholders filled that have a meaning.
    pub(crate) fn filled(&self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
            Value::String(text) => Value::String(self.filled_text(text)),
            Value::Array(list) => Value::Array(list.iter().map(|element| self.filled(element)).collect()),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(key, value)| (key.clone(), self.filled(value))).collect())
            }
        }
    }

    /// The same of a text.
    pub(crate) fn filled_text(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Placeholder(name, written) => filled.push_str(self.0.get(name).map_or(written, String::as_str)),
            }
        }
        filled
    }
}

/// Every placeholder in the value, by what stands between the braces, in order.
pub(crate) fn named(value: &Value) -> Vec<&str> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
        Value::String(text) => named_in_text(text),
        Value::Array(list) => list.iter().flat_map(named).collect(),
        Value::Object(map) => map.values().flat_map(named).collect(),
    }
}

fn named_in_text(text: &str) -> Vec<&str> {
    let names = pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Text(_) => None,
        Piece::Placeholder(name, _) => Some(name),
    });
    names.collect()
}

enum Piece<'t> {
    Text(&'t str),
    /// What stands between the braces, and all of it as it is written.
    Placeholder(&'t str, &'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        let name = behind.split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
        let end = before.len() + 2 + name.map_or(0, |name| name.len() + 1);
        let (taken, left) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let written = taken.get(before.len()..).unwrap_or_default();
        match (name, before.strip_suffix('$')) {
            (Some(_), Some(before)) => pieces.extend([Piece::Text(before), Piece::Text(written)]),
            (Some(name), None) => pieces.extend([Piece::Text(before), Piece::Placeholder(name, written)]),
            (None, _) => pieces.push(Piece::Text(taken)),
        }
        rest = left;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn is_name(name: &str) -> bool {
    KINDS.iter().any(|kind| name.starts_with(kind))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_filled_in_texts_at_any_depth_and_nothing_else_is() {
        let mut names = Names::default();
        names.insert("hooks.orders.id".to_owned(), "5a34");
        let value = json!({"${hooks.orders.id}": ["kustomer.hooks.form.${hooks.orders.id}.receive", 1, "${other} ${hooks.orders.id", "${hooks.lost.id}", "$${hooks.orders.id} $$${x}"]});
        let filled = json!({"${hooks.orders.id}": ["kustomer.hooks.form.5a34.receive", 1, "${other} ${hooks.orders.id", "${hooks.lost.id}", "${hooks.orders.id} $$${x}"]});
        assert_eq!(names.filled(&value), filled);
        assert_eq!(named(&value), ["hooks.orders.id", "hooks.lost.id"]);
        assert_eq!(names.filled_text("${a}${hooks.orders.id}${hooks.orders.id}$"), "${a}5a345a34$");
    }
}

//! What is different between two workflow documents, told by what it means and not by where it stands.
//!
//! The order of steps has no meaning and neither has that of keys, so a step is the same step wherever it is listed, and
//! its path names its id: `$.steps[id=find].params.email`.

use serde::Serialize;
use serde_json::{Map, Value};

/// One difference.
///
/// *Shape* — `{"op":"replace","path":"$.steps[id=find].params.email","before":"/#steps.1.email","after":"/#steps.1.mail"}`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What was done.
    pub op: Op,
    /// Where.
    pub path: String,
    /// What was there; nothing where something was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is there now; nothing where something was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// What was done at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// There was nothing.
    Add,
    /// There is nothing any more.
    Remove,
    /// There is something else.
    Replace,
}

/// Every difference, in the order of the newer document; what was removed comes where it stood.
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(before, after, "$", &mut changes);
    changes
}

fn compare(before: &Value, after: &Value, path: &str, changes: &mut Vec<Change>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => compare_objects(before, after, path, changes),
        (Value::Array(before), Value::Array(after)) => match (by_id(before), by_id(after)) {
            (Some(before), Some(after)) => compare_by_id(&before, &after, path, changes),
            _ => compare_lists(before, after, path, changes),
        },
        (before, after) if before != after => {
            changes.push(change(Op::Replace, path.to_owned(), Some(before), Some(after)));
        }
        _ => {}
    }
}

fn compare_objects(before: &Map<String, Value>, after: &Map<String, Value>, path: &str, changes: &mut Vec<Change>) {
    for (key, old) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        changes.push(change(Op::Remove, key_path(path, key), Some(old), None));
    }
    for (key, new) in after {
        match before.get(key) {
            Some(old) => compare(old, new, &key_path(path, key), changes),
            None => changes.push(change(Op::Add, key_path(path, key), None, Some(new))),
        }
    }
}

type ById<'v> = Vec<(&'v str, &'v Value)>;

/// The elements by their ids, if each has one of its own.
fn by_id(elements: &[Value]) -> Option<ById<'_>> {
    let mut found: ById<'_> = Vec::with_capacity(elements.len());
    for element in elements {
        let id = element.get("id")?.as_str()?;
        found.push((id, element));
    }
    let mut ids: Vec<&str> = found.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    (ids.len() == found.len()).then_some(found)
}

fn compare_by_id(before: &ById<'_>, after: &ById<'_>, path: &str, changes: &mut Vec<Change>) {
    let old: std::collections::HashMap<&str, &Value> = before.iter().copied().collect();
    let new: std::collections::HashSet<&str> = after.iter().map(|(id, _)| *id).collect();
    for (id, step) in before.iter().filter(|(id, _)| !new.contains(id)) {
        changes.push(change(Op::Remove, id_path(path, id), Some(step), None));
    }
    for (id, step) in after {
        match old.get(id) {
            Some(old) => compare(old, step, &id_path(path, id), changes),
            None => changes.push(change(Op::Add, id_path(path, id), None, Some(step))),
        }
    }
}

fn compare_lists(before: &[Value], after: &[Value], path: &str, changes: &mut Vec<Change>) {
    for (place, (old, new)) in before.iter().zip(after).enumerate() {
        compare(old, new, &format!("{path}[{place}]"), changes);
    }
    for (place, old) in before.iter().enumerate().skip(after.len()) {
        changes.push(change(Op::Remove, format!("{path}[{place}]"), Some(old), None));
    }
    for (place, new) in after.iter().enumerate().skip(before.len()) {
        changes.push(change(Op::Add, format!("{path}[{place}]"), None, Some(new)));
    }
}

fn change(op: Op, path: String, before: Option<&Value>, after: Option<&Value>) -> Change {
    Change { op, path, before: before.cloned(), after: after.cloned() }
}

fn key_path(path: &str, key: &str) -> String {
    let is_plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { format!("{path}.{key}") } else { format!("{path}['{key}']") }
}

fn id_path(path: &str, id: &str) -> String {
    format!("{path}[id={id}]")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::changes;

    #[test]
    fn documents_differ_by_what_they_mean() {
        let before = json!({"name": "a", "enabled": true, "meta": {"x": 1}, "steps": [
            {"id": "find", "params": {"email": "/#steps.1.email"}, "transitions": [{"target": "old"}, {"target": "end"}]},
            {"id": "old", "transitions": []}, {"id": "end", "transitions": []},
        ]});
        let after = json!({"enabled": false, "name": "a", "steps": [
            {"id": "end", "transitions": []}, {"id": "new", "transitions": []},
            {"transitions": [{"target": "new"}], "id": "find", "params": {"email": "/#steps.1.mail", "a.b": 1}},
        ]});
        let told: Vec<_> =
            changes(&before, &after).into_iter().map(|change| serde_json::to_value(change).unwrap()).collect();
        assert_eq!(
            told,
            [
                json!({"op": "remove", "path": "$.meta", "before": {"x": 1}}),
                json!({"op": "replace", "path": "$.enabled", "before": true, "after": false}),
                json!({"op": "remove", "path": "$.steps[id=old]", "before": {"id": "old", "transitions": []}}),
                json!({"op": "add", "path": "$.steps[id=new]", "after": {"id": "new", "transitions": []}}),
                json!({"op": "replace", "path": "$.steps[id=find].transitions[0].target", "before": "old", "after": "new"}),
                json!({"op": "remove", "path": "$.steps[id=find].transitions[1]", "before": {"target": "end"}}),
                json!({"op": "replace", "path": "$.steps[id=find].params.email", "before": "/#steps.1.email", "after": "/#steps.1.mail"}),
                json!({"op": "add", "path": "$.steps[id=find].params['a.b']", "after": 1}),
            ]
        );
        assert_eq!(changes(&before, &before), []);
    }

    #[test]
    fn lists_without_ids_are_compared_by_place() {
        let told = changes(&json!([1, {"id": "a"}, 3]), &json!([1, {"id": "b"}]));
        let paths: Vec<&str> = told.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, ["$[1].id", "$[2]"]);
    }
}

//! What is different between two workflow documents, told by what it means and not by where it stands.
//!
//! The order of steps has no meaning and neither has that of keys, so a step is the same step wherever it is listed, and
//! its path names its id: `$.steps[id=find].params.email`.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::naming::shortened;

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

/// So many differences are told: more than anybody reads, and drafts of 100,000 keys have them.
pub const CHANGES_LIMIT: usize = 1_000;

/// What is different.
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// The differences in the order of the newer document, at most [`CHANGES_LIMIT`]; what was removed comes where it
    /// stood. Keys and ids of more than 80 characters are cut in their paths.
    pub told: Vec<Change>,
    /// How many more there are.
    pub left_out: usize,
}

/// Every difference.
pub fn changes(before: &Value, after: &Value) -> Changes {
    let mut changes = Changes::default();
    compare(before, after, "$", &mut changes);
    changes
}

impl Changes {
    fn push(&mut self, op: Op, path: String, before: Option<&Value>, after: Option<&Value>) {
        if self.told.len() < CHANGES_LIMIT {
            self.told.push(Change { op, path, before: before.cloned(), after: after.cloned() });
        } else {
            self.left_out += 1;
        }
    }
}

fn compare(before: &Value, after: &Value, path: &str, changes: &mut Changes) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => compare_objects(before, after, path, changes),
        (Value::Array(before), Value::Array(after)) => {
            let are_steps = path == "$.steps";
            match are_steps.then(|| by_id(before).zip(by_id(after))).flatten() {
                Some((before, after)) => compare_by_id(&before, &after, path, changes),
                None => compare_lists(before, after, path, changes),
            }
        }
        (before, after) if before != after => {
            changes.push(Op::Replace, path.to_owned(), Some(before), Some(after));
        }
        _ => {}
    }
}

fn compare_objects(before: &Map<String, Value>, after: &Map<String, Value>, path: &str, changes: &mut Changes) {
    for (key, old) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        changes.push(Op::Remove, key_path(path, key), Some(old), None);
    }
    for (key, new) in after {
        match before.get(key) {
            Some(old) => compare(old, new, &key_path(path, key), changes),
            None => changes.push(Op::Add, key_path(path, key), None, Some(new)),
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

fn compare_by_id(before: &ById<'_>, after: &ById<'_>, path: &str, changes: &mut Changes) {
    let old: std::collections::HashMap<&str, &Value> = before.iter().copied().collect();
    let new: std::collections::HashSet<&str> = after.iter().map(|(id, _)| *id).collect();
    for (id, step) in before.iter().filter(|(id, _)| !new.contains(id)) {
        changes.push(Op::Remove, id_path(path, id), Some(step), None);
    }
    for (id, step) in after {
        match old.get(id) {
            Some(old) => compare(old, step, &id_path(path, id), changes),
            None => changes.push(Op::Add, id_path(path, id), None, Some(step)),
        }
    }
}

fn compare_lists(before: &[Value], after: &[Value], path: &str, changes: &mut Changes) {
    for (place, (old, new)) in before.iter().zip(after).enumerate() {
        compare(old, new, &format!("{path}[{place}]"), changes);
    }
    for (place, old) in before.iter().enumerate().skip(after.len()) {
        changes.push(Op::Remove, format!("{path}[{place}]"), Some(old), None);
    }
    for (place, new) in after.iter().enumerate().skip(before.len()) {
        changes.push(Op::Add, format!("{path}[{place}]"), None, Some(new));
    }
}

fn key_path(path: &str, key: &str) -> String {
    let is_plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let key = shortened(key);
    if is_plain { format!("{path}.{key}") } else { format!("{path}['{key}']") }
}

fn id_path(path: &str, id: &str) -> String {
    format!("{path}[id={}]", shortened(id))
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
            changes(&before, &after).told.into_iter().map(|change| serde_json::to_value(change).unwrap()).collect();
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
        assert_eq!(changes(&before, &before).told, []);
    }

    #[test]
    fn lists_without_ids_are_compared_by_place() {
        let found = changes(&json!([1, {"id": "a"}, 3]), &json!([1, {"id": "b"}]));
        let paths: Vec<&str> = found.told.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, ["$[1].id", "$[2]"]);
    }

    #[test]
    fn of_too_many_differences_the_first_are_told_and_the_others_counted() {
        let long = "k".repeat(400_000);
        let all = |value: u32| json!({ &*long: (0..1_001).map(|_| json!(value)).collect::<Vec<_>>() });
        let found = changes(&all(1), &all(2));
        assert_eq!((found.told.len(), found.left_out), (super::CHANGES_LIMIT, 1));
        let path = &found.told.first().unwrap().path;
        assert!(path.ends_with("…[0]") && path.len() < 100, "{path}");
    }

    #[test]
    fn the_order_of_a_list_has_a_meaning_where_it_is_not_that_of_steps() {
        let users = |first: &str, second: &str| json!({"params": {"users": [{"id": first}, {"id": second}]}});
        assert_eq!(changes(&users("a", "b"), &users("b", "a")).told.len(), 2);
    }
}

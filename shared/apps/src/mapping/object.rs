//! Operators about objects.

use serde_json::{Map, Value};

use super::{Mapping, path::member, text::spelled};

/// `$get`: a member whose key is a value itself, or has a dot in it; of a list the element with this index.
pub(super) fn get(object: &Value, key: &Value) -> Option<Value> {
    member(object, &spelled(key)?).cloned()
}

/// `$merge`: the members of all objects; of the same key the last counts. What is no object is left out, and none at all is missing.
pub(super) fn merge(objects: impl Iterator<Item = Value>) -> Option<Value> {
    let mut merged: Option<Map<String, Value>> = None;
    for object in objects {
        if let Value::Object(members) = object {
            merged.get_or_insert_default().extend(members);
        }
    }
    merged.map(Value::Object)
}

/// `$table`: the row whose key is the value's text, else what else it is.
pub(super) fn table<'m>(
    value: Option<&Value>,
    rows: &'m [(String, Mapping)],
    otherwise: Option<&'m Mapping>,
) -> Option<&'m Mapping> {
    let key = value.and_then(spelled);
    let row = rows.iter().find(|(from, _)| key.as_ref() == Some(from));
    row.map(|(_, to)| to).or(otherwise)
}

/// `$fields`: a list of names and values as one object; a list of one value is that value.
pub(super) fn fields(list: &Value, name: &str, values: &[String]) -> Option<Value> {
    let field = |element: &Value| {
        let name = spelled(element.get(name)?)?;
        let value = values.iter().find_map(|key| element.get(key))?;
        let single = value.as_array().filter(|list| list.len() == 1).and_then(|list| list.first());
        Some((name, single.unwrap_or(value).clone()))
    };
    Some(Value::Object(list.as_array()?.iter().filter_map(field).collect()))
}

/// `$numbered`: `{"Url0": "a", "Url1": "b"}` with the prefix `Url` for `url` as `[{"url": "a"}, {"url": "b"}]`.
///
/// It ends at the first number for which no key is there.
pub(super) fn numbered(object: &Value, prefixes: &[(String, String)]) -> Option<Value> {
    let object = object.as_object()?;
    let entry = |index: usize| {
        let member =
            |(name, prefix): &(String, String)| Some((name.clone(), object.get(&format!("{prefix}{index}"))?.clone()));
        let entry: Map<String, Value> = prefixes.iter().filter_map(member).collect();
        (!entry.is_empty()).then_some(Value::Object(entry))
    };
    Some((0..object.len()).map_while(entry).collect())
}

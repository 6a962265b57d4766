//! The params of an action as people read them: one row for each.

use serde_json::{Map, Value};

/// A param.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Whether the action can do without it.
    pub need: Need,
    /// What it takes: "text", "a list of at most 20", "open, done or snoozed".
    pub takes: String,
    /// What it is for, in a sentence.
    pub meaning: String,
}

/// Whether an action can do without a param.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It cannot.
    Always,
    /// It needs this one or another one.
    OneOf,
    /// It can.
    Never,
}

/// The params that `schema`, the schema of an action's params, knows.
pub fn params(schema: &Value) -> Vec<Param> {
    let (mut always, mut one_of) = (Vec::new(), Vec::new());
    required(schema, &mut always);
    let rules = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for alternatives in rules.chain([schema]).filter_map(|rule| rule.get("anyOf")?.as_array()) {
        alternatives.iter().for_each(|alternative| required(alternative, &mut one_of));
    }
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let param = |(name, property): (&String, &Value)| {
        let need = match (always.contains(&name.as_str()), one_of.contains(&name.as_str())) {
            (true, _) => Need::Always,
            (false, true) => Need::OneOf,
            (false, false) => Need::Never,
        };
        let meaning = property.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        Param { name: name.clone(), need, takes: takes(property, schema), meaning }
    };
    properties.map(param).collect()
}

fn required<'s>(schema: &'s Value, found: &mut Vec<&'s str>) {
    found.extend(schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str));
}

fn takes(property: &Value, whole: &Value) -> String {
    let reference = property.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
    let rule = reference.and_then(|path| whole.pointer(path)).unwrap_or(property);
    let number = |key: &str| rule.get(key).map(Value::to_string);
    if let Some(words) = rule.get("enum").and_then(Value::as_array) {
        return listed(&words.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    }
    let types: Vec<&str> = match rule.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            return "anything".to_owned();
        }
    };
    // Of what is one thing in several spellings, the first says what it is.
    let scalars = ["string", "number", "integer", "boolean"];
    let first = types.iter().find(|word| scalars.contains(word));
    let words: Vec<String> = types
        .iter()
        .filter(|word| !scalars.contains(word) || Some(*word) == first)
        .map(|word| match (*word, number("minimum"), number("maximum"), number("maxLength"), number("maxItems")) {
            ("integer", Some(least), Some(most), _, _) => format!("a whole number from {least} to {most}"),
            ("integer", ..) => "a whole number".to_owned(),
            ("number", ..) => "a number".to_owned(),
            ("boolean", ..) => "true or false".to_owned(),
            ("array", _, _, _, Some(most)) => format!("a list of at most {most}"),
            ("array", ..) => "a list".to_owned(),
            ("object", ..) => "an object".to_owned(),
            (_, _, _, Some(most), _) => format!("text of at most {most} characters"),
            (..) => "text".to_owned(),
        })
        .collect();
    listed(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// `a, b or c`.
fn listed(words: &[&str]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
    }
}

/// The params, without those whose names are in `others`.
pub fn params_beside(schema: &Value, others: &Map<String, Value>) -> Vec<Param> {
    params(schema).into_iter().filter(|param| !others.contains_key(&param.name)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_param_is_told_with_its_need_and_what_it_takes() {
        let schema = json!({
            "properties": {
                "id": { "$ref": "#/$defs/id", "description": "Whose." },
                "name": { "type": ["string", "number", "boolean"], "maxLength": 5 },
                "priority": { "type": ["integer", "string"], "minimum": 1, "maximum": 5 },
                "tags": { "type": ["array", "string"], "maxItems": 2 },
                "size": { "type": ["number", "string"] },
                "locked": { "type": ["boolean", "string"] },
                "status": { "enum": ["open", "done", "snoozed"] },
                "queue": {},
                "to": { "type": ["string", "object", "array"] },
            },
            "required": ["id"],
            "anyOf": [{ "required": ["name"] }],
            "allOf": [{ "anyOf": [{ "required": ["to"] }] }],
            "$defs": { "id": { "type": "string" } },
        });
        let rows: Vec<_> = params(&schema).into_iter().map(|param| (param.name, param.need, param.takes)).collect();
        let row = |name: &str, need, takes: &str| (name.to_owned(), need, takes.to_owned());
        assert_eq!(
            rows,
            [
                row("id", Need::Always, "text"),
                row("name", Need::OneOf, "text of at most 5 characters"),
                row("priority", Need::Never, "a whole number from 1 to 5"),
                row("tags", Need::Never, "a list of at most 2 or text"),
                row("size", Need::Never, "a number"),
                row("locked", Need::Never, "true or false"),
                row("status", Need::Never, "open, done or snoozed"),
                row("queue", Need::Never, "anything"),
                row("to", Need::OneOf, "text, an object or a list"),
            ]
        );
        assert_eq!(params(&schema)[0].meaning, "Whose.");
    }
}

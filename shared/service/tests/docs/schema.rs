//! The parts of `docs/schemas/workflow.json` that are made of the descriptions of the actions: their names, and for each the
//! schema of its params, in which an expression may stand wherever it can give what is wanted.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use service::actions::{Description, descriptions};

use crate::layout;

/// Where the schema is.
pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas/workflow.json")
}

/// The schema with every made part as the actions say now.
pub(crate) fn made_anew(text: &str) -> String {
    let mut schema: Value = serde_json::from_str(text).unwrap();
    let names: Vec<&str> = descriptions().iter().map(|action| action.name.as_str()).collect();
    *schema.pointer_mut("/$defs/step/properties/action/oneOf/1/enum").unwrap() = json!(names);
    *schema.pointer_mut("/$defs/step/allOf").unwrap() = descriptions().iter().map(rule).collect();
    *schema.pointer_mut("/$defs/params/$defs").unwrap() = Value::Object(definitions());
    layout::laid_out(&schema) + "\n"
}

/// That a step of this action has its params.
fn rule(action: &Description) -> Value {
    let params = json!({ "properties": { "params": { "$ref": format!("#/$defs/params/$defs/{}", action.name) } } });
    let mut then = params;
    let needs_some = ["required", "anyOf", "allOf"].iter().any(|word| action.params.get(word).is_some());
    if needs_some {
        then["required"] = json!(["params"]);
    }
    json!({ "if": { "properties": { "action": { "const": action.name } }, "required": ["action"] }, "then": then })
}

fn definitions() -> Map<String, Value> {
    let mut shared = Map::new();
    let mut actions = Map::new();
    for action in descriptions() {
        let mut params = action.params.clone();
        if let Some(Value::Object(used)) = params.as_object_mut().unwrap().shift_remove("$defs") {
            shared.extend(used.iter().map(|(name, definition)| (name.clone(), written(definition))));
        }
        for property in params["properties"].as_object_mut().unwrap().values_mut() {
            *property = written(property);
        }
        actions.insert(action.name.clone(), params);
    }
    shared.extend(actions);
    shared
}

/// What may be written where `schema` is wanted: that, or an expression that may give it.
fn written(schema: &Value) -> Value {
    let mut schema = schema.as_object().unwrap().clone();
    if let Some(Value::String(path)) = schema.get_mut("$ref") {
        *path = path.replace("#/$defs/", "#/$defs/params/$defs/");
        return Value::Object(schema);
    }
    for member in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        *member = written(member);
    }
    if let Some(items) = schema.get_mut("items") {
        *items = written(items);
    }
    let types = schema.get("type").map(|types| json!([types]).to_string());
    let is_text = types.is_none_or(|types| types.contains("\"string\""));
    let is_any_text = is_text && !["enum", "maxLength", "maximum"].iter().any(|word| schema.contains_key(*word));
    if is_any_text {
        return Value::Object(schema);
    }
    let mut either = Map::new();
    either.extend(schema.shift_remove("description").map(|sentence| ("description".to_owned(), sentence)));
    either.insert("anyOf".to_owned(), json!([schema, { "$ref": "#/$defs/expression" }]));
    Value::Object(either)
}

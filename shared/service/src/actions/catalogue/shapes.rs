//! The JSON Schemas of records and their attributes, made of what the attributes take.

use domain::{
    RecordKind,
    record::fields::{self, EXTERNAL_ID_LIMIT_CHARS, KEYS_LIMIT, LINE_LIMIT_CHARS, LIST_LIMIT, Shape},
};
use serde_json::{Map, Value, json};

const EMAIL_TYPES: [&str; 3] = ["home", "work", "other"];
const PHONE_TYPES: [&str; 5] = ["home", "mobile", "work", "fax", "other"];

/// What a step may give a record of `kind`: each attribute, each record it may belong to, and `custom`, each with what
/// `sentences` say of it.
pub(super) fn taken(kind: &RecordKind, sentences: &Map<String, Value>) -> Map<String, Value> {
    let own = fields::fields(kind).iter().map(|(name, shape)| (*name, taken_by(*shape)));
    let relations = fields::relationships(kind).iter().map(|(name, _)| (*name, json!({ "$ref": "#/$defs/id" })));
    let mut all: Map<String, Value> =
        own.chain(relations).map(|(name, schema)| told(name, schema, sentences)).collect();
    let custom = match kind.klass() {
        Some(_) => "Custom attributes of the klass, by their names; `null` takes one away.",
        None => {
            "Custom attributes by their names, which end in Str, Txt, Num, At, Bool, Url or Id; `null` takes one away."
        }
    };
    all.insert("custom".to_owned(), json!({ "description": custom, "type": "object" }));
    all
}

/// A record of `kind` as a step leaves it, and its name in `$defs`.
pub(super) fn record(kind: &RecordKind, sentences: &Map<String, Value>) -> (String, Value) {
    let written = kind.to_string();
    let noun = written.split('.').next().unwrap_or_default().to_owned();
    let record_type = match kind.klass() {
        Some(_) => json!({ "type": "string", "pattern": "^kobject\\." }),
        None => json!({ "const": written }),
    };
    let id = json!({ "type": "string", "pattern": "^[0-9a-f]{24}$" });
    let mut properties = Map::from_iter([("id".to_owned(), id.clone()), ("type".to_owned(), record_type)]);
    let own = fields::fields(kind).iter().map(|(name, shape)| (*name, kept_by(*shape)));
    properties.extend(own.map(|(name, schema)| told(name, schema, sentences)));
    let relations = fields::relationships(kind).iter().map(|(name, _)| (*name, id.clone()));
    properties.extend(relations.map(|(name, schema)| told(name, schema, sentences)));
    properties.insert("custom".to_owned(), json!({ "type": "object" }));
    if *kind == RecordKind::Customer {
        let merged = json!({ "description": "Who was merged into them.", "type": "array", "items": id });
        properties.insert("mergedIds".to_owned(), merged);
    }
    let rev = json!({ "description": "Counts the changes, from 1.", "type": "integer", "minimum": 1 });
    let instant = json!({ "type": "string" });
    let ends = [("rev", rev), ("createdAt", instant.clone()), ("updatedAt", instant)];
    properties.extend(ends.map(|(name, schema)| (name.to_owned(), schema)));
    // An instance may be related to others by names of its own.
    let others = if kind.klass().is_some() { id } else { json!(false) };
    let record = json!({
        "type": "object",
        "properties": properties,
        "required": ["id", "type", "rev", "createdAt", "updatedAt"],
        "additionalProperties": others,
    });
    (noun, record)
}

/// The schema with its sentence in front.
fn told(name: &str, schema: Value, sentences: &Map<String, Value>) -> (String, Value) {
    let mut whole = Map::new();
    whole.extend(sentences.get(name).map(|sentence| ("description".to_owned(), sentence.clone())));
    if let Value::Object(schema) = schema {
        whole.extend(schema);
    }
    (name.to_owned(), Value::Object(whole))
}

/// What may be given for an attribute.
fn taken_by(shape: Shape) -> Value {
    let text = |limit: usize| json!({ "type": ["string", "number", "boolean"], "maxLength": limit });
    let list = |limit: usize, entry: Value| json!({ "type": "array", "maxItems": limit, "items": entry });
    let named = |key: &str| json!({ "type": ["string", "number", "object"], "required": [key] });
    match shape {
        Shape::Line => text(LINE_LIMIT_CHARS),
        Shape::Text => json!({ "type": ["string", "number", "boolean"] }),
        Shape::ExternalId => text(EXTERNAL_ID_LIMIT_CHARS),
        Shape::Email => json!({ "type": "string" }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Whole(first, last) => json!({ "type": ["integer", "string"], "minimum": first, "maximum": last }),
        Shape::Number => json!({ "type": ["number", "string"] }),
        Shape::Flag => json!({ "type": ["boolean", "string"] }),
        Shape::Instant => json!({ "type": "string" }),
        Shape::Lines => list(LIST_LIMIT, text(LINE_LIMIT_CHARS)),
        Shape::Emails => list(KEYS_LIMIT, json!({ "$ref": "#/$defs/email" })),
        Shape::Phones => list(KEYS_LIMIT, json!({ "$ref": "#/$defs/phone" })),
        Shape::ExternalIds => list(KEYS_LIMIT, named("externalId")),
        Shape::Accounts => list(KEYS_LIMIT, named("id")),
        Shape::List => json!({ "type": "array", "maxItems": LIST_LIMIT }),
        Shape::Object => json!({ "type": "object" }),
        Shape::Any => json!({}),
    }
}

/// What is kept of it.
fn kept_by(shape: Shape) -> Value {
    let text = |limit: usize| json!({ "type": "string", "maxLength": limit });
    let list = |limit: usize, entry: Value| json!({ "type": "array", "maxItems": limit, "items": entry });
    let contact = |key: &str, types: &[&str]| {
        let properties =
            json!({ "type": { "enum": types }, key: { "type": "string" }, "verified": { "type": "boolean" } });
        json!({ "type": "object", "properties": properties, "required": ["type", key, "verified"] })
    };
    let named = |key: &str| json!({ "type": "object", "properties": { key: { "type": "string" } }, "required": [key] });
    match shape {
        Shape::Line => text(LINE_LIMIT_CHARS),
        Shape::Text | Shape::Instant => json!({ "type": "string" }),
        Shape::ExternalId => text(EXTERNAL_ID_LIMIT_CHARS),
        Shape::Whole(first, last) => json!({ "type": "integer", "minimum": first, "maximum": last }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Lines => list(LIST_LIMIT, text(LINE_LIMIT_CHARS)),
        Shape::Emails => list(KEYS_LIMIT, contact("email", &EMAIL_TYPES)),
        Shape::Phones => list(KEYS_LIMIT, contact("phone", &PHONE_TYPES)),
        Shape::ExternalIds => list(KEYS_LIMIT, named("externalId")),
        Shape::Accounts => list(KEYS_LIMIT, named("id")),
        Shape::Email | Shape::Word(_) | Shape::List | Shape::Object | Shape::Any => taken_by(shape),
    }
}

//! JSON Schemas that authors write into definitions: compiled once, held against what senders send.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::allowance::Allowance;
use crate::naming::shortened;

/// The most bytes of a schema as compact JSON, and how deep it may nest. *Why* — it is compiled wherever the app runs.
pub(crate) const SCHEMA_LIMIT_BYTES: usize = 65_536;
const SCHEMA_LIMIT_LEVELS: usize = 64;

/// The most bytes that one pattern in it may take when it is compiled.
const PATTERN_LIMIT_BYTES: usize = 1 << 20;

/// So many of the things that are wrong with a value are told.
const TOLD_LIMIT: usize = 3;

/// A schema and what checks it.
#[derive(Debug)]
pub(crate) struct Schema {
    /// As it was written.
    pub(crate) document: Value,
    validator: Validator,
}

impl Schema {
    /// Compiles a schema. Its patterns are of the kind that takes time in proportion to the text, and it refers to nothing
    /// outside of itself.
    ///
    /// *Errors* — a sentence, when it is none.
    pub(crate) fn compile(document: &Value) -> Result<Schema, String> {
        if Allowance::new(SCHEMA_LIMIT_BYTES, SCHEMA_LIMIT_LEVELS).take(document, 0).is_err() {
            return Err(format!(
                "A schema has at most {SCHEMA_LIMIT_BYTES} bytes as JSON and nests at most {SCHEMA_LIMIT_LEVELS} levels."
            ));
        }
        if refers_to_itself(document) {
            return Err("Write the schema without \"$ref\", \"$dynamicRef\" and \"$recursiveRef\".".to_owned());
        }
        let patterns = PatternOptions::regex().size_limit(PATTERN_LIMIT_BYTES);
        let validator = jsonschema::options().with_pattern_options(patterns).build(document);
        let validator = validator.map_err(|error| {
            format!("This is no JSON Schema: {}.", shortened(&error.to_string()).trim_end_matches('.'))
        })?;
        Ok(Schema { document: document.clone(), validator })
    }

    /// Holds a value against the schema.
    ///
    /// *Errors* — a sentence that names the first few things that are wrong.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        let wrong: Vec<String> = self
            .validator
            .iter_errors(value)
            .take(TOLD_LIMIT)
            .map(|error| {
                let at = error.instance_path().as_str();
                let place = if at.is_empty() { "it".to_owned() } else { format!("`{}`", shortened(at)) };
                format!("{place}: {}", shortened(&error.to_string()).trim_end_matches('.'))
            })
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}

/// Whether a key refers to another part of the schema. *Why refused* — a schema that refers to itself can make a check that
/// never ends, and those of apps name a few fields.
fn refers_to_itself(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(key, inner)| {
            let is_reference = matches!(key.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef") && inner.is_string();
            is_reference || refers_to_itself(inner)
        }),
        Value::Array(elements) => elements.iter().any(refers_to_itself),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

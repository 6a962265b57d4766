//! JSON Schemas that authors write into definitions: compiled once, held against what senders send.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::allowance::Allowance;
use crate::function::work_of_64_bytes;
use crate::naming::shortened;

/// The most bytes of a schema as compact JSON, and how deep it may nest. *Why* — it is compiled wherever the app runs.
pub(crate) const SCHEMA_LIMIT_BYTES: usize = 65_536;
const SCHEMA_LIMIT_LEVELS: usize = 64;

/// The most bytes that one pattern in it may take when it is compiled.
const PATTERN_LIMIT_BYTES: usize = 1 << 20;

/// So many of the things that are wrong with a value are told.
const TOLD_LIMIT: usize = 3;

/// How much work a check may be: parts of the schema times parts of the value, where a part of a value is itself or 64 bytes of its
/// texts. *Why* — without `$ref` no part of a schema is held against a part of a value more than once, and senders whom nobody
/// knows choose the value.
const CHECK_LIMIT: usize = 20_000_000;

/// The same of a check that also says what is wrong. *Why less* — the library tells what is wrong with every branch of an `anyOf`
/// and every entry of a list, with copies of them, before the first of it is known.
const TOLD_CHECK_LIMIT: usize = 100_000;

/// How much work the search of all texts of a value with all patterns may be, by the price of the functions.
const SEARCH_LIMIT: usize = 2_000_000;

/// What the library holds against a value a second time, once for each level that it nests.
const REPEATED: [&str; 2] = ["unevaluatedItems", "unevaluatedProperties"];

/// A schema and what checks it.
#[derive(Debug)]
pub(crate) struct Schema {
    /// As it was written.
    pub(crate) document: Value,
    validator: Validator,
    /// How many parts it has.
    parts: usize,
    /// What it costs to search 64 bytes with each of its patterns.
    patterns: usize,
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
        if has_key(document, is_reference) {
            return Err("Write the schema without \"$ref\", \"$dynamicRef\" and \"$recursiveRef\".".to_owned());
        }
        if let Some(key) = REPEATED.into_iter().find(|repeated| has_key(document, |key, _| key == *repeated)) {
            return Err(format!(
                "Write the schema without \"{key}\"; \"additionalProperties\" and \"items\" say what else there may be."
            ));
        }
        let options = PatternOptions::regex().size_limit(PATTERN_LIMIT_BYTES);
        let validator = jsonschema::options().with_pattern_options(options).build(document);
        let validator = validator.map_err(|error| {
            format!("This is no JSON Schema: {}.", shortened(&error.to_string()).trim_end_matches('.'))
        })?;
        Ok(Schema { document: document.clone(), validator, parts: parts(document), patterns: patterns(document) })
    }

    /// Holds a value against the schema.
    ///
    /// *Errors* — a sentence that names the first few things that are wrong.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        let held_against = parts(value);
        let work = self.parts.saturating_mul(held_against);
        if work > CHECK_LIMIT || self.patterns.saturating_mul(held_against) > SEARCH_LIMIT {
            return Err("it is too large to be held against a schema of this size".to_owned());
        }
        if work > TOLD_CHECK_LIMIT {
            return match self.validator.is_valid(value) {
                true => Ok(()),
                false => Err("something in it, which is too large to say what, is not as the schema has it".to_owned()),
            };
        }
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

/// How many parts a document has, each 64 bytes of a text being one.
fn parts(document: &Value) -> usize {
    match document {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => 1 + text.len() / 64,
        Value::Array(elements) => 1 + elements.iter().map(parts).sum::<usize>(),
        Value::Object(members) => {
            1 + members.iter().map(|(key, inner)| 1 + key.len() / 64 + parts(inner)).sum::<usize>()
        }
    }
}

/// What it costs to search 64 bytes with each pattern of the schema.
fn patterns(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => members
            .iter()
            .map(|(key, inner)| {
                let own = match (key.as_str(), inner) {
                    ("pattern", Value::String(pattern)) => work_of_64_bytes(pattern),
                    ("patternProperties", Value::Object(inner)) => inner.keys().map(|key| work_of_64_bytes(key)).sum(),
                    _ => 0,
                };
                own + patterns(inner)
            })
            .sum(),
        Value::Array(elements) => elements.iter().map(patterns).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Whether a key refers to another part of the schema. *Why refused* — a schema that refers to itself can make a check that
/// never ends, and those of apps name a few fields.
fn is_reference(key: &str, value: &Value) -> bool {
    matches!(key, "$ref" | "$dynamicRef" | "$recursiveRef") && value.is_string()
}

/// Whether some key of the schema, with its value, is one of those.
fn has_key(schema: &Value, is_one: impl Fn(&str, &Value) -> bool + Copy) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(key, inner)| is_one(key, inner) || has_key(inner, is_one)),
        Value::Array(elements) => elements.iter().any(|element| has_key(element, is_one)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

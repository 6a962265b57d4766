//! Whether the params of a step are those that its action takes, as far as the document tells.
//!
//! The schema is asked about a likeness of the params: literals stand for themselves, anything else for a blank. What it
//! says against a blank does not count, because only the run knows what will be there.

use std::collections::HashSet;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::{Map, Value};

use super::catalogue::ActionSchema;
use crate::expression::{Expression, Outline};
use crate::naming::{listed, named};
use crate::problem::{Place, Problems};

/// Where the likeness is blank.
#[derive(Debug, Default)]
struct Blanks {
    /// Nothing is known there.
    unknown: HashSet<String>,
    /// A text will be there.
    text: HashSet<String>,
}

impl Blanks {
    /// Whether nothing is known of what is at the pointer, or around it.
    fn covers(&self, at: &str) -> bool {
        let around = at.match_indices('/').filter_map(|(end, _)| at.get(..end));
        around.chain([at]).any(|at| self.unknown.contains(at))
    }
}

/// Adds every problem of the params.
pub(super) fn check(action: &ActionSchema, params: Option<&Expression>, place: &Place<'_>, problems: &mut Problems) {
    let mut blanks = Blanks::default();
    let likeness = match params.map(Expression::outline) {
        Some(outline) => liken(&outline, String::new(), &mut blanks),
        None => Value::Object(Map::new()),
    };
    // Whoever writes null means that the param is not there.
    let mut likeness = likeness;
    if let Value::Object(params) = &mut likeness {
        params.retain(|key, value| is_there(key, value, &blanks));
    }
    for error in action.validator.iter_errors(&likeness) {
        let at = error.instance_path().as_str();
        let is_text = blanks.text.contains(at);
        let is_type_of_text = matches!(error.kind(), ValidationErrorKind::Type { .. });
        if blanks.covers(at) || (is_text && !is_type_of_text) {
            continue;
        }
        let found = if is_text { "a template, which gives text".to_owned() } else { named(error.instance()) };
        tell(action, &error, &found, place, problems);
    }
    warn_of_unknown(action, &likeness, place, problems);
}

fn is_there(key: &str, value: &Value, blanks: &Blanks) -> bool {
    !value.is_null() || blanks.unknown.contains(&pointer("", key))
}

fn liken(outline: &Outline<'_>, at: String, blanks: &mut Blanks) -> Value {
    match outline {
        Outline::Literal(value) => (*value).clone(),
        Outline::Text => {
            blanks.text.insert(at);
            Value::String("text".to_owned())
        }
        Outline::Unknown => {
            blanks.unknown.insert(at);
            Value::Null
        }
        Outline::Array(elements) => {
            let liken = |(index, element)| liken(element, pointer(&at, &format!("{index}")), blanks);
            elements.iter().enumerate().map(liken).collect()
        }
        Outline::Object(members) => {
            let liken =
                |(key, inner): &(&str, Outline<'_>)| ((*key).to_owned(), liken(inner, pointer(&at, key), blanks));
            Value::Object(members.iter().map(liken).collect())
        }
    }
}

/// A JSON Pointer one level further down.
fn pointer(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Adds what the schema says against what was `found`.
fn tell(action: &ActionSchema, error: &ValidationError<'_>, found: &str, place: &Place<'_>, problems: &mut Problems) {
    let at = error.instance_path().as_str();
    let segments: Vec<String> =
        at.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect();
    let name = &action.name;
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library has forty kinds, and its own sentence does for most"
    )]
    below(place, &segments, &mut |place| match error.kind() {
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            let whole = if segments.is_empty() { "param" } else { "key" };
            problems.add(place, "missing_param", format!("Add the {whole} \"{property}\"; {name} needs it."));
        }
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            let alternatives = alternatives(action, error);
            let message = match alternatives.is_empty() {
                true => format!("{name} cannot work with this; {}.", sentence_of(error)),
                false => format!("Add one of the params {}; {name} needs it.", listed(&alternatives)),
            };
            let code = if alternatives.is_empty() { "wrong_param" } else { "missing_param" };
            problems.add(place, code, message);
        }
        ValidationErrorKind::Type { kind } => {
            problems.add(place, "wrong_param", format!("Make this {} for {name}; it is {found}.", wanted(kind)));
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let message = format!("{name} takes one of {} here.", options.join(", "));
            let found = error.instance().as_str().unwrap_or_default();
            problems.add_unknown(place, "wrong_param", message, found, &options);
        }
        ValidationErrorKind::MaxItems { limit } => {
            problems.add(place, "wrong_param", format!("{name} takes at most {limit} entries here."));
        }
        ValidationErrorKind::MaxLength { limit } => {
            problems.add(place, "wrong_param", format!("{name} takes at most {limit} characters here."));
        }
        ValidationErrorKind::Maximum { limit } => {
            problems.add(place, "wrong_param", format!("{name} takes at most {limit} here; it is {found}."));
        }
        ValidationErrorKind::Minimum { limit } => {
            problems.add(place, "wrong_param", format!("{name} takes at least {limit} here; it is {found}."));
        }
        _ => problems.add(place, "wrong_param", format!("{name} cannot work with this: {}.", sentence_of(error))),
    });
}

/// Calls `then` with the place that `segments` lead to.
fn below(place: &Place<'_>, segments: &[String], then: &mut dyn FnMut(&Place<'_>)) {
    match segments.split_first() {
        None => then(place),
        Some((first, rest)) => match first.parse() {
            Ok(index) => below(&place.index(index), rest, then),
            Err(_) => below(&place.key(first), rest, then),
        },
    }
}

/// The params of which the schema wants one, where that is what failed.
fn alternatives<'s>(action: &'s ActionSchema, error: &ValidationError<'_>) -> Vec<&'s str> {
    let rules = action.schema.pointer(error.schema_path().as_str()).and_then(Value::as_array);
    let required = rules.into_iter().flatten().filter_map(|rule| rule.get("required")?.as_array());
    required.flatten().filter_map(Value::as_str).collect()
}

fn wanted(kind: &TypeKind) -> String {
    let word = |name: String| match name.as_str() {
        "string" => "a text",
        "number" | "integer" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "an object",
        _ => "null",
    };
    let words: Vec<&str> = match kind {
        TypeKind::Single(single) => vec![word(single.to_string())],
        TypeKind::Multiple(several) => several.iter().map(|single| word(single.to_string())).collect(),
    };
    words.join(" or ")
}

fn sentence_of(error: &ValidationError<'_>) -> String {
    crate::naming::shortened(&error.to_string()).trim_end_matches('.').to_owned()
}

/// Params that the action does not know are ignored by it; most of them are misspelt.
fn warn_of_unknown(action: &ActionSchema, likeness: &Value, place: &Place<'_>, problems: &mut Problems) {
    // A schema that names no params takes any.
    let Some(properties) = action.schema.get("properties").and_then(Value::as_object) else { return };
    let known: Vec<&str> = properties.keys().map(String::as_str).collect();
    for key in likeness.as_object().into_iter().flat_map(Map::keys) {
        if !known.contains(&key.as_str()) {
            let shown = crate::naming::quoted(key);
            let message = format!("{} does not know the param {shown} and ignores it.", action.name);
            problems.warn_unknown(&place.key(key), "unknown_param", message, key, &known);
        }
    }
}

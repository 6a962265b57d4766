//! Warnings of literals that were hardly meant as such: secrets, references inside of texts, expressions in keys.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};
use serde_json::Value;

use crate::path::ROOTS;
use crate::problem::{Place, Problems};

/// Values that look like secrets of well-known kinds. *Source* — the prefixes that their issuers publish for scanners.
static SECRETS: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSet::new([
        r"(?i)^\s*(bearer|basic)\s+[a-z0-9._~+/=-]{16,}\s*$",
        r"\b[srp]k_(live|test)_[A-Za-z0-9]{8,}",
        r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
        r"\bgh[pousr]_[A-Za-z0-9]{20,}",
        r"\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
        r"\bwhsec_[A-Za-z0-9+/=]{16,}",
        r"\bhk_[0-9a-f]{24}",
        r"\bAIza[0-9A-Za-z_-]{30,}",
        r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"\bshp(at|ca|pa|ss)_[0-9a-fA-F]{16,}",
    ])
    .ok()
});

/// Keys under which secrets stand.
static SECRET_KEYS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(password|passwd|passphrase|secret|authorization|(api|access|private|auth|secret)[-_ ]?key|(access|auth|api|bearer|refresh)[-_ ]?token)$",
    )
    .ok()
});

/// Shorter values under such a key are words, not secrets.
const SECRET_LEAST_BYTES: usize = 8;

/// Warns of every literal in params and conditions that looks like a secret or an expression, and of every such key.
pub(super) fn check(document: &Value, problems: &mut Problems) {
    let steps_place = Place::ROOT.key("steps");
    let steps = document.get("steps").and_then(Value::as_array).into_iter().flatten();
    see_conditions(document.get("trigger"), "transitions", &Place::ROOT.key("trigger"), problems);
    for (index, step) in steps.enumerate() {
        let place = steps_place.index(index);
        if let Some(params) = step.get("params") {
            see(params, None, &place.key("params"), 0, problems);
        }
        see_conditions(Some(step), "transitions", &place, problems);
        see_conditions(Some(step), "errorCases", &place, problems);
    }
}

/// The conditions of the transitions or error cases of `owner`.
fn see_conditions(owner: Option<&Value>, key: &str, place: &Place<'_>, problems: &mut Problems) {
    let place = place.key(key);
    let ways = owner.and_then(|owner| owner.get(key)).and_then(Value::as_array);
    for (index, way) in ways.into_iter().flatten().enumerate() {
        if let Some(condition) = way.get("condition") {
            see(condition, None, &place.index(index).key("condition"), 0, problems);
        }
    }
}

fn see(value: &Value, key: Option<&str>, place: &Place<'_>, depth: usize, problems: &mut Problems) {
    // Deeper ones are refused for that alone.
    if depth > crate::expression::NESTING_LIMIT_LEVELS {
        return;
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => see_text(text, key, place, problems),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                see(element, key, &place.index(index), depth + 1, problems);
            }
        }
        Value::Object(object) => {
            for (key, inner) in object {
                let place = place.key(key);
                if key.contains("{{") || key.starts_with("/#") {
                    let message = "This key stays as it is: only values are read as references or templates.";
                    problems.warn(&place, "expression_in_key", message);
                }
                see(inner, Some(key), &place, depth + 1, problems);
            }
        }
    }
}

fn see_text(text: &str, key: Option<&str>, place: &Place<'_>, problems: &mut Problems) {
    let is_expression = text.starts_with("/#");
    let is_template = text.contains("{{");
    if is_expression && is_template {
        let message = "The whole text is read as one reference, with the tags as a part of it. Inside of a text write \
                       {{{steps.1.id}}} for each.";
        problems.warn(place, "reference_in_text", message);
    } else if !is_expression && has_reference(text) {
        let message = "This stays text: a reference is only read where the whole text is one. Inside of a text write \
                       {{{steps.1.id}}}.";
        problems.warn(place, "reference_in_text", message);
    }
    let is_known_kind = SECRETS.as_ref().is_some_and(|secrets| secrets.is_match(text));
    let is_under_secret_key = || key.zip(SECRET_KEYS.as_ref()).is_some_and(|(key, keys)| keys.is_match(key));
    let is_long = text.len() >= SECRET_LEAST_BYTES && !text.contains(' ');
    if is_known_kind || (!is_expression && !is_template && is_long && is_under_secret_key()) {
        let message = "This looks like a secret, and whoever may read the workflow can read it. Keep it as a variable of the \
                       workflow (`hookwright workflows variables create`) and write /#variables.ID here.";
        problems.warn(place, "secret_in_literal", message);
    }
}

/// Whether a reference stands in a text: not behind a letter or a slash, as in an address.
fn has_reference(text: &str) -> bool {
    text.match_indices("/#").any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let is_address = before.is_some_and(|before| before.is_alphanumeric() || before == '/');
        let named = text.get(at + 2..).unwrap_or_default();
        let is_root = |root: &&str| named.strip_prefix(*root).is_some_and(|rest| rest.starts_with('.'));
        !is_address && (named.starts_with("fn:") || ROOTS.iter().any(is_root))
    })
}

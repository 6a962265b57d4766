//! The fields of a document by their types; what is not of its type is a problem and counts as absent.

use serde_json::Value;

use super::{Object, Presence, Reader};
use crate::naming::quoted;
use crate::problem::{Flaw, Place};

/// So many unread keys of an object are looked at, and so alike (Jaro-Winkler, 0 to 1) is one that was meant to be another.
const KEYS_LIMIT: usize = 50;
const KEYS_SIMILARITY: f64 = 0.93;
/// Longer keys are none of ours.
const KEY_LIMIT_BYTES: usize = 32;

impl<'d> Reader<'d> {
    pub(crate) fn object(&mut self, value: &'d Value, place: &Place<'_>) -> Option<&'d Object> {
        let object = value.as_object();
        if object.is_none() {
            self.wrong_type(place, "an object", value);
        }
        object
    }

    pub(crate) fn optional_object(&mut self, owner: &'d Object, key: &str, place: &Place<'_>) -> Option<&'d Value> {
        let value = owner.get(key).filter(|value| !value.is_null())?;
        self.object(value, &place.key(key)).map(|_| value)
    }

    pub(crate) fn list(
        &mut self,
        owner: &'d Object,
        key: &str,
        place: &Place<'_>,
        presence: Presence,
    ) -> Option<&'d [Value]> {
        let place = place.key(key);
        match owner.get(key) {
            Some(Value::Array(values)) => Some(values),
            None | Some(Value::Null) => {
                if presence == Presence::Required {
                    self.missing(&place, key, "a list, which may be empty");
                }
                None
            }
            Some(value) => {
                self.wrong_type(&place, "a list", value);
                None
            }
        }
    }

    /// A text that is not empty.
    pub(crate) fn text(
        &mut self,
        owner: &'d Object,
        key: &str,
        place: &Place<'_>,
        presence: Presence,
    ) -> Option<&'d str> {
        let text = self.optional_text(owner, key, place);
        let place = place.key(key);
        let is_absent = owner.get(key).is_none_or(Value::is_null);
        if is_absent && presence == Presence::Required {
            self.missing(&place, key, "a text");
        }
        if text == Some("") {
            self.problems.add(&place, "empty_field", format!("Fill in \"{key}\"; it is empty."));
            return None;
        }
        text
    }

    pub(crate) fn optional_text(&mut self, owner: &'d Object, key: &str, place: &Place<'_>) -> Option<&'d str> {
        let value = owner.get(key).filter(|value| !value.is_null())?;
        if !value.is_string() {
            self.wrong_type(&place.key(key), "a text", value);
        }
        value.as_str()
    }

    pub(crate) fn flag(&mut self, owner: &'d Object, key: &str, place: &Place<'_>) -> Option<bool> {
        let value = owner.get(key).filter(|value| !value.is_null())?;
        if !value.is_boolean() {
            self.wrong_type(&place.key(key), "true or false", value);
        }
        value.as_bool()
    }

    pub(crate) fn missing(&mut self, place: &Place<'_>, key: &str, what: &str) {
        self.problems.add(place, "missing_field", format!("Add \"{key}\", {what}."));
    }

    pub(crate) fn wrong_type(&mut self, place: &Place<'_>, wanted: &str, found: &Value) {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.problems.add(place, "wrong_type", format!("Make this {wanted}; it is {found}."));
    }

    pub(crate) fn check_length(&mut self, text: &str, limit: usize, place: &Place<'_>) {
        let length = text.chars().count();
        if length > limit {
            let message = format!("Shorten this to {limit} characters; it has {length}.");
            self.problems.add(place, "too_long", message);
        }
    }

    /// Warns of keys that nobody reads and that are nearly one of `known` which is not there. Exports have others besides.
    pub(crate) fn check_keys(&mut self, object: &'d Object, known: &[&str], place: &Place<'_>) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())).take(KEYS_LIMIT) {
            let is_meant = |known: &&&str| {
                !object.contains_key(**known) && (key.eq_ignore_ascii_case(known) || is_alike(key, known))
            };
            if let Some(meant) = known.iter().find(is_meant) {
                let message = format!("Nobody reads the key {}. Did you mean \"{meant}\"?", quoted(key));
                let flaw = Flaw { code: "misspelt_key", message, suggestion: Some((*meant).to_owned()) };
                self.problems.warn_flaw(&place.key(key), flaw);
            }
        }
    }

    pub(crate) fn check_bytes(&mut self, text: Option<&str>, limit: usize, place: &Place<'_>) {
        if let Some(bytes) = text.map(str::len).filter(|bytes| *bytes > limit) {
            let message = format!("Shorten this to {limit} bytes; it has {bytes}.");
            self.problems.add(place, "too_long", message);
        }
    }
}

fn is_alike(key: &str, known: &str) -> bool {
    key.len() <= KEY_LIMIT_BYTES && strsim::jaro_winkler(key, known) >= KEYS_SIMILARITY
}

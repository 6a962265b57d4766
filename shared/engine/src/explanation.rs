//! How much one journal entry may still say about the conditions that were judged for it.
//!
//! Whatever a payload and a workflow hold, an entry's explanation stays under about 256 KiB: only so many conditions
//! are told, in so many levels, and once their values took so many bytes, values are named and no longer shown.

use serde_json::Value;

use crate::allowance::Allowance;
use crate::evaluation::Evaluation;
use crate::fault::Fault;
use crate::naming::cut;
use crate::surroundings::Setup;

/// How many conditions one entry tells about.
const EXPLANATION_LIMIT_CONDITIONS: usize = 100;

/// How deep `and` and `or` are told; a level takes two of JSON, and the whole entry must stay readable.
const EXPLANATION_LIMIT_LEVELS: usize = 16;

/// How many bytes of values and missing references one entry shows: 64 KiB.
const EXPLANATION_LIMIT_BYTES: usize = 65_536;

/// A single value is shortened beyond this, so that an explanation never outgrows what it explains.
const VALUE_LIMIT_BYTES: usize = 1024;

/// So many more of a text are looked through for secrets, which are no longer.
const SECRET_LIMIT_BYTES: usize = 4_096;

/// A list or object that nests deeper is named, for the same reason as the levels above.
const VALUE_LIMIT_LEVELS: usize = 16;

/// What is left for one entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Explanation {
    conditions_left: usize,
    values: Allowance,
}

/// Whether a condition is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// There is room for it.
    Told,
    /// Only if it is the one that decides.
    IfDecisive,
    /// It stands too deep.
    LeftOut,
}

impl Explanation {
    /// A whole entry's.
    pub(crate) const fn new() -> Explanation {
        Explanation {
            conditions_left: EXPLANATION_LIMIT_CONDITIONS,
            values: Allowance::new(EXPLANATION_LIMIT_BYTES, VALUE_LIMIT_LEVELS),
        }
    }

    /// Makes room for one more condition inside `depth` others.
    pub(crate) fn telling(&mut self, depth: usize) -> Telling {
        if depth >= EXPLANATION_LIMIT_LEVELS {
            return Telling::LeftOut;
        }
        match self.conditions_left.checked_sub(1) {
            Some(left) => {
                self.conditions_left = left;
                Telling::Told
            }
            None => Telling::IfDecisive,
        }
    }

    /// A value as it is told, without any secret in it.
    pub(crate) fn value(&mut self, value: &Value, evaluation: &Evaluation<'_>) -> Value {
        let told = if evaluation.setup().has_secrets() {
            shortened(&masked(value, evaluation.setup()))
        } else {
            shortened(value)
        };
        if self.pays_for(&told) { told } else { named(value) }
    }

    /// How a value is written, as it is told.
    pub(crate) fn written(&mut self, written: String) -> Option<String> {
        self.text(written)
    }

    /// A reference that led nowhere, as it is told.
    pub(crate) fn missing(&mut self, reference: String) -> String {
        let bytes = reference.len();
        self.text(reference).unwrap_or_else(|| format!("a reference of {bytes} bytes"))
    }

    /// Why an expression could not be worked out, as it is told.
    pub(crate) fn fault(&mut self, fault: &Fault) -> String {
        self.text(fault.to_string()).unwrap_or_else(|| fault.code().to_owned())
    }

    fn text(&mut self, text: String) -> Option<String> {
        let text = cut(&text, VALUE_LIMIT_BYTES).into_owned();
        let mut values = self.values;
        values.take_text(&text).ok()?;
        self.values = values;
        Some(text)
    }

    /// Whether there was room for the value; what does not fit takes nothing.
    fn pays_for(&mut self, value: &Value) -> bool {
        let mut values = self.values;
        let fits = values.take(value, 0).is_ok();
        if fits {
            self.values = values;
        }
        fits
    }
}

/// The beginning of a value without any secret in it, not even the half of one.
fn masked(value: &Value, setup: &Setup) -> Value {
    let mut masked = shortened_to(value, VALUE_LIMIT_BYTES + SECRET_LIMIT_BYTES);
    setup.mask(&mut masked);
    match (&masked, value) {
        // Where it was cut, a secret may have been cut with it, and stands in what is left out here.
        (Value::String(text), Value::String(whole)) if whole.len() > VALUE_LIMIT_BYTES + SECRET_LIMIT_BYTES => {
            Value::from(cut(text, text.len().saturating_sub(SECRET_LIMIT_BYTES)).as_ref())
        }
        _ => masked,
    }
}

/// A value short enough to be kept beside the answer.
fn shortened(value: &Value) -> Value {
    shortened_to(value, VALUE_LIMIT_BYTES)
}

fn shortened_to(value: &Value, limit_bytes: usize) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(number) if number.as_str().len() <= limit_bytes => value.clone(),
        Value::Number(number) => Value::String(cut(number.as_str(), limit_bytes).into_owned()),
        Value::String(text) => Value::String(cut(text, limit_bytes).into_owned()),
        Value::Array(_) | Value::Object(_) => {
            let is_small = Allowance::new(limit_bytes, VALUE_LIMIT_LEVELS).take(value, 0).is_ok();
            if is_small { value.clone() } else { named(value) }
        }
    }
}

/// What a value is, in a few words.
fn named(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(number) => Value::String(format!("a number of {} characters", number.as_str().len())),
        Value::String(text) => Value::String(format!("a text of {} bytes", text.len())),
        Value::Array(elements) => Value::String(format!("a list of {}", elements.len())),
        Value::Object(object) => Value::String(format!("an object of {} keys", object.len())),
    }
}

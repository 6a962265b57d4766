//! What expressions find beside the run's own data: the time, chance, and what the org has set up.
//!
//! All of it is given. The same surroundings give the same values, `randomId` included, so a step that is worked out
//! again after a crash comes to the input it had.

use domain::{Schedule, ScheduleId, Timestamp};
use serde_json::{Map, Value};

/// What stands in the place of a secret wherever somebody could read it.
pub const MASK: &str = "••••••••";

/// Shorter secrets are not looked for in texts: half of all texts would hold them.
const MASKED_LIMIT_BYTES: usize = 4;

/// What an org has set up that expressions may read.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The workflow's variables by their id; each is a secret.
    pub variables: Map<String, Value>,
    /// An object: settings of apps, as app, category and name.
    pub app_settings: Value,
    /// The business schedules.
    pub schedules: Vec<Schedule>,
    /// The one that is meant when none is named.
    pub default_schedule: Option<ScheduleId>,
}

/// Everything beside the run's own data.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// What the org has set up.
    pub setup: &'a Setup,
    /// The time: when the run came to the step it is at.
    pub now: Timestamp,
    /// What chance is drawn from; different for every run.
    pub seed: &'a str,
}

impl Setup {
    /// The schedule of that id, or the default one.
    pub(crate) fn schedule(&self, id: Option<&str>) -> Option<&Schedule> {
        let default = self.default_schedule.map(|id| id.to_string());
        let wanted = id.or(default.as_deref())?;
        self.schedules.iter().find(|schedule| schedule.id.to_string() == wanted)
    }

    /// The same without its secrets, which are masks there.
    pub(crate) fn masked(&self) -> Setup {
        let mask = |(id, _): (&String, &Value)| (id.clone(), Value::String(MASK.to_owned()));
        Setup { variables: self.variables.iter().map(mask).collect(), ..self.clone() }
    }

    /// `value` with a mask in the place of every secret in its texts and keys.
    pub fn mask(&self, value: &mut Value) {
        let secrets: Vec<&str> = self.secrets().collect();
        if !secrets.is_empty() {
            mask_within(value, &secrets);
        }
    }

    /// The same for a text.
    pub fn mask_text(&self, text: &str) -> String {
        self.secrets().fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }

    /// Whether there is anything to mask.
    pub(crate) fn has_secrets(&self) -> bool {
        !self.variables.is_empty()
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        self.variables.values().filter_map(Value::as_str).filter(|secret| secret.len() >= MASKED_LIMIT_BYTES)
    }
}

fn mask_within(value: &mut Value, secrets: &[&str]) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => mask_text(text, secrets),
        Value::Array(elements) => elements.iter_mut().for_each(|element| mask_within(element, secrets)),
        Value::Object(object) => {
            if object.keys().any(|key| secrets.iter().any(|secret| key.contains(secret))) {
                let members = std::mem::take(object).into_iter();
                object.extend(members.map(|(mut key, inner)| {
                    mask_text(&mut key, secrets);
                    (key, inner)
                }));
            }
            object.values_mut().for_each(|inner| mask_within(inner, secrets));
        }
    }
}

fn mask_text(text: &mut String, secrets: &[&str]) {
    for secret in secrets {
        if text.contains(secret) {
            *text = text.replace(secret, MASK);
        }
    }
}

//! What expressions find beside the run's own data: the time, chance, and what the org has set up.
//!
//! All of it is given. The same surroundings give the same values, `randomId` included, so a step that is worked out
//! again after a crash comes to the input it had.

use domain::{Schedule, ScheduleId, Timestamp};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// What stands in the place of a secret wherever somebody could read it.
pub const MASK: &str = "••••••••";

/// Shorter secrets are not looked for in texts: half of all texts would hold them.
const MASKED_LIMIT_BYTES: usize = 4;

/// Sentences quote so much of a text at the most, escaped.
const CUT_LIMIT_CHARACTERS: usize = 160;

/// What an org has set up that expressions may read.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The workflow's variables by their id; each is a secret.
    pub variables: Map<String, Value>,
    /// Values that variables had: no expression finds them, and masks hide them.
    pub retired: Vec<String>,
    /// An object: settings of apps, as app, category and name.
    pub app_settings: Value,
    /// Those of their values that are secrets.
    pub app_secrets: Vec<String>,
    /// The business schedules.
    pub schedules: Vec<Schedule>,
    /// The one that is meant when none is named.
    pub default_schedule: Option<ScheduleId>,
    /// The IANA name of the time zone that dates are in where none is named; UTC without one.
    pub time_zone: Option<String>,
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

    /// The time zone that dates are in where none is named. A name that is not known any more is UTC.
    pub(crate) fn zone(&self) -> TimeZone {
        let named = self.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        named.unwrap_or(TimeZone::UTC)
    }

    /// The same without its secrets, which are masks there.
    #[must_use]
    pub fn masked(&self) -> Setup {
        let mask = |(id, _): (&String, &Value)| (id.clone(), Value::String(MASK.to_owned()));
        let mut app_settings = self.app_settings.clone();
        mask_values(&mut app_settings, &self.app_secrets);
        Setup { variables: self.variables.iter().map(mask).collect(), app_settings, ..self.clone() }
    }

    /// What a template of `app` may read of it: no variable, and no setting of another app. All secrets stay masked.
    pub(crate) fn of_app(&self, app: &str) -> Setup {
        let own = self.app_settings.get(app).map(|settings| (app.to_owned(), settings.clone()));
        let variables = self.variables.values().filter_map(Value::as_str).map(str::to_owned);
        Setup {
            variables: Map::new(),
            retired: self.retired.iter().cloned().chain(variables).collect(),
            app_settings: Value::Object(own.into_iter().collect()),
            app_secrets: self.app_secrets.clone(),
            schedules: self.schedules.clone(),
            default_schedule: self.default_schedule,
            time_zone: self.time_zone.clone(),
        }
    }

    /// `value` with a mask in the place of every secret in its texts and keys.
    pub fn mask(&self, value: &mut Value) {
        let secrets = self.secrets();
        if !secrets.is_empty() {
            mask_within(value, &secrets);
        }
    }

    /// The same of a copy.
    pub(crate) fn mask_copy(&self, value: &Value) -> Value {
        let mut copy = value.clone();
        self.mask(&mut copy);
        copy
    }

    /// The same for a text, in which a secret may also be escaped, or cut with a `…` behind its beginning.
    pub fn mask_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets() {
            for spelled in spellings(secret) {
                if text.contains(&spelled) {
                    text = text.replace(&spelled, MASK);
                }
                mask_cut(&mut text, &spelled);
            }
        }
        text
    }

    /// Whether there is anything to mask.
    pub fn has_secrets(&self) -> bool {
        !self.variables.is_empty() || !self.retired.is_empty() || !self.app_secrets.is_empty()
    }

    /// The longest first, because one may be the beginning of another.
    fn secrets(&self) -> Vec<&str> {
        let mut secrets: Vec<&str> = self
            .variables
            .values()
            .filter_map(Value::as_str)
            .chain(self.retired.iter().chain(&self.app_secrets).map(String::as_str))
            .filter(|secret| secret.len() >= MASKED_LIMIT_BYTES)
            .collect();
        secrets.sort_unstable_by(|left, right| right.len().cmp(&left.len()).then(left.cmp(right)));
        secrets.dedup();
        secrets
    }
}

/// A secret as sentences have it: as it is, inside of JSON, as Rust quotes it, and without white space around it.
fn spellings(secret: &str) -> Vec<String> {
    let in_json = Value::from(secret).to_string();
    let in_json = in_json.trim_start_matches('"').trim_end_matches('"').to_owned();
    let mut spellings = vec![secret.to_owned(), in_json, secret.escape_debug().to_string()];
    spellings.extend(Some(secret.trim()).filter(|trimmed| trimmed.len() >= MASKED_LIMIT_BYTES).map(str::to_owned));
    spellings.dedup();
    spellings
}

/// Masks the beginning of `secret` wherever a `…` follows it.
fn mask_cut(text: &mut String, secret: &str) {
    let mut parts = text.split('…').peekable();
    let mut masked = String::with_capacity(text.len());
    while let Some(part) = parts.next() {
        let is_cut = parts.peek().is_some();
        let shown = if is_cut { beginning_at_end(part, secret) } else { 0 };
        masked.push_str(part.get(..part.len() - shown).unwrap_or(part));
        if shown > 0 {
            masked.push_str(MASK);
        }
        if is_cut {
            masked.push('…');
        }
    }
    *text = masked;
}

/// How many bytes at the end of `text` are the beginning of `secret`, where it is enough to tell anything.
fn beginning_at_end(text: &str, secret: &str) -> usize {
    let lengths = secret.char_indices().map(|(at, _)| at).take(CUT_LIMIT_CHARACTERS + 1);
    let lengths = lengths.filter(|length| *length >= MASKED_LIMIT_BYTES);
    let is_there = |length: &usize| secret.get(..*length).is_some_and(|beginning| text.ends_with(beginning));
    lengths.filter(is_there).last().unwrap_or(0)
}

/// A mask in the place of every text that is one of `secrets`, however short.
fn mask_values(value: &mut Value, secrets: &[String]) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
        Value::String(text) if secrets.contains(text) => MASK.clone_into(text),
        Value::String(_) => {}
        Value::Object(object) => object.values_mut().for_each(|inner| mask_values(inner, secrets)),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Setup;

    #[test]
    fn no_spelling_of_a_secret_stays_in_a_sentence() {
        let variables =
            json!({ "1": "admin", "2": "admin:hunter2 \"quoted\"\n", "3": "abc", "4": "a-token-of-many-characters" });
        let setup = Setup {
            variables: variables.as_object().cloned().unwrap(),
            retired: vec!["old-secret".to_owned()],
            ..Setup::default()
        };
        for (text, expected) in [
            ("It is admin:hunter2 \"quoted\"\n.", "It is ••••••••."),
            (r#"It is "admin:hunter2 \"quoted\"\n"."#, r#"It is "••••••••"."#),
            ("It was old-secret.", "It was ••••••••."),
            ("The id \"a-token-of…\" is none.", "The id \"••••••••…\" is none."),
            ("Bearer admin:hun… and a-tok…", "Bearer ••••••••… and ••••••••…"),
            ("abc… a-t… and so on…", "abc… a-t… and so on…"),
        ] {
            assert_eq!(setup.mask_text(text), expected, "{text}");
        }
    }
}

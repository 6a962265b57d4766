//! What expressions find beside the run's own data: the time, chance, and what the org has set up.
//!
//! All of it is given. The same surroundings give the same values, `randomId` included, so a step that is worked out
//! again after a crash comes to the input it had.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use domain::{OrgId, RunId, Schedule, ScheduleId, Timestamp};
use jiff::tz::TimeZone;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::answer_link::{AnswerLink, LINKS_PATH, LinkKey, has_token, mask_tokens};

/// What stands in the place of a secret wherever somebody could read it.
pub const MASK: &str = "••••••••";

/// Shorter secrets are not looked for in texts: half of all texts would hold them.
const MASKED_LIMIT_BYTES: usize = 4;

/// The same of what is made of them, which looks more like other texts.
const MADE_LIMIT_BYTES: usize = 8;

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
    /// What `answerLink` makes links with.
    pub answer_links: AnswerLinks,
}

/// What the function `answerLink` makes links with.
#[derive(Debug, Clone, Default)]
pub enum AnswerLinks {
    /// Nothing: no run asks, or its workflow does not.
    #[default]
    Unset,
    /// Nobody has said under which address readers find the API.
    Nowhere,
    /// Links are masks here.
    Masked,
    /// What signs them.
    Signed(LinkSigner),
}

/// What makes the links of an org.
#[derive(Debug, Clone)]
pub struct LinkSigner {
    /// The public address of the API, without a slash at the end.
    pub address: String,
    /// The org.
    pub org: OrgId,
    /// Its key.
    pub key: LinkKey,
}

/// Everything beside the run's own data.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// What the org has set up.
    pub setup: &'a Setup,
    /// The time: when the run came to the step it is at.
    pub now: Timestamp,
    /// What chance is drawn from: the id of the run, where there is one.
    pub seed: &'a str,
}

impl LinkSigner {
    /// The link of `link`; none where it would be too long.
    pub fn address_of(&self, link: &AnswerLink) -> Option<String> {
        Some(format!("{}{LINKS_PATH}{}", self.address, link.token(&self.key)?))
    }

    pub(crate) fn link(
        &self,
        surroundings: Surroundings<'_>,
        branch: &str,
        step: &str,
        choice: &str,
    ) -> Option<String> {
        let run = RunId::parse(surroundings.seed).ok()?;
        let (branch, step, choice) = (branch.to_owned(), step.to_owned(), choice.to_owned());
        self.address_of(&AnswerLink { org: self.org, run, made_at: surroundings.now, branch, step, choice })
    }
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
        let answer_links = match &self.answer_links {
            AnswerLinks::Signed(_) => AnswerLinks::Masked,
            same @ (AnswerLinks::Unset | AnswerLinks::Nowhere | AnswerLinks::Masked) => same.clone(),
        };
        Setup { variables: self.variables.iter().map(mask).collect(), app_settings, answer_links, ..self.clone() }
    }

    /// What a template of `app` may read of it: no variable, no setting of another app, and no link. All secrets stay masked.
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
            answer_links: AnswerLinks::Unset,
        }
    }

    /// `value` with a mask in the place of every secret in its texts and keys, and of every link that answers.
    pub fn mask(&self, value: &mut Value) {
        mask_links(value);
        let secrets = self.secrets();
        if !secrets.is_empty() {
            let made: Vec<String> = secrets.iter().flat_map(|secret| made_of(secret)).collect();
            mask_within(value, &longest_first(secrets.into_iter().chain(made.iter().map(String::as_str))));
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
        mask_tokens(&mut text);
        for secret in self.secrets() {
            for spelled in spellings(secret) {
                mask_text(&mut text, &[&spelled]);
                mask_cut(&mut text, &spelled);
            }
            for made in made_of(secret) {
                mask_text(&mut text, &[&made]);
            }
        }
        text
    }

    /// Whether there is anything to mask.
    pub fn has_secrets(&self) -> bool {
        let makes_links = !matches!(self.answer_links, AnswerLinks::Unset);
        makes_links || !self.variables.is_empty() || !self.retired.is_empty() || !self.app_secrets.is_empty()
    }

    /// The longest first, because one may be the beginning of another.
    fn secrets(&self) -> Vec<&str> {
        let all = self.variables.values().filter_map(Value::as_str);
        let all = all.chain(self.retired.iter().chain(&self.app_secrets).map(String::as_str));
        longest_first(all.filter(|secret| secret.len() >= MASKED_LIMIT_BYTES))
    }
}

fn longest_first<'s>(secrets: impl Iterator<Item = &'s str>) -> Vec<&'s str> {
    let mut secrets: Vec<&str> = secrets.collect();
    secrets.sort_unstable_by(|left, right| right.len().cmp(&left.len()).then(left.cmp(right)));
    secrets.dedup();
    secrets
}

/// What expressions make of a secret and still tell it: in lower and upper case, percent-encoded, and in base64 by itself or
/// with something before and behind it.
fn made_of(secret: &str) -> Vec<String> {
    let mut made = vec![secret.to_lowercase(), secret.to_uppercase()];
    made.push(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string());
    for encoding in [STANDARD, URL_SAFE] {
        made.push(encoding.encode(secret));
        // Where it begins in the middle of three bytes, the first letters are also of what is before it.
        for before in 0..3 {
            let encoded = encoding.encode([&vec![0; before][..], secret.as_bytes()].concat());
            let whole = (before + secret.len()) / 3 * 4;
            made.extend(encoded.get(if before == 0 { 0 } else { 4 }..whole).map(str::to_owned));
        }
    }
    made.retain(|made| made.len() >= MADE_LIMIT_BYTES && made != secret);
    made
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

/// A mask in the place of every link, in texts and keys.
fn mask_links(value: &mut Value) {
    mask_texts(value, &has_token, &mask_tokens);
}

fn mask_within(value: &mut Value, secrets: &[&str]) {
    let has_secret = |text: &str| secrets.iter().any(|secret| text.contains(secret));
    mask_texts(value, &has_secret, &|text| mask_text(text, secrets));
}

/// Lets `mask` go over every text in the value, and over the keys of objects in one of which `is_found` finds something.
fn mask_texts(value: &mut Value, is_found: &dyn Fn(&str) -> bool, mask: &dyn Fn(&mut String)) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => mask(text),
        Value::Array(elements) => elements.iter_mut().for_each(|element| mask_texts(element, is_found, mask)),
        Value::Object(object) => {
            if object.keys().any(|key| is_found(key)) {
                let members = std::mem::take(object).into_iter();
                object.extend(members.map(|(mut key, inner)| {
                    mask(&mut key);
                    (key, inner)
                }));
            }
            object.values_mut().for_each(|inner| mask_texts(inner, is_found, mask));
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

    use super::*;

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
            ("OLD-SECRET", "••••••••"),
        ] {
            assert_eq!(setup.mask_text(text), expected, "{text}");
        }
    }

    #[test]
    fn what_expressions_make_of_a_secret_is_masked_as_well() {
        let secret = "Top Secret/Value?98765";
        let variables = json!({ "1": secret, "2": "Ab1!" }).as_object().cloned().unwrap();
        let setup = Setup { variables, ..Setup::default() };
        let base64 = |text: String| STANDARD.encode(text);
        for told in [
            secret.to_lowercase(),
            format!("x{}x", secret.to_uppercase()),
            "Top%20Secret%2FValue%3F98765".to_owned(),
            base64(secret.to_owned()),
            URL_SAFE.encode(secret),
        ] {
            let mut value = json!({ "told": told });
            setup.mask(&mut value);
            assert!(value["told"].as_str().unwrap().trim_matches('x') == MASK, "{told}: {value}");
        }
        // Up to two letters at each end may also be of what stands beside it.
        for (before, behind) in [("", ":x"), ("u:", ""), ("us:", ":word"), ("use:", "y"), ("user:", "zz")] {
            let whole = base64(format!("{before}{secret}{behind}"));
            let mut value = json!({ "told": format!("Basic {whole}") });
            setup.mask(&mut value);
            let shown = value["told"].as_str().unwrap();
            assert!(
                shown.contains(MASK) && shown.len() < whole.len() / 2 + MASK.len() + 6,
                "{before} {behind}: {shown}"
            );
        }
        let mut short = json!("ab1! AB1! QWIxIQ==");
        setup.mask(&mut short);
        assert_eq!(short, json!("ab1! AB1! ••••••••"));
    }
}

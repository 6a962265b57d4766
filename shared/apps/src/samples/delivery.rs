//! The same sample as another delivery: with other ids, so that it is not taken for a repeat.
//!
//! Which values make a delivery is said by the app's own mapping. They are found by trying: a value is an id when changing
//! it changes the delivery id and nothing else about the events.

use serde_json::{Map, Number, Value};

use super::{Sample, SampleBody};
use crate::{Input, find};

/// The most characters at the end of an id that change.
const CHANGED_CHARS: usize = 12;

/// The words that names of ids end in, in lower case.
const ID_WORDS: [&str; 11] = ["delivery", "id", "ids", "sid", "mid", "uid", "uri", "token", "urn", "response", "key"];

impl Sample {
    /// The sample with new ids, made of `digits`, a text of lower-case hex digits.
    #[must_use]
    pub fn as_new_delivery(&self, digits: &str) -> Self {
        let mut sample = self.clone();
        let mut unchanged = sample.delivery_ids();
        let events = sample.event_names();
        let mut changes = 0;
        for place in sample.places() {
            if unchanged.is_empty() {
                break;
            }
            let mut changed = sample.clone();
            changed.change(&place, &counted(digits, changes));
            let ids = changed.delivery_ids();
            let fewer: Vec<String> = unchanged.iter().filter(|id| ids.contains(id)).cloned().collect();
            if fewer.len() < unchanged.len() && changed.event_names() == events {
                (sample, unchanged) = (changed, fewer);
                changes += 1;
            }
        }
        sample
    }

    fn delivery_ids(&self) -> Vec<String> {
        self.asked(|app, input| app.delivery_id(input))
    }

    fn event_names(&self) -> Vec<String> {
        self.asked(|app, input| {
            let names: Vec<String> = app.events(input).into_iter().map(|event| event.name).collect();
            Some(names.join(" "))
        })
    }

    /// What the app says of each piece of the sample.
    fn asked(&self, ask: impl Fn(&crate::App, &Input<'_>) -> Option<String>) -> Vec<String> {
        let Some(app) = find(self.app) else { return Vec::new() };
        let body = self.body.data();
        let pieces = app.split(&body).unwrap_or_else(|| vec![body]);
        let input = |body| Input { body, headers: &self.headers, query: &self.query, method: &self.method };
        pieces.iter().filter_map(|piece| ask(app, &input(piece))).collect()
    }

    /// Every place whose name is one of an id.
    fn places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = names(&self.headers).map(Place::Header).collect();
        match &self.body {
            SampleBody::Json(body) => below(body, &mut Vec::new(), &mut places),
            SampleBody::Form(fields) => {
                for (position, (name, text)) in fields.iter().enumerate() {
                    let value = Value::String(text.clone());
                    let mut inside = Vec::new();
                    below(&value, &mut vec![name.clone()], &mut inside);
                    let paths = inside.into_iter().filter_map(|place| match place {
                        Place::Body(path) => Some(path.into_iter().skip(1).collect()),
                        Place::Header(_) | Place::Query(_) | Place::Field(..) => None,
                    });
                    places.extend(paths.map(|path| Place::Field(position, path)));
                }
            }
            SampleBody::Empty | SampleBody::Text(_) => places.extend(names(&self.query).map(Place::Query)),
        }
        places
    }

    fn change(&mut self, place: &Place, digits: &str) {
        match (place, &mut self.body) {
            (Place::Header(name), _) => change_in(&mut self.headers, name, digits),
            (Place::Query(name), _) => change_in(&mut self.query, name, digits),
            (Place::Body(path), SampleBody::Json(body)) => change_at(body, path, digits),
            (Place::Field(position, path), SampleBody::Form(fields)) => {
                if let Some((_, text)) = fields.get_mut(*position) {
                    let mut value = Value::String(text.clone());
                    change_at(&mut value, path, digits);
                    if let Value::String(changed) = value {
                        *text = changed;
                    }
                }
            }
            (Place::Body(_) | Place::Field(..), _) => {}
        }
    }
}

enum Place {
    Header(String),
    Query(String),
    Body(Vec<String>),
    Field(usize, Vec<String>),
}

fn names(map: &Map<String, Value>) -> impl Iterator<Item = String> {
    map.keys().filter(|name| is_id(name)).cloned()
}

fn below(value: &Value, path: &mut Vec<String>, places: &mut Vec<Place>) {
    let mut visit = |key: String, inner: &Value| {
        path.push(key);
        below(inner, path, places);
        path.pop();
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| visit(key.clone(), inner)),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, inner)| visit(index.to_string(), inner)),
        Value::String(text) if text.starts_with('{') => {
            if let Ok(inner) = serde_json::from_str(text) {
                below(&inner, path, places);
            }
        }
        Value::String(_) | Value::Number(_) if path.last().is_some_and(|key| is_id(key)) => {
            places.push(Place::Body(path.clone()));
        }
        Value::String(_) | Value::Number(_) | Value::Null | Value::Bool(_) => {}
    }
}

fn change_in(map: &mut Map<String, Value>, name: &str, digits: &str) {
    if let Some(value) = map.get_mut(name) {
        change_at(value, &[], digits);
    }
}

/// Changes the id at `path`, which may lead into a text that holds JSON.
fn change_at(value: &mut Value, path: &[String], digits: &str) {
    match (value, path.split_first()) {
        (Value::Object(map), Some((key, rest))) => {
            if let Some(inner) = map.get_mut(key) {
                change_at(inner, rest, digits);
            }
        }
        (Value::Array(list), Some((key, rest))) => {
            if let Some(inner) = key.parse().ok().and_then(|index: usize| list.get_mut(index)) {
                change_at(inner, rest, digits);
            }
        }
        (Value::String(text), Some(_)) => {
            if let Ok(mut inner) = serde_json::from_str(text) {
                change_at(&mut inner, path, digits);
                *text = inner.to_string();
            }
        }
        (Value::String(text), None) => *text = changed_text(text, digits),
        (Value::Number(number), None) => *number = changed_number(number, digits),
        (Value::Object(_) | Value::Array(_), None) | (Value::Number(_) | Value::Null | Value::Bool(_), _) => {}
    }
}

fn is_id(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ID_WORDS.iter().any(|word| name.ends_with(word))
}

/// The digits with `count` added at their end, place by place, so that the parts of a batch do not become one.
fn counted(digits: &str, count: usize) -> String {
    let mut rest = count;
    let mut counted: Vec<char> = digits
        .chars()
        .rev()
        .map(|digit| {
            let added = u32::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            let sum = digit.to_digit(16).filter(|_| added > 0).map(|value| (value + added) % 10);
            sum.and_then(|sum| char::from_digit(sum, 10)).unwrap_or(digit)
        })
        .collect();
    counted.reverse();
    counted.into_iter().collect()
}

/// The last letters and digits change; what stands between and before them stays.
fn changed_text(text: &str, digits: &str) -> String {
    let mut fresh = digits.chars().rev().take(CHANGED_CHARS).filter(char::is_ascii_hexdigit);
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let mut changed: Vec<char> =
        text.chars()
            .rev()
            .map(|old| {
                if old.is_ascii_alphanumeric() { fresh.next().map_or(old, |new| of_kind(new, is_number)) } else { old }
            })
            .collect();
    changed.reverse();
    changed.into_iter().collect()
}

fn changed_number(number: &Number, digits: &str) -> Number {
    let text = changed_text(&number.to_string(), digits);
    let text = if text.starts_with('0') { text.replacen('0', "1", 1) } else { text };
    serde_json::from_str(&text).unwrap_or_else(|_| number.clone())
}

/// A hex digit as a decimal one, where only those may stand.
fn of_kind(digit: char, is_number: bool) -> char {
    match digit.to_digit(16) {
        Some(value) if is_number => char::from_digit(value % 10, 10).unwrap_or(digit),
        Some(_) | None => digit,
    }
}

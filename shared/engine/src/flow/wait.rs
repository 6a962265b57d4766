//! `flow.wait`: until a time or an answer.

use domain::{Failure, Timestamp};
use serde_json::{Map, Value};

use super::{DURATION_LIMIT_SECONDS, Here, awaited, duration_seconds, missing, value, wrong};
use crate::cast::as_instant;
use crate::journal::Outcome;
use crate::pending::{Pending, Question, Wait};

/// How many choices a question may have, and characters each of them.
const CHOICES_LIMIT: usize = 20;
const CHOICE_LIMIT_CHARACTERS: usize = 64;

const NANOSECONDS_PER_MILLISECOND: i128 = 1_000_000;

pub(super) fn begin(params: &Map<String, Value>, here: Here) -> Result<Outcome, Failure> {
    let (answer, event) = match ["for", "until", "answer", "event"].map(|name| value(params, name)) {
        [Some(duration), None, None, None] => return at(here.now.plus_seconds(seconds("for", duration)?), here),
        [None, Some(instant), None, None] => return at(instant_of(instant)?, here),
        [None, None, Some(answer), None] => (Some(question(answer)?), None),
        [None, None, None, Some(event)] => (None, Some(awaited::read(event)?)),
        [None, None, None, None] => return Err(missing("for")),
        _ => {
            let message = "Wait either `for` a duration, `until` a time, for an `answer`, or for an `event`.";
            return Err(Failure::new("wrong_params", message));
        }
    };
    let timeout = value(params, "timeout").map(|duration| seconds("timeout", duration)).transpose()?;
    let until = here.now.plus_seconds(timeout.unwrap_or(DURATION_LIMIT_SECONDS));
    Ok(Outcome::Pending(Pending::Wait(Wait { until, answer, event })))
}

fn at(until: Timestamp, here: Here) -> Result<Outcome, Failure> {
    if until > here.now.plus_seconds(DURATION_LIMIT_SECONDS) {
        let message = format!("A run waits for 366 days at the most, and {until} is later than that.");
        return Err(Failure::new("wait_too_long", message));
    }
    Ok(Outcome::Pending(Pending::Wait(Wait { until, answer: None, event: None })))
}

fn seconds(name: &str, duration: &Value) -> Result<i64, Failure> {
    duration_seconds(duration).map_err(|sentence| {
        Failure::new("wrong_duration", format!("The param `{name}` says no time that can be waited. {sentence}"))
    })
}

/// The time that a value says: RFC 3339, an ISO date (its midnight in UTC), or milliseconds since 1970.
pub fn instant(value: &Value) -> Option<Timestamp> {
    let milliseconds = as_instant(value)? / NANOSECONDS_PER_MILLISECOND;
    i64::try_from(milliseconds).ok().map(Timestamp::from_millisecond)
}

fn instant_of(value: &Value) -> Result<Timestamp, Failure> {
    instant(value).ok_or_else(|| {
        let message = format!(
            "The param `until` is {}, which is no time. Write it as 2026-12-24T18:00:00Z, as a date, or as milliseconds since 1970.",
            domain::shortened(&value.to_string(), 60)
        );
        Failure::new("wrong_time", message)
    })
}

/// `true`, or `{"question":"Refund 120 EUR?","choices":["approve","reject"]}`.
fn question(answer: &Value) -> Result<Question, Failure> {
    let object = match answer {
        Value::Bool(true) => return Ok(Question { text: None, choices: Vec::new() }),
        Value::Object(object) => object,
        Value::Null | Value::Bool(false) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(wrong("answer", "`true`, or an object with `question` and `choices`"));
        }
    };
    let text = match value(object, "question") {
        None => None,
        Some(Value::String(text)) => Some(domain::shortened(text, 1_000)),
        Some(_) => return Err(wrong("answer.question", "a text")),
    };
    let choices = match value(object, "choices") {
        None => Vec::new(),
        Some(Value::Array(choices)) => choices.iter().map(choice).collect::<Result<Vec<String>, Failure>>()?,
        Some(_) => return Err(wrong("answer.choices", "a list of texts")),
    };
    if choices.len() > CHOICES_LIMIT {
        return Err(wrong("answer.choices", &format!("a list of at most {CHOICES_LIMIT} texts")));
    }
    Ok(Question { text, choices })
}

fn choice(choice: &Value) -> Result<String, Failure> {
    let text = choice.as_str().filter(|text| (1..=CHOICE_LIMIT_CHARACTERS).contains(&text.chars().count()));
    text.map(str::to_owned).ok_or_else(|| {
        wrong("answer.choices", &format!("a list of texts of 1 to {CHOICE_LIMIT_CHARACTERS} characters"))
    })
}

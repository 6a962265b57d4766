//! `flow.wait`: until a time, an event or an answer.

use domain::{Failure, Timestamp};
use serde_json::{Map, Value};

use super::{DURATION_LIMIT_SECONDS, Here, duration_seconds, missing, pending, value, wrong};
use crate::cast::{as_instant, loosely_equal};
use crate::journal::Outcome;
use crate::path::Path;
use crate::pending::{Awaited, Pending, Question, Wait};

/// How many choices a question may have, and characters each of them.
const CHOICES_LIMIT: usize = 20;
const CHOICE_LIMIT_CHARACTERS: usize = 64;

/// How many paths of an event may be compared.
const MATCH_LIMIT: usize = 20;

/// How long the name of an event may be.
const EVENT_NAME_LIMIT_BYTES: usize = 256;

const NANOSECONDS_PER_MILLISECOND: i128 = 1_000_000;

pub(super) fn begin(params: &Map<String, Value>, here: Here) -> Result<Outcome, Failure> {
    let given = ["for", "until", "event", "answer"].map(|name| value(params, name));
    let (event, answer) = match given {
        [Some(duration), None, None, None] => return at(here.now.plus_seconds(seconds("for", duration)?), here),
        [None, Some(instant), None, None] => return at(instant_of(instant)?, here),
        [None, None, Some(event), None] => (Some(awaited(event)?), None),
        [None, None, None, Some(answer)] => (None, Some(question(answer)?)),
        [None, None, None, None] => return Err(missing("for")),
        _ => {
            let message = "Wait either `for` a duration, `until` a time, for an `event` or for an `answer`.";
            return Err(Failure::new("wrong_params", message));
        }
    };
    let timeout = value(params, "timeout").map(|duration| seconds("timeout", duration)).transpose()?;
    let until = here.now.plus_seconds(timeout.unwrap_or(DURATION_LIMIT_SECONDS));
    Ok(pending(Pending::Wait(Wait { until, event, answer })))
}

fn at(until: Timestamp, here: Here) -> Result<Outcome, Failure> {
    if until > here.now.plus_seconds(DURATION_LIMIT_SECONDS) {
        let message = format!("A run waits for 366 days at the most, and {until} is later than that.");
        return Err(Failure::new("wait_too_long", message));
    }
    Ok(pending(Pending::Wait(Wait { until, event: None, answer: None })))
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

/// `"orders.paid"`, or `{"name":"orders.paid","match":{"attributes.data.orderId":"A-1"}}`.
fn awaited(event: &Value) -> Result<Awaited, Failure> {
    let object = match event {
        Value::String(name) => return Ok(Awaited { name: event_name(name)?, matching: Map::new() }),
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err(wrong("event", "the name of an event, or an object with `name` and `match`"));
        }
    };
    let name = value(object, "name").and_then(Value::as_str).ok_or_else(|| missing("event.name"))?;
    let matching = match value(object, "match") {
        None => Map::new(),
        Some(Value::Object(matching)) => matching.clone(),
        Some(_) => return Err(wrong("event.match", "an object with a path for each value")),
    };
    if matching.len() > MATCH_LIMIT {
        return Err(wrong("event.match", &format!("an object with at most {MATCH_LIMIT} paths")));
    }
    for path in matching.keys() {
        Path::parse(path).map_err(|reason| {
            Failure::new(
                "wrong_param",
                format!("The path `{}` of `event.match` is none: {reason}.", domain::shortened(path, 60)),
            )
        })?;
    }
    Ok(Awaited { name: event_name(name)?, matching })
}

fn event_name(name: &str) -> Result<String, Failure> {
    match name.len() {
        1..=EVENT_NAME_LIMIT_BYTES => Ok(name.to_owned()),
        _ => Err(wrong("event.name", "the name of an event, of 1 to 256 bytes")),
    }
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

/// Whether an event is the one that is waited for; `seen` is what a workflow would see of it as step 1.
pub fn matches(awaited: &Awaited, seen: &Value) -> bool {
    awaited.matching.iter().all(|(path, wanted)| {
        let found = Path::parse(path).ok();
        loosely_equal(found.as_ref().and_then(|path| path.find_below(seen)), Some(wanted))
    })
}

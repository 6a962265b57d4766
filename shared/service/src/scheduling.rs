//! When a workflow is to be called, as steps and requests say it.

use domain::{Failure, Timestamp, shortened};
use engine::flow::{DURATION_LIMIT_SECONDS, instant};
use serde_json::{Map, Value};

use crate::{
    envelope::Named,
    execute::delay_seconds,
    ports::{Queue, Unavailable},
    runs,
};

/// How many scheduled runs an org has started in a quarter of an hour; the rest wait for the next one. *Source*: reference,
/// section 4.7.
pub(crate) const TURNS_LIMIT: u32 = 1_000;

/// How long the message is held back at the least. *Why*: a step sends it before what it schedules is written.
const LEAST_SECONDS: u32 = 1;

/// The time that `runAt` says at `now`: `{"type":"relative","value":600000}`, in milliseconds; `{"type":"absolute",
/// "value":"2026-12-24T18:00:00Z"}`; or the time itself. What is past is now.
///
/// *Errors*: a failure where it is no time, or more than 366 days away.
pub(crate) fn read_run_at(run_at: Option<&Value>, now: Timestamp) -> Result<Timestamp, Failure> {
    let at = match run_at {
        None | Some(Value::Null) => {
            let message =
                "The param `runAt` is missing. Write {\"type\": \"relative\", \"value\": 600000} for in ten minutes.";
            return Err(Failure::new("missing_param", message));
        }
        Some(Value::Object(object)) => of_object(object, now)?,
        Some(value) => absolute(value)?,
    };
    if at > now.plus_seconds(DURATION_LIMIT_SECONDS) {
        return Err(wrong(&format!("{at} is more than 366 days away")));
    }
    Ok(at.max(now))
}

/// Has what is due soon begin to the second, and not by the next tick: its message is sent at once, and held back. Its timer
/// makes up for one that is lost.
pub(crate) async fn remind(
    queue: &dyn Queue,
    named: Named,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<(), Unavailable> {
    if runs::needs_timer(due_at, now) {
        return Ok(());
    }
    queue.send_later(named.org(), named.message()?, delay_seconds(now, due_at).max(LEAST_SECONDS)).await
}

fn of_object(object: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Failure> {
    let value = object.get("value").unwrap_or(&Value::Null);
    match object.get("type").and_then(Value::as_str) {
        Some("relative") => {
            let number = match value {
                Value::Number(number) => number.as_i64(),
                Value::String(text) => text.trim().parse().ok(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
            };
            let milliseconds = number.filter(|milliseconds| *milliseconds >= 0).ok_or_else(|| {
                wrong(&format!("{} is no number of milliseconds from now on", shortened(&value.to_string(), 60)))
            })?;
            Ok(Timestamp::from_millisecond(now.as_millisecond().saturating_add(milliseconds)))
        }
        Some("absolute") => absolute(value),
        Some(_) | None => Err(wrong("its `type` is neither \"relative\" nor \"absolute\"")),
    }
}

fn absolute(value: &Value) -> Result<Timestamp, Failure> {
    instant(value).ok_or_else(|| wrong(&format!("{} is no time", shortened(&value.to_string(), 60))))
}

fn wrong(why: &str) -> Failure {
    let message = format!(
        "The param `runAt` cannot be kept: {why}. Write {{\"type\": \"relative\", \"value\": 600000}}, in milliseconds, or {{\"type\": \
         \"absolute\", \"value\": \"2026-12-24T18:00:00Z\"}}."
    );
    Failure::new("wrong_time", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_read_as_milliseconds_from_now_on_or_as_itself() {
        let now = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        for (written, at) in [
            (json!({ "type": "relative", "value": 0 }), "2026-11-22T12:00:00.000Z"),
            (json!({ "type": "relative", "value": 600_000 }), "2026-11-22T12:10:00.000Z"),
            (json!({ "type": "relative", "value": "1500" }), "2026-11-22T12:00:01.500Z"),
            (json!({ "type": "relative", "value": 366_i64 * 86_400_000 }), "2027-11-23T12:00:00.000Z"),
            (json!({ "type": "absolute", "value": "2026-12-24T18:00:00+01:00" }), "2026-12-24T17:00:00.000Z"),
            (json!({ "type": "absolute", "value": "2026-12-24" }), "2026-12-24T00:00:00.000Z"),
            (json!("2017-12-22T05:23:02Z"), "2026-11-22T12:00:00.000Z"),
        ] {
            assert_eq!(read_run_at(Some(&written), now).unwrap().to_string(), at, "{written}");
        }
        for written in [
            json!(null),
            json!({}),
            json!({ "type": "later", "value": 5 }),
            json!({ "type": "relative", "value": -1 }),
            json!({ "type": "relative", "value": 1.5 }),
            json!({ "type": "relative", "value": 366_i64 * 86_400_000 + 1 }),
            json!({ "type": "absolute", "value": "2027-02-30T00:00:00Z" }),
            json!({ "type": "absolute", "value": "2999-01-01" }),
            json!("soon"),
        ] {
            assert!(read_run_at(Some(&written), now).is_err(), "{written}");
        }
    }
}

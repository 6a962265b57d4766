//! How long something takes, as authors write it.

use jiff::{Span, SpanRelativeTo, Unit};
use serde_json::Value;

/// The longest duration: a leap year.
pub const DURATION_LIMIT_SECONDS: i64 = 366 * 24 * 60 * 60;

/// How many seconds `value` says: `"PT90S"`, `"P3DT12H"`, `"2h 30m"`, `"3 days"`, or a number of seconds. A day has 24 hours.
///
/// *Errors* — a sentence: it is no duration, negative, of months or years, or longer than [`DURATION_LIMIT_SECONDS`].
pub fn duration_seconds(value: &Value) -> Result<i64, String> {
    let seconds = match value {
        Value::Number(number) => number.as_i64().ok_or("A number of seconds is a whole one.")?,
        Value::String(text) => seconds_of(text)?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return Err(format!("A duration is a text such as {EXAMPLES}, or a number of seconds."));
        }
    };
    match seconds {
        ..0 => Err("A duration is not negative.".to_owned()),
        0..=DURATION_LIMIT_SECONDS => Ok(seconds),
        _ => Err("A duration has at most 366 days.".to_owned()),
    }
}

const EXAMPLES: &str = "\"PT90S\", \"P3DT12H\", \"2h 30m\" or \"3 days\"";

fn seconds_of(text: &str) -> Result<i64, String> {
    let shown = domain::shortened(text, 60);
    let span: Span =
        text.trim().parse().map_err(|_| format!("\"{shown}\" is no duration; write it like {EXAMPLES}."))?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return Err("Months and years are of different lengths; write a duration in weeks, days or hours.".to_owned());
    }
    let seconds = span.total((Unit::Second, SpanRelativeTo::days_are_24_hours()));
    let seconds = seconds.map_err(|_| format!("\"{shown}\" is longer than 366 days."))?;
    // What is out of the range of an i64 is out of ours as well.
    Ok(seconds.ceil() as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_are_read_as_people_and_machines_write_them() {
        for (written, seconds) in [
            (json!("PT90S"), 90),
            (json!("P3DT12H"), 302_400),
            (json!("P1W"), 604_800),
            (json!("2h 30m"), 9_000),
            (json!("3 days"), 259_200),
            (json!("0s"), 0),
            (json!("PT0.5S"), 1),
            (json!(60), 60),
            (json!("366d"), DURATION_LIMIT_SECONDS),
            (json!(DURATION_LIMIT_SECONDS), DURATION_LIMIT_SECONDS),
        ] {
            assert_eq!(duration_seconds(&written), Ok(seconds), "{written}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_a_sentence() {
        for written in [
            json!(""),
            json!("soon"),
            json!("5"),
            json!("-PT5S"),
            json!(-1),
            json!(1.5),
            json!("1 month"),
            json!("P1Y"),
            json!("366d 1s"),
            json!(DURATION_LIMIT_SECONDS + 1),
            json!(1e300),
            json!("P99999999999999D"),
            json!("100000 weeks"),
            json!(null),
            json!([]),
        ] {
            assert!(duration_seconds(&written).is_err(), "{written}");
        }
    }
}

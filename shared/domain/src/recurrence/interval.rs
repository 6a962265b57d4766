//! Recurrences at a fixed distance.

use serde_json::{Map, Value, json};

use super::{quoted, refused};
use crate::{Rejected, Timestamp};

/// The shortest distance between two occurrences. *Source*: the ticker looks for what is due once a minute.
const LEAST_SECONDS: u64 = 60;

/// The longest distance between two occurrences: a year with its leap day.
const MOST_SECONDS: u64 = 366 * 86_400;

/// Where an interval that says nothing else is anchored: 1970-01-01T00:00:00Z.
const EPOCH: Timestamp = Timestamp::from_millisecond(0);

/// The units, and how many seconds each has.
const UNITS: [(&str, u64); 4] = [("seconds", 1), ("minutes", 60), ("hours", 3_600), ("days", 86_400)];

/// How to write the distance, for refusals.
const FORM: &str = r#"write {"minutes":15}, with one of seconds, minutes, hours and days"#;

/// Occurrences at `from`, at `from` and the distance, at `from` and twice the distance, and so on; none before `from`.
///
/// *Shape*: `{"every":{"minutes":15},"from":"2026-01-01T00:00:00.000Z"}`.
/// *Units and limits*: at least 60 seconds, at most 366 days. A day is 24 hours: a clock that is put forward or back moves
/// what it shows at the occurrences. Whoever means nine o'clock writes a cron line.
/// *Why the epoch unless `from` says otherwise*: every 15 minutes is then at :00, :15, :30 and :45, and what a preview shows
/// before a schedule is saved is what happens afterwards. *Source*: intervals of Temporal's schedules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    unit: &'static str,
    count: u64,
    seconds: i64,
    from: Option<Timestamp>,
}

impl Interval {
    /// *Errors*: a refusal with the path of what is wrong.
    pub(super) fn parse(every: &Value, from: Option<&Value>) -> Result<Self, Rejected> {
        let (unit, unit_seconds, amount) = sole_member(every)?;

        let path = format!("$.every.{unit}");
        let Some(count) = amount.as_u64().filter(|count| *count > 0) else {
            let sentence =
                format!("The number of {unit} is a whole number such as 15, and {} is none.", quoted(amount));
            return Err(refused(&path, sentence));
        };
        let seconds = count.saturating_mul(unit_seconds);
        if !(LEAST_SECONDS..=MOST_SECONDS).contains(&seconds) {
            let sentence = format!("An interval is at least 60 seconds and at most 366 days; {count} {unit} is not.");
            return Err(refused(&path, sentence));
        }
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);

        let from = from.map(parse_from).transpose()?;
        Ok(Self { unit, count, seconds, from })
    }

    pub(super) fn document(&self) -> Value {
        let every: Map<String, Value> = [(self.unit.to_owned(), json!(self.count))].into_iter().collect();
        match self.from {
            Some(from) => json!({"every": every, "from": from}),
            None => json!({"every": every}),
        }
    }

    pub(super) fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        let from = self.from.unwrap_or(EPOCH);
        if instant < from {
            return Some(from);
        }
        let step_ms = self.seconds.checked_mul(1_000)?;
        let gone_ms = instant.as_millisecond().checked_sub(from.as_millisecond())?;
        let steps = gone_ms.checked_div(step_ms)?.checked_add(1)?;
        let next_ms = step_ms.checked_mul(steps)?.checked_add(from.as_millisecond())?;
        jiff::Timestamp::from_millisecond(next_ms).ok()?;
        Some(Timestamp::from_millisecond(next_ms))
    }
}

/// The one unit of `every`, its seconds, and what was written for it.
fn sole_member(every: &Value) -> Result<(&'static str, u64, &Value), Rejected> {
    let Some(members) = every.as_object() else {
        return Err(refused("$.every", format!("`every` is an object, not {}; {FORM}.", quoted(every))));
    };
    let mut members = members.iter();
    let (Some((name, amount)), None) = (members.next(), members.next()) else {
        let sentence = format!("`every` has exactly one unit, and {} has not; {FORM}.", quoted(every));
        return Err(refused("$.every", sentence));
    };
    let Some((unit, seconds)) = UNITS.iter().find(|(unit, _)| unit == name) else {
        return Err(refused("$.every", format!("There is no such unit in {}; {FORM}.", quoted(every))));
    };
    Ok((unit, *seconds, amount))
}

fn parse_from(value: &Value) -> Result<Timestamp, Rejected> {
    value.as_str().and_then(Timestamp::parse).ok_or_else(|| {
        let sentence = format!(
            "{} is no instant; write it with its offset, as 2026-01-01T00:00:00Z or 2026-01-01T09:00:00+01:00.",
            quoted(value)
        );
        refused("$.from", sentence)
    })
}

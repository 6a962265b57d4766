//! Recurrences: the instants at which a schedule starts its workflow, again and again.
//!
//! | written as | means | counted on |
//! | --- | --- | --- |
//! | `{"cron":"0 9 * * MON-FRI","timeZone":"Europe/Berlin"}` | times of a wall clock | the calendar of a time zone ([`Cron`]) |
//! | `{"every":{"minutes":15},"from":"2026-01-01T00:00:00Z"}` | a fixed distance | the line of instants ([`Interval`]) |
//!
//! A recurrence is a set of instants that nothing but its document decides: no clock, no restart and no earlier occurrence
//! moves it. Whoever remembers up to which planned instant all is started, and asks for the [next](Recurrence::next_after)
//! one from there, meets each occurrence exactly once, wherever the clock has jumped meanwhile.

mod cron;
mod field;
mod interval;
mod wall_clock;

use std::iter;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

pub use cron::Cron;
pub use interval::Interval;

use crate::{Rejected, Timestamp, shortened};

/// How much of what was sent a refusal quotes.
const QUOTE_LIMIT_CHARS: usize = 60;

/// Both ways to write a recurrence, for refusals.
const FORMS: &str = r#"Write {"cron":"0 9 * * MON-FRI","timeZone":"Europe/Berlin"} or {"every":{"minutes":15},"from":"2026-01-01T00:00:00Z"}"#;

/// When something starts again and again.
///
/// *Why two shapes and not one text*: the parts are checked one by one and told of with their paths, and neither can be
/// taken for the other; what AWS writes as `rate(15 minutes)` and `cron(…)` says the same.
#[derive(Debug, Clone, PartialEq)]
pub enum Recurrence {
    /// At times of a wall clock.
    Cron(Cron),
    /// At a fixed distance.
    Every(Interval),
}

impl Recurrence {
    /// The recurrence that `document` describes.
    ///
    /// *Errors*: `never_fires` for a cron line of days that no calendar has, such as 30 February; `bad_recurrence` for all
    /// else that is wrong. The path is that of the member, with `$` for the document, and the sentence says how to write it.
    pub fn parse(document: &Value) -> Result<Self, Rejected> {
        let Some(members) = document.as_object() else {
            let sentence = format!("A recurrence is an object, not {}. {FORMS}.", quoted(document));
            return Err(refused("$", sentence));
        };
        match (members.get("cron"), members.get("every")) {
            (Some(line), None) => {
                only(members, ["cron", "timeZone"], "cron")?;
                Cron::parse(line, members.get("timeZone")).map(Self::Cron)
            }
            (None, Some(every)) => {
                only(members, ["every", "from"], "every")?;
                Interval::parse(every, members.get("from")).map(Self::Every)
            }
            (Some(_), Some(_)) => {
                Err(refused("$", format!("A recurrence has either `cron` or `every`, and this one has both. {FORMS}.")))
            }
            (None, None) => Err(refused("$", format!("A recurrence has `cron` or `every`. {FORMS}."))),
        }
    }

    /// The recurrence as its document, with the time zone that it is in; [`parse`](Self::parse) reads the same from it.
    pub fn document(&self) -> Value {
        match self {
            Self::Cron(cron) => cron.document(),
            Self::Every(interval) => interval.document(),
        }
    }

    /// The first occurrence that is later than `instant`; none where the calendar ends.
    ///
    /// *Units and limits*: for a cron line the calendar ends with the year 4999, for an interval with 9999.
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.next_after(instant),
            Self::Every(interval) => interval.next_after(instant),
        }
    }

    /// The next `count` occurrences that are later than `instant`, earliest first, to be shown before anything is saved.
    pub fn upcoming(&self, instant: Timestamp, count: usize) -> Vec<Timestamp> {
        iter::successors(self.next_after(instant), |last| self.next_after(*last)).take(count).collect()
    }
}

impl Serialize for Recurrence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Recurrence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// *Errors*: there is a member beside these.
fn only(members: &Map<String, Value>, known: [&str; 2], kind: &str) -> Result<(), Rejected> {
    let Some(stranger) = members.keys().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let stranger = shortened(stranger, QUOTE_LIMIT_CHARS);
    let [first, second] = known;
    let sentence = format!("A recurrence by `{kind}` has `{first}` and `{second}` and no {stranger:?}. {FORMS}.");
    Err(refused("$", sentence))
}

fn refused(path: &str, sentence: String) -> Rejected {
    Rejected::at(path, "bad_recurrence", sentence)
}

/// What was sent, short enough for a sentence.
fn quoted(value: &Value) -> String {
    shortened(&value.to_string(), QUOTE_LIMIT_CHARS)
}

//! Business schedules: the hours in which somebody is there.

use std::collections::BTreeMap;

use jiff::{
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{OrgId, ScheduleId, Timestamp};

const NAME_LIMIT_CHARS: usize = 128;

/// The most spans of one day.
const SPANS_LIMIT: usize = 10;

/// The most holidays of one schedule.
const HOLIDAYS_LIMIT: usize = 366;

const MINUTES_PER_DAY: u16 = 24 * 60;

/// Whether `name` is the IANA name of a time zone, such as `Europe/Berlin`.
pub fn is_time_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// What to say of a name that is none.
pub fn no_time_zone(name: &str) -> String {
    format!("There is no time zone {name:?}; write an IANA name such as Europe/Berlin.")
}

/// The days as documents name them, Monday first as ISO 8601 has it.
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// From one time of a day until before another.
///
/// *Shape*: `{"from":"09:00","to":"17:30"}`; `to` may be `24:00`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// When it begins.
    pub from: String,
    /// When it is over.
    pub to: String,
}

/// A date on which the week's own hours do not hold.
///
/// *Shape*: `{"date":"2026-12-24","name":"Christmas Eve","hours":[{"from":"09:00","to":"12:00"}]}`; without `hours` nobody is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The day.
    pub date: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The hours of that day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Span>,
}

/// The hours in which somebody is there, by day of the week, in a time zone.
///
/// *Shape*: `{"name":"Support","timeZone":"Europe/Berlin","hours":{"monday":[{"from":"09:00","to":"17:00"}]},"holidays":[]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// The schedule.
    pub id: ScheduleId,
    /// Its owner.
    pub org: OrgId,
    /// What people call it.
    pub name: String,
    /// An IANA name.
    pub time_zone: String,
    /// The spans of each day; a day that is missing has none.
    pub hours: BTreeMap<String, Vec<Span>>,
    /// The dates that are otherwise.
    #[serde(default)]
    pub holidays: Vec<Holiday>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Schedule {
    /// The schedule as JSON, without what identifies it.
    pub fn attributes(&self) -> Map<String, Value> {
        let members = [
            ("name", json!(self.name)),
            ("timeZone", json!(self.time_zone)),
            ("hours", json!(self.hours)),
            ("holidays", json!(self.holidays)),
            ("createdAt", json!(self.created_at)),
            ("updatedAt", json!(self.updated_at)),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Whether somebody is there at `instant`.
    pub fn is_open_at(&self, instant: Timestamp) -> bool {
        let Ok(instant) = jiff::Timestamp::from_millisecond(instant.as_millisecond()) else { return false };
        let Ok(zone) = TimeZone::get(&self.time_zone) else { return false };
        let local = instant.to_zoned(zone);
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let is_open = |span: &Span| {
            minutes(&span.from).zip(minutes(&span.to)).is_some_and(|(from, to)| (from..to).contains(&minute))
        };
        self.spans_of(local.date()).iter().any(is_open)
    }

    /// Everything that is wrong with the schedule, with its path and a sentence.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if self.name.is_empty() || self.name.chars().count() > NAME_LIMIT_CHARS {
            problems.push(("$.name".to_owned(), format!("A name has 1 to {NAME_LIMIT_CHARS} characters.")));
        }
        if !is_time_zone(&self.time_zone) {
            problems.push(("$.timeZone".to_owned(), no_time_zone(&self.time_zone)));
        }
        for (day, spans) in &self.hours {
            let path = format!("$.hours.{day}");
            if !WEEKDAYS.contains(&day.as_str()) {
                problems.push((path, format!("There is no day {day:?}; the days are {}.", WEEKDAYS.join(", "))));
                continue;
            }
            problems.extend(span_problems(&path, spans));
        }
        if self.holidays.len() > HOLIDAYS_LIMIT {
            problems.push(("$.holidays".to_owned(), format!("A schedule has at most {HOLIDAYS_LIMIT} holidays.")));
        }
        for (place, holiday) in self.holidays.iter().enumerate().take(HOLIDAYS_LIMIT) {
            // The library reads other spellings of a date, too, and no day would ever equal them.
            if holiday.date.parse::<Date>().ok().is_none_or(|date| date.to_string() != holiday.date) {
                let sentence = format!("{:?} is no date; write it as 2026-12-25.", holiday.date);
                problems.push((format!("$.holidays[{place}].date"), sentence));
            }
            if self.holidays.iter().take(place).any(|other| other.date == holiday.date) {
                let sentence = format!("{:?} comes twice; leave one of them.", holiday.date);
                problems.push((format!("$.holidays[{place}].date"), sentence));
            }
            if holiday.name.as_ref().is_some_and(|name| name.chars().count() > NAME_LIMIT_CHARS) {
                let sentence = format!("A name has at most {NAME_LIMIT_CHARS} characters.");
                problems.push((format!("$.holidays[{place}].name"), sentence));
            }
            problems.extend(span_problems(&format!("$.holidays[{place}].hours"), &holiday.hours));
        }
        problems
    }

    fn spans_of(&self, date: Date) -> &[Span] {
        let written = date.to_string();
        if let Some(holiday) = self.holidays.iter().find(|holiday| holiday.date == written) {
            return &holiday.hours;
        }
        self.hours.get(day_name(date.weekday())).map_or(&[], Vec::as_slice)
    }
}

fn span_problems(path: &str, spans: &[Span]) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    if spans.len() > SPANS_LIMIT {
        problems.push((path.to_owned(), format!("A day has at most {SPANS_LIMIT} spans.")));
    }
    for (place, span) in spans.iter().enumerate().take(SPANS_LIMIT) {
        let is_sound = minutes(&span.from).zip(minutes(&span.to)).is_some_and(|(from, to)| from < to);
        if !is_sound {
            let sentence = format!(
                "{:?} to {:?} is no span of a day; write 09:00 and 17:30, the earlier first, at most 24:00.",
                span.from, span.to
            );
            problems.push((format!("{path}[{place}]"), sentence));
        }
        let overlaps = |other: &Span| {
            let (one, other) =
                (minutes(&span.from).zip(minutes(&span.to)), minutes(&other.from).zip(minutes(&other.to)));
            one.zip(other).is_some_and(|(one, other)| one.0 < other.1 && other.0 < one.1)
        };
        if spans.iter().take(place).any(overlaps) {
            let sentence = format!("{:?} to {:?} overlaps a span before it; make one of them.", span.from, span.to);
            problems.push((format!("{path}[{place}]"), sentence));
        }
    }
    problems
}

fn day_name(day: Weekday) -> &'static str {
    let place = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
    WEEKDAYS.get(place).copied().unwrap_or_default()
}

/// Minutes since midnight of `09:30`; the end of the day is `24:00`.
fn minutes(text: &str) -> Option<u16> {
    if text == "24:00" {
        return Some(MINUTES_PER_DAY);
    }
    if text.len() != "09:30".len() {
        return None;
    }
    let time = Time::strptime("%H:%M", text).ok()?;
    Some(u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(document: Value) -> Schedule {
        let mut document = document;
        for (key, value) in [
            ("id", json!("61785fb332a97930e6ab85d2")),
            ("org", json!("581392b55ac7a2110099d9c8")),
            ("createdAt", json!("2026-11-28T12:00:00.000Z")),
            ("updatedAt", json!("2026-11-28T12:00:00.000Z")),
        ] {
            document[key] = value;
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn somebody_is_there_in_the_hours_of_the_day_in_its_own_time_zone() {
        let berlin = schedule(json!({
            "name": "Support", "timeZone": "Europe/Berlin",
            "hours": {"monday": [{"from": "09:00", "to": "12:00"}, {"from": "13:00", "to": "24:00"}]},
            "holidays": [{"date": "2026-12-28"}, {"date": "2027-01-04", "hours": [{"from": "10:00", "to": "11:00"}]}],
        }));
        assert_eq!(berlin.problems(), []);
        for (instant, expected) in [
            ("2026-11-30T07:59:59.999Z", false),
            ("2026-11-30T08:00:00.000Z", true),
            ("2026-11-30T10:59:59.999Z", true),
            ("2026-11-30T11:00:00.000Z", false),
            ("2026-11-30T22:59:59.999Z", true),
            ("2026-11-30T23:00:00.000Z", false),
            // In summer the same hour is an hour earlier.
            ("2026-07-06T07:00:00.000Z", true),
            ("2026-12-28T09:00:00.000Z", false),
            ("2027-01-04T08:30:00.000Z", false),
            ("2027-01-04T09:30:00.000Z", true),
            ("2026-11-29T10:00:00.000Z", false),
        ] {
            assert_eq!(berlin.is_open_at(Timestamp::parse(instant).unwrap()), expected, "{instant}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_path() {
        let wrong = schedule(json!({
            "name": "", "timeZone": "Mars/Base",
            "hours": {"montag": [], "tuesday": [{"from": "09:00", "to": "12:00"}, {"from": "12:00", "to": "17:00"}, {"from": "11:59", "to": "12:01"}], "monday": [{"from": "17:00", "to": "09:00"}, {"from": "9:00", "to": "25:00"}]},
            "holidays": [{"date": "2026-02-30"}, {"date": "20261225"}, {"date": "2026-12-25T00:00:00"}, {"date": "2026-12-24", "name": "x".repeat(129)}, {"date": "2026-12-24"}],
        }));
        let paths: Vec<String> = wrong.problems().into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            paths,
            [
                "$.name",
                "$.timeZone",
                "$.hours.monday[0]",
                "$.hours.monday[1]",
                "$.hours.montag",
                "$.hours.tuesday[2]",
                "$.holidays[0].date",
                "$.holidays[1].date",
                "$.holidays[2].date",
                "$.holidays[3].name",
                "$.holidays[4].date"
            ]
        );
    }
}

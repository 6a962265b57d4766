//! Recurrences by cron lines, on the wall clock of a time zone.

use croner::parser::{CronParser, Seconds, Year};
use jiff::{
    civil::{DateTime, date},
    tz::TimeZone,
};
use serde_json::{Value, json};

use super::{QUOTE_LIMIT_CHARS, field::FIELDS, quoted, refused, wall_clock::instant_of};
use crate::{Rejected, Timestamp, no_time_zone, shortened};

/// The most characters of a cron line. *Source*: an expression of AWS's scheduler.
const LINE_LIMIT_CHARS: usize = 256;

/// The words that stand for a whole line. *Source*: crontab(5), without `@reboot`, as nothing here is booted.
const WORDS: [(&str, &str); 7] = [
    ("@YEARLY", "0 0 1 1 *"),
    ("@ANNUALLY", "0 0 1 1 *"),
    ("@MONTHLY", "0 0 1 * *"),
    ("@WEEKLY", "0 0 * * 0"),
    ("@DAILY", "0 0 * * *"),
    ("@MIDNIGHT", "0 0 * * *"),
    ("@HOURLY", "0 * * * *"),
];

/// The last year with occurrences. *Source*: the library looks no further than the year 5000.
const LAST_YEAR: i16 = 4_999;

/// From where on a line is tried out whether it ever fires. The calendar repeats itself every 400 years, and so many are left
/// until the library gives up.
const TRIAL: DateTime = date(LAST_YEAR - 399, 1, 1).at(0, 0, 0, 0);

/// Occurrences at the times of a wall clock that a cron line names.
///
/// *Shape*: `{"cron":"0 9 * * MON-FRI","timeZone":"Europe/Berlin"}`; UTC unless it is said.
/// *Units and limits*: five fields (minute, hour, day of month, month, day of week), to the minute, at most 256 characters.
/// Where both days are restricted (neither is `*` or `?`), either is enough.
/// Of a time that the clock shows twice the first counts; one that it leaves out counts when the clock is put forward, and
/// all that fall into one gap are one occurrence.
/// *Source*: crontab(5), with `L`, `W` and `#` as Quartz has them; a day of the week is counted as there, 0 being Sunday,
/// and not as Quartz and AWS count it. *Why every time once, and `*/15` too*: an occurrence is known by its time, and who
/// means a distance writes an interval. AWS's scheduler does not repeat one either.
#[derive(Debug, Clone, PartialEq)]
pub struct Cron {
    line: String,
    fields: Box<croner::Cron>,
    zone: TimeZone,
}

impl Cron {
    /// *Errors*: a refusal with the path of what is wrong.
    pub(super) fn parse(line: &Value, zone: Option<&Value>) -> Result<Self, Rejected> {
        let Some(line) = line.as_str() else {
            let sentence = format!("`cron` is text such as \"0 9 * * MON-FRI\", not {}.", quoted(line));
            return Err(refused("$.cron", sentence));
        };
        let line = line.trim();
        let fields = parse_line(line).map_err(|sentence| refused("$.cron", sentence))?;
        if fields.find_next_occurrence(&TRIAL, true).is_err() {
            let sentence = format!(
                "The cron line {:?} never fires: no year has such a day. Choose a day of month that the month has; L is its last one.",
                shortened(line, QUOTE_LIMIT_CHARS)
            );
            return Err(Rejected::at("$.cron", "never_fires", sentence));
        }
        Ok(Self { line: line.to_owned(), fields: Box::new(fields), zone: zone.map_or(Ok(TimeZone::UTC), parse_zone)? })
    }

    pub(super) fn document(&self) -> Value {
        json!({"cron": self.line, "timeZone": self.zone.iana_name()})
    }

    pub(super) fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        let instant = jiff::Timestamp::from_millisecond(instant.as_millisecond()).ok()?;
        let mut wall = self.zone.to_datetime(instant);
        // Once is enough, unless the clock has been put back just now: then what it shows again is left out, at most a day
        // of minutes where a country has repeated one.
        loop {
            wall = self.fields.find_next_occurrence(&wall, false).ok()?;
            if wall.year() > LAST_YEAR {
                return None;
            }
            let planned = instant_of(&self.zone, wall)?;
            if planned > instant {
                return Some(Timestamp::from_millisecond(planned.as_millisecond()));
            }
        }
    }
}

/// *Errors*: a sentence that says which field is wrong and how to write it.
fn parse_line(line: &str) -> Result<croner::Cron, String> {
    let quote = shortened(line, QUOTE_LIMIT_CHARS);
    if line.chars().count() > LINE_LIMIT_CHARS {
        return Err(format!("A cron line has at most {LINE_LIMIT_CHARS} characters; make two schedules of it."));
    }
    let upper = line.to_ascii_uppercase();
    let written = if upper.starts_with('@') { line_of_word(&upper)? } else { upper.as_str() };
    if ["CRON(", "RATE(", "AT("].iter().any(|call| written.starts_with(call)) {
        return Err(format!(
            "{quote:?} is how AWS writes it; write the five fields alone, without the year, as in \"0 9 * * MON-FRI\", and a rate as `every`."
        ));
    }
    if written.contains('=') {
        return Err(format!("{quote:?} sets a variable; write the time zone as `timeZone` beside `cron`."));
    }

    let texts: Vec<&str> = written.split_whitespace().collect();
    if texts.len() != FIELDS.len() {
        return Err(format!(
            "A cron line has five fields, minute, hour, day of month, month and day of week, without seconds and years, as in \"0 9 * * MON-FRI\"; {quote:?} has {}.",
            texts.len()
        ));
    }
    FIELDS.iter().zip(&texts).try_for_each(|(field, text)| field.check(text))?;

    // Steps from a single number on (`5/15`) are what Quartz and AWS write.
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).sloppy_ranges(true).build();
    parser
        .parse(&texts.join(" "))
        .map_err(|_| format!("The cron line {quote:?} cannot be read; write it as \"0 9 * * MON-FRI\"."))
}

fn line_of_word(word: &str) -> Result<&'static str, String> {
    WORDS.iter().find(|(known, _)| *known == word).map(|(_, line)| *line).ok_or_else(|| {
        format!(
            "There is no {:?}; write @hourly, @daily, @weekly, @monthly or @yearly, or five fields, and a distance as `every`.",
            shortened(&word.to_ascii_lowercase(), QUOTE_LIMIT_CHARS)
        )
    })
}

fn parse_zone(name: &Value) -> Result<TimeZone, Rejected> {
    let Some(name) = name.as_str() else {
        let sentence = format!("`timeZone` is an IANA name such as \"Europe/Berlin\", not {}.", quoted(name));
        return Err(refused("$.timeZone", sentence));
    };
    // The database has one zone that stands for none, and no name for it.
    TimeZone::get(name)
        .ok()
        .filter(|zone| zone.iana_name().is_some())
        .ok_or_else(|| refused("$.timeZone", no_time_zone(&shortened(name, QUOTE_LIMIT_CHARS))))
}

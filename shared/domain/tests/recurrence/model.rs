//! A second reading of cron lines and wall clocks, slow and plain, to hold the first against.
//!
//! It asks of each minute of the wall clock whether the line names it, and learns what the clock shows by letting time run.

use std::collections::BTreeSet;

use jiff::{
    Span, Timestamp,
    civil::{DateTime, Weekday},
    tz::TimeZone,
};

/// The numbers of each field, and whether the days are restricted; for lines of `*`, numbers, lists, ranges and steps.
pub(crate) struct Line {
    fields: [BTreeSet<i8>; 5],
    is_month_day_free: bool,
    is_week_day_free: bool,
}

impl Line {
    pub(crate) fn read(line: &str) -> Self {
        let texts: Vec<&str> = line.split_whitespace().collect();
        let ends = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
        let fields = std::array::from_fn(|place| numbers(texts[place], ends[place]));
        Self { fields, is_month_day_free: texts[2] == "*", is_week_day_free: texts[4] == "*" }
    }

    pub(crate) fn names(&self, wall: DateTime) -> bool {
        let [minutes, hours, month_days, months, week_days] = &self.fields;
        let day = wall.date();
        let is_month_day = month_days.contains(&day.day());
        let is_week_day = week_days.contains(&day.weekday().to_sunday_zero_offset())
            || day.weekday() == Weekday::Sunday && week_days.contains(&7);
        let is_day = match (self.is_month_day_free, self.is_week_day_free) {
            (true, true) => true,
            (true, false) => is_week_day,
            (false, true) => is_month_day,
            (false, false) => is_month_day || is_week_day,
        };
        is_day && months.contains(&day.month()) && hours.contains(&wall.hour()) && minutes.contains(&wall.minute())
    }
}

fn numbers(text: &str, (low, high): (i8, i8)) -> BTreeSet<i8> {
    let entry = |entry: &str| {
        let (range, step) = entry.split_once('/').map_or((entry, None), |(range, step)| (range, Some(step)));
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((first, last)) => (first.parse().unwrap(), last.parse().unwrap()),
            None => (range.parse().unwrap(), if step.is_some() { high } else { range.parse().unwrap() }),
        };
        (first..=last).step_by(step.map_or(1, |step| step.parse().unwrap())).collect::<Vec<i8>>()
    };
    text.split(',').flat_map(entry).collect()
}

/// The occurrences of `line` later than `from` and not later than `to`, both whole minutes of the wall clock of `zone`.
///
/// Time runs in steps of half a minute, and the wall clock is read at each: where it has not been put back past what it
/// showed before, the times since are new. That the first of a jump forward takes all left out in it is the rule itself.
pub(crate) fn occurrences(line: &Line, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let half_a_minute = Span::new().seconds(30);
    let minute = Span::new().minutes(1);
    let mut found = Vec::new();

    // What the clock has shown before `from` is seen by beginning a day and more before it.
    let mut instant = from - Span::new().hours(30);
    let mut shown = zone.to_datetime(instant);
    while instant < to {
        instant += half_a_minute;
        let shows = zone.to_datetime(instant);
        if shows <= shown {
            continue;
        }
        let mut new = shown.with().second(0).subsec_nanosecond(0).build().unwrap() + minute;
        let mut is_named = false;
        while new <= shows {
            is_named |= line.names(new);
            new += minute;
        }
        if is_named && instant > from {
            found.push(instant);
        }
        shown = shows;
    }
    found
}

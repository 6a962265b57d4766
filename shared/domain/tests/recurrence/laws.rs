//! What holds of any recurrence, in any time zone, and wherever the clock jumps.

use std::collections::BTreeSet;

use domain::{Recurrence, Timestamp};
use jiff::{Span, tz, tz::TimeZone};
use proptest::prelude::*;
use serde_json::json;

use crate::model::{Line, occurrences};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// The names of all time zones there are.
fn zones() -> Vec<String> {
    tz::db().available().map(|name| name.to_string()).collect()
}

/// Instants from 1970 to 2100.
fn instants() -> impl Strategy<Value = Timestamp> {
    (0..4_102_444_800_000_i64).prop_map(Timestamp::from_millisecond)
}

/// One entry of a field of numbers from `low` to `high`.
fn entries(low: u8, high: u8) -> impl Strategy<Value = String> {
    let ranges = (low..high).prop_flat_map(move |first| (Just(first), first + 1..=high));
    prop_oneof![
        4 => (low..=high).prop_map(|number| number.to_string()),
        2 => ranges.clone().prop_map(|(first, last)| format!("{first}-{last}")),
        1 => (ranges, 1..=high).prop_map(|((first, last), step)| format!("{first}-{last}/{step}")),
        1 => (low..=high, 1..=high).prop_map(|(first, step)| format!("{first}/{step}")),
        2 => (1..=high).prop_map(|step| format!("*/{step}")),
    ]
}

fn fields(low: u8, high: u8) -> impl Strategy<Value = String> {
    let lists = proptest::collection::vec(entries(low, high), 1..4).prop_map(|entries| entries.join(","));
    prop_oneof![Just("*".to_owned()), lists]
}

/// Lines that a model can read as well: without names, `L`, `W` and `#`. Some of them never fire.
fn lines() -> impl Strategy<Value = String> {
    (fields(0, 59), fields(0, 23), fields(1, 31), fields(1, 12), fields(0, 7))
        .prop_map(|(minute, hour, day, month, week_day)| format!("{minute} {hour} {day} {month} {week_day}"))
}

/// Lines that fire on most days, so that they meet a change of the clock.
fn frequent_lines() -> impl Strategy<Value = String> {
    (fields(0, 59), fields(0, 3), fields(0, 7)).prop_map(|(minute, hour, day)| format!("{minute} {hour} * * {day}"))
}

/// A time zone with one of the changes of its clock since 1970.
fn changes() -> impl Strategy<Value = (String, jiff::Timestamp)> {
    let since = jiff::Timestamp::UNIX_EPOCH;
    let until: jiff::Timestamp = "2038-01-01T00:00:00Z".parse().unwrap();
    let changes: Vec<(String, jiff::Timestamp)> = zones()
        .into_iter()
        .flat_map(|name| {
            let zone = TimeZone::get(&name).unwrap();
            let instants: Vec<_> =
                zone.following(since).map(|change| change.timestamp()).take_while(|at| *at < until).collect();
            instants.into_iter().map(move |at| (name.clone(), at))
        })
        .collect();
    assert!(changes.len() > 10_000, "{}", changes.len());
    proptest::sample::select(changes)
}

fn cron(line: &str, zone: &str) -> Option<Recurrence> {
    Recurrence::parse(&json!({"cron": line, "timeZone": zone})).ok()
}

fn millisecond(instant: jiff::Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond())
}

/// All occurrences later than `from` and not later than `to`.
fn walked(recurrence: &Recurrence, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let mut found = Vec::new();
    let mut at = from;
    while let Some(next) = recurrence.next_after(at).filter(|next| *next <= to) {
        found.push(next);
        at = next;
    }
    found
}

/// What a ticker starts whose clock shows each of `clock`, in this order, and which remembers nothing but the planned
/// instant up to which it has started all.
fn started(recurrence: &Recurrence, from: Timestamp, clock: &[Timestamp]) -> Vec<Timestamp> {
    let mut done = from;
    let mut started = Vec::new();
    for now in clock {
        for planned in walked(recurrence, done, *now) {
            started.push(planned);
            done = planned;
        }
    }
    started
}

fn recurrences() -> impl Strategy<Value = Recurrence> {
    let crons =
        (lines(), proptest::sample::select(zones())).prop_filter_map("never fires", |(line, zone)| cron(&line, &zone));
    let intervals = (60..=31_622_400_u64, proptest::option::of(instants())).prop_map(|(seconds, from)| {
        let document = match from {
            Some(from) => json!({"every": {"seconds": seconds}, "from": from}),
            None => json!({"every": {"seconds": seconds}}),
        };
        Recurrence::parse(&document).unwrap()
    });
    prop_oneof![2 => crons, 1 => intervals]
}

proptest! {
    #[test]
    fn the_next_occurrence_is_later_and_the_same_from_anywhere_before_it(
        recurrence in recurrences(),
        instant in instants(),
        part in 0.0..1.0_f64,
    ) {
        let next = recurrence.next_after(instant).unwrap();
        prop_assert!(next > instant);
        let distance = next.as_millisecond() - instant.as_millisecond();
        let between = Timestamp::from_millisecond(instant.as_millisecond() + (distance as f64 * part) as i64);
        prop_assert!(between < next);
        prop_assert_eq!(recurrence.next_after(between), Some(next));
        prop_assert_eq!(recurrence.next_after(Timestamp::from_millisecond(next.as_millisecond() - 1)), Some(next));
        prop_assert!(recurrence.next_after(next).is_none_or(|later| later > next));
    }

    #[test]
    fn every_occurrence_shows_a_time_that_the_line_names_or_is_the_end_of_a_gap(
        line in lines(),
        zone in proptest::sample::select(zones()),
        instant in instants(),
    ) {
        let Some(recurrence) = cron(&line, &zone) else { return Ok(()) };
        let (line, zone) = (Line::read(&line), TimeZone::get(&zone).unwrap());
        for planned in recurrence.upcoming(instant, 5) {
            let planned = jiff::Timestamp::from_millisecond(planned.as_millisecond()).unwrap();
            let shows = zone.to_datetime(planned);
            let minute = shows.with().second(0).build().unwrap();
            let before = zone.to_datetime(planned - Span::new().nanoseconds(1)) + Span::new().nanoseconds(1);
            let is_end_of_gap = before < shows;
            prop_assert!(shows == minute && line.names(minute) || is_end_of_gap, "{planned} shows {shows}");
        }
    }

    #[test]
    fn around_a_change_of_the_clock_there_are_the_occurrences_of_a_plain_reading(
        line in frequent_lines(),
        (name, change) in changes(),
        before_minutes in 0..600_i64,
    ) {
        let Some(recurrence) = cron(&line, &name) else { return Ok(()) };
        let zone = TimeZone::get(&name).unwrap();
        // The wall clocks of some zones ran apart from whole minutes until 1972.
        prop_assume!(zone.to_offset(change).seconds() % 60 == 0);
        prop_assume!(zone.to_offset(change - Span::new().seconds(1)).seconds() % 60 == 0);

        let from = change - Span::new().minutes(before_minutes);
        let to = change + Span::new().hours(30);
        let wanted: Vec<Timestamp> =
            occurrences(&Line::read(&line), &zone, from, to).into_iter().map(millisecond).collect();
        prop_assert_eq!(walked(&recurrence, millisecond(from), millisecond(to)), wanted);
    }

    #[test]
    fn each_occurrence_is_met_once_however_the_clock_jumps(
        recurrence in recurrences(),
        from in instants(),
        jumps in proptest::collection::vec(-2 * DAY_MS..3 * DAY_MS, 1..9),
    ) {
        let clock: Vec<Timestamp> = jumps
            .iter()
            .scan(from.as_millisecond(), |now, jump| {
                *now += jump;
                Some(Timestamp::from_millisecond(*now))
            })
            .collect();
        let latest = clock.iter().max().unwrap();
        let started = started(&recurrence, from, &clock);
        prop_assert_eq!(started.iter().collect::<BTreeSet<_>>().len(), started.len());
        prop_assert_eq!(started, walked(&recurrence, from, *latest));
    }

    #[test]
    fn an_interval_is_counted_from_its_anchor_alone(
        seconds in 60..=31_622_400_i64,
        from in instants(),
        instant in instants(),
    ) {
        let interval = Recurrence::parse(&json!({"every": {"seconds": seconds}, "from": from})).unwrap();
        let next = interval.next_after(instant).unwrap();
        prop_assert!(next >= from);
        prop_assert_eq!((next.as_millisecond() - from.as_millisecond()) % (seconds * 1_000), 0);
        prop_assert!(next == from || next.as_millisecond() - instant.as_millisecond() <= seconds * 1_000);
    }

    #[test]
    fn any_text_is_refused_with_a_sentence_or_fires(text in texts(), zone in "[A-Za-z/_+]{0,12}|UTC|\\PC{0,8}") {
        match Recurrence::parse(&json!({"cron": text, "timeZone": zone})) {
            Ok(recurrence) => prop_assert!(recurrence.next_after(Timestamp::from_millisecond(0)).is_some()),
            Err(refusal) => {
                prop_assert!(refusal.detail.ends_with('.'));
                // The library has no say: what it would refuse is told before with its field.
                prop_assert!(!refusal.detail.contains("cannot be read"), "{}", refusal);
            }
        }
    }
}

/// Texts made of what means something in a cron line.
fn texts() -> impl Strategy<Value = String> {
    let tokens = [
        "0", "1", "5", "07", "15", "31", "32", "59", "60", "99999", "*", "*", "?", "L", "W", "LW", "15W", "#", "#2",
        "FRI", "MON-FRI", "SUN", "jan", "FEB", "-", "/", "/2", ",", "+", "@daily", "@", "=", "é", "\u{0}",
    ];
    let field =
        proptest::collection::vec(proptest::sample::select(tokens.to_vec()), 1..4).prop_map(|parts| parts.concat());
    let plain = Just("*".to_owned());
    proptest::collection::vec(prop_oneof![plain, field], 4..7).prop_map(|fields| fields.join(" "))
}

#[test]
fn in_every_time_zone_a_daily_schedule_comes_once_a_day_of_its_wall_clock() {
    let (from, to) =
        (Timestamp::parse("2026-01-01T12:00:00Z").unwrap(), Timestamp::parse("2027-01-01T12:00:00Z").unwrap());
    for zone in zones() {
        for line in ["30 2 * * *", "0 0 * * *"] {
            let found = walked(&cron(line, &zone).unwrap(), from, to);
            assert_eq!(found.len(), 365, "{line} in {zone}");
            let distances = found.windows(2).map(|pair| pair[1].as_millisecond() - pair[0].as_millisecond());
            for distance in distances {
                assert!(
                    (DAY_MS - 3 * 60 * MINUTE_MS..=DAY_MS + 3 * 60 * MINUTE_MS).contains(&distance),
                    "{line} in {zone}"
                );
            }
        }
    }
}

//! Every limit at it and one past it, and where the calendar ends.

use domain::{Recurrence, Timestamp};
use serde_json::{Value, from_value, json, to_value};

fn is_taken(document: Value) -> bool {
    Recurrence::parse(&document).is_ok()
}

fn read(document: Value) -> Recurrence {
    Recurrence::parse(&document).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn an_interval_has_at_least_60_seconds_and_at_most_366_days() {
    for (unit, least, most) in
        [("seconds", 60, 31_622_400), ("minutes", 1, 527_040), ("hours", 1, 8_784), ("days", 1, 366_u64)]
    {
        for (count, expected) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            assert_eq!(is_taken(json!({"every": {unit: count}})), expected, "{count} {unit}");
        }
        assert!(!is_taken(json!({"every": {unit: u64::MAX}})));
    }
}

#[test]
fn a_cron_line_has_at_most_256_characters() {
    for (blanks, expected) in [(248, true), (249, false)] {
        // Blanks between the fields count, those around the line do not.
        let line = format!(" 0{}9 * * 1 ", " ".repeat(blanks));
        assert_eq!(line.trim().len(), blanks + 8);
        assert_eq!(is_taken(json!({"cron": line})), expected, "{blanks}");
    }
}

#[test]
fn every_number_of_a_field_is_taken_and_the_ones_beside_it_are_not() {
    for (place, low, high) in [(0, 0, 59), (1, 0, 23), (2, 1, 31), (3, 1, 12), (4, 0, 7_i32)] {
        let with = |text: String| {
            let mut fields = ["*"; 5].map(str::to_owned);
            fields[place] = text;
            json!({"cron": fields.join(" ")})
        };
        for (number, expected) in [(low - 1, false), (low, true), (high, true), (high + 1, false)] {
            assert_eq!(is_taken(with(number.to_string())), expected, "{number} in field {place}");
        }
        for (step, expected) in [(0, false), (1, true), (high, true), (high + 1, false)] {
            assert_eq!(is_taken(with(format!("*/{step}"))), expected, "step {step} in field {place}");
        }
    }
    for (nth, expected) in [(0, false), (1, true), (5, true), (6, false)] {
        assert_eq!(is_taken(json!({"cron": format!("0 9 * * MON#{nth}")})), expected, "MON#{nth}");
    }
}

#[test]
fn where_the_calendar_ends_so_do_the_occurrences() {
    let yearly = read(json!({"cron": "@yearly"}));
    assert_eq!(yearly.next_after(at("4998-06-01T00:00:00Z")), Some(at("4999-01-01T00:00:00Z")));
    assert_eq!(yearly.next_after(at("4999-01-01T00:00:00Z")), None);
    let hourly = read(json!({"every": {"hours": 1}}));
    assert_eq!(hourly.next_after(at("9999-12-30T21:30:00Z")), Some(at("9999-12-30T22:00:00Z")));
    for recurrence in [yearly, hourly] {
        for broken in [i64::MAX, i64::MAX - 1, 400_000_000_000_000] {
            assert_eq!(recurrence.next_after(Timestamp::from_millisecond(broken)), None, "{broken}");
        }
        assert_eq!(recurrence.upcoming(at("9999-12-30T22:00:00Z"), 5), []);
        assert_eq!(recurrence.upcoming(at("2026-01-01T00:00:00Z"), 0), []);
    }
}

#[test]
fn a_recurrence_is_kept_as_it_was_written_with_its_time_zone() {
    for (written, kept) in [
        (json!({"cron": " 0 9 * * mon-fri "}), json!({"cron": "0 9 * * mon-fri", "timeZone": "UTC"})),
        (
            json!({"timeZone": "europe/berlin", "cron": "@daily"}),
            json!({"cron": "@daily", "timeZone": "Europe/Berlin"}),
        ),
        (json!({"every": {"minutes": 90}}), json!({"every": {"minutes": 90}})),
        (
            json!({"every": {"days": 1}, "from": "2026-03-28T09:00:00+01:00"}),
            json!({"every": {"days": 1}, "from": "2026-03-28T08:00:00.000Z"}),
        ),
    ] {
        let recurrence = read(written);
        assert_eq!(to_value(&recurrence).unwrap(), kept);
        assert_eq!(from_value::<Recurrence>(kept.clone()).unwrap(), recurrence, "{kept}");
    }
    assert!(from_value::<Recurrence>(json!({"cron": "0 0 30 2 *"})).is_err());
}

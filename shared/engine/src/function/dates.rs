//! Dates: made from the present, written, subtracted, and held against business hours.
//!
//! *Source* — Kustomer's "Date and math workflow helpers"; what it leaves open is as Moment.js has it, in the
//! org's time zone.

use domain::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Zoned};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Arguments, Function, checked, either, literal, moment, optional, path, rest, units, unknown_word};
use crate::fault::Fault;
use crate::naming::quoted;
use crate::problem::Flaw;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "date",
        aliases: &[],
        parameters: &[checked(literal("unit"), check_unit), optional(literal("count")), optional(path("from"))],
        body: date,
    },
    Function {
        name: "dateFormat",
        aliases: &["formatDate"],
        parameters: &[path("value"), optional(rest("format")), optional(literal("timeZone"))],
        body: date_format,
    },
    Function {
        name: "dateDiff",
        aliases: &["diffDate"],
        parameters: &[
            checked(literal("unit"), check_unit),
            optional(path("from")),
            optional(path("to")),
            optional(literal("float")),
        ],
        body: date_diff,
    },
    Function {
        name: "inBusinessHours",
        aliases: &[],
        parameters: &[optional(either("date")), optional(either("schedule"))],
        body: in_business_hours,
    },
];

/// What Moment.js writes when no format is given.
const DEFAULT_FORMAT: &str = "YYYY-MM-DDTHH:mm:ssZ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Years,
    Quarters,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

impl Unit {
    fn parse(text: &str) -> Option<Unit> {
        // Moment's short names tell months from minutes by their case.
        match text.trim() {
            "y" => return Some(Unit::Years),
            "Q" => return Some(Unit::Quarters),
            "M" => return Some(Unit::Months),
            "w" => return Some(Unit::Weeks),
            "d" => return Some(Unit::Days),
            "h" => return Some(Unit::Hours),
            "m" => return Some(Unit::Minutes),
            "s" => return Some(Unit::Seconds),
            "ms" => return Some(Unit::Milliseconds),
            _ => {}
        }
        match text.trim().to_ascii_lowercase().trim_end_matches('s') {
            "year" => Some(Unit::Years),
            "quarter" => Some(Unit::Quarters),
            "month" => Some(Unit::Months),
            "week" => Some(Unit::Weeks),
            "day" => Some(Unit::Days),
            "hour" => Some(Unit::Hours),
            "minute" => Some(Unit::Minutes),
            "second" => Some(Unit::Seconds),
            "millisecond" => Some(Unit::Milliseconds),
            _ => None,
        }
    }

    /// How long it is where no clock is put forward or back, and where that is always the same.
    fn milliseconds(self) -> Option<i64> {
        match self {
            Unit::Years | Unit::Quarters | Unit::Months => None,
            Unit::Weeks => Some(7 * 24 * 60 * 60 * 1_000),
            Unit::Days => Some(24 * 60 * 60 * 1_000),
            Unit::Hours => Some(60 * 60 * 1_000),
            Unit::Minutes => Some(60 * 1_000),
            Unit::Seconds => Some(1_000),
            Unit::Milliseconds => Some(1),
        }
    }

    /// How many months it has, where it is made of them.
    fn months(self) -> i64 {
        match self {
            Unit::Years => 12,
            Unit::Quarters => 3,
            Unit::Months
            | Unit::Weeks
            | Unit::Days
            | Unit::Hours
            | Unit::Minutes
            | Unit::Seconds
            | Unit::Milliseconds => 1,
        }
    }

    fn span(self, count: i64) -> Option<Span> {
        let span = Span::new();
        match (self, self.milliseconds()) {
            // By the calendar: a day on which the clock is put forward has 23 hours.
            (Unit::Weeks, _) => span.try_weeks(count).ok(),
            (Unit::Days, _) => span.try_days(count).ok(),
            (_, Some(length)) => span.try_milliseconds(length.checked_mul(count)?).ok(),
            (_, None) => span.try_months(self.months().checked_mul(count)?).ok(),
        }
    }
}

/// Whether an author's word is a unit.
fn check_unit(word: &str) -> Result<(), Flaw> {
    const UNITS: [&str; 9] =
        ["years", "quarters", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds"];
    Unit::parse(word).map(|_| ()).ok_or_else(|| unknown_word("unit of time", word, &UNITS))
}

/// The unit that an argument names.
fn unit(arguments: &Arguments<'_, '_>, place: usize) -> Option<Unit> {
    let word = arguments.text(place)?;
    let unit = Unit::parse(&word);
    if unit.is_none() {
        arguments.evaluation.tell(|| format!("There is no unit of time {}.", quoted(&word)));
    }
    unit
}

fn date(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    Ok(earlier(arguments))
}

/// So many units before the present, or before `from`; a negative count is later.
fn earlier(arguments: &Arguments<'_, '_>) -> Option<Value> {
    let unit = unit(arguments, 0)?;
    let count = if arguments.is_given(1) { arguments.whole(1)? } else { 0 };
    let from = local(arguments, arguments.instant_or_now(2)?)?;
    let then = from.checked_sub(unit.span(count)?).ok()?;
    let then = Timestamp::from_millisecond(then.timestamp().as_millisecond());
    Some(Value::String(then.to_string()))
}

fn date_format(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    let zone = match arguments.text(2) {
        Some(name) => {
            let zone = TimeZone::get(&name).ok();
            if zone.is_none() {
                arguments.evaluation.tell(|| format!("There is no time zone {}.", quoted(&name)));
            }
            zone
        }
        None => Some(arguments.evaluation.setup().zone()),
    };
    let instant = arguments.value(0).and_then(|value| arguments.instant(value));
    let Some(instant) = instant.zip(zone).and_then(|(instant, zone)| in_zone(instant, zone)) else { return Ok(None) };
    let format = arguments.text(1);
    let format = format.as_deref().filter(|format| !format.is_empty()).unwrap_or(DEFAULT_FORMAT);
    moment::format(&instant, format).map(|text| Some(Value::String(text)))
}

fn date_diff(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    Ok(difference(arguments).map(units::number))
}

/// How many units after `from` `to` is; whole ones, unless fractions are asked for.
fn difference(arguments: &Arguments<'_, '_>) -> Option<Decimal> {
    let unit = unit(arguments, 0)?;
    let (from, to) = (arguments.instant_or_now(1)?, arguments.instant_or_now(2)?);
    let difference = match (unit, unit.milliseconds()) {
        // From one clock time to the same on the next day is a day, however many hours it has.
        (Unit::Days | Unit::Weeks, Some(length)) => {
            let (from, to) = (local(arguments, from)?.datetime(), local(arguments, to)?.datetime());
            Decimal::from(milliseconds_between(from, to)?).checked_div(Decimal::from(length))?
        }
        (_, Some(length)) => {
            let apart = to.as_millisecond().checked_sub(from.as_millisecond())?;
            Decimal::from(apart).checked_div(Decimal::from(length))?
        }
        (_, None) => {
            let (from, to) = (local(arguments, from)?.datetime(), local(arguments, to)?.datetime());
            months_between(from, to)?.checked_div(Decimal::from(unit.months()))?
        }
    };
    Some(if arguments.flag(3) { difference } else { difference.trunc() })
}

/// Months as Moment.js counts them: whole ones by the calendar, the rest as a share of the month it is in. They are
/// counted from the date with the later day of the month, so that no month ends before them.
fn months_between(from: DateTime, to: DateTime) -> Option<Decimal> {
    if to.day() < from.day() { months_from(from, to) } else { months_from(to, from).map(|months| -months) }
}

fn months_from(from: DateTime, to: DateTime) -> Option<Decimal> {
    let years = i64::from(to.year()) - i64::from(from.year());
    let whole = years * 12 + i64::from(to.month()) - i64::from(from.month());
    let anchor = add_months(from, whole)?;
    let passed = milliseconds_between(anchor, to)?;
    let length = if passed < 0 {
        milliseconds_between(add_months(from, whole - 1)?, anchor)?
    } else {
        milliseconds_between(anchor, add_months(from, whole + 1)?)?
    };
    let share = Decimal::from(passed).checked_div(Decimal::from(length))?;
    Decimal::from(whole).checked_add(share)
}

fn add_months(from: DateTime, months: i64) -> Option<DateTime> {
    from.checked_add(Span::new().try_months(months).ok()?).ok()
}

fn milliseconds_between(from: DateTime, to: DateTime) -> Option<i64> {
    i64::try_from(to.duration_since(from).as_millis()).ok()
}

/// `[date][, schedule]`; where there is only one argument it may be either.
fn in_business_hours(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    let (evaluation, setup) = (arguments.evaluation, arguments.evaluation.setup());
    let named = arguments.text(0).filter(|id| !arguments.is_given(1) && setup.schedule(Some(id)).is_some());
    let (instant, id) = match named {
        Some(id) => (Some(evaluation.now()), Some(id)),
        None => (arguments.instant_or_now(0), arguments.text(1)),
    };
    let Some(schedule) = setup.schedule(id.as_deref()) else {
        evaluation.tell(|| match &id {
            Some(id) => format!("There is no business schedule `{id}`."),
            None => "There is no default business schedule.".to_owned(),
        });
        return Ok(None);
    };
    Ok(instant.map(|instant| json!(schedule.is_open_at(instant))))
}

/// The instant as it is told in the org.
fn local(arguments: &Arguments<'_, '_>, instant: Timestamp) -> Option<Zoned> {
    in_zone(instant, arguments.evaluation.setup().zone())
}

fn in_zone(instant: Timestamp, zone: TimeZone) -> Option<Zoned> {
    let instant = jiff::Timestamp::from_millisecond(instant.as_millisecond()).ok()?;
    Some(instant.to_zoned(zone))
}

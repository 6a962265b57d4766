//! Dates written as Moment.js writes them, in English.
//!
//! *Source* — Moment.js's "Display: Format". All of its tokens are here; what is none stands for itself, and `[at]` is
//! text whatever it looks like.

use std::fmt::Write;

use jiff::Zoned;
use jiff::civil::{ISOWeekDate, Weekday};

use crate::fault::Fault;
use crate::limits::TEMPLATE_LIMIT_BYTES;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Every token, the longer before those it begins with.
const TOKENS: [&str; 91] = [
    "LTS",
    "LT",
    "LLLL",
    "LLL",
    "LL",
    "L",
    "llll",
    "lll",
    "ll",
    "l",
    "Hmmss",
    "hmmss",
    "Hmm",
    "hmm",
    "MMMM",
    "MMM",
    "MM",
    "Mo",
    "M",
    "Qo",
    "Q",
    "DDDD",
    "DDDo",
    "DDD",
    "DD",
    "Do",
    "D",
    "dddd",
    "ddd",
    "dd",
    "do",
    "d",
    "e",
    "E",
    "ww",
    "wo",
    "w",
    "WW",
    "Wo",
    "W",
    "YYYYYY",
    "YYYYY",
    "YYYY",
    "YY",
    "Y",
    "yyyy",
    "yyy",
    "yy",
    "yo",
    "y",
    "NNNNN",
    "NNNN",
    "NNN",
    "NN",
    "N",
    "ggggg",
    "gggg",
    "gg",
    "GGGGG",
    "GGGG",
    "GG",
    "A",
    "a",
    "HH",
    "H",
    "hh",
    "h",
    "kk",
    "k",
    "mm",
    "m",
    "ss",
    "s",
    "SSSSSSSSS",
    "SSSSSSSS",
    "SSSSSSS",
    "SSSSSS",
    "SSSSS",
    "SSSS",
    "SSS",
    "SS",
    "S",
    "zz",
    "z",
    "ZZ",
    "Z",
    "X",
    "x",
    "[",
    "\\",
    "]",
];

/// Writes an instant in its zone.
///
/// *Errors* — [`Fault::TemplateTooLarge`], for a format that makes more text than a template may.
pub(super) fn format(at: &Zoned, format: &str) -> Result<String, Fault> {
    let mut text = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        rest = match token(rest) {
            Some("[") => literal(rest, &mut text),
            Some("\\") => escaped(rest, &mut text),
            Some(token) => {
                write_token(at, token, &mut text);
                rest.get(token.len()..).unwrap_or_default()
            }
            None => {
                text.push(first);
                rest.get(first.len_utf8()..).unwrap_or_default()
            }
        };
        if text.len() > TEMPLATE_LIMIT_BYTES {
            return Err(Fault::TemplateTooLarge);
        }
    }
    Ok(text)
}

fn token(text: &str) -> Option<&'static str> {
    TOKENS.into_iter().filter(|token| *token != "]").find(|token| text.starts_with(token))
}

/// `[text]`; a bracket that is not closed stands for itself.
fn literal<'t>(text: &'t str, written: &mut String) -> &'t str {
    let inner = text.get(1..).unwrap_or_default();
    match inner.find(['[', ']']).filter(|end| inner.get(*end..).is_some_and(|rest| rest.starts_with(']'))) {
        Some(end) => {
            written.push_str(inner.get(..end).unwrap_or_default());
            inner.get(end + 1..).unwrap_or_default()
        }
        None => {
            written.push('[');
            inner
        }
    }
}

/// `\D` is a D.
fn escaped<'t>(text: &'t str, written: &mut String) -> &'t str {
    let rest = text.get(1..).unwrap_or_default();
    let length = token(rest).filter(|token| !matches!(*token, "[" | "\\")).map_or(0, str::len);
    written.push_str(rest.get(..length).unwrap_or_default());
    rest.get(length..).unwrap_or_default()
}

fn write_token(at: &Zoned, token: &str, text: &mut String) {
    if let Some(expanded) = locale_format(token) {
        // These hold no locale formats themselves, so this goes one level down.
        if let Ok(written) = format(at, expanded) {
            text.push_str(&written);
        }
        return;
    }
    // Writing into a text does not fail.
    let _ = match token.chars().next() {
        Some('M' | 'Q' | 'D' | 'd' | 'e' | 'E') => write_day(at, token, text),
        Some('w' | 'W' | 'g' | 'G') => write_week(at, token, text),
        Some('Y' | 'y' | 'N') => write_year(at, token, text),
        Some('S') => write_fraction(at, token, text),
        Some('z' | 'Z' | 'X' | 'x') => write_zone(at, token, text),
        Some(_) | None => write_time(at, token, text),
    };
}

fn locale_format(token: &str) -> Option<&'static str> {
    match token {
        "LT" => Some("h:mm A"),
        "LTS" => Some("h:mm:ss A"),
        "L" => Some("MM/DD/YYYY"),
        "LL" => Some("MMMM D, YYYY"),
        "LLL" => Some("MMMM D, YYYY h:mm A"),
        "LLLL" => Some("dddd, MMMM D, YYYY h:mm A"),
        "l" => Some("M/D/YYYY"),
        "ll" => Some("MMM D, YYYY"),
        "lll" => Some("MMM D, YYYY h:mm A"),
        "llll" => Some("ddd, MMM D, YYYY h:mm A"),
        _ => None,
    }
}

type Written = std::fmt::Result;

fn write_day(at: &Zoned, token: &str, text: &mut String) -> Written {
    let (month, day, of_year) = (at.month(), at.day(), at.day_of_year());
    let weekday = usize::try_from(at.weekday().to_sunday_zero_offset()).unwrap_or_default();
    let day_name = DAYS.get(weekday).copied().unwrap_or_default();
    let month_name = usize::try_from(month - 1).ok().and_then(|place| MONTHS.get(place)).copied().unwrap_or_default();
    let quarter = (month - 1) / 3 + 1;
    match token {
        "M" => write!(text, "{month}"),
        "Mo" => write_ordinal(text, i64::from(month)),
        "MM" => write!(text, "{month:02}"),
        "MMM" => text.write_str(cut(month_name, 3)),
        "MMMM" => text.write_str(month_name),
        "Q" => write!(text, "{quarter}"),
        "Qo" => write_ordinal(text, i64::from(quarter)),
        "D" => write!(text, "{day}"),
        "Do" => write_ordinal(text, i64::from(day)),
        "DD" => write!(text, "{day:02}"),
        "DDD" => write!(text, "{of_year}"),
        "DDDo" => write_ordinal(text, i64::from(of_year)),
        "DDDD" => write!(text, "{of_year:03}"),
        "d" | "e" => write!(text, "{weekday}"),
        "do" => write_ordinal(text, i64::try_from(weekday).unwrap_or_default()),
        "dd" => text.write_str(cut(day_name, 2)),
        "ddd" => text.write_str(cut(day_name, 3)),
        "dddd" => text.write_str(day_name),
        _ => write!(text, "{}", at.weekday().to_monday_one_offset()),
    }
}

/// Weeks of the United States begin on Sunday, and the first one has the first of January in it; ISO's are the others.
fn write_week(at: &Zoned, token: &str, text: &mut String) -> Written {
    let is_iso = token.starts_with(['W', 'G']);
    let (year, week) = if is_iso { iso_week(at) } else { local_week(at) };
    match token {
        "w" | "W" => write!(text, "{week}"),
        "wo" | "Wo" => write_ordinal(text, week),
        "ww" | "WW" => write!(text, "{week:02}"),
        "gg" | "GG" => write!(text, "{:02}", year.rem_euclid(100)),
        "gggg" | "GGGG" => write!(text, "{year:04}"),
        _ => write!(text, "{year:05}"),
    }
}

fn iso_week(at: &Zoned) -> (i64, i64) {
    let week: ISOWeekDate = at.date().iso_week_date();
    (i64::from(week.year()), i64::from(week.week()))
}

fn local_week(at: &Zoned) -> (i64, i64) {
    let year = i64::from(at.year());
    // Days from the Sunday before the first of January, or from that day itself.
    let first = at.date().first_of_year().weekday();
    let lead = i64::from(first.to_sunday_zero_offset());
    let place = i64::from(at.day_of_year()) - 1 + lead;
    let days = i64::from(at.days_in_year());
    let next_first = Weekday::from_sunday_zero_offset(i8::try_from((lead + days) % 7).unwrap_or_default());
    let next_lead = next_first.map_or(0, |day| i64::from(day.to_sunday_zero_offset()));
    if place >= lead + days - next_lead { (year + 1, 1) } else { (year, place / 7 + 1) }
}

fn write_year(at: &Zoned, token: &str, text: &mut String) -> Written {
    let year = i64::from(at.year());
    let era_year = if year > 0 { year } else { 1 - year };
    let digits = token.len();
    match token {
        "YY" => write!(text, "{:02}", year.rem_euclid(100)),
        "Y" if year <= 9999 => write!(text, "{year:04}"),
        "Y" => write!(text, "+{year}"),
        "YYYY" | "YYYYY" => write!(text, "{year:0digits$}"),
        "YYYYYY" => write!(text, "{}{:06}", if year < 0 { '-' } else { '+' }, year.abs()),
        "yo" => write_ordinal(text, era_year),
        "NNNN" => text.write_str(if year > 0 { "Anno Domini" } else { "Before Christ" }),
        _ if token.starts_with('N') => text.write_str(if year > 0 { "AD" } else { "BC" }),
        _ => write!(text, "{era_year:0digits$}"),
    }
}

fn write_time(at: &Zoned, token: &str, text: &mut String) -> Written {
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    let twelve = (hour + 11) % 12 + 1;
    let twenty_four = (hour + 23) % 24 + 1;
    match token {
        "A" => text.write_str(if hour < 12 { "AM" } else { "PM" }),
        "a" => text.write_str(if hour < 12 { "am" } else { "pm" }),
        "H" => write!(text, "{hour}"),
        "HH" => write!(text, "{hour:02}"),
        "h" => write!(text, "{twelve}"),
        "hh" => write!(text, "{twelve:02}"),
        "k" => write!(text, "{twenty_four}"),
        "kk" => write!(text, "{twenty_four:02}"),
        "m" => write!(text, "{minute}"),
        "mm" => write!(text, "{minute:02}"),
        "s" => write!(text, "{second}"),
        "ss" => write!(text, "{second:02}"),
        "Hmm" => write!(text, "{hour}{minute:02}"),
        "Hmmss" => write!(text, "{hour}{minute:02}{second:02}"),
        "hmm" => write!(text, "{twelve}{minute:02}"),
        _ => write!(text, "{twelve}{minute:02}{second:02}"),
    }
}

fn write_fraction(at: &Zoned, token: &str, text: &mut String) -> Written {
    let digits = format!("{:09}", at.subsec_nanosecond());
    text.write_str(digits.get(..token.len()).unwrap_or(&digits))
}

fn write_zone(at: &Zoned, token: &str, text: &mut String) -> Written {
    let seconds = at.offset().seconds();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    match token {
        "Z" => write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        "ZZ" => write!(text, "{sign}{:02}{:02}", minutes / 60, minutes % 60),
        "X" => write!(text, "{}", at.timestamp().as_millisecond().div_euclid(1_000)),
        "x" => write!(text, "{}", at.timestamp().as_millisecond()),
        _ => text.write_str(at.time_zone().to_offset_info(at.timestamp()).abbreviation()),
    }
}

/// `1st`, `2nd`, `3rd`, `4th`, `11th`.
fn write_ordinal(text: &mut String, number: i64) -> Written {
    let ending = match (number % 10, number / 10 % 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    write!(text, "{number}{ending}")
}

fn cut(name: &str, length: usize) -> &str {
    name.get(..length).unwrap_or(name)
}

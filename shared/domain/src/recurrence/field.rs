//! The five fields of a cron line: which texts each takes, and why another is refused.
//!
//! *Why beside the library that reads them*: it tells of no field, and reads more than is meant (`+5`, `JANFEB` as 12, an
//! empty entry as nothing). What passes here, it reads as documented; a law in the tests holds the two together.

/// What only the days of a month or of a week take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extras {
    None,
    /// `?`, `L`, `LW`, `15W`.
    OfMonth,
    /// `?`, `5L`, `5#2`.
    OfWeek,
}

/// One field of a cron line.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    low: u8,
    high: u8,
    /// The names that stand for the numbers from `low` on.
    names: &'static [&'static str],
    extras: Extras,
    /// How to write it, for refusals.
    form: &'static str,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The fields in their order.
pub(super) const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        low: 0,
        high: 59,
        names: &[],
        extras: Extras::None,
        form: "*, 0 to 59, a range such as 0-29, a step such as */15, or a list such as 0,30",
    },
    Field {
        name: "hour",
        low: 0,
        high: 23,
        names: &[],
        extras: Extras::None,
        form: "*, 0 to 23, a range such as 9-17, a step such as */2, or a list such as 9,17",
    },
    Field {
        name: "day of month",
        low: 1,
        high: 31,
        names: &[],
        extras: Extras::OfMonth,
        form: "*, 1 to 31, a range such as 1-7, a step such as */2, L (the last day), LW (the last working day), \
               15W (the working day nearest to the 15th), or a list such as 1,15",
    },
    Field {
        name: "month",
        low: 1,
        high: 12,
        names: &MONTHS,
        extras: Extras::None,
        form: "*, 1 to 12, JAN to DEC, a range such as APR-SEP, a step such as */3, or a list such as JAN,JUL",
    },
    Field {
        name: "day of week",
        low: 0,
        high: 7,
        names: &DAYS,
        extras: Extras::OfWeek,
        form: "*, 0 to 7 (0 and 7 are Sunday), SUN to SAT, a range such as MON-FRI, MON#2 (the second Monday), \
               FRIL (the last Friday), or a list such as MON,THU",
    },
];

impl Field {
    /// *Errors*: a sentence, unless `text`, in upper case, is one this field takes.
    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        if text == "?" && self.extras != Extras::None {
            return Ok(());
        }
        let entries: Vec<&str> = text.split(',').collect();
        let problem = if entries.contains(&"L") && entries.contains(&"LW") {
            Some("L and LW are two ends of one month".to_owned())
        } else {
            entries.iter().find_map(|entry| self.check_entry(entry).err())
        };
        match problem {
            Some(problem) => {
                Err(format!("The {} of the cron line cannot be {text:?}: {problem}. Write {}.", self.name, self.form))
            }
            None => Ok(()),
        }
    }

    /// *Errors*: what is wrong with one entry of the list, as the beginning of a sentence.
    fn check_entry(&self, entry: &str) -> Result<(), String> {
        if entry.is_empty() {
            return Err("a list has no empty entry".to_owned());
        }
        if self.is_extra(entry)? {
            return Ok(());
        }
        let (range, step) = entry.split_once('/').map_or((entry, None), |(range, step)| (range, Some(step)));
        if let Some(step) = step
            && number(step).is_none_or(|step| step == 0 || step > self.high)
        {
            return Err(format!("the step {step:?} is not a number from 1 to {}", self.high));
        }
        if range == "*" {
            return Ok(());
        }
        let Some((first, last)) = range.split_once('-') else { return self.value(range).map(drop) };

        // As the end of a range, Sunday is the last day of the week.
        let end = if self.extras == Extras::OfWeek && last == "SUN" { self.high } else { self.value(last)? };
        if self.value(first)? >= end || first == last {
            return Err(format!(
                "the range {range:?} does not go up, and what goes past the end is two, as in 22-23,0-4"
            ));
        }
        Ok(())
    }

    /// Whether `entry` is one of those that only days have.
    ///
    /// *Errors*: it would be, with another number.
    fn is_extra(&self, entry: &str) -> Result<bool, String> {
        match self.extras {
            Extras::None => Ok(false),
            Extras::OfMonth => match entry.strip_suffix('W') {
                Some("L") => Ok(true),
                Some(day) => self.value(day).map(|_| true),
                None => Ok(entry == "L"),
            },
            Extras::OfWeek => {
                if let Some((day, nth)) = entry.split_once('#') {
                    self.value(day)?;
                    if number(nth).is_none_or(|nth| !(1..=5).contains(&nth)) {
                        return Err(format!("a month has days 1 to 5 of a kind and no #{nth}"));
                    }
                    return Ok(true);
                }
                if entry == "L" {
                    return Err("L has its day before it".to_owned());
                }
                entry.strip_suffix('L').map_or(Ok(false), |day| self.value(day).map(|_| true))
            }
        }
    }

    /// The number that `text` spells or names.
    fn value(&self, text: &str) -> Result<u8, String> {
        let named = self.names.iter().zip(self.low..).find(|(name, _)| **name == text).map(|(_, value)| value);
        named
            .or_else(|| number(text))
            .filter(|value| (self.low..=self.high).contains(value))
            .ok_or_else(|| format!("{text:?} is not one of {} to {}", self.low, self.high))
    }
}

/// The number that one or two digits spell. *Why not `parse` alone*: it reads `+5`, too.
fn number(text: &str) -> Option<u8> {
    let is_short = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_short)
}

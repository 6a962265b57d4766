//! Spans of time in tests: `90s`, `15m`, `24h`, `3d`, `2w`, `1y`.

use domain::Timestamp;
use serde_json::Value;

/// The longest span of a test. *Why*: nothing waits longer than a year.
pub(crate) const SPAN_LIMIT_SECONDS: i64 = 10 * YEAR_SECONDS;

const DAY_SECONDS: i64 = 86_400;
const YEAR_SECONDS: i64 = 365 * DAY_SECONDS;

/// What a span is, for whoever wrote another.
pub(crate) const SPAN: &str = "a span of time: a number and s, m, h, d, w or y, such as 3d, and at most 10y";

/// The seconds of the span; a year has 365 days.
///
/// *Errors*: `None`; [`SPAN`] says what is one.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let (at, unit) = text.char_indices().next_back()?;
    let unit_seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => DAY_SECONDS,
        'w' => 7 * DAY_SECONDS,
        'y' => YEAR_SECONDS,
        _ => return None,
    };
    let number = text.get(..at).filter(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))?;
    let seconds = number.parse::<i64>().ok()?.checked_mul(unit_seconds)?;
    (seconds <= SPAN_LIMIT_SECONDS).then_some(seconds)
}

/// When a test says that something is: an instant, or a span from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// An instant.
    At(Timestamp),
    /// So many seconds after the start.
    After(i64),
}

impl Moment {
    /// *Errors*: `None` for what is neither.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = value.as_str()?;
        seconds(text).map(Self::After).or_else(|| Timestamp::parse(text).map(Self::At))
    }

    /// The instant, for a test that started at `start`.
    pub(crate) fn from(self, start: Timestamp) -> Timestamp {
        match self {
            Self::At(instant) => instant,
            Self::After(seconds) => start.plus_seconds(seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_its_unit_up_to_ten_years() {
        for (text, read) in [
            ("0s", 0),
            ("90s", 90),
            ("15m", 900),
            ("24h", DAY_SECONDS),
            ("2w", 14 * DAY_SECONDS),
            ("10y", SPAN_LIMIT_SECONDS),
        ] {
            assert_eq!(seconds(text), Some(read), "{text}");
        }
        for wrong in ["", "y", "3", "-1d", "+1d", "1.5h", "3 d", "11y", "3651d", "99999999999999999999y", "1µ"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}

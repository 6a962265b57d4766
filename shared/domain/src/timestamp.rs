//! Instants, to the millisecond, in UTC.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant, counted in milliseconds since 1970-01-01T00:00:00Z.
///
/// *Shape*: `"2017-12-22T05:23:02.138Z"`, always with three digits and `Z`, so that its text sorts as it does.
/// *Source*: the transaction in the seed `kobject-from-a-hook`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `millisecond` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millisecond(millisecond: i64) -> Self {
        Self(millisecond)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millisecond(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, the unit of a DynamoDB time to live.
    pub const fn as_second(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The instant `seconds` later; it stops at the end of time instead of wrapping.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// How many seconds lie between this and `later`, begun ones as whole ones; none where it is not later.
    pub const fn seconds_until(self, later: Self) -> u64 {
        let ms = later.0.saturating_sub(self.0);
        if ms < 0 { 0 } else { ms.unsigned_abs().div_ceil(1000) }
    }

    /// The instant that a date of HTTP names: `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// *Source*: RFC 9110, section 5.6.7; its two obsolete forms are not read.
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let instant = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Self(instant.as_millisecond()))
    }

    /// The instant that an RFC 3339 text names.
    ///
    /// *Errors*: `None` for anything else, an ISO date without time included.
    pub fn parse(text: &str) -> Option<Self> {
        let instant: jiff::Timestamp = text.parse().ok()?;
        Some(Self(instant.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Out of jiff's range (years -9999 to 9999) only by a broken clock; the epoch then says so plainly.
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        write!(f, "{instant:.3}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a time is written as 2017-12-22T05:23:02.138Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_that_have_begun_are_whole_ones() {
        let at = Timestamp::from_millisecond;
        for (earlier, later, seconds) in [(0, 0, 0), (0, 1, 1), (0, 1000, 1), (0, 1001, 2), (5, 4, 0), (-1000, 1000, 2)]
        {
            assert_eq!(at(earlier).seconds_until(at(later)), seconds, "{earlier} {later}");
        }
    }

    #[test]
    fn a_date_of_http_is_an_instant() {
        let instant = Timestamp::from_millisecond(784_111_777_000);
        assert_eq!(Timestamp::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(instant));
        for wrong in ["", "soon", "120", "1994-11-06T08:49:37Z"] {
            assert_eq!(Timestamp::parse_http_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_instant_is_written_with_milliseconds_and_z() {
        for (millisecond, text) in [
            (1_513_920_182_138, "2017-12-22T05:23:02.138Z"),
            (0, "1970-01-01T00:00:00.000Z"),
            (1_513_920_182_000, "2017-12-22T05:23:02.000Z"),
        ] {
            assert_eq!(Timestamp::from_millisecond(millisecond).to_string(), text);
            assert_eq!(Timestamp::parse(text), Some(Timestamp::from_millisecond(millisecond)));
        }
    }
}

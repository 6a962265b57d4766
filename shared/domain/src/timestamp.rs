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

//! What a wall clock shows, as instants.
//!
//! | a clock that | shows a time | its instant here |
//! | --- | --- | --- |
//! | runs on | once | that one |
//! | is put back, so that an hour comes twice | twice | the first |
//! | is put forward, so that an hour is left out | never | the one at which it is put forward |
//!
//! So every time of the wall clock has one instant, and a later time never has an earlier one.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// The one instant at which the wall clocks of `zone` show `wall`.
///
/// *Errors*: `None` where the calendar ends.
pub(super) fn instant_of(zone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            // By the offset that holds behind the gap, a time in it lies before the gap.
            let before_the_gap = after.to_timestamp(wall).ok()?;
            let mut changes = zone.following(before_the_gap);
            changes.find(|change| change.offset() == after).map(|change| change.timestamp())
        }
    }
}

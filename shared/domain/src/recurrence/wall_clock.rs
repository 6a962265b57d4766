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
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};

/// More than any wall clock is ahead of UTC.
const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_hours(26);

/// The first instant at which the wall clocks of `zone` show `wall`, or have left it out.
///
/// *Why not what the library says of ambiguous times*: it asks the rules for the time to come already in the hour of the
/// last change on record, and finds one there that was not (America/Nuuk, 2023-10-29).
///
/// *Errors*: `None` where the calendar ends.
pub(super) fn instant_of(zone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    let mut since = Offset::UTC.to_timestamp(wall).ok()?.checked_sub(FURTHEST_AHEAD).ok()?;
    let mut offset = zone.to_offset(since);
    for change in zone.following(since) {
        let instant = offset.to_timestamp(wall).ok()?;
        if instant < change.timestamp() {
            return Some(instant.max(since));
        }
        (since, offset) = (change.timestamp(), change.offset());
    }
    offset.to_timestamp(wall).ok().map(|instant| instant.max(since))
}

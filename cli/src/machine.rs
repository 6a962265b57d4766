//! What this machine gives: the time and random numbers.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;

use crate::failure::Failure;

/// The time by this machine's clock; a clock before 1970 counts as 1970.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millisecond(i64::try_from(since.as_millis()).unwrap_or_default())
}

/// Random bytes that nobody can guess.
///
/// *Errors*: the system has none.
pub(crate) fn random<const BYTES: usize>() -> Result<[u8; BYTES], Failure> {
    let mut bytes = [0; BYTES];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Failure::Unavailable(format!("The system has no random numbers to give: {error}."))),
    }
}

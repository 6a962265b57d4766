//! How often something is tried again, and how long is waited in between.

use crate::journal::{Entry, Failure, Outcome};

/// How often `retry-action` has one visit of a step performed in all, when the failure is the author's or the data's.
pub const VISIT_LIMIT_ATTEMPTS: u32 = 3;

/// How often one visit of a step is performed in all, when the world has to recover.
///
/// *Why* — the waits between them may come to half an hour, which most outages do not last.
pub const SYSTEM_LIMIT_ATTEMPTS: u32 = 10;

/// How often `retry-workflow` has a run begin in all.
pub const RUN_LIMIT_BEGINNINGS: u32 = 3;

/// The longest wait. *Source* — a message of SQS can be delayed by 15 minutes.
pub const RETRY_LIMIT_SECONDS: u32 = 900;

/// The longest wait before the second attempt; it doubles with each further one.
const RETRY_FIRST_SECONDS: u32 = 5;

pub(super) fn attempts_limit(failure: &Failure) -> u32 {
    if failure.retryable { SYSTEM_LIMIT_ATTEMPTS } else { VISIT_LIMIT_ATTEMPTS }
}

/// How many seconds to wait before what `entry` says is tried again: exponential backoff with full jitter, and at least
/// what the other side asked for. `random` is uniform; `tries` is how often it was tried before.
pub fn retry_delay_seconds(entry: &Entry, tries: u32, random: u32) -> u32 {
    let doublings = tries.saturating_sub(1).min(u32::BITS - 1);
    let most = RETRY_FIRST_SECONDS.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX));
    let most = most.min(RETRY_LIMIT_SECONDS);
    let jittered = (u64::from(random) * u64::from(most + 1)) >> u32::BITS;
    let asked = match &entry.outcome {
        Outcome::Failed(failure) => failure.retry_after_seconds.unwrap_or_default(),
        Outcome::Output(_) | Outcome::Pending(_) | Outcome::Stopped(_) => 0,
    };
    asked.max(u32::try_from(jittered).unwrap_or(most)).min(RETRY_LIMIT_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(retry_after_seconds: Option<u32>) -> Entry {
        let failure = Failure { retry_after_seconds, ..Failure::new("throttled", "Slow down.").retryable() };
        Entry {
            step: "s".to_owned(),
            branch: String::new(),
            visit: 1,
            attempt: 1,
            action: None,
            input: None,
            missing: Vec::new(),
            outcome: Outcome::Failed(failure),
            error_case: None,
            retries: None,
            resumes_at: None,
            transition: None,
        }
    }

    #[test]
    fn the_longest_wait_doubles_up_to_a_quarter_of_an_hour() {
        let longest: Vec<u32> = (1..=10).map(|tries| retry_delay_seconds(&failed(None), tries, u32::MAX)).collect();
        assert_eq!(longest, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(retry_delay_seconds(&failed(None), u32::MAX, u32::MAX), 900);
    }

    #[test]
    fn jitter_is_full() {
        let waits: Vec<u32> = [0, u32::MAX / 4, u32::MAX / 2, u32::MAX]
            .map(|random| retry_delay_seconds(&failed(None), 3, random))
            .into();
        assert_eq!(waits, [0, 5, 10, 20]);
    }

    #[test]
    fn what_the_other_side_asks_for_is_waited_but_no_longer_than_a_quarter_of_an_hour() {
        assert_eq!(retry_delay_seconds(&failed(Some(120)), 1, 0), 120);
        assert_eq!(retry_delay_seconds(&failed(Some(1)), 3, u32::MAX), 20);
        assert_eq!(retry_delay_seconds(&failed(Some(86_400)), 1, 0), 900);
    }
}

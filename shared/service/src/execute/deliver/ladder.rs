//! When a delivery is tried again.

/// How long is waited after each attempt that failed.
///
/// *Source*: reference, section 6, for those up to half an hour; the rest makes it sixteen hours, which an outage over night does
/// not last.
const WAITS_SECONDS: [u32; 11] = [60, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800];

/// How often a delivery is tried before somebody has to ask for it.
pub(super) const ATTEMPTS_LIMIT: u32 = 1 + WAITS_SECONDS.len() as u32;

/// The longest that is waited because the endpoint asks for it. *Why*: no longer than the longest wait of ours.
const RETRY_AFTER_LIMIT_SECONDS: u32 = 28_800;

/// Which part of a wait is drawn on top of it, so that what failed together does not come again together.
const JITTER_PART: u64 = 10;

/// How long to wait after the attempt `attempts`, which failed; `None` where it was the last one.
///
/// `asked` is what the endpoint asked for, `random` is uniform.
pub(super) fn wait_seconds(attempts: u32, asked: Option<u32>, random: u32) -> Option<u32> {
    let place = usize::try_from(attempts.saturating_sub(1)).ok()?;
    let wait = *WAITS_SECONDS.get(place)?;
    let most = u64::from(wait) / JITTER_PART;
    let drawn = u32::try_from((u64::from(random) * (most + 1)) >> u32::BITS).unwrap_or_default();
    Some(wait.saturating_add(drawn).max(asked.unwrap_or_default().min(RETRY_AFTER_LIMIT_SECONDS)))
}

/// Why nothing more is tried.
pub(super) fn spent() -> String {
    format!("All {ATTEMPTS_LIMIT} attempts have failed. See to the endpoint, then ask for this delivery again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_are_the_ladder_with_at_most_a_tenth_on_top() {
        let waits = |random| (1..=13).map(|attempts| wait_seconds(attempts, None, random)).collect::<Vec<_>>();
        let ladder: Vec<Option<u32>> = WAITS_SECONDS.into_iter().map(Some).chain([None, None]).collect();
        assert_eq!(waits(0), ladder);
        let longest: Vec<Option<u32>> =
            WAITS_SECONDS.into_iter().map(|wait| Some(wait + wait / 10)).chain([None, None]).collect();
        assert_eq!(waits(u32::MAX), longest);
        assert_eq!(WAITS_SECONDS.iter().sum::<u32>(), 57_840, "sixteen hours and four minutes");
    }

    #[test]
    fn what_the_endpoint_asks_for_is_waited_up_to_eight_hours() {
        for (asked, expected) in [(0, 60), (59, 60), (61, 61), (28_800, 28_800), (28_801, 28_800), (u32::MAX, 28_800)] {
            assert_eq!(wait_seconds(1, Some(asked), 0), Some(expected), "{asked}");
        }
        assert_eq!(wait_seconds(12, Some(60), 0), None);
    }
}

//! One bucket, and many of them in memory.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use domain::{Limit, Timestamp};

use super::Standing;

/// How many buckets are remembered; past it the full ones go, and if none is full, all.
const BUCKETS_LIMIT: usize = 50_000;

const MICROSECONDS: i64 = 1_000_000;

/// The arithmetic of a limit. A bucket is `full_at`, the microsecond at which it will be full again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    limit: Limit,
    interval_us: i64,
}

impl Rate {
    pub(super) fn of(limit: Limit) -> Self {
        let interval_us = (i64::from(limit.seconds) * MICROSECONDS / i64::from(limit.requests.max(1))).max(1);
        Self { limit, interval_us }
    }

    /// How many tokens the bucket has at `now_us`.
    pub(super) fn tokens(self, full_at_us: i64, now_us: i64) -> u32 {
        let owed_us = full_at_us.saturating_sub(now_us).max(0);
        let capacity_us = self.interval_us.saturating_mul(i64::from(self.limit.requests));
        u32::try_from(capacity_us.saturating_sub(owed_us) / self.interval_us).unwrap_or(0)
    }

    /// The bucket after `count` tokens were taken at `now_us`.
    pub(super) fn after(self, full_at_us: i64, now_us: i64, count: u32) -> i64 {
        full_at_us.max(now_us).saturating_add(self.interval_us.saturating_mul(i64::from(count)))
    }

    /// What a sender is told of a bucket with `remaining` tokens.
    pub(super) fn standing(self, full_at_us: i64, now_us: i64, remaining: u32) -> Standing {
        let owed_us = full_at_us.saturating_sub(now_us).max(0);
        let capacity_us = self.interval_us.saturating_mul(i64::from(self.limit.requests));
        let wait_us = if remaining > 0 { 0 } else { owed_us.saturating_sub(capacity_us - self.interval_us).max(1) };
        Standing {
            limit: self.limit.requests,
            remaining,
            reset_at: rounded_up(now_us.saturating_add(owed_us)),
            retry_after_seconds: rounded_up(wait_us),
        }
    }
}

fn rounded_up(microseconds: i64) -> i64 {
    microseconds.div_euclid(MICROSECONDS) + i64::from(microseconds.rem_euclid(MICROSECONDS) > 0)
}

pub(super) const fn microseconds(now: Timestamp) -> i64 {
    now.as_millisecond().saturating_mul(1_000)
}

/// Buckets by their owner and limit.
pub(super) struct Buckets<K> {
    full_at_us: Mutex<HashMap<(K, Limit), i64>>,
}

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self { full_at_us: Mutex::default() }
    }
}

impl<K: Hash + Eq> Buckets<K> {
    /// Takes a token of `owner`.
    ///
    /// *Errors*: where the owner stands, when there is none.
    pub(super) fn take(&self, owner: K, limit: Limit, now: Timestamp) -> Result<Standing, Standing> {
        let (rate, now_us) = (Rate::of(limit), microseconds(now));
        let mut buckets = self.full_at_us.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = (owner, limit);
        if buckets.len() >= BUCKETS_LIMIT && !buckets.contains_key(&bucket) {
            make_room(&mut buckets, now_us);
        }
        let full_at_us = buckets.entry(bucket).or_insert(now_us);
        let tokens = rate.tokens(*full_at_us, now_us);
        if tokens == 0 {
            return Err(rate.standing(*full_at_us, now_us, 0));
        }
        *full_at_us = rate.after(*full_at_us, now_us, 1);
        Ok(rate.standing(*full_at_us, now_us, tokens - 1))
    }

    /// Whether `owner` has a token, which stays there.
    pub(super) fn look(&self, owner: K, limit: Limit, now: Timestamp) -> Result<(), Standing> {
        let (rate, now_us) = (Rate::of(limit), microseconds(now));
        let buckets = self.full_at_us.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at_us = buckets.get(&(owner, limit)).copied().unwrap_or(now_us);
        match rate.tokens(full_at_us, now_us) {
            0 => Err(rate.standing(full_at_us, now_us, 0)),
            1.. => Ok(()),
        }
    }
}

fn make_room<K: Hash + Eq>(buckets: &mut HashMap<K, i64>, now_us: i64) {
    buckets.retain(|_, full_at_us| *full_at_us > now_us);
    if buckets.len() >= BUCKETS_LIMIT {
        buckets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_A_MINUTE: Limit = Limit { requests: 5, seconds: 60 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + second * 1_000)
    }

    #[test]
    fn as_many_as_the_limit_come_in_at_once_and_then_one_in_each_interval() {
        let buckets = Buckets::default();
        for remaining in (0..5).rev() {
            assert_eq!(buckets.take("a", FIVE_A_MINUTE, at(0)).unwrap().remaining, remaining);
        }
        let empty = buckets.take("a", FIVE_A_MINUTE, at(0)).unwrap_err();
        assert_eq!(empty, Standing { limit: 5, remaining: 0, reset_at: 1_700_000_060, retry_after_seconds: 12 });
        assert!(buckets.take("a", FIVE_A_MINUTE, at(11)).is_err());
        assert!(buckets.take("a", FIVE_A_MINUTE, at(12)).is_ok());
        assert!(buckets.take("a", FIVE_A_MINUTE, at(12)).is_err());
        assert!(buckets.take("b", FIVE_A_MINUTE, at(0)).is_ok(), "another owner has its own bucket");
    }

    #[test]
    fn a_bucket_that_rested_holds_no_more_than_its_limit() {
        let buckets = Buckets::default();
        buckets.take("a", FIVE_A_MINUTE, at(0)).unwrap();
        let let_in = (0..20).filter(|_| buckets.take("a", FIVE_A_MINUTE, at(100_000)).is_ok()).count();
        assert_eq!(let_in, 5);
    }

    #[test]
    fn a_clock_that_goes_back_refuses_nobody_for_ever() {
        let buckets = Buckets::default();
        for _ in 0..5 {
            buckets.take("a", FIVE_A_MINUTE, at(1_000)).unwrap();
        }
        let empty = buckets.take("a", FIVE_A_MINUTE, at(900)).unwrap_err();
        assert_eq!(empty.retry_after_seconds, 112);
    }

    #[test]
    fn a_limit_that_was_raised_holds_from_then_on() {
        let buckets = Buckets::default();
        buckets.take("a", Limit { requests: 1, seconds: 86_400 }, at(0)).unwrap();
        assert_eq!(buckets.take("a", FIVE_A_MINUTE, at(1)).unwrap().remaining, 4);
    }

    #[test]
    fn looking_takes_nothing() {
        let buckets = Buckets::default();
        for _ in 0..10 {
            assert!(buckets.look("a", FIVE_A_MINUTE, at(0)).is_ok());
        }
        assert_eq!(buckets.take("a", FIVE_A_MINUTE, at(0)).unwrap().remaining, 4);
    }
}

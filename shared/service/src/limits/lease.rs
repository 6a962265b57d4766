//! Buckets that all processes share, of which this one leases a few tokens at a time.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{HookId, Limit, OrgId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Standing,
    bucket::{Rate, microseconds},
    owner_org, owner_partition,
};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, Store, Table, Unavailable, WriteError},
};

/// How long leased tokens may be spent; after that they are lost, so that a process that was asleep brings no burst.
const LEASE_MS: i64 = 10_000;

/// The most tokens of one lease.
const LEASE_LIMIT_TOKENS: u32 = 100;

/// Which part of a bucket is leased at once: a tenth.
const LEASE_SHARE: u32 = 10;

/// How often the bucket is tried for when other processes write it at the same moment.
const TRIES: usize = 5;

/// How many leases are remembered; past it all are forgotten.
const LEASES_LIMIT: usize = 10_000;

/// Whose bucket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Hook(OrgId, HookId),
    Org(OrgId),
}

/// The bucket as it is kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    full_at_us: i64,
}

/// What this process has of a bucket.
#[derive(Debug, Clone, Copy)]
struct Lease {
    limit: Limit,
    tokens: u32,
    full_at_us: i64,
    left_in_bucket: u32,
    leased_at: Timestamp,
}

#[derive(Default)]
pub(super) struct Leases {
    leases: Mutex<HashMap<Owner, Lease>>,
}

impl Leases {
    /// Takes a token; `None` when the store did not say and the sender is let in all the same.
    pub(super) async fn take(
        &self,
        store: &dyn Store,
        owner: Owner,
        limit: Limit,
        now: Timestamp,
    ) -> Result<Option<Standing>, Standing> {
        if let Some(standing) = self.spend(owner, limit, now) {
            return standing.map(Some);
        }
        for _ in 0..TRIES {
            match lease(store, owner, limit, now).await {
                Ok(lease) => {
                    let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
                    if leases.len() >= LEASES_LIMIT {
                        leases.clear();
                    }
                    // Another task may have leased at the same moment: what it has left is not thrown away.
                    let left = leases.get(&owner).filter(|old| old.is_valid(limit, now)).map_or(0, |old| old.tokens);
                    leases.insert(owner, Lease { tokens: lease.tokens + left, ..lease });
                    drop(leases);
                    if let Some(standing) = self.spend(owner, limit, now) {
                        return standing.map(Some);
                    }
                }
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Unavailable(error)) => {
                    tracing::error!(org.id = %owner_org(owner), %error, "a limit was not counted");
                    return Ok(None);
                }
            }
        }
        tracing::warn!(org.id = %owner_org(owner), "a limit was not counted, because too many counted at once");
        Ok(None)
    }

    /// Spends a leased token. `None` when there is none; an error when the bucket is known to be empty.
    fn spend(&self, owner: Owner, limit: Limit, now: Timestamp) -> Option<Result<Standing, Standing>> {
        let (rate, now_us) = (Rate::of(limit), microseconds(now));
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let lease = leases.get_mut(&owner).filter(|lease| lease.is_valid(limit, now))?;
        if lease.tokens > 0 {
            lease.tokens -= 1;
            return Some(Ok(rate.standing(lease.full_at_us, now_us, lease.tokens + lease.left_in_bucket)));
        }
        match rate.tokens(lease.full_at_us, now_us) {
            0 => Some(Err(rate.standing(lease.full_at_us, now_us, 0))),
            1.. => None,
        }
    }
}

impl Lease {
    fn is_valid(&self, limit: Limit, now: Timestamp) -> bool {
        let age_ms = now.as_millisecond() - self.leased_at.as_millisecond();
        self.limit == limit && (0..LEASE_MS).contains(&age_ms)
    }
}

/// Leases tokens out of the bucket; none when it is empty.
async fn lease(store: &dyn Store, owner: Owner, limit: Limit, now: Timestamp) -> Result<Lease, WriteError> {
    let (rate, now_us) = (Rate::of(limit), microseconds(now));
    // A bucket that was emptied under a slow limit would keep everybody out for long after the limit was raised.
    let bucket = format!("bucket#{}#{}", limit.requests, limit.seconds);
    let key = Key::new(Table::Runs, owner_partition(owner), bucket);
    let found = store.find(&key, Freshness::Latest).await?;
    let (full_at_us, rev) = match &found {
        Some(item) => (document::read::<Stored>(item)?.full_at_us, item.rev),
        None => (now_us, 0),
    };
    let available = rate.tokens(full_at_us, now_us);
    let tokens = available.min((limit.requests / LEASE_SHARE).clamp(1, LEASE_LIMIT_TOKENS));
    let after_us = rate.after(full_at_us, now_us, tokens);
    let lease = Lease { limit, tokens, full_at_us: after_us, left_in_bucket: available - tokens, leased_at: now };
    if tokens == 0 {
        return Ok(Lease { full_at_us, ..lease });
    }
    let item = Item {
        key,
        rev: rev + 1,
        document: document::write(&Stored { full_at_us: after_us }).map_err(|error: Unavailable| error)?,
        index: None,
        expires_at: Some(after_us / 1_000_000 + 60),
    };
    let expectation = if rev == 0 { Expectation::Absent } else { Expectation::Rev(rev) };
    store.write(&[Change::Put(item, expectation)]).await?;
    Ok(lease)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memory::{FixedWorld, MemoryStore};

    const HUNDRED: Limit = Limit { requests: 100, seconds: 100 };

    async fn let_in(leases: &Leases, store: &MemoryStore, limit: Limit, now: Timestamp, tries: usize) -> usize {
        let owner = Owner::Org(OrgId::fresh(Timestamp::from_millisecond(0), [1; 8]));
        let mut count = 0;
        for _ in 0..tries {
            count += usize::from(leases.take(store, owner, limit, now).await.is_ok());
        }
        count
    }

    #[tokio::test]
    async fn processes_share_a_bucket() {
        let now = Timestamp::from_millisecond(1_700_000_000_000);
        let store = MemoryStore::new(Arc::new(FixedWorld::at(now)));
        let (one, other) = (Leases::default(), Leases::default());
        let first = let_in(&one, &store, HUNDRED, now, 60).await;
        let second = let_in(&other, &store, HUNDRED, now, 60).await;
        assert_eq!((first, second), (60, 40));
        assert_eq!(let_in(&one, &store, HUNDRED, now, 10).await, 0);
    }

    #[tokio::test]
    async fn a_limit_that_was_raised_holds_from_then_on() {
        let now = Timestamp::from_millisecond(1_700_000_000_000);
        let store = MemoryStore::new(Arc::new(FixedWorld::at(now)));
        let leases = Leases::default();
        assert_eq!(let_in(&leases, &store, Limit { requests: 1, seconds: 86_400 }, now, 5).await, 1);
        assert_eq!(let_in(&leases, &store, HUNDRED, now, 200).await, 100);
    }

    #[tokio::test]
    async fn one_process_lets_in_exactly_the_limit() {
        let now = Timestamp::from_millisecond(1_700_000_000_000);
        let store = MemoryStore::new(Arc::new(FixedWorld::at(now)));
        for requests in [1, 5, 9, 10, 99, 100, 1_001] {
            let limit = Limit { requests, seconds: 60 };
            let owner = Owner::Hook(OrgId::fresh(now, [1; 8]), HookId::fresh(now, [requests.to_be_bytes()[3]; 8]));
            let leases = Leases::default();
            let mut count = 0;
            for _ in 0..requests + 10 {
                count += u32::from(leases.take(&store, owner, limit, now).await.is_ok());
            }
            assert_eq!(count, requests);
        }
    }
}

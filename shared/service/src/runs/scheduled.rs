//! Scheduled runs, each with its timer, and how many an org has had started in a quarter of an hour.

use domain::{OrgId, ScheduledRun, ScheduledRunId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{RETENTION_SECONDS, item, listing, timers};
use crate::{
    directory::{Listing, Paging},
    document::{self, Versioned},
    envelope::{Named, Scheduled},
    ports::{Change, Expectation, Freshness, IndexKey, Item, Key, Store, Table, Unavailable, WriteError},
};

const SORT: &str = "scheduled";

/// For how long the started ones of an org are counted together. *Source*: reference, section 4.7.
pub const WINDOW_SECONDS: i64 = 900;

/// How often a count is tried that others make at the same time.
const TRIES_LIMIT: usize = 20;

#[derive(Debug, Serialize, Deserialize)]
struct Count {
    started: u32,
}

/// The changes that schedule `run`: what it is, and its timer.
pub fn scheduled_changes(run: &ScheduledRun) -> Result<Vec<Change>, Unavailable> {
    Ok(vec![Change::Put(scheduled_item(run, 1)?, Expectation::Absent), scheduled_timer(run, run.run_at)?])
}

/// The timer of a scheduled run, due at `due_at`. Those of one org stand in one shard, by when they were to run.
pub(crate) fn scheduled_timer(run: &ScheduledRun, due_at: Timestamp) -> Result<Change, Unavailable> {
    let listed = timers::Listed { shard: &run.org.to_string(), order: format!("{}#{}", run.run_at, run.id) };
    timers::put(
        partition(run.org, run.id),
        listed,
        due_at,
        Named::Scheduled(Scheduled { org: run.org, scheduled: run.id }),
    )
}

/// The change that writes `run` in the place of its revision `rev`.
pub fn scheduled_change(run: &ScheduledRun, rev: u64) -> Result<Change, Unavailable> {
    Ok(Change::Put(scheduled_item(run, rev + 1)?, Expectation::Rev(rev)))
}

/// The scheduled run with this id.
pub async fn find_scheduled(
    store: &dyn Store,
    org: OrgId,
    id: ScheduledRunId,
) -> Result<Option<Versioned<ScheduledRun>>, Unavailable> {
    let found = store.find(&key(org, id), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// One page of an org's scheduled runs, the latest first.
pub async fn list_scheduled(
    store: &dyn Store,
    org: OrgId,
    paging: Paging,
) -> Result<Listing<ScheduledRun>, Unavailable> {
    listing(store, format!("{org}#scheduled"), (None, None), paging).await
}

/// Takes one of the `limit` turns that the org has in the quarter of an hour that `now` is in; gives when the next one begins
/// where all are taken.
///
/// *Errors*: [`Unavailable`], also where others count at the same time again and again.
pub async fn take_turn(
    store: &dyn Store,
    org: OrgId,
    limit: u32,
    now: Timestamp,
) -> Result<Result<(), Timestamp>, Unavailable> {
    let begins = now.as_second().div_euclid(WINDOW_SECONDS) * WINDOW_SECONDS;
    let next = Timestamp::from_millisecond((begins + WINDOW_SECONDS) * 1_000);
    let (partition, sort) = (format!("{org}#scheduled-turns"), begins.to_string());
    for _ in 0..TRIES_LIMIT {
        let found = store.find(&Key::new(Table::Runs, partition.clone(), sort.clone()), Freshness::Latest).await?;
        let (rev, started) = match &found {
            Some(item) => (Some(item.rev), document::read::<Count>(item)?.started),
            None => (None, 0),
        };
        if started >= limit {
            return Ok(Err(next));
        }
        let count = document::write(&Count { started: started + 1 })?;
        let mut item = item(partition.clone(), sort.clone(), count, now, WINDOW_SECONDS * 2);
        item.rev = rev.unwrap_or_default() + 1;
        match store.write(&[Change::Put(item, Expectation::unchanged(rev))]).await {
            Ok(()) => return Ok(Ok(())),
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error),
        }
    }
    Err(Unavailable {
        port: "store",
        cause: format!("scheduled runs of {org} were counted by others {TRIES_LIMIT} times"),
    })
}

fn scheduled_item(run: &ScheduledRun, rev: u64) -> Result<Item, Unavailable> {
    Ok(Item {
        key: key(run.org, run.id),
        rev,
        document: document::write(run)?,
        index: Some(IndexKey {
            partition: format!("{}#scheduled", run.org),
            sort: format!("{}#{}", run.run_at, run.id),
        }),
        expires_at: Some(run.run_at.plus_seconds(RETENTION_SECONDS).as_second()),
    })
}

fn key(org: OrgId, id: ScheduledRunId) -> Key {
    Key::new(Table::Runs, partition(org, id), SORT)
}

fn partition(org: OrgId, id: ScheduledRunId) -> String {
    format!("{org}#scheduled#{id}")
}

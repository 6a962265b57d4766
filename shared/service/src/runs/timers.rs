//! Timers: what is to happen at a time that is too far away for the queue to hold a message back.
//!
//! A timer is an item of its own beside what needs it, written in the same write, and listed under one of a few shards by
//! its time. The ticker goes over what is due; nothing else reads it, so a run that waits costs nothing.

use domain::{OrgId, Run, RunId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{RETENTION_SECONDS, find_all_items, held, unsent};
use crate::{
    document,
    envelope::{Named, Woken},
    ports::{
        Change, DELAY_LIMIT_SECONDS, Expectation, IndexKey, Item, Key, LIST_LIMIT_ITEMS, Order, Page, Range, Scope,
        Store, Table, Unavailable, WriteError,
    },
};

/// Over how many partitions the index of timers is spread. *Why*: one takes 1,000 writes a second.
pub const TIMER_SHARDS: u8 = 16;

const SORT: &str = "timer";

/// A timer.
#[derive(Debug, Clone, PartialEq)]
pub struct Timer {
    /// When it is due.
    pub due_at: Timestamp,
    /// What is sent then.
    pub(crate) sends: Named,
    key: Key,
    rev: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    due_at: Timestamp,
    sends: Named,
}

/// What everything has that is listed among the timers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dated {
    due_at: Timestamp,
}

/// One page of what is due in a shard.
#[derive(Debug, Default)]
pub struct Due {
    /// Timers, first the one that was due first.
    pub timers: Vec<Timer>,
    /// Where arrivals stand that the queue did not take.
    pub unsent: Vec<Key>,
    /// Where the marks stand of hooks whose held arrivals go on.
    pub releases: Vec<Key>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Whether `until` is too far away for a message that the queue holds back.
pub fn needs_timer(until: Timestamp, now: Timestamp) -> bool {
    now.seconds_until(until) > u64::from(DELAY_LIMIT_SECONDS)
}

/// The change that has `run` woken at `until`, where that takes a timer; it takes the place of an earlier one of the run.
pub fn timer_change(run: &Run, until: Timestamp, now: Timestamp) -> Result<Option<Change>, Unavailable> {
    if !needs_timer(until, now) {
        return Ok(None);
    }
    let sends = Named::Wake(Woken { org: run.org, transaction: run.transaction_id, run: run.id, answered: false });
    let id = run.id.to_string();
    put(run_partition(run.org, run.id), Listed { shard: &id, order: id.clone() }, until, sends).map(Some)
}

/// Where a timer is listed.
pub(crate) struct Listed<'a> {
    /// What is the same of those that are listed in one shard.
    pub(crate) shard: &'a str,
    /// Its place among those of the same time.
    pub(crate) order: String,
}

impl Listed<'_> {
    /// Its place, for what is due at `due_at`.
    pub(super) fn at(self, due_at: Timestamp) -> IndexKey {
        IndexKey { partition: shard_of(self.shard), sort: format!("{due_at}#{}", self.order) }
    }
}

/// The change that has `sends` sent at `due_at`. The timer stands in `partition`, in the place of an earlier one.
pub(crate) fn put(
    partition: String,
    listed: Listed<'_>,
    due_at: Timestamp,
    sends: Named,
) -> Result<Change, Unavailable> {
    let document = document::write(&Document { due_at, sends })?;
    let item = Item {
        key: Key::new(Table::Runs, partition, SORT),
        rev: rev(due_at),
        document,
        index: Some(listed.at(due_at)),
        expires_at: Some(due_at.plus_seconds(RETENTION_SECONDS).as_second()),
    };
    Ok(Change::Put(item, Expectation::Anything))
}

/// What of a shard is due before `until`, at most [`LIST_LIMIT_ITEMS`], from where `after` says the page begins.
pub async fn due(store: &dyn Store, shard: u8, until: Timestamp, after: Option<String>) -> Result<Due, Unavailable> {
    let Page { items, next } = store.list(&Range { below: until.to_string(), after, ..all_of(shard) }).await?;
    let mut due = Due { next, ..Due::default() };
    let mut keys = Vec::new();
    for Item { key, .. } in items {
        match key.sort.as_str() {
            unsent::SORT => due.unsent.push(key),
            held::RELEASE_SORT => due.releases.push(key),
            _ => keys.push(key),
        }
    }
    for item in find_all_items(store, &keys).await? {
        let Document { due_at, sends } = document::read(&item)?;
        // An index may name what is due later now.
        if due_at < until {
            due.timers.push(Timer { due_at, sends, key: item.key, rev: item.rev });
        }
    }
    Ok(due)
}

/// When the next timer is due, whenever that is.
pub async fn next_timer_at(store: &dyn Store) -> Result<Option<Timestamp>, Unavailable> {
    let mut next = None;
    for shard in 0..TIMER_SHARDS {
        let page = store.list(&Range { limit: 1, ..all_of(shard) }).await?;
        let items = find_all_items(store, &page.items.into_iter().map(|item| item.key).collect::<Vec<_>>()).await?;
        let due = items.first().map(document::read::<Dated>).transpose()?.map(|dated| dated.due_at);
        next = [next, due].into_iter().flatten().min();
    }
    Ok(next)
}

/// Removes a timer whose message was sent. That another one stands in its place, or nothing, is not an error.
pub async fn remove_timer(store: &dyn Store, timer: &Timer) -> Result<(), Unavailable> {
    match store.write(&[Change::Delete(timer.key.clone(), Expectation::Rev(timer.rev))]).await {
        Ok(()) | Err(WriteError::Conflict { .. }) => Ok(()),
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}

fn all_of(shard: u8) -> Range {
    Range {
        table: Table::Runs,
        scope: Scope::Index,
        partition: shard_name(shard),
        from: String::new(),
        below: String::new(),
        order: Order::Ascending,
        limit: LIST_LIMIT_ITEMS,
        after: None,
    }
}

/// Two timers in one place are the same if they are due at the same time.
fn rev(due_at: Timestamp) -> u64 {
    u64::try_from(due_at.as_millisecond()).unwrap_or_default()
}

fn run_partition(org: OrgId, run: RunId) -> String {
    format!("{org}#run#{run}")
}

fn shard_of(id: &str) -> String {
    let sum = id.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    shard_name(sum % TIMER_SHARDS)
}

fn shard_name(shard: u8) -> String {
    format!("due#{shard:02}")
}

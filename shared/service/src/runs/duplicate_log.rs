//! Repeats, counted and listed: the last of a hook, how many there were at it, and how often a transaction was repeated.
//!
//! The counts of a hook go round in [`SLOTS`] places beside its last repeats, so that senders who repeat at the same time
//! seldom write to one place. One write counts a repeat; a first arrival costs nothing.

use domain::{HookId, OrgId, Timestamp, TransactionId};
use futures_util::future::try_join;
use serde::{Deserialize, Serialize};

use super::{RETENTION_SECONDS, RepeatRule, item, items, trace::transaction_key};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, Order, Store, Table, Unavailable, WriteError},
};

/// How many repeats of a hook are kept.
const SLOTS: usize = 20;

/// How often a count is begun anew because somebody else was faster.
const TRIES: usize = 10;

/// An arrival that had come before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Duplicate {
    /// The transaction that it repeats.
    pub transaction: TransactionId,
    /// When that arrived.
    pub first_at: Timestamp,
    /// When it came again.
    pub created_at: Timestamp,
    /// What told it.
    pub rule: RepeatRule,
}

/// The repeats of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// How many there were; a place of the twenty that nothing was written to for 90 days is forgotten with its count.
    pub count: u64,
    /// The last of them, newest first.
    pub last: Vec<Duplicate>,
}

/// How often a transaction was repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// When for the last time.
    pub last_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct Slot {
    count: u64,
    last: Duplicate,
}

/// Counts a repeat at `hook`, in the place `slot` or the next that nobody else is writing to.
///
/// *Errors*: [`Unavailable`], also where others were faster too often; it is not counted then.
pub async fn note_duplicate(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    slot: usize,
    duplicate: &Duplicate,
) -> Result<(), Unavailable> {
    let tally_key = tally_key(org, duplicate.transaction);
    for attempt in 0..TRIES {
        let place = format!("{:03}", slot.wrapping_add(attempt) % SLOTS);
        let slot_key = Key::new(Table::Runs, partition(org, hook), place);
        let found =
            try_join(store.find(&slot_key, Freshness::Latest), store.find(&tally_key, Freshness::Latest)).await?;
        let changes = [slot_change(&slot_key, found.0, duplicate)?, tally_change(&tally_key, found.1, duplicate)?];
        match store.write(&changes).await {
            Ok(()) => return Ok(()),
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error),
        }
    }
    Err(Unavailable { port: "store", cause: "others counted repeats at the same time".to_owned() })
}

/// How many repeats the hook had, and the last of them.
pub async fn find_duplicates(store: &dyn Store, org: OrgId, hook: HookId) -> Result<Duplicates, Unavailable> {
    let page = items(store, partition(org, hook), String::new(), Order::Ascending, SLOTS).await?;
    let slots: Vec<Slot> = document::read_page(&page)?.items;
    let count = slots.iter().map(|slot| slot.count).sum();
    let mut last: Vec<Duplicate> = slots.into_iter().map(|slot| slot.last).collect();
    last.sort_by_key(|duplicate| std::cmp::Reverse((duplicate.created_at, duplicate.transaction.to_string())));
    Ok(Duplicates { count, last })
}

/// How often `transaction` was repeated; nothing where it never was.
pub async fn find_tally(
    store: &dyn Store,
    org: OrgId,
    transaction: TransactionId,
) -> Result<Option<Tally>, Unavailable> {
    let found = store.find(&tally_key(org, transaction), Freshness::Latest).await?;
    found.as_ref().map(document::read).transpose()
}

fn slot_change(key: &Key, found: Option<Item>, duplicate: &Duplicate) -> Result<Change, Unavailable> {
    let before: Option<Slot> = found.as_ref().map(document::read).transpose()?;
    let count = before.map_or(0, |slot| slot.count).saturating_add(1);
    let document = document::write(&Slot { count, last: duplicate.clone() })?;
    Ok(after(key, found, document, duplicate.created_at))
}

fn tally_change(key: &Key, found: Option<Item>, duplicate: &Duplicate) -> Result<Change, Unavailable> {
    let before: Option<Tally> = found.as_ref().map(document::read).transpose()?;
    let count = before.map_or(0, |tally| tally.count).saturating_add(1);
    let document = document::write(&Tally { count, last_at: duplicate.created_at })?;
    Ok(after(key, found, document, duplicate.first_at))
}

/// `document` in the place of what was found.
fn after(key: &Key, found: Option<Item>, document: String, kept_from: Timestamp) -> Change {
    let rev = found.map(|item| item.rev);
    let item = item(key.partition.clone(), key.sort.clone(), document, kept_from, RETENTION_SECONDS);
    Change::Put(Item { rev: rev.unwrap_or(0) + 1, ..item }, Expectation::unchanged(rev))
}

fn tally_key(org: OrgId, transaction: TransactionId) -> Key {
    Key { sort: "repeats".to_owned(), ..transaction_key(org, transaction) }
}

fn partition(org: OrgId, hook: HookId) -> String {
    format!("{org}#duplicates#{hook}")
}

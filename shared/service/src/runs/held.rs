//! Arrivals at a hook that is paused, in the order in which they came, and the mark that has them go on.
//!
//! The mark stands among the timers from when the hook goes on until no process can hold anything more: one that could not
//! ask the store for a while may still take the hook for paused. Pausing the hook again takes the mark away, and with it
//! whatever would go on.

use domain::{HookId, OrgId, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};

use super::{find_all_items, put, timers::Listed};
use crate::{
    directory::Paging,
    document,
    ports::{
        Change, Expectation, IndexKey, Item, Key, LIST_LIMIT_ITEMS, Order, Page, Range, Scope, Store, Table,
        Unavailable, WriteError,
    },
};

pub(super) const RELEASE_SORT: &str = "release";

/// How many held arrivals are counted; of more it is only said that there are.
pub const COUNTED_LIMIT: usize = 1_000;

/// How long after a hook went on what is held is looked for. *Why*: as long as a hook is served from memory while the store
/// does not answer, and some minutes for what was under way then.
const RELEASE_SECONDS: i64 = 65 * 60;

/// An arrival that is held.
///
/// *Shape*: `{"org":"…","transaction":"…","createdAt":"…","heldAt":"…","message":"{\"v\":1,…}"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Whose it is.
    pub org: OrgId,
    /// The transaction that it will be.
    pub transaction: TransactionId,
    /// When it arrived.
    pub created_at: Timestamp,
    /// When it was held.
    pub held_at: Timestamp,
    /// What goes on the queue when the hook goes on.
    pub message: String,
}

/// A held arrival where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldItem {
    /// What is held.
    pub held: Held,
    key: Key,
    rev: u64,
}

/// How many arrivals a hook holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldCount {
    /// How many there are, as far as they were counted.
    pub count: usize,
    /// Whether there are more.
    pub has_more: bool,
}

/// The mark of a hook whose held arrivals go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    org: OrgId,
    hook: HookId,
    due_at: Timestamp,
    key: Key,
    rev: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReleaseDocument {
    due_at: Timestamp,
    org: OrgId,
    hook: HookId,
}

/// Which of two writes of the same arrival counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// The first: it is there, or the queue has it already.
    Once,
    /// This one, because the message it came with is used up. It has a revision of its own, so that whoever is about to
    /// remove the earlier one leaves it.
    Anew(u64),
}

/// Holds an arrival at `hook`.
///
/// *Once it returns* it goes on the queue when the hook goes on. It does not expire.
pub async fn hold(store: &dyn Store, hook: HookId, held: &Held, holding: Holding) -> Result<(), Unavailable> {
    let Held { org, transaction, created_at, .. } = *held;
    let (rev, expectation) = match holding {
        Holding::Once => (1, Expectation::Absent),
        Holding::Anew(rev) => (rev, Expectation::Anything),
    };
    let item = Item {
        key: held_key(org, hook, transaction),
        rev,
        document: document::write(held)?,
        index: Some(IndexKey { partition: list_name(org, hook), sort: format!("{created_at}#{transaction}") }),
        expires_at: None,
    };
    put(store, item, expectation).await
}

/// One page of what is held at `hook`, in the order in which it came.
pub async fn list_held(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    paging: Paging,
) -> Result<(Vec<HeldItem>, Option<String>), Unavailable> {
    let page = held_keys(store, org, hook, paging.limit, paging.after).await?;
    let keys: Vec<Key> = page.items.into_iter().map(|item| item.key).collect();
    Ok((find_held(store, &keys).await?, page.next))
}

/// How many arrivals are held at `hook`.
pub async fn count_held(store: &dyn Store, org: OrgId, hook: HookId) -> Result<HeldCount, Unavailable> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = held_keys(store, org, hook, LIST_LIMIT_ITEMS, after).await?;
        count += page.items.len();
        match page.next {
            Some(next) if count < COUNTED_LIMIT => after = Some(next),
            next => return Ok(HeldCount { count: count.min(COUNTED_LIMIT), has_more: next.is_some() }),
        }
    }
}

/// Removes what the queue has now, unless it was held anew.
pub async fn remove_held(store: &dyn Store, item: &HeldItem) -> Result<(), Unavailable> {
    remove(store, &item.key, item.rev).await
}

/// The change that has what is held at `hook` go on.
pub fn release_change(org: OrgId, hook: HookId, now: Timestamp) -> Result<Change, Unavailable> {
    let id = hook.to_string();
    let item = Item {
        key: release_key(org, hook),
        rev: u64::try_from(now.as_millisecond()).unwrap_or_default(),
        document: document::write(&ReleaseDocument { due_at: now, org, hook })?,
        index: Some(Listed { shard: &id, order: id.clone() }.at(now)),
        expires_at: None,
    };
    Ok(Change::Put(item, Expectation::Anything))
}

/// The change that has it stay.
pub fn stay_change(org: OrgId, hook: HookId) -> Change {
    Change::Delete(release_key(org, hook), Expectation::Anything)
}

/// The marks at `keys`; those left out that are not there any more.
pub async fn find_releases(store: &dyn Store, keys: &[Key]) -> Result<Vec<Release>, Unavailable> {
    let items = find_all_items(store, keys).await?;
    let releases = items.into_iter().map(|item| {
        let ReleaseDocument { due_at, org, hook } = document::read(&item)?;
        Ok(Release { org, hook, due_at, key: item.key, rev: item.rev })
    });
    releases.collect()
}

impl Release {
    /// Whether the mark is still there, so that the hook was not paused again.
    pub async fn holds(&self, store: &dyn Store) -> Result<bool, Unavailable> {
        Ok(!find_all_items(store, std::slice::from_ref(&self.key)).await?.is_empty())
    }

    /// Where those stand that go on next, at most [`LIST_LIMIT_ITEMS`], and where those after them begin.
    pub async fn next(
        &self,
        store: &dyn Store,
        after: Option<String>,
    ) -> Result<(Vec<Key>, Option<String>), Unavailable> {
        let page = held_keys(store, self.org, self.hook, LIST_LIMIT_ITEMS, after).await?;
        Ok((page.items.into_iter().map(|item| item.key).collect(), page.next))
    }

    /// Takes the mark away once nothing more can come.
    pub async fn end(&self, store: &dyn Store, now: Timestamp) -> Result<(), Unavailable> {
        if now < self.due_at.plus_seconds(RELEASE_SECONDS) {
            return Ok(());
        }
        remove(store, &self.key, self.rev).await
    }
}

/// What is held at `keys`; what is not there any more is left out.
pub async fn find_held(store: &dyn Store, keys: &[Key]) -> Result<Vec<HeldItem>, Unavailable> {
    let items = find_all_items(store, keys).await?;
    items.into_iter().map(|item| Ok(HeldItem { held: document::read(&item)?, key: item.key, rev: item.rev })).collect()
}

async fn held_keys(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    limit: usize,
    after: Option<String>,
) -> Result<Page, Unavailable> {
    let range = Range {
        table: Table::Runs,
        scope: Scope::Index,
        partition: list_name(org, hook),
        from: String::new(),
        below: String::new(),
        order: Order::Ascending,
        limit,
        after,
    };
    store.list(&range).await
}

async fn remove(store: &dyn Store, key: &Key, rev: u64) -> Result<(), Unavailable> {
    match store.write(&[Change::Delete(key.clone(), Expectation::Rev(rev))]).await {
        Ok(()) | Err(WriteError::Conflict { .. }) => Ok(()),
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}

fn held_key(org: OrgId, hook: HookId, transaction: TransactionId) -> Key {
    Key::new(Table::Runs, format!("{org}#held#{hook}#{transaction}"), "held")
}

fn release_key(org: OrgId, hook: HookId) -> Key {
    Key::new(Table::Runs, format!("{org}#held#{hook}"), RELEASE_SORT)
}

fn list_name(org: OrgId, hook: HookId) -> String {
    format!("{org}#holding#{hook}")
}

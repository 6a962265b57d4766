//! Hooks, each kept twice: in its org's list, and under its address, where the door finds it with one read.

use std::sync::Arc;

use domain::{Hook, HookHash, HookId, HookKind, OrgId, Timestamp};

use super::{Listing, Paging, Versioned, item, key, list as list_collection, list_all};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Key, Store, Table, Unavailable, WriteError},
    remembered::Remembered,
};

/// How long an address that was looked up, found or not, is believed.
///
/// *Why*: a hook that was deleted through another process goes on answering for as long; a flood of posts to
/// addresses that do not exist costs one read each in that time.
const ADDRESS_CACHE_MS: i64 = 5_000;

/// How many addresses are remembered; past it everything is forgotten, which costs one read each.
const ADDRESS_CACHE_LIMIT: usize = 10_000;

/// Hooks by address, remembered for a few seconds.
pub struct AddressCache(Remembered<HookHash, Option<Arc<Hook>>>);

impl Default for AddressCache {
    fn default() -> Self {
        Self(Remembered::at_most(ADDRESS_CACHE_LIMIT))
    }
}

impl AddressCache {
    /// The hook at `hash`, from memory or from the store.
    pub async fn find(
        &self,
        store: &dyn Store,
        hash: HookHash,
        now: Timestamp,
    ) -> Result<Option<Arc<Hook>>, Unavailable> {
        if let Some(known) = self.remembered(hash, now) {
            return Ok(known);
        }
        let found = find_by_hash(store, hash).await?.map(Arc::new);
        // Addresses that were guessed go first, so that a flood of them makes nobody forget a hook.
        self.0.put_before(hash, found.clone(), now, Option::is_none);
        Ok(found)
    }

    /// Whether a hook was at `hash` when it was last looked up, however long ago.
    pub fn was_there(&self, hash: HookHash) -> bool {
        self.0.find_any(&hash).is_some_and(|hook| hook.is_some())
    }

    /// Forgets the hook at `hash`, because this process has just changed it.
    pub fn forget(&self, hash: HookHash) {
        self.0.forget(&hash);
    }

    /// What is remembered of `hash`: nothing, that no hook is there, or the hook.
    pub fn remembered(&self, hash: HookHash, now: Timestamp) -> Option<Option<Arc<Hook>>> {
        self.0.find(&hash, now, ADDRESS_CACHE_MS)
    }
}

/// Creates `hook` with its address.
///
/// *Errors*: [`WriteError::Conflict`] when its id or hash is taken, which a fresh random one is not.
pub async fn create(store: &dyn Store, hook: &Hook) -> Result<(), WriteError> {
    write(store, hook, 1, Expectation::Absent).await
}

/// The changes of [`create`].
pub(crate) fn creation(hook: &Hook) -> Result<[Change; 2], Unavailable> {
    changes(hook, 1, Expectation::Absent)
}

/// Writes `hook` in the place of its revision `rev`.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written it since.
pub async fn replace(store: &dyn Store, hook: &Hook, rev: u64) -> Result<(), WriteError> {
    write(store, hook, rev + 1, Expectation::Rev(rev)).await
}

/// Deletes the revision `rev` of `hook` with its address.
///
/// *Errors*: as [`replace`].
pub async fn delete(store: &dyn Store, hook: &Hook, rev: u64) -> Result<(), WriteError> {
    store
        .write(&[
            Change::Delete(main_key(hook.org, hook.kind, hook.id), Expectation::Rev(rev)),
            Change::Delete(address_key(hook.hash), Expectation::Anything),
        ])
        .await
}

/// The hook of this kind and id.
pub async fn find(
    store: &dyn Store,
    org: OrgId,
    kind: HookKind,
    id: HookId,
) -> Result<Option<Versioned<Hook>>, Unavailable> {
    let found = store.find(&main_key(org, kind, id), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// One page of an org's hooks of one kind, oldest first.
pub async fn list(store: &dyn Store, org: OrgId, kind: HookKind, paging: Paging) -> Result<Listing<Hook>, Unavailable> {
    document::read_page(&list_collection(store, org, &collection(kind), paging).await?)
}

/// Every hook of an org, of all kinds.
pub async fn all(store: &dyn Store, org: OrgId) -> Result<Vec<Hook>, Unavailable> {
    let mut hooks = Vec::new();
    for kind in [HookKind::Form, HookKind::Web, HookKind::Email] {
        let items = list_all(store, org, &collection(kind)).await?;
        hooks.extend(items.iter().map(document::read::<Hook>).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(hooks)
}

async fn find_by_hash(store: &dyn Store, hash: HookHash) -> Result<Option<Hook>, Unavailable> {
    let key = address_key(hash);
    let found = match store.find(&key, Freshness::Recent).await? {
        Some(found) => Some(found),
        // A hook that was made a moment ago must not be refused, and its refusal not remembered.
        None => store.find(&key, Freshness::Latest).await?,
    };
    found.as_ref().map(document::read).transpose()
}

async fn write(store: &dyn Store, hook: &Hook, rev: u64, expectation: Expectation) -> Result<(), WriteError> {
    store.write(&changes(hook, rev, expectation)?).await
}

fn changes(hook: &Hook, rev: u64, expectation: Expectation) -> Result<[Change; 2], Unavailable> {
    let document = document::write(hook)?;
    let main = item(main_key(hook.org, hook.kind, hook.id), rev, document.clone());
    let address = item(address_key(hook.hash), rev, document);
    Ok([Change::Put(main, expectation), Change::Put(address, expectation)])
}

fn collection(kind: HookKind) -> String {
    format!("hooks#{}", kind.word())
}

fn main_key(org: OrgId, kind: HookKind, id: HookId) -> Key {
    key(org, &collection(kind), id.to_string())
}

/// The one partition without an org in it: an address without one has to be found too.
fn address_key(hash: HookHash) -> Key {
    Key::new(Table::Directory, format!("address#{hash}"), "hook")
}

//! Hooks, each kept twice: in its org's list, and under its address, where the door finds it with one read.

use std::sync::Arc;

use domain::{Hook, HookHash, HookId, HookKind, OrgId, Timestamp};

use super::{Listing, Paging, Versioned, item, key, list as list_collection, list_all};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Key, Store, Table, Unavailable, WriteError},
    remembered::Remembered,
    runs,
};

/// How long an address that was looked up, found or not, is believed.
///
/// *Why*: a hook that was deleted through another process goes on answering for as long; a flood of posts to
/// addresses that do not exist costs one read each in that time.
const ADDRESS_CACHE_MS: i64 = 5_000;

/// How many addresses are remembered; past it everything is forgotten, which costs one read each.
const ADDRESS_CACHE_LIMIT: usize = 10_000;

/// How long a hook is served from memory that the store did not answer for. *Why*: long enough for most outages, and short
/// enough that an address which was deleted is not served for days by a process that cannot know. What came so is settled
/// by the executor, which looks at the hook as it is then.
const STALE_MS: i64 = 60 * 60 * 1_000;

/// Hooks by address, remembered for a few seconds; for longer while the store does not answer.
pub struct AddressCache(Remembered<HookHash, LookUp>);

/// What is remembered of an address.
#[derive(Clone)]
struct LookUp {
    hook: Option<Arc<Hook>>,
    /// When the store said so.
    told_at: Timestamp,
    /// Whether the store was asked again since and did not answer.
    is_stale: bool,
}

impl Default for AddressCache {
    fn default() -> Self {
        Self(Remembered::at_most(ADDRESS_CACHE_LIMIT))
    }
}

impl AddressCache {
    /// The hook at `hash`, from memory or from the store.
    ///
    /// *Errors*: [`Unavailable`], where the store does not answer and no hook is remembered that it told of within
    /// [`STALE_MS`].
    pub async fn find(
        &self,
        store: &dyn Store,
        hash: HookHash,
        now: Timestamp,
    ) -> Result<Option<Arc<Hook>>, Unavailable> {
        if let Some(known) = self.remembered(hash, now) {
            return Ok(known);
        }
        let look_up = match find_by_hash(store, hash).await {
            Ok(found) => LookUp { hook: found.map(Arc::new), told_at: now, is_stale: false },
            Err(error) => {
                let stale = self.stale(hash, now).ok_or_else(|| error.clone())?;
                tracing::error!(%error, "a hook is served from memory");
                stale
            }
        };
        // Addresses that were guessed go first, so that a flood of them makes nobody forget a hook. What is stale is put, too:
        // not every arrival has to wait until the store has failed again.
        self.0.put_before(hash, look_up.clone(), now, |look_up| look_up.hook.is_none());
        Ok(look_up.hook)
    }

    /// Whether a hook was at `hash` when it was last looked up, however long ago.
    pub fn was_there(&self, hash: HookHash) -> bool {
        self.0.find_any(&hash).is_some_and(|look_up| look_up.hook.is_some())
    }

    /// Whether the hook at `hash` is served although the store did not answer, so that it may have been changed or deleted.
    pub fn is_stale(&self, hash: HookHash) -> bool {
        self.0.find_any(&hash).is_some_and(|look_up| look_up.is_stale)
    }

    /// Forgets the hook at `hash`, because this process has just changed it.
    pub fn forget(&self, hash: HookHash) {
        self.0.forget(&hash);
    }

    /// What is remembered of `hash`: nothing, that no hook is there, or the hook.
    pub fn remembered(&self, hash: HookHash, now: Timestamp) -> Option<Option<Arc<Hook>>> {
        self.0.find(&hash, now, ADDRESS_CACHE_MS).map(|look_up| look_up.hook)
    }

    fn stale(&self, hash: HookHash, now: Timestamp) -> Option<LookUp> {
        let age_ms = |look_up: &LookUp| now.as_millisecond() - look_up.told_at.as_millisecond();
        let known = self.0.find_any(&hash).filter(|look_up| look_up.hook.is_some() && age_ms(look_up) < STALE_MS)?;
        Some(LookUp { is_stale: true, ..known })
    }
}

/// Creates `hook` with its address.
///
/// *Errors*: [`WriteError::Conflict`] when its id or hash is taken, which a fresh random one is not.
pub async fn create(store: &dyn Store, hook: &Hook) -> Result<(), WriteError> {
    store.write(&changes(hook, 1, Expectation::Absent)?).await
}

/// The changes of [`create`].
pub(crate) fn creation(hook: &Hook) -> Result<[Change; 2], Unavailable> {
    changes(hook, 1, Expectation::Absent)
}

/// Writes `hook` in the place of its revision `before`. Where it was paused and is not any more, what it holds goes on;
/// where it is paused now, whatever would go on stays.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written it since.
pub async fn replace(store: &dyn Store, hook: &Hook, before: &Versioned<Hook>) -> Result<(), WriteError> {
    let mut changes = changes(hook, before.rev + 1, Expectation::Rev(before.rev))?.to_vec();
    match (before.value.paused, hook.paused) {
        (true, false) => changes.push(runs::release_change(hook.org, hook.id, hook.updated_at)?),
        (false, true) => changes.push(runs::stay_change(hook.org, hook.id)),
        (true, true) | (false, false) => {}
    }
    store.write(&changes).await
}

/// Deletes the revision `rev` of `hook` with its address. What a paused hook holds goes on from `now`: it was accepted.
///
/// *Errors*: as [`replace`].
pub async fn delete(store: &dyn Store, hook: &Hook, rev: u64, now: Timestamp) -> Result<(), WriteError> {
    let mut changes = vec![
        Change::Delete(main_key(hook.org, hook.kind, hook.id), Expectation::Rev(rev)),
        Change::Delete(address_key(hook.hash), Expectation::Anything),
    ];
    if hook.paused {
        changes.push(runs::release_change(hook.org, hook.id, now)?);
    }
    store.write(&changes).await
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

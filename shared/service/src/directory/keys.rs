//! API keys. A token names its org and key, so that one read finds the digest to compare it with.

use std::{collections::HashMap, sync::Arc};

use domain::{ApiKey, ApiKeyId, OrgId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Listing, Paging, Versioned, item, key, list as list_collection};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, Store, Table, Unavailable, WriteError},
    remembered::Remembered,
};

const COLLECTION: &str = "keys";

/// How long a webhook believes a key that it looked up. *Why*: a key that was deleted through another process works for
/// as long; a sender who posts ten times a second costs one read in that time.
const KEY_CACHE_MS: i64 = 5_000;

/// How many keys are remembered; past it all are forgotten.
const KEY_CACHE_LIMIT: usize = 10_000;

/// How often the use of a key is written down.
const USE_NOTED_MS: i64 = 5 * 60 * 1_000;

/// How long the last use stays known.
const USE_KEPT_SECONDS: i64 = 400 * 24 * 60 * 60;

/// Keys that were looked up lately, and whose use was written down lately.
pub struct KeyCache {
    keys: Remembered<(OrgId, ApiKeyId), Option<Arc<ApiKey>>>,
    noted: Remembered<ApiKeyId, ()>,
}

impl Default for KeyCache {
    fn default() -> Self {
        Self { keys: Remembered::at_most(KEY_CACHE_LIMIT), noted: Remembered::at_most(KEY_CACHE_LIMIT) }
    }
}

impl KeyCache {
    /// The key with this id, from memory or from the store.
    pub async fn find(
        &self,
        store: &dyn Store,
        org: OrgId,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<Option<Arc<ApiKey>>, Unavailable> {
        if let Some(known) = self.keys.find(&(org, id), now, KEY_CACHE_MS) {
            return Ok(known);
        }
        let found = find(store, org, id).await?.map(|found| Arc::new(found.value));
        self.keys.put((org, id), found.clone(), now);
        Ok(found)
    }

    /// Forgets the key, because this process has just changed it.
    pub fn forget(&self, org: OrgId, id: ApiKeyId) {
        self.keys.forget(&(org, id));
    }

    /// Writes down that the key is in use, unless this process did so a moment ago.
    ///
    /// It never fails: a use that is not written down is none the less a good one.
    pub async fn note_use(&self, store: &dyn Store, org: OrgId, id: ApiKeyId, now: Timestamp) {
        if !self.noted.renew(id, (), now, USE_NOTED_MS) {
            return;
        }
        if let Err(error) = write_use(store, org, id, now).await {
            tracing::error!(key.id = %id, %error, "the use of a key was not written down");
        }
    }
}

/// Creates `api_key`.
pub async fn create(store: &dyn Store, api_key: &ApiKey) -> Result<(), WriteError> {
    store.write(&[put(api_key, 1, Expectation::Absent)?]).await
}

/// Creates `successor`, and writes `before` in the place of its revision `rev`, both or neither.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written `before` since.
pub async fn rotate(store: &dyn Store, before: &ApiKey, rev: u64, successor: &ApiKey) -> Result<(), WriteError> {
    store.write(&[put(before, rev + 1, Expectation::Rev(rev))?, put(successor, 1, Expectation::Absent)?]).await
}

/// Deletes the key, whether it was there or not.
pub async fn delete(store: &dyn Store, org: OrgId, id: ApiKeyId) -> Result<(), WriteError> {
    store.write(&[Change::Delete(place(org, id), Expectation::Anything)]).await
}

/// The key with this id.
pub async fn find(store: &dyn Store, org: OrgId, id: ApiKeyId) -> Result<Option<Versioned<ApiKey>>, Unavailable> {
    // A key that was deleted must stop working at once, so the read sees every write.
    let found = store.find(&place(org, id), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// One page of an org's keys, oldest first.
pub async fn list(store: &dyn Store, org: OrgId, paging: Paging) -> Result<Listing<ApiKey>, Unavailable> {
    document::read_page(&list_collection(store, org, COLLECTION, paging).await?)
}

/// When each of the keys was last used, to within a few minutes.
pub async fn last_uses(
    store: &dyn Store,
    org: OrgId,
    ids: &[ApiKeyId],
) -> Result<HashMap<String, Timestamp>, Unavailable> {
    let keys: Vec<Key> = ids.iter().map(|id| use_key(org, *id)).collect();
    let found = if keys.is_empty() { Vec::new() } else { store.find_all(&keys).await? };
    found.iter().map(|item| Ok((item.key.sort.clone(), document::read::<Use>(item)?.at))).collect()
}

#[derive(Serialize, Deserialize)]
struct Use {
    at: Timestamp,
}

/// It lies in the runs table, so that a door that only looks keys up need not be able to write them.
async fn write_use(store: &dyn Store, org: OrgId, id: ApiKeyId, now: Timestamp) -> Result<(), WriteError> {
    let item = Item {
        key: use_key(org, id),
        rev: 1,
        document: document::write(&Use { at: now })?,
        index: None,
        expires_at: Some(now.plus_seconds(USE_KEPT_SECONDS).as_second()),
    };
    store.write(&[Change::Put(item, Expectation::Anything)]).await
}

fn put(api_key: &ApiKey, rev: u64, expectation: Expectation) -> Result<Change, Unavailable> {
    Ok(Change::Put(item(place(api_key.org, api_key.id), rev, document::write(api_key)?), expectation))
}

fn place(org: OrgId, id: ApiKeyId) -> Key {
    key(org, COLLECTION, id.to_string())
}

fn use_key(org: OrgId, id: ApiKeyId) -> Key {
    Key::new(Table::Runs, format!("{org}#key-use"), id.to_string())
}

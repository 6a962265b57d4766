//! A unit of work: reads that are remembered, and changes that are all made at once or not at all.
//!
//! Every change expects its key as the unit read it (or, never read, absent). If somebody was faster, the write
//! conflicts, nothing has happened, and whoever drives the unit begins again with a new one.

use std::collections::HashMap;

use domain::{OrgId, Record, RecordId, RecordKind, Timestamp};

use super::{NotDone, record_item, record_key};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, Store, Unavailable},
};

/// The most bytes of a record as JSON. *Why 1 MiB*: no step can give it more, and a journal entry holds it once.
const RECORD_LIMIT_BYTES: usize = 1_048_576;

/// Pending reads and changes on an org's records.
pub struct Unit<'a> {
    store: &'a dyn Store,
    org: OrgId,
    now: Timestamp,
    seen: HashMap<Key, Option<Item>>,
    changes: Vec<Change>,
}

/// The changes of a unit at some moment.
pub struct Mark(Vec<Change>);

impl<'a> Unit<'a> {
    /// A unit without changes, for records of `org`; what it makes is dated `now`.
    pub fn new(store: &'a dyn Store, org: OrgId, now: Timestamp) -> Self {
        Self { store, org, now, seen: HashMap::new(), changes: Vec::new() }
    }

    /// The org whose records it is about.
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// The instant its changes are dated.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// How many keys it will write.
    pub fn change_count(&self) -> usize {
        self.changes.len()
    }

    /// The changes as they are now, to come back to.
    pub fn mark(&self) -> Mark {
        Mark(self.changes.clone())
    }

    /// Takes back every change made after `mark`. What was read stays read.
    pub fn undo_to(&mut self, mark: Mark) {
        self.changes = mark.0;
    }

    /// The changes made so far, in the order their keys were first touched.
    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// The record, with the unit's own changes in it.
    pub async fn find_record(&mut self, kind: &RecordKind, id: RecordId) -> Result<Option<Record>, Unavailable> {
        let found = self.find(&record_key(self.org, kind, id)).await?;
        found.as_ref().map(document::read).transpose()
    }

    /// The item at `key`, with the unit's own changes in it.
    pub async fn find(&mut self, key: &Key) -> Result<Option<Item>, Unavailable> {
        if let Some(pending) = self.pending(key) {
            return Ok(pending);
        }
        if let Some(seen) = self.seen.get(key) {
            return Ok(seen.clone());
        }
        let found = self.store.find(key, Freshness::Latest).await?;
        self.seen.insert(key.clone(), found.clone());
        Ok(found)
    }

    /// Writes `record`, whose `rev` the caller has counted up.
    ///
    /// *Errors*: `record_too_large` over 1 MiB of JSON.
    pub fn put_record(&mut self, record: &Record) -> Result<(), NotDone> {
        let item = record_item(record)?;
        if item.document.len() > RECORD_LIMIT_BYTES {
            let message = format!("A {} has at most {RECORD_LIMIT_BYTES} bytes as JSON. Keep less in it.", record.kind);
            return Err(NotDone::failed("record_too_large", message));
        }
        self.stage(Change::Put(item, Expectation::Absent));
        Ok(())
    }

    /// Writes a small document that only marks `key` as taken.
    pub fn put_mark(&mut self, key: Key, document: String) {
        self.stage(Change::Put(Item { key, rev: 1, document, index: None, expires_at: None }, Expectation::Absent));
    }

    /// Removes the item at `key`.
    pub fn delete(&mut self, key: Key) {
        self.stage(Change::Delete(key, Expectation::Absent));
    }

    /// Adds `change` with the expectation that belongs to its key; a second change of a key takes the first one's place.
    fn stage(&mut self, change: Change) {
        let key = change.key().clone();
        let earlier = self.changes.iter().position(|staged| staged.key() == &key);
        let expectation = match earlier.and_then(|position| self.changes.get(position)) {
            Some(Change::Put(_, expectation) | Change::Delete(_, expectation)) => *expectation,
            None => match self.seen.get(&key) {
                Some(Some(item)) => Expectation::Rev(item.rev),
                Some(None) | None => Expectation::Absent,
            },
        };
        let change = match change {
            Change::Put(item, _) => Change::Put(item, expectation),
            Change::Delete(key, _) => Change::Delete(key, expectation),
        };
        match earlier.and_then(|position| self.changes.get_mut(position)) {
            Some(staged) => *staged = change,
            None => self.changes.push(change),
        }
    }

    fn pending(&self, key: &Key) -> Option<Option<Item>> {
        self.changes.iter().find(|staged| staged.key() == key).map(|staged| match staged {
            Change::Put(item, _) => Some(item.clone()),
            Change::Delete(_, _) => None,
        })
    }
}

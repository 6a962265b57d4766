//! A unit of work: reads that are remembered, and changes that are all made at once or not at all.
//!
//! Every change expects its key as the unit read it (or, never read, absent). If somebody was faster, the write
//! conflicts, nothing has happened, and whoever drives the unit begins again with a new one.
//!
//! Whatever changes a record does it here, so that each change has its event.

use std::collections::HashMap;

use domain::{Event, Klass, OrgId, Record, RecordId, RecordKey, RecordKind, Timestamp};

use serde_json::{Map, Value, json};

use super::{MERGED_LIMIT, NotDone, RECORD_SORT, list_timeline, merged_into, owner_key, record_item, record_key};
use crate::{
    announce::Happening,
    directory::{Listing, Paging, klasses::klass_key, settings},
    document,
    ports::{Change, Expectation, Freshness, Item, Key, Store, Unavailable},
    runs::StoredTransaction,
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
    happenings: Vec<Happening>,
    calls: Vec<StoredTransaction>,
}

/// The changes of a unit at some moment.
pub struct Mark {
    changes: Vec<Change>,
    happenings: usize,
    calls: usize,
}

/// What a unit comes to.
#[derive(Debug, Default)]
pub struct Work {
    /// What is to be written, in the order the keys were first touched.
    pub changes: Vec<Change>,
    /// What has happened then.
    pub happenings: Vec<Happening>,
    /// What is called then.
    pub calls: Vec<StoredTransaction>,
}

impl<'a> Unit<'a> {
    /// A unit without changes, for records of `org`; what it makes is dated `now`.
    pub fn new(store: &'a dyn Store, org: OrgId, now: Timestamp) -> Self {
        let (seen, changes, happenings, calls) = (HashMap::new(), Vec::new(), Vec::new(), Vec::new());
        Self { store, org, now, seen, changes, happenings, calls }
    }

    /// The org whose records it is about.
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// The instant its changes are dated.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// How many keys it will write at most, with those of the events and calls.
    pub fn change_count(&self) -> usize {
        self.changes.len() + self.happenings.len() + self.calls.len()
    }

    /// The changes as they are now, to come back to.
    pub fn mark(&self) -> Mark {
        Mark { changes: self.changes.clone(), happenings: self.happenings.len(), calls: self.calls.len() }
    }

    /// Takes back every change made after `mark`. What was read stays read.
    pub fn undo_to(&mut self, mark: Mark) {
        self.changes = mark.changes;
        self.happenings.truncate(mark.happenings);
        self.calls.truncate(mark.calls);
    }

    /// What it comes to.
    pub fn into_work(self) -> Work {
        Work { changes: self.changes, happenings: self.happenings, calls: self.calls }
    }

    /// The record, with the unit's own changes in it.
    pub async fn find_record(&mut self, kind: &RecordKind, id: RecordId) -> Result<Option<Record>, Unavailable> {
        let found = self.find(&record_key(self.org, kind, id)).await?;
        found.as_ref().map(document::read).transpose()
    }

    /// The record, or of a customer who was merged into another one that other, who may have been merged as well: at most
    /// [`MERGED_LIMIT`] times, because whoever is last was merged from all of them.
    pub async fn find_living(&mut self, kind: &RecordKind, id: RecordId) -> Result<Option<Record>, Unavailable> {
        let mut found = self.find_record(kind, id).await?;
        for _ in 0..MERGED_LIMIT {
            match found.as_ref().and_then(merged_into) {
                Some(other) => found = self.find_record(kind, other).await?,
                None => break,
            }
        }
        Ok(found)
    }

    /// The record of `kind` that has `key`.
    pub async fn find_by_key(&mut self, kind: &RecordKind, key: &RecordKey) -> Result<Option<Record>, Unavailable> {
        match self.owner(key).await? {
            Some(id) => self.find_record(kind, id).await,
            None => Ok(None),
        }
    }

    /// The klass called `name`; none for a name that no klass can have.
    pub async fn find_klass(&mut self, name: &str) -> Result<Option<Klass>, Unavailable> {
        if Klass::check_name(name).is_err() {
            return Ok(None);
        }
        let found = self.find(&klass_key(self.org, name)).await?;
        found.as_ref().map(document::read).transpose()
    }

    /// Whose `key` is.
    pub async fn owner(&mut self, key: &RecordKey) -> Result<Option<RecordId>, Unavailable> {
        let found = self.find(&owner_key(self.org, key)).await?;
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

    /// Writes `after` in the place of `before`, with the event of it. What is not different is not written and fires nothing.
    ///
    /// *Errors*: `record_too_large` over 1 MiB of JSON.
    pub fn put_record(&mut self, before: Option<&Record>, mut after: Record) -> Result<Record, NotDone> {
        if let Some(before) = before {
            if before.attributes == after.attributes && before.relationships == after.relationships {
                return Ok(before.clone());
            }
            after.rev = before.rev + 1;
            after.updated_at = self.now;
        }
        let item = record_item(&after)?;
        if item.document.len() > RECORD_LIMIT_BYTES {
            let message = format!("A {} has at most {RECORD_LIMIT_BYTES} bytes as JSON. Keep less in it.", after.kind);
            return Err(NotDone::failed("record_too_large", message));
        }
        self.stage(Change::Put(item, Expectation::Absent));
        self.happenings.push(Happening::changed(before.cloned(), after.clone()));
        Ok(after)
    }

    /// Removes the record.
    pub fn delete_record(&mut self, record: &Record) {
        self.delete(record_key(record.org, &record.kind, record.id));
    }

    /// Has `event` told to whoever listens.
    pub fn publish(&mut self, event: Event) {
        self.happenings.push(Happening::Published(Box::new(event)));
    }

    /// Has a workflow called.
    pub(crate) fn call(&mut self, call: StoredTransaction) {
        self.calls.push(call);
    }

    /// Writes the document of a directory's item, whose `rev` the caller has counted up.
    pub fn put_item(&mut self, item: Item) {
        self.stage(Change::Put(item, Expectation::Absent));
    }

    /// Writes down that `key` is `owner`'s.
    pub fn put_owner(&mut self, key: &RecordKey, owner: RecordId) -> Result<(), Unavailable> {
        let (key, document) = (owner_key(self.org, key), document::write(&owner)?);
        self.stage(Change::Put(Item { key, rev: 1, document, index: None, expires_at: None }, Expectation::Absent));
        Ok(())
    }

    /// Writes down that `key` is nobody's any more.
    pub fn delete_owner(&mut self, key: &RecordKey) {
        self.delete(owner_key(self.org, key));
    }

    /// Removes the item at `key`.
    pub fn delete(&mut self, key: Key) {
        self.stage(Change::Delete(key, Expectation::Absent));
    }

    /// One page of what belongs to `customer`, without the unit's own changes.
    pub async fn timeline(&self, customer: &Record, paging: Paging) -> Result<Listing<Record>, Unavailable> {
        list_timeline(self.store, customer, paging).await
    }

    /// The records of `customer` that the unit writes and that are wanted, newest first.
    pub fn pending_of(
        &self,
        customer: RecordId,
        is_wanted: &impl Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, Unavailable> {
        let mut found = Vec::new();
        for change in self.changes.iter().rev() {
            if let Change::Put(item, _) = change
                && item.key.sort == RECORD_SORT
            {
                let record: Record = document::read(item)?;
                if record.related("customer") == Some(customer) && is_wanted(&record) {
                    found.push(record);
                }
            }
        }
        Ok(found)
    }

    /// What the org has set, as attributes.
    pub async fn org_settings(&self) -> Result<Map<String, Value>, Unavailable> {
        let settings = settings::find(self.store, self.org, Freshness::Recent).await?.value;
        let own = [
            ("name", json!(settings.name)),
            ("timeZone", json!(settings.time_zone)),
            ("defaultSchedule", json!(settings.default_schedule)),
        ];
        Ok(own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
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

//! The store of a request that changes something: with each write it makes goes what the audit log says of it.
//!
//! Nothing else is different: what is read is read as ever, and a write that fails leaves neither a change nor an entry.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{AuditEntryId, OrgId};
use serde_json::{Map, Value};

use super::{
    Author, Entry, Verb, changes,
    objects::{self, Kind, Object},
    put,
};
use crate::{
    directory::workflows,
    document,
    ports::{
        Change, Expectation, Freshness, Item, Key, Page, Range, Scope, Store, Table, Unavailable, WRITE_LIMIT_CHANGES,
        World, WriteError,
    },
};

/// How often a write is begun anew that minds nobody else's, when somebody else was faster.
const TRIES: usize = 5;

/// A store that keeps the audit log of `author`'s changes in `org`.
pub(crate) struct Audited {
    inner: Arc<dyn Store>,
    world: Arc<dyn World>,
    org: OrgId,
    author: Author,
    /// What was read of objects, and what was not there.
    seen: Mutex<HashMap<Key, Option<Item>>>,
}

/// An object that a write changes.
struct Changed {
    kind: Kind,
    verb: Verb,
    before: Option<Item>,
    after: Option<Item>,
}

impl Audited {
    /// A store over `inner`.
    pub(crate) fn new(inner: Arc<dyn Store>, world: Arc<dyn World>, org: OrgId, author: Author) -> Self {
        Self { inner, world, org, author, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Key, Option<Item>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, key: &Key, found: Option<&Item>) {
        if Kind::at(self.org, key).is_some() {
            self.seen().insert(key.clone(), found.cloned());
        }
    }

    /// What is at `key` when the write finds what `expectation` says. Where it is wrong about that, the write fails.
    async fn before(&self, key: &Key, expectation: Expectation) -> Result<Option<Item>, Unavailable> {
        let known = self.seen().get(key).cloned();
        match (expectation, known) {
            (Expectation::Absent, _) => Ok(None),
            (Expectation::Rev(rev), Some(Some(item))) if item.rev == rev => Ok(Some(item)),
            (Expectation::Anything, Some(known)) => Ok(known),
            (Expectation::Rev(_) | Expectation::Anything, _) => self.find(key, Freshness::Latest).await,
        }
    }

    /// The same change, which also fails where what is told as its before would be wrong; and what it does to which object,
    /// if it does anything.
    async fn settled(&self, change: &Change) -> Result<(Change, Option<Changed>), Unavailable> {
        let Some(kind) = Kind::at(self.org, change.key()) else { return Ok((change.clone(), None)) };
        let (Change::Put(_, expectation) | Change::Delete(_, expectation)) = change;
        let before = self.before(change.key(), *expectation).await?;
        let expectation = match expectation {
            Expectation::Anything => Expectation::unchanged(before.as_ref().map(|item| item.rev)),
            Expectation::Absent | Expectation::Rev(_) => *expectation,
        };
        Ok(match change {
            Change::Put(item, _) => {
                let verb = if before.is_some() { Verb::Update } else { Verb::Create };
                let is_same = before.as_ref().is_some_and(|before| before.document == item.document);
                let changed = Changed { kind, verb, before, after: Some(item.clone()) };
                (Change::Put(item.clone(), expectation), (!is_same).then_some(changed))
            }
            Change::Delete(key, _) => {
                let changed = before.is_some().then_some(Changed { kind, verb: Verb::Delete, before, after: None });
                (Change::Delete(key.clone(), expectation), changed)
            }
        })
    }

    /// The changes with the entries about them; all of them fit into one write.
    async fn with_entries(&self, changes: &[Change]) -> Result<Vec<Change>, Unavailable> {
        let mut settled = Vec::with_capacity(changes.len() + 1);
        let mut entries = Vec::new();
        for change in changes {
            let (change, changed) = self.settled(change).await?;
            settled.push(change);
            if let Some(changed) = changed {
                entries.push(self.entry(changed, changes).await?);
            }
        }
        for entry in within(WRITE_LIMIT_CHANGES.saturating_sub(settled.len()), entries)? {
            settled.push(put(self.org, &entry)?);
        }
        Ok(settled)
    }

    async fn entry(&self, changed: Changed, changes: &[Change]) -> Result<Entry, Unavailable> {
        let Changed { kind, verb, before, after } = changed;
        let before = self.object(kind, before, changes).await?;
        let after = self.object(kind, after, changes).await?;
        let shown = after.as_ref().or(before.as_ref());
        let target = shown.map(|object| object.target.clone()).ok_or_else(nothing_there)?;
        let object_name = shown.and_then(|object| object.name.clone());
        let attributes = |object: Option<Object>| object.map_or_else(Map::new, |object| object.attributes);
        let told = changes::told(attributes(before), attributes(after), kind.secrets());
        let now = self.world.now();
        let mut random = [0; 8];
        self.world.fill(&mut random)?;
        Ok(Entry {
            id: AuditEntryId::fresh(now, random),
            created_at: now,
            verb,
            operation: self.author.operation.clone(),
            user_id: self.author.key,
            user_name: self.author.key_name.clone(),
            ip: self.author.source,
            client: self.author.client.clone(),
            target,
            object_name,
            changes: told.changes,
            left_out: told.left_out,
            others: Vec::new(),
        })
    }

    /// The object in `item`; of a workflow, its document.
    async fn object(&self, kind: Kind, item: Option<Item>, changes: &[Change]) -> Result<Option<Object>, Unavailable> {
        let Some(item) = item else { return Ok(None) };
        let mut object = objects::read(self.org, kind, &item)?;
        if kind == Kind::Workflow
            && let Some(Value::Object(definition)) = self.definition(&item, changes).await?
        {
            object.attributes = definition;
        }
        Ok(Some(object))
    }

    /// The document of the workflow whose head is `head`: among what is being written, or from before.
    async fn definition(&self, head: &Item, changes: &[Change]) -> Result<Option<Value>, Unavailable> {
        let workflow: workflows::Workflow = document::read(head)?;
        let key = workflows::definition_key(self.org, &workflow.hash);
        let written = changes.iter().find_map(|change| match change {
            Change::Put(item, _) if item.key == key => Some(item),
            Change::Put(..) | Change::Delete(..) => None,
        });
        match written {
            Some(item) => document::read_value(item).map(Some),
            None => workflows::find_definition(self.inner.as_ref(), self.org, &workflow.hash).await,
        }
    }

    /// What the objects are from now on.
    fn note_written(&self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put(item, _) => self.note(&item.key, Some(item)),
                Change::Delete(key, _) => self.note(key, None),
            }
        }
    }
}

/// The entries, if there is room for so many; otherwise the first one, which names what the others are about.
fn within(room: usize, mut entries: Vec<Entry>) -> Result<Vec<Entry>, Unavailable> {
    if entries.len() <= room {
        return Ok(entries);
    }
    if room == 0 {
        let cause = format!("a write of {WRITE_LIMIT_CHANGES} changes has no room for an entry of the audit log");
        return Err(Unavailable { port: "store", cause });
    }
    let others = entries.split_off(1);
    if let Some(first) = entries.first_mut() {
        first.others = others.into_iter().map(|entry| entry.target).collect();
    }
    Ok(entries)
}

fn nothing_there() -> Unavailable {
    Unavailable { port: "store", cause: "a change is about nothing".to_owned() }
}

/// Whether the change minds nothing that is there, so that it may be made again over something else.
fn minds_nothing(change: &Change) -> bool {
    let (Change::Put(_, expectation) | Change::Delete(_, expectation)) = change;
    *expectation == Expectation::Anything
}

#[async_trait]
impl Store for Audited {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        let found = self.inner.find(key, freshness).await?;
        self.note(key, found.as_ref());
        Ok(found)
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        let found = self.inner.find_all(keys).await?;
        found.iter().for_each(|item| self.note(&item.key, Some(item)));
        Ok(found)
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        let page = self.inner.list(range).await?;
        // That index holds keys alone.
        if (range.table, range.scope) != (Table::Runs, Scope::Index) {
            page.items.iter().for_each(|item| self.note(&item.key, Some(item)));
        }
        Ok(page)
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        for _ in 0..TRIES {
            let written = self.with_entries(changes).await?;
            let Err(error) = self.inner.write(&written).await else {
                self.note_written(changes);
                return Ok(());
            };
            match &error {
                // Somebody else wrote there since it was read, which this change does not mind; only its entry does.
                WriteError::Conflict { position, .. } if changes.get(*position).is_some_and(minds_nothing) => {
                    changes.iter().for_each(|change| drop(self.seen().remove(change.key())));
                }
                WriteError::Conflict { .. } | WriteError::Unavailable(_) => return Err(error),
            }
        }
        Err(WriteError::Conflict { position: 0, found: None })
    }
}

#[cfg(test)]
mod tests {
    use domain::{ApiKeyId, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::{
        memory::{FixedWorld, MemoryStore},
        ports::Table,
    };

    fn now() -> Timestamp {
        Timestamp::from_millisecond(1_795_348_800_000)
    }

    fn org() -> OrgId {
        OrgId::fresh(now(), [1; 8])
    }

    fn audited(inner: Arc<dyn Store>) -> Audited {
        let author = Author {
            key: ApiKeyId::fresh(now(), [2; 8]),
            key_name: "ci".to_owned(),
            source: None,
            client: None,
            operation: "UpdateKlass".to_owned(),
        };
        Audited::new(inner, Arc::new(FixedWorld::at(now())), org(), author)
    }

    fn put_into(collection: &str, name: String) -> Change {
        let key = Key::new(Table::Directory, format!("{}#{collection}", org()), name.as_str());
        let document = json!({ "id": name, "name": name }).to_string();
        Change::Put(Item { key, rev: 1, document, index: None, expires_at: None }, Expectation::Absent)
    }

    /// So many klasses, and so many names, which are no objects.
    fn changes(klasses: usize, names: usize) -> Vec<Change> {
        let klasses = (0..klasses).map(|number| put_into("klasses", format!("k{number}")));
        klasses.chain((0..names).map(|number| put_into("workflow-names", format!("n{number}")))).collect()
    }

    async fn written(klasses: usize, names: usize) -> Result<Vec<Entry>, WriteError> {
        let store = Arc::new(MemoryStore::new(Arc::new(FixedWorld::at(now()))));
        audited(store.clone()).write(&changes(klasses, names)).await?;
        let items = store.items();
        let is_entry = |item: &&Item| item.key.partition.contains("#audit#");
        assert_eq!(items.iter().filter(|item| !is_entry(item)).count(), klasses + names);
        Ok(items.iter().filter(is_entry).map(|item| document::read(item).unwrap()).collect())
    }

    #[tokio::test]
    async fn a_write_has_room_for_an_entry_of_each_object_or_for_one_that_names_all() {
        let entries = written(50, 0).await.unwrap();
        assert!(entries.len() == 50 && entries.iter().all(|entry| entry.others.is_empty()));
        let entries = written(50, 1).await.unwrap();
        let others: Vec<&str> = entries.iter().flat_map(|entry| &entry.others).map(|other| other.id.as_str()).collect();
        assert_eq!((entries.len(), others.len(), others.contains(&"k49")), (1, 49, true));
        assert_eq!(written(99, 0).await.unwrap().len(), 1);
        assert_eq!(written(0, 100).await.unwrap().len(), 0);
        assert!(
            matches!(written(1, 99).await, Err(WriteError::Unavailable(_))),
            "nothing is changed without its entry"
        );
    }

    #[tokio::test]
    async fn what_is_read_is_what_the_store_has() {
        let store = Arc::new(MemoryStore::new(Arc::new(FixedWorld::at(now()))));
        let audited = audited(store.clone());
        let change = put_into("klasses", "order".to_owned());
        assert_eq!(audited.find(change.key(), Freshness::Latest).await.unwrap(), None);
        audited.write(std::slice::from_ref(&change)).await.unwrap();
        // Somebody else changes it; what was seen before is not given out again.
        let Change::Put(item, _) = change else { panic!() };
        let other = Item { rev: 2, document: "{}".to_owned(), ..item.clone() };
        store.write(&[Change::Put(other.clone(), Expectation::Rev(1))]).await.unwrap();
        assert_eq!(audited.find(&item.key, Freshness::Latest).await.unwrap(), Some(other.clone()));
        assert_eq!(audited.find_all(std::slice::from_ref(&item.key)).await.unwrap(), [other]);
    }
}

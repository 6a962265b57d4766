//! The store in memory: one sorted map under one lock.
//!
//! What has expired stays in the map, as it may in DynamoDB for days, and is told apart when it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::ports::{
    Change, DOCUMENT_LIMIT_BYTES, Expectation, Freshness, Item, Key, LIST_LIMIT_ITEMS, Order, Page, Range, Scope,
    Store, Table, Unavailable, WRITE_LIMIT_CHANGES, World, WriteError,
};

/// Documents under keys, gone with the process.
pub struct MemoryStore {
    world: Arc<dyn World>,
    items: Mutex<BTreeMap<Key, Item>>,
}

/// The place of an item in a listing: its sort key there, then its own partition and sort key, which tell equal ones
/// apart.
type Place = (String, String, String);

impl MemoryStore {
    /// An empty store that tells what has expired by `world`.
    pub fn new(world: Arc<dyn World>) -> Self {
        Self { world, items: Mutex::default() }
    }

    /// Everything that has not expired, in the order of the keys.
    pub fn items(&self) -> Vec<Item> {
        self.lock().values().filter(|item| self.is_alive(item)).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_alive(&self, item: &Item) -> bool {
        item.expires_at.is_none_or(|second| second >= self.world.now().as_second())
    }

    fn alive<'items>(&self, items: &'items BTreeMap<Key, Item>, key: &Key) -> Option<&'items Item> {
        items.get(key).filter(|item| self.is_alive(item))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn find(&self, key: &Key, _: Freshness) -> Result<Option<Item>, Unavailable> {
        Ok(self.alive(&self.lock(), key).cloned())
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        if keys.len() > LIST_LIMIT_ITEMS {
            return Err(unavailable("more than 100 keys"));
        }
        let items = self.lock();
        Ok(keys.iter().filter_map(|key| self.alive(&items, key).cloned()).collect())
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        if range.scope == Scope::Index && range.table == Table::Directory {
            return Err(unavailable("the directory has no index"));
        }

        let mut places = self.places(range);
        if range.order == Order::Descending {
            places.reverse();
        }
        let behind = range.after.as_deref().and_then(place_of_token).filter(|(sort, ..)| is_within(range, sort));
        let mut rest = places.into_iter().skip_while(|(place, _)| {
            behind.as_ref().is_some_and(|behind| match range.order {
                Order::Ascending => place <= behind,
                Order::Descending => place >= behind,
            })
        });

        let page: Vec<_> = rest.by_ref().take(range.limit.clamp(1, LIST_LIMIT_ITEMS)).collect();
        let next = rest.next().and(page.last()).map(|(place, _)| token_of_place(place));
        Ok(Page { items: page.into_iter().map(|(_, item)| item).collect(), next })
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        check_form(changes)?;
        let mut items = self.lock();
        for (position, change) in changes.iter().enumerate() {
            let found = self.alive(&items, change.key());
            if !holds(expectation(change), found) {
                return Err(WriteError::Conflict { position, found: found.cloned().map(Box::new) });
            }
        }

        for change in changes {
            match change {
                Change::Put(item, _) => drop(items.insert(item.key.clone(), item.clone())),
                Change::Delete(key, _) => drop(items.remove(key)),
            }
        }
        Ok(())
    }
}

impl MemoryStore {
    /// All of `range` in ascending order.
    fn places(&self, range: &Range) -> Vec<(Place, Item)> {
        let items = self.lock();
        let in_table = items.values().filter(|item| item.key.table == range.table);
        let mut places: Vec<(Place, Item)> = match range.scope {
            Scope::Own => in_table
                .filter(|item| item.key.partition == range.partition && self.is_alive(item))
                .map(|item| (place(&item.key.sort, item), item.clone()))
                .collect(),
            Scope::Index => in_table
                .filter_map(|item| item.index.as_ref().map(|index| (index, item)))
                .filter(|(index, item)| {
                    index.partition == range.partition && (range.table == Table::Runs || self.is_alive(item))
                })
                .map(|(index, item)| (place(&index.sort, item), as_projected(item)))
                .collect(),
        };
        places.retain(|((sort, ..), _)| is_within(range, sort));
        places.sort_by(|(one, _), (other, _)| one.cmp(other));
        places
    }
}

/// The index of the runs holds keys only, not even the second of expiry.
fn as_projected(item: &Item) -> Item {
    match item.key.table {
        Table::Runs => Item { rev: 0, document: String::new(), expires_at: None, ..item.clone() },
        Table::Directory | Table::Records => item.clone(),
    }
}

fn is_within(range: &Range, sort: &str) -> bool {
    sort >= range.from.as_str() && (range.below.is_empty() || sort < range.below.as_str())
}

fn holds(expectation: Expectation, found: Option<&Item>) -> bool {
    match expectation {
        Expectation::Absent => found.is_none(),
        Expectation::Rev(rev) => found.is_some_and(|item| item.rev == rev),
        Expectation::Anything => true,
    }
}

const fn expectation(change: &Change) -> Expectation {
    match change {
        Change::Put(_, expectation) | Change::Delete(_, expectation) => *expectation,
    }
}

/// Refuses what no store takes; the caller's own mistake, said in the same words as any other refusal of a store.
fn check_form(changes: &[Change]) -> Result<(), Unavailable> {
    if changes.is_empty() || changes.len() > WRITE_LIMIT_CHANGES {
        return Err(unavailable("a write has 1 to 100 changes"));
    }
    let keys: BTreeSet<&Key> = changes.iter().map(Change::key).collect();
    if keys.len() < changes.len() {
        return Err(unavailable("two changes are about one key"));
    }
    if !changes.iter().all(Change::is_possible) {
        return Err(unavailable("a key is empty or over its limit"));
    }
    let too_large =
        |change: &Change| matches!(change, Change::Put(item, _) if item.document.len() > DOCUMENT_LIMIT_BYTES);
    if changes.iter().any(too_large) {
        return Err(unavailable("a document is over 4 MiB"));
    }
    Ok(())
}

fn unavailable(cause: &str) -> Unavailable {
    Unavailable { port: "store", cause: cause.to_owned() }
}

fn place(sort: &str, item: &Item) -> Place {
    (sort.to_owned(), item.key.partition.clone(), item.key.sort.clone())
}

/// Hex, because it is printable whatever the keys are.
fn token_of_place(place: &Place) -> String {
    hex::encode(serde_json::json!(place).to_string())
}

fn place_of_token(token: &str) -> Option<Place> {
    serde_json::from_slice(&hex::decode(token).ok()?).ok()
}

//! A ledger of store calls, and what they cost by DynamoDB's published rules.
//!
//! The engine says what a call consumed; this reckons it a second time from the sizes of the items themselves. It knows
//! new items only: every write it prices puts a key that was absent, and none is deleted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use aws::TableNames;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use service::ports::{Change, Freshness, Item, Key, Page, Range, Store, Table, Unavailable, WriteError};

use crate::Outcome;

/// A write unit covers a KiB. *Source*: DynamoDB, "Read and write operations".
const WRITE_UNIT_BYTES: usize = 1_024;

/// A read unit covers 4 KiB. *Source*: as above.
const READ_UNIT_BYTES: usize = 4_096;

/// What keys of an index with keys only hold.
const KEY_NAMES: [&str; 4] = ["pk", "sk", "gpk", "gsk"];

/// One call of the store.
#[derive(Debug)]
pub enum Call {
    Find(Key, Freshness),
    /// All keys of a batch, absent ones too.
    FindAll(Vec<Key>),
    /// The keys of the items it gave.
    List(Vec<Key>),
    Write(Vec<Key>),
}

/// A store that writes down what is asked of it.
pub struct Ledger {
    store: Arc<dyn Store>,
    calls: Mutex<Vec<Call>>,
}

impl Ledger {
    /// A ledger in front of `store`.
    pub fn before(store: Arc<dyn Store>) -> Self {
        Self { store, calls: Mutex::default() }
    }

    /// The calls since the last time, which are forgotten here.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, call: Call) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

#[async_trait]
impl Store for Ledger {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        self.note(Call::Find(key.clone(), freshness));
        self.store.find(key, freshness).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        self.note(Call::FindAll(keys.to_vec()));
        self.store.find_all(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        let page = self.store.list(range).await?;
        self.note(Call::List(page.items.iter().map(|item| item.key.clone()).collect()));
        Ok(page)
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        self.note(Call::Write(changes.iter().map(|change| change.key().clone()).collect()));
        self.store.write(changes).await
    }
}

/// Units by the rules.
#[derive(Debug, Default, Clone, Copy)]
pub struct Units {
    pub read: f64,
    /// Of the tables themselves; a transaction's are doubled.
    pub written: f64,
    /// Of the indexes. DynamoDB copies into them after the transaction, so theirs are not doubled.
    pub indexed: f64,
}

/// What `calls` cost, reckoned from the items as they are in the store now.
pub async fn reckon(client: &Client, tables: &TableNames, calls: &[Call]) -> Outcome<Units> {
    let mut units = Units::default();
    for call in calls {
        match call {
            Call::Find(key, freshness) => {
                let share = if *freshness == Freshness::Latest { 1.0 } else { 0.5 };
                units.read += share * covering(size(&get(client, tables, key).await?), READ_UNIT_BYTES);
            }
            Call::FindAll(keys) => {
                for key in keys {
                    units.read += covering(size(&get(client, tables, key).await?), READ_UNIT_BYTES);
                }
            }
            // A query is charged for the sum of what it read, not item by item.
            Call::List(keys) => {
                let mut bytes = 0;
                for key in keys {
                    bytes += size(&get(client, tables, key).await?);
                }
                units.read += covering(bytes, READ_UNIT_BYTES);
            }
            Call::Write(keys) => {
                let factor = if keys.len() > 1 { 2.0 } else { 1.0 };
                for key in keys {
                    let item = get(client, tables, key).await?;
                    units.written += factor * covering(size(&item), WRITE_UNIT_BYTES);
                    units.indexed +=
                        index_bytes(key.table, &item).map_or(0.0, |bytes| covering(bytes, WRITE_UNIT_BYTES));
                }
            }
        }
    }
    Ok(units)
}

type Attributes = HashMap<String, AttributeValue>;

async fn get(client: &Client, tables: &TableNames, key: &Key) -> Outcome<Attributes> {
    let table = match key.table {
        Table::Directory => &tables.directory,
        Table::Runs => &tables.runs,
        Table::Records => &tables.records,
    };
    let answer = client
        .get_item()
        .table_name(table)
        .key("pk", AttributeValue::S(key.partition.clone()))
        .key("sk", AttributeValue::S(key.sort.clone()))
        .send()
        .await?;
    Ok(answer.item.unwrap_or_default())
}

/// The bytes of an item: its names and values in UTF-8, no overhead. *Source*: DynamoDB, "Item sizes and formats".
pub fn size(item: &Attributes) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        // Two digits to a byte, and one byte more.
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        other => panic!("no item of ours has a {other:?}"),
    }
}

/// What the entry in the table's index holds, if the item has one.
fn index_bytes(table: Table, item: &Attributes) -> Option<usize> {
    item.contains_key("gpk").then(|| match table {
        Table::Directory => 0,
        Table::Runs => item
            .iter()
            .filter(|(name, _)| KEY_NAMES.contains(&name.as_str()))
            .map(|(name, value)| name.len() + value_size(value))
            .sum(),
        Table::Records => size(item),
    })
}

/// How many units cover so many bytes; none are still one.
fn covering(bytes: usize, unit_bytes: usize) -> f64 {
    bytes.div_ceil(unit_bytes).max(1) as f64
}

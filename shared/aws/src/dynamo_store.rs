//! The store on DynamoDB.
//!
//! An item of the port is one item of a table, its document packed by `pack`. What has expired is absent in every
//! respect, for reads and for expectations, although DynamoDB may take days to remove it.

mod attributes;
mod condition;
mod cursor;

mod reads;
mod transaction;
mod writes;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use service::ports::{Blobs, Change, Freshness, Item, Key, Page, Range, Store, Table, Unavailable, World, WriteError};

use crate::meter::Meter;
use crate::tables::TableNames;
use attributes::Attributes;

/// Documents in three tables, and in the blob store what is too large for an item.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    tables: TableNames,
    blobs: Arc<dyn Blobs>,
    world: Arc<dyn World>,
    meter: Option<Arc<Meter>>,
}

impl DynamoStore {
    /// The store in `tables`, which exist; `world` tells what has expired.
    ///
    /// `client` must not retry by itself: the store has a budget of its own, at most three tries within eight seconds.
    pub fn new(client: Client, tables: TableNames, blobs: Arc<dyn Blobs>, world: Arc<dyn World>) -> Self {
        Self { client, tables, blobs, world, meter: None }
    }

    /// The same store, asking with every call what it consumed and telling `meter`.
    #[must_use]
    pub fn with_meter(self, meter: Arc<Meter>) -> Self {
        Self { meter: Some(meter), ..self }
    }

    /// What to ask of DynamoDB about capacity.
    fn capacity_wish(&self) -> Option<ReturnConsumedCapacity> {
        self.meter.as_ref().map(|_| ReturnConsumedCapacity::Total)
    }

    fn count_write<'capacity>(&self, consumed: impl IntoIterator<Item = &'capacity ConsumedCapacity>) {
        if let Some(meter) = &self.meter {
            meter.count_write(consumed);
        }
    }

    fn count_read<'capacity>(&self, consumed: impl IntoIterator<Item = &'capacity ConsumedCapacity>) {
        if let Some(meter) = &self.meter {
            meter.count_read(consumed);
        }
    }

    /// The item in `attributes`, its document fetched and unpacked; `None` when it has expired.
    async fn item(&self, table: Table, attributes: &Attributes) -> Result<Option<Item>, Unavailable> {
        let found = attributes::read(table, attributes).map_err(unavailable)?;
        if found.expires_at.is_some_and(|second| second < self.world.now().as_second()) {
            return Ok(None);
        }

        let fetched = match &found.blob {
            None => None,
            Some(sha256) => {
                let bytes = self.blobs.find(sha256).await?;
                Some(bytes.ok_or_else(|| unavailable(format!("blob {sha256} of an item is gone")))?)
            }
        };
        found.into_item(fetched.as_deref()).map(Some).map_err(unavailable)
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        self.get(key, freshness).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        self.get_all(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        self.query(range).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        self.make(changes).await
    }
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "store", cause }
}

//! The store: documents under keys, written together or not at all.

use async_trait::async_trait;

use super::Unavailable;

/// The most changes one write may have. *Source*: `TransactWriteItems`.
pub const WRITE_LIMIT_CHANGES: usize = 100;

/// The most items one page may have.
pub const LIST_LIMIT_ITEMS: usize = 100;

/// The most bytes a document may have.
pub const DOCUMENT_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// The most bytes a partition may have. *Source*: DynamoDB, "Quotas", which counts UTF-8.
pub const PARTITION_LIMIT_BYTES: usize = 2048;

/// The most bytes a sort key may have. *Source*: as for [`PARTITION_LIMIT_BYTES`].
pub const SORT_LIMIT_BYTES: usize = 1024;

/// One of the three tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Hooks, API keys, workflows, klasses. Has no index.
    Directory,
    /// Transactions, runs, debug log. Its index holds keys only.
    Runs,
    /// Customers and all that belongs to them. Its index holds whole items.
    Records,
}

/// Where an item is. `partition` is the unit of listing, `sort` its place in there.
///
/// Both have at least one byte and at most [`PARTITION_LIMIT_BYTES`] and [`SORT_LIMIT_BYTES`]. At any other key nothing
/// is ever there: it is found and listed as absent, and a write that names it is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The table.
    pub table: Table,
    /// The partition; begins with the org's id wherever there is one.
    pub partition: String,
    /// The place in the partition.
    pub sort: String,
}

impl Key {
    /// The key at `partition`, `sort`.
    pub fn new(table: Table, partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { table, partition: partition.into(), sort: sort.into() }
    }

    /// Whether anything can be there.
    pub fn is_possible(&self) -> bool {
        is_partition(&self.partition) && is_sort(&self.sort)
    }
}

/// A second place under which an item is listed; within the same limits as a [`Key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKey {
    /// The index partition.
    pub partition: String,
    /// The place in there.
    pub sort: String,
}

/// A document in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it is.
    pub key: Key,
    /// Counts its writes; the writer says which it is.
    pub rev: u64,
    /// JSON text of at most [`DOCUMENT_LIMIT_BYTES`]; an adapter may keep it compressed, or in the blob store.
    pub document: String,
    /// Where else it is listed.
    pub index: Option<IndexKey>,
    /// The second after which it is as if it were not there, and the store may forget it.
    pub expires_at: Option<i64>,
}

/// What must be true of a key for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing is there.
    Absent,
    /// An item of this `rev` is there.
    Rev(u64),
    /// Anything or nothing.
    Anything,
}

impl Expectation {
    /// That what was read is still there: the item of this `rev`, or nothing.
    pub fn unchanged(rev: Option<u64>) -> Self {
        rev.map_or(Self::Absent, Self::Rev)
    }
}

/// One part of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Puts the item in the place of what is there.
    Put(Item, Expectation),
    /// Removes what is there.
    Delete(Key, Expectation),
}

impl Change {
    /// The key it is about.
    pub const fn key(&self) -> &Key {
        match self {
            Self::Put(item, _) => &item.key,
            Self::Delete(key, _) => key,
        }
    }

    /// Whether each place it names can have something.
    pub fn is_possible(&self) -> bool {
        self.key().is_possible()
            && match self {
                Self::Put(Item { index: Some(index), .. }, _) => is_partition(&index.partition) && is_sort(&index.sort),
                Self::Put(..) | Self::Delete(..) => true,
            }
    }
}

/// Why a write did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The expectation of the change at `position` did not hold (the first such one), or somebody else was writing
    /// there all the while; nothing was written.
    #[error("change {position} expected something else")]
    Conflict {
        /// Which change.
        position: usize,
        /// What is there now, where the store tells.
        found: Option<Box<Item>>,
    },
    /// The store cannot say that it happened. It may have.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// How new the answer of a read has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Every write that returned before is seen.
    Latest,
    /// Writes of the last second may be missing; costs half.
    Recent,
}

/// Whether a listing goes by the items' own keys or by their index keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// By their own keys; sees every write that returned before.
    Own,
    /// By their index keys; writes of the last second may be missing.
    Index,
}

/// In which direction of the sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A stretch of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The table.
    pub table: Table,
    /// Own keys or index keys.
    pub scope: Scope,
    /// The partition; one that no [`Key`] can have is empty.
    pub partition: String,
    /// Only sort keys from here on, itself included; empty for all.
    pub from: String,
    /// Only sort keys below this; empty for all.
    pub below: String,
    /// The direction.
    pub order: Order,
    /// At most so many items, 1 to [`LIST_LIMIT_ITEMS`].
    pub limit: usize,
    /// Only behind this position, which an earlier page of the same range named; what no page named means the start.
    pub after: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Whole items, except over the index of [`Table::Runs`], where `document` is empty, `rev` is 0 and an item that
    /// has expired may still be named.
    pub items: Vec<Item>,
    /// Where the next page begins; `None` when nothing follows. Opaque, printable ASCII. A page that names a next one
    /// may be short where much has expired.
    pub next: Option<String>,
}

/// Documents under keys.
#[async_trait]
pub trait Store: Send + Sync {
    /// The item at `key`.
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable>;

    /// The items at `keys` (at most [`LIST_LIMIT_ITEMS`]) in the order of `keys`, absent ones left out; sees every write
    /// that returned before.
    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable>;

    /// One page of the items in `range`.
    async fn list(&self, range: &Range) -> Result<Page, Unavailable>;

    /// Makes all `changes` (1 to [`WRITE_LIMIT_CHANGES`], each about another key) or none.
    ///
    /// *Once it returns* they are durable and visible to [`Freshness::Latest`].
    /// *Errors*: [`WriteError`].
    async fn write(&self, changes: &[Change]) -> Result<(), WriteError>;
}

/// Whether `text` can be a partition, of the items' own keys or of an index.
pub const fn is_partition(text: &str) -> bool {
    !text.is_empty() && text.len() <= PARTITION_LIMIT_BYTES
}

/// Whether `text` can be a sort key, of an item's own or of an index.
pub const fn is_sort(text: &str) -> bool {
    !text.is_empty() && text.len() <= SORT_LIMIT_BYTES
}

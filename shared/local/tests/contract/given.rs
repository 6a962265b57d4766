//! The stores under test, and short words for what the tests say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws::{DynamoStore, TableNames, create_tables};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use domain::{OrgId, Timestamp};
use local::EmbeddedDynamo;
use service::memory::{FixedWorld, MemoryBlobs, MemoryStore};
use service::ports::{Change, Expectation, Freshness, IndexKey, Item, Key, Order, Page, Range, Scope, Store, Table};

/// 2026-01-01T00:00:00Z, when every test begins.
pub(crate) const NOW_SECOND: i64 = 1_767_225_600;

const ENDPOINT: &str = "HOOKWRIGHT_TEST_DYNAMODB_ENDPOINT";

/// A store and the world it lives in.
pub(crate) struct Given {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) world: Arc<FixedWorld>,
}

/// Declares each named function as a test over every store.
macro_rules! over_every_store {
    ($($name:ident)*) => {
        mod in_memory { $( #[tokio::test] async fn $name() { super::$name(crate::given::in_memory()).await; } )* }
        mod embedded { $( #[tokio::test] async fn $name() { super::$name(crate::given::embedded().await).await; } )* }
        mod at_endpoint { $(
            #[tokio::test] async fn $name() {
                if let Some(given) = crate::given::at_endpoint().await { super::$name(given).await; }
            }
        )* }
    };
}
pub(crate) use over_every_store;

fn fixed_world() -> Arc<FixedWorld> {
    Arc::new(FixedWorld::at(Timestamp::from_millisecond(NOW_SECOND * 1000)))
}

pub(crate) fn in_memory() -> Given {
    let world = fixed_world();
    Given { store: Arc::new(MemoryStore::new(world.clone())), world }
}

pub(crate) async fn embedded() -> Given {
    over(EmbeddedDynamo::memory().unwrap().client(), "test").await
}

pub(crate) async fn at_endpoint() -> Option<Given> {
    static PREFIXES: AtomicU32 = AtomicU32::new(0);
    let endpoint = std::env::var(ENDPOINT).ok()?;
    let conf = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let prefix = format!("test-{}-{}", std::process::id(), PREFIXES.fetch_add(1, Ordering::Relaxed));
    Some(over(Client::from_conf(conf), &prefix).await)
}

async fn over(client: Client, prefix: &str) -> Given {
    let tables = TableNames::with_prefix(prefix);
    create_tables(&client, &tables).await.unwrap();
    let world = fixed_world();
    let store = DynamoStore::new(client, tables, Arc::new(MemoryBlobs::default()), world.clone());
    Given { store: Arc::new(store), world }
}

impl Given {
    pub(crate) async fn put(&self, item: Item) {
        self.store.write(&[Change::Put(item, Expectation::Anything)]).await.unwrap();
    }

    pub(crate) async fn found(&self, key: &Key) -> Option<Item> {
        self.store.find(key, Freshness::Latest).await.unwrap()
    }

    pub(crate) async fn listed(&self, range: &Range) -> Page {
        self.store.list(range).await.unwrap()
    }

    /// All pages of `range`, one behind the other.
    pub(crate) async fn listed_whole(&self, range: &Range) -> Vec<Item> {
        let mut range = range.clone();
        let mut items = Vec::new();
        loop {
            let page = self.listed(&range).await;
            assert!(page.items.len() <= range.limit);
            items.extend(page.items);
            range.after = page.next;
            if range.after.is_none() {
                return items;
            }
        }
    }
}

pub(crate) fn key(sort: &str) -> Key {
    Key::new(Table::Records, "org#1", sort)
}

pub(crate) fn item(sort: &str, rev: u64) -> Item {
    Item { key: key(sort), rev, document: format!("{{\"rev\":{rev}}}"), index: None, expires_at: None }
}

pub(crate) fn indexed(table: Table, sort: &str, index_sort: &str) -> Item {
    let index = IndexKey { partition: "list#1".to_owned(), sort: index_sort.to_owned() };
    Item { key: Key::new(table, "org#1", sort), index: Some(index), ..item(sort, 1) }
}

pub(crate) fn all(table: Table, scope: Scope) -> Range {
    let partition = match scope {
        Scope::Own => "org#1",
        Scope::Index => "list#1",
    };
    Range {
        table,
        scope,
        partition: partition.to_owned(),
        from: String::new(),
        below: String::new(),
        order: Order::Ascending,
        limit: 100,
        after: None,
    }
}

pub(crate) fn sorts(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.key.sort.as_str()).collect()
}

/// Text that deflate cannot make much smaller than three fifths.
pub(crate) fn noise(length: usize) -> String {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut text = String::with_capacity(length + 16);
    while text.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{state:016x}"));
    }
    text.truncate(length);
    text
}

/// Whose messages they are.
pub(crate) fn org() -> OrgId {
    an_org(1)
}

/// One org of many.
pub(crate) fn an_org(number: u8) -> OrgId {
    OrgId::fresh(Timestamp::from_millisecond(0), [number; 8])
}

//! The directory table: what an org has set up. Read often, written seldom.
//!
//! | document | partition | sort |
//! | --- | --- | --- |
//! | hook | `{org}#hooks#{kind}` | hook id |
//! | hook, by its address | `address#{hash}` | `hook` |
//! | API key | `{org}#keys` | key id |
//! | workflow head | `{org}#workflows` | workflow id |
//! | workflow name | `{org}#workflow-names` | name |
//! | workflow definition, immutable | `{org}#definitions` | SHA-256 of its JSON |
//! | trigger: workflow by event | `{org}#event#{event name}` | workflow id |
//! | trigger by a change of records | `{org}#record-events` | event name, workflow id |
//! | workflow version | `{org}#versions#{workflow}` | its number |
//! | workflow draft | `{org}#drafts` | workflow id |
//! | variable of a workflow | `{org}#variables#{workflow}` | variable id |
//! | whose variable it is | `{org}#variable-owners` | variable id |
//! | value that a variable had | `{org}#retired-values#{workflow}` | time, variable id, its revision then |
//! | klass | `{org}#klasses` | name |
//! | business schedule | `{org}#schedules` | schedule id |
//! | outbound webhook | `{org}#webhooks` | webhook id |
//! | what an enabled webhook is told of | `{org}#record-events` | `~webhook`, webhook id |
//! | settings of the org | `{org}#settings` | `org` |
//! | settings of an app | `{org}#app-settings` | app |
//! | secrets that were settings of apps | `{org}#retired-settings` | time, app, its revision then |
//! | registered app | `{org}#available-apps` | app |
//! | its definition, immutable | `{org}#app-versions#{app}` | version |
//! | installed app | `{org}#apps` | app |
//! | fence of what is installed | `{org}#app-fence` | `fence` |

pub mod apps;
pub mod hooks;
pub mod keys;
pub mod klasses;
pub mod listeners;
pub mod schedules;
pub mod settings;
pub mod variables;
pub mod webhooks;
pub mod workflows;

use domain::OrgId;

use crate::ports::{Item, Key, LIST_LIMIT_ITEMS, Order, Page, Range, Scope, Store, Table, Unavailable};

pub use crate::document::{Listing, Versioned};

/// Which page of a listing is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// At most so many items.
    pub limit: usize,
    /// Behind this position.
    pub after: Option<String>,
}

/// A directory item without index or expiry.
fn item(key: Key, rev: u64, document: String) -> Item {
    Item { key, rev, document, index: None, expires_at: None }
}

fn key(org: OrgId, collection: &str, sort: impl Into<String>) -> Key {
    Key::new(Table::Directory, format!("{org}#{collection}"), sort)
}

/// One page of a collection, in ascending order.
async fn list(store: &dyn Store, org: OrgId, collection: &str, paging: Paging) -> Result<Page, Unavailable> {
    list_in(store, org, collection, Order::Ascending, paging).await
}

/// One page of a collection, in the order of choice.
async fn list_in(
    store: &dyn Store,
    org: OrgId,
    collection: &str,
    order: Order,
    paging: Paging,
) -> Result<Page, Unavailable> {
    store
        .list(&Range {
            table: Table::Directory,
            scope: Scope::Own,
            partition: format!("{org}#{collection}"),
            from: String::new(),
            below: String::new(),
            order,
            limit: paging.limit,
            after: paging.after,
        })
        .await
}

/// All of a collection, page by page.
async fn list_all(store: &dyn Store, org: OrgId, collection: &str) -> Result<Vec<Item>, Unavailable> {
    let mut items = Vec::new();
    let mut paging = Paging { limit: LIST_LIMIT_ITEMS, after: None };
    loop {
        let page = list(store, org, collection, paging.clone()).await?;
        items.extend(page.items);
        match page.next {
            Some(next) => paging.after = Some(next),
            None => return Ok(items),
        }
    }
}

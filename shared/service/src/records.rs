//! The records table: customers and what belongs to them.
//!
//! | document | partition | sort | listed under |
//! | --- | --- | --- | --- |
//! | customer | `{org}#customer#{id}` | `record` | `{org}#customers`, by creation |
//! | other record with a customer | `{org}#{kind}#{id}` | `record` | `{org}#customer#{customer}`, by creation: the timeline |
//! | other record without one | `{org}#{kind}#{id}` | `record` | `{org}#{kind}`, by creation |
//! | owner of an e-mail address | `{org}#email#{address in lower case}` | `owner` | |

mod not_done;
mod unit;

pub mod customers;

use domain::{EmailAddress, OrgId, Record, RecordId, RecordKind};

use crate::{
    directory::{Listing, Paging},
    document,
    ports::{IndexKey, Item, Key, Order, Range, Scope, Store, Table, Unavailable},
};

pub use not_done::NotDone;
pub use unit::Unit;

/// Where the record is.
pub fn record_key(org: OrgId, kind: &RecordKind, id: RecordId) -> Key {
    Key::new(Table::Records, format!("{org}#{kind}#{id}"), "record")
}

/// Where it stands who owns an e-mail address.
pub fn email_key(org: OrgId, address: &EmailAddress) -> Key {
    Key::new(Table::Records, format!("{org}#email#{}", address.key()), "owner")
}

/// The item of `record`, listed on its customer's timeline if it has one.
///
/// *Errors*: [`Unavailable`], as [`document::write`].
fn record_item(record: &Record) -> Result<Item, Unavailable> {
    let Record { org, kind, id, .. } = record;
    let listed_under = match (kind, record.related("customer")) {
        (RecordKind::Customer, _) => format!("{org}#customers"),
        (_, Some(customer)) => format!("{org}#customer#{customer}"),
        (kind, None) => format!("{org}#{kind}"),
    };
    Ok(Item {
        key: record_key(*org, kind, *id),
        rev: record.rev,
        document: document::write(record)?,
        index: Some(IndexKey { partition: listed_under, sort: format!("{}#{kind}#{id}", record.created_at) }),
        expires_at: None,
    })
}

/// One page of an org's customers, newest first.
pub async fn list_customers(store: &dyn Store, org: OrgId, paging: Paging) -> Result<Listing<Record>, Unavailable> {
    list(store, format!("{org}#customers"), paging).await
}

/// One page of what belongs to `customer`, newest first.
pub async fn list_timeline(
    store: &dyn Store,
    org: OrgId,
    customer: RecordId,
    paging: Paging,
) -> Result<Listing<Record>, Unavailable> {
    list(store, format!("{org}#customer#{customer}"), paging).await
}

async fn list(store: &dyn Store, partition: String, paging: Paging) -> Result<Listing<Record>, Unavailable> {
    let page = store
        .list(&Range {
            table: Table::Records,
            scope: Scope::Index,
            partition,
            from: String::new(),
            below: String::new(),
            order: Order::Descending,
            limit: paging.limit,
            after: paging.after,
        })
        .await?;
    document::read_page(&page)
}

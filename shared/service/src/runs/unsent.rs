//! Arrivals that the queue did not take: kept as they would have been sent, and listed among the timers as due at once.
//!
//! The queue may have one of them all the same, because a send that fails may have been done. It does no harm: the message
//! is the same, and the executor knows its transaction.

use domain::{OrgId, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};

use super::{find_all_items, put, timers::Listed};
use crate::{
    document,
    ports::{Change, Expectation, Item, Key, Store, Table, Unavailable, WriteError},
};

pub(super) const SORT: &str = "unsent";

/// An arrival that the queue did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// Whose it is.
    pub org: OrgId,
    /// What is sent.
    pub message: String,
    key: Key,
}

/// *Shape*: `{"dueAt":"…","org":"…","message":"{\"v\":1,…}"}`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    due_at: Timestamp,
    org: OrgId,
    message: String,
}

/// Keeps the `message` of `transaction`, unless one of it is kept already.
///
/// *Once it returns* the ticker will send it. It does not expire: a queue that is down for long must not lose it.
pub async fn keep_unsent(
    store: &dyn Store,
    org: OrgId,
    transaction: TransactionId,
    message: String,
    now: Timestamp,
) -> Result<(), Unavailable> {
    let id = transaction.to_string();
    let item = Item {
        key: Key::new(Table::Runs, format!("{org}#unsent#{transaction}"), SORT),
        rev: 1,
        document: document::write(&Document { due_at: now, org, message })?,
        index: Some(Listed { shard: &id, order: id.clone() }.at(now)),
        expires_at: None,
    };
    put(store, item, Expectation::Absent).await
}

/// What stands at `keys`; what is not there any more is left out.
pub async fn find_unsent(store: &dyn Store, keys: &[Key]) -> Result<Vec<Unsent>, Unavailable> {
    let items = find_all_items(store, keys).await?;
    let unsent = items.into_iter().map(|item| {
        let Document { org, message, .. } = document::read(&item)?;
        Ok(Unsent { org, message, key: item.key })
    });
    unsent.collect()
}

/// Removes one that the queue has now.
pub async fn remove_unsent(store: &dyn Store, unsent: &Unsent) -> Result<(), Unavailable> {
    match store.write(&[Change::Delete(unsent.key.clone(), Expectation::Anything)]).await {
        Ok(()) | Err(WriteError::Conflict { .. }) => Ok(()),
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}

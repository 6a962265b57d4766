//! Marks of what has arrived, so that a repeat is known for one.
//!
//! The mark is written before the transaction goes on the queue, and it fixes the transaction's id. A repeat therefore
//! sends the same transaction again rather than nothing: if the first attempt died between mark and queue, the repeat
//! completes it; if it did not, the executor finds the transaction admitted and does nothing.

use domain::{HookId, OrgId, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{item, put_or_find};
use crate::{
    document,
    ports::{Freshness, Key, Store, Table, Unavailable},
};

/// The first arrival under a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// Its transaction.
    pub transaction: TransactionId,
    /// When it arrived.
    pub created_at: Timestamp,
    /// The SHA-256 of its body, in hex.
    pub body_sha256: String,
}

/// What came of marking an arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marked {
    /// Nothing had arrived under this key.
    First,
    /// This had.
    Repeat(Mark),
}

/// Marks an arrival at `hook` under `key` for `window_seconds`.
pub async fn mark(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    key: &str,
    mark: &Mark,
    window_seconds: u32,
) -> Result<Marked, Unavailable> {
    let Key { partition, sort, .. } = place(org, hook, key);
    let item = item(partition, sort, document::write(mark)?, mark.created_at, i64::from(window_seconds));
    Ok(put_or_find(store, item).await?.map_or(Marked::First, Marked::Repeat))
}

/// What arrived at `hook` under `key`, if anything did.
pub async fn find_mark(store: &dyn Store, org: OrgId, hook: HookId, key: &str) -> Result<Option<Mark>, Unavailable> {
    let found = store.find(&place(org, hook, key), Freshness::Latest).await?;
    found.as_ref().map(document::read).transpose()
}

/// The key itself may be long, or tell about a customer; its digest does neither.
fn place(org: OrgId, hook: HookId, key: &str) -> Key {
    let digest = hex::encode(Sha256::digest(key));
    Key::new(Table::Runs, format!("{org}#seen#{hook}#{digest}"), "mark")
}

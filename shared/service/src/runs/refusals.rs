//! The last refusals of a hook, for its owner: what failed and why, and nothing that could be used again.
//!
//! Bounded by its keys: the records of a hook go round in [`SLOTS`] places, so that a flood of bad requests leaves no
//! more behind than a few.

use domain::{HookId, OrgId, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};

use crate::{
    document,
    ports::{Change, Expectation, Item, Key, Order, Range, Scope, Store, Table, Unavailable, WriteError},
};

/// How many refusals of a hook are kept.
const SLOTS: usize = 20;

/// How long a refusal stays readable.
const KEPT_SECONDS: i64 = 7 * 24 * 60 * 60;

/// A likely reason of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A stable word: `reserialised_body`.
    pub code: String,
    /// What is likely wrong and what to do, in a sentence for the owner.
    pub sentence: String,
}

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusalRecord {
    /// Names this refusal.
    pub id: TransactionId,
    /// When it was refused.
    pub created_at: Timestamp,
    /// The word the sender was told.
    pub code: String,
    /// The sentence the sender was told.
    pub detail: String,
    /// Which check failed, a word for the owner only: `signature`, `timestamp`.
    pub check: String,
    /// The failure as a sentence for the owner only.
    pub failure: String,
    /// Why, as far as can be told; the likeliest first.
    pub reasons: Vec<Reason>,
    /// The method.
    pub method: String,
    /// The `Content-Type`.
    pub content_type: Option<String>,
    /// How many bytes the body had.
    pub body_bytes: usize,
    /// Where it came from, where that is known.
    pub source_address: Option<String>,
    /// The names of its headers; never their values.
    pub headers: Vec<String>,
}

/// Keeps `refusal` in the place `slot`, over the one that was there.
pub async fn keep_refusal(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    slot: usize,
    refusal: &RefusalRecord,
) -> Result<(), Unavailable> {
    let item = Item {
        key: Key::new(Table::Runs, partition(org, hook), format!("{:03}", slot % SLOTS)),
        rev: 1,
        document: document::write(refusal)?,
        index: None,
        expires_at: Some(refusal.created_at.plus_seconds(KEPT_SECONDS).as_second()),
    };
    match store.write(&[Change::Put(item, Expectation::Anything)]).await {
        Ok(()) | Err(WriteError::Conflict { .. }) => Ok(()),
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}

/// The last refusals of the hook, newest first.
pub async fn list_refusals(store: &dyn Store, org: OrgId, hook: HookId) -> Result<Vec<RefusalRecord>, Unavailable> {
    let page = store
        .list(&Range {
            table: Table::Runs,
            scope: Scope::Own,
            partition: partition(org, hook),
            from: String::new(),
            below: String::new(),
            order: Order::Ascending,
            limit: SLOTS,
            after: None,
        })
        .await?;
    let mut refusals: Vec<RefusalRecord> = document::read_page(&page)?.items;
    refusals.sort_by_key(|refusal| std::cmp::Reverse((refusal.created_at, refusal.id.to_string())));
    Ok(refusals)
}

fn partition(org: OrgId, hook: HookId) -> String {
    format!("{org}#refusals#{hook}")
}

//! The last refusals of a hook, for its owner: what failed and why, and nothing that could be used again.
//!
//! Bounded by its keys: the records of a hook go round in [`SLOTS`] places, so that a flood of bad requests leaves no
//! more behind than a few.

use domain::{HookId, OrgId, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};

use super::{item, items, put};
use crate::{
    document,
    ports::{Expectation, Order, Store, Unavailable},
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
    /// What was kept of a mail that started nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionId>,
}

/// Keeps `refusal` in the place `slot`, over the one that was there.
pub async fn keep_refusal(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    slot: usize,
    refusal: &RefusalRecord,
) -> Result<(), Unavailable> {
    let (document, place) = (document::write(refusal)?, format!("{:03}", slot % SLOTS));
    put(store, item(partition(org, hook), place, document, refusal.created_at, KEPT_SECONDS), Expectation::Anything)
        .await
}

/// The last refusals of the hook, newest first.
pub async fn list_refusals(store: &dyn Store, org: OrgId, hook: HookId) -> Result<Vec<RefusalRecord>, Unavailable> {
    let page = items(store, partition(org, hook), String::new(), Order::Ascending, SLOTS).await?;
    let mut refusals: Vec<RefusalRecord> = document::read_page(&page)?.items;
    refusals.sort_by_key(|refusal| std::cmp::Reverse((refusal.created_at, refusal.id.to_string())));
    Ok(refusals)
}

fn partition(org: OrgId, hook: HookId) -> String {
    format!("{org}#refusals#{hook}")
}

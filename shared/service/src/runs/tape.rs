//! The tape of a hook: arrivals as they came, for `hookwright listen` to play to a program elsewhere.

use domain::{Hook, HookId, OrgId, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};

use super::{item, items, put};
use crate::{
    document,
    ports::{Expectation, Order, Store, Unavailable},
};

/// How long an arrival stays on the tape.
const KEPT_SECONDS: i64 = 7 * 24 * 60 * 60;

/// An accepted arrival, as it came but for credentials and signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// When it was accepted.
    pub received_at: Timestamp,
    /// What it became.
    pub transactions: Vec<TransactionId>,
    /// The method.
    pub method: String,
    /// The query, as it was written.
    pub query: Option<String>,
    /// The `Content-Type`.
    pub content_type: Option<String>,
    /// The headers that are kept, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body in base64.
    pub body: String,
    /// Whether its hook was paused, so that it was held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_held: bool,
}

/// An arrival and its place on the tape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Grows with every arrival.
    pub position: String,
    /// The arrival.
    pub recording: Recording,
}

/// Adds `recording` to the end of the hook's tape, unless its transactions are there already.
pub async fn record(store: &dyn Store, hook: &Hook, recording: &Recording) -> Result<(), Unavailable> {
    let Some(first) = recording.transactions.first() else { return Ok(()) };
    let (document, place) = (document::write(recording)?, format!("{}#{first}", recording.received_at));
    let item = item(partition(hook.org, hook.id), place, document, recording.received_at, KEPT_SECONDS);
    put(store, item, Expectation::Absent).await
}

/// Arrivals of the hook behind `after`, oldest first, at most `limit`.
pub async fn list_recordings(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    after: &str,
    limit: usize,
) -> Result<Vec<Placed>, Unavailable> {
    // A space sorts before every character of a position, so the position itself is left out.
    let from = if after.is_empty() { String::new() } else { format!("{after} ") };
    let page = items(store, partition(org, hook), from, Order::Ascending, limit).await?;
    page.items
        .iter()
        .map(|item| Ok(Placed { position: item.key.sort.clone(), recording: document::read(item)? }))
        .collect()
}

fn partition(org: OrgId, hook: HookId) -> String {
    format!("{org}#tape#{hook}")
}

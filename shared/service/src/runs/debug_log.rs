//! The debug log of a hook: its last interactions, accepted or refused, while somebody has it switched on.

use domain::{Hook, HookId, OrgId, Timestamp, Transaction, TransactionId};
use serde::{Deserialize, Serialize};

use super::{item, items, put};
use crate::{
    document,
    ports::{Expectation, Order, Store, Unavailable},
};

/// How long an interaction stays readable. *Source*: Kustomer keeps them for 24 hours.
const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// How many interactions are shown. *Source*: "the most recent 10 inbound interactions", seed `inbound-webhooks`.
const SHOWN_LIMIT: usize = 10;

/// A body that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Names this interaction.
    pub id: TransactionId,
    /// When it was refused.
    pub created_at: Timestamp,
    /// The word the sender was told.
    pub code: String,
    /// The sentence the sender was told.
    pub detail: String,
    /// The `Content-Type` it came with.
    pub content_type: Option<String>,
    /// How many bytes it had.
    pub body_bytes: usize,
}

/// One thing that happened at a hook's address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interaction {
    /// It became this transaction.
    Accepted(Transaction),
    /// It is held until the hook goes on, and will be this transaction.
    Held(Transaction),
    /// It was refused.
    Refused(Refusal),
    /// It had arrived before.
    #[serde(rename_all = "camelCase")]
    Repeated {
        /// The transaction of then.
        of: TransactionId,
        /// When it came again.
        created_at: Timestamp,
    },
}

/// Adds `interaction` to the debug log of `hook`.
pub async fn log_interaction(store: &dyn Store, hook: &Hook, interaction: &Interaction) -> Result<(), Unavailable> {
    let (created_at, id) = match interaction {
        Interaction::Accepted(transaction) | Interaction::Held(transaction) => (transaction.created_at, transaction.id),
        Interaction::Refused(refusal) => (refusal.created_at, refusal.id),
        Interaction::Repeated { of, created_at } => (*created_at, *of),
    };
    let document = document::write(interaction)?;
    let place = format!("{created_at}#{id}");
    put(store, item(partition(hook.org, hook.id), place, document, created_at, KEPT_SECONDS), Expectation::Anything)
        .await
}

/// The last interactions of the hook, newest first.
pub async fn list_interactions(store: &dyn Store, org: OrgId, hook: HookId) -> Result<Vec<Interaction>, Unavailable> {
    let page = items(store, partition(org, hook), String::new(), Order::Descending, SHOWN_LIMIT).await?;
    page.items.iter().map(document::read_one_of).collect()
}

fn partition(org: OrgId, hook: HookId) -> String {
    format!("{org}#debug#{hook}")
}

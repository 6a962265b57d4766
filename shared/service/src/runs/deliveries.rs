//! Deliveries: what one webhook is told of one event, and every attempt to tell it.
//!
//! An attempt is written down before it is made, with a claim on its delivery, so that each has its record whatever
//! becomes of whoever makes it, and no two are made at a time. The delivery says when the next one is due; `turn` counts how
//! often that was settled, so that a message about an earlier turn is known to be over.

use domain::{DeliveryId, OrgId, Timestamp, TransactionId, WebhookId};
use serde::{Deserialize, Serialize};

use super::{CLAIM_SECONDS, item, items, listing};
use crate::{
    directory::Paging,
    document::{self, Listing, Versioned},
    ports::{Change, Expectation, Freshness, IndexKey, Item, Key, LIST_LIMIT_ITEMS, Order, Store, Table, Unavailable},
};

/// How long a delivery is kept, counted from its event.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// What marks the item of a delivery among those of its partition.
const DELIVERY_SORT: &str = "delivery";

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It is to be tried, now or later.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It is not tried any more.
    Failed,
}

impl DeliveryState {
    /// The state called `word`.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "pending" => Some(Self::Pending),
            "delivered" => Some(Self::Delivered),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

/// What one webhook is told of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The delivery, which its endpoint sees as `webhook-id`.
    pub id: DeliveryId,
    /// Its owner.
    pub org: OrgId,
    /// The webhook.
    pub webhook: WebhookId,
    /// The event, which is a transaction under the same id.
    pub event: TransactionId,
    /// The event's name.
    pub event_name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it is tried next; at once where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// How often it was settled when it is tried next.
    pub turn: u32,
    /// How many attempts there were.
    pub attempts: u32,
    /// How many of them belong to an earlier round, which somebody ended by asking for it again.
    #[serde(default)]
    pub earlier_attempts: u32,
    /// Until when whoever makes the last attempt has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<Timestamp>,
    /// When it came to its final state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The status that was answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it was not delivered so far, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptState {
    /// It is being made, or whoever made it could not say what came of it.
    Unknown,
    /// The endpoint took it.
    Delivered,
    /// It did not.
    Failed,
}

/// One attempt.
///
/// *Shape*: `{"number":1,"state":"failed","startedAt":"…","durationMs":120,"status":500,"answer":"…","error":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Which one of its delivery it is, from 1.
    pub number: u32,
    /// What came of it.
    pub state: AttemptState,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// What the endpoint answered.
    pub status: Option<u16>,
    /// How the answer's body began.
    pub answer: Option<String>,
    /// Why it is no success, in a sentence.
    pub error: Option<String>,
}

impl Delivery {
    /// What `webhook` is told of the event `event`.
    pub fn of(org: OrgId, webhook: WebhookId, event: TransactionId, event_name: String, now: Timestamp) -> Self {
        Self {
            id: DeliveryId::for_event(event, webhook),
            org,
            webhook,
            event,
            event_name,
            created_at: now,
            state: DeliveryState::Pending,
            due_at: None,
            turn: 0,
            attempts: 0,
            earlier_attempts: 0,
            claimed_until: None,
            ended_at: None,
            status: None,
            reason: None,
        }
    }

    /// Until when nobody may try it, if that is so at `now`: somebody is at it, or it is not due yet.
    pub fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.claimed_until.max(self.due_at).filter(|until| now < *until)
    }

    /// Whether somebody is at it.
    pub fn is_claimed(&self, now: Timestamp) -> bool {
        self.claimed_until.is_some_and(|until| now < until)
    }

    /// How many attempts of this round there were.
    pub const fn attempts_of_round(&self) -> u32 {
        self.attempts.saturating_sub(self.earlier_attempts)
    }

    /// The same under the claim of one more attempt.
    #[must_use]
    pub fn claimed(&self, now: Timestamp) -> Self {
        let claimed_until = Some(now.plus_seconds(CLAIM_SECONDS));
        Self { attempts: self.attempts.saturating_add(1), claimed_until, ..self.clone() }
    }

    /// The same, to be tried at once and as often as a new one, whatever came of it before.
    #[must_use]
    pub fn again(&self) -> Self {
        Self {
            state: DeliveryState::Pending,
            due_at: None,
            turn: self.turn.saturating_add(1),
            earlier_attempts: self.attempts,
            claimed_until: None,
            ended_at: None,
            ..self.clone()
        }
    }

    /// The same, not to be tried any more for this reason.
    #[must_use]
    pub fn given_up(&self, reason: String, now: Timestamp) -> Self {
        self.ended(DeliveryState::Failed, Some(reason), now)
    }

    /// The same at its end.
    #[must_use]
    pub fn ended(&self, state: DeliveryState, reason: Option<String>, now: Timestamp) -> Self {
        let turn = self.turn.saturating_add(1);
        Self { state, turn, due_at: None, claimed_until: None, ended_at: Some(now), reason, ..self.clone() }
    }

    /// The same, to be tried again at `due_at` because of `reason`.
    #[must_use]
    pub fn put_off(&self, due_at: Timestamp, reason: Option<String>) -> Self {
        let turn = self.turn.saturating_add(1);
        Self { turn, due_at: Some(due_at), claimed_until: None, reason, ..self.clone() }
    }
}

/// The change that writes `delivery` in the place of the revision `rev`, or where nothing is.
pub fn delivery_change(delivery: &Delivery, rev: Option<u64>) -> Result<Change, Unavailable> {
    let Key { partition, sort, .. } = delivery_key(delivery.org, delivery.id);
    let index = IndexKey {
        partition: index_partition(delivery.org, delivery.webhook),
        sort: format!("{}#{}", delivery.created_at, delivery.id),
    };
    let item = item(partition, sort, document::write(delivery)?, delivery.created_at, KEPT_SECONDS);
    let expectation = Expectation::unchanged(rev);
    Ok(Change::Put(Item { rev: rev.unwrap_or_default() + 1, index: Some(index), ..item }, expectation))
}

/// The change that writes `attempt` of `delivery` before it is made, and the one that writes what came of it.
pub fn attempt_change(delivery: &Delivery, attempt: &Attempt) -> Result<Change, Unavailable> {
    let Key { partition, .. } = delivery_key(delivery.org, delivery.id);
    let sort = format!("attempt#{:06}", attempt.number);
    let item = item(partition, sort, document::write(attempt)?, delivery.created_at, KEPT_SECONDS);
    Ok(match attempt.state {
        AttemptState::Unknown => Change::Put(item, Expectation::Absent),
        AttemptState::Delivered | AttemptState::Failed => Change::Put(Item { rev: 2, ..item }, Expectation::Rev(1)),
    })
}

/// The delivery with this id.
pub async fn find_delivery(
    store: &dyn Store,
    org: OrgId,
    id: DeliveryId,
) -> Result<Option<Versioned<Delivery>>, Unavailable> {
    let found = store.find(&delivery_key(org, id), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// One page of the deliveries to `webhook`, newest first.
pub async fn list_deliveries(
    store: &dyn Store,
    org: OrgId,
    webhook: WebhookId,
    paging: Paging,
) -> Result<Listing<Delivery>, Unavailable> {
    listing(store, index_partition(org, webhook), Default::default(), paging).await
}

/// The last attempts of the delivery, at most [`LIST_LIMIT_ITEMS`], oldest first.
pub async fn list_attempts(store: &dyn Store, org: OrgId, id: DeliveryId) -> Result<Vec<Attempt>, Unavailable> {
    let Key { partition, .. } = delivery_key(org, id);
    // The delivery itself stands behind them, by its sort key.
    let page = items(store, partition, String::new(), Order::Descending, LIST_LIMIT_ITEMS).await?;
    let attempts = page.items.iter().rev().filter(|item| item.key.sort != DELIVERY_SORT);
    attempts.map(document::read).collect()
}

fn delivery_key(org: OrgId, id: DeliveryId) -> Key {
    Key::new(Table::Runs, format!("{org}#delivery#{id}"), DELIVERY_SORT)
}

fn index_partition(org: OrgId, webhook: WebhookId) -> String {
    format!("{org}#deliveries#{webhook}")
}

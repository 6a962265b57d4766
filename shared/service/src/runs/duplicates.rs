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

/// What an arrival is remembered under: the SHA-256 of its key in hex. *Why*: the key itself may be long, or tell about a
/// customer; its digest does neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyDigest(String);

impl KeyDigest {
    /// The digest of `key`.
    pub fn of(key: &str) -> Self {
        Self(hex::encode(Sha256::digest(key)))
    }
}

/// What tells that two arrivals are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatRule {
    /// Fields of the data that the hook names.
    Fields,
    /// What the provider calls the delivery.
    DeliveryId,
    /// The sender's `Idempotency-Key`.
    IdempotencyKey,
    /// The whole data.
    Body,
    /// What the sender of a mail calls it, and its data.
    MessageId,
    /// The challenge of a form's guard.
    Challenge,
}

impl RepeatRule {
    /// Whether the same key with other data is a mistake of the sender. Elsewhere it is the same delivery: a provider may
    /// count its tries in the body.
    pub const fn wants_same_body(self) -> bool {
        match self {
            Self::IdempotencyKey => true,
            Self::Fields | Self::DeliveryId | Self::Body | Self::MessageId | Self::Challenge => false,
        }
    }

    /// What is the same, for people: `the same Idempotency-Key`.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Fields => "the same values in the fields that the hook names",
            Self::DeliveryId => "the same delivery id",
            Self::IdempotencyKey => "the same Idempotency-Key",
            Self::Body => "the same data",
            Self::MessageId => "the same Message-ID and data",
            Self::Challenge => "the same challenge and data",
        }
    }
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
    key: &KeyDigest,
    mark: &Mark,
    window_seconds: u32,
) -> Result<Marked, Unavailable> {
    let Key { partition, sort, .. } = place(org, hook, key);
    let item = item(partition, sort, document::write(mark)?, mark.created_at, i64::from(window_seconds));
    Ok(put_or_find(store, item).await?.map_or(Marked::First, Marked::Repeat))
}

/// What arrived at `hook` under `key`, if anything did.
pub async fn find_mark(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    key: &KeyDigest,
) -> Result<Option<Mark>, Unavailable> {
    let found = store.find(&place(org, hook, key), Freshness::Latest).await?;
    found.as_ref().map(document::read).transpose()
}

fn place(org: OrgId, hook: HookId, KeyDigest(digest): &KeyDigest) -> Key {
    Key::new(Table::Runs, format!("{org}#seen#{hook}#{digest}"), "mark")
}

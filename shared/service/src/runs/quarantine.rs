//! Mails that wait for somebody to release them.

use domain::{HookId, OrgId, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{listing, put_or_find};
use crate::{
    directory::Paging,
    document::{self, Listing, Versioned},
    ports::{Change, Expectation, Freshness, IndexKey, Item, Key, Store, Table, Unavailable, WriteError},
};

/// How long a mail waits. *Why*: its bytes are kept as long.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// A mail in quarantine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quarantined {
    /// Names it; the transaction it will be has the same id.
    pub id: TransactionId,
    /// When the mail was received.
    pub created_at: Timestamp,
    /// Why it waits: `dmarc`, `spam`, `over_limit`.
    pub code: String,
    /// Why, in a sentence.
    pub sentence: String,
    /// What SES calls the mail.
    pub mail: String,
    /// Where its bytes are; nothing for one that came whole in an event, which cannot be released.
    pub key: Option<String>,
    /// The address it was sent to.
    pub recipient: String,
    /// How many bytes it has.
    pub bytes: usize,
    /// What a workflow would see of it beside its data.
    pub email: Value,
    /// When it was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// The transaction it became then: another one where the same mail had come before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionId>,
}

/// Puts `quarantined` into the hook's quarantine; false where it is there already.
pub async fn quarantine(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    quarantined: &Quarantined,
) -> Result<bool, Unavailable> {
    let item = item(org, hook, quarantined, 1)?;
    let before: Option<Quarantined> = put_or_find(store, item).await?;
    Ok(before.is_none())
}

/// The mail `id` in the hook's quarantine, released or not.
pub async fn find_quarantined(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    id: TransactionId,
) -> Result<Option<Versioned<Quarantined>>, Unavailable> {
    let found = store.find(&key(org, hook, id), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// The mails in the hook's quarantine, newest first.
pub async fn list_quarantined(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    paging: Paging,
) -> Result<Listing<Quarantined>, Unavailable> {
    listing(store, index_partition(org, hook), Default::default(), paging).await
}

/// Puts `quarantined`, which was released, in the place of what is there.
///
/// *Errors*: [`WriteError::Conflict`] where that is not of this `rev` any more, or nothing is there.
pub async fn put_released(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    quarantined: &Quarantined,
    rev: u64,
) -> Result<(), WriteError> {
    let item = item(org, hook, quarantined, rev + 1).map_err(WriteError::Unavailable)?;
    store.write(&[Change::Put(item, Expectation::Rev(rev))]).await
}

/// Takes the mail `id` out of the hook's quarantine for good; false where it is not there.
///
/// *Errors*: [`WriteError::Conflict`] where it was released at the same moment.
pub async fn discard_quarantined(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    id: TransactionId,
) -> Result<bool, WriteError> {
    let found = find_quarantined(store, org, hook, id).await.map_err(WriteError::Unavailable)?;
    let Some(Versioned { rev, .. }) = found else { return Ok(false) };
    match store.write(&[Change::Delete(key(org, hook, id), Expectation::Rev(rev))]).await {
        Ok(()) => Ok(true),
        Err(WriteError::Conflict { found: None, .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn item(org: OrgId, hook: HookId, quarantined: &Quarantined, rev: u64) -> Result<Item, Unavailable> {
    Ok(Item {
        key: key(org, hook, quarantined.id),
        rev,
        document: document::write(quarantined)?,
        index: Some(IndexKey {
            partition: index_partition(org, hook),
            sort: format!("{}#{}", quarantined.created_at, quarantined.id),
        }),
        expires_at: Some(quarantined.created_at.plus_seconds(KEPT_SECONDS).as_second()),
    })
}

fn key(org: OrgId, hook: HookId, id: TransactionId) -> Key {
    Key::new(Table::Runs, format!("{org}#quarantined#{hook}#{id}"), "mail")
}

fn index_partition(org: OrgId, hook: HookId) -> String {
    format!("{org}#quarantine#{hook}")
}

//! Outbound webhooks, by their ids, and beside each what it is told of, where whoever makes something happen looks.

use domain::{OrgId, Webhook, WebhookId};

use super::{
    Listing, Paging, Versioned, item, key, list as list_collection, list_all,
    listeners::{webhook_change, webhook_key as subscription_key},
};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Key, Store, Unavailable, WriteError},
};

const COLLECTION: &str = "webhooks";

/// The most webhooks of one org. *Why*: each change of a record looks through all that they subscribe to.
pub const WEBHOOKS_LIMIT: usize = 20;

/// Creates `webhook`.
pub async fn create(store: &dyn Store, webhook: &Webhook) -> Result<(), WriteError> {
    store.write(&[put(webhook, 1, Expectation::Absent)?, webhook_change(webhook)?]).await
}

/// Writes `webhook` in the place of its revision `rev`, and `beside` with it.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written it since.
pub async fn replace(store: &dyn Store, webhook: &Webhook, rev: u64, beside: Option<Change>) -> Result<(), WriteError> {
    let mut changes = vec![put(webhook, rev + 1, Expectation::Rev(rev))?, webhook_change(webhook)?];
    changes.extend(beside);
    store.write(&changes).await
}

/// Deletes the webhook, and `beside` with it; what was delivered to it is kept its time and not found any more.
pub async fn delete(store: &dyn Store, org: OrgId, id: WebhookId, beside: Change) -> Result<(), WriteError> {
    let head = Change::Delete(webhook_key(org, id), Expectation::Anything);
    store.write(&[head, Change::Delete(subscription_key(org, id), Expectation::Anything), beside]).await
}

/// The webhook with this id.
pub async fn find(store: &dyn Store, org: OrgId, id: WebhookId) -> Result<Option<Versioned<Webhook>>, Unavailable> {
    let found = store.find(&webhook_key(org, id), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// One page of an org's webhooks, oldest first.
pub async fn list(store: &dyn Store, org: OrgId, paging: Paging) -> Result<Listing<Webhook>, Unavailable> {
    document::read_page(&list_collection(store, org, COLLECTION, paging).await?)
}

/// All of an org's webhooks, oldest first.
pub async fn all(store: &dyn Store, org: OrgId) -> Result<Vec<Webhook>, Unavailable> {
    list_all(store, org, COLLECTION).await?.iter().map(document::read).collect()
}

fn put(webhook: &Webhook, rev: u64, expectation: Expectation) -> Result<Change, Unavailable> {
    let place = webhook_key(webhook.org, webhook.id);
    Ok(Change::Put(item(place, rev, document::write(webhook)?), expectation))
}

fn webhook_key(org: OrgId, id: WebhookId) -> Key {
    key(org, COLLECTION, id.to_string())
}

//! Who listens to what happens.
//!
//! Every write of a record asks this, so all of an org's webhooks, and the workflows that listen to records, stand in one
//! partition, which one read gives.

use domain::{Event, OrgId, Webhook, WebhookId, is_heard};
use serde::{Deserialize, Serialize};

use super::{
    item, key, list_all,
    workflows::{Heard, Trigger},
};
use crate::{
    document,
    ports::{Change, Expectation, Key, Store, Unavailable},
};

const COLLECTION: &str = "record-events";

/// What the sort keys of webhooks begin with, behind those of all events.
const WEBHOOK: &str = "~webhook#";

/// What the sort key of the mark ends with that runs may wait for an event.
pub(super) const AWAITED: &str = "~awaited";

/// The listeners of an org.
#[derive(Debug, Default)]
pub struct Listeners {
    awaited: Vec<String>,
    workflows: Vec<(String, Trigger)>,
    webhooks: Vec<Subscription>,
}

/// What an enabled webhook is told of.
#[derive(Debug, Serialize, Deserialize)]
struct Subscription {
    webhook: WebhookId,
    events: Vec<String>,
}

impl Listeners {
    /// Who wants to know of `event_name` of records.
    pub fn heard(&self, event_name: &str) -> Heard {
        let listening = self.workflows.iter().filter(|(name, _)| name == event_name);
        Heard {
            triggers: listening.map(|(_, trigger)| trigger.clone()).collect(),
            is_awaited: self.awaited.iter().any(|name| name == event_name),
        }
    }

    /// The webhooks that are told of `event_name`, oldest first.
    pub fn webhooks(&self, event_name: &str) -> Vec<WebhookId> {
        let hears =
            |subscription: &&Subscription| subscription.events.iter().any(|pattern| is_heard(pattern, event_name));
        self.webhooks.iter().filter(hears).map(|subscription| subscription.webhook).collect()
    }
}

/// Every webhook of `org`, and every workflow that listens to a change of records.
pub async fn listeners(store: &dyn Store, org: OrgId) -> Result<Listeners, Unavailable> {
    let items = list_all(store, org, COLLECTION).await?;
    let mut listeners = Listeners::default();
    for item in &items {
        if item.key.sort.starts_with(WEBHOOK) {
            listeners.webhooks.push(document::read(item)?);
            continue;
        }
        match item.key.sort.split_once('#').unwrap_or_default() {
            (event_name, AWAITED) => listeners.awaited.push(event_name.to_owned()),
            (event_name, _) => listeners.workflows.push((event_name.to_owned(), document::read(item)?)),
        }
    }
    Ok(listeners)
}

/// The change after which `webhook` is told of what it subscribes to, if it is enabled, and of nothing otherwise.
pub(super) fn webhook_change(webhook: &Webhook) -> Result<Change, Unavailable> {
    let place = webhook_key(webhook.org, webhook.id);
    if !webhook.enabled {
        return Ok(Change::Delete(place, Expectation::Anything));
    }
    let subscription = Subscription { webhook: webhook.id, events: webhook.events.clone() };
    Ok(Change::Put(item(place, 1, document::write(&subscription)?), Expectation::Anything))
}

/// Where it stands what the webhook is told of.
pub(super) fn webhook_key(org: OrgId, id: WebhookId) -> Key {
    key(org, COLLECTION, format!("{WEBHOOK}{id}"))
}

/// The collection of those who listen to `event_name`, and what their sort keys begin with.
pub(super) fn place(event_name: &str) -> (String, String) {
    if Event::is_of_record(event_name) {
        (COLLECTION.to_owned(), format!("{event_name}#"))
    } else {
        (format!("event#{event_name}"), String::new())
    }
}

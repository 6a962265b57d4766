//! What a webhook was told: list, read, ask for again, and a test event.

use domain::{DeliveryId, EventId, Rejected, Rejection, Transaction, Webhook};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::{
        Refused, Response,
        call::{Call, not_found},
        resource::{leave_large_values_out, many, one, resource},
    },
    found, standing,
};
use crate::{
    announce::INSURANCE_SECONDS,
    directory::{Versioned, settings},
    envelope::{Named, Turn},
    http::ANSWER_LIMIT_BYTES,
    ports::{Change, Freshness},
    runs::{self, Attempt, Delivery, DeliveryState, StoredTransaction, delivery_change},
};

/// The event that a webhook is tried out with.
const PING: &str = "kustomer.webhook.ping";

/// How many pages of deliveries one request looks through for some of the state it asks for.
const FILTER_PAGES_LIMIT: usize = 10;

pub(in super::super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let webhook = found(call).await?.value;
    let state = call.query("state").map(|word| state(&word)).transpose()?;
    let mut paging = call.paging()?;
    let size = paging.limit;
    let mut shown: Vec<Delivery> = Vec::new();
    for _ in 0..FILTER_PAGES_LIMIT {
        let store = call.management.store.as_ref();
        let listing = runs::list_deliveries(store, webhook.org, webhook.id, paging.clone()).await?;
        shown.extend(listing.items.into_iter().filter(|delivery| state.is_none_or(|state| delivery.state == state)));
        paging.after = listing.next;
        if paging.after.is_none() || !shown.is_empty() {
            break;
        }
    }
    let resources = shown.iter().map(|delivery| delivery_resource(delivery, None)).collect();
    Ok(many(call, resources, size, paging.after.as_deref()))
}

pub(in super::super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let delivery = found_delivery(call, &found(call).await?.value).await?.value;
    let store = call.management.store.as_ref();
    let attempts = runs::list_attempts(store, delivery.org, delivery.id).await?;
    let event = runs::find_transaction(store, delivery.org, delivery.event).await?;
    let settings = settings::find(store, delivery.org, Freshness::Recent).await?.value;
    let fired = event.and_then(|stored| stored.transaction.fired);
    let body = fired.map(|event| event.envelope(settings.name.as_deref()));
    let mut document = delivery_resource(&delivery, Some((attempts, body)));
    let whole = one(StatusCode::OK, document.clone());
    if whole.body().len() <= ANSWER_LIMIT_BYTES {
        return Ok(whole);
    }
    if let Some(attributes) = document.get_mut("attributes") {
        leave_large_values_out(attributes, &["requestBody"]);
    }
    Ok(one(StatusCode::OK, document))
}

/// Has a delivery tried again at once, whatever came of it before.
pub(in super::super) async fn resend(call: &Call<'_>) -> Result<Response, Refused> {
    let webhook = found(call).await?.value;
    let Versioned { rev, value: before } = found_delivery(call, &webhook).await?;
    check_enabled(call, &webhook).await?;
    if before.is_claimed(call.management.world.now()) {
        let detail = "It is being delivered at this very moment. Look at what came of it in a minute, then ask again.";
        return Err(Rejected::new(Rejection::Taken, "being_delivered", detail).into());
    }
    let delivery = before.again();
    write_and_send(call, vec![delivery_change(&delivery, Some(rev))?], &delivery).await?;
    Ok(one(StatusCode::OK, delivery_resource(&delivery, None)))
}

/// Delivers a test event to the webhook, and to nobody else.
pub(in super::super) async fn ping(call: &Call<'_>) -> Result<Response, Refused> {
    let webhook = found(call).await?.value;
    check_enabled(call, &webhook).await?;
    let (org, now) = (webhook.org, call.management.world.now());
    let id = EventId::fresh(now, call.random()?);
    let data = json!({
        "type": "webhook",
        "id": webhook.id,
        "attributes": { "description": webhook.description, "events": webhook.events },
    });
    let event = call.author().event(id, org, PING.to_owned(), data, now);
    let stored = StoredTransaction::of_event(PING.to_owned(), Transaction::of_event(event), Vec::new());
    let delivery = Delivery::of(org, webhook.id, id.into(), PING.to_owned(), now);
    let changes = vec![runs::transaction_change(&stored)?, delivery_change(&delivery, None)?];
    write_and_send(call, changes, &delivery).await?;
    Ok(one(StatusCode::CREATED, delivery_resource(&delivery, None)))
}

async fn found_delivery(call: &Call<'_>, webhook: &Webhook) -> Result<Versioned<Delivery>, Refused> {
    let id = call.id("delivery", DeliveryId::parse)?;
    let found = runs::find_delivery(call.management.store.as_ref(), webhook.org, id).await?;
    found.filter(|found| found.value.webhook == webhook.id).ok_or_else(|| not_found().into())
}

async fn check_enabled(call: &Call<'_>, webhook: &Webhook) -> Result<(), Refused> {
    if webhook.enabled && standing(call, webhook).await?.stopped.is_none() {
        return Ok(());
    }
    let detail = "This webhook is disabled. Enable it first: {\"enabled\": true}.";
    Err(Rejected::new(Rejection::Taken, "webhook_disabled", detail).into())
}

/// Writes `changes`, of which one is `delivery`, and has it tried.
///
/// *Once it returns* the delivery is durable, and so is that it will be tried: a message for that was sent before.
async fn write_and_send(call: &Call<'_>, changes: Vec<Change>, delivery: &Delivery) -> Result<(), Refused> {
    let queue = call.management.queue.as_ref();
    let turn = Turn { org: delivery.org, delivery: delivery.id, turn: delivery.turn };
    let message = Named::Deliver(turn).message()?;
    queue.send_later(delivery.org, message.clone(), INSURANCE_SECONDS).await?;
    call.management.store.write(&changes).await?;
    if let Err(error) = queue.send(delivery.org, message).await {
        tracing::warn!(%error, "a delivery is tried later, by the message that was sent before");
    }
    Ok(())
}

fn state(word: &str) -> Result<DeliveryState, Refused> {
    DeliveryState::parse(word).ok_or_else(|| {
        let detail = "The query parameter `state` is one of pending, delivered, failed.";
        Rejected::at("state", "bad_query", detail).into()
    })
}

fn delivery_resource(delivery: &Delivery, whole: Option<(Vec<Attempt>, Option<Value>)>) -> Value {
    let is_pending = delivery.state == DeliveryState::Pending;
    let mut attributes = json!({
        "eventName": delivery.event_name,
        "state": delivery.state,
        "attemptCount": delivery.attempts,
        "status": delivery.status,
        "reason": delivery.reason,
        "createdAt": delivery.created_at,
        "nextAttemptAt": is_pending.then(|| delivery.due_at.unwrap_or(delivery.created_at)),
        "endedAt": delivery.ended_at,
    });
    if let (Some((attempts, body)), Some(attributes)) = (whole, attributes.as_object_mut()) {
        attributes.insert("attempts".to_owned(), json!(attempts));
        attributes.insert("requestBody".to_owned(), body.unwrap_or_default());
    }
    let related =
        |kind: &str, id: String, path: String| json!({ "data": { "type": kind, "id": id }, "links": { "self": path } });
    let (id, webhook, event) = (delivery.id.to_string(), delivery.webhook, delivery.event);
    let relationships = json!({
        "org": { "data": { "type": "org", "id": delivery.org } },
        "webhook": related("webhook", webhook.to_string(), format!("/v1/webhooks/{webhook}")),
        "transaction": related("transaction", event.to_string(), format!("/v1/transactions/{event}")),
    });
    resource("delivery", &id, &format!("/v1/webhooks/{webhook}/deliveries/{id}"), attributes, relationships)
}

//! Outbound webhooks: create, list, read, change, delete, rotate the secret. What they were told is in `deliveries`.

pub(super) mod deliveries;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use domain::{Rejected, Rejection, Secret, Timestamp, WEBHOOK_EVENTS_LIMIT, WEBHOOK_SECRET_BYTES, Webhook, WebhookId};
use http::{StatusCode, Uri};
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    attributes::switch,
    call::{Call, bad_attribute, check_names, not_found},
    resource::{many, one, org_relationship, resource, text},
};
use crate::{
    directory::{
        Versioned,
        webhooks::{self, WEBHOOKS_LIMIT},
    },
    event_names::check_subscribed,
    http::answer::{Problem, empty_response},
    ports::{Change, Expectation},
    runs::{self, WebhookStanding},
};

/// *Why*: what servers and proxies take.
const URL_LIMIT_BYTES: usize = 2_048;

const DESCRIPTION_LIMIT_CHARS: usize = 256;

/// What may be set, and what is only shown and may be sent back.
const TAKEN: [&str; 4] = ["url", "events", "description", "enabled"];
const SHOWN: [&str; 9] = [
    "maskedSecret",
    "previousSecretUntil",
    "failingSince",
    "warning",
    "disabled",
    "createdAt",
    "updatedAt",
    "secret",
    "id",
];

/// For how long a secret that was rotated signs on, where nothing else is asked for.
const OVERLAP_SECONDS: i64 = 24 * 60 * 60;
/// How many secrets sign a webhook at a time.
const SECRETS_LIMIT: usize = 5;

const OVERLAP_LIMIT_SECONDS: i64 = 7 * 24 * 60 * 60;

pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    let (store, org, now) = (call.management.store.as_ref(), call.caller.org, call.management.world.now());
    let mut webhook = Webhook {
        id: WebhookId::fresh(now, call.random()?),
        org,
        url: String::new(),
        description: None,
        events: Vec::new(),
        enabled: true,
        secret: fresh_secret(call)?,
        retired: Vec::new(),
        created_at: now,
        updated_at: now,
    };
    apply(call, &mut webhook, &attributes)?;
    if webhooks::all(store, org).await?.len() >= WEBHOOKS_LIMIT {
        let detail =
            format!("An org has at most {WEBHOOKS_LIMIT} outbound webhooks. Delete one, or let one take more events.");
        return Err(Rejected::new(Rejection::Taken, "too_many_webhooks", detail).into());
    }
    webhooks::create(store, &webhook).await?;
    Ok(one(StatusCode::CREATED, with_secret(call, &webhook, &WebhookStanding::new(webhook.id))))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let paging = call.paging()?;
    let size = paging.limit;
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let listing = webhooks::list(store, org, paging).await?;
    let ids: Vec<WebhookId> = listing.items.iter().map(|webhook| webhook.id).collect();
    let standings = runs::find_standings(store, org, &ids).await?;
    let shown = |webhook: &Webhook| {
        let standing = standings.iter().find(|standing| standing.webhook == webhook.id).cloned();
        webhook_resource(call, webhook, &standing.unwrap_or_else(|| WebhookStanding::new(webhook.id)))
    };
    Ok(many(call, listing.items.iter().map(shown).collect(), size, listing.next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let webhook = found(call).await?.value;
    let standing = standing(call, &webhook).await?;
    Ok(one(StatusCode::OK, webhook_resource(call, &webhook, &standing)))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response, Refused> {
    let Versioned { rev, value: before } = found(call).await?;
    let attributes = call.attributes()?;
    let mut webhook = before.clone();
    apply(call, &mut webhook, &attributes)?;
    // Who sends back what was read sends back that it is stopped, which is not to say that its owner wants it so.
    if webhook.url == before.url && standing(call, &before).await?.stopped.is_some() && !webhook.enabled {
        webhook.enabled = before.enabled;
    }
    webhook.updated_at = call.management.world.now();
    let store = call.management.store.as_ref();
    // Whoever enables it, or gives it another address, has seen to it.
    let begins_anew = attributes.get("enabled") == Some(&Value::Bool(true)) || webhook.url != before.url;
    if begins_anew {
        webhooks::replace(store, &webhook, rev, Some(forget_standing(&webhook))).await?;
        return Ok(one(StatusCode::OK, webhook_resource(call, &webhook, &WebhookStanding::new(webhook.id))));
    }
    webhooks::replace(store, &webhook, rev, None).await?;
    let standing = standing(call, &webhook).await?;
    Ok(one(StatusCode::OK, webhook_resource(call, &webhook, &standing)))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    let webhook = found(call).await?.value;
    let store = call.management.store.as_ref();
    webhooks::delete(store, webhook.org, webhook.id, forget_standing(&webhook)).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

/// A secret takes the place of another, which goes on signing beside it for a while, so that nothing is refused meanwhile.
pub(super) async fn rotate(call: &Call<'_>) -> Result<Response, Refused> {
    let Versioned { rev, value: mut webhook } = found(call).await?;
    let now = call.management.world.now();
    let attributes = call.optional_attributes()?;
    check_names(&attributes, &["overlapSeconds"])?;
    let overlap_seconds = overlap_seconds(&attributes)?;
    if overlap_seconds > 0 && webhook.signing(now).count() >= SECRETS_LIMIT {
        let detail = format!(
            "{SECRETS_LIMIT} secrets sign this webhook already. Wait until the time of one is up, or end all of them at \
             once with {{\"overlapSeconds\": 0}}."
        );
        return Err(Rejected::new(Rejection::Taken, "too_many_secrets", detail).into());
    }
    webhook.rotate(fresh_secret(call)?, now, overlap_seconds);
    webhook.updated_at = now;
    webhooks::replace(call.management.store.as_ref(), &webhook, rev, None).await?;
    let standing = standing(call, &webhook).await?;
    Ok(one(StatusCode::OK, with_secret(call, &webhook, &standing)))
}

async fn found(call: &Call<'_>) -> Result<Versioned<Webhook>, Refused> {
    let id = call.id("id", WebhookId::parse)?;
    let found = webhooks::find(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

async fn standing(call: &Call<'_>, webhook: &Webhook) -> Result<WebhookStanding, Refused> {
    let found = runs::find_standing(call.management.store.as_ref(), webhook.org, webhook.id).await?;
    Ok(found.map_or_else(|| WebhookStanding::new(webhook.id), |found| found.value))
}

fn forget_standing(webhook: &Webhook) -> Change {
    Change::Delete(runs::standing_key(webhook.org, webhook.id), Expectation::Anything)
}

fn fresh_secret(call: &Call<'_>) -> Result<Secret, Refused> {
    let random: [u8; WEBHOOK_SECRET_BYTES] = call.random()?;
    Ok(Secret::new(format!("whsec_{}", BASE64.encode(random))))
}

fn overlap_seconds(attributes: &Map<String, Value>) -> Result<i64, Refused> {
    let wrong = || {
        let sentence = format!("`overlapSeconds` is a whole number from 0 to {OVERLAP_LIMIT_SECONDS}.");
        bad_attribute("overlapSeconds", sentence)
    };
    match attributes.get("overlapSeconds") {
        None | Some(Value::Null) => Ok(OVERLAP_SECONDS),
        Some(value) => value.as_i64().filter(|s| (0..=OVERLAP_LIMIT_SECONDS).contains(s)).ok_or_else(wrong),
    }
}

/// Puts what is sent into the webhook, or tells everything that is wrong with it.
fn apply(call: &Call<'_>, webhook: &mut Webhook, attributes: &Map<String, Value>) -> Result<(), Refused> {
    check_names(attributes, &[&TAKEN[..], &SHOWN].concat())?;
    let before = webhook.url.clone();
    if let Some(url) = text(attributes, "url")? {
        webhook.url = url;
    }
    if attributes.contains_key("description") {
        webhook.description = text(attributes, "description")?.filter(|text| !text.is_empty());
    }
    if let Some(enabled) = switch(attributes, "enabled")? {
        webhook.enabled = enabled;
    }
    if let Some(events) = attributes.get("events").filter(|events| !events.is_null()) {
        let wrong = || bad_attribute("events", "`events` is a list of names such as [\"kustomer.customer.*\"].");
        let texts = events.as_array().map(|list| list.iter().map(|name| name.as_str().map(str::to_owned)));
        webhook.events = texts.and_then(Iterator::collect).ok_or_else(wrong)?;
    }
    let mut problems = event_problems(&webhook.events);
    // An address that may not be told any more is no reason to keep its webhook enabled.
    let is_judged = before.is_empty() || before != webhook.url || attributes.get("enabled") == Some(&Value::Bool(true));
    let url_problem = if is_judged { url_problem(call, &webhook.url) } else { None };
    problems.extend(url_problem.map(|sentence| ("$.url".to_owned(), sentence)));
    if webhook.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_LIMIT_CHARS) {
        let sentence = format!("A description has at most {DESCRIPTION_LIMIT_CHARS} characters.");
        problems.push(("$.description".to_owned(), sentence));
    }
    if problems.is_empty() {
        return Ok(());
    }
    let told = |(path, detail)| Problem { path, code: "bad_attribute".to_owned(), detail, suggestion: None };
    Err(Refused::Problems(problems.into_iter().map(told).collect()))
}

fn url_problem(call: &Call<'_>, url: &str) -> Option<String> {
    if url.is_empty() {
        return Some("Say where the webhook is told: `url` is an address that begins with https://.".to_owned());
    }
    if url.len() > URL_LIMIT_BYTES {
        return Some(format!("A webhook's address has at most {URL_LIMIT_BYTES} bytes."));
    }
    if let Err(failure) = call.management.destinations.judge(url) {
        return Some(failure.message);
    }
    let is_own = host_and_port(url).is_some_and(|of_url| host_and_port(&call.base_url()) == Some(of_url));
    is_own.then(|| {
        "This address is Hookwright's own: what it is told would fire events again. A workflow can listen to the event itself."
            .to_owned()
    })
}

/// To whom a URL leads, in one spelling; those of both schemes at their own ports are the same.
fn host_and_port(url: &str) -> Option<(String, Option<u16>)> {
    let uri: Uri = url.parse().ok()?;
    Some((uri.host()?.to_lowercase(), uri.port_u16().filter(|port| ![80, 443].contains(port))))
}

fn event_problems(events: &[String]) -> Vec<(String, String)> {
    if events.is_empty() {
        let sentence =
            "Say what the webhook is told of: `events` has names such as kustomer.customer.update, or \"*\".";
        return vec![("$.events".to_owned(), sentence.to_owned())];
    }
    if events.len() > WEBHOOK_EVENTS_LIMIT {
        let sentence = format!("A webhook has at most {WEBHOOK_EVENTS_LIMIT} events; kustomer.customer.* is one.");
        return vec![("$.events".to_owned(), sentence)];
    }
    let problem = |(place, name): (usize, &String)| {
        let repeated = || Err(format!("{name:?} comes twice; leave one of them."));
        let is_repeated = events.iter().take(place).any(|other| other == name);
        let checked = if is_repeated { repeated() } else { check_subscribed(name) };
        checked.err().map(|sentence| (format!("$.events[{place}]"), sentence))
    };
    events.iter().enumerate().filter_map(problem).collect()
}

fn webhook_resource(call: &Call<'_>, webhook: &Webhook, standing: &WebhookStanding) -> Value {
    let attributes = Value::Object(attributes(webhook, standing, call.management.world.now()));
    let path = format!("/v1/webhooks/{}", webhook.id);
    resource("webhook", &webhook.id.to_string(), &path, attributes, org_relationship(call))
}

fn with_secret(call: &Call<'_>, webhook: &Webhook, standing: &WebhookStanding) -> Value {
    let mut document = webhook_resource(call, webhook, standing);
    if let Some(attributes) = document.get_mut("attributes").and_then(Value::as_object_mut) {
        attributes.insert("secret".to_owned(), json!(webhook.secret.reveal()));
    }
    document
}

fn attributes(webhook: &Webhook, standing: &WebhookStanding, now: Timestamp) -> Map<String, Value> {
    let previous_until = webhook.signing(now).map(|retired| retired.until).max();
    let disabled = standing
        .stopped
        .as_ref()
        .map(|stopped| json!({ "at": stopped.at, "code": stopped.code, "reason": stopped.sentence }));
    let members = [
        ("url", json!(webhook.url)),
        ("description", json!(webhook.description)),
        ("events", json!(webhook.events)),
        ("enabled", json!(webhook.enabled && standing.stopped.is_none())),
        ("maskedSecret", json!(webhook.masked_secret())),
        ("previousSecretUntil", json!(previous_until)),
        ("failingSince", json!(standing.failing_since)),
        ("warning", json!(standing.warning(now))),
        ("disabled", disabled.unwrap_or_default()),
        ("createdAt", json!(webhook.created_at)),
        ("updatedAt", json!(webhook.updated_at)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

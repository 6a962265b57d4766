//! What happened at a hook: the debug log, the refusals with their reasons, and the tape.

use domain::{Timestamp, Transaction};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::{
        Refused, Response,
        call::Call,
        resource::{many, many_with},
    },
    found,
};
use crate::{
    http::answer::json_response,
    runs::{self, Duplicate, Interaction, Placed, RefusalRecord},
};

/// How long after it came an arrival may take its place on the tape. *Why*: the place is when it came, and accepting it may
/// take three ports' tries of 8 s each, as the function's own 29 s allow.
const SETTLED_SECONDS: i64 = 30;

pub(crate) async fn transactions(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found(call).await?.value;
    let interactions = runs::list_interactions(call.management.store.as_ref(), hook.org, hook.id).await?;
    let count = interactions.len();
    let resources = interactions.into_iter().map(interaction_resource).collect();
    Ok(many(call, resources, count.max(1), None))
}

/// The last repeats of a hook; `meta.count` is how many there were.
pub(crate) async fn duplicates(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found(call).await?.value;
    let duplicates = runs::find_duplicates(call.management.store.as_ref(), hook.org, hook.id).await?;
    let shown = duplicates.last.len();
    let resources = duplicates.last.into_iter().map(duplicate_resource).collect();
    Ok(many_with(call, resources, shown.max(1), None, json!({ "count": duplicates.count })))
}

/// The last refusals of a hook; `meta` has what else became of what arrived: how much is held, and how often something was
/// repeated.
pub(crate) async fn refusals(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found(call).await?.value;
    let store = call.management.store.as_ref();
    let refusals = runs::list_refusals(store, hook.org, hook.id).await?;
    let held = runs::count_held(store, hook.org, hook.id).await?;
    let duplicates = runs::find_duplicates(store, hook.org, hook.id).await?;
    let count = refusals.len();
    let resources = refusals.into_iter().map(refusal_resource).collect();
    let meta = json!({
        "paused": hook.paused,
        "held": held.count,
        "holdsMore": held.has_more,
        "duplicates": duplicates.count,
    });
    Ok(many_with(call, resources, count.max(1), None, meta))
}

/// The tape behind `after`, or since an instant. `meta.next` is where to come again, also when nothing is there yet; from
/// `meta.settled` on, arrivals may still take their place between those that are there.
pub(crate) async fn arrivals(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found(call).await?.value;
    let after = match (call.query("after").filter(|after| !after.is_empty()), call.instant("since")?) {
        (Some(after), _) => position(&after)?,
        (None, Some(since)) => since.to_string(),
        (None, None) => String::new(),
    };
    let size = call.page_size()?;
    let store = call.management.store.as_ref();
    let placed = runs::list_recordings(store, hook.org, hook.id, &after, size).await?;
    let next = placed.last().map_or(after, |last| last.position.clone());
    let settled = call.management.world.now().plus_seconds(-SETTLED_SECONDS).to_string().min(next.clone());
    let resources: Vec<Value> = placed.into_iter().map(arrival_resource).collect();
    let meta = json!({ "pageSize": size, "next": next, "settled": settled });
    Ok(json_response(StatusCode::OK, &json!({ "data": resources, "meta": meta })))
}

/// A position is an instant and an id; nothing else is looked for.
fn position(after: &str) -> Result<String, Refused> {
    let instant = after.split('#').next().unwrap_or(after);
    if Timestamp::parse(instant).is_some() && after.len() <= 64 && after.is_ascii() {
        return Ok(after.to_owned());
    }
    Err(super::super::call::bad_query("after", "taken from the `meta.next` of this same list"))
}

fn interaction_resource(interaction: Interaction) -> Value {
    match interaction {
        Interaction::Accepted(transaction) => accepted(&transaction),
        Interaction::Held(transaction) => {
            let mut document = accepted(&transaction);
            if let Some(document) = document.as_object_mut() {
                document.insert("meta".to_owned(), json!({ "held": true }));
            }
            document
        }
        Interaction::Repeated { of, created_at } => json!({
            "id": of,
            "type": "repeat",
            "attributes": { "createdAt": created_at },
            "links": { "self": format!("/v1/transactions/{of}") },
        }),
        Interaction::Refused(refusal) => json!({
            "id": refusal.id,
            "type": "refusal",
            "attributes": {
                "createdAt": refusal.created_at,
                "code": refusal.code,
                "detail": refusal.detail,
                "contentType": refusal.content_type,
                "bodyBytes": refusal.body_bytes,
            },
        }),
    }
}

fn accepted(transaction: &Transaction) -> Value {
    let mut document = transaction.document();
    if let Some(document) = document.as_object_mut() {
        document.insert("links".to_owned(), json!({ "self": format!("/v1/transactions/{}", transaction.id) }));
    }
    document
}

fn duplicate_resource(duplicate: Duplicate) -> Value {
    let Duplicate { transaction, first_at, created_at, rule } = duplicate;
    json!({
        "id": format!("{transaction}-{created_at}"),
        "type": "duplicate",
        "attributes": { "createdAt": created_at, "rule": rule, "transactionId": transaction, "firstAt": first_at },
        "links": { "self": format!("/v1/transactions/{transaction}") },
    })
}

fn refusal_resource(refusal: RefusalRecord) -> Value {
    json!({
        "id": refusal.id,
        "type": "refusal",
        "attributes": {
            "createdAt": refusal.created_at,
            "code": refusal.code,
            "detail": refusal.detail,
            "check": refusal.check,
            "failure": refusal.failure,
            "reasons": refusal.reasons,
            "method": refusal.method,
            "contentType": refusal.content_type,
            "bodyBytes": refusal.body_bytes,
            "sourceAddress": refusal.source_address,
            "headers": refusal.headers,
            "transactionId": refusal.transaction,
        },
    })
}

fn arrival_resource(placed: Placed) -> Value {
    let Placed { position, recording } = placed;
    let headers: serde_json::Map<String, Value> =
        recording.headers.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    json!({
        "id": position,
        "type": "arrival",
        "attributes": {
            "receivedAt": recording.received_at,
            "transactionIds": recording.transactions,
            "method": recording.method,
            "query": recording.query,
            "contentType": recording.content_type,
            "headers": headers,
            "bodyBase64": recording.body,
            "held": recording.is_held,
        },
    })
}

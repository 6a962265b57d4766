//! What happened at a hook: the debug log, the refusals with their reasons, and the tape.

use domain::Timestamp;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::{Refused, Response, call::Call, resource::many},
    found,
};
use crate::{
    http::answer::json_response,
    runs::{self, Interaction, Placed, RefusalRecord},
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

pub(crate) async fn refusals(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found(call).await?.value;
    let refusals = runs::list_refusals(call.management.store.as_ref(), hook.org, hook.id).await?;
    let count = refusals.len();
    let resources = refusals.into_iter().map(refusal_resource).collect();
    Ok(many(call, resources, count.max(1), None))
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
        Interaction::Accepted(transaction) => {
            let mut document = transaction.document();
            if let Some(document) = document.as_object_mut() {
                document.insert("links".to_owned(), json!({ "self": format!("/v1/transactions/{}", transaction.id) }));
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
        },
    })
}

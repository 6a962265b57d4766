//! Dead letters: list, read, put on the queue again, discard.

mod filter;
mod redrive;

use domain::{DeadLetterId, exact};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_query, not_found},
    resource::{leave_large_values_out, many, one, resource},
};
use crate::{
    document::Versioned,
    http::{ANSWER_LIMIT_BYTES, answer::empty_response},
    ports::Order,
    runs::{self, DeadLetter, LetterState},
};

use filter::Filter;
pub(super) use redrive::{redrive, redrive_many};

/// How many pages of letters one request looks through for some that fit.
const FILTER_PAGES_LIMIT: usize = 10;

/// `GET /v1/dead-letters?state=dead&kind=…&hook=…&event=…&reason=…&from=…&until=…`: newest first.
pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let state = match call.query("state") {
        None => LetterState::Dead,
        Some(word) => filter::parse(LetterState::ALL, LetterState::word, &word)
            .ok_or_else(|| bad_query("state", &filter::one_of(LetterState::ALL, LetterState::word)))?,
    };
    let filter = Filter::of_query(call)?;
    let mut paging = call.paging()?;
    let size = paging.limit;
    let mut found: Vec<DeadLetter> = Vec::new();
    for _ in 0..FILTER_PAGES_LIMIT {
        let (store, org) = (call.management.store.as_ref(), call.caller.org);
        let page = (Order::Descending, paging.clone());
        let listing = runs::list_dead_letters(store, org, state, filter.failed(), page).await?;
        found.extend(listing.items.into_iter().filter(|letter| filter.fits(letter)));
        paging.after = listing.next;
        if paging.after.is_none() || !found.is_empty() {
            break;
        }
    }
    let resources = found.iter().map(|letter| letter_resource(letter, None)).collect();
    Ok(many(call, resources, size, paging.after.as_deref()))
}

/// `GET /v1/dead-letters/{id}`: the letter with its message.
pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let letter = found(call).await?.value;
    let message = runs::find_dead_message(call.management.store.as_ref(), letter.org, letter.id).await?;
    let mut document = letter_resource(&letter, message);
    let whole = one(StatusCode::OK, document.clone());
    if whole.body().len() <= ANSWER_LIMIT_BYTES {
        return Ok(whole);
    }
    if let Some(attributes) = document.get_mut("attributes") {
        leave_large_values_out(attributes, &["message"]);
    }
    Ok(one(StatusCode::OK, document))
}

/// `DELETE /v1/dead-letters/{id}`: takes it away for good.
pub(super) async fn discard(call: &Call<'_>) -> Result<Response, Refused> {
    let Versioned { rev, value } = found(call).await?;
    call.management.store.write(&runs::dead_letter_deletion(value.org, value.id, rev)).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

async fn found(call: &Call<'_>) -> Result<Versioned<DeadLetter>, Refused> {
    let id = call.id("id", DeadLetterId::parse)?;
    let found = runs::find_dead_letter(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

/// The letter; with its message as JSON, or as a text where it is none.
fn letter_resource(letter: &DeadLetter, message: Option<String>) -> Value {
    let mut attributes = json!({
        "state": letter.state,
        "kind": letter.kind,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "bytes": letter.bytes,
        "event": letter.event,
        "hookId": letter.hook,
        "transactionId": letter.transaction,
        "runId": letter.run,
        "firstReceivedAt": letter.first_received_at,
        "failedAt": letter.failed_at,
        "redrivenAt": letter.redriven_at,
        "redrivenBy": letter.redriven_by,
    });
    if let (Some(message), Some(attributes)) = (message, attributes.as_object_mut()) {
        let read = exact::parse(&message).unwrap_or(Value::String(message));
        attributes.insert("message".to_owned(), read);
    }
    let mut relationships = json!({ "org": { "data": { "type": "org", "id": letter.org } } });
    for (name, id) in
        [("transaction", letter.transaction.map(|id| id.to_string())), ("run", letter.run.map(|id| id.to_string()))]
    {
        if let (Some(id), Some(relationships)) = (id, relationships.as_object_mut()) {
            let links = json!({ "self": format!("/v1/{name}s/{id}") });
            relationships.insert(name.to_owned(), json!({ "data": { "type": name, "id": id }, "links": links }));
        }
    }
    let id = letter.id.to_string();
    resource("dead_letter", &id, &format!("/v1/dead-letters/{id}"), attributes, relationships)
}

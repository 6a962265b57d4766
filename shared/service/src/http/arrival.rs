//! What the doors for forms and for webhooks do alike: read what a request says of itself, let it in, and answer it.

use bytes::Bytes;
use domain::{Hook, Rejected, Rejection, Reply, TransactionId};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{
    Request, Response,
    answer::{empty_response, json_response},
    source_address,
};
use crate::{
    accept::{Circumstances, Diagnosis, Door, Label, NotAccepted, Place, Repeat, Taken},
    limits::Standing,
    watching::{WATCH_LIMIT_SECONDS, watch_transaction},
};

/// Whose limit it is, for the owner.
const ONE_SOURCE: &str = "one source address";

/// What of the request may be kept; `named` are headers that an app asks for.
pub(super) fn circumstances(request: &Request, named: &[String]) -> Circumstances {
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let (method, query) = (request.method().as_str(), request.uri().query());
    Circumstances::of(method, query, headers, named, source_address(request))
}

/// Lets the arrival in, or notes for the owner that it was one too many.
pub(super) async fn admit(
    door: &Door,
    hook: &Hook,
    circumstances: &Circumstances,
    body_bytes: usize,
) -> Result<Option<Standing>, NotAccepted> {
    let admitted = door.admit(hook).await;
    noted(door, hook, circumstances, body_bytes, "the hook or the org", admitted).await
}

/// The same for the limit of the source address, which is asked first.
pub(super) async fn admit_source(
    door: &Door,
    hook: &Hook,
    circumstances: &Circumstances,
    body_bytes: usize,
) -> Result<Option<Standing>, NotAccepted> {
    let admitted = door.limits.admit_source(hook, circumstances.source_address, door.world.now());
    noted(door, hook, circumstances, body_bytes, ONE_SOURCE, admitted.map_err(NotAccepted::Throttled)).await
}

/// The same for the beginning of an upload.
pub(super) async fn admit_upload(
    door: &Door,
    hook: &Hook,
    circumstances: &Circumstances,
    body_bytes: usize,
) -> Result<Option<Standing>, NotAccepted> {
    let admitted = door.limits.admit_upload(hook, circumstances.source_address, door.world.now());
    noted(door, hook, circumstances, body_bytes, ONE_SOURCE, admitted.map_err(NotAccepted::Throttled)).await
}

async fn noted(
    door: &Door,
    hook: &Hook,
    circumstances: &Circumstances,
    body_bytes: usize,
    whose: &str,
    admitted: Result<Option<Standing>, NotAccepted>,
) -> Result<Option<Standing>, NotAccepted> {
    if let Err(NotAccepted::Throttled(standing)) = &admitted {
        let detail = format!("More than the {} requests came that the limit of {whose} lets in.", standing.limit);
        let rejected = Rejected::new(Rejection::Malformed, "too_many_requests", detail);
        door.note_refusal(hook, &rejected, circumstances, body_bytes, Diagnosis::default).await;
    }
    admitted
}

/// A header that is no plain text is read as far as it is.
pub(super) fn label(request: &Request) -> Label {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Label {
        content_types: request.headers().get_all(header::CONTENT_TYPE).iter().map(text).collect(),
        content_encoding: request.headers().get(header::CONTENT_ENCODING).map(text),
    }
}

/// The standard answer; a batch is named by its first transaction.
pub(super) fn accepted(id: Option<TransactionId>) -> Response {
    let links = json!({ "self": id.map(|id| format!("/v1/transactions/{id}")) });
    json_response(StatusCode::ACCEPTED, &json!({ "data": { "id": id, "type": "transaction", "links": links } }))
}

/// What a poster is answered: what a workflow answers, where the hook waits for that; else what it is set to, or the standard.
pub(super) async fn reply(door: &Door, hook: &Hook, set: Option<&Reply>, taken: Option<&Taken>) -> Response {
    let id = taken.map(|taken| taken.transaction.id);
    // What is held or waits for the queue starts nothing that could answer soon.
    let is_queued = taken.is_some_and(|taken| taken.place == Place::Queue);
    let wait_seconds = set.filter(|_| is_queued).and_then(|reply| reply.wait_seconds);
    if let (Some(seconds), Some(id)) = (wait_seconds, id) {
        let left = seconds.min(WATCH_LIMIT_SECONDS.saturating_sub(taken.map_or(0, |taken| spent_seconds(door, taken))));
        match watch_transaction(door.store.as_ref(), door.world.as_ref(), hook.org, id, left).await {
            Ok(Some(answer)) => return answered(&answer),
            Ok(None) => {}
            // It is accepted, and that is what the poster has to know.
            Err(error) => tracing::warn!(%error, hook.id = %hook.id, "the answer of a workflow could not be read"),
        }
    }
    match set.filter(|reply| !reply.only_waits()) {
        Some(reply) => set_reply(reply),
        None => accepted(id),
    }
}

/// How many seconds were spent on taking the arrival; of a repeat nobody knows.
fn spent_seconds(door: &Door, taken: &Taken) -> u32 {
    match taken.repeat {
        Repeat::No => u32::try_from(taken.transaction.created_at.seconds_until(door.world.now())).unwrap_or(u32::MAX),
        Repeat::Yes => 0,
    }
}

/// What a `flow.respond` gave: its status, and its output as JSON.
fn answered(answer: &Value) -> Response {
    let status = answer.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
    match (status.as_u16(), answer.get("output")) {
        // HTTP has no body there.
        (204 | 205 | 304, _) | (_, None) => empty_response(status),
        (_, Some(output)) => json_response(status, output),
    }
}

/// The answer that the hook is set to; [`Reply::check`] has passed when it was saved.
pub(super) fn set_reply(reply: &Reply) -> Response {
    let mut response = empty_response(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::ACCEPTED));
    if let Some(body) = &reply.body {
        *response.body_mut() = Bytes::from(body.clone());
        let content_type = reply.content_type.as_deref().unwrap_or("text/plain; charset=utf-8");
        if let Ok(value) = HeaderValue::from_str(content_type) {
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
    }
    if let Some(value) = reply.location.as_deref().and_then(|location| HeaderValue::from_str(location).ok()) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

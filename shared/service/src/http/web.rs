//! The door for webhooks: `/v1/hooks/web/{hash}`, with the org before the hash or without.
//!
//! The order of what is asked: is there such a hook, does this address ask too often, is it a handshake, who is it, is
//! there room, what is in it. Whoever is not known learns nothing but how to become so; why, is kept for the owner.

mod handshake;

use std::borrow::Cow;

use domain::{BEARER, Hook, HookHash, HookKind, OrgId, Rejected, Rejection, Reply};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value};
use verify::Arrival;

use super::{
    Request, Response,
    answer::{empty_response, method_not_allowed_response, not_accepted_response, tell_standing},
    arrival::{self, admit, admit_source, circumstances, label, set_reply},
    source_address,
};
use crate::{
    accept::{
        Address, BODY_LIMIT_BYTES, Circumstances, Diagnosis, Door, Label, NotAccepted, body_too_large, refused_body,
        unknown_address,
    },
    envelope::Source,
    limits::Standing,
    ports::Unavailable,
    senders::{challenge, may_take_query},
};

const PREFIX: &str = "/v1/hooks/web/";

/// The media type of a query, which is written as a form is.
const FORM: &str = "application/x-www-form-urlencoded";

/// Whether a request is for this door rather than for the management of hooks, which shares its path: an address has a
/// hash where a hook's resource has an id.
pub fn is_for_web_door(method: &Method, path: &str) -> bool {
    let Some(rest) = path.strip_prefix(PREFIX) else { return false };
    match rest.split_once('/') {
        Some((_, hash)) => HookHash::parse(hash).is_some(),
        None => *method == Method::POST || HookHash::parse(rest).is_some(),
    }
}

/// Answers a request to a webhook's address.
pub async fn receive(door: &Door, request: &Request) -> Response {
    match answer(door, request).await {
        Ok(response) => response,
        Err(reason) => not_accepted_response(&reason),
    }
}

async fn answer(door: &Door, request: &Request) -> Result<Response, NotAccepted> {
    let address = address(request.uri().path()).ok_or_else(unknown_address)?;
    let hook = door.hook_at(HookKind::Web, address, source_address(request)).await?;
    let app = hook.app.as_deref().and_then(apps::find);
    let circumstances = circumstances(request, app.map_or(&[], apps::App::headers));
    let circumstances = without_credentials(circumstances, &hook);
    let body_bytes = request.body().len();
    let of_source = admit_source(door, &hook, &circumstances, body_bytes).await?;
    if let Some(response) = handshake::by_query(door, &hook, app, request, &circumstances).await {
        return Ok(response);
    }
    if !methods(&hook, app).any(|method| method == request.method().as_str()) {
        let allow = methods(&hook, app).collect::<Vec<_>>().join(", ");
        return Ok(method_not_allowed_response("webhook", &allow));
    }
    if body_bytes > BODY_LIMIT_BYTES {
        let rejected = body_too_large();
        door.note_refusal(&hook, &rejected, &circumstances, body_bytes, Diagnosis::default).await;
        return Err(rejected.into());
    }
    if let Some(refused) = refuse_unknown(door, &hook, request, &circumstances).await? {
        return Ok(refused);
    }
    let standing = admit(door, &hook, &circumstances, body_bytes).await?;
    let mut response = take(door, &hook, app, request, &circumstances).await?;
    if let Some(standing) = Standing::tightest([of_source, standing]) {
        tell_standing(&mut response, &standing);
    }
    Ok(response)
}

/// The answer to a sender who is not known; nothing to one who is.
///
/// *Errors*: keys that are needed could not be fetched. The sender is to come again, but only the owner can mend an address
/// that is wrong, so that is noted, too.
async fn refuse_unknown(
    door: &Door,
    hook: &Hook,
    request: &Request,
    circumstances: &Circumstances,
) -> Result<Option<Response>, NotAccepted> {
    let url = public_url(door, request);
    let arrival =
        Arrival { method: request.method().as_str(), url: &url, headers: request.headers(), body: request.body() };
    let known = door.senders.know(door, hook, &arrival, circumstances.source_address).await;
    let Err(unknown) = known else { return Ok(None) };
    if let NotAccepted::Unavailable(Unavailable { port: "web", cause }) = &unknown.reason {
        let detail = format!("The public keys of the sender could not be fetched: {cause}.");
        let rejected = Rejected::new(Rejection::Unauthenticated, "keys_unavailable", detail);
        door.note_refusal(hook, &rejected, circumstances, request.body().len(), Diagnosis::default).await;
    }
    let NotAccepted::Rejected(rejected) = &unknown.reason else { return Err(unknown.reason) };
    let now_seconds = door.world.now().as_second();
    let diagnose = || unknown.diagnosis(hook, &arrival, now_seconds);
    door.note_refusal(hook, rejected, circumstances, request.body().len(), diagnose).await;
    let mut response = not_accepted_response(&unknown.reason);
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge(hook)));
    }
    Ok(Some(response))
}

/// What a known sender is answered, once what it sent is safe.
async fn take(
    door: &Door,
    hook: &Hook,
    app: Option<&apps::App>,
    request: &Request,
    circumstances: &Circumstances,
) -> Result<Response, NotAccepted> {
    let body = request.body();
    let arrival = match *request.method() {
        Method::GET => door.read(hook, &query_label(), circumstances, query(request).as_bytes()).await?,
        _ => door.read(hook, &body_label(request, app), circumstances, body).await?,
    };
    let scheme = hook.auth.as_ref().map_or(BEARER, |auth| auth.scheme.as_str());
    let source = Source::of(
        hook,
        scheme,
        circumstances,
        noted(door, hook, circumstances, body, query_data(circumstances)).await?,
    );
    if let Some(app) = app {
        let input = source.input(&arrival.reading.data);
        if let Some(response) = handshake::by_body(door, hook, app, &input, circumstances, body).await? {
            return Ok(response);
        }
        if app.is_ping(&input) {
            tracing::info!(hook.id = %hook.id, app = app.name(), "answered a ping");
            return Ok(reply_of(hook, Some(app)).map(set_reply).unwrap_or_else(|| empty_response(StatusCode::OK)));
        }
    }
    let taken = door.take(hook, arrival, Some(source), circumstances, body).await;
    let taken = noted(door, hook, circumstances, body, taken).await?;
    Ok(arrival::reply(door, hook, reply_of(hook, app), taken.first()).await)
}

/// A result as it is, its refusal noted for the owner.
async fn noted<T>(
    door: &Door,
    hook: &Hook,
    circumstances: &Circumstances,
    body: &[u8],
    result: Result<T, NotAccepted>,
) -> Result<T, NotAccepted> {
    if let Err(reason) = &result {
        door.note_not_accepted(hook, reason, circumstances, body.len()).await;
    }
    result
}

/// The answer that the hook is set to, or that its provider waits for.
fn reply_of<'h>(hook: &'h Hook, app: Option<&'h apps::App>) -> Option<&'h Reply> {
    hook.reply.as_ref().or_else(|| app?.reply())
}

/// The methods that the hook takes: its own, those of its provider, or POST. Of these no `GET` where the scheme signs
/// bodies: whoever has seen one signed body could send it again with a query of their own for data.
pub(super) fn methods<'h>(hook: &'h Hook, app: Option<&'h apps::App>) -> impl Iterator<Item = &'h str> {
    let own = hook.methods.as_slice();
    let chosen = if own.is_empty() { app.map_or(&[][..], apps::App::methods) } else { own };
    let default = chosen.is_empty().then_some("POST");
    let takes_query = may_take_query(hook);
    chosen.iter().map(String::as_str).chain(default).filter(move |method| takes_query || *method != "GET")
}

/// The address in a path, or nothing if it has not the shape of one.
fn address(path: &str) -> Option<Address> {
    let rest = path.strip_prefix(PREFIX)?;
    let (org, hash) = match rest.split_once('/') {
        Some((org, hash)) => (Some(OrgId::parse(org).ok()?), hash),
        None => (None, rest),
    };
    Some(Address { org, hash: HookHash::parse(hash)? })
}

/// The whole address as the sender sees it, with the query as it was written.
fn public_url(door: &Door, request: &Request) -> String {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let base = match &door.public_url {
        Some(url) => Cow::Borrowed(url.trim_end_matches('/')),
        None => {
            let scheme = text(header::HeaderName::from_static("x-forwarded-proto")).unwrap_or("https");
            Cow::Owned(format!("{scheme}://{}", text(header::HOST).unwrap_or("localhost")))
        }
    };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{base}{}{query}", request.uri().path())
}

fn query(request: &Request) -> &str {
    request.uri().query().unwrap_or_default()
}

/// The kept part of the query as data, by the rules of a form.
fn query_data(circumstances: &Circumstances) -> Result<Map<String, Value>, NotAccepted> {
    let query = circumstances.query.as_deref().unwrap_or_default();
    if query.is_empty() {
        return Ok(Map::new());
    }
    match ingest::read(Some(FORM), query.as_bytes()).map_err(refused_body)?.data {
        Value::Object(map) => Ok(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Ok(Map::new()),
    }
}

fn query_label() -> Label {
    Label { content_types: vec![FORM.to_owned()], content_encoding: None }
}

/// What the headers say of the body, unless the app knows better: Amazon SNS calls its JSON plain text.
fn body_label(request: &Request, app: Option<&apps::App>) -> Label {
    let mut label = label(request);
    if let Some(media_type) = app.and_then(apps::App::read_as) {
        label.content_types = vec![media_type.to_owned()];
    }
    label
}

/// The headers that carry this hook's own credentials are kept nowhere, whatever they are called.
fn without_credentials(mut circumstances: Circumstances, hook: &Hook) -> Circumstances {
    let Some(auth) = &hook.auth else { return circumstances };
    let scheme = crate::senders::scheme(&auth.scheme);
    let of_scheme = scheme.as_ref().map(|scheme| scheme.credential_headers()).unwrap_or_default();
    let own = auth.header.as_ref().map(|header| header.to_ascii_lowercase());
    circumstances.headers.retain(|(name, _)| !of_scheme.contains(&name.as_str()) && Some(name) != own.as_ref());
    circumstances
}

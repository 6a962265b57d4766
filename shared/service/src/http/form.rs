//! The door for forms: `POST /v1/hooks/form/{org}/{hash}` and `POST /v1/hooks/form/{hash}`.

use bytes::Bytes;
use domain::{Hook, HookHash, HookKind, OrgId, Rejected, Rejection, Reply, TransactionId};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::{
    Request, Response,
    answer::{empty_response, json_response, not_accepted_response, tell_standing},
    source_address,
};
use crate::accept::{Address, Circumstances, Diagnosis, Door, Label, NotAccepted, unknown_address};
use crate::limits::Standing;

const PREFIX: &str = "/v1/hooks/form/";

/// Whether a request is for this door rather than for the management of hooks, which shares its path.
pub fn is_for_form_door(method: &Method, path: &str) -> bool {
    let Some(rest) = path.strip_prefix(PREFIX) else { return false };
    match rest.split_once('/') {
        Some((_, "transactions")) => false,
        Some(_) => true,
        None => *method == Method::POST || HookHash::parse(rest).is_some(),
    }
}

/// Answers a request to a form hook's address.
pub async fn receive(door: &Door, request: &Request) -> Response {
    match accept(door, request).await {
        Ok(response) => response,
        Err(reason) => {
            let mut response = not_accepted_response(&reason);
            if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            }
            response
        }
    }
}

async fn accept(door: &Door, request: &Request) -> Result<Response, NotAccepted> {
    if *request.method() != Method::POST {
        let rejected = Rejected::new(Rejection::MethodNotAllowed, "method_not_allowed", "A form hook takes POST only.");
        return Err(rejected.into());
    }
    let address = address(request.uri().path()).ok_or_else(unknown_address)?;
    let hook = door.hook_at(HookKind::Form, address, source_address(request)).await?;
    let circumstances = circumstances(request, &[]);
    let body = request.body();
    let standing = admit(door, &hook, &circumstances, body.len()).await?;
    let arrival = door.read(&hook, &label(request), &circumstances, body).await?;
    let taken = door.take(&hook, arrival, None, &circumstances, body).await?;
    let mut response = match &hook.reply {
        Some(reply) => set_reply(reply),
        None => accepted(taken.first().map(|taken| taken.transaction.id)),
    };
    if let Some(standing) = standing {
        tell_standing(&mut response, &standing);
    }
    Ok(response)
}

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
    let admitted = door.admit(hook, circumstances.source_address).await;
    if let Err(NotAccepted::Throttled(standing)) = &admitted {
        let detail = format!("More than {} requests came in the time of the limit.", standing.limit);
        let rejected = Rejected::new(Rejection::Malformed, "too_many_requests", detail);
        door.note_refusal(hook, &rejected, circumstances, body_bytes, Diagnosis::default).await;
    }
    admitted
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

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const ORG: &str = "581392b55ac7a2110099d9c8";

    #[test]
    fn both_address_shapes_are_read_and_nothing_else() {
        assert!(address(&format!("{PREFIX}{HASH}")).is_some_and(|address| address.org.is_none()));
        assert!(address(&format!("{PREFIX}{ORG}/{HASH}")).is_some_and(|address| address.org.is_some()));
        for wrong in [
            "",
            ORG,
            &HASH.to_uppercase(),
            &format!("{HASH}/"),
            &format!("/{HASH}"),
            &format!("{ORG}//{HASH}"),
            "%2e%2e",
        ] {
            assert!(address(&format!("{PREFIX}{wrong}")).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_post_below_the_form_path_is_for_the_door_and_management_is_not() {
        for (method, path, door) in [
            (Method::POST, format!("{PREFIX}{HASH}"), true),
            (Method::GET, format!("{PREFIX}{HASH}"), true),
            (Method::POST, format!("{PREFIX}nonsense"), true),
            (Method::GET, format!("{PREFIX}{ORG}/{HASH}"), true),
            (Method::GET, format!("{PREFIX}{ORG}"), false),
            (Method::PATCH, format!("{PREFIX}{ORG}"), false),
            (Method::GET, format!("{PREFIX}{ORG}/transactions"), false),
            (Method::POST, "/v1/hooks/form".to_owned(), false),
            (Method::POST, "/v1/workflows".to_owned(), false),
        ] {
            assert_eq!(is_for_form_door(&method, &path), door, "{method} {path}");
        }
    }
}

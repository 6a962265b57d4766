//! The door for forms: `POST /v1/hooks/form/{org}/{hash}` and `POST /v1/hooks/form/{hash}`.

use bytes::Bytes;
use domain::{HookHash, HookKind, OrgId, Rejected, Rejection, Reply, Transaction};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::{
    Request, Response,
    answer::{empty_response, json_response, rejected_response, unavailable_response},
};
use crate::accept::{Address, Door, Label, NotAccepted, unknown_address};

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
        Err(NotAccepted::Rejected(rejected)) => {
            let mut response = rejected_response(&rejected);
            if rejected.rejection == Rejection::MethodNotAllowed {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            }
            response
        }
        Err(NotAccepted::Unavailable(error)) => unavailable_response(&error),
    }
}

async fn accept(door: &Door, request: &Request) -> Result<Response, NotAccepted> {
    if *request.method() != Method::POST {
        let rejected = Rejected::new(Rejection::MethodNotAllowed, "method_not_allowed", "A form hook takes POST only.");
        return Err(rejected.into());
    }
    let address = address(request.uri().path()).ok_or_else(unknown_address)?;
    let hook = door.hook_at(HookKind::Form, address).await?;
    let transaction = door.accept(&hook, &label(request), request.body()).await?;
    Ok(match &hook.reply {
        Some(reply) => set_reply(reply),
        None => accepted(&transaction),
    })
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
fn label(request: &Request) -> Label {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Label {
        content_types: request.headers().get_all(header::CONTENT_TYPE).iter().map(text).collect(),
        content_encoding: request.headers().get(header::CONTENT_ENCODING).map(text),
    }
}

fn accepted(transaction: &Transaction) -> Response {
    let id = transaction.id;
    let links = json!({ "self": format!("/v1/transactions/{id}") });
    json_response(StatusCode::ACCEPTED, &json!({ "data": { "id": id, "type": "transaction", "links": links } }))
}

/// The answer that the hook is set to; [`Reply::check`] has passed when it was saved.
fn set_reply(reply: &Reply) -> Response {
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

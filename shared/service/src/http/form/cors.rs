//! What a browser is told about who may read an answer. *Source*: the Fetch standard, "CORS protocol".

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::super::{Response, answer::empty_response};
use crate::guard::origin::Origin;

/// What a page may send with a post.
const ALLOWED_HEADERS: HeaderValue =
    HeaderValue::from_static("content-type, idempotency-key, x-hookwright-token, x-hookwright-nonce");

/// What a page may read beside the body.
const READABLE_HEADERS: HeaderValue =
    HeaderValue::from_static("retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset");

/// How long a browser may believe a preflight. *Source*: Chromium believes none for longer than 2 hours.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("7200");

/// The answer to a preflight of a page that is allowed; [`tell`] adds for whom.
pub(super) fn preflight(method: &'static str) -> Response {
    let mut response = empty_response(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(method));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
    response
}

/// Tells the browser who may read the answer. Errors too: a page should be able to say what is wrong.
pub(super) fn tell(response: &mut Response, origin: &Origin) {
    let headers = response.headers_mut();
    match origin {
        Origin::Unguarded => {}
        Origin::Allowed(origin) => {
            headers.insert(header::VARY, HeaderValue::from_name(header::ORIGIN));
            insert(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READABLE_HEADERS);
        }
        Origin::Unsaid | Origin::Foreign => {
            headers.insert(header::VARY, HeaderValue::from_name(header::ORIGIN));
        }
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // It came as a header, so it can be one.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

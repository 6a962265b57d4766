//! Answers: JSON:API documents and errors.

use bytes::Bytes;
use domain::{Rejected, Rejection};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::{accept::NotAccepted, limits::Standing, ports::Unavailable};

/// An answer whose body is whole.
pub type Response = http::Response<Bytes>;

/// How long a sender is asked to wait while the world recovers.
const RETRY_AFTER_SECONDS: &str = "5";

/// How many problems of a document are told at once.
const PROBLEMS_LIMIT: usize = 100;

/// How much of one problem is told.
const SENTENCE_LIMIT_CHARS: usize = 600;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON document.
pub(crate) fn json_response(status: StatusCode, document: &Value) -> Response {
    let mut response = Response::new(Bytes::from(document.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// A JSON document that is text already.
pub(crate) fn json_text_response(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// An answer without a body.
pub(crate) fn empty_response(status: StatusCode) -> Response {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// The answer to a request that its sender must change.
pub(crate) fn rejected_response(rejected: &Rejected) -> Response {
    let status = status_of(rejected.rejection);
    let mut error = error_object(status, rejected.code, &rejected.detail);
    if let (false, Some(error)) = (rejected.path.is_empty(), error.as_object_mut()) {
        error.insert("source".to_owned(), json!({ "path": rejected.path }));
    }
    let mut response = json_response(status, &json!({ "errors": [error] }));
    if rejected.rejection == Rejection::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The answer to a sender who has to wait.
///
/// *Source*: Kustomer's header names; `x-ratelimit-reset` is the epoch second at which the limit is whole again.
pub(crate) fn throttled_response(standing: &Standing) -> Response {
    let unit = if standing.retry_after_seconds == 1 { "second" } else { "seconds" };
    let detail = format!("This is more than is taken here. Send it again in {} {unit}.", standing.retry_after_seconds);
    let mut response = error_response(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", &detail);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(standing.retry_after_seconds));
    tell_standing(&mut response, standing);
    response
}

/// Tells the sender where it stands with the limit of the address.
pub(crate) fn tell_standing(response: &mut Response, standing: &Standing) {
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", HeaderValue::from(standing.limit));
    headers.insert("x-ratelimit-remaining", HeaderValue::from(standing.remaining));
    headers.insert("x-ratelimit-reset", HeaderValue::from(standing.reset_at));
}

/// The answer to an arrival that was not accepted.
pub(crate) fn not_accepted_response(reason: &NotAccepted) -> Response {
    match reason {
        NotAccepted::Rejected(rejected) => rejected_response(rejected),
        NotAccepted::Conflict(conflict) => rejected_response(&conflict.rejected),
        NotAccepted::Throttled(standing) => throttled_response(standing),
        NotAccepted::Unavailable(error) => unavailable_response(error),
    }
}

/// The answer to a method that `what` does not take; `allow` is what it takes, joined by commas.
pub(crate) fn method_not_allowed_response(what: &str, allow: &str) -> Response {
    let detail = format!("This {what} takes {allow} only.");
    let mut response = rejected_response(&Rejected::new(Rejection::MethodNotAllowed, "method_not_allowed", detail));
    if let Ok(value) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// The answer while the world does not do its part: the sender is to come again.
pub(crate) fn unavailable_response(error: &Unavailable) -> Response {
    tracing::error!(%error, "answered 503");
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let detail = "The request was not taken. Send it again in a few seconds.";
    let mut response = error_response(status, "unavailable", detail);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    response
}

/// One error with `status`.
pub fn error_response(status: StatusCode, code: &str, detail: &str) -> Response {
    json_response(status, &json!({ "errors": [error_object(status, code, detail)] }))
}

/// Several errors of one kind, each with a code, a sentence and a place.
pub(crate) fn problems_response(problems: &[Problem]) -> Response {
    json_response(StatusCode::BAD_REQUEST, &document_of(problems))
}

/// What a request with these problems is answered, with status 400.
///
/// *Shape*: `{"errors":[{"status":"400","code":…,"title":…,"detail":…,"source":{"path":…},"meta":{"suggestion":…}}]}`.
pub fn problems_document(problems: Vec<engine::Problem>) -> Value {
    document_of(&problems.into_iter().map(Problem::from).collect::<Vec<_>>())
}

fn document_of(problems: &[Problem]) -> Value {
    let status = StatusCode::BAD_REQUEST;
    let mut errors: Vec<Value> = problems.iter().take(PROBLEMS_LIMIT).map(|problem| problem.object(status)).collect();
    let left_out = problems.len().saturating_sub(PROBLEMS_LIMIT);
    if left_out > 0 {
        let detail = format!("There are {} more problems. Mend these first.", counted(left_out, problems.len()));
        errors.push(error_object(status, "more_problems", &detail));
    }
    json!({ "errors": errors })
}

/// What keeps nothing from being saved, for `meta.warnings`: as many as of the problems, and how many more there are.
pub(crate) fn warnings(problems: &[Problem]) -> Vec<Value> {
    let mut told: Vec<Value> = problems.iter().take(PROBLEMS_LIMIT).map(Problem::warning).collect();
    let left_out = problems.len().saturating_sub(PROBLEMS_LIMIT);
    if left_out > 0 {
        let detail = format!("There are {} more.", counted(left_out, problems.len()));
        let (path, code) = ("$".to_owned(), "more_problems".to_owned());
        told.push(Problem { path, code, detail, suggestion: None }.warning());
    }
    told
}

/// A count, which is a least one where no more were kept.
fn counted(left_out: usize, all: usize) -> String {
    if all >= engine::problem::PROBLEMS_LIMIT { format!("at least {left_out}") } else { left_out.to_string() }
}

/// A sentence may quote what was sent, and what was sent may be long.
fn shortened(text: &str) -> String {
    domain::shortened(text, SENTENCE_LIMIT_CHARS)
}

/// Something wrong at one place of a document.
pub(crate) struct Problem {
    pub(crate) path: String,
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) suggestion: Option<String>,
}

impl From<engine::Problem> for Problem {
    fn from(engine::Problem { path, code, message, suggestion, .. }: engine::Problem) -> Self {
        Self { path, code: code.to_owned(), detail: message, suggestion }
    }
}

impl Problem {
    /// The JSON:API error object of it.
    pub(crate) fn object(&self, status: StatusCode) -> Value {
        let mut error = error_object(status, &self.code, &shortened(&self.detail));
        if let Some(error) = error.as_object_mut() {
            error.insert("source".to_owned(), json!({ "path": shortened(&self.path) }));
            if let Some(suggestion) = &self.suggestion {
                error.insert("meta".to_owned(), json!({ "suggestion": suggestion }));
            }
        }
        error
    }

    /// The same where nothing is refused because of it.
    pub(crate) fn warning(&self) -> Value {
        let (code, detail, path) = (&self.code, shortened(&self.detail), shortened(&self.path));
        let mut warning = json!({ "code": code, "detail": detail, "source": { "path": path } });
        if let (Some(suggestion), Some(warning)) = (&self.suggestion, warning.as_object_mut()) {
            warning.insert("meta".to_owned(), json!({ "suggestion": suggestion }));
        }
        warning
    }
}

fn error_object(status: StatusCode, code: &str, detail: &str) -> Value {
    let title = status.canonical_reason().unwrap_or("Error");
    json!({ "status": status.as_str(), "code": code, "title": title, "detail": detail })
}

const fn status_of(rejection: Rejection) -> StatusCode {
    match rejection {
        Rejection::Malformed => StatusCode::BAD_REQUEST,
        Rejection::Unauthenticated => StatusCode::UNAUTHORIZED,
        Rejection::Forbidden => StatusCode::FORBIDDEN,
        Rejection::NotFound => StatusCode::NOT_FOUND,
        Rejection::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Rejection::Taken => StatusCode::CONFLICT,
        Rejection::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Rejection::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
    }
}

//! The doors for HTTP: what a request means and what it is answered.
//!
//! The same functions stand behind API Gateway and behind the local server; a request is one buffered value here.
//! Only this module knows status codes.

pub mod api;
pub mod form;

mod answer;
mod openapi;
mod routes;

use bytes::Bytes;

pub use answer::{Response, error_response, rejected_response, unavailable_response};
pub use openapi::document as openapi_document;
pub use routes::{Method as RouteMethod, ROUTES, Route};

/// A request whose body has arrived whole.
pub type Request = http::Request<Bytes>;

/// The most bytes of a management request's body. *Why*: a workflow is the largest document there is.
pub const API_BODY_LIMIT_BYTES: usize = 1_048_576;

/// The value of the header `name`, if it is there once and is text.
pub(crate) fn header<'r>(request: &'r Request, name: &http::HeaderName) -> Option<&'r str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

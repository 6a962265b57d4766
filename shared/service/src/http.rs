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

/// About how large an answer may become. *Source*: Lambda answers with 6 MB at most, and base64 may take a third of it.
pub(crate) const ANSWER_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// The same request at `path`: as the sender wrote it, without the stage that a gateway puts in front.
///
/// *Errors*: `path` cannot be a path.
pub fn at_path(request: Request, path: &str) -> Result<Request, http::uri::InvalidUri> {
    let uri = match request.uri().query() {
        Some(query) => format!("{path}?{query}").parse()?,
        None => path.parse()?,
    };
    let (mut parts, body) = request.into_parts();
    parts.uri = uri;
    Ok(Request::from_parts(parts, body))
}

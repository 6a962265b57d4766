//! The doors for HTTP: what a request means and what it is answered.
//!
//! The same functions stand behind API Gateway and behind the local server; a request is one buffered value here.
//! Only this module knows status codes.

pub mod api;
pub mod form;
pub mod web;

mod answer;
mod arrival;
mod openapi;
mod operation;
mod routes;

use std::net::IpAddr;

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

pub use answer::{Response, error_response, problems_document};
pub use openapi::document as openapi_document;
pub use routes::{Method as RouteMethod, ROUTES, Route};

/// A request whose body has arrived whole.
pub type Request = http::Request<Bytes>;

/// Which door a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// A form hook's address.
    Form,
    /// A webhook's address.
    Web,
    /// The management API.
    Management,
}

impl Front {
    /// The door of `path`; the addresses of hooks and their management share the beginning of it.
    pub fn of(method: &http::Method, path: &str) -> Self {
        if form::is_for_form_door(method, path) {
            Self::Form
        } else if web::is_for_web_door(method, path) {
            Self::Web
        } else {
            Self::Management
        }
    }
}

/// Where a request came from, as an extension of it. Whoever listens sets it; a header could be forged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceAddress(pub IpAddr);

/// The address in the extension of a request.
pub(crate) fn source_address(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<SourceAddress>().map(|source| source.0)
}

/// The most bytes of a management request's body. *Why*: a workflow is the largest document there is.
pub const API_BODY_LIMIT_BYTES: usize = 1_048_576;

/// About how large an answer may become. *Source*: Lambda answers with 6 MB at most, and base64 may take a third of it.
pub(crate) const ANSWER_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// What a path cannot hold as it is. `/` stays: what was escaped in a part cannot be told from what parts them any more.
const ESCAPED_IN_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// The same request at `decoded_path`: without the stage that a gateway puts in front, its escapes taken away, as API
/// Gateway's `rawPath` is.
///
/// *Errors*: it cannot be a path, because it does not begin with a slash or is over 64 KB.
pub fn at_path(request: Request, decoded_path: &str) -> Result<Request, http::uri::InvalidUri> {
    let path = utf8_percent_encode(decoded_path, ESCAPED_IN_PATH);
    let uri = match request.uri().query() {
        Some(query) => format!("{path}?{query}").parse()?,
        None => path.to_string().parse()?,
    };
    let (mut parts, body) = request.into_parts();
    parts.uri = uri;
    Ok(Request::from_parts(parts, body))
}

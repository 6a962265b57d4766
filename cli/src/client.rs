//! Requests to the management API and what comes back.
//!
//! Redirects are not followed: an API key goes to the address its holder named and to no other.

use std::{io, path::Path, time::Duration};

use http::{
    HeaderValue, Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{
    config::{Config, Key, Place},
    failure::{Failure, Refusal},
};

/// API Gateway gives up after 30 seconds, so nothing comes after this.
const TIMEOUT_SECONDS: u64 = 60;

/// A page of 100 records of the greatest size is below this.
const ANSWER_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("hookwright/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a part of a path or query may hold as it is (RFC 3986, `unreserved`, `=` and `@`).
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'=').remove(b'@');

/// A path of the API with its query.
#[derive(Debug)]
pub(crate) struct Address(String);

impl Address {
    /// The path `/v1/` and these parts, each escaped.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let parts = parts.iter().map(|part| utf8_percent_encode(part, ESCAPED).to_string());
        Self(format!("/v1/{}", parts.collect::<Vec<_>>().join("/")))
    }

    /// Where a server says that it takes requests.
    pub(crate) fn of_health() -> Self {
        Self("/healthz".to_owned())
    }

    /// The address with one more query parameter, if there is a value for it.
    pub(crate) fn query(self, name: &str, value: Option<&str>) -> Self {
        let Some(value) = value else { return self };
        let sign = if self.0.contains('?') { '&' } else { '?' };
        Self(format!("{}{sign}{name}={}", self.0, utf8_percent_encode(value, NON_ALPHANUMERIC)))
    }
}

/// A management API somewhere.
pub(crate) struct Client {
    agent: ureq::Agent,
    config: Config,
}

impl Client {
    /// The API that the configuration names.
    pub(crate) fn new(config: Config) -> Self {
        let mut builder = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(TIMEOUT_SECONDS)));
        if config.place == Place::Here {
            // A proxy has no way to this machine.
            builder = builder.proxy(None);
        }
        Self { agent: builder.build().new_agent(), config }
    }

    /// Whether the server is on this machine.
    pub(crate) fn place(&self) -> Place {
        self.config.place
    }

    /// The address of the server, without a slash at its end.
    pub(crate) fn base_url(&self) -> &str {
        &self.config.base_url
    }

    /// The API key, as it is sent.
    pub(crate) fn token(&self) -> Option<&str> {
        match &self.config.key {
            Key::Given(header) | Key::Found(header, _) => header.to_str().ok()?.strip_prefix("Bearer "),
            Key::None => None,
        }
    }

    /// Where this program keeps what it has to remember.
    pub(crate) fn state_dir(&self) -> &Path {
        &self.config.state_dir
    }

    /// What is at the address.
    pub(crate) fn get(&self, address: &Address) -> Result<Value, Failure> {
        self.exchange(self.request(Method::GET, address, ())?)
    }

    /// Removes what is at the address.
    pub(crate) fn delete(&self, address: &Address) -> Result<Value, Failure> {
        self.exchange(self.request(Method::DELETE, address, ())?)
    }

    /// Creates something below the address from a JSON document.
    pub(crate) fn post(&self, address: &Address, document: Vec<u8>) -> Result<Value, Failure> {
        self.exchange(self.request(Method::POST, address, document)?)
    }

    /// Changes what is at the address by a JSON document.
    pub(crate) fn put(&self, address: &Address, document: Vec<u8>) -> Result<Value, Failure> {
        self.exchange(self.request(Method::PUT, address, document)?)
    }

    fn request<B>(&self, method: Method, address: &Address, body: B) -> Result<Request<B>, Failure> {
        let mut request =
            Request::builder().uri(format!("{}{}", self.config.base_url, address.0)).header(USER_AGENT, AGENT);
        if matches!(method, Method::POST | Method::PUT) {
            request = request.header(CONTENT_TYPE, JSON);
        }
        if let Key::Given(header) | Key::Found(header, _) = &self.config.key {
            request = request.header(AUTHORIZATION, header);
        }
        request
            .method(method)
            .body(body)
            .map_err(|error| Failure::Usage(format!("There can be no such request: {error}.")))
    }

    /// The document of a successful answer, `null` when it has none.
    ///
    /// *Errors*: no answer, a refusal, or an answer that cannot be Hookwright's.
    fn exchange(&self, request: Request<impl ureq::AsSendBody>) -> Result<Value, Failure> {
        let path = request.uri().path().to_owned();
        let mut answer = self.agent.run(request).map_err(|error| self.unreachable(error))?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(ANSWER_LIMIT_BYTES).read_to_vec();
        let body = String::from_utf8(body.map_err(|error| self.unreachable(error))?).unwrap_or_default();
        let document = domain::exact::parse(&body);
        if status.is_client_error() || status.is_server_error() {
            return Err(self.refused(status, document.unwrap_or(Value::Null), &path));
        }
        match document {
            Ok(document) if status.is_success() => Ok(document),
            Err(_) if status == StatusCode::NO_CONTENT => Ok(Value::Null),
            Ok(_) | Err(_) => Err(self.stranger(status)),
        }
    }

    fn refused(&self, status: StatusCode, document: Value, path: &str) -> Failure {
        let hint = match (status, &self.config.key, self.config.place) {
            (StatusCode::UNAUTHORIZED, Key::None, Place::Here) => Some("No API key was given and none found. Run this where local mode's state directory is, name that with --state-dir, or pass a key with --api-key.".to_owned()),
            (StatusCode::UNAUTHORIZED, Key::None, Place::Elsewhere) => Some("No API key was given. Set HOOKWRIGHT_API_KEY, or pass one with --api-key.".to_owned()),
            (StatusCode::UNAUTHORIZED, Key::Found(_, path), _) => Some(format!("The key came from {}. Name the state directory of the server at {} with --state-dir.", path.display(), self.config.base_url)),
            (StatusCode::NOT_FOUND, _, _) => kind_looked_for(path).map(str::to_owned),
            (_, Key::Given(_) | Key::Found(_, _) | Key::None, _) => None,
        };
        Failure::Refused(Refusal { status: status.as_u16(), document, hint })
    }

    fn stranger(&self, status: StatusCode) -> Failure {
        let url = &self.config.base_url;
        Failure::Unavailable(format!(
            "What answers at {url} is no Hookwright server: it said {status}. Pass the right address with --url."
        ))
    }

    fn unreachable(&self, error: ureq::Error) -> Failure {
        let url = &self.config.base_url;
        let cause = error.into_io();
        Failure::Unavailable(match (self.config.place, cause.kind()) {
            (Place::Here, io::ErrorKind::ConnectionRefused) => {
                format!("Nothing answers at {url}. Start it with `cargo run --release -- dev`, or pass --url.")
            }
            (Place::Here | Place::Elsewhere, _) => {
                format!(
                    "The server at {url} cannot be reached ({cause}). Check --url or HOOKWRIGHT_URL, and the network."
                )
            }
        })
    }
}

/// An id does not tell its hook's kind, so whoever leaves `--kind` out may have asked for another one.
fn kind_looked_for(path: &str) -> Option<&'static str> {
    if path.contains("/v1/hooks/form/") {
        Some("Among the form hooks, that is: a webhook is found with --kind web, a mail address with --kind email.")
    } else if path.contains("/v1/hooks/web/") {
        Some("Among the webhooks, that is: a form hook is found with --kind form, a mail address with --kind email.")
    } else if path.contains("/v1/hooks/email/") {
        Some("Among the email hooks, that is: `hookwright hooks ls --kind email` lists them.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_address_cannot_leave_their_place() {
        let rows = [
            (Address::of(&["hooks", "form", "a/../b?c#d"]), "/v1/hooks/form/a%2F..%2Fb%3Fc%23d"),
            (Address::of(&["customers", "email=ann+1@example.com"]), "/v1/customers/email=ann%2B1@example.com"),
            (
                Address::of(&["klasses"]).query("pageSize", Some("2")).query("after", Some("a b")),
                "/v1/klasses?pageSize=2&after=a%20b",
            ),
            (Address::of(&["klasses"]).query("after", None), "/v1/klasses"),
        ];
        for (address, text) in rows {
            assert_eq!(address.0, text);
        }
    }
}

//! Pages of the web that hooks depend on, over `https` to public addresses.

use std::time::Duration;

use async_trait::async_trait;
use http::Request;
use http_body_util::Full;
use service::ports::{FETCH_LIMIT_BYTES, Fetch, FetchRequest, Fetched, Unavailable, Web};
use tokio::time::timeout;

use crate::attempts::with_sources;
use crate::web::{Client, Place, Reach, ReadError, SendError, read};

/// From the question for the host to the last byte of the answer. *Source*: the port's contract.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);

/// The web, as far as it is public.
///
/// Redirects are answers like others; whoever follows one asks anew, and the new place is judged too.
pub struct WebFetch {
    client: Client,
}

impl WebFetch {
    /// Reaches public addresses over `https` at port 443 and nothing else.
    pub fn new() -> Self {
        Self { client: Client::new(Reach::new(Web::Https, Vec::new())) }
    }

    /// Reaches `127.0.0.1`, `[::1]` and `localhost` too, over `http` or `https` at any port: for local mode.
    pub fn with_loopback() -> Self {
        Self { client: Client::new(Reach::with_loopback()) }
    }

    async fn exchange(&self, place: &Place, form: Option<String>) -> Result<Fetched, Unavailable> {
        let request = http_request(place, form).map_err(|error| unavailable(with_sources(&error)))?;
        let answer = self.client.send(request).await.map_err(|error| match error {
            SendError::Refused(refused) => unavailable(refused.to_string()),
            SendError::NotSent(cause) | SendError::Broken(cause) => unavailable(cause),
        })?;
        let status = answer.status().as_u16();
        let body = read(answer.into_body(), FETCH_LIMIT_BYTES).await.map_err(|error| match error {
            ReadError::TooLarge => unavailable(format!("the page has more than {FETCH_LIMIT_BYTES} bytes")),
            ReadError::Broken(cause) => unavailable(cause),
        })?;
        Ok(Fetched { status, body })
    }
}

impl Default for WebFetch {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Fetch for WebFetch {
    async fn fetch(&self, request: FetchRequest) -> Result<Fetched, Unavailable> {
        let place =
            Place::parse(&request.url, self.client.reach()).map_err(|refused| unavailable(refused.to_string()))?;
        match timeout(FETCH_TIMEOUT, self.exchange(&place, request.form)).await {
            Ok(answered) => answered,
            Err(_) => Err(unavailable(format!("no whole answer came within {} s", FETCH_TIMEOUT.as_secs()))),
        }
    }
}

fn http_request(place: &Place, form: Option<String>) -> Result<Request<Full<bytes::Bytes>>, http::Error> {
    let request = Request::builder().uri(place.uri().clone()).header("user-agent", "hookwright");
    match form {
        None => request.body(Full::default()),
        Some(form) => {
            let request = request.method("POST").header("content-type", "application/x-www-form-urlencoded");
            request.body(Full::from(form))
        }
    }
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "web", cause }
}

#[cfg(test)]
mod tests;

//! Pages of the web, over the TLS that the SDK's clients use.
//!
//! An address comes from whoever set up a hook, or from a message whose sender is not known yet, so it is judged twice:
//! as text before anything is asked, and as what its host resolves to. The connection goes to the very addresses that
//! were judged; nobody resolves the name a second time. *Source*: `reliability.md`, S16.

mod names;
mod place;
mod public;

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::http::HttpError;
use bytes::{Bytes, BytesMut};
use service::ports::{FETCH_LIMIT_BYTES, Fetch, FetchRequest, Fetched, Unavailable};
use tokio::time::timeout;

use crate::attempts::with_sources;
use names::{CheckedNames, Names};
use place::Place;

/// From the question for the host to the last byte of the answer. *Source*: the port's contract.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);

/// How far a fetch may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// `https` to public addresses.
    Public,
    /// That, and `http` or `https` to this machine at any port.
    PublicAndLoopback,
}

/// The web, as far as it is public.
///
/// Redirects are answers like others; whoever follows one asks anew, and the new place is judged too.
pub struct WebFetch {
    reach: Reach,
    names: Names,
    /// Made with the first request, because it reads the root certificates and most functions never fetch anything.
    connector: OnceLock<SharedHttpConnector>,
}

impl WebFetch {
    /// Reaches public addresses over `https` at port 443 and nothing else.
    pub fn new() -> Self {
        Self::over(Names::System, Reach::Public)
    }

    /// Reaches `127.0.0.1`, `[::1]` and `localhost` too, over `http` or `https` at any port: for local mode.
    pub fn with_loopback() -> Self {
        Self::over(Names::System, Reach::PublicAndLoopback)
    }

    fn over(names: Names, reach: Reach) -> Self {
        Self { reach, names, connector: OnceLock::new() }
    }

    async fn exchange(&self, place: &Place, form: Option<String>) -> Result<Fetched, Unavailable> {
        let request = http_request(place, form).map_err(|error| unavailable(with_sources(&error)))?;
        let answer = self.connector().call(request).await.map_err(|error| unavailable(with_sources(&error)))?;
        let status = answer.status().as_u16();
        let body = read(ByteStream::new(answer.into_body())).await?;
        Ok(Fetched { status, body })
    }

    fn connector(&self) -> &SharedHttpConnector {
        self.connector.get_or_init(|| {
            let names = CheckedNames { names: self.names.clone(), reach: self.reach };
            let builder = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
            SharedHttpConnector::new(builder.build_with_resolver(names))
        })
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
        let place = Place::parse(&request.url, self.reach).map_err(|refused| unavailable(refused.to_string()))?;
        match timeout(FETCH_TIMEOUT, self.exchange(&place, request.form)).await {
            Ok(answered) => answered,
            Err(_) => Err(unavailable(format!("no whole answer came within {} s", FETCH_TIMEOUT.as_secs()))),
        }
    }
}

fn http_request(place: &Place, form: Option<String>) -> Result<HttpRequest, HttpError> {
    let mut request = match form {
        Some(form) => {
            let mut request = HttpRequest::new(SdkBody::from(form));
            request.set_method("POST")?;
            request.headers_mut().try_insert("content-type", "application/x-www-form-urlencoded")?;
            request
        }
        None => HttpRequest::empty(),
    };
    request.set_uri(place.url())?;
    request.headers_mut().try_insert("user-agent", "hookwright")?;
    Ok(request)
}

/// The whole body, or an error as soon as there is too much of it.
async fn read(mut body: ByteStream) -> Result<Bytes, Unavailable> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| unavailable(with_sources(&error)))?;
        if whole.len() + chunk.len() > FETCH_LIMIT_BYTES {
            return Err(unavailable(format!("the page has more than {FETCH_LIMIT_BYTES} bytes")));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "web", cause }
}

#[cfg(test)]
mod tests;

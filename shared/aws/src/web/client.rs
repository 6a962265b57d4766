//! Requests over connections that the dialer made, and bodies up to a limit.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::dialer::{Dialer, NotDialed};
use super::names::Names;
use super::place::Refused;
use super::reach::Reach;
use crate::attempts::with_sources;

/// How long a connection may wait for its next request. *Why so short*: a Lambda process is frozen between two batches, and
/// a server that hung up in the meantime is noticed only with the next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many connections to one host wait.
const IDLE_LIMIT: usize = 8;

/// The most bytes of an answer's head.
const HEAD_LIMIT_BYTES: usize = 128 * 1024;

/// The most header lines of an answer.
const HEADERS_LIMIT: usize = 1_000;

/// A client of HTTP/1.1 within its reach, with TLS for the host's name.
///
/// Redirects are answers like others, and nothing is tried again once it was sent.
pub(crate) struct Client {
    reach: Reach,
    names: Names,
    roots: Roots,
    /// Made with the first request, because it reads the root certificates and most functions never ask anything.
    inner: OnceLock<Result<Inner, rustls::Error>>,
}

type Inner = legacy::Client<HttpsConnector<Dialer>, Full<Bytes>>;

/// Whose certificates are trusted.
#[derive(Debug, Clone)]
pub(crate) enum Roots {
    /// Those that the system trusts.
    System,
    /// A test's.
    #[cfg(test)]
    Given(Arc<RootCertStore>),
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SendError {
    /// It must not go there, and did not.
    Refused(Refused),
    /// It did not go out.
    NotSent(String),
    /// Nobody knows.
    Broken(String),
}

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadError {
    TooLarge,
    Broken(String),
}

impl Client {
    /// A client within `reach`, which asks the system for names and trusts whom it trusts.
    pub(crate) const fn new(reach: Reach) -> Self {
        Self::over(Names::System, Roots::System, reach)
    }

    /// The same over other names and certificates.
    pub(crate) const fn over(names: Names, roots: Roots, reach: Reach) -> Self {
        Self { reach, names, roots, inner: OnceLock::new() }
    }

    /// How far it reaches.
    pub(crate) const fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Sends `request` and gives the head of the answer; the body is still to be read.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, SendError> {
        let inner = self.inner.get_or_init(|| self.inner()).as_ref();
        let inner = inner.map_err(|error| SendError::NotSent(error.to_string()))?;
        inner.request(request).await.map_err(|error| {
            if let Some(NotDialed::Refused(refused)) = find::<NotDialed>(&error) {
                return SendError::Refused(*refused);
            }
            let cause = with_sources(&error);
            if error.is_connect() { SendError::NotSent(cause) } else { SendError::Broken(cause) }
        })
    }

    fn inner(&self) -> Result<Inner, rustls::Error> {
        let dialer = Dialer { reach: self.reach.clone(), names: self.names.clone() };
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls_config(&self.roots)?);
        let connector = tls.https_or_http().enable_http1().wrap_connector(dialer);
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT).pool_max_idle_per_host(IDLE_LIMIT);
        builder.http1_max_buf_size(HEAD_LIMIT_BYTES).http1_max_headers(HEADERS_LIMIT);
        Ok(builder.build(connector))
    }
}

/// The whole body, or an error as soon as there is too much of it.
pub(crate) async fn read(mut body: Incoming, limit_bytes: usize) -> Result<Bytes, ReadError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ReadError::Broken(with_sources(&error)))?;
        let Some(chunk) = frame.data_ref() else { continue };
        if whole.len() + chunk.len() > limit_bytes {
            return Err(ReadError::TooLarge);
        }
        whole.extend_from_slice(chunk);
    }
    Ok(whole.freeze())
}

fn tls_config(roots: &Roots) -> Result<ClientConfig, rustls::Error> {
    let roots = match roots {
        Roots::System => Arc::new(system_roots()),
        #[cfg(test)]
        Roots::Given(roots) => Arc::clone(roots),
    };
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into());
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}

/// What cannot be read of them trusts nobody, which each request then tells.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

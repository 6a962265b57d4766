//! Connections, to addresses that were judged and to no others.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::names::Names;
use super::place::{Host, Refused, Target};
use super::reach::Reach;

/// How long one address may take to answer before the next one is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How many addresses of a name are tried.
const TRIED_LIMIT: usize = 4;

/// Makes connections within its reach.
#[derive(Debug, Clone)]
pub(super) struct Dialer {
    pub(super) reach: Reach,
    pub(super) names: Names,
}

/// Why there is no connection. No sentence names an address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDialed {
    /// There must not be one.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Nobody knows the name.
    #[error("the host's name is not known")]
    UnknownName,
    /// Nobody is there.
    #[error("no connection could be made: {0}")]
    NoConnection(io::ErrorKind),
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<TcpStream>;
    type Error = NotDialed;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NotDialed>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), NotDialed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.clone();
        Box::pin(async move { dialer.dial(&uri).await.map(TokioIo::new) })
    }
}

impl Dialer {
    async fn dial(&self, uri: &Uri) -> Result<TcpStream, NotDialed> {
        let target = Target::of(uri)?;
        let addresses = self.checked_addresses(&target).await?;
        let mut last = io::ErrorKind::NotFound;
        for address in addresses.into_iter().take(TRIED_LIMIT) {
            match timeout(CONNECT_TIMEOUT, self.names.connect(SocketAddr::new(address, target.port))).await {
                Ok(Ok(stream)) => {
                    // Without it a small request waits for the answer to the one before; a connection works either way.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => last = error.kind(),
                Err(_) => last = io::ErrorKind::TimedOut,
            }
        }
        Err(NotDialed::NoConnection(last))
    }

    /// The addresses of the host, all of them allowed; one that is not makes the name useless, because whoever mixes the two
    /// kinds means the other one.
    async fn checked_addresses(&self, target: &Target) -> Result<Vec<IpAddr>, NotDialed> {
        let addresses = match &target.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.names.addresses(name).await.map_err(|_| NotDialed::UnknownName)?,
        };
        if addresses.is_empty() {
            return Err(NotDialed::UnknownName);
        }
        match addresses.iter().all(|address| self.reach.admits(target, *address)) {
            true => Ok(addresses),
            false => Err(self.reach.refusal(target, &addresses).into()),
        }
    }
}

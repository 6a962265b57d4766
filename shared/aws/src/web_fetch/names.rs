//! What a host's name stands for, once every address of it is known to be public.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use tokio::net::lookup_host;

use super::Reach;
use super::public::is_public;

/// Who knows names.
#[derive(Debug, Clone)]
pub(super) enum Names {
    /// The system.
    System,
    /// A test.
    #[cfg(test)]
    Given(std::sync::Arc<super::tests::GivenNames>),
}

/// The addresses of a name, all of them public; one that is not makes the name useless, because whoever mixes the two
/// kinds means the other one.
#[derive(Debug, Clone)]
pub(super) struct CheckedNames {
    pub(super) names: Names,
    pub(super) reach: Reach,
}

impl ResolveDns for CheckedNames {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            if self.reach == Reach::PublicAndLoopback && name == "localhost" {
                return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
            }
            let addresses = self.names.addresses(name).await.map_err(ResolveDnsError::new)?;
            if addresses.iter().all(|address| is_public(*address)) {
                return Ok(addresses);
            }
            Err(ResolveDnsError::new("the host's name leads to an address that is not public"))
        })
    }
}

impl Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::System => Ok(lookup_host((name, 443)).await?.map(|address| address.ip()).collect()),
            #[cfg(test)]
            Self::Given(names) => Ok(names.addresses(name)),
        }
    }
}

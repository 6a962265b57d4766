//! Who knows what a host's name stands for.

use std::io;
use std::net::IpAddr;

use tokio::net::lookup_host;

/// Who knows names.
#[derive(Debug, Clone)]
pub(crate) enum Names {
    /// The system.
    System,
    /// A test.
    #[cfg(test)]
    Given(std::sync::Arc<super::given::GivenNames>),
}

impl Names {
    /// Every address of `name`, in the order in which they are best tried.
    pub(super) async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::System => Ok(lookup_host((name, 443)).await?.map(|address| address.ip()).collect()),
            #[cfg(test)]
            Self::Given(names) => Ok(names.addresses(name)),
        }
    }
}

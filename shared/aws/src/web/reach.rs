//! How far a request may reach: the public web, and what the operator allows beside it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use service::ports::Web;

use super::place::{Host, Refused, Scheme, Target, is_public_name};
use super::public::{is_public, may_be_named};

/// How far a request may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    web: Web,
    allowed: Arc<[Destination]>,
}

/// A destination that the operator allows beside the public web, over `https` and `http`.
///
/// *Shape*: `HOST` or `HOST:PORT`, `NETWORK` or `NETWORK:PORT`: `orders.internal:8080`, `10.1.0.0/16`, `10.1.2.3:8080`,
/// `fd12::/48`, `[fd12::1]:8080`. Without a port it is 443 for `https` and 80 for `http`.
///
/// A host is compared as URLs write it and may lead to private addresses, but not to link-local ones and those of metadata
/// services. A network holds for the addresses in it, whether a URL names them or a name leads to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    whom: Whom,
    ports: Ports,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    Host(Host),
    Network(IpNet),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ports {
    /// That of the scheme.
    Usual,
    One(u16),
    Any,
}

/// A text is no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither HOST nor NETWORK, with or without :PORT, as in orders.internal:8080, 10.1.0.0/16 and [fd12::1]:8080"
)]
pub struct WrongDestination(String);

impl Reach {
    /// The public web, and what is `allowed`.
    pub(crate) fn new(web: Web, allowed: Vec<Destination>) -> Self {
        Self { web, allowed: allowed.into() }
    }

    /// The public web over `https`, and this machine at any port under its three plainest spellings.
    pub(crate) fn with_loopback() -> Self {
        let hosts = ["localhost", "127.0.0.1", "[::1]"].into_iter().filter_map(|host| Host::parse(host).ok());
        let allowed = hosts.map(|host| Destination { whom: Whom::Host(host), ports: Ports::Any });
        Self::new(Web::Https, allowed.collect())
    }

    /// Whether `target` may be asked for, as far as its text tells.
    pub(super) fn judge(&self, target: &Target) -> Result<(), Refused> {
        let is_allowed = match &target.host {
            Host::Name(_) => self.allows_host(target) || self.may_allow_addresses(target),
            Host::Address(address) => self.allows_host(target) || self.allows_address(target, *address),
        };
        if is_allowed { Ok(()) } else { self.judge_public(target) }
    }

    /// Whether a connection for `target` may go to `address`.
    pub(super) fn admits(&self, target: &Target, address: IpAddr) -> bool {
        let is_allowed = self.allows_host(target) && may_be_named(address);
        is_allowed || self.allows_address(target, address) || (is_public(address) && self.judge_public(target).is_ok())
    }

    /// Why no connection for `target` goes to `addresses`, which are not all admitted.
    pub(super) fn refusal(&self, target: &Target, addresses: &[IpAddr]) -> Refused {
        let is_private = addresses.iter().any(|address| !is_public(*address) && !self.allows_address(target, *address));
        match (is_private, &target.host, self.judge_public(target)) {
            (true, Host::Name(_), _) | (false, Host::Name(_), Ok(())) => Refused::NameToAddress,
            (true, Host::Address(_), _) | (false, Host::Address(_), Ok(())) => Refused::Address,
            // The public web it leads to, only not in this way; that an allowed network was meant, its text could not tell.
            (false, _, Err(refused)) => refused,
        }
    }

    fn judge_public(&self, target: &Target) -> Result<(), Refused> {
        if target.scheme == Scheme::Http && self.web == Web::Https {
            return Err(Refused::Scheme);
        }
        if target.port != target.scheme.port() {
            return Err(Refused::Port);
        }
        match &target.host {
            Host::Name(name) if is_public_name(name) => Ok(()),
            Host::Name(_) => Err(Refused::Host),
            Host::Address(address) if is_public(*address) => Ok(()),
            Host::Address(_) => Err(Refused::Address),
        }
    }

    fn allows_host(&self, target: &Target) -> bool {
        let names = |destination: &Destination| match &destination.whom {
            Whom::Host(host) => *host == target.host,
            Whom::Network(_) => false,
        };
        self.allowed.iter().any(|destination| destination.ports.have(target) && names(destination))
    }

    fn allows_address(&self, target: &Target, address: IpAddr) -> bool {
        let holds = |destination: &Destination| match &destination.whom {
            Whom::Host(_) => false,
            Whom::Network(network) => network.contains(&address),
        };
        self.allowed.iter().any(|destination| destination.ports.have(target) && holds(destination))
    }

    /// Whether the name may lead into an allowed network, which only its addresses tell.
    fn may_allow_addresses(&self, target: &Target) -> bool {
        let is_network = |destination: &Destination| matches!(destination.whom, Whom::Network(_));
        self.allowed.iter().any(|destination| destination.ports.have(target) && is_network(destination))
    }
}

impl Ports {
    fn have(self, target: &Target) -> bool {
        match self {
            Self::Usual => target.port == target.scheme.port(),
            Self::One(port) => target.port == port,
            Self::Any => true,
        }
    }
}

impl FromStr for Destination {
    type Err = WrongDestination;

    fn from_str(text: &str) -> Result<Self, WrongDestination> {
        let text = text.trim();
        let wrong = || WrongDestination(text.to_owned());
        // An IPv6 address has colons of its own; with a port it stands in brackets.
        let (whom, port) = match text.rsplit_once(':') {
            Some((whom, port)) if !whom.contains(':') || whom.ends_with(']') => (whom, Some(port)),
            Some(_) | None => (text, None),
        };
        let ports = match port {
            None => Ports::Usual,
            Some(port) => Ports::One(port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?),
        };
        let bare = whom.strip_prefix('[').and_then(|whom| whom.strip_suffix(']')).unwrap_or(whom);
        let network = bare.parse::<IpNet>().ok().or_else(|| bare.parse::<IpAddr>().ok().map(IpNet::from));
        let whom = match network {
            Some(network) => Whom::Network(network.trunc()),
            None => match Host::parse(whom) {
                Ok(name @ Host::Name(_)) => Whom::Host(name),
                Ok(Host::Address(_)) | Err(_) => return Err(wrong()),
            },
        };
        Ok(Self { whom, ports })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.whom, self.ports) {
            (Whom::Network(IpNet::V6(network)), Ports::One(_)) => write!(f, "[{network}]")?,
            (Whom::Network(network), _) => write!(f, "{network}")?,
            (Whom::Host(Host::Name(name)), _) => f.write_str(name)?,
            (Whom::Host(Host::Address(address)), _) => write!(f, "{address}")?,
        }
        match self.ports {
            Ports::Usual => Ok(()),
            Ports::One(port) => write!(f, ":{port}"),
            Ports::Any => f.write_str(":*"),
        }
    }
}

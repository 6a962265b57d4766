//! Where a request may go: a URL of which is known that asking it harms nobody.
//!
//! A name that is allowed here is judged again by what it resolves to. The grammar is narrower than the web's, so that no
//! two readers can understand one text differently: a host that is not plainly a name or an address is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

use super::reach::Reach;

/// *Why*: what servers and proxies take.
const URL_LIMIT_BYTES: usize = 8 * 1024;

/// *Source*: RFC 1035, section 2.3.4.
const NAME_LIMIT_BYTES: usize = 253;
const LABEL_LIMIT_BYTES: usize = 63;

/// Names of local networks, whatever they resolve to. *Source*: IANA, "Special-Use Domain Names"; `internal` is ICANN's.
const LOCAL_SUFFIXES: [&str; 8] = ["localhost", "local", "internal", "arpa", "onion", "alt", "invalid", "test"];

/// A URL that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    uri: Uri,
    target: Target,
}

/// To whom a URL leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// How a URL begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// A host as a URL writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// In lower case; it has no more than the form of a name.
    Name(String),
    Address(IpAddr),
}

/// Why a URL may not be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It cannot be read in one way only.
    #[error("the URL is not written as one should be")]
    Malformed,
    /// It has another scheme than is allowed here.
    #[error("the URL has a scheme that is not allowed")]
    Scheme,
    /// It holds a user name or a password.
    #[error("the URL holds a user name")]
    UserInfo,
    /// It names a port that is not that of its scheme.
    #[error("the URL names a port that is not allowed")]
    Port,
    /// Its host is no name of the public web.
    #[error("the host is not a public name")]
    Host,
    /// Its host is an address that nobody but this network can reach.
    #[error("the host is not a public address")]
    Address,
    /// Its host's name stands for such an address.
    #[error("the host's name leads to an address that is not public")]
    NameToAddress,
}

impl Place {
    /// Reads `url`; no name is resolved for it.
    pub(crate) fn parse(url: &str, reach: &Reach) -> Result<Self, Refused> {
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if url.len() > URL_LIMIT_BYTES || !is_plain {
            return Err(Refused::Malformed);
        }
        let uri: Uri = url.parse().map_err(|_| Refused::Malformed)?;
        let target = Target::of(&uri)?;
        reach.judge(&target)?;
        Ok(Self { uri, target })
    }

    /// The URL without its fragment.
    pub(crate) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Whether both are the same to a server and whoever trusts it.
    pub(crate) fn has_origin_of(&self, other: &Self) -> bool {
        self.target == other.target
    }
}

impl Target {
    /// To whom `uri` leads, whether that is allowed or not.
    pub(super) fn of(uri: &Uri) -> Result<Self, Refused> {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(Refused::Malformed);
        };
        if authority.as_str().contains('@') {
            return Err(Refused::UserInfo);
        }
        let host = authority.host();
        let port = port(authority.as_str().strip_prefix(host).unwrap_or(":"))?;
        let scheme = match scheme {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(Refused::Scheme),
        };
        Ok(Self { scheme, host: Host::parse(host)?, port: port.unwrap_or(scheme.port()) })
    }
}

impl Scheme {
    /// The port where nothing is said.
    pub(crate) const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Host {
    /// *Errors*: it is neither, or an address to some readers and a name to others.
    pub(super) fn parse(text: &str) -> Result<Self, Refused> {
        if let Some(bracketed) = text.strip_prefix('[') {
            let address: Option<Ipv6Addr> = bracketed.strip_suffix(']').and_then(|text| text.parse().ok());
            return address.map(|address| Self::Address(address.into())).ok_or(Refused::Malformed);
        }
        // What ends in a number is an address to some readers, in whichever of its old spellings.
        let last = text.rsplit('.').next().unwrap_or_default();
        if last.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
            let address: Ipv4Addr = text.parse().map_err(|_| Refused::Malformed)?;
            return Ok(Self::Address(address.into()));
        }
        if text.len() > NAME_LIMIT_BYTES || !text.split('.').all(is_label) {
            return Err(Refused::Host);
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

/// Whether `name` may be one of the public web.
pub(super) fn is_public_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && !LOCAL_SUFFIXES.contains(&last)
}

/// The port in what follows a host.
fn port(rest: &str) -> Result<Option<u16>, Refused> {
    if rest.is_empty() {
        return Ok(None);
    }
    let digits = rest.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).map(Some).ok_or(Refused::Malformed)
}

/// *Source*: RFC 1123, section 2.1. A name that ends with a dot has an empty label and is none.
fn is_label(label: &str) -> bool {
    let is_plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (1..=LABEL_LIMIT_BYTES).contains(&label.len()) && is_plain && !label.starts_with('-') && !label.ends_with('-')
}

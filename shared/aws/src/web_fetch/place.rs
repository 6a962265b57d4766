//! Where a page may be: a URL of which is known that asking it harms nobody.
//!
//! A name that is allowed here is judged again by what it resolves to. The grammar is narrower than the web's, so that no
//! two readers can understand one text differently: a host that is not plainly a name or an address is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

use super::Reach;
use super::public::is_public;

const URL_LIMIT_BYTES: usize = 2048;

/// *Source*: RFC 1035, section 2.3.4.
const NAME_LIMIT_BYTES: usize = 253;
const LABEL_LIMIT_BYTES: usize = 63;

/// Names of local networks, whatever they resolve to. *Source*: IANA, "Special-Use Domain Names"; `internal` is ICANN's.
const LOCAL_SUFFIXES: [&str; 8] = ["localhost", "local", "internal", "arpa", "onion", "alt", "invalid", "test"];

/// A URL that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    url: String,
}

/// Why a URL may not be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// It cannot be read in one way only.
    #[error("the URL is not written as one should be")]
    Malformed,
    /// It is neither `https` nor, where that is allowed, `http` to this machine.
    #[error("the URL is not https")]
    Scheme,
    /// It holds a user name or a password.
    #[error("the URL holds a user name")]
    UserInfo,
    /// It names a port that is not 443.
    #[error("the URL names a port that is not 443")]
    Port,
    /// Its host is no name of the public web.
    #[error("the host is not a public name")]
    Host,
    /// Its host is an address that nobody but this network can reach.
    #[error("the host is not a public address")]
    Address,
}

impl Place {
    /// Reads `url`; no name is resolved for it.
    pub(super) fn parse(url: &str, reach: Reach) -> Result<Self, Refused> {
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if url.len() > URL_LIMIT_BYTES || !is_plain {
            return Err(Refused::Malformed);
        }
        let uri: Uri = url.parse().map_err(|_| Refused::Malformed)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(Refused::Malformed);
        };
        if authority.as_str().contains('@') {
            return Err(Refused::UserInfo);
        }
        let host = authority.host();
        let port = port(authority.as_str().strip_prefix(host).unwrap_or(":"))?;
        if reach == Reach::PublicAndLoopback && is_loopback(host) && ["http", "https"].contains(&scheme) {
            return Ok(Self { url: url.to_owned() });
        }
        if scheme != "https" {
            return Err(Refused::Scheme);
        }
        if port.is_some_and(|port| port != 443) {
            return Err(Refused::Port);
        }
        check_host(host)?;
        Ok(Self { url: url.to_owned() })
    }

    /// The text of it.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

/// The port in what follows a host.
fn port(rest: &str) -> Result<Option<u16>, Refused> {
    if rest.is_empty() {
        return Ok(None);
    }
    let digits = rest.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).map(Some).ok_or(Refused::Malformed)
}

fn is_loopback(host: &str) -> bool {
    ["127.0.0.1", "[::1]", "localhost"].contains(&host)
}

fn check_host(host: &str) -> Result<(), Refused> {
    if let Some(bracketed) = host.strip_prefix('[') {
        let address: Option<Ipv6Addr> = bracketed.strip_suffix(']').and_then(|text| text.parse().ok());
        return check_address(address.ok_or(Refused::Malformed)?.into());
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    // What ends in a number is an address to some readers, in whichever of its old spellings.
    if last.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
        let address: Ipv4Addr = host.parse().map_err(|_| Refused::Malformed)?;
        return check_address(address.into());
    }
    let is_local = LOCAL_SUFFIXES.iter().any(|suffix| last.eq_ignore_ascii_case(suffix));
    if is_local || !host.contains('.') || host.len() > NAME_LIMIT_BYTES || !host.split('.').all(is_label) {
        return Err(Refused::Host);
    }
    Ok(())
}

fn check_address(address: IpAddr) -> Result<(), Refused> {
    if is_public(address) { Ok(()) } else { Err(Refused::Address) }
}

/// *Source*: RFC 1123, section 2.1. A name that ends with a dot has an empty label and is none.
fn is_label(label: &str) -> bool {
    let is_plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (1..=LABEL_LIMIT_BYTES).contains(&label.len()) && is_plain && !label.starts_with('-') && !label.ends_with('-')
}

//! Which addresses are the public internet's.
//!
//! Of IPv4 everything is that is not listed; of IPv6 only what is handed out (`2000::/3`) and not listed. So the IPv6
//! forms that hold an IPv4 address (mapped, NAT64) are none, whatever they hold, and neither are loopback, link-local
//! and private ones.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are not public. *Source*: IANA, "IPv4 Special-Purpose Address Registry".
const SPECIAL_V4: [(Ipv4Addr, u32); 19] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Azure's own metadata host, the one cloud's that has a public address.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, and what is reserved up to the broadcast address.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// What of IPv6 is handed out to anybody. *Source*: IANA, "IPv6 Address Space".
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks in it that are not public. *Source*: IANA, "IPv6 Special-Purpose Address Registry".
const SPECIAL_V6: [(Ipv6Addr, u32); 5] = [
    // Teredo, benchmarks, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4, which holds an IPv4 address.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Networks of IPv4 that a name of the operator's never leads to: this network, link-local, metadata, multicast, reserved.
const NEVER_NAMED_V4: [(Ipv4Addr, u32); 6] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 100, 100, 200), 32),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// What of IPv6 is private. *Source*: RFC 4193.
const PRIVATE_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7);

/// Where EC2 has its metadata among it.
const METADATA_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32);

/// Whether anybody on the internet would reach the same host under `address`.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| has_v4(*network, address)),
        IpAddr::V6(address) => {
            has_v6(GLOBAL_V6, address) && !SPECIAL_V6.iter().any(|network| has_v6(*network, address))
        }
    }
}

/// Whether a name that the operator allows may lead to `address`.
///
/// *Why not to all*: whoever answers for the name could lead it to where credentials lie, and nobody lists a name for that.
pub(crate) fn may_be_named(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NEVER_NAMED_V4.iter().any(|network| has_v4(*network, address)),
        IpAddr::V6(address) => {
            is_public(address.into())
                || (has_v6(PRIVATE_V6, address) && !has_v6(METADATA_V6, address))
                || address.is_loopback()
        }
    }
}

fn has_v4((network, prefix_bits): (Ipv4Addr, u32), address: Ipv4Addr) -> bool {
    (network.to_bits() ^ address.to_bits()).leading_zeros() >= prefix_bits
}

fn has_v6((network, prefix_bits): (Ipv6Addr, u32), address: Ipv6Addr) -> bool {
    (network.to_bits() ^ address.to_bits()).leading_zeros() >= prefix_bits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each with the last address before it, its first, its last, and the first after it.
    #[test]
    fn a_network_ends_where_it_ends() {
        for (before, first, last, after) in [
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("2000:ffff::", "2001::", "2001:1ff:ffff::", "2001:200::"),
            ("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::", "2001:db9::"),
            ("2001:ffff::", "2002::", "2002:ffff:ffff::", "2003::"),
            ("3ffe:ffff::", "3fff::", "3fff:fff:ffff::", "3fff:1000::"),
        ] {
            let is_public = |text: &str| is_public(text.parse().unwrap());
            assert!(is_public(before) && is_public(after), "{before} {after}");
            assert!(!is_public(first) && !is_public(last), "{first} {last}");
        }
    }
}

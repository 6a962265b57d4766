//! Addresses between angle brackets, as `MAIL` and `RCPT` have them.
//!
//! Whether anybody lives there is not asked here; only that one address is one address for whoever reads it next.

use super::reply::Reply;

/// The longest address. *Source*: a path has 256 bytes with its brackets, RFC 5321, 4.5.3.1.3.
const ADDRESS_LIMIT_BYTES: usize = 254;

/// Splits `<address> PARAMETERS`; the address is empty for `<>`.
///
/// A route before the address (`<@relay.example:ann@mail.example>`) is left out, as RFC 5321 (appendix C) wants.
pub(crate) fn path(text: &str) -> Result<(&str, &str), Reply> {
    let (inside, rest) = bracketed(text.trim_start_matches(' '))
        .filter(|(_, rest)| rest.is_empty() || rest.starts_with(' '))
        .ok_or(Reply::new(501, "5.5.4", "An address stands between < and >"))?;
    let address = match inside.strip_prefix('@') {
        Some(_) => inside.split_once(':').map_or(inside, |(_, address)| address),
        None => inside,
    };
    match address.is_empty() && inside.is_empty() || is_address(address) {
        true => Ok((address, rest)),
        false => Err(Reply::new(501, "5.1.3", "This is no address")),
    }
}

/// What is before and behind the `>` that ends it, which is one outside of quotes.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?;
    let mut place = Place::Plain;
    for (at, byte) in inside.bytes().enumerate() {
        if (place, byte) == (Place::Plain, b'>') {
            return Some((inside.get(..at)?, inside.get(at + 1..)?));
        }
        place = place.after(byte);
    }
    None
}

fn is_address(address: &str) -> bool {
    let (local, domain) = split(address);
    address.len() <= ADDRESS_LIMIT_BYTES && is_local(local) && domain.is_none_or(is_domain)
}

/// At the last `@` outside of quotes. Local programs leave the domain out.
fn split(address: &str) -> (&str, Option<&str>) {
    let (mut place, mut at_sign) = (Place::Plain, None);
    for (at, byte) in address.bytes().enumerate() {
        if (place, byte) == (Place::Plain, b'@') {
            at_sign = Some(at);
        }
        place = place.after(byte);
    }
    match at_sign.and_then(|at| address.split_at_checked(at)) {
        Some((local, domain)) => (local, domain.get(1..)),
        None => (address, None),
    }
}

fn is_local(local: &str) -> bool {
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match quoted {
        Some(inside) => is_quotable(inside),
        None => !local.is_empty() && !local.contains(|c: char| "<>()[],;:\\\"@ ".contains(c)),
    }
}

/// Every quote within quotes has a backslash before it, and every backslash something behind it.
fn is_quotable(inside: &str) -> bool {
    let mut place = Place::Quoted;
    for byte in inside.bytes() {
        place = place.after(byte);
        if place == Place::Plain {
            return false;
        }
    }
    place == Place::Quoted
}

/// A name, or an IP address in square brackets.
fn is_domain(domain: &str) -> bool {
    let (name, literal) = match domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => (literal, ":"),
        None => (domain, ""),
    };
    let is_plain = |c: char| c.is_alphanumeric() || !c.is_ascii() || "-._".contains(c) || literal.contains(c);
    !name.is_empty() && name.chars().all(is_plain)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    Quoted,
    Escaped,
}

impl Place {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Plain, b'"') => Self::Quoted,
            (Self::Quoted, b'"') => Self::Plain,
            (Self::Quoted, b'\\') => Self::Escaped,
            (Self::Escaped, _) => Self::Quoted,
            (Self::Plain | Self::Quoted, _) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for (text, address, rest) in [
            ("<a@b.example>", "a@b.example", ""),
            (" <a@b.example>", "a@b.example", ""),
            ("<> BODY=7BIT", "", " BODY=7BIT"),
            ("<Postmaster>", "Postmaster", ""),
            ("<a+tag=1@b>", "a+tag=1@b", ""),
            ("<\"a b@c>\\\"d\"@e>", "\"a b@c>\\\"d\"@e", ""),
            ("<\"\"@e>", "\"\"@e", ""),
            ("<a@[127.0.0.1]> SIZE=1", "a@[127.0.0.1]", " SIZE=1"),
            ("<a@[IPv6:::1]>", "a@[IPv6:::1]", ""),
            ("<@one.example,@two.example:a@b>", "a@b", ""),
            ("<josé@münchen.example>", "josé@münchen.example", ""),
        ] {
            assert_eq!(path(text), Ok((address, rest)), "{text}");
        }
        let longest = format!("<{}@b>", "a".repeat(252));
        assert!(path(&longest).is_ok());
        assert!(path(&longest.replace("@b", "a@b")).is_err());
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_address() {
        for text in [
            "",
            "a@b",
            "<a@b",
            "a@b>",
            "<a@b>x",
            "<a@b><c@d>",
            "<a b@c>",
            "<a@b c>",
            "<a@>",
            "<@b>",
            "<@b:>",
            "<a@b@c>",
            "<a,b@c>",
            "<a@b,c@d>",
            "<a@b;c>",
            "<<a@b>>",
            "<a@(b)c>",
            "<\"a@b>",
            "<\"a\"b@c>",
            "<\"a\\\"@c>",
            "<a\"b@c>",
            "<a@[]>",
            "<a@b:c>",
            "<\"a\"\"b\"@c>",
            "<:a@b>",
        ] {
            assert_eq!(path(text).map_err(|reply| reply.code), Err(501), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it_and_what_it_takes_is_part_of_the_text(text in "[<>\"\\\\@:.a\\[\\] é]{0,12}") {
            if let Ok((address, rest)) = path(&text) {
                prop_assert!(text.contains(address) && text.ends_with(rest));
            }
        }
    }
}

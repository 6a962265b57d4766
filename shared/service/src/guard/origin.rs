//! Where a request comes from, as a browser says it.
//!
//! It keeps honest browsers apart, not machines: whoever writes the request writes the header, too.

use domain::{Guard, Rejected, Rejection};
use http::{HeaderMap, header};

/// The most origins a hook may name.
const ORIGINS_LIMIT: usize = 20;

/// The longest origin: a host name has at most 253 characters.
const ORIGIN_LIMIT_CHARS: usize = 270;

const WILDCARD: &str = "*.";

/// What a hook thinks of where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The hook does not care.
    Unguarded,
    /// From this origin, which the hook names.
    Allowed(String),
    /// No browser says where it comes from, and the hook lets that pass.
    Unsaid,
    /// From elsewhere, or from nowhere where the hook asks.
    Foreign,
}

impl Origin {
    /// Judges the headers of a request.
    ///
    /// `null`, which sandboxed pages, local files and some redirects send, is foreign always.
    pub(crate) fn of(guard: Option<&Guard>, headers: &HeaderMap) -> Self {
        let Some(guard) = guard.filter(|guard| !guard.origins.is_empty() || guard.origin_lock) else {
            return Self::Unguarded;
        };
        let mut sent = headers.get_all(header::ORIGIN).iter();
        match (sent.next(), sent.next()) {
            (Some(origin), None) => match origin.to_str() {
                Ok(origin) if is_named(guard, origin) => Self::Allowed(origin.to_owned()),
                Ok(_) | Err(_) => Self::Foreign,
            },
            (Some(_), Some(_)) => Self::Foreign,
            (None, _) if !guard.origin_lock => Self::Unsaid,
            (None, _) if referrer(headers).is_some_and(|origin| is_named(guard, origin)) => Self::Unsaid,
            (None, _) => Self::Foreign,
        }
    }

    /// *Errors*: the request is [`Origin::Foreign`].
    pub(crate) fn check(&self) -> Result<(), Rejected> {
        match self {
            Self::Unguarded | Self::Allowed(_) | Self::Unsaid => Ok(()),
            Self::Foreign => Err(Rejected::new(
                Rejection::Forbidden,
                "origin_not_allowed",
                "This form takes posts from its own pages only. Whoever owns the hook can add a page to guard.origins.",
            )),
        }
    }
}

/// Says what is wrong with the origins of a guard, in a sentence.
pub(super) fn check_named(guard: &Guard) -> Result<(), String> {
    if guard.origins.len() > ORIGINS_LIMIT {
        return Err(format!("guard.origins has at most {ORIGINS_LIMIT} origins"));
    }
    if guard.origin_lock && guard.origins.is_empty() {
        return Err("guard.originLock needs guard.origins, or nobody could post".to_owned());
    }
    match guard.origins.iter().find(|origin| !is_origin(origin)) {
        None => Ok(()),
        Some(wrong) => Err(format!(
            "{} is no origin: write it as a browser sends it, https://shop.example or https://*.shop.example, in lower case, \
             without a path or a standard port, other letters than a to z as xn--…",
            wrong.chars().take(80).collect::<String>()
        )),
    }
}

fn is_named(guard: &Guard, origin: &str) -> bool {
    guard.origins.iter().any(|named| matches(named, origin))
}

/// Exact, but for a leading `*.`, which stands for one or more labels.
fn matches(named: &str, origin: &str) -> bool {
    let Some((scheme, domain)) = named.split_once("://*") else { return named == origin };
    let below = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
    below.and_then(|host| host.strip_suffix(domain)).is_some_and(|labels| labels.split('.').all(is_label))
}

/// The origin in the `Referer`, if there is exactly one.
fn referrer(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(header::REFERER).iter();
    let (Some(address), None) = (sent.next(), sent.next()) else { return None };
    let address = address.to_str().ok()?;
    let host = address.find("://")? + "://".len();
    let end = address.get(host..)?.find(['/', '?', '#', '\\']).map_or(address.len(), |length| host + length);
    address.get(..end)
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let standard_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return false,
    };
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let is_port = port.is_none_or(|port| {
        !port.starts_with('0')
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port != standard_port)
    });
    let domain = host.strip_prefix(WILDCARD).unwrap_or(host);
    // All of `*.example` is never one shop's.
    let is_narrow = domain.len() == host.len() || domain.contains('.');
    text.len() <= ORIGIN_LIMIT_CHARS && is_port && is_narrow && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn guard(origins: &[&str], origin_lock: bool) -> Guard {
        Guard { origins: origins.iter().map(|&origin| origin.to_owned()).collect(), origin_lock, ..Guard::default() }
    }

    fn judged(origins: &[&str], lock: bool, sent: &[(&'static str, &str)]) -> Origin {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Origin::of(Some(&guard(origins, lock)), &headers)
    }

    const NAMED: &[&str] = &["https://shop.example", "https://*.shop.example", "http://localhost:3000"];

    #[test]
    fn an_origin_is_allowed_when_it_is_named_to_the_letter_or_lies_below_a_wildcard() {
        for origin in
            ["https://shop.example", "https://a.shop.example", "https://a.b.shop.example", "http://localhost:3000"]
        {
            assert_eq!(judged(NAMED, false, &[("origin", origin)]), Origin::Allowed(origin.to_owned()));
        }
        for origin in [
            "null",
            "",
            "*",
            "http://shop.example",
            "https://shop.example:443",
            "https://shop.example:8443",
            "https://shop.example/",
            "https://shop.example.evil.example",
            "https://evilshop.example",
            "https://.shop.example",
            "https://..shop.example",
            "https://evil.example/.shop.example",
            "https://evil.example@a.shop.example",
            "https://evil.example?.shop.example",
            "https://evil.example\\.shop.example",
            "https://a.shop.example:444",
            "https://SHOP.example",
            "https://shоp.example",
            "https://a.shop.example.",
            "http://localhost:3000 https://shop.example",
            "http://localhost",
        ] {
            assert_eq!(judged(NAMED, false, &[("origin", origin)]), Origin::Foreign, "{origin}");
        }
    }

    #[test]
    fn two_origins_are_foreign_even_if_both_are_named() {
        let sent = [("origin", "https://shop.example"), ("origin", "https://shop.example")];
        assert_eq!(judged(NAMED, false, &sent), Origin::Foreign);
    }

    #[test]
    fn a_lock_asks_for_an_origin_or_a_referrer_of_one() {
        assert_eq!(judged(NAMED, false, &[]), Origin::Unsaid);
        assert_eq!(judged(NAMED, false, &[("referer", "https://evil.example/")]), Origin::Unsaid);
        assert_eq!(judged(NAMED, true, &[]), Origin::Foreign);
        for (referer, verdict) in [
            ("https://shop.example/contact?a=1", Origin::Unsaid),
            ("https://shop.example", Origin::Unsaid),
            ("https://a.shop.example#x", Origin::Unsaid),
            ("https://evil.example/https://shop.example", Origin::Foreign),
            ("https://shop.example@evil.example/", Origin::Foreign),
            ("https://evil.example@a.shop.example/", Origin::Foreign),
            ("about:blank", Origin::Foreign),
            ("https://", Origin::Foreign),
        ] {
            assert_eq!(judged(NAMED, true, &[("referer", referer)]), verdict, "{referer}");
        }
        let foreign = [("origin", "null"), ("referer", "https://shop.example/")];
        assert_eq!(judged(NAMED, true, &foreign), Origin::Foreign);
    }

    #[test]
    fn a_hook_that_names_no_origin_does_not_care() {
        assert_eq!(judged(&[], false, &[("origin", "null")]), Origin::Unguarded);
        assert_eq!(Origin::of(None, &HeaderMap::new()), Origin::Unguarded);
    }

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        let longest = format!("https://{}.example", vec!["a".repeat(63); 3].join("."));
        for good in [
            "https://shop.example",
            "https://*.shop.example",
            "http://localhost:3000",
            "https://xn--shp-sna.example",
            "https://a.example:8443",
            "http://a.example:443",
            &longest,
        ] {
            assert_eq!(check_named(&guard(&[good], true)), Ok(()), "{good}");
        }
        for bad in [
            "",
            "null",
            "*",
            "https://*",
            "https://*.example",
            "https://**.shop.example",
            "https://a.*.shop.example",
            "https://shop.example/",
            "https://Shop.example",
            "https://shöp.example",
            "shop.example",
            "ftp://shop.example",
            "https://shop.example:443",
            "http://shop.example:80",
            "https://shop.example:0443",
            "https://shop.example:65536",
            "https://shop.example:",
            "https://shop..example",
            "https://a@shop.example",
            "https://shop.example, https://b.example",
            &format!("https://{}.example", "a".repeat(64)),
        ] {
            assert!(check_named(&guard(&[bad], false)).is_err(), "{bad}");
        }
        let many = vec!["https://shop.example"; ORIGINS_LIMIT + 1];
        assert!(check_named(&guard(&many, false)).is_err());
        assert_eq!(check_named(&guard(&many[1..], false)), Ok(()));
        assert!(check_named(&guard(&[], true)).is_err());
    }
    proptest! {
        #[test]
        fn whatever_lies_below_a_wildcard_is_a_host_of_that_domain(
            before in "[a-z0-9./@?#:\\\\_*-]{0,12}", scheme in "https?|ftp|HTTPS", after in "(\\.shop\\.example)?[.:/a-z0-9]{0,4}",
        ) {
            let origin = format!("{scheme}://{before}{after}");
            let allowed = judged(&["https://*.shop.example"], false, &[("origin", &origin)]) != Origin::Foreign;
            let labels = origin.strip_prefix("https://").and_then(|host| host.strip_suffix(".shop.example"));
            let is_host = labels.is_some_and(|labels| {
                !labels.is_empty() && labels.split('.').all(|label| !label.is_empty()) && !labels.contains(['/', '@', '?', '#', ':', '\\', '*'])
            });
            prop_assert_eq!(allowed, is_host, "{}", origin);
        }
    }
}

//! Which part of a form hook's address a path names.

use domain::{HookHash, OrgId};
use http::Method;

use crate::accept::Address;

const PREFIX: &str = "/v1/hooks/form/";

/// The script, as the last part of its path.
const SCRIPT: &str = "guard.js";

/// What management has below a hook's id, where an address has its hash.
const MANAGED: &[&str] = &["transactions", "refusals", "arrivals", "held", "duplicates", "balance", "samples"];

/// What a path below the form hooks names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The script that every page may load.
    Script,
    /// A part of an address.
    Hook(Address, Part),
}

/// A part of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Where posts go.
    Posts,
    /// Where challenges are.
    Challenge,
    /// Where uploads begin.
    Uploads,
}

impl Part {
    /// The one method that it takes.
    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::Posts | Self::Uploads => "POST",
            Self::Challenge => "GET",
        }
    }

    const fn of(word: &str) -> Option<Self> {
        match word.as_bytes() {
            b"challenge" => Some(Self::Challenge),
            b"uploads" => Some(Self::Uploads),
            _ => None,
        }
    }
}

impl Place {
    /// What `path` names; nothing if it has not the shape of anything here.
    pub(super) fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix(PREFIX)?.split('/').take(4).collect();
        let (org, hash, part) = match *parts.as_slice() {
            [SCRIPT] => return Some(Self::Script),
            [hash] => (None, hash, Part::Posts),
            [hash, word] if HookHash::parse(hash).is_some() => (None, hash, Part::of(word)?),
            [org, hash] => (Some(org), hash, Part::Posts),
            [org, hash, word] => (Some(org), hash, Part::of(word)?),
            _ => return None,
        };
        let org = match org {
            Some(org) => Some(OrgId::parse(org).ok()?),
            None => None,
        };
        Some(Self::Hook(Address { org, hash: HookHash::parse(hash)? }, part))
    }
}

/// Whether a request is for this door rather than for the management of hooks, which shares its path.
pub fn is_for_form_door(method: &Method, path: &str) -> bool {
    let Some(rest) = path.strip_prefix(PREFIX) else { return false };
    match rest.split_once('/') {
        Some((_, word)) => !MANAGED.contains(&word),
        None => *method == Method::POST || rest == SCRIPT || HookHash::parse(rest).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const ORG: &str = "581392b55ac7a2110099d9c8";

    fn named(path: &str) -> Option<(bool, Part)> {
        match Place::of(&format!("{PREFIX}{path}"))? {
            Place::Script => None,
            Place::Hook(address, part) => Some((address.org.is_some(), part)),
        }
    }

    #[test]
    fn both_address_shapes_and_their_parts_are_read_and_nothing_else() {
        for (word, part) in [("", Part::Posts), ("/challenge", Part::Challenge), ("/uploads", Part::Uploads)] {
            assert_eq!(named(&format!("{HASH}{word}")), Some((false, part)));
            assert_eq!(named(&format!("{ORG}/{HASH}{word}")), Some((true, part)));
        }
        for wrong in [
            "",
            ORG,
            &HASH.to_uppercase(),
            &format!("{HASH}/"),
            &format!("{HASH}/Challenge"),
            &format!("{HASH}/challenge/"),
            &format!("{HASH}/transactions"),
            &format!("{HASH}/{HASH}"),
            &format!("/{HASH}"),
            &format!("{ORG}//{HASH}"),
            &format!("{ORG}/{HASH}/uploads/1"),
            &format!("{ORG}/{ORG}/challenge"),
            "challenge",
            "guard.js/",
            "%2e%2e",
        ] {
            assert!(named(wrong).is_none(), "{wrong}");
        }
        assert_eq!(Place::of("/v1/hooks/form/guard.js"), Some(Place::Script));
    }

    #[test]
    fn a_post_below_the_form_path_is_for_the_door_and_management_is_not() {
        for (method, path, door) in [
            (Method::POST, format!("{PREFIX}{HASH}"), true),
            (Method::GET, format!("{PREFIX}{HASH}"), true),
            (Method::POST, format!("{PREFIX}nonsense"), true),
            (Method::GET, format!("{PREFIX}{ORG}/{HASH}"), true),
            (Method::GET, format!("{PREFIX}{HASH}/challenge"), true),
            (Method::POST, format!("{PREFIX}{ORG}/{HASH}/uploads"), true),
            (Method::OPTIONS, format!("{PREFIX}{ORG}/{HASH}"), true),
            (Method::GET, format!("{PREFIX}guard.js"), true),
            (Method::GET, format!("{PREFIX}{ORG}"), false),
            (Method::PATCH, format!("{PREFIX}{ORG}"), false),
            (Method::GET, format!("{PREFIX}{ORG}/transactions"), false),
            (Method::GET, format!("{PREFIX}{ORG}/refusals"), false),
            (Method::GET, format!("{PREFIX}{ORG}/arrivals"), false),
            (Method::POST, format!("{PREFIX}{ORG}/samples"), false),
            (Method::POST, "/v1/hooks/form".to_owned(), false),
            (Method::POST, "/v1/workflows".to_owned(), false),
        ] {
            assert_eq!(is_for_form_door(&method, &path), door, "{method} {path}");
        }
    }
}

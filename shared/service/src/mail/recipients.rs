//! Addresses of email hooks: who a mail was sent to, as the envelope says. What its headers say names the customer.

use domain::HookHash;
use ingest::{mail, ses};

/// The longest tag that is kept.
const TAG_LIMIT_BYTES: usize = 256;

/// An address that a hook may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// As the envelope has it.
    pub address: String,
    /// What names the hook.
    pub hash: HookHash,
    /// What stands behind a `+`.
    pub tag: Option<String>,
}

impl Recipient {
    /// The recipient at `domain` that `address` is; nothing for any other address.
    pub fn parse(address: &str, domain: &str) -> Option<Self> {
        let address = address.trim().trim_start_matches('<').trim_end_matches('>');
        let (local, at) = address.rsplit_once('@')?;
        if !at.eq_ignore_ascii_case(domain) {
            return None;
        }
        let (local, tag) = local.split_once('+').map_or((local, None), |(local, tag)| (local, Some(tag)));
        let tag = tag.filter(|tag| !tag.is_empty() && tag.len() <= TAG_LIMIT_BYTES);
        let hash = HookHash::of_local_part(local)?;
        Some(Self { address: address.to_owned(), hash, tag: tag.map(str::to_owned) })
    }
}

/// The recipient that the receiving server wrote into the mail, where nobody else tells it. Only the first `Received` is
/// the server's; all below it are the sender's words.
pub(super) fn stamped(raw: &[u8], id: &str) -> Vec<String> {
    let headers = mail::headers(raw);
    headers.received.first().and_then(|received| ses::recipient_in_received(received, id)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_by_its_hash_in_any_case_with_and_without_a_tag() {
        let hash = HookHash::from_random([0xa7; 32]);
        let (hex, short) = (hash.to_string(), hash.short());
        for (address, tag) in [
            (format!("{hex}@hooks.example"), None),
            (format!("<{hex}@hooks.example>"), None),
            (format!("{}@HOOKS.Example", hex.to_uppercase()), None),
            (format!("{short}@hooks.example"), None),
            (format!("{short}+orders-eu@hooks.example"), Some("orders-eu")),
            (format!("{hex}+A+b@hooks.example"), Some("A+b")),
            (format!("{hex}+@hooks.example"), None),
        ] {
            let recipient = Recipient::parse(&address, "hooks.example").unwrap();
            assert_eq!((recipient.hash, recipient.tag.as_deref()), (hash, tag), "{address}");
        }
        for stranger in [
            "customer@mail.example".to_owned(),
            format!("{hex}@mail.example"),
            format!("{hex}@sub.hooks.example"),
            format!("{hex}@mail.example@hooks.example"),
            format!("x{hex}@hooks.example"),
            "info@hooks.example".to_owned(),
            "@".to_owned(),
            String::new(),
        ] {
            assert_eq!(Recipient::parse(&stranger, "hooks.example"), None, "{stranger}");
        }
    }
}

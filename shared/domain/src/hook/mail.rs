//! What an email hook takes, and from whom.

use serde::{Deserialize, Serialize};

use super::auth::Secret;

/// The most senders that a hook is open to.
const SENDERS_LIMIT: usize = 100;

/// The length of a script key. *Why 16*: at six bits a character it has the 96 bits that nobody guesses.
const KEY_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// A body of a mail that a workflow wants to see beside the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailBody {
    /// The first `text/plain`.
    Text,
    /// The first `text/html`, as it was written.
    Html,
}

/// What is done with a mail that failed a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Treatment {
    /// It is taken as if it had passed.
    Accept,
    /// It waits for somebody to release it.
    Quarantine,
    /// It is recorded with its reason and does nothing.
    Drop,
}

/// What is done with mails that failed the checks of whoever received them.
///
/// A virus is always dropped. *Source*: reference `email`, section 1.5; to drop is to quarantine here, so that a mistake
/// of a filter loses no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MailPolicy {
    /// It looks like spam.
    pub spam: Treatment,
    /// The owner of the sender's domain says to reject or quarantine it.
    pub dmarc: Treatment,
    /// Nothing shows that the sender is who it says it is: DMARC failed without a policy, or SPF and DKIM both failed.
    pub unauthenticated: Treatment,
}

impl Default for MailPolicy {
    fn default() -> Self {
        let quarantine = Treatment::Quarantine;
        Self { spam: quarantine, dmarc: quarantine, unauthenticated: quarantine }
    }
}

/// The settings of an email hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MailRule {
    /// What the tag of a script has to show in `data-kustomer-key`; every script counts where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
    /// The bodies that go along; with any of them, and without a key, a mail without data starts workflows too.
    pub bodies: Vec<MailBody>,
    /// The only addresses and domains that mails may be from; any where there are none.
    pub senders: Vec<String>,
    /// What is done with mails that failed a check.
    pub policy: MailPolicy,
    /// Whether entities in the texts of valid JSON are decoded, which some shops escape for HTML once too often.
    pub decode_entities: bool,
    /// Whether attachments are kept.
    pub attachments: bool,
}

impl Default for MailRule {
    fn default() -> Self {
        Self {
            key: None,
            bodies: Vec::new(),
            senders: Vec::new(),
            policy: MailPolicy::default(),
            decode_entities: false,
            attachments: true,
        }
    }
}

impl MailRule {
    /// Says what is wrong with these settings, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        if self.bodies.len() > 2 || (self.bodies.len() == 2 && self.bodies.first() == self.bodies.last()) {
            return Err("bodies are \"text\", \"html\", or both".to_owned());
        }
        if self.senders.len() > SENDERS_LIMIT || !self.senders.iter().all(|sender| is_sender(sender)) {
            return Err(format!(
                "senders are at most {SENDERS_LIMIT} addresses (orders@shop.example) and domains (shop.example)"
            ));
        }
        let key = self.key.as_ref().map_or(Ok(()), |key| check_key(key.reveal()));
        key.map_err(|sentence| sentence.to_owned())
    }

    /// Whether a mail from `address` may come in, as far as its address tells.
    pub fn admits(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain);
        self.senders.is_empty()
            || self.senders.iter().any(|sender| {
                sender.eq_ignore_ascii_case(address) || domain.is_some_and(|domain| sender.eq_ignore_ascii_case(domain))
            })
    }
}

fn check_key(key: &str) -> Result<(), &'static str> {
    // It stands in an attribute of a tag in a mail's template.
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+' | '/' | '=');
    if KEY_CHARS.contains(&key.len()) && key.chars().all(fits) {
        Ok(())
    } else {
        Err("a key has 16 to 128 letters, digits and -_.~+/=")
    }
}

/// An address, or a domain with at least one dot.
fn is_sender(text: &str) -> bool {
    let (local, domain) = text.rsplit_once('@').map_or((None, text), |(local, domain)| (Some(local), domain));
    let is_label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    let is_domain = domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.'));
    let is_local =
        |local: &str| (1..=64).contains(&local.len()) && !local.contains(|c: char| c.is_whitespace() || c.is_control());
    is_domain && local.is_none_or(is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_addresses_and_domains() {
        for (sender, fits) in [
            ("orders@shop.example", true),
            ("shop.example", true),
            ("müller.example", true),
            ("", false),
            ("shop", false),
            ("@shop.example", false),
            ("orders@", false),
            ("orders@shop..example", false),
            ("two words@shop.example", false),
            ("Shop <orders@shop.example>", false),
        ] {
            let rule = MailRule { senders: vec![sender.to_owned()], ..MailRule::default() };
            assert_eq!(rule.check().is_ok(), fits, "{sender}");
        }
        let many = |count: usize| MailRule { senders: vec!["a.example".to_owned(); count], ..MailRule::default() };
        assert!(many(SENDERS_LIMIT).check().is_ok());
        assert!(many(SENDERS_LIMIT + 1).check().is_err());
    }

    #[test]
    fn a_sender_is_admitted_by_its_whole_address_or_its_whole_domain() {
        let senders = vec!["orders@Shop.example".to_owned(), "esp.example".to_owned()];
        let rule = MailRule { senders, ..MailRule::default() };
        for (address, admitted) in [
            ("Orders@shop.EXAMPLE", true),
            ("anyone@esp.example", true),
            ("other@shop.example", false),
            ("a@sub.esp.example", false),
            ("a@evilesp.example", false),
            ("esp.example", true),
            ("esp.example@evil.example", false),
        ] {
            assert_eq!(rule.admits(address), admitted, "{address}");
        }
        assert!(MailRule::default().admits("anyone@anywhere.example"));
    }

    #[test]
    fn a_key_is_long_enough_and_fits_an_attribute() {
        for (key, fits) in [
            ("k".repeat(15), false),
            ("k".repeat(16), true),
            ("k".repeat(128), true),
            ("k".repeat(129), false),
            ("\"><script>alert(1)".to_owned(), false),
            ("0123456789abcdef ".to_owned(), false),
        ] {
            let rule = MailRule { key: Some(Secret::new(key.clone())), ..MailRule::default() };
            assert_eq!(rule.check().is_ok(), fits, "{key}");
        }
    }

    #[test]
    fn settings_of_before_and_after_are_read() {
        assert_eq!(serde_json::from_str::<MailRule>("{}").unwrap(), MailRule::default());
        let later = r#"{"bodies":["html"],"policy":{"spam":"accept","later":1},"later":true}"#;
        let read: MailRule = serde_json::from_str(later).unwrap();
        assert_eq!(read.policy, MailPolicy { spam: Treatment::Accept, ..MailPolicy::default() });
    }
}

//! What the environment says of mail, which a deployment may do without.

use domain::EmailAddress;

use super::Reader;

/// What keys of mails begin with unless it is said.
const DEFAULT_PREFIX: &str = "inbound/";

/// The local part of who mail is from unless it is said.
const DEFAULT_SENDER: &str = "no-reply";

/// Where mails come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailConfig {
    /// The domain of the addresses, from `HOOKWRIGHT_MAIL_DOMAIN`.
    pub domain: String,
    /// Where SES puts mails, from `HOOKWRIGHT_MAIL_BUCKET`.
    pub bucket: String,
    /// What their keys begin with, from `HOOKWRIGHT_MAIL_PREFIX`: `inbound/`.
    pub key_prefix: String,
    /// Where SES takes mails in, from Lambda's `AWS_REGION`.
    pub region: String,
    /// By which names SES knows the domain to be ours, from `HOOKWRIGHT_MAIL_DKIM_TOKENS`, with commas between.
    pub dkim_tokens: Vec<String>,
    /// The rule set that has to be SES's active one, from `HOOKWRIGHT_MAIL_RULE_SET`.
    pub rule_set: Option<String>,
}

/// Who mail is from that workflows send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostConfig {
    /// The domain of the hooks' addresses, from `HOOKWRIGHT_MAIL_DOMAIN`; nothing is sent to it.
    pub domain: String,
    /// The sender of a mail that names none, from `HOOKWRIGHT_MAIL_FROM`: `no-reply@` the domain unless it is set.
    pub from: String,
}

impl Reader<'_> {
    /// Where mails come in, if they do. `HOOKWRIGHT_MAIL_DOMAIN` and `HOOKWRIGHT_MAIL_BUCKET` come together.
    pub fn mail(&mut self) -> Option<Option<MailConfig>> {
        let domain = self.mail_domain();
        let bucket = self.optional("HOOKWRIGHT_MAIL_BUCKET", "a bucket name", super::is_bucket_name);
        let prefix = self.optional("HOOKWRIGHT_MAIL_PREFIX", "the beginning of a key", is_prefix);
        let tokens = self.optional("HOOKWRIGHT_MAIL_DKIM_TOKENS", "a list of words", are_words);
        let rule_set = self.optional("HOOKWRIGHT_MAIL_RULE_SET", "the name of a rule set", is_word);
        let region = self.optional("AWS_REGION", "a region", is_word);
        let (domain, bucket, prefix, tokens) = (domain?, bucket?, prefix?, tokens?);
        let (rule_set, region) = (rule_set?, region?);
        let (domain, bucket) = match (domain, bucket) {
            (None, None) => return Some(None),
            (Some(domain), Some(bucket)) => (domain, bucket),
            (Some(_), None) | (None, Some(_)) => {
                self.problem("HOOKWRIGHT_MAIL_DOMAIN and HOOKWRIGHT_MAIL_BUCKET come together");
                return None;
            }
        };
        if region.is_none() {
            self.problem("AWS_REGION is not set");
        }
        Some(Some(MailConfig {
            domain,
            bucket,
            key_prefix: prefix.unwrap_or_else(|| DEFAULT_PREFIX.to_owned()),
            region: region?,
            dkim_tokens: tokens.iter().flat_map(|tokens| tokens.split(',')).map(str::to_owned).collect(),
            rule_set,
        }))
    }

    /// The same for a function that is nothing without it.
    pub fn mail_needed(&mut self) -> Option<MailConfig> {
        let mail = self.mail()?;
        if mail.is_none() {
            self.problem("HOOKWRIGHT_MAIL_DOMAIN and HOOKWRIGHT_MAIL_BUCKET are not set");
        }
        mail
    }

    /// Who mail is from, if there is any.
    pub fn post(&mut self) -> Option<Option<PostConfig>> {
        let (domain, from) =
            (self.mail_domain(), self.optional("HOOKWRIGHT_MAIL_FROM", "an e-mail address", is_address));
        match (domain?, from?) {
            (None, None) => Some(None),
            (Some(domain), from) => {
                let from = from.unwrap_or_else(|| format!("{DEFAULT_SENDER}@{domain}"));
                Some(Some(PostConfig { domain, from }))
            }
            (None, Some(_)) => {
                self.problem("HOOKWRIGHT_MAIL_FROM needs HOOKWRIGHT_MAIL_DOMAIN");
                None
            }
        }
    }

    fn mail_domain(&mut self) -> Option<Option<String>> {
        self.optional("HOOKWRIGHT_MAIL_DOMAIN", "a domain name in lower case", is_domain)
    }
}

/// *Source*: RFC 1035, 2.3.1, with at least one dot.
fn is_domain(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(is_allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

fn is_prefix(text: &str) -> bool {
    text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.starts_with('/')
}

/// As regions, rule sets and tokens are.
fn is_word(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn are_words(text: &str) -> bool {
    text.split(',').all(|word| !word.is_empty() && is_word(word))
}

fn is_address(text: &str) -> bool {
    EmailAddress::parse(text).is_ok_and(|address| address.as_written() == text) && text.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::super::read_from;
    use super::*;

    const COMPLETE: [(&str, &str); 7] = [
        ("HOOKWRIGHT_MAIL_DOMAIN", "hooks.example.org"),
        ("HOOKWRIGHT_MAIL_BUCKET", "hw-mail"),
        ("HOOKWRIGHT_MAIL_PREFIX", "in/"),
        ("HOOKWRIGHT_MAIL_FROM", "orders@example.org"),
        ("HOOKWRIGHT_MAIL_DKIM_TOKENS", "qn4ne,2pqes,x5ktw"),
        ("HOOKWRIGHT_MAIL_RULE_SET", "hookwright-mail"),
        ("AWS_REGION", "eu-west-1"),
    ];

    /// What `build` reads where the complete environment has `changes`; an empty value is none.
    fn read_with<T>(changes: &[(&str, &str)], build: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Result<T, String> {
        let lookup = |asked: &str| {
            let in_order = changes.iter().chain(&COMPLETE);
            in_order.into_iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned())
        };
        read_from(&lookup, build).map_err(|error| error.to_string())
    }

    const WITHOUT_MAIL: [(&str, &str); 3] =
        [("HOOKWRIGHT_MAIL_DOMAIN", ""), ("HOOKWRIGHT_MAIL_BUCKET", ""), ("HOOKWRIGHT_MAIL_FROM", "")];

    #[test]
    fn a_complete_environment_says_where_mails_come_in_and_who_they_are_from() {
        let mail = read_with(&[], |reader| reader.mail()).unwrap().unwrap();
        assert_eq!((mail.domain.as_str(), mail.bucket.as_str()), ("hooks.example.org", "hw-mail"));
        assert_eq!((mail.key_prefix.as_str(), mail.region.as_str()), ("in/", "eu-west-1"));
        assert_eq!(mail.dkim_tokens, ["qn4ne", "2pqes", "x5ktw"]);
        assert_eq!(mail.rule_set.as_deref(), Some("hookwright-mail"));
        let post = read_with(&[], |reader| reader.post()).unwrap().unwrap();
        assert_eq!((post.domain.as_str(), post.from.as_str()), ("hooks.example.org", "orders@example.org"));
    }

    #[test]
    fn what_is_not_said_is_as_the_template_has_it() {
        let unset = ["PREFIX", "FROM", "DKIM_TOKENS", "RULE_SET"].map(|name| format!("HOOKWRIGHT_MAIL_{name}"));
        let unset = unset.each_ref().map(|name| (name.as_str(), ""));
        let mail = read_with(&unset, |reader| reader.mail()).unwrap().unwrap();
        assert_eq!((mail.key_prefix.as_str(), mail.dkim_tokens.len(), mail.rule_set), ("inbound/", 0, None));
        assert_eq!(read_with(&unset, |reader| reader.post()).unwrap().unwrap().from, "no-reply@hooks.example.org");
    }

    #[test]
    fn a_deployment_may_do_without_mail_and_a_function_that_lives_on_it_may_not() {
        assert_eq!(read_with(&WITHOUT_MAIL, |reader| reader.mail()).unwrap(), None);
        assert_eq!(read_with(&WITHOUT_MAIL, |reader| reader.post()).unwrap(), None);
        assert_eq!(
            read_with(&WITHOUT_MAIL, |reader| reader.mail_needed()).unwrap_err(),
            "the environment is not complete: HOOKWRIGHT_MAIL_DOMAIN and HOOKWRIGHT_MAIL_BUCKET are not set"
        );
    }

    #[test]
    fn half_a_configuration_is_a_mistake() {
        for half in ["HOOKWRIGHT_MAIL_DOMAIN", "HOOKWRIGHT_MAIL_BUCKET"] {
            assert!(read_with(&[(half, "")], |reader| reader.mail()).unwrap_err().contains("come together"), "{half}");
        }
        let error = read_with(&[("HOOKWRIGHT_MAIL_DOMAIN", "")], |reader| reader.post()).unwrap_err();
        assert!(error.ends_with("HOOKWRIGHT_MAIL_FROM needs HOOKWRIGHT_MAIL_DOMAIN"), "{error}");
        assert!(
            read_with(&[("AWS_REGION", "")], |reader| reader.mail()).unwrap_err().ends_with("AWS_REGION is not set")
        );
    }

    #[test]
    fn a_variable_of_the_wrong_shape_is_named_with_the_right_one() {
        for (name, values, shape) in [
            (
                "HOOKWRIGHT_MAIL_DOMAIN",
                &["Hooks.example.org", "localhost", "a..b", "-a.b", "a b.c"][..],
                "a domain name in lower case",
            ),
            ("HOOKWRIGHT_MAIL_BUCKET", &["Hw_Mail"], "a bucket name"),
            ("HOOKWRIGHT_MAIL_PREFIX", &["/in", "in bound/"], "the beginning of a key"),
            ("HOOKWRIGHT_MAIL_DKIM_TOKENS", &["a,", "a b", "a.b"], "a list of words"),
            ("HOOKWRIGHT_MAIL_RULE_SET", &["a b", "a/b"], "the name of a rule set"),
        ] {
            for value in values {
                let error = read_with(&[(name, value)], |reader| reader.mail()).unwrap_err();
                assert_eq!(error, format!("the environment is not complete: {name} is not {shape}"), "{value}");
            }
        }
        for value in ["orders", " a@b.example", "Shop <a@b.example>", "\u{e9}@b.example"] {
            let error = read_with(&[("HOOKWRIGHT_MAIL_FROM", value)], |reader| reader.post()).unwrap_err();
            assert!(error.ends_with("HOOKWRIGHT_MAIL_FROM is not an e-mail address"), "{value}");
        }
    }
}

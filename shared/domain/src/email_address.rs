//! E-mail addresses as keys: kept as written, compared without regard to case.

use std::fmt;

/// The longest address a mail server takes (RFC 5321, 4.5.3.1.3, less the angle brackets).
const ADDRESS_LIMIT_BYTES: usize = 254;

/// An e-mail address that can own a customer.
///
/// *Shape*: text, `@`, text, without white space or control characters; `Ann@Example.com` and `ann@example.com`
/// are the same address. *Source*: the fixed interfaces ("compared without regard to case; what was written is kept").
#[derive(Debug, Clone)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address that `text` writes, surrounding white space aside.
    ///
    /// *Errors*: a sentence for the author when it cannot be one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > ADDRESS_LIMIT_BYTES {
            return Err(format!("an e-mail address has at most {ADDRESS_LIMIT_BYTES} bytes"));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("an e-mail address has no white space in it".to_owned());
        }
        match text.rsplit_once('@') {
            Some((local, domain)) if !local.is_empty() && !domain.is_empty() => Ok(Self(text.to_owned())),
            Some(_) | None => Err(format!("`{text}` is not an e-mail address: it needs a name, `@` and a domain")),
        }
    }

    /// As it was written.
    pub fn as_written(&self) -> &str {
        &self.0
    }

    /// The form in which two spellings of one address are equal.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_make_another_address() {
        let written = EmailAddress::parse(" Test@Example.com ").unwrap();
        assert_eq!(written.as_written(), "Test@Example.com");
        assert_eq!(written.key(), EmailAddress::parse("test@example.COM").unwrap().key());
    }

    #[test]
    fn text_that_cannot_be_an_address_is_refused_with_a_sentence() {
        let long = format!("{}@example.com", "a".repeat(243));
        for wrong in ["", "@", "a@", "@b", "a b@c", "a@b\u{0}", long.as_str()] {
            assert!(EmailAddress::parse(wrong).is_err(), "{wrong}");
        }
        assert!(EmailAddress::parse(&format!("{}@example.com", "a".repeat(242))).is_ok());
    }
}

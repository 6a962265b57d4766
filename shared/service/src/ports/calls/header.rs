//! Headers of a call: what their author may say, and nothing that would change how the message is read.
//!
//! *Source*: `reliability.md`, S10; RFC 9110, 5.5 and 7.6.1; RFC 9112, 6.

use std::fmt;

/// The most bytes of a value. *Why*: servers take heads of 8 KiB and more, few take larger ones.
pub const HEADER_VALUE_LIMIT_BYTES: usize = 8 * 1024;

/// The most bytes of a name.
const HEADER_NAME_LIMIT_BYTES: usize = 256;

/// Names that are about the connection, the length and the way of the message, which are not the caller's to say.
///
/// `accept-encoding` is among them because an answer is asked for as it is, `expect` because nobody would wait for it.
const NOT_THE_CALLERS: [&str; 14] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A header of a call. Its value is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CallHeader {
    name: String,
    value: String,
    secrecy: Secrecy,
}

/// Whether somebody else than the one that is called may learn it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// It holds no secret that is known to be one.
    Open,
    /// It holds one.
    Secret,
}

/// Why a header is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongHeader {
    /// Its name is no token.
    #[error("its name may have letters, digits and `-` only")]
    Name,
    /// Its name is not the caller's to give.
    #[error("it is about the connection or the length, and set by itself")]
    NotYours,
    /// Its value could begin another line, or is none that servers read alike.
    #[error("its value has to be one line of ASCII, without line breaks and other control characters")]
    Value,
    /// Its value is too long.
    #[error("its value has more than {HEADER_VALUE_LIMIT_BYTES} bytes")]
    TooLong,
}

impl CallHeader {
    /// The header `name: value`; the name goes out in lower case, the value without white space around it.
    ///
    /// *Errors*: [`WrongHeader`], a clause that says what the author has to change.
    pub fn new(name: &str, value: &str, secrecy: Secrecy) -> Result<Self, WrongHeader> {
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&byte);
        if name.is_empty() || name.len() > HEADER_NAME_LIMIT_BYTES || !name.bytes().all(is_name_byte) {
            return Err(WrongHeader::Name);
        }
        let name = name.to_ascii_lowercase();
        if NOT_THE_CALLERS.contains(&name.as_str()) {
            return Err(WrongHeader::NotYours);
        }
        let is_value_byte = |byte: u8| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t';
        if !value.bytes().all(is_value_byte) {
            return Err(WrongHeader::Value);
        }
        let value = value.trim_matches([' ', '\t']);
        if value.len() > HEADER_VALUE_LIMIT_BYTES {
            return Err(WrongHeader::TooLong);
        }
        Ok(Self { name, value: value.to_owned(), secrecy })
    }

    /// Its name in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether another origin may not have it: it holds a secret, or is by its name a credential.
    pub fn is_credential(&self) -> bool {
        self.secrecy == Secrecy::Secret || ["authorization", "cookie"].contains(&self.name.as_str())
    }
}

impl fmt::Debug for CallHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHeader").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_one_line_under_a_name_that_is_the_callers_to_give() {
        let long = "a".repeat(HEADER_VALUE_LIMIT_BYTES);
        for (name, value) in [
            ("X-Key", "value"),
            ("authorization", "Basic dXNlcjpwYXNz"),
            ("Idempotency-Key", ""),
            ("accept", "a\tb ~!"),
            ("x_y.z", "1"),
            ("x-long", long.as_str()),
        ] {
            let header = CallHeader::new(name, value, Secrecy::Open).unwrap();
            assert_eq!((header.name(), header.value()), (name.to_lowercase().as_str(), value));
        }
        assert_eq!(CallHeader::new("a", " \t b ", Secrecy::Open).unwrap().value(), "b");
        let too_long = format!("{long}a");
        for (name, value, wrong) in [
            ("", "a", WrongHeader::Name),
            ("x y", "a", WrongHeader::Name),
            ("x:", "a", WrongHeader::Name),
            ("x\r\ny", "a", WrongHeader::Name),
            (":path", "a", WrongHeader::Name),
            ("größe", "a", WrongHeader::Name),
            ("Host", "a", WrongHeader::NotYours),
            ("HOST", "a", WrongHeader::NotYours),
            ("Content-Length", "1", WrongHeader::NotYours),
            ("transfer-encoding", "chunked", WrongHeader::NotYours),
            ("Connection", "x-key", WrongHeader::NotYours),
            ("Proxy-Authorization", "a", WrongHeader::NotYours),
            ("Upgrade", "h2c", WrongHeader::NotYours),
            ("TE", "trailers", WrongHeader::NotYours),
            ("accept-encoding", "gzip", WrongHeader::NotYours),
            ("a", "b\r\nhost: c", WrongHeader::Value),
            ("a", "b\nc", WrongHeader::Value),
            ("a", "b\r", WrongHeader::Value),
            ("a", "b\0", WrongHeader::Value),
            ("a", "b\u{7f}", WrongHeader::Value),
            ("a", "b\u{b}c", WrongHeader::Value),
            ("a", "ä", WrongHeader::Value),
            ("a", "b\u{2028}c", WrongHeader::Value),
            ("a", &too_long, WrongHeader::TooLong),
        ] {
            assert_eq!(CallHeader::new(name, value, Secrecy::Open), Err(wrong), "{name:?}: {value:?}");
        }
    }

    #[test]
    fn a_credential_is_known_by_its_name_or_by_what_is_in_it() {
        for (name, secrecy, expected) in [
            ("Authorization", Secrecy::Open, true),
            ("cookie", Secrecy::Open, true),
            ("x-api-key", Secrecy::Secret, true),
            ("x-api-key", Secrecy::Open, false),
        ] {
            assert_eq!(CallHeader::new(name, "a", secrecy).unwrap().is_credential(), expected, "{name} {secrecy:?}");
        }
    }
}

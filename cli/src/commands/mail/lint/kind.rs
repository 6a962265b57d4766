//! What kind of file somebody took for a mail.
//!
//! The hooks read anything as a mail, because what they get is one; a file may also be what a program exported.

use ingest::{
    Note,
    mail::{Headers, Mail},
};

/// What is said of a file that is no mail.
pub(super) const NO_HEADERS: &str =
    "This has no headers of a mail (RFC 5322). Save it as .eml: the raw mail, not what a program shows.";

const FIRST_ONLY: &str = "This is a mailbox (mbox); only its first mail is read.";

/// What a line between the mails of a mailbox begins with. *Source*: RFC 4155, appendix A.
const SEPARATOR: &[u8] = b"From ";

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A mail.
    Mail,
    /// Mails one after the other.
    Mailbox,
    /// No mail: nothing in it is a header that mails have.
    Other,
}

impl FileKind {
    /// The kind of the file with these bytes, as whose first mail `mail` was read.
    pub(super) fn of(raw: &[u8], mail: &Mail) -> Self {
        if !has_headers(mail) {
            Self::Other
        } else if raw.starts_with(SEPARATOR) {
            Self::Mailbox
        } else {
            Self::Mail
        }
    }

    /// What the user should know of it.
    pub(super) fn note(self) -> Option<Note> {
        let (code, message) = match self {
            Self::Mail => return None,
            Self::Mailbox => ("mailbox", FIRST_ONLY),
            Self::Other => ("no_headers", NO_HEADERS),
        };
        Some(Note { code, path: "$".to_owned(), message: message.to_owned() })
    }
}

/// The file up to the second mail in it, where it is a mailbox, and else all of it.
pub(super) fn first_mail(raw: &[u8]) -> &[u8] {
    if !raw.starts_with(SEPARATOR) {
        return raw;
    }
    let mut at = 0;
    let mut is_after_empty = false;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let (before, rest) = raw.split_at_checked(at).unwrap_or((raw, &[]));
        at += line.len();
        if is_after_empty && line.starts_with(SEPARATOR) && begins_header(rest.get(line.len()..).unwrap_or_default()) {
            return before;
        }
        is_after_empty = line.trim_ascii_end().is_empty();
    }
    raw
}

/// *Why this is looked at*: not every program marks a line of text that begins as a separator does.
fn begins_header(text: &[u8]) -> bool {
    let name = text.split(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'-')).next().unwrap_or_default();
    !name.is_empty() && text.get(name.len()) == Some(&b':')
}

/// A part that states nothing is plain text, and so is what is no mail.
fn has_headers(mail: &Mail) -> bool {
    let tree = &mail.tree;
    let is_stated = tree.content_type != "text/plain"
        || tree.charset.is_some()
        || tree.transfer_encoding.is_some()
        || tree.disposition.is_some();
    mail.headers != Headers::default() || is_stated
}

//! The MIME structure of a mail.

use super::Disposition;

/// A part of a mail.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The MIME path: `1.2` is the second part of the first; empty for a mail that is a multipart itself.
    pub number: String,
    /// `type/subtype` in lower case.
    pub content_type: String,
    /// The charset as it was stated.
    pub charset: Option<String>,
    /// The transfer encoding as it was stated, in lower case.
    pub transfer_encoding: Option<String>,
    /// How it is to be shown, when that was stated.
    pub disposition: Option<Disposition>,
    /// The file name, when one was stated; a base name.
    pub file_name: Option<String>,
    /// `Content-ID` without `<>`.
    pub content_id: Option<String>,
    /// Bytes of its body as they came, still encoded.
    pub size: u64,
    /// The parts of a multipart.
    pub parts: Vec<Part>,
}

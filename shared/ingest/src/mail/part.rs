//! The MIME structure of a mail. A mail attached to a mail is one part here: what is in it was not written by the sender.

use std::ops::Range;

use super::Disposition;
use super::header_block::HeaderBlock;
use super::lines::Lines;
use super::parameters::Structured;
use super::transfer::Transfer;
use crate::base_name;

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
    /// Where its body is in the mail.
    pub(super) span: Range<usize>,
    /// How its text is broken into lines.
    pub(super) flow: Flow,
    /// `smime-type`: what is within a signed or encrypted part.
    pub(super) smime_type: Option<String>,
}

/// How plain text is broken into lines.
///
/// *Source*: RFC 3676.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Flow {
    /// As it was written.
    #[default]
    Fixed,
    /// A space at the end of a line says that the paragraph goes on.
    Flowed,
    /// The same, and the space is no part of the text.
    FlowedWithoutSpace,
}

impl Part {
    /// A part by its headers; also gives the boundary of a multipart.
    pub(super) fn of(
        headers: &HeaderBlock,
        lines: &Lines<'_>,
        number: String,
        unstated: &str,
    ) -> (Self, Option<Vec<u8>>) {
        let structured = |name| headers.find(lines, name).map(Structured::parse).unwrap_or_default();
        let content_type = structured("content-type");
        let disposition = structured("content-disposition");
        let transfer_encoding = headers.find(lines, "content-transfer-encoding").map(super::header_text::unfolded);
        let content_id = headers.find(lines, "content-id").map(super::header_text::decoded);
        let file_name = disposition.text("filename").or_else(|| content_type.text("name"));

        let part = Self {
            number,
            content_type: media_type(&content_type.word, unstated),
            charset: content_type.word("charset").map(|label| label.trim_matches('\'').to_owned()),
            transfer_encoding: transfer_encoding.map(|label| label.to_ascii_lowercase()),
            disposition: Disposition::named(&disposition.word),
            file_name: file_name.map(|name| base_name(&name)),
            content_id: content_id.map(|id| id.trim_matches(['<', '>', ' ']).to_owned()).filter(|id| !id.is_empty()),
            span: headers.body..headers.body,
            flow: flow(&content_type),
            smime_type: content_type.word("smime-type").map(str::to_ascii_lowercase),
            size: 0,
            parts: Vec::new(),
        };
        let boundary = content_type.word("boundary").map(|boundary| boundary.trim_end().as_bytes().to_vec());
        (part, boundary)
    }

    /// Whether it consists of parts, by its type.
    pub fn is_multipart(&self) -> bool {
        self.content_type.starts_with("multipart/") || self.content_type == "multipart"
    }

    /// Whether it is a mail itself.
    pub(super) fn is_mail(&self) -> bool {
        matches!(self.content_type.as_str(), "message/rfc822" | "message/global")
    }

    /// Whether it is HTML.
    pub(super) fn is_html(&self) -> bool {
        matches!(self.content_type.as_str(), "text/html" | "application/xhtml+xml")
    }

    /// Whether it was sent as a file.
    pub(super) fn is_attached(&self) -> bool {
        self.disposition == Some(Disposition::Attachment)
    }

    /// How its bytes were made fit for old servers.
    pub(super) fn transfer(&self) -> Transfer {
        self.transfer_encoding.as_deref().map(Transfer::named).unwrap_or_default()
    }

    /// The parts that have no parts, in the order of the mail.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Part> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            loop {
                let part = waiting.pop()?;
                if part.parts.is_empty() {
                    return Some(part);
                }
                waiting.extend(part.parts.iter().rev());
            }
        })
    }

    pub(super) fn end_at(&mut self, end: usize) {
        self.span.end = end.max(self.span.start);
        self.size = u64::try_from(self.span.len()).unwrap_or(u64::MAX);
    }
}

/// What is no type counts as text, as RFC 2045 section 5.2 has it.
fn media_type(word: &str, unstated: &str) -> String {
    match word {
        "" => unstated.to_owned(),
        "multipart" => word.to_owned(),
        _ if word.contains('/') => word.to_owned(),
        _ => "text/plain".to_owned(),
    }
}

fn flow(content_type: &Structured) -> Flow {
    let is = |name: &str, value: &str| content_type.word(name).is_some_and(|word| word.eq_ignore_ascii_case(value));
    match (is("format", "flowed"), is("delsp", "yes")) {
        (false, _) => Flow::Fixed,
        (true, false) => Flow::Flowed,
        (true, true) => Flow::FlowedWithoutSpace,
    }
}

//! The files of a mail. Their content is never whole in memory; size and digest are found by reading through it once.

use std::ops::Range;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::Part;
use super::transfer::{Decoder, Transfer};
use crate::base_name;
use crate::notes::Notes;

/// Files of a mail that are listed.
const ATTACHMENTS_LIMIT: usize = 100;

/// A file of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The MIME path of its part.
    pub part: String,
    /// A base name without path and control characters, at most 255 characters; never empty.
    pub file_name: String,
    /// `type/subtype` in lower case.
    pub content_type: String,
    /// `Content-ID` without `<>`: what `cid:` links in the HTML name.
    pub content_id: Option<String>,
    /// How it is to be shown.
    pub disposition: Disposition,
    /// Bytes of the content, decoded.
    pub size: u64,
    /// SHA-256 of the content, 64 lower-case hex.
    pub sha256: String,
    span: Range<usize>,
    transfer: Transfer,
}

/// How a part is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// As a file.
    Attachment,
    /// Within the mail.
    Inline,
}

impl Disposition {
    /// The word for documents: `attachment`, `inline`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Attachment => "attachment",
            Self::Inline => "inline",
        }
    }

    /// By the word of `Content-Disposition`; unknown words are files (RFC 2183 section 2.8).
    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "" => None,
            "inline" => Some(Self::Inline),
            _ => Some(Self::Attachment),
        }
    }
}

impl Attachment {
    /// The content, decoded, in pieces of at most 64 KiB; `raw` are the bytes the mail was read from. Each call begins anew.
    pub fn pieces(&self, raw: Bytes) -> impl Iterator<Item = Bytes> + Send + use<> {
        let mut decoder = Decoder::new(self.transfer, self.span.start..self.span.end.min(raw.len()));
        std::iter::from_fn(move || {
            let piece = match decoder.next_span() {
                // A mail of other bytes than it was read from can be shorter.
                Some(span) if span.start < span.end => raw.slice(span),
                Some(_) => return None,
                None => {
                    let mut piece = Vec::new();
                    decoder.fill(&raw, &mut piece);
                    Bytes::from(piece)
                }
            };
            (!piece.is_empty()).then_some(piece)
        })
    }

    fn of(part: &Part, raw: &[u8]) -> Self {
        let (size, sha256) = measured(part, raw);
        let is_related = part.content_id.is_some();
        let unstated = if is_related { Disposition::Inline } else { Disposition::Attachment };
        Self {
            part: part.number.clone(),
            file_name: part.file_name.clone().unwrap_or_else(|| base_name("")),
            content_type: part.content_type.clone(),
            content_id: part.content_id.clone(),
            disposition: part.disposition.unwrap_or(unstated),
            size,
            sha256,
            span: part.span.clone(),
            transfer: part.transfer(),
        }
    }
}

/// The files among the parts of a mail: every part but the text it is read by, in its renditions.
pub(super) fn attachments(tree: &Part, raw: &[u8], notes: &mut Notes) -> Vec<Attachment> {
    let mut found = Vec::new();
    let mut left_out = 0_usize;
    let mut has_text = false;

    for part in tree.leaves() {
        let is_text = is_text(part) && !(has_text && part.file_name.is_some());
        has_text |= is_text;
        match is_text || part.is_multipart() {
            true => {}
            false if found.len() < ATTACHMENTS_LIMIT => found.push(Attachment::of(part, raw)),
            false => left_out += 1,
        }
    }

    if left_out > 0 {
        let message = format!("{left_out} attachments were left out: {ATTACHMENTS_LIMIT} are read of one mail.");
        notes.add("attachments_left_out", "$", message);
    }
    found
}

/// Whether a part is the mail's text. Text with a file name further down (`notes.txt`) is a file, although some programs show it inline.
fn is_text(part: &Part) -> bool {
    let is_text = part.is_html() || matches!(part.content_type.as_str(), "text/plain" | "text/x-amp-html");
    is_text && !part.is_attached()
}

fn measured(part: &Part, raw: &[u8]) -> (u64, String) {
    let mut decoder = Decoder::new(part.transfer(), part.span.clone());
    let mut hasher = Sha256::new();
    let mut size = 0_u64;
    let mut piece = Vec::new();
    loop {
        piece.clear();
        let bytes = match decoder.next_span() {
            Some(span) => raw.get(span).unwrap_or_default(),
            None => {
                decoder.fill(raw, &mut piece);
                piece.as_slice()
            }
        };
        if bytes.is_empty() {
            return (size, hex::encode(hasher.finalize()));
        }
        hasher.update(bytes);
        size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    }
}

//! A mail's bytes, read for what a workflow needs: who wrote, the JSON its author put into the HTML, the files.
//!
//! A mail is never refused: whatever cannot be read is left out with a [`Note`], because the sender has long gone and cannot send it better.
//! Nothing here copies the mail; parts are spans of its bytes, decoded piece by piece.

mod addresses;
mod attachments;
mod block;
mod bodies;
mod headers;
mod microdata;
mod part;
mod scripts;
mod source;

use serde_json::Value;

pub use addresses::Mailbox;
pub use attachments::{Attachment, Disposition};
pub use block::{Block, Entities, Level, Status, Wishes};
pub use bodies::{BODY_TEXT_LIMIT_BYTES, Body};
pub use headers::Headers;
pub use part::Part;
pub use source::Source;

use crate::Note;

/// Most bytes of a mail that are read; what SES takes.
///
/// *Source*: Amazon SES quotas, "maximum message size (including attachments)", 40 MB.
pub const MAIL_LIMIT_BYTES: usize = 40 * 1024 * 1024;

/// What was read in a mail.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    /// The headers people look at.
    pub headers: Headers,
    /// The data: the value of the one block as it was written, several as one array, `null` without any.
    pub data: Value,
    /// Where the data was found; `None` without data.
    pub source: Option<Source>,
    /// Every block that was found, also those that do not count: HTML in the order of the document, then JSON MIME parts, then those of
    /// attached mails.
    pub blocks: Vec<Block>,
    /// Every part that is not the mail's text, in order; at most 100.
    pub attachments: Vec<Attachment>,
    /// The MIME structure.
    pub tree: Part,
    /// What the hook's owner should know; at most 51. A note's path is the number of the part, or `$` for the whole mail.
    pub notes: Vec<Note>,
}

/// Reads a mail as it was stored.
pub fn read(_raw: &[u8], _wishes: &Wishes<'_>) -> Mail {
    Mail::default()
}

impl Mail {
    /// The first `text/plain` part that is not a file; `raw` are the bytes the mail was read from.
    pub fn text(&self, raw: &[u8]) -> Option<Body> {
        bodies::text(&self.tree, raw)
    }

    /// The first HTML part that is not a file, as it was written; `raw` are the bytes the mail was read from.
    pub fn html(&self, raw: &[u8]) -> Option<Body> {
        bodies::html(&self.tree, raw)
    }
}

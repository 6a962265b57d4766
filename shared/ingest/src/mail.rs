//! A mail's bytes, read for what a workflow needs: who wrote, the JSON its author put into the HTML, the files.
//!
//! A mail is never refused: whatever cannot be read is left out with a [`Note`], because the sender has long gone and cannot send it better.
//! Nothing here copies the mail; parts are spans of its bytes, decoded piece by piece.

mod addresses;
mod attachments;
mod block;
mod bodies;
mod charset;
mod header_block;
mod header_text;
mod headers;
mod hints;
mod lines;
mod microdata;
mod parameters;
mod part;
mod scripts;
mod search;
mod source;
mod split;
mod transfer;
mod utf7;

use serde_json::Value;

pub use addresses::Mailbox;
pub use attachments::{Attachment, Disposition};
pub use block::{Block, Entities, Level, Status, Wishes};
pub use bodies::{BODY_TEXT_LIMIT_BYTES, Body};
pub use headers::Headers;
pub use part::Part;
pub use source::Source;

use crate::Note;
use crate::notes::Notes;
use search::search;
use split::{Divided, divide, headed};

/// Most bytes of a mail that are read: what SES takes, and what it writes before it takes it down.
///
/// *Source*: Amazon SES quotas, "maximum message size (including attachments)", 40 MB.
pub const MAIL_LIMIT_BYTES: usize = 41 * 1024 * 1024;

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
///
/// *Units and limits*: [`MAIL_LIMIT_BYTES`], 1,000 parts, 100 multiparts within each other, 1,000 headers a part and 64 KiB a header,
/// 4 MiB of HTML, 100 script tags, 409,600 bytes of JSON, 3 mails within each other. What is past a limit is left out, with a note.
pub fn read(raw: &[u8], wishes: &Wishes<'_>) -> Mail {
    let mut notes = Notes::default();
    let raw = within_limit(raw, &mut notes);
    let Divided { lines, headers, tree } = divide(raw, &mut notes);

    let found = search(&tree, raw, wishes, &mut notes);
    if found.data.is_null() {
        hints::explain(&found, &tree, raw, &mut notes);
    }
    Mail {
        headers: Headers::of(&headers, &lines),
        data: found.data,
        source: found.source,
        blocks: found.blocks,
        attachments: attachments::attachments(&tree, raw, &mut notes),
        tree,
        notes: notes.into_list(),
    }
}

/// The headers of a mail alone, where nothing else of it is asked for.
pub fn headers(raw: &[u8]) -> Headers {
    let (lines, headers) = headed(within_limit(raw, &mut Notes::default()));
    Headers::of(&headers, &lines)
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

fn within_limit<'r>(raw: &'r [u8], notes: &mut Notes) -> &'r [u8] {
    match raw.get(..MAIL_LIMIT_BYTES) {
        Some(beginning) if beginning.len() < raw.len() => {
            notes.add("mail_cut", "$", format!("Only the first {MAIL_LIMIT_BYTES} bytes of the mail were read."));
            beginning
        }
        Some(_) | None => raw,
    }
}

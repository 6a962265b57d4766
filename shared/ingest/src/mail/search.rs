//! The search for data in a mail: in its HTML, else in parts that are JSON, else in attached mails, else in microdata.
//!
//! The first place that has data is the only one that counts, so that a mail that says the same in two ways says it once.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::Value;

use super::block::{Blocks, Origin, combine};
use super::charset::{self, Kind};
use super::split::divide;
use super::transfer::{Transfer, decode_up_to};
use super::{Block, Part, Source, Status, Wishes, microdata};
use crate::notes::Notes;

/// Bytes of HTML that are decoded in one mail, over all its parts and attached mails.
///
/// *Why*: while it is decoded it takes four times its size, and a mail of 40 MB has to be read within 64 MB. Gmail shows 102 kB of it.
const HTML_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a JSON part that are decoded: more than twice the JSON that is read of one mail, because UTF-16 takes two bytes for one.
const JSON_PART_LIMIT_BYTES: usize = 1_000_000;

/// Bytes of an attached mail that are decoded when it was encoded, which no standard allows; others need no copy.
const ENCODED_MAIL_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// Mails within mails that are looked into.
const MAILS_DEPTH_LIMIT: usize = 3;

/// What was found in a mail.
#[derive(Default)]
pub(super) struct Found {
    pub(super) data: Value,
    pub(super) source: Option<Source>,
    pub(super) blocks: Vec<Block>,
    /// Whether an HTML part says that the mail was forwarded.
    pub(super) is_forwarded: bool,
}

/// Searches a mail whose bytes are `raw`.
pub(super) fn search(tree: &Part, raw: &[u8], wishes: &Wishes<'_>, notes: &mut Notes) -> Found {
    let mut search = Search {
        blocks: Blocks::new(wishes),
        html_left_bytes: HTML_LIMIT_BYTES,
        is_html_cut: false,
        is_forwarded: false,
        notes,
    };
    let own = Mail { tree, raw, path: "" };

    let mut found = search.of_mail(&own);
    if found.data.is_null() {
        search.attached_mails(&own, 1, &mut found);
    }
    if found.blocks.is_empty() && wishes.key.is_none() {
        search.microdata(&own, &mut found);
    }
    if found.data.is_null() {
        search.attached_html(&own, &mut found);
    }
    search.note_limits();
    Found { is_forwarded: search.is_forwarded, ..found }
}

/// A mail, or one that is attached to it as the part `path`.
struct Mail<'m> {
    tree: &'m Part,
    raw: &'m [u8],
    path: &'m str,
}

impl<'m> Mail<'m> {
    /// The number of a part, counted from the outermost mail.
    fn number(&self, part: &Part) -> String {
        match self.path {
            "" => part.number.clone(),
            path => format!("{path}.{}", part.number),
        }
    }

    fn html_parts(&self) -> impl Iterator<Item = &'m Part> + use<'m> {
        self.tree.leaves().filter(|part| part.is_html() && !part.is_attached())
    }
}

struct Search<'n> {
    blocks: Blocks,
    html_left_bytes: usize,
    is_html_cut: bool,
    is_forwarded: bool,
    notes: &'n mut Notes,
}

impl Search<'_> {
    /// What a mail says itself: its HTML and its JSON parts.
    fn of_mail(&mut self, mail: &Mail<'_>) -> Found {
        let mut blocks = Vec::new();
        for part in mail.html_parts() {
            let html = self.html(mail, part);
            self.is_forwarded |= is_forwarded(&html);
            blocks.extend(self.blocks.of_html(&mail.number(part), &html, Origin::Html));
        }
        let html_count = blocks.len();
        for part in mail.tree.leaves().filter(|part| is_json(part)) {
            blocks.push(self.json_part(mail, part));
        }

        let (of_html, of_parts) = blocks.split_at_checked(html_count).unwrap_or((&blocks, &[]));
        let of_type = |media_type| data(of_parts.iter().filter(move |block| block.media_type == media_type));
        let (data, source) = match (data(of_html.iter()), of_type("application/ld+json"), of_type("application/json")) {
            (Value::Null, Value::Null, Value::Null) => (Value::Null, None),
            (Value::Null, Value::Null, data) | (Value::Null, data, _) => (data, Some(Source::MimePart)),
            (data, _, _) => (data, Some(Source::Html)),
        };
        Found { data, source, blocks, is_forwarded: false }
    }

    /// Adds what the first attached mail with data says. Each may have mails attached itself.
    fn attached_mails(&mut self, mail: &Mail<'_>, depth: usize, found: &mut Found) {
        for part in mail.tree.leaves().filter(|part| part.is_mail()) {
            if depth > MAILS_DEPTH_LIMIT {
                let message = format!("Only {MAILS_DEPTH_LIMIT} mails within each other are read.");
                self.notes.add("attached_mails_left_out", mail.number(part), message);
                return;
            }

            let path = mail.number(part);
            let raw = self.attached_bytes(mail, part, &path);
            let divided = divide(&raw, &mut Notes::default());
            let inner = Mail { tree: &divided.tree, raw: &raw, path: &path };
            let mut of_inner = self.of_mail(&inner);
            if of_inner.data.is_null() {
                self.attached_mails(&inner, depth + 1, &mut of_inner);
            } else {
                of_inner.source = Some(Source::AttachedMail(path));
            }

            if !of_inner.data.is_null() {
                found.blocks.append(&mut of_inner.blocks);
                found.data = of_inner.data;
                found.source = of_inner.source;
                return;
            }
        }
    }

    fn attached_bytes<'m>(&mut self, mail: &Mail<'m>, part: &Part, path: &str) -> Cow<'m, [u8]> {
        match part.transfer() {
            Transfer::Identity => Cow::Borrowed(mail.raw.get(part.span.clone()).unwrap_or_default()),
            Transfer::Base64 | Transfer::QuotedPrintable => {
                let (bytes, is_cut) =
                    decode_up_to(mail.raw, part.transfer(), part.span.clone(), ENCODED_MAIL_LIMIT_BYTES);
                if is_cut {
                    let message = format!("An attached mail was cut after {ENCODED_MAIL_LIMIT_BYTES} bytes.");
                    self.notes.add("attached_mail_cut", path, message);
                }
                Cow::Owned(bytes)
            }
        }
    }

    fn microdata(&mut self, mail: &Mail<'_>, found: &mut Found) {
        let mut items = Vec::new();
        let mut room = microdata::Room::WHOLE;
        self.html_left_bytes = HTML_LIMIT_BYTES;
        for part in mail.html_parts() {
            let html = self.html(mail, part);
            items.extend(microdata::items(&html, &mut room));
        }
        found.data = combine(items.iter());
        found.source = (!found.data.is_null()).then_some(Source::Microdata);
    }

    /// Lists the blocks of HTML files, which are not what the mail says: they explain why there is no data.
    fn attached_html(&mut self, mail: &Mail<'_>, found: &mut Found) {
        self.html_left_bytes = HTML_LIMIT_BYTES;
        for part in mail.tree.leaves().filter(|part| part.is_html() && part.is_attached()) {
            let html = self.html(mail, part);
            found.blocks.extend(self.blocks.of_html(&mail.number(part), &html, Origin::AttachedHtml));
        }
    }

    /// The text of an HTML part, as far as there is room for it.
    fn html(&mut self, mail: &Mail<'_>, part: &Part) -> String {
        let (bytes, is_cut) = decode_up_to(mail.raw, part.transfer(), part.span.clone(), self.html_left_bytes);
        self.html_left_bytes -= bytes.len();
        self.is_html_cut |= is_cut;
        charset::with_lf(charset::text(bytes, part.charset.as_deref(), Kind::Html))
    }

    fn json_part(&mut self, mail: &Mail<'_>, part: &Part) -> Block {
        let (bytes, _) = decode_up_to(mail.raw, part.transfer(), part.span.clone(), JSON_PART_LIMIT_BYTES);
        let text = charset::with_lf(charset::text(bytes, part.charset.as_deref(), Kind::Plain));
        self.blocks.of_json_part(&mail.number(part), &part.content_type, &text)
    }

    fn note_limits(&mut self) {
        if self.is_html_cut {
            let message = format!("HTML past {HTML_LIMIT_BYTES} bytes was not read.");
            self.notes.add("html_cut", "$", message);
        }
        self.blocks.tell(self.notes);
    }
}

fn data<'b>(blocks: impl Iterator<Item = &'b Block>) -> Value {
    let counting = blocks.filter(|block| matches!(block.status, Status::Ok | Status::Repaired));
    combine(counting.filter_map(|block| block.value.as_ref()))
}

fn is_json(part: &Part) -> bool {
    matches!(part.content_type.as_str(), "application/ld+json" | "application/json")
}

/// Gmail takes all markup out of what it forwards.
fn is_forwarded(html: &str) -> bool {
    html.contains("gmail_quote") && memmem::find(html.as_bytes(), b"Forwarded message").is_some()
}

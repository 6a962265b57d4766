//! The JSON scripts of an HTML text, found by a tokenizer: what looks like a script inside a comment, a text area, a title, a style sheet or
//! an attribute is none. A `</script>` ends a script even within a JSON string, as it does for browsers.

use std::borrow::Cow;
use std::cell::RefCell;

use lol_html::html_content::{Element, TextChunk};
use lol_html::{HtmlRewriter, MemorySettings, Settings, element, text};
use memchr::memchr2_iter;

use crate::json::tolerant::entities;

/// Bytes the tokenizer may keep of open elements and of a tag that never ends: about 100,000 open elements.
///
/// *Why*: it looks at the text where it lies, and keeps only these two.
const MEMORY_LIMIT_BYTES: usize = 24 * 1024 * 1024;

/// The attribute that carries a hook's key.
const KEY_ATTRIBUTE: &str = "data-kustomer-key";

/// Attributes kept of one tag, and characters of each name and value: they are shown to people only.
const ATTRIBUTES_LIMIT: usize = 20;
const ATTRIBUTE_LIMIT_CHARS: usize = 200;

/// A script tag that says it holds JSON.
pub(crate) struct Script {
    /// `application/ld+json` or `application/json`.
    pub(crate) media_type: &'static str,
    /// Its other attributes as written, without the key; names are in lower case.
    pub(crate) attributes: Vec<(String, String)>,
    /// The value of `data-kustomer-key`.
    pub(crate) key: Option<String>,
    /// What stands between the tags, as it is written.
    pub(crate) text: String,
    /// The byte at which the tag begins.
    pub(crate) offset: usize,
}

/// The scripts of one HTML text.
#[derive(Default)]
pub(crate) struct Scripts {
    /// In document order.
    pub(crate) list: Vec<Script>,
    /// How many more there are.
    pub(crate) left_out: usize,
    /// Whether the whole text was looked at.
    pub(crate) end: End,
}

/// How far the search came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// To the end of the text.
    #[default]
    Reached,
    /// To where more elements were open than are kept; what was found before counts.
    TooDeep,
}

/// Finds the scripts of type `application/ld+json` and `application/json`, at most `limit`. Line ends in `html` are LF.
pub(crate) fn scripts(html: &str, limit: usize) -> Scripts {
    // Most mails have no JSON, and this is much faster than to tokenize them.
    if !mentions(html, "json") {
        return Scripts::default();
    }

    let search = RefCell::new(Search { found: Scripts::default(), limit, inside: Inside::Other });
    let end = tokenize(html, &search);
    Scripts { end, ..search.into_inner().found }
}

/// Whether the text has the word, in any case of its ASCII letters.
pub(super) fn mentions(html: &str, word: &str) -> bool {
    let (html, word) = (html.as_bytes(), word.as_bytes());
    let Some(first) = word.first() else {
        return true;
    };
    memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), html)
        .any(|at| html.get(at..at + word.len()).is_some_and(|candidate| candidate.eq_ignore_ascii_case(word)))
}

fn tokenize(html: &str, search: &RefCell<Search>) -> End {
    let tags = element!("script", |tag| {
        search.borrow_mut().begin(tag);
        Ok(())
    });
    let texts = text!("script", |chunk| {
        search.borrow_mut().append(chunk);
        Ok(())
    });
    let settings = Settings::new()
        .with_strict(false)
        .with_memory_settings(MemorySettings::new().with_max_allowed_memory_usage(MEMORY_LIMIT_BYTES))
        .append_element_content_handler(tags)
        .append_element_content_handler(texts);
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});

    match rewriter.write(html.as_bytes()).and_then(|()| rewriter.end()) {
        Ok(()) => End::Reached,
        Err(_) => End::TooDeep,
    }
}

/// The search so far.
struct Search {
    found: Scripts,
    limit: usize,
    inside: Inside,
}

/// Whose text comes next: that of the last script found, or of one that is not wanted.
enum Inside {
    Found,
    Other,
}

impl Search {
    fn begin(&mut self, tag: &Element<'_, '_>) {
        self.inside = Inside::Other;
        let Some(media_type) = media_type(tag) else {
            return;
        };
        if self.found.list.len() >= self.limit {
            self.found.left_out += 1;
            return;
        }

        self.inside = Inside::Found;
        self.found.list.push(Script {
            media_type,
            attributes: other_attributes(tag),
            key: attribute(tag, KEY_ATTRIBUTE),
            text: String::new(),
            offset: tag.source_location().bytes().start,
        });
    }

    fn append(&mut self, chunk: &TextChunk<'_>) {
        if let (Inside::Found, Some(script)) = (&self.inside, self.found.list.last_mut()) {
            // HTML has no NUL characters; this is what they are read as.
            script.text.push_str(&replaced_nuls(chunk.as_str()));
        }
    }
}

fn replaced_nuls(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

fn media_type(tag: &Element<'_, '_>) -> Option<&'static str> {
    let stated = attribute(tag, "type")?;
    let essence = stated.split(';').next()?.trim();

    ["application/ld+json", "application/json"].into_iter().find(|known| essence.eq_ignore_ascii_case(known))
}

/// The value of an attribute, with its character references decoded.
fn attribute(tag: &Element<'_, '_>, name: &str) -> Option<String> {
    let written = tag.get_attribute(name)?;
    Some(entities::decoded(&written).unwrap_or(written))
}

fn other_attributes(tag: &Element<'_, '_>) -> Vec<(String, String)> {
    let mut others: Vec<(String, String)> = Vec::new();

    for sent in tag.attributes().iter() {
        let name = shortened(sent.name());
        let is_new = !others.iter().any(|(known, _)| *known == name);
        if is_new && name != "type" && name != KEY_ATTRIBUTE && others.len() < ATTRIBUTES_LIMIT {
            others.push((name, shortened(sent.value())));
        }
    }
    others
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(ATTRIBUTE_LIMIT_CHARS) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

//! Mailboxes of address headers, read as leniently as mail programs do: whatever has an address is one, and a group is its members.
//!
//! *Source*: RFC 5322 section 3.4, with the obsolete forms of section 4.4.

use super::header_text::{encoded_word_bytes, unfolded, without_encoded_words};

/// Mailboxes that are read of one header.
const MAILBOXES_LIMIT: usize = 100;

/// Who a mail is from or to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, decoded; `None` without one.
    pub name: Option<String>,
    /// The address as it was written, without white space and control characters; never empty.
    pub address: String,
}

/// The mailboxes of a header; members of groups like any other.
pub(super) fn mailboxes(value: &[u8]) -> Vec<Mailbox> {
    read(value).into_iter().map(|(mailbox, _)| mailbox).collect()
}

/// The one address of a header, if it is written in a way that everybody reads alike.
///
/// *Why*: what we mend in `jo@shop.co .uk`, whoever checked the author may have read as `jo@shop.co`.
pub(super) fn plain_address(value: &[u8]) -> Option<String> {
    // To some programs a CR alone ends a line, and with it the header.
    if value.split(|byte| *byte == b'\r').skip(1).any(|rest| !rest.starts_with(b"\n") && !rest.starts_with(b" ")) {
        return None;
    }
    match read(value).as_slice() {
        [(mailbox, Form::Plain)] => Some(mailbox.address.clone()),
        [] | [(_, Form::Mended)] | [_, _, ..] => None,
    }
}

/// How an address was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As RFC 5322 writes it without quotes, comments and white space.
    Plain,
    /// In any other way.
    Mended,
}

fn read(value: &[u8]) -> Vec<(Mailbox, Form)> {
    let text = unfolded(value);
    let mut reader = Reader { rest: &text, found: Vec::new(), entry: Entry::default() };
    while reader.found.len() < MAILBOXES_LIMIT && reader.step() {}
    reader.found
}

struct Reader<'t> {
    rest: &'t str,
    found: Vec<(Mailbox, Form)>,
    entry: Entry,
}

/// What was read of one mailbox.
#[derive(Default)]
struct Entry {
    /// Words outside of angles: the name, or the address when there are no angles.
    words: String,
    /// Whether some of these words were in quotes.
    is_quoted: bool,
    /// In angles.
    address: Option<String>,
    /// Whether a route stood before it.
    is_routed: bool,
    /// In parentheses: where old programs put the name.
    comment: Option<String>,
}

impl Reader<'_> {
    /// Reads one piece of the header; whether there may be more.
    fn step(&mut self) -> bool {
        if let Some(word_bytes) = encoded_word_bytes(self.rest) {
            let (word, rest) = self.rest.split_at_checked(word_bytes).unwrap_or((self.rest, ""));
            self.entry.words.push_str(word);
            self.rest = rest;
            return true;
        }

        let mut characters = self.rest.chars();
        let Some(character) = characters.next() else {
            self.end_entry();
            return false;
        };
        self.rest = characters.as_str();
        match character {
            '"' => self.quoted(),
            '(' => self.comment(),
            '<' => self.angle(),
            ',' | ';' => self.end_entry(),
            // What stands before is the name of a group, unless it is an address itself.
            ':' if self.entry.address.is_none() && self.entry.words.contains('@') => self.end_entry(),
            ':' if self.entry.address.is_none() => self.entry = Entry::default(),
            _ => self.entry.words.push(character),
        }
        true
    }

    fn quoted(&mut self) {
        self.entry.is_quoted = true;
        let mut characters = self.rest.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => self.entry.words.extend(characters.next()),
                _ => self.entry.words.push(character),
            }
        }
        self.rest = characters.as_str();
    }

    /// Comments can hold comments.
    fn comment(&mut self) {
        let mut text = String::new();
        let mut depth = 1_usize;
        let mut characters = self.rest.chars();
        while let Some(character) = characters.next() {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                '\\' => {
                    text.extend(characters.next());
                    continue;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
            text.push(character);
        }
        self.rest = characters.as_str();
        self.entry.comment = Some(text);
        self.entry.words.push(' ');
    }

    fn angle(&mut self) {
        if self.entry.address.is_some() {
            self.end_entry();
        }
        let end = self.rest.find(['>', ',']).unwrap_or(self.rest.len());
        let is_route = self.rest.starts_with('@');
        let end = if is_route { self.rest.find('>').unwrap_or(end) } else { end };
        let (address, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));

        // `<@relay.example:jo@shop.example>`: the way it should go, which nobody follows any more.
        let address = if is_route { address.rsplit(':').next().unwrap_or(address) } else { address };
        self.entry.address = Some(address.to_owned());
        self.entry.is_routed = is_route;
        self.rest = rest.strip_prefix('>').unwrap_or(rest);
    }

    fn end_entry(&mut self) {
        let entry = std::mem::take(&mut self.entry);
        self.found.extend(entry.into_mailbox());
    }
}

impl Entry {
    fn into_mailbox(self) -> Option<(Mailbox, Form)> {
        let words = without_encoded_words(&self.words);
        let is_mended = self.is_routed || (self.address.is_none() && (self.is_quoted || words != self.words));
        let (written, name) = match self.address {
            Some(address) => (address, words),
            None => (words, self.comment.map(|text| without_encoded_words(&text)).unwrap_or_default()),
        };

        let address: String =
            written.chars().filter(|character| !character.is_whitespace() && !character.is_control()).collect();
        let form =
            if !is_mended && written.trim() == address && is_plain(&address) { Form::Plain } else { Form::Mended };
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        (!address.is_empty()).then(|| (Mailbox { name: Some(name).filter(|name| !name.is_empty()), address }, form))
    }
}

/// *Source*: `dot-atom` of RFC 5322, 3.2.3, with the letters that RFC 6532 adds.
fn is_plain(address: &str) -> bool {
    let is_atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && local.chars().chain(domain.chars()).all(is_atom)
    })
}

//! The reading of all blocks of one mail. The limits hold over the whole mail, so one reader sees them all, in document order.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Block, Entities, Level, Status, Wishes};
use crate::json::tolerant;
use crate::json::tolerant::entities;
use crate::mail::scripts::{End, Script, scripts};
use crate::notes::Notes;

/// Bytes of JSON text that are read of one mail, over all its blocks.
///
/// *Why*: a body of the other hooks may be as long (Kustomer's 400 kB).
const JSON_LIMIT_BYTES: usize = 409_600;

/// Script tags that are looked at in one mail.
const SCRIPTS_LIMIT: usize = 100;

/// What a block was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// HTML that is the mail's text.
    Html,
    /// HTML that was attached.
    AttachedHtml,
    /// A MIME part that is JSON.
    JsonPart,
}

/// The reader of one mail's blocks.
pub(crate) struct Blocks {
    key_digest: Option<[u8; 32]>,
    entities: Entities,
    left_bytes: usize,
    left_scripts: usize,
    scripts_left_out: usize,
    blocks_left_out: usize,
    end: End,
}

impl Blocks {
    pub(crate) fn new(wishes: &Wishes<'_>) -> Self {
        Self {
            key_digest: wishes.key.map(digest),
            entities: wishes.entities,
            left_bytes: JSON_LIMIT_BYTES,
            left_scripts: SCRIPTS_LIMIT,
            scripts_left_out: 0,
            blocks_left_out: 0,
            end: End::Reached,
        }
    }

    /// Reads the JSON scripts of one HTML part, whose line ends are LF. `origin` is one of the two kinds of HTML.
    pub(crate) fn of_html(&mut self, part: &str, html: &str, origin: Origin) -> Vec<Block> {
        let found = scripts(html, self.left_scripts);
        self.left_scripts = self.left_scripts.saturating_sub(found.list.len());
        self.scripts_left_out += found.left_out;
        if found.end == End::TooDeep {
            self.end = End::TooDeep;
        }

        found.list.into_iter().map(|script| self.of_script(part, script, origin)).collect()
    }

    /// Reads a MIME part that is JSON; `text` is its decoded text.
    pub(crate) fn of_json_part(&mut self, part: &str, media_type: &str, text: &str) -> Block {
        let block = unread(part, media_type);
        match self.key_digest {
            Some(_) => Block { status: Status::Unkeyed, ..block },
            None => self.read(block, text, Origin::JsonPart),
        }
    }

    /// Says what the limits left out, once all parts were read.
    pub(crate) fn tell(&self, notes: &mut Notes) {
        if self.scripts_left_out > 0 {
            let count = self.scripts_left_out;
            notes.add(
                "scripts_left_out",
                "$",
                format!("Of the JSON scripts the first {SCRIPTS_LIMIT} were read; {count} more were left out."),
            );
        }
        if self.blocks_left_out > 0 {
            let count = self.blocks_left_out;
            notes.add(
                "json_left_out",
                "$",
                format!("The mail has more than {JSON_LIMIT_BYTES} bytes of JSON; {count} blocks were left out."),
            );
        }
        if self.end == End::TooDeep {
            notes.add("html_left_out", "$", "The HTML opens too many elements; what follows them was left out.");
        }
    }

    fn of_script(&mut self, part: &str, script: Script, origin: Origin) -> Block {
        let is_keyed = self.has_key(script.key.as_deref());
        let block = Block { attributes: script.attributes, offset: script.offset, ..unread(part, script.media_type) };

        match is_keyed {
            true => self.read(block, &script.text, origin),
            false => Block { status: Status::Unkeyed, ..block },
        }
    }

    /// *Why digests*: comparing them takes as long whatever the key's length and wherever the first difference is.
    fn has_key(&self, sent: Option<&str>) -> bool {
        let Some(wanted) = &self.key_digest else {
            return true;
        };
        sent.is_some_and(|sent| digest(sent).ct_eq(wanted).into())
    }

    fn read(&mut self, block: Block, text: &str, origin: Origin) -> Block {
        if is_blank(text) {
            return Block { status: Status::Empty, ..block };
        }
        let Some(left_bytes) = self.left_bytes.checked_sub(text.len()) else {
            self.blocks_left_out += 1;
            return Block { status: Status::LeftOut, ..block };
        };
        self.left_bytes = left_bytes;

        match tolerant::read(text) {
            Ok((value, repairs)) => judged(self.decoded(value), repairs, origin, block),
            Err(problem) => Block { status: Status::Error, error: Some(problem.to_string()), ..block },
        }
    }

    fn decoded(&self, value: Value) -> Value {
        match self.entities {
            Entities::Kept => value,
            Entities::Decoded => with_strings_decoded(value),
        }
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

fn unread(part: &str, media_type: &str) -> Block {
    Block {
        part: part.to_owned(),
        media_type: media_type.to_owned(),
        attributes: Vec::new(),
        status: Status::Empty,
        repairs: Vec::new(),
        error: None,
        offset: 0,
        level: Level::None,
        value: None,
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || character == '\u{feff}')
}

/// The block once its value is known: only objects and arrays with something in them are data.
fn judged(value: Value, repairs: Vec<&'static str>, origin: Origin, block: Block) -> Block {
    let status = match &value {
        Value::Object(map) if map.is_empty() => Status::Empty,
        Value::Array(list) if list.is_empty() => Status::Empty,
        Value::Object(_) | Value::Array(_) if repairs.is_empty() => Status::Ok,
        Value::Object(_) | Value::Array(_) => Status::Repaired,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Status::Scalar,
    };
    let level = match (status, origin) {
        (Status::Ok, Origin::Html) => Level::Strict,
        (Status::Repaired, Origin::Html) => Level::Lenient,
        (Status::Ok | Status::Repaired, Origin::AttachedHtml) => Level::Attachment,
        (Status::Ok | Status::Repaired, Origin::JsonPart) => Level::MimePart,
        (Status::Error | Status::Empty | Status::Scalar | Status::Unkeyed | Status::LeftOut, _) => Level::None,
    };
    Block { status, level, repairs, value: Some(value), ..block }
}

/// The value with the character references in its strings decoded once; keys stay, because workflows name them.
fn with_strings_decoded(value: Value) -> Value {
    match value {
        Value::String(text) => match entities::decoded(&text) {
            Some(decoded) => Value::String(decoded),
            None => Value::String(text),
        },
        Value::Array(list) => Value::Array(list.into_iter().map(with_strings_decoded).collect()),
        Value::Object(map) => Value::Object(
            map.into_iter().map(|(key, member)| (key, with_strings_decoded(member))).collect::<Map<_, _>>(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

//! JSON found in a mail, block by block: what was asked of it, what became of it.
//!
//! A block that cannot be read never hides another one: it is kept, with a sentence about why.

mod combine;
mod reading;

use serde_json::Value;

pub(crate) use combine::combine;
pub(crate) use reading::{Blocks, Origin};

/// What a hook asks of the mails sent to it.
#[derive(Debug, Clone, Default)]
pub struct Wishes<'a> {
    /// The `data-kustomer-key` that a script tag has to carry; JSON found elsewhere counts for nothing then.
    pub key: Option<&'a str>,
    /// What becomes of character references in the strings of valid JSON.
    pub entities: Entities,
}

/// What becomes of character references in the strings of valid JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Entities {
    /// They stay as they were written, as the W3C asks.
    #[default]
    Kept,
    /// They are decoded once: shops escape their JSON for HTML, so `&` arrives as `&amp;`.
    Decoded,
}

/// One piece of JSON that a mail offered, also when it counts for nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Where in the mail: the number of the MIME part (`1.2`).
    pub part: String,
    /// `application/ld+json` or `application/json`.
    pub media_type: String,
    /// The script tag's other attributes, at most 20 of 200 characters; `data-kustomer-key` is never among them.
    pub attributes: Vec<(String, String)>,
    /// What became of it.
    pub status: Status,
    /// What had to be mended, by name and in the order of the alphabet (`trailing-comma`).
    pub repairs: Vec<&'static str>,
    /// Why it could not be read: a sentence with line and column of the block's text, and none of the text itself.
    pub error: Option<String>,
    /// Where the script tag begins: bytes of the decoded part.
    pub offset: usize,
    /// How far it is to be believed.
    pub level: Level,
    /// The value as it was written, of every block that was read.
    pub value: Option<Value>,
}

/// What became of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is valid JSON: an object or an array with something in it.
    Ok,
    /// It was read after it had been mended.
    Repaired,
    /// It could not be read.
    Error,
    /// There was nothing in it, or an empty object or array.
    Empty,
    /// It is a text, a number, a truth value or null, which is no data.
    Scalar,
    /// It does not carry the key the hook asks for, and was not read.
    Unkeyed,
    /// The mail had too much JSON before it, so it was not read.
    LeftOut,
}

impl Status {
    /// The word for programs: `ok`, `repaired`, `error`, `empty`, `scalar`, `unkeyed`, `left_out`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Repaired => "repaired",
            Self::Error => "error",
            Self::Empty => "empty",
            Self::Scalar => "scalar",
            Self::Unkeyed => "unkeyed",
            Self::LeftOut => "left_out",
        }
    }
}

/// How far a block is to be believed; only blocks with a level other than `None` can become data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Valid JSON in the mail's HTML.
    Strict,
    /// Mended JSON in the mail's HTML.
    Lenient,
    /// A MIME part of its own.
    MimePart,
    /// HTML that was attached, which is not what the mail says: it is shown and never used.
    Attachment,
    /// It counts for nothing.
    None,
}

impl Level {
    /// The word for programs: `strict`, `lenient`, `mime-part`, `attachment`, `none`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Lenient => "lenient",
            Self::MimePart => "mime-part",
            Self::Attachment => "attachment",
            Self::None => "none",
        }
    }
}

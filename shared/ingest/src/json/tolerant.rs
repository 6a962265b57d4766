//! JSON as people put it into mails: valid or nearly so.
//!
//! Valid JSON is read as [`super::parse`] reads it, without a repair. What is mended is what senders are known to get wrong; nothing is ever
//! completed or guessed, so a document that was cut off, a bare word, an assignment and a template's leftovers are problems.

pub(crate) mod entities;
mod reader;
mod space;
mod string;

use serde_json::Value;

use reader::Reader;

/// Objects and arrays a document may nest.
///
/// *Why not 128*: that is where readers of JSON give up, our own among them, and the value is sent and stored inside other documents.
pub const DEPTH_LIMIT: usize = 112;

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column}).")]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// What is wrong there, without a full stop; it repeats nothing of the text.
    pub message: &'static str,
}

/// Something that had to be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Repair {
    BadEscape,
    Bom,
    Cdata,
    Comment,
    Concatenated,
    ControlChar,
    HtmlComment,
    HtmlEntities,
    LoneSurrogate,
    MissingComma,
    OddWhitespace,
    SingleQuotes,
    TrailingComma,
    TrailingSemicolon,
    UnquotedKey,
}

impl Repair {
    const fn name(self) -> &'static str {
        match self {
            Self::BadEscape => "bad-escape",
            Self::Bom => "bom",
            Self::Cdata => "cdata",
            Self::Comment => "comment",
            Self::Concatenated => "concatenated",
            Self::ControlChar => "control-char",
            Self::HtmlComment => "html-comment",
            Self::HtmlEntities => "html-entities",
            Self::LoneSurrogate => "lone-surrogate",
            Self::MissingComma => "missing-comma",
            Self::OddWhitespace => "odd-whitespace",
            Self::SingleQuotes => "single-quotes",
            Self::TrailingComma => "trailing-comma",
            Self::TrailingSemicolon => "trailing-semicolon",
            Self::UnquotedKey => "unquoted-key",
        }
    }
}

/// What is wrong at a byte of the text.
struct Fault {
    at: usize,
    message: &'static str,
}

/// Reads a JSON text. With the value come the names of what was mended, each once and in the order of the alphabet; none for valid JSON.
///
/// The repairs: `bad-escape` (`\'`: the backslash is left out), `bom`, `cdata`, `comment` (`//`, `/* */`),
/// `concatenated` (several objects in a row become an array), `control-char` (raw in a string), `html-comment`, `html-entities` (the
/// document was escaped for HTML as a whole), `lone-surrogate` (becomes U+FFFD), `missing-comma` (`}{` in an array), `odd-whitespace`,
/// `single-quotes`, `trailing-comma`, `trailing-semicolon`, `unquoted-key`.
///
/// Numbers keep their spelling; of a key that comes more than once the last value counts.
///
/// *Units and limits*: [`DEPTH_LIMIT`], [`super::KEYS_LIMIT`], [`super::NUMBER_LIMIT_CHARS`]. The work grows with the length of the text.
///
/// *Errors*: the first place that cannot be read.
pub fn read(text: &str) -> Result<(Value, Vec<&'static str>), Problem> {
    let fault = match Reader::new(text).document() {
        Ok((value, repairs)) => return Ok((value, names(repairs))),
        Err(fault) => fault,
    };

    // A reference where a quote or a name should be: the document was escaped for HTML, quotes and all.
    let is_escaped = text.get(fault.at..).is_some_and(|rest| rest.starts_with('&'));
    if is_escaped
        && let Some(decoded) = entities::decoded(text)
        && let Ok((value, mut repairs)) = Reader::new(&decoded).document()
    {
        repairs.push(Repair::HtmlEntities);
        return Ok((value, names(repairs)));
    }
    Err(problem(text, &fault))
}

fn names(mut repairs: Vec<Repair>) -> Vec<&'static str> {
    repairs.sort_unstable();
    repairs.dedup();
    repairs.into_iter().map(Repair::name).collect()
}

fn problem(text: &str, fault: &Fault) -> Problem {
    let before = text.get(..fault.at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);

    Problem {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        message: fault.message,
    }
}

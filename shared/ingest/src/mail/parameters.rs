//! A structured header (`text/html; charset=utf-8`) taken apart, with parameters that are cut in pieces and encoded.
//!
//! *Source*: RFC 2231; RFC 2047 words in parameters, which the standard forbids and most mail programs write, are decoded too.

use percent_encoding::percent_decode_str;

use super::charset::short_text;
use super::header_text::{unfolded, without_encoded_words};
use crate::media_type::parameters;

/// Pieces of one parameter that are put together.
const PIECES_LIMIT: usize = 1_000;

/// A structured header.
#[derive(Default)]
pub(super) struct Structured {
    /// What stands before the parameters, in lower case.
    pub(super) word: String,
    parameters: Vec<(String, String)>,
}

impl Structured {
    pub(super) fn parse(value: &[u8]) -> Self {
        let text = unfolded(value);
        // Some senders leave out the semicolon (`text/html charset=utf-8`) or write a comma.
        let end = text.find([';', ',', ' ', '(']).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end).unwrap_or((&text, ""));
        let rest = rest.trim_start_matches([';', ',', ' ']);
        Self { word: word.trim_matches('"').to_ascii_lowercase(), parameters: parameters(&format!(";{rest}")) }
    }

    /// A parameter that is a word.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A parameter that is text for people. Its encoded form counts before its plain one, because the charset is stated.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = self.encoded(name).or_else(|| self.word(name).map(without_encoded_words));
        text.filter(|text| !text.is_empty())
    }

    /// Puts `name*0`, `name*1*`, … or `name*` together.
    fn encoded(&self, name: &str) -> Option<String> {
        let mut pieces: Vec<Piece<'_>> =
            self.parameters.iter().filter_map(|(key, value)| Piece::of(key, value, name)).take(PIECES_LIMIT).collect();
        pieces.sort_by_key(|piece| piece.index);

        let (label, rest_of_first) = match pieces.first()? {
            Piece { index: 0, is_encoded: true, text } => split_charset(text),
            Piece { index: 0, is_encoded: false, text } => ("", *text),
            Piece { .. } => return None,
        };

        let mut bytes = Vec::new();
        for (index, piece) in pieces.iter().enumerate().take_while(|(index, piece)| piece.index == *index) {
            let text = if index == 0 { rest_of_first } else { piece.text };
            match piece.is_encoded {
                true => bytes.extend(percent_decode_str(text)),
                false => bytes.extend_from_slice(text.as_bytes()),
            }
        }
        let text = short_text(&bytes, label).into_owned();
        Some(if label.is_empty() { without_encoded_words(&text) } else { text })
    }
}

/// One piece of a parameter.
struct Piece<'p> {
    index: usize,
    is_encoded: bool,
    text: &'p str,
}

impl<'p> Piece<'p> {
    fn of(key: &str, value: &'p str, name: &str) -> Option<Self> {
        let marks = key.strip_prefix(name)?.strip_prefix('*')?;
        let digits = marks.strip_suffix('*');
        let (digits, is_encoded) = match (marks, digits) {
            ("", _) => ("0", true),
            (_, Some(digits)) => (digits, true),
            (digits, None) => (digits, false),
        };
        Some(Self { index: digits.parse().ok()?, is_encoded, text: value })
    }
}

/// `utf-8'en'na%C3%AFve`: the charset and what is encoded.
fn split_charset(text: &str) -> (&str, &str) {
    let parts = text.split_once('\'').and_then(|(label, rest)| Some((label, rest.split_once('\'')?.1)));
    parts.unwrap_or(("", text))
}

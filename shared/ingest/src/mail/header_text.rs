//! The text of a header: unfolded, and with its encoded words (`=?utf-8?q?Caf=C3=A9?=`) decoded.
//!
//! *Source*: RFC 2047, read as leniently as mail programs do: within quotes, with white space inside, cut within a character.

use encoding_rs::WINDOWS_1252;
use memchr::memmem;

use super::charset;
use super::transfer::{Transfer, decode, hex_digit};

/// Characters of a charset's name in an encoded word.
const CHARSET_LIMIT_CHARS: usize = 64;

/// A header as it was written: unfolded, with white space for control characters, trimmed; bytes that are not UTF-8 count as windows-1252.
pub(super) fn unfolded(value: &[u8]) -> String {
    let text = match std::str::from_utf8(value) {
        Ok(text) => text.into(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(value).0,
    };
    let visible: String = text
        .chars()
        .filter(|character| !matches!(character, '\r' | '\n'))
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    visible.trim().to_owned()
}

/// A header as it is meant.
pub(super) fn decoded(value: &[u8]) -> String {
    without_encoded_words(&unfolded(value))
}

/// The text with its encoded words decoded. White space between two of them is no part of the text.
pub(super) fn without_encoded_words(text: &str) -> String {
    let Some(last_end) = text.rfind("?=") else {
        return text.to_owned();
    };

    let mut output = String::with_capacity(text.len());
    let mut run: Option<Run> = None;
    let mut rest = text;
    while let Some(found) = memmem::find(rest.as_bytes(), b"=?") {
        let (before, from_word) = rest.split_at_checked(found).unwrap_or((rest, ""));
        let is_possible = text.len() - from_word.len() < last_end;
        let Some((word, after)) = is_possible.then(|| Word::parse(from_word)).flatten() else {
            let (mark, after) = from_word.split_at_checked(2).unwrap_or((from_word, ""));
            finish(&mut run, &mut output);
            output.push_str(before);
            output.push_str(mark);
            rest = after;
            continue;
        };

        if run.is_none() || !before.trim().is_empty() {
            finish(&mut run, &mut output);
            output.push_str(before);
        }
        add(&mut run, word, &mut output);
        rest = after;
    }
    finish(&mut run, &mut output);
    output.push_str(rest);
    output.chars().filter(|character| !character.is_control()).collect()
}

/// Where an encoded word that begins the text ends.
pub(super) fn encoded_word_bytes(text: &str) -> Option<usize> {
    Word::parse(text).map(|(_, after)| text.len() - after.len())
}

/// An encoded word.
struct Word<'t> {
    charset: &'t str,
    transfer: Transfer,
    encoded: &'t str,
}

impl<'t> Word<'t> {
    /// Reads the word that begins the text; gives what follows it too.
    fn parse(text: &'t str) -> Option<(Self, &'t str)> {
        let rest = text.strip_prefix("=?")?;
        let charset_chars = rest.bytes().take(CHARSET_LIMIT_CHARS + 1).position(|byte| byte == b'?')?;
        let (charset, rest) = rest.split_at_checked(charset_chars)?;
        let rest = rest.strip_prefix('?')?;

        let transfer = match rest.as_bytes().first()? {
            b'q' | b'Q' => Transfer::QuotedPrintable,
            b'b' | b'B' => Transfer::Base64,
            _ => return None,
        };
        let rest = rest.get(1..)?.strip_prefix('?')?;
        let end = memmem::find(rest.as_bytes(), b"?=")?;
        Some((Self { charset, transfer, encoded: rest.get(..end)? }, rest.get(end + 2..)?))
    }

    fn bytes(&self) -> Vec<u8> {
        match self.transfer {
            Transfer::QuotedPrintable => q_decoded(self.encoded.as_bytes()),
            Transfer::Base64 | Transfer::Identity => decode(self.encoded.as_bytes(), self.transfer),
        }
    }
}

/// Words next to each other in one charset: senders cut them within a character.
struct Run {
    charset: String,
    bytes: Vec<u8>,
}

fn add(run: &mut Option<Run>, word: Word<'_>, output: &mut String) {
    // RFC 2231 puts the language behind a `*`.
    let charset = word.charset.split('*').next().unwrap_or_default();
    match run {
        Some(run) if run.charset.eq_ignore_ascii_case(charset) => run.bytes.extend(word.bytes()),
        Some(_) | None => {
            finish(run, output);
            *run = Some(Run { charset: charset.to_owned(), bytes: word.bytes() });
        }
    }
}

fn finish(run: &mut Option<Run>, output: &mut String) {
    if let Some(run) = run.take() {
        output.push_str(&charset::short_text(&run.bytes, &run.charset));
    }
}

/// The Q encoding: quoted-printable in which `_` is a space and white space stays.
fn q_decoded(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'_', _) => bytes.push(b' '),
            (b'=', [high, low, after @ ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                (_, _) => bytes.push(b'='),
            },
            (byte, _) => bytes.push(*byte),
        }
    }
    bytes
}

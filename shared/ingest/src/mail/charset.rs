//! Bytes of a mail turned into text. The charset a mail states is often wrong, so what the bytes themselves say counts before and after it.

use std::borrow::Cow;
use std::string::FromUtf8Error;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use memchr::memchr;

use super::transfer::PIECE_BYTES;
use super::utf7;
use crate::charset::encoding_named;

/// Bytes of an HTML document in which its `<meta charset>` is looked for.
///
/// *Source*: HTML standard, "prescan a byte stream to determine its encoding".
const META_LIMIT_BYTES: usize = 1024;

/// Longest charset name in a `<meta>`.
const LABEL_LIMIT_BYTES: usize = 64;

/// What the bytes are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// HTML, which may name its charset itself.
    Html,
    /// Any other text.
    Plain,
}

/// Decodes a whole part, in this order: UTF-8 mark, stated charset, UTF-16 mark, valid UTF-8, `<meta charset>`, windows-1252.
///
/// `us-ascii` and unknown names count as not stated: programs write them without looking at the text.
pub(super) fn text(bytes: Vec<u8>, stated: Option<&str>, kind: Kind) -> String {
    let mark = Encoding::for_bom(&bytes);
    if let Some((encoding, mark_bytes)) = mark
        && encoding == UTF_8
    {
        return decoded(bytes, encoding, mark_bytes);
    }
    if stated.is_some_and(utf7::is_label) {
        return utf7::decoded(&bytes);
    }

    let stated = stated.filter(|label| !is_ascii_label(label)).and_then(encoding_named);
    match (stated, mark) {
        (Some(encoding), None) => decoded(bytes, encoding, 0),
        // A mark says which of the two UTF-16 it is, and the stated name need not be right about that.
        (Some(encoding), Some((marked, mark_bytes))) if is_utf16(encoding) => decoded(bytes, marked, mark_bytes),
        (Some(encoding), Some(_)) => decoded(bytes, encoding, 0),
        (None, Some((marked, mark_bytes))) => decoded(bytes, marked, mark_bytes),
        (None, None) => unstated(bytes, kind),
    }
}

/// Decodes a word or a parameter of a header.
pub(super) fn short_text<'b>(bytes: &'b [u8], stated: &str) -> Cow<'b, str> {
    if utf7::is_label(stated) {
        return Cow::Owned(utf7::decoded(bytes));
    }
    let encoding = match encoding_named(stated).filter(|_| !is_ascii_label(stated)) {
        Some(encoding) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    encoding.decode_without_bom_handling(bytes).0
}

/// The text with LF for every line end, in place.
pub(super) fn with_lf(text: String) -> String {
    let mut bytes = text.into_bytes();
    let (mut read, mut written) = (0, 0);
    while let Some(rest) = bytes.get(read..).filter(|rest| !rest.is_empty()) {
        let line_bytes = memchr(b'\r', rest).unwrap_or(rest.len());
        bytes.copy_within(read..read + line_bytes, written);
        read += line_bytes;
        written += line_bytes;
        if read < bytes.len() {
            read += if bytes.get(read + 1) == Some(&b'\n') { 2 } else { 1 };
            bytes.get_mut(written).into_iter().for_each(|byte| *byte = b'\n');
            written += 1;
        }
    }
    bytes.truncate(written);
    String::from_utf8(bytes).unwrap_or_default()
}

fn is_utf16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

fn is_ascii_label(label: &str) -> bool {
    ["us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us"].iter().any(|name| label.trim().eq_ignore_ascii_case(name))
}

fn unstated(bytes: Vec<u8>, kind: Kind) -> String {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return text,
        Err(error) if is_cut_utf8(&error) => return String::from_utf8_lossy(error.as_bytes()).into_owned(),
        Err(error) => error.into_bytes(),
    };
    let encoding = match kind {
        Kind::Html => meta_encoding(&bytes).unwrap_or(WINDOWS_1252),
        Kind::Plain => WINDOWS_1252,
    };
    decoded(bytes, encoding, 0)
}

/// Whether only the last character is missing bytes, as when a part was cut: there has to be a whole one before it, or it is another charset.
fn is_cut_utf8(error: &FromUtf8Error) -> bool {
    let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    error.utf8_error().error_len().is_none() && !valid.is_ascii()
}

/// Decodes without a copy when the bytes are valid UTF-8 already.
fn decoded(mut bytes: Vec<u8>, encoding: &'static Encoding, mark_bytes: usize) -> String {
    bytes.drain(..mark_bytes.min(bytes.len()));
    if encoding != UTF_8 {
        return recoded(&bytes, encoding);
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Decodes piece by piece, because all at once would take room for the longest text that the bytes could be.
fn recoded(bytes: &[u8], encoding: &'static Encoding) -> String {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(bytes.len());
    let mut pieces = bytes.chunks(PIECE_BYTES).peekable();
    while let Some(piece) = pieces.next() {
        // More than one call is never needed with the room that the decoder asks for.
        text.reserve(decoder.max_utf8_buffer_length(piece.len()).unwrap_or_default());
        let _ = decoder.decode_to_string(piece, &mut text, pieces.peek().is_none());
    }
    text
}

/// The encoding after the first `charset=` of a document's beginning. UTF-16 cannot be meant, because the name itself was readable.
fn meta_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let beginning = bytes.get(..META_LIMIT_BYTES).unwrap_or(bytes).to_ascii_lowercase();
    let meta = memchr::memmem::find(&beginning, b"<meta")?;
    let from_meta = beginning.get(meta..)?;
    let name = memchr::memmem::find(from_meta, b"charset")?;
    let value = from_meta.get(name + "charset".len()..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);

    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'>' | b';' | b'/');
    let end = value.iter().take(LABEL_LIMIT_BYTES).position(is_end)?;
    let encoding = encoding_named(std::str::from_utf8(value.get(..end)?).ok()?)?;
    Some(if is_utf16(encoding) { UTF_8 } else { encoding })
}

//! Bytes turned into text. A byte order mark is believed before any label, because it is part of what was sent.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, UTF_8};

use crate::notes::Notes;
use crate::refusal::{Refusal, malformed};

/// What becomes of bytes that are not text in their encoding.
#[derive(Clone, Copy)]
pub(crate) enum Broken {
    /// The body is refused, with the place when it is known.
    Refused,
    /// Each becomes U+FFFD, with one note.
    Replaced,
}

/// The encoding a label stands for; `None` for unknown labels and for those that the Encoding Standard withdrew as unsafe.
pub(crate) fn encoding_named(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.trim().as_bytes()).filter(|encoding| *encoding != REPLACEMENT)
}

/// Decodes a whole body: by its byte order mark, else by `stated`, else as UTF-8.
pub(crate) fn decode<'b>(
    body: &'b [u8],
    stated: Option<&'static Encoding>,
    broken: Broken,
    notes: &mut Notes,
) -> Result<Cow<'b, str>, Refusal> {
    let (encoding, mark_bytes) = Encoding::for_bom(body).unwrap_or((stated.unwrap_or(UTF_8), 0));
    let rest = without_mark(body, encoding, mark_bytes, notes);

    match broken {
        Broken::Refused if encoding == UTF_8 => utf8(rest, mark_bytes).map(Cow::Borrowed),
        Broken::Refused => encoding
            .decode_without_bom_handling_and_without_replacement(rest)
            .ok_or_else(|| broken_text(encoding, "The body")),
        Broken::Replaced => Ok(decode_replacing(rest, encoding, "$", notes)),
    }
}

/// Decodes one value; bytes that are not text become U+FFFD, with a note at `path`.
pub(crate) fn decode_replacing<'b>(
    bytes: &'b [u8],
    encoding: &'static Encoding,
    path: &str,
    notes: &mut Notes,
) -> Cow<'b, str> {
    let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
    if had_errors {
        notes.add(
            "broken_text_replaced",
            path,
            format!("Bytes that are not {} were replaced by U+FFFD.", encoding.name()),
        );
    }
    text
}

/// Takes a UTF-8 byte order mark off a body that is not decoded as a whole.
pub(crate) fn without_utf8_mark<'b>(body: &'b [u8], notes: &mut Notes) -> &'b [u8] {
    match Encoding::for_bom(body) {
        Some((encoding, mark_bytes)) if encoding == UTF_8 => without_mark(body, encoding, mark_bytes, notes),
        Some(_) | None => body,
    }
}

fn without_mark<'b>(body: &'b [u8], encoding: &'static Encoding, mark_bytes: usize, notes: &mut Notes) -> &'b [u8] {
    if mark_bytes > 0 {
        notes.add(
            "bom_removed",
            "$",
            format!("The body began with a byte order mark of {}; it was removed.", encoding.name()),
        );
    }
    body.get(mark_bytes..).unwrap_or_default()
}

fn utf8(bytes: &[u8], offset: usize) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|error| {
        let place = format!("Byte {} of the body", offset + error.valid_up_to());
        broken_text(UTF_8, &place)
    })
}

fn broken_text(encoding: &'static Encoding, place: &str) -> Refusal {
    malformed(
        "broken_text",
        format!("{place} is not {}; encode the text as UTF-8, or name its charset in Content-Type.", encoding.name()),
    )
}

//! What `serde_json` does not tell about a document's source: which strings hold half a surrogate pair.
//!
//! This is not a second parser: the walk only tells strings from the rest and relies on the document being parsed as well.

/// A document in which every lone surrogate is written `\uFFFD`. It is as long as the one that was sent, so places in it stay true.
pub(super) struct Mended {
    pub(super) text: String,
    /// The strings (keys and values, counted from 0 as they are written) that were changed.
    pub(super) strings: Vec<usize>,
}

/// Replaces escapes that are half of a surrogate pair; `None` when there are none.
pub(super) fn without_lone_surrogates(text: &str) -> Option<Mended> {
    let mut places: Vec<usize> = Vec::new();
    let mut strings = Vec::new();
    let mut seen_strings = 0_usize;
    let mut in_string = false;
    let mut at = 0;

    while let Some(rest) = text.as_bytes().get(at..).filter(|rest| !rest.is_empty()) {
        let consumed = match (rest, in_string) {
            ([b'"', ..], _) => {
                in_string = !in_string;
                seen_strings += usize::from(in_string);
                1
            }
            ([b'\\', ..], true) => {
                let (consumed, escape) = escape(rest);
                if let Escape::LoneSurrogate = escape {
                    places.push(at);
                    strings.push(seen_strings - 1);
                }
                consumed
            }
            _ => 1,
        };
        at += consumed;
    }

    strings.dedup();
    (!places.is_empty()).then(|| Mended { text: with_replacements(text, places), strings })
}

const ESCAPE_BYTES: usize = 6;

enum Escape {
    LoneSurrogate,
    Other,
}

/// How many bytes the escape at the beginning takes (both halves of a pair together), and whether it is half a pair.
fn escape(rest: &[u8]) -> (usize, Escape) {
    match (code_unit(rest), rest.get(ESCAPE_BYTES..).and_then(code_unit)) {
        (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (2 * ESCAPE_BYTES, Escape::Other),
        (Some(0xD800..=0xDFFF), _) => (ESCAPE_BYTES, Escape::LoneSurrogate),
        (Some(_), _) => (ESCAPE_BYTES, Escape::Other),
        // The second byte of a short escape may be a quote or a backslash, so it is consumed as well.
        (None, _) => (2, Escape::Other),
    }
}

fn code_unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn with_replacements(text: &str, places: Vec<usize>) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut copied = 0;
    for place in places {
        mended.push_str(text.get(copied..place).unwrap_or_default());
        mended.push_str("\\uFFFD");
        copied = place + ESCAPE_BYTES;
    }
    mended.push_str(text.get(copied..).unwrap_or_default());
    mended
}

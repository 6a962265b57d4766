//! UTF-7, which old mail programs still write and the Encoding Standard withdrew because web pages can hide scripts in it. Here it is read
//! for JSON only, and nothing is shown as a page.
//!
//! *Source*: RFC 2152.

use std::char::{REPLACEMENT_CHARACTER, decode_utf16};

const LABELS: [&str; 4] = ["utf-7", "utf7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7"];

/// Whether a charset name means UTF-7.
pub(super) fn is_label(label: &str) -> bool {
    LABELS.iter().any(|name| label.trim().eq_ignore_ascii_case(name))
}

/// The text; bytes over 127 and broken pairs become U+FFFD.
pub(super) fn decoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;

    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'+', [b'-', after @ ..]) => {
                text.push('+');
                after
            }
            (b'+', _) => shifted(after, &mut text),
            (byte, _) => {
                text.push(if byte.is_ascii() { char::from(*byte) } else { REPLACEMENT_CHARACTER });
                after
            }
        };
    }
    text
}

/// Reads a run of base64 that holds UTF-16; a `-` that ends it belongs to it.
fn shifted<'b>(bytes: &'b [u8], text: &mut String) -> &'b [u8] {
    let length = bytes.iter().position(|byte| sextet(*byte).is_none()).unwrap_or(bytes.len());
    let (run, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));

    let mut held: u32 = 0;
    let mut held_bits = 0;
    let mut units = Vec::with_capacity(run.len() / 2);
    for value in run.iter().filter_map(|byte| sextet(*byte)) {
        held = held << 6 | u32::from(value);
        held_bits += 6;
        if held_bits >= 16 {
            held_bits -= 16;
            units.extend(u16::try_from(held >> held_bits & 0xFFFF));
        }
    }
    text.extend(decode_utf16(units).map(|unit| unit.unwrap_or(REPLACEMENT_CHARACTER)));
    rest.strip_prefix(b"-").unwrap_or(rest)
}

fn sextet(byte: u8) -> Option<u8> {
    super::transfer::base64_value(byte)
}

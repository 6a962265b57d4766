//! Transfer encodings, undone piece by piece so that no file of a mail is ever whole in memory.
//!
//! Nothing here fails: what is not encoded as stated is taken as it is, or stepped over.

use std::ops::{ControlFlow, Range};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::{memchr2, memchr3};

/// Bytes of a decoded piece.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// White space that is held back until it is known whether it ends a line. Lines of quoted-printable have at most 76 characters.
const BLANKS_LIMIT_BYTES: usize = 4096;

/// How the bytes of a part were made fit for old servers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Transfer {
    /// Not at all: `7bit`, `8bit`, `binary`, and whatever is not known.
    #[default]
    Identity,
    QuotedPrintable,
    Base64,
}

impl Transfer {
    /// By the value of `Content-Transfer-Encoding` in lower case; a `;` at its end and anything behind it is not looked at.
    pub(super) fn named(label: &str) -> Self {
        let word = label.split([';', ' ', '\t', '(']).find(|word| !word.is_empty());
        match word {
            Some("quoted-printable") => Self::QuotedPrintable,
            Some("base64") => Self::Base64,
            Some(_) | None => Self::Identity,
        }
    }
}

/// The decoding of one part, wherever it stands.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    transfer: Transfer,
    left: Range<usize>,
    /// Bits of base64 that do not yet make a byte, and how many there are.
    held: u32,
    held_bits: u32,
}

impl Decoder {
    /// Decodes the bytes of `span`.
    pub(super) fn new(transfer: Transfer, span: Range<usize>) -> Self {
        Self { transfer, left: span, held: 0, held_bits: 0 }
    }

    /// The next piece as a span of the mail, when nothing is encoded; empty at the end.
    pub(super) fn next_span(&mut self) -> Option<Range<usize>> {
        if self.transfer != Transfer::Identity {
            return None;
        }
        let end = self.left.start.saturating_add(PIECE_BYTES).min(self.left.end);
        let span = self.left.start..end;
        self.left.start = end;
        Some(span)
    }

    /// Appends the next piece, at least one byte of it; nothing at the end.
    pub(super) fn fill(&mut self, raw: &[u8], piece: &mut Vec<u8>) {
        let Some(rest) = raw.get(self.left.clone()) else {
            return;
        };
        let full_at = piece.len() + PIECE_BYTES;
        let used = match self.transfer {
            Transfer::Identity => {
                let taken = rest.get(..PIECE_BYTES).unwrap_or(rest);
                piece.extend_from_slice(taken);
                taken.len()
            }
            Transfer::QuotedPrintable => fill_quoted_printable(rest, piece, full_at),
            Transfer::Base64 => self.fill_base64(rest, piece, full_at),
        };
        self.left.start += used;
    }

    /// Characters outside the alphabet are stepped over; the first `=` is the end, also where padding is missing.
    fn fill_base64(&mut self, rest: &[u8], piece: &mut Vec<u8>, full_at: usize) -> usize {
        let mut left = rest;
        while !left.is_empty() {
            let room_chars = full_at.saturating_sub(piece.len()) / 3 * 4;
            if room_chars == 0 {
                break;
            }
            let window = left.get(..room_chars).unwrap_or(left);
            let line_chars = memchr2(b'\r', b'\n', window).unwrap_or(window.len());
            let (line, after) = left.split_at_checked(line_chars).unwrap_or((left, &[]));
            if self.line_of_base64(line, piece).is_break() {
                return rest.len();
            }
            left = after.get(usize::from(line.is_empty())..).unwrap_or_default();
        }
        rest.len() - left.len()
    }

    /// Nearly every line is nothing but whole groups, which are decoded at once.
    fn line_of_base64(&mut self, line: &[u8], piece: &mut Vec<u8>) -> ControlFlow<()> {
        let before = piece.len();
        if self.held_bits == 0 && line.len().is_multiple_of(4) {
            if STANDARD_NO_PAD.decode_vec(line, piece).is_ok() {
                return ControlFlow::Continue(());
            }
            piece.truncate(before);
        }

        for byte in line {
            if *byte == b'=' {
                return ControlFlow::Break(());
            }
            let Some(value) = base64_value(*byte) else {
                continue;
            };
            self.held = self.held << 6 | u32::from(value);
            self.held_bits += 6;
            if self.held_bits >= 8 {
                self.held_bits -= 8;
                let [.., decoded] = (self.held >> self.held_bits).to_be_bytes();
                piece.push(decoded);
            }
        }
        ControlFlow::Continue(())
    }
}

/// Decodes all of a short text.
pub(super) fn decode(encoded: &[u8], transfer: Transfer) -> Vec<u8> {
    decode_up_to(encoded, transfer, 0..encoded.len(), usize::MAX).0
}

/// Decodes a part until there are `limit_bytes`; whether that was not all of it.
pub(super) fn decode_up_to(raw: &[u8], transfer: Transfer, span: Range<usize>, limit_bytes: usize) -> (Vec<u8>, bool) {
    // Room for all at once: a buffer that grows is held twice while it moves.
    let room_bytes = span.len().min(raw.len()).min(limit_bytes.saturating_add(PIECE_BYTES));
    let mut decoder = Decoder::new(transfer, span);
    let mut bytes = Vec::with_capacity(room_bytes);
    loop {
        let before = bytes.len();
        decoder.fill(raw, &mut bytes);
        if bytes.len() > limit_bytes {
            bytes.truncate(limit_bytes);
            return (bytes, true);
        }
        if bytes.len() == before {
            return (bytes, false);
        }
    }
}

/// The six bits a character of base64 stands for.
pub(super) fn base64_value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// The value of a hexadecimal digit.
pub(super) fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// White space at the end of a line was added on the way; `=` there takes the line end with it; `=` before anything but two digits is text.
fn fill_quoted_printable(rest: &[u8], piece: &mut Vec<u8>, full_at: usize) -> usize {
    let mut left = rest;
    while let Some((first, after)) = left.split_first() {
        if piece.len() + BLANKS_LIMIT_BYTES > full_at {
            break;
        }
        left = match first {
            b'=' => escaped(after, piece),
            b' ' | b'\t' => blanks(left, piece),
            b'\r' | b'\n' => {
                piece.push(*first);
                after
            }
            _ => plain(left, piece, full_at),
        };
    }
    rest.len() - left.len()
}

/// Reads what follows a `=`.
fn escaped<'b>(after: &'b [u8], piece: &mut Vec<u8>) -> &'b [u8] {
    if let [high, low, rest @ ..] = after
        && let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low))
    {
        piece.push(high << 4 | low);
        return rest;
    }

    let line_end = after.get(blank_bytes(after)..).unwrap_or_default();
    match line_end {
        [] => line_end,
        [b'\r', b'\n', rest @ ..] | [b'\n' | b'\r', rest @ ..] => rest,
        [..] => {
            piece.push(b'=');
            after
        }
    }
}

/// Reads up to what means something; `left` begins with text.
fn plain<'b>(left: &'b [u8], piece: &mut Vec<u8>, full_at: usize) -> &'b [u8] {
    let window = left.get(..full_at.saturating_sub(piece.len())).unwrap_or(left);
    let end = memchr3(b'=', b'\r', b'\n', window).unwrap_or(window.len());
    let run = window.get(..end).unwrap_or(window);
    let is_before_escape = window.get(end) == Some(&b'=');
    let taken = if is_before_escape { run } else { without_blanks_behind(run) };

    piece.extend_from_slice(taken);
    left.get(taken.len()..).unwrap_or_default()
}

fn without_blanks_behind(run: &[u8]) -> &[u8] {
    let text_bytes = run.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    run.get(..text_bytes).unwrap_or(run)
}

fn blanks<'b>(left: &'b [u8], piece: &mut Vec<u8>) -> &'b [u8] {
    let (run, rest) = left.split_at_checked(blank_bytes(left)).unwrap_or((left, &[]));
    if !matches!(rest.first(), None | Some(b'\r' | b'\n')) {
        piece.extend_from_slice(run);
    }
    rest
}

fn blank_bytes(bytes: &[u8]) -> usize {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let looked_at = bytes.get(..BLANKS_LIMIT_BYTES).unwrap_or(bytes);
    looked_at.iter().position(is_text).unwrap_or(looked_at.len())
}

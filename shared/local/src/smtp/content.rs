//! What comes between `DATA` and the line with only a dot.
//!
//! Only `CR LF` ends a line here. A lone `CR` or `LF` is content, whatever dots are around it, and so is NUL.

use bytes::{Bytes, BytesMut};

/// A mail up to this length grows as any buffer does; a longer one gets room for the longest at once. Memory that nobody
/// writes to costs nothing, while growing by copying would hold the mail twice.
const GROWING_LIMIT_BYTES: usize = 1024 * 1024;

/// Where the lines and their dots are told apart.
#[derive(Debug)]
pub(crate) struct Lines {
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a line.
    Start,
    /// Behind the dot at the beginning of a line, which is not content in any case.
    Dot,
    /// Behind that dot and a `CR`, which is content unless `LF` follows.
    DotCr,
    /// Within a line.
    Text,
    /// Within a line, behind a `CR`.
    Cr,
}

/// A mail as far as it has come, of a limited length.
#[derive(Debug)]
pub(crate) struct Spool {
    bytes: BytesMut,
    left_bytes: usize,
    came_bytes: u64,
    fit: Fit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Within,
    Over,
}

/// A mail that went over its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge {
    /// How many bytes came.
    pub(crate) bytes: u64,
}

impl Lines {
    /// Lines from the first one on.
    pub(crate) const fn new() -> Self {
        Self { place: Place::Start }
    }

    /// Moves the content of `input` to `spool`: up to the end of the mail, and then tells how much of `input` that was, or
    /// all of it.
    pub(crate) fn take(&mut self, input: &[u8], spool: &mut Spool) -> Option<usize> {
        let mut rest = input;
        while let Some((&byte, behind)) = rest.split_first() {
            if self.place == Place::Text {
                let line = rest.iter().position(|byte| *byte == b'\r').unwrap_or(rest.len());
                let (text, behind) = rest.split_at(line);
                spool.keep(text);
                rest = behind;
                if let Some(behind) = rest.strip_prefix(b"\r") {
                    spool.keep(b"\r");
                    self.place = Place::Cr;
                    rest = behind;
                }
                continue;
            }
            rest = behind;
            match self.step(byte, spool) {
                Step::On => {}
                Step::End => return Some(input.len() - rest.len()),
            }
        }
        None
    }

    fn step(&mut self, byte: u8, spool: &mut Spool) -> Step {
        self.place = match (self.place, byte) {
            (Place::Start, b'.') => Place::Dot,
            (Place::Dot, b'\r') => Place::DotCr,
            (Place::DotCr, b'\n') => return Step::End,
            (Place::DotCr, _) => {
                spool.keep(&[b'\r', byte]);
                if byte == b'\r' { Place::Cr } else { Place::Text }
            }
            (Place::Start | Place::Dot | Place::Text | Place::Cr, _) => {
                spool.keep(&[byte]);
                match (self.place, byte) {
                    (Place::Cr, b'\n') => Place::Start,
                    (_, b'\r') => Place::Cr,
                    (_, _) => Place::Text,
                }
            }
        };
        Step::On
    }
}

enum Step {
    On,
    End,
}

impl Spool {
    /// A mail that begins with `head`, and of which `announced` bytes at most are said to follow, and never more than
    /// `limit` do.
    pub(crate) fn new(head: &[u8], announced: Option<u64>, limit: usize) -> Self {
        let announced = announced.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0).min(limit);
        let mut bytes = BytesMut::with_capacity(head.len() + announced);
        bytes.extend_from_slice(head);
        Self { bytes, left_bytes: limit, came_bytes: 0, fit: Fit::Within }
    }

    /// The whole mail.
    ///
    /// *Errors*: [`TooLarge`] if it went over the limit.
    pub(crate) fn finish(self) -> Result<Bytes, TooLarge> {
        match self.fit {
            Fit::Within => Ok(self.bytes.freeze()),
            Fit::Over => Err(TooLarge { bytes: self.came_bytes }),
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        self.came_bytes = self.came_bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        match (self.fit, self.left_bytes.checked_sub(piece.len())) {
            (Fit::Within, Some(left_bytes)) => {
                self.make_room(piece.len());
                self.left_bytes = left_bytes;
                self.bytes.extend_from_slice(piece);
            }
            (Fit::Within | Fit::Over, _) => {
                self.fit = Fit::Over;
                self.bytes = BytesMut::new();
            }
        }
    }

    fn make_room(&mut self, bytes: usize) {
        let needed = self.bytes.len() + bytes;
        if needed > self.bytes.capacity() && needed > GROWING_LIMIT_BYTES {
            self.bytes.reserve(self.left_bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What arrives of `input` when it comes in pieces of `piece` bytes: the content, and what is left behind the end.
    fn arrives(input: &[u8], piece: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut lines, mut spool) = (Lines::new(), Spool::new(b"", None, usize::MAX / 2));
        let mut came = 0;
        for piece in input.chunks(piece) {
            if let Some(taken) = lines.take(piece, &mut spool) {
                return Some((spool.finish().unwrap().to_vec(), input[came + taken..].to_vec()));
            }
            came += piece.len();
        }
        None
    }

    #[test]
    fn only_a_dot_alone_between_two_full_line_ends_is_the_end() {
        for (input, content) in [
            (&b".\r\n"[..], Some(&b""[..])),
            (b"a\r\n.\r\n", Some(b"a\r\n")),
            (b"a\r\n..\r\n.\r\n", Some(b"a\r\n.\r\n")),
            (b"..a\r\n.b\r\n.\r\n", Some(b".a\r\nb\r\n")),
            (b"a\n.\n.\r\n", None),
            (b"a\n.\r\n", None),
            (b"a\r.\r\n", None),
            (b"a\r\n.\n", None),
            (b"a\r\n.\r", None),
            (b"a\r\n.\r\r\n.\r\n", Some(b"a\r\n\r\r\n")),
            (b"a\r\n.\n.\r\n\r\n.\r\n", Some(b"a\r\n\n.\r\n\r\n")),
            (b"a\r\n.\rb\r\n.\r\n", Some(b"a\r\n\rb\r\n")),
            (b"a\r\r\n.\r\n", Some(b"a\r\r\n")),
            (b"a\n\r\n.\r\n", Some(b"a\n\r\n")),
            (b"a\0\x80\xff\r\n\0.\r\n.\r\n", Some(b"a\0\x80\xff\r\n\0.\r\n")),
            (b"\r\n.\r\n", Some(b"\r\n")),
            (b"\n.\r\n\r\n.\r\n", Some(b"\n.\r\n\r\n")),
        ] {
            for piece in 1..=input.len() {
                let arrived = arrives(input, piece).map(|(content, _)| content);
                assert_eq!(arrived.as_deref(), content, "{:?} by {piece}", input.escape_ascii().to_string());
            }
        }
    }

    #[test]
    fn a_mail_of_the_limit_is_kept_and_one_byte_more_is_not() {
        for (length, kept) in
            [(9, Ok(13)), (10, Ok(14)), (11, Err(TooLarge { bytes: 11 })), (25, Err(TooLarge { bytes: 25 }))]
        {
            let mut spool = Spool::new(b"head", None, 10);
            for _ in 0..length {
                spool.keep(b"x");
            }
            assert_eq!(spool.finish().map(|mail| mail.len()), kept, "{length}");
        }
    }

    #[test]
    fn a_long_mail_never_has_much_more_room_than_the_longest() {
        const LIMIT_BYTES: usize = 5 * 1024 * 1024;
        for announced in [None, Some(1), Some(u64::MAX)] {
            let mut spool = Spool::new(b"head", announced, LIMIT_BYTES);
            for _ in 0..LIMIT_BYTES / 1024 {
                spool.keep(&[0; 1024]);
                assert!(spool.bytes.capacity() <= LIMIT_BYTES + 64 * 1024, "{}", spool.bytes.capacity());
            }
            assert!(spool.finish().is_ok());
        }
    }

    proptest! {
        #[test]
        fn what_a_client_stuffs_arrives_as_it_was(
            text in prop::collection::vec(prop::sample::select(&b"\r\n.a\0"[..]), 0..40),
            piece in 1..50_usize,
        ) {
            let content = [&text[..], b"\r\n"].concat();
            // A client puts a dot before every line that begins with one.
            let mut sent = Vec::new();
            for (at, byte) in content.iter().enumerate() {
                if *byte == b'.' && (at == 0 || content[..at].ends_with(b"\r\n")) {
                    sent.push(b'.');
                }
                sent.push(*byte);
            }
            sent.extend_from_slice(b".\r\nQUIT\r\n");
            prop_assert_eq!(arrives(&sent, piece), Some((content, b"QUIT\r\n".to_vec())));
        }
    }
}

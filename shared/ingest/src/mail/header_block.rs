//! The header lines of a mail or of a part, as spans of its bytes. Garbage between them is stepped over, so that it cannot hide the ones
//! that say how to read the rest.

use std::ops::Range;

use super::lines::{Line, Lines};

/// Header lines that are kept of one mail or part.
pub(super) const HEADERS_LIMIT: usize = 1_000;

/// Bytes of a header that are looked at, its folded lines included.
pub(super) const HEADER_LIMIT_BYTES: usize = 64 * 1024;

/// The headers of a mail or a part.
#[derive(Default)]
pub(super) struct HeaderBlock {
    headers: Vec<Header>,
    /// Where the body begins.
    pub(super) body: usize,
    /// How many there are past [`HEADERS_LIMIT`].
    dropped: usize,
}

struct Header {
    name: Range<usize>,
    value: Range<usize>,
}

/// What a line among headers is.
enum Kind {
    End,
    Boundary,
    Folded,
    Header { name: Range<usize>, value: Range<usize> },
    Garbage,
}

impl HeaderBlock {
    /// Reads the headers that begin at `start`, up to an empty line, a boundary, or text that cannot be a header.
    pub(super) fn read(lines: &Lines<'_>, start: usize, is_boundary: impl Fn(&[u8]) -> bool) -> Self {
        let mut block = Self { headers: Vec::new(), body: lines.end(), dropped: 0 };
        let mut at = start;

        while let Some(line) = lines.line_at(at) {
            match kind(lines, &line, &is_boundary) {
                Kind::End => {
                    block.body = line.next;
                    return block;
                }
                Kind::Header { name, value } => block.add(name, value),
                Kind::Folded => block.fold(line.text.end),
                Kind::Garbage if is_stepped_over(lines, start, &line, &is_boundary) => {}
                Kind::Boundary | Kind::Garbage => {
                    block.body = at;
                    return block;
                }
            }
            at = line.next;
        }
        block
    }

    /// The value of the first header of this name, still encoded and folded, at most [`HEADER_LIMIT_BYTES`] of it.
    pub(super) fn find<'r>(&self, lines: &Lines<'r>, name: &str) -> Option<&'r [u8]> {
        self.all(lines, name).next()
    }

    /// The values of all headers of this name, in order.
    pub(super) fn all<'s, 'r: 's>(
        &'s self,
        lines: &'s Lines<'r>,
        name: &'s str,
    ) -> impl Iterator<Item = &'r [u8]> + 's {
        let named = |header: &&Header| lines.bytes(header.name.clone()).eq_ignore_ascii_case(name.as_bytes());
        self.headers.iter().filter(named).map(|header| {
            let value = lines.bytes(header.value.clone());
            value.get(..HEADER_LIMIT_BYTES).unwrap_or(value)
        })
    }

    /// Headers past [`HEADERS_LIMIT`], and those longer than [`HEADER_LIMIT_BYTES`].
    pub(super) fn left_out(&self) -> usize {
        self.dropped + self.headers.iter().filter(|header| header.value.len() > HEADER_LIMIT_BYTES).count()
    }

    fn add(&mut self, name: Range<usize>, value: Range<usize>) {
        if self.headers.len() < HEADERS_LIMIT {
            self.headers.push(Header { name, value });
        } else {
            self.dropped += 1;
        }
    }

    /// A folded line belongs to the header before it, which may be one that was dropped.
    fn fold(&mut self, end: usize) {
        match self.headers.last_mut() {
            Some(last) if self.dropped == 0 => last.value.end = end,
            Some(_) | None => {}
        }
    }
}

fn kind(lines: &Lines<'_>, line: &Line, is_boundary: impl Fn(&[u8]) -> bool) -> Kind {
    let text = lines.bytes(line.text.clone());
    match text.first() {
        None => Kind::End,
        Some(b'-') if is_boundary(text) => Kind::Boundary,
        Some(b' ' | b'\t') => Kind::Folded,
        Some(_) => match name_bytes(text) {
            Some((name_bytes, colon)) => Kind::Header {
                name: line.text.start..line.text.start + name_bytes,
                value: line.text.start + colon + 1..line.text.end,
            },
            None => Kind::Garbage,
        },
    }
}

/// How long the name of a header is, and where its colon is. White space before the colon is an old habit (RFC 5322 section 4.5).
fn name_bytes(text: &[u8]) -> Option<(usize, usize)> {
    let colon = text.iter().position(|byte| *byte == b':' || !(byte.is_ascii_graphic() || is_blank(*byte)))?;
    let (before, rest) = text.split_at_checked(colon)?;
    let name = before.trim_ascii_end();

    let is_name = rest.first() == Some(&b':') && !name.is_empty() && !name.iter().any(|byte| is_blank(*byte));
    is_name.then_some((name.len(), colon))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The line that mailbox files put before a mail, and lines that stand before another header. Anything else is the body, which some
/// senders begin without an empty line.
fn is_stepped_over(lines: &Lines<'_>, start: usize, line: &Line, is_boundary: impl Fn(&[u8]) -> bool) -> bool {
    let text = lines.bytes(line.text.clone());
    if line.text.start == start && (text.starts_with(b"From ") || text.starts_with(b">From ")) {
        return true;
    }
    let next = lines.line_at(line.next);
    next.is_some_and(|next| matches!(kind(lines, &next, is_boundary), Kind::Header { .. }))
}

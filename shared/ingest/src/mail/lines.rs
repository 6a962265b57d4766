//! The lines of a mail as it was stored. A mail without a single LF has its lines ended by CR.

use std::ops::Range;

use memchr::memchr;
use memchr::memmem::Finder;

/// A mail's bytes, with what ends their lines.
pub(super) struct Lines<'r> {
    raw: &'r [u8],
    line_end: u8,
    /// The beginning of every line that could be a boundary, but for the first.
    dashes: Finder<'static>,
}

/// One line.
pub(super) struct Line {
    /// Where its text is, without the line end.
    pub(super) text: Range<usize>,
    /// Where the next line begins.
    pub(super) next: usize,
}

impl<'r> Lines<'r> {
    pub(super) fn of(raw: &'r [u8]) -> Self {
        let (line_end, dashes) = match memchr(b'\n', raw) {
            None if raw.contains(&b'\r') => (b'\r', Finder::new(b"\r--")),
            Some(_) | None => (b'\n', Finder::new(b"\n--")),
        };
        Self { raw, line_end, dashes }
    }

    /// The bytes of a span; none when it is not within the mail.
    pub(super) fn bytes(&self, span: Range<usize>) -> &'r [u8] {
        self.raw.get(span).unwrap_or_default()
    }

    /// How long the mail is.
    pub(super) fn end(&self) -> usize {
        self.raw.len()
    }

    /// The line that begins at `start`; `None` at the end of the mail.
    pub(super) fn line_at(&self, start: usize) -> Option<Line> {
        let rest = self.raw.get(start..).filter(|rest| !rest.is_empty())?;
        let Some(length) = memchr(self.line_end, rest) else {
            return Some(Line { text: start..self.end(), next: self.end() });
        };
        let text = rest.get(..length).unwrap_or_default();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Some(Line { text: start..start + text.len(), next: start + length + 1 })
    }

    /// Where the first line that begins with `--` begins, from the line at `start` on.
    pub(super) fn dashes_from(&self, start: usize) -> Option<usize> {
        let rest = self.raw.get(start..)?;
        if rest.starts_with(b"--") {
            return Some(start);
        }
        self.dashes.find(rest).map(|found| start + found + 1)
    }

    /// Where the line before the line at `start` ends, its line end left out; not before `first`.
    pub(super) fn end_before(&self, start: usize, first: usize) -> usize {
        let before = self.raw.get(first..start).unwrap_or_default();
        let Some((last, rest)) = before.split_last() else {
            return first;
        };
        let is_end = *last == self.line_end;
        let is_crlf = *last == b'\n' && rest.last() == Some(&b'\r');
        start - usize::from(is_end) - usize::from(is_crlf)
    }
}

//! The division of a mail into its parts, in one pass over its lines.
//!
//! *Why not the `mailparse` crate*: it looks through what is left once per level, so 95 nested multiparts with 38 MB of lines that begin
//! with `--` took 10 seconds, and it has no bound on parts, of which a 40 MB mail can have five million. Here each line is looked at once,
//! whatever the number of boundaries that are open.

use std::collections::HashMap;

use super::Part;
use super::header_block::{HEADER_LIMIT_BYTES, HEADERS_LIMIT, HeaderBlock};
use super::lines::Lines;
use crate::notes::Notes;

/// Parts of a mail that are read.
const PARTS_LIMIT: usize = 1_000;

/// Multiparts within each other that are read.
const DEPTH_LIMIT: usize = 100;

/// A mail divided into its parts.
pub(super) struct Divided<'r> {
    pub(super) lines: Lines<'r>,
    pub(super) headers: HeaderBlock,
    pub(super) tree: Part,
}

/// The mark of UTF-8 at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Divides a mail. What cannot be divided stays one part.
pub(super) fn divide<'r>(raw: &'r [u8], notes: &mut Notes) -> Divided<'r> {
    let (lines, headers) = headed(raw);
    let mut splitter = Splitter::new(lines, notes);
    let tree = splitter.tree(&headers);
    Divided { lines: splitter.lines, headers, tree }
}

/// The lines of a mail, and those of them that are its headers.
pub(super) fn headed(raw: &[u8]) -> (Lines<'_>, HeaderBlock) {
    let lines = Lines::of(raw);
    // Some programs save a mail behind the mark of a text file.
    let start = if raw.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let headers = HeaderBlock::read(&lines, start, |_| false);
    (lines, headers)
}

struct Splitter<'r, 'n> {
    lines: Lines<'r>,
    notes: &'n mut Notes,
    /// The multiparts around the place that is being read, outermost first.
    open: Vec<Part>,
    /// Which of them a boundary belongs to.
    boundaries: HashMap<Vec<u8>, usize>,
    /// The boundaries of `open`, in their order.
    names: Vec<Vec<u8>>,
    /// The part without parts that is being read.
    leaf: Option<Part>,
    parts_count: usize,
}

/// A line that is a boundary.
struct Boundary {
    /// Where the line begins, and where the next one does.
    start: usize,
    next: usize,
    /// The multipart in `open` it belongs to.
    index: usize,
    kind: BoundaryKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BoundaryKind {
    /// Another part begins.
    Next,
    /// The multipart is at its end.
    Last,
}

impl<'r, 'n> Splitter<'r, 'n> {
    fn new(lines: Lines<'r>, notes: &'n mut Notes) -> Self {
        Self {
            lines,
            notes,
            open: Vec::new(),
            boundaries: HashMap::new(),
            names: Vec::new(),
            leaf: None,
            parts_count: 0,
        }
    }

    fn tree(&mut self, headers: &HeaderBlock) -> Part {
        self.begin(headers, String::new(), "text/plain");
        let mut at = headers.body;

        while let Some(boundary) = self.next_boundary(at) {
            self.end_leaf(boundary.start);
            while self.open.len() > boundary.index + 1 {
                self.end_multipart(boundary.start);
            }
            if boundary.kind == BoundaryKind::Last && boundary.index == 0 {
                return self.finish(boundary.start);
            }
            at = match boundary.kind {
                BoundaryKind::Last => {
                    self.end_multipart(boundary.start);
                    boundary.next
                }
                BoundaryKind::Next if self.parts_count >= PARTS_LIMIT => {
                    self.note_parts_left_out();
                    return self.finish(boundary.start);
                }
                BoundaryKind::Next => self.begin_child(boundary.next),
            };
        }
        self.finish(self.lines.end())
    }

    /// The first boundary of any open multipart, from the line at `start` on.
    fn next_boundary(&self, start: usize) -> Option<Boundary> {
        if self.open.is_empty() {
            return None;
        }
        let mut at = start;
        loop {
            let line_start = self.lines.dashes_from(at)?;
            let line = self.lines.line_at(line_start)?;
            if let Some((index, kind)) = self.boundary(self.lines.bytes(line.text)) {
                return Some(Boundary { start: line_start, next: line.next, index, kind });
            }
            at = line.next;
        }
    }

    /// Reads a line as a boundary; one that only begins like one is text.
    fn boundary(&self, line: &[u8]) -> Option<(usize, BoundaryKind)> {
        let name = line.strip_prefix(b"--")?.trim_ascii_end();
        if let Some(index) = self.boundaries.get(name) {
            return Some((*index, BoundaryKind::Next));
        }
        let index = self.boundaries.get(name.strip_suffix(b"--")?)?;
        Some((*index, BoundaryKind::Last))
    }

    /// Begins the next part of the innermost multipart; gives where its body begins.
    fn begin_child(&mut self, start: usize) -> usize {
        let headers = HeaderBlock::read(&self.lines, start, |line| self.boundary(line).is_some());
        let (number, unstated) = match self.open.last() {
            Some(parent) => (child_number(parent), unstated_type(parent)),
            None => (String::new(), "text/plain"),
        };
        self.parts_count += 1;
        self.begin(&headers, number, unstated);
        headers.body
    }

    fn begin(&mut self, headers: &HeaderBlock, number: String, unstated: &str) {
        let (part, boundary) = Part::of(headers, &self.lines, number, unstated);
        let left_out = headers.left_out();
        if left_out > 0 {
            self.note_headers_left_out(&part, left_out);
        }

        // A boundary that is open already belongs to the outer multipart, so what follows are parts of that one.
        let boundary = boundary.filter(|boundary| part.is_multipart() && !self.boundaries.contains_key(boundary));
        match boundary {
            Some(boundary) if self.open.len() < DEPTH_LIMIT => {
                self.boundaries.insert(boundary.clone(), self.open.len());
                self.names.push(boundary);
                self.open.push(part);
            }
            Some(_) => {
                self.note_parts_left_out();
                self.leaf = Some(part);
            }
            None => self.leaf = Some(part),
        }
    }

    fn end_leaf(&mut self, boundary_start: usize) {
        let Some(mut part) = self.leaf.take() else {
            return;
        };
        part.end_at(self.lines.end_before(boundary_start, part.span.start));
        if let Some(parent) = self.open.last_mut() {
            parent.parts.push(part);
        }
    }

    fn end_multipart(&mut self, end: usize) {
        let Some(part) = self.pop(end) else {
            return;
        };
        if let Some(parent) = self.open.last_mut() {
            parent.parts.push(part);
        }
    }

    fn pop(&mut self, end: usize) -> Option<Part> {
        let mut part = self.open.pop()?;
        if let Some(name) = self.names.pop() {
            self.boundaries.remove(&name);
        }
        part.end_at(end);
        if part.parts.is_empty() {
            self.notes.add(
                "unreadable_mime",
                place(&part),
                "A multipart of the mail has none of the boundaries it announces, so its parts were not found.",
            );
        }
        Some(part)
    }

    /// Ends everything that is open; the outermost part is the mail.
    fn finish(&mut self, end: usize) -> Part {
        if self.open.is_empty() {
            return self.only_part(end);
        }
        if let Some(mut part) = self.leaf.take() {
            part.end_at(end);
            if let Some(parent) = self.open.last_mut() {
                parent.parts.push(part);
            }
        }
        while self.open.len() > 1 {
            self.end_multipart(end);
        }
        self.pop(end).unwrap_or_default()
    }

    fn only_part(&mut self, end: usize) -> Part {
        let mut part = self.leaf.take().unwrap_or_default();
        "1".clone_into(&mut part.number);
        part.end_at(end);
        if part.is_multipart() {
            self.notes.add(
                "unreadable_mime",
                "$",
                "The mail is a multipart without a boundary, so its parts were not found.",
            );
        }
        part
    }

    fn note_parts_left_out(&mut self) {
        self.notes.add(
            "parts_left_out",
            "$",
            format!(
                "Only {PARTS_LIMIT} parts, and multiparts to a depth of {DEPTH_LIMIT}, are read; the rest was left out."
            ),
        );
    }

    fn note_headers_left_out(&mut self, part: &Part, left_out: usize) {
        self.notes.add(
            "headers_left_out",
            place(part),
            format!(
                "{left_out} headers were left out or cut: {HEADERS_LIMIT} are read, and {HEADER_LIMIT_BYTES} bytes of each."
            ),
        );
    }
}

/// How a note names a part.
fn place(part: &Part) -> String {
    match part.number.as_str() {
        "" => "$".to_owned(),
        number => number.to_owned(),
    }
}

fn child_number(parent: &Part) -> String {
    let position = parent.parts.len() + 1;
    match parent.number.as_str() {
        "" => position.to_string(),
        number => format!("{number}.{position}"),
    }
}

/// *Source*: RFC 2046 section 5.1.5.
fn unstated_type(parent: &Part) -> &'static str {
    match parent.content_type.as_str() {
        "multipart/digest" => "message/rfc822",
        _ => "text/plain",
    }
}

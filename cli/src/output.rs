//! What is printed: lines, aligned fields, tables and JSON, on a terminal or into a pipe.
//!
//! Whatever a line is made of, it goes through [`visible`] before it is kept, so no title or payload can move the
//! cursor, colour the screen, fake a line or turn the reading direction. There is no other
//! way to print, but for mails that are made here.

use std::{
    fmt,
    io::{self, Write},
};

use serde_json::Value;

use crate::failure::Failure;

const COLUMN_GAP: &str = "  ";

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Tables and sentences.
    Human,
    /// The API's documents.
    Json,
}

/// Lines to print; each is safe to print on a terminal.
#[derive(Debug, Default)]
pub(crate) struct Page {
    lines: Vec<String>,
}

impl fmt::Display for Page {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

impl Page {
    /// A page of one line.
    pub(crate) fn of_line(text: impl AsRef<str>) -> Self {
        let mut page = Self::default();
        page.line(text);
        page
    }

    /// Adds one line, whatever is in the text.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.lines.push(visible(text.as_ref()).trim_end().to_owned());
    }

    /// Adds the lines of another page.
    pub(crate) fn append(&mut self, page: Self) {
        self.lines.extend(page.lines);
    }

    /// Adds names and their values, one pair on a line, the values aligned.
    pub(crate) fn fields(&mut self, fields: &[(&str, String)]) {
        let width = fields.iter().map(|(name, _)| width_of(&visible(name))).max().unwrap_or(0);
        for (name, value) in fields {
            self.line(format!("{}{COLUMN_GAP}{value}", padded(&visible(name), width)));
        }
    }

    /// Adds a table; its last column is as wide as it needs to be.
    pub(crate) fn table<const COLUMNS: usize>(&mut self, headers: [&str; COLUMNS], rows: Vec<[String; COLUMNS]>) {
        let rows: Vec<[String; COLUMNS]> =
            [headers.map(str::to_owned)].into_iter().chain(rows).map(|row| row.map(|cell| visible(&cell))).collect();
        let widths: Vec<usize> = (0..COLUMNS)
            .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width_of(cell)).max().unwrap_or(0))
            .collect();
        for row in &rows {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width)).collect();
            self.line(cells.join(COLUMN_GAP));
        }
    }

    /// Adds a document as JSON on one line, of which a stream has one after the other.
    pub(crate) fn json_line(&mut self, document: &Value) {
        self.lines.push(escaped_as_json(&document.to_string()));
    }

    /// Adds a document as JSON of several lines. What could act on a terminal is escaped as JSON escapes it, so the
    /// document's meaning does not change.
    pub(crate) fn json(&mut self, document: &Value) {
        // Displaying a value with `#` is serde_json's pretty form, which cannot fail.
        for line in format!("{document:#}").lines() {
            self.lines.push(escaped_as_json(line));
        }
    }
}

/// Prints the page on standard output.
///
/// *Errors*: nobody reads any more, or the output cannot be written.
pub(crate) fn print(page: &Page) -> Result<(), Failure> {
    written(io::stdout().lock(), |out| write!(out, "{page}"))
}

/// Prints a mail that was made here, byte for byte; whatever of it came from elsewhere is encoded to be plain ASCII.
///
/// *Errors*: as [`print`].
pub(crate) fn print_mail(mail: &[u8]) -> Result<(), Failure> {
    written(io::stdout().lock(), |out| out.write_all(mail))
}

/// Prints the page on standard error. That it cannot be printed there is told nobody, for want of a place.
pub(crate) fn print_error(page: &Page) {
    let _ = write!(io::stderr().lock(), "{page}");
}

/// Says `text`, which is our own, on standard output at once. Local mode goes on when nobody listens any more.
pub(crate) fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says on standard error why local mode cannot go on.
pub(crate) fn complain(sentence: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", visible(sentence));
}

/// Those of the fields, each a name and a pointer, that the document has and that are not `null`.
pub(crate) fn present_fields<'n>(document: &Value, fields: &[(&'n str, &str)]) -> Vec<(&'n str, String)> {
    let told = |pointer| document.pointer(pointer).filter(|value| !value.is_null()).map(brief);
    fields.iter().filter_map(|(name, pointer)| told(*pointer).map(|value| (*name, value))).collect()
}

/// What is at `pointer`, in a word: text as it is, other JSON in its compact form, `-` for nothing.
pub(crate) fn text_at(document: &Value, pointer: &str) -> String {
    document.pointer(pointer).map_or_else(|| "-".to_owned(), brief)
}

/// A JSON value in a word.
pub(crate) fn brief(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// The text, cut to `limit_chars` characters with a sign that it was.
pub(crate) fn shortened(text: &str, limit_chars: usize) -> String {
    if text.chars().count() <= limit_chars {
        return text.to_owned();
    }
    text.chars().take(limit_chars.saturating_sub(1)).chain(['…']).collect()
}

/// The text with everything that acts on a terminal spelled out: `\n`, `\u{1b}`.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if acts_on_terminals(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

fn written<W: Write>(mut out: W, write: impl FnOnce(&mut W) -> io::Result<()>) -> Result<(), Failure> {
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::OutputClosed),
        Err(error) => Err(Failure::Unavailable(format!("The output cannot be written: {error}."))),
    }
}

fn escaped_as_json(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for character in line.chars() {
        if acts_on_terminals(character) {
            let mut units = [0; 2];
            out.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(character);
        }
    }
    out
}

/// Control characters, line and paragraph separators, and what turns the direction of the text around it.
fn acts_on_terminals(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn padded(cell: &str, width: usize) -> String {
    let missing = width.saturating_sub(width_of(cell));
    format!("{cell}{}", " ".repeat(missing))
}

fn width_of(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_spelled_out() {
        let rows = [
            ("plain — ümlaut 漢字", "plain — ümlaut 漢字"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("one\ntwo\ttab\r", "one\\ntwo\\ttab\\r"),
            ("\u{7}\u{7f}\0", "\\u{7}\\u{7f}\\u{0}"),
            ("abc\u{202e}cba", "abc\\u{202e}cba"),
        ];
        for (text, told) in rows {
            assert_eq!(visible(text), told);
        }
    }

    #[test]
    fn a_table_aligns_its_columns_and_pads_no_line_end() {
        let mut page = Page::default();
        page.table(["ID", "TITLE"], vec![["1".to_owned(), "Orders".to_owned()], ["22".to_owned(), "A\nB".to_owned()]]);
        assert_eq!(page.to_string(), "ID  TITLE\n1   Orders\n22  A\\nB\n");
    }

    #[test]
    fn printed_json_means_the_same_and_keeps_every_digit() {
        let text = r#"{"n":9007199254740993,"e":1e400,"t":"\u001b[0m\u009b\u202e\n"}"#;
        let mut page = Page::default();
        page.json(&domain::exact::parse(text).unwrap());
        let printed = page.to_string();
        assert!(printed.contains("9007199254740993") && printed.contains("1e400"), "{printed}");
        assert!(printed.contains(r"\u001b[0m\u009b\u202e\n"), "{printed}");
        let value: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(value["t"], json!("\u{1b}[0m\u{9b}\u{202e}\n"));
    }

    #[test]
    fn a_long_text_is_cut_with_a_sign() {
        assert_eq!((shortened("abcdef", 6), shortened("abcdef", 4)), ("abcdef".to_owned(), "abc…".to_owned()));
    }

    proptest! {
        #[test]
        fn nothing_that_is_printed_acts_on_a_terminal(text in any::<String>()) {
            let mut page = Page::default();
            page.line(&text);
            page.fields(&[(&text, text.clone())]);
            page.table([&text], vec![[text.clone()]]);
            page.json(&json!({ &text: text }));
            let lines = page.lines.len();
            prop_assert_eq!(page.to_string().lines().count(), lines);
            prop_assert!(!page.to_string().chars().any(|c| c != '\n' && acts_on_terminals(c)));
        }
    }
}

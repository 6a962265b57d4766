//! One XML element while it is open. White space between child elements is layout and is dropped; white space alone in an element is its text.

use serde_json::{Map, Value};

/// The key of an element's text when it also has attributes or children.
const TEXT_KEY: &str = "#text";

/// How a piece of text was written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    /// Between tags, where white space can be layout.
    Plain,
    /// As a reference or in a CDATA section, where all of it was meant.
    Literal,
}

/// An element whose end tag has not come yet.
pub(super) struct Element {
    name: String,
    entries: Map<String, Value>,
    text: String,
    /// The text since the last tag.
    piece: String,
    piece_is_meant: bool,
    children: usize,
}

impl Element {
    pub(super) fn new(name: String, attributes: Map<String, Value>) -> Self {
        Self {
            name,
            entries: attributes,
            text: String::new(),
            piece: String::new(),
            piece_is_meant: false,
            children: 0,
        }
    }

    pub(super) fn add_text(&mut self, text: &str, kind: TextKind) {
        self.piece.push_str(text);
        self.piece_is_meant |= kind == TextKind::Literal;
    }

    /// A child's start tag has come.
    pub(super) fn begin_child(&mut self) {
        self.children += 1;
        self.end_piece();
    }

    /// Adds a closed child: the second of a name makes an array, at the place of the first.
    pub(super) fn add_child(&mut self, name: String, value: Value) {
        match self.entries.get_mut(&name) {
            None => {
                self.entries.insert(name, value);
            }
            // An element is text or an object, never an array, so an array is always one of these.
            Some(Value::Array(elements)) => elements.push(value),
            Some(first) => {
                let elements = vec![first.take(), value];
                *first = Value::Array(elements);
            }
        }
    }

    pub(super) fn into_value(mut self) -> (String, Value) {
        self.end_piece();
        if self.entries.is_empty() {
            return (self.name, Value::String(self.text));
        }

        if !self.text.is_empty() {
            self.entries.insert(TEXT_KEY.to_owned(), Value::String(self.text));
        }
        (self.name, Value::Object(self.entries))
    }

    fn end_piece(&mut self) {
        let is_layout = self.children > 0 && !self.piece_is_meant && self.piece.trim_ascii().is_empty();
        if !is_layout {
            self.text.push_str(&self.piece);
        }
        self.piece.clear();
        self.piece_is_meant = false;
    }
}

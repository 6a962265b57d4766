//! The same JSON as other programs write it, and the same text with another end: what a body may have been before something touched it.

use serde_json::Value;

/// A way to write JSON.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// For the owner: `as JavaScript writes it`.
    pub(super) name: &'static str,
    after_comma: &'static str,
    after_colon: &'static str,
    indent: usize,
    escapes: Escapes,
    order: Order,
}

#[derive(Clone, Copy)]
enum Escapes {
    None,
    Unicode,
    Slashes,
    Both,
}

#[derive(Clone, Copy)]
enum Order {
    AsItCame,
    Sorted,
}

const COMPACT: Style = Style {
    name: "without spaces",
    after_comma: "",
    after_colon: "",
    indent: 0,
    escapes: Escapes::None,
    order: Order::AsItCame,
};

pub(super) const STYLES: &[Style] = &[
    COMPACT,
    Style { name: "with two spaces of indentation", after_colon: " ", indent: 2, ..COMPACT },
    Style { name: "with four spaces of indentation", after_colon: " ", indent: 4, ..COMPACT },
    Style { name: "with a space after commas and colons", after_comma: " ", after_colon: " ", ..COMPACT },
    Style { name: "as Python writes it", after_comma: " ", after_colon: " ", escapes: Escapes::Unicode, ..COMPACT },
    Style { name: "with escaped Unicode", escapes: Escapes::Unicode, ..COMPACT },
    Style { name: "with escaped slashes", escapes: Escapes::Slashes, ..COMPACT },
    Style { name: "as PHP writes it", escapes: Escapes::Both, ..COMPACT },
    Style { name: "with sorted keys", order: Order::Sorted, ..COMPACT },
];

/// Writes a document; its depth is what the parser let through.
pub(super) fn write(document: &Value, style: Style) -> Vec<u8> {
    let mut out = String::new();
    write_value(document, style, 0, &mut out);
    out.into_bytes()
}

fn write_value(value: &Value, style: Style, depth: usize, out: &mut String) {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            match style.order {
                Order::AsItCame => {}
                Order::Sorted => members.sort_by_key(|(key, _)| *key),
            }
            let write_member = |(key, value): (&String, &Value), out: &mut String| {
                write_text(key, style, out);
                out.push(':');
                out.push_str(style.after_colon);
                write_value(value, style, depth + 1, out);
            };
            write_list('{', '}', members.into_iter(), style, depth, write_member, out);
        }
        Value::Array(array) => {
            let write_element = |value: &Value, out: &mut String| write_value(value, style, depth + 1, out);
            write_list('[', ']', array.iter(), style, depth, write_element, out);
        }
        Value::String(text) => write_text(text, style, out),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

fn write_list<T>(
    open: char,
    close: char,
    elements: impl ExactSizeIterator<Item = T>,
    style: Style,
    depth: usize,
    write_element: impl Fn(T, &mut String),
    out: &mut String,
) {
    out.push(open);
    let is_empty = elements.len() == 0;
    for (index, element) in elements.enumerate() {
        if index > 0 {
            out.push(',');
            out.push_str(style.after_comma);
        }
        break_line(style, depth + 1, out);
        write_element(element, out);
    }
    if !is_empty {
        break_line(style, depth, out);
    }
    out.push(close);
}

fn break_line(style: Style, depth: usize, out: &mut String) {
    if style.indent > 0 {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', style.indent * depth));
    }
}

fn write_text(text: &str, style: Style, out: &mut String) {
    let (unicode, slashes) = match style.escapes {
        Escapes::None => (false, false),
        Escapes::Unicode => (true, false),
        Escapes::Slashes => (false, true),
        Escapes::Both => (true, true),
    };
    let quoted = Value::String(text.to_owned()).to_string();
    for character in quoted.chars() {
        match character {
            '/' if slashes => out.push_str("\\/"),
            character if unicode && !character.is_ascii() => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            character => out.push(character),
        }
    }
}

/// The same text without or with a line end, or with the other kind.
pub(super) fn other_ends(body: &[u8]) -> Vec<Vec<u8>> {
    let trimmed = body.trim_ascii();
    let unix: Vec<u8> = body.iter().copied().filter(|byte| *byte != b'\r').collect();
    let mut ends = vec![trimmed.to_vec(), [trimmed, b"\n"].concat(), [trimmed, b"\r\n"].concat(), unix];
    if let Some(bare) = body.strip_prefix("\u{feff}".as_bytes()) {
        ends.push(bare.to_vec());
    }
    ends.retain(|other| other != body);
    ends
}

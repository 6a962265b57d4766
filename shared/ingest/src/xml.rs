//! XML as JSON: the root's name is the one key; attributes are `@name`, text beside them is `#text`, repeated tags are an array.
//!
//! A document type is refused, so there are no entities but the five of XML itself, and nothing is ever fetched.

mod element;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde_json::{Map, Value};

use crate::charset::{self, Broken};
use crate::notes::Notes;
use crate::refusal::{malformed, shown};
use crate::{Reading, Refusal};
use element::{Element, TextKind};

/// Elements that may nest, and levels of the data they become.
pub(crate) const DEPTH_LIMIT: usize = crate::json::DEPTH_LIMIT;

/// Elements and attributes one document may have.
pub(crate) const NODES_LIMIT: usize = 10_000;

/// Where an XML declaration, if there is one, has ended.
const DECLARATION_LIMIT_BYTES: usize = 256;

pub(crate) fn read(body: &[u8], stated: Option<&'static Encoding>) -> Result<Reading, Refusal> {
    let mut notes = Notes::default();
    let encoding = match stated {
        Some(encoding) => Some(encoding),
        None => declared_encoding(body)?,
    };
    let text = charset::decode(body, encoding, Broken::Refused, &mut notes)?;

    Ok(Reading { data: document(&text)?, notes: notes.into_list(), files: Vec::new() })
}

/// The encoding of the XML declaration, which is ASCII in all encodings but UTF-16.
///
/// *Source*: XML 1.0, appendix F.
fn declared_encoding(body: &[u8]) -> Result<Option<&'static Encoding>, Refusal> {
    match body {
        [b'<', 0, ..] => return Ok(Some(UTF_16LE)),
        [0, b'<', ..] => return Ok(Some(UTF_16BE)),
        _ => {}
    }
    let Some(label) = declared_label(body) else {
        return Ok(None);
    };

    match charset::encoding_named(&label) {
        // The declaration was readable as ASCII, so this is what a careless program left in it.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(Some(UTF_8)),
        Some(encoding) => Ok(Some(encoding)),
        None => Err(Refusal::UnsupportedMediaType {
            detail: format!("The encoding {} of the XML declaration is not known; send UTF-8.", shown(&label)),
        }),
    }
}

fn declared_label(body: &[u8]) -> Option<String> {
    let beginning = String::from_utf8_lossy(body.get(..DECLARATION_LIMIT_BYTES).unwrap_or(body)).into_owned();
    let (declaration, _) = beginning.strip_prefix("<?xml")?.split_once("?>")?;
    let (_, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|character| matches!(character, '"' | '\''))?;
    value.split(quote).nth(1).map(str::to_owned)
}

fn document(text: &str) -> Result<Value, Refusal> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut tree = Tree::default();

    loop {
        let event = reader.read_event().map_err(|error| error.to_string());
        let step = event.map_err(not_xml).and_then(|event| tree.take(event));
        match step {
            Ok(Progress::More) => {}
            Ok(Progress::End) => return tree.into_data(),
            Err(refusal) => return Err(placed(refusal, text, reader.error_position().max(reader.buffer_position()))),
        }
    }
}

enum Progress {
    More,
    End,
}

/// A document while its events are read. The open elements are a list, not calls, so depth costs no stack.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<(String, Value)>,
    nodes: usize,
}

impl Tree {
    fn take(&mut self, event: Event<'_>) -> Result<Progress, Refusal> {
        match event {
            Event::Start(start) | Event::Empty(start) => self.start(&start)?,
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content().map_err(not_xml)?, TextKind::Plain)?,
            Event::CData(text) => self.text(&text.xml10_content().map_err(not_xml)?, TextKind::Literal)?,
            Event::GeneralRef(reference) => self.text(&resolved(&reference)?, TextKind::Literal)?,
            Event::DocType(_) => {
                return Err(malformed("doctype_refused", "A document type (<!DOCTYPE) is not accepted; leave it out"));
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return Ok(Progress::End),
        }
        Ok(Progress::More)
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Refusal> {
        if self.root.is_some() {
            return Err(not_xml("there is more than one root element"));
        }
        if self.open.len() >= DEPTH_LIMIT {
            return Err(too_deep());
        }

        let name = name(start.name().as_ref())?;
        self.count_node()?;
        let attributes = self.attributes(start)?;
        if let Some(parent) = self.open.last_mut() {
            parent.begin_child();
        }
        self.open.push(Element::new(name, attributes));
        Ok(())
    }

    fn attributes(&mut self, start: &BytesStart<'_>) -> Result<Map<String, Value>, Refusal> {
        let mut attributes = Map::new();
        // The crate looks for doubles by comparing each with each; the map does it faster.
        for attribute in start.attributes().with_checks(false) {
            self.count_node()?;
            let attribute = attribute.map_err(not_xml)?;
            let key = format!("@{}", name(attribute.key.as_ref())?);
            let value = attribute.unescape_value().map_err(not_xml)?.into_owned();
            if attributes.insert(key, Value::String(value)).is_some() {
                return Err(not_xml("an attribute is there twice"));
            }
        }
        Ok(attributes)
    }

    /// The reader has checked that the tag closes the one that is open.
    fn end(&mut self) {
        let Some((name, value)) = self.open.pop().map(Element::into_value) else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.add_child(name, value),
            None => self.root = Some((name, value)),
        }
    }

    fn text(&mut self, text: &str, kind: TextKind) -> Result<(), Refusal> {
        match self.open.last_mut() {
            Some(element) => element.add_text(text, kind),
            None if text.trim_ascii().is_empty() => {}
            None => return Err(not_xml("there is text outside the root element")),
        }
        Ok(())
    }

    fn count_node(&mut self) -> Result<(), Refusal> {
        self.nodes += 1;
        if self.nodes > NODES_LIMIT {
            return Err(malformed(
                "too_many_nodes",
                format!("A document may have {NODES_LIMIT} elements and attributes; send less in one request"),
            ));
        }
        Ok(())
    }

    fn into_data(self) -> Result<Value, Refusal> {
        let (name, value) = match self.root {
            Some(root) if self.open.is_empty() => root,
            Some(_) | None => {
                return Err(malformed("malformed_xml", "The body is not XML: it ends before its root element does."));
            }
        };

        // Attributes and repeated tags add levels of their own.
        if depth(&value) >= DEPTH_LIMIT {
            return Err(too_deep());
        }
        Ok(Value::Object(Map::from_iter([(name, value)])))
    }
}

/// A name of a tag or attribute, prefix and all. The crate does not look at its characters; `#text` and `@a` must not pass for our own keys.
fn name(bytes: &[u8]) -> Result<String, Refusal> {
    let name = std::str::from_utf8(bytes).map_err(not_xml)?;
    let is_start =
        |character: char| character.is_ascii_alphabetic() || matches!(character, '_' | ':') || !character.is_ascii();
    let is_inside =
        |character: char| is_start(character) || character.is_ascii_digit() || matches!(character, '-' | '.');

    match name.chars().next() {
        Some(first) if is_start(first) && name.chars().all(is_inside) => Ok(name.to_owned()),
        Some(_) | None => Err(not_xml(format!("{} is not a name", shown(name)))),
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, Refusal> {
    if let Some(character) = reference.resolve_char_ref().map_err(not_xml)? {
        return Ok(character.to_string());
    }

    let entity = reference.decode().map_err(not_xml)?;
    match resolve_xml_entity(&entity) {
        Some(text) => Ok(text.to_owned()),
        None => Err(not_xml(format!("the entity {} is not known", shown(&entity)))),
    }
}

/// Levels of objects and arrays.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn too_deep() -> Refusal {
    malformed("too_deep", format!("Elements may nest {DEPTH_LIMIT} levels; send flatter data"))
}

fn not_xml(error: impl std::fmt::Display) -> Refusal {
    malformed("malformed_xml", format!("The body is not XML: {error}"))
}

/// The refusal with the line in which the reader stood.
fn placed(refusal: Refusal, text: &str, position: u64) -> Refusal {
    let end = usize::try_from(position).unwrap_or(usize::MAX);
    let before = text.as_bytes().get(..end).unwrap_or(text.as_bytes());
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    malformed(refusal.code(), format!("{} (line {line}).", refusal.detail().trim_end_matches('.')))
}

//! YAML as the JSON it stands for, with the line and column of every value.
//!
//! The core schema of YAML 1.2, and of that only what JSON can hold. A number keeps its digits; one that JSON would write otherwise
//! (`0x1f`, `+1`, `.5`, `.inf`) is refused, because nobody could say how a workflow sees it. An alias is a copy of what its
//! anchor names, and all copies together have a bound.

use std::collections::HashMap;

use domain::exact;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};

/// How deep lists and mappings may stand in each other, as in JSON.
const DEPTH_LIMIT: usize = 64;

/// The most bytes of JSON that all aliases of a document stand for. *Why*: ten lines of anchors that name each other ten times are a billion.
const ALIASES_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// Where something begins in a file, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line.
    pub(crate) line: usize,
    /// The column, in characters.
    pub(crate) column: usize,
}

/// A document and where its values begin, by their JSON paths.
#[derive(Debug, PartialEq)]
pub(crate) struct Document {
    /// The document.
    pub(crate) value: Value,
    /// Where its values begin.
    pub(crate) places: HashMap<String, Place>,
}

/// Why a text is not read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Where.
    pub(crate) place: Place,
    /// A sentence.
    pub(crate) message: String,
}

/// The one document in `text`.
///
/// *Errors*: [`Unreadable`], the first thing that is wrong.
pub(crate) fn parse(text: &str) -> Result<Document, Unreadable> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let place = Place { line: error.marker().line(), column: error.marker().col() + 1 };
            Unreadable { place, message: format!("This is no YAML: {}.", error.info()) }
        })?;
        builder.take(event, place_of(&span))?;
    }
    Ok(Document { value: builder.root.unwrap_or_default(), places: builder.places })
}

/// A list or a mapping that has begun and not ended.
enum Open {
    List { anchor: usize, path: String, items: Vec<Value> },
    Mapping { anchor: usize, path: String, members: Map<String, Value>, key: Option<String> },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Value>,
    documents: usize,
    /// What anchors name.
    anchors: HashMap<usize, Value>,
    aliased_bytes: usize,
    places: HashMap<String, Place>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Unreadable> {
        let refused = |message: &str| Err(Unreadable { place, message: message.to_owned() });
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                match self.documents {
                    1 => Ok(()),
                    _ => refused("A file holds one document; put the rest into a file of its own."),
                }
            }
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                refused("Tags (`!…`) are not read; put a text that looks like something else into quotes.")
            }
            Event::Scalar(text, style, anchor, None) => self.scalar(&text, style, anchor, place),
            Event::SequenceStart(anchor, None) => {
                let path = self.begin(place)?;
                self.open.push(Open::List { anchor, path, items: Vec::new() });
                Ok(())
            }
            Event::MappingStart(anchor, None) => {
                let path = self.begin(place)?;
                self.open.push(Open::Mapping { anchor, path, members: Map::new(), key: None });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (anchor, value) = match self.open.pop() {
                    Some(Open::List { anchor, items, .. }) => (anchor, Value::Array(items)),
                    Some(Open::Mapping { anchor, members, .. }) => (anchor, Value::Object(members)),
                    None => return Ok(()),
                };
                self.remember(anchor, &value);
                self.put(value);
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, place),
        }
    }

    /// The path of a list or mapping that begins here.
    fn begin(&mut self, place: Place) -> Result<String, Unreadable> {
        if matches!(self.open.last(), Some(Open::Mapping { key: None, .. })) {
            let message = "A key is a text; this one is a list or a mapping.".to_owned();
            return Err(Unreadable { place, message });
        }
        if self.open.len() >= DEPTH_LIMIT {
            let message = format!("Lists and mappings stand at most {DEPTH_LIMIT} deep in each other.");
            return Err(Unreadable { place, message });
        }
        let path = self.path();
        self.places.entry(path.clone()).or_insert(place);
        Ok(path)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, place: Place) -> Result<(), Unreadable> {
        if let Some(Open::Mapping { path, members, key: key @ None, .. }) = self.open.last_mut() {
            if members.contains_key(text) {
                let message = "This key comes more than once; leave one of them.".to_owned();
                return Err(Unreadable { place, message });
            }
            if text == "<<" && style == ScalarStyle::Plain {
                let message = "Merge keys (`<<`) are not read: YAML 1.2 has none.".to_owned();
                return Err(Unreadable { place, message });
            }
            self.places.insert(member_path(path, text), place);
            *key = Some(text.to_owned());
            return Ok(());
        }
        let value = match style {
            ScalarStyle::Plain => plain(text).map_err(|message| Unreadable { place, message })?,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted | ScalarStyle::Literal | ScalarStyle::Folded => {
                Value::String(text.to_owned())
            }
        };
        let path = self.path();
        self.places.entry(path).or_insert(place);
        self.remember(anchor, &value);
        self.put(value);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Unreadable> {
        let refused = |message: String| Err(Unreadable { place, message });
        if matches!(self.open.last(), Some(Open::Mapping { key: None, .. })) {
            return refused("A key is a text; this one is an alias.".to_owned());
        }
        let Some(value) = self.anchors.get(&anchor).cloned() else {
            return refused("This alias names what it stands in.".to_owned());
        };
        self.aliased_bytes = self.aliased_bytes.saturating_add(value.to_string().len());
        if self.aliased_bytes > ALIASES_LIMIT_BYTES {
            return refused(format!("The aliases of a file stand for at most {ALIASES_LIMIT_BYTES} bytes of JSON."));
        }
        self.put(value);
        Ok(())
    }

    fn remember(&mut self, anchor: usize, value: &Value) {
        // 0 is no anchor.
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::List { items, .. }) => items.push(value),
            Some(Open::Mapping { members, key, .. }) => {
                members.insert(key.take().unwrap_or_default(), value);
            }
        }
    }

    /// Where the next value is.
    fn path(&self) -> String {
        match self.open.last() {
            None => "$".to_owned(),
            Some(Open::List { path, items, .. }) => format!("{path}[{}]", items.len()),
            Some(Open::Mapping { path, key, .. }) => member_path(path, key.as_deref().unwrap_or_default()),
        }
    }
}

/// The path of the member `key` of the object at `path`.
pub(crate) fn member_path(path: &str, key: &str) -> String {
    format!("{path}.{key}")
}

fn place_of(span: &Span) -> Place {
    Place { line: span.start.line(), column: span.start.col() + 1 }
}

/// What a scalar without quotes is. *Source*: YAML 1.2.2, 10.3.2.
fn plain(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if is_json_number(text) {
        return exact::parse(text).map_err(|error| format!("This number is not read: {error}."));
    }
    if is_other_number(text) {
        return Err(format!(
            "The number {text} is written as JSON does not write numbers. Write its digits, or a text in quotes."
        ));
    }
    Ok(Value::String(text.to_owned()))
}

fn is_json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let begins_well = digits.starts_with(|c: char| c.is_ascii_digit());
    begins_well && text.bytes().all(|byte| b"0123456789+-.eE".contains(&byte)) && exact::parse(text).is_ok()
}

/// Whether the core schema calls it a number all the same.
fn is_other_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_of = |prefix: &str, radix: u32| {
        text.strip_prefix(prefix).is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
    };
    let is_special = [".inf", ".Inf", ".INF"].contains(&unsigned) || [".nan", ".NaN", ".NAN"].contains(&text);
    is_special || is_of("0x", 16) || is_of("0o", 8) || is_decimal(unsigned)
}

/// `007`, `1.`, `.5`, `1.5e3`.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(left, right)| (left, Some(right)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_exponent = |text: &str| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        !digits.is_empty() && are_digits(digits)
    };
    are_digits(whole)
        && are_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(is_exponent)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        parse(text).unwrap().value
    }

    fn refusal(text: &str) -> (usize, usize, String) {
        let Unreadable { place, message } = parse(text).unwrap_err();
        (place.line, place.column, message)
    }

    #[test]
    fn a_document_is_the_json_that_it_stands_for() {
        let rows = [
            ("a: 1\nb: [x, 'y', \"z\\n\"]\n", json!({"a": 1, "b": ["x", "y", "z\n"]})),
            (
                "- ~\n- null\n-\n- true\n- False\n- yes\n- 2026-11-22\n- 1_000\n",
                json!([null, null, null, true, false, "yes", "2026-11-22", "1_000"]),
            ),
            ("a: |\n  one\n  two\nb: >\n  one\n  two\n", json!({"a": "one\ntwo\n", "b": "one two\n"})),
            ("{\"a\": {\"b\": []}, c: -0.5}", json!({"a": {"b": []}, "c": -0.5})),
            ("", Value::Null),
            ("1: a\ntrue: b\n", json!({"1": "a", "true": "b"})),
        ];
        for (text, expected) in rows {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_digits_and_others_are_refused() {
        assert_eq!(
            value("[9007199254740993, 1e400, 0.10, -0, '5']").to_string(),
            r#"[9007199254740993,1e400,0.10,-0,"5"]"#
        );
        for number in ["0x1f", "0o17", "+1", "007", "-.5", "1.", ".inf", "-.Inf", ".nan", "01e5"] {
            let (line, column, message) = refusal(&format!("a: {number}"));
            assert!((line, column) == (1, 4) && message.contains(number), "{number}: {message}");
        }
        for text in ["1.2.3", "0x", "e5", ".", "+", "1e", "0xg", "5 apples", "12:30"] {
            assert_eq!(value(&format!("a: {text}\n")), json!({"a": text}), "{text}");
        }
    }

    #[test]
    fn every_value_has_its_place() {
        let places = parse("cases:\n  - name: one\n    data: {a: [1, 2]}\n").unwrap().places;
        for (path, line, column) in [
            ("$.cases", 1, 1),
            ("$.cases[0].name", 2, 5),
            ("$.cases[0].data.a", 3, 12),
            ("$.cases[0].data.a[1]", 3, 19),
        ] {
            assert_eq!(places.get(path), Some(&Place { line, column }), "{path}: {places:?}");
        }
    }

    #[test]
    fn an_alias_is_a_copy_and_a_bomb_is_refused() {
        assert_eq!(value("a: &x {b: [1]}\nc: *x\nd: *x\n"), json!({"a": {"b": [1]}, "c": {"b": [1]}, "d": {"b": [1]}}));
        let mut bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", ")));
        }
        assert!(refusal(&bomb).2.starts_with("The aliases of a file stand for at most"));
        assert_eq!(refusal("a: &a [*a]").2, "This alias names what it stands in.");
    }

    #[test]
    fn aliases_stand_for_4_mebibytes_and_not_for_a_byte_more() {
        // The text `x…x` is two bytes longer as JSON, and the number 1 is one byte.
        let kilobyte = "x".repeat(1_022);
        let aliases = vec!["*a"; ALIASES_LIMIT_BYTES / 1_024].join(", ");
        let with = |more: &str| parse(&format!("a: &a {kilobyte}\nb: &b 1\nc: [{aliases}{more}]\n"));
        assert!(with("").is_ok());
        assert!(with(", *b").is_err());
    }

    #[test]
    fn lists_stand_64_deep_and_not_65() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(DEPTH_LIMIT)).is_ok());
        assert!(parse(&nested(DEPTH_LIMIT + 1)).is_err());
    }

    #[test]
    fn what_is_not_read_is_told_with_its_line_and_column() {
        let rows = [
            ("a: 1\na: 2\n", 2, 1, "This key comes more than once"),
            ("a: 1\n---\nb: 2\n", 2, 1, "A file holds one document"),
            ("a: !!str 5\n", 1, 4, "Tags"),
            ("<<: {a: 1}\n", 1, 1, "Merge keys"),
            ("? [a]\n: 1\n", 1, 3, "A key is a text"),
            ("a: [1, 2\nb: 3\n", 2, 2, "This is no YAML"),
            ("a: *nobody\n", 1, 4, "This is no YAML"),
            ("a:\n\t- b\n", 2, 2, "This is no YAML"),
        ];
        for (text, line, column, message) in rows {
            let told = refusal(text);
            assert!((told.0, told.1) == (line, column) && told.2.starts_with(message), "{text}: {told:?}");
        }
    }
}

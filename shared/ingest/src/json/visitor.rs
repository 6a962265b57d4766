//! The walk over a JSON document as `serde_json` reads it. Every string and every number is visited in the order it is written, which is what
//! ties a visited value to its spelling in the source.

use std::borrow::Cow;
use std::fmt;

use domain::exact::ExponentLiterals;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::{DEPTH_LIMIT, DUPLICATE_KEY, NUMBER_LIMIT_CHARS};
use crate::notes::{Notes, Step};
use crate::refusal::{RESERVED_KEY_PREFIX, shown};

/// Everything known while one document is read.
pub(super) struct Progress<'t> {
    text: &'t str,
    /// The strings, counted from 0, in which a lone surrogate was replaced.
    mended_strings: &'t [usize],
    exponents: ExponentLiterals<'t>,
    depth: usize,
    keys: usize,
    keys_limit: usize,
    strings: usize,
    /// Oddities; their paths lack the root until the walk is over.
    pub(super) notes: Notes,
    /// The limit that ended the walk: `serde_json`'s own error cannot carry a code.
    pub(super) refusal: Option<(&'static str, Cow<'static, str>)>,
}

impl<'t> Progress<'t> {
    pub(super) fn new(text: &'t str, mended_strings: &'t [usize], keys_limit: usize) -> Self {
        Self {
            text,
            mended_strings,
            exponents: ExponentLiterals::of(text),
            depth: 0,
            keys: 0,
            keys_limit,
            strings: 0,
            notes: Notes::default(),
            refusal: None,
        }
    }

    fn refuse<E: Error>(&mut self, code: &'static str, sentence: impl Into<Cow<'static, str>>) -> E {
        self.refusal = Some((code, sentence.into()));
        E::custom(code)
    }

    fn enter<E: Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        let limit = DEPTH_LIMIT;
        if self.depth > limit {
            return Err(
                self.refuse("too_deep", format!("Objects and arrays may nest {limit} levels; send flatter data"))
            );
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn count_key<E: Error>(&mut self, key: &str) -> Result<(), E> {
        self.keys += 1;
        let limit = self.keys_limit;
        if self.keys > limit {
            return Err(
                self.refuse("too_many_keys", format!("A document may have {limit} keys; send less in one request"))
            );
        }
        if key.starts_with(RESERVED_KEY_PREFIX) {
            return Err(self.refuse("reserved_key", format!("The name {} is reserved; rename it", shown(key))));
        }
        Ok(())
    }

    /// Counts a string; says whether a lone surrogate was replaced in it.
    fn count_string(&mut self) -> Spelling {
        let ordinal = self.strings;
        self.strings += 1;
        match self.mended_strings.split_first() {
            Some((next, rest)) if *next == ordinal => {
                self.mended_strings = rest;
                Spelling::Mended
            }
            Some(_) | None => Spelling::Sent,
        }
    }

    fn note_mended(&mut self) {
        self.notes.add(
            "lone_surrogate_replaced",
            "",
            "Half of a surrogate pair is not a character; it was replaced by U+FFFD.",
        );
    }

    /// A number from the literal that `serde_json` hands over, in which an exponent is always written `e+5` or `e-5`.
    fn number<E: Error>(&mut self, literal: String) -> Result<Value, E> {
        let has_exponent = literal.contains('e');
        let as_sent = if has_exponent { self.exponents.next() } else { None };
        let literal = as_sent.map(str::to_owned).unwrap_or(literal);

        let limit = NUMBER_LIMIT_CHARS;
        if literal.len() > limit {
            return Err(
                self.refuse("number_too_long", format!("A number may be {limit} characters long; send it as a string"))
            );
        }
        // The only constructor that keeps `1E5` as it is. The literal is one that `serde_json` has just accepted.
        Ok(Value::Number(Number::from_string_unchecked(literal)))
    }
}

enum Spelling {
    Sent,
    Mended,
}

/// Reads one value.
pub(super) struct ValueSeed<'p, 't>(pub(super) &'p mut Progress<'t>);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, '_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        if let Spelling::Mended = self.0.count_string() {
            self.0.note_mended();
        }
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let progress = self.0;
        let mut array = Vec::new();

        progress.enter()?;
        loop {
            let first_note = progress.notes.count();
            let Some(element) = elements.next_element_seed(ValueSeed(progress))? else {
                break;
            };
            progress.notes.prefix_since(first_note, Step::Index(array.len()));
            array.push(element);
        }
        progress.leave();
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let progress = self.0;
        let mut object = Map::new();

        let mut next_key = entries.next_key_seed(KeySeed(progress.text))?;
        if let Some(Key::NumberMark) = next_key {
            return progress.number(entries.next_value()?);
        }

        progress.enter()?;
        while let Some(Key::Sent(key)) = next_key {
            read_entry(progress, &mut object, key, &mut entries)?;
            next_key = entries.next_key_seed(KeySeed(progress.text))?;
        }
        progress.leave();
        Ok(Value::Object(object))
    }
}

fn read_entry<'de, A: MapAccess<'de>>(
    progress: &mut Progress<'_>,
    object: &mut Map<String, Value>,
    key: String,
    entries: &mut A,
) -> Result<(), A::Error> {
    let first_note = progress.notes.count();

    progress.count_key(&key)?;
    if let Spelling::Mended = progress.count_string() {
        progress.note_mended();
    }
    let value = entries.next_value_seed(ValueSeed(progress))?;

    let entry = object.entry(key);
    if let Entry::Occupied(_) = entry {
        progress.notes.add(DUPLICATE_KEY, "", "The key came more than once; the last value counts.");
    }
    progress.notes.prefix_since(first_note, Step::Key(entry.key()));
    *entry.or_insert(Value::Null) = value;
    Ok(())
}

enum Key {
    Sent(String),
    NumberMark,
}

/// Reads one key of the document `.0`.
struct KeySeed<'t>(&'t str);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    /// `serde_json` shows a number as an object whose one key is a constant of its own. A key that was sent lies in the text, or was copied
    /// out of it and comes through `visit_str`; so a sender cannot pass one off as a number.
    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Key, E> {
        let lies_in_text = self.0.as_bytes().as_ptr_range().contains(&key.as_ptr());
        if key.starts_with(RESERVED_KEY_PREFIX) && !lies_in_text {
            return Ok(Key::NumberMark);
        }
        self.visit_str(key)
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(Key::Sent(key.to_owned()))
    }
}

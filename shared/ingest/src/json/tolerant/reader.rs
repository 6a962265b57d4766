//! The grammar: values and what may stand between them. It is JSON's own, with the deviations that are mended.
//!
//! The recursion is bounded by the depth limit, and no byte is looked at more than a few times.

use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::{DEPTH_LIMIT, Fault, Repair};
use crate::json::{KEYS_LIMIT, NUMBER_LIMIT_CHARS};
use crate::refusal::RESERVED_KEY_PREFIX;

const CUT_OFF: &str = "The text ends before the value does";
const TOO_DEEP: &str = "Objects and arrays nest more than 112 levels";

/// A place in the text, and what was met before it.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    /// Bytes that were read; always at the border of a character.
    pub(super) at: usize,
    pub(super) depth: usize,
    deepest: usize,
    /// Nothing was read yet, so the text may stand inside an HTML comment as a whole.
    pub(super) may_be_wrapped: bool,
    keys: usize,
    /// In the order they were met, each once.
    repairs: Vec<Repair>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, depth: 0, deepest: 0, may_be_wrapped: true, keys: 0, repairs: Vec::new() }
    }

    /// The whole text as one value; several objects or arrays in a row are one array.
    pub(super) fn document(mut self) -> Result<(Value, Vec<Repair>), Fault> {
        self.skip_space()?;
        self.may_be_wrapped = false;
        let mut value = self.value()?;
        while self.has_another(&value)? {
            let next = self.value()?;
            value = joined(value, next);
            // The array around them is one level more.
            if self.deepest >= DEPTH_LIMIT {
                return Err(self.fault(TOO_DEEP));
            }
        }
        Ok((value, self.repairs))
    }

    /// Whether another object or array follows the whole of `value`; anything else there is a fault.
    fn has_another(&mut self, value: &Value) -> Result<bool, Fault> {
        self.skip_space()?;
        let trailing = match self.peek() {
            Some(b',') => Some(Repair::TrailingComma),
            Some(b';') => Some(Repair::TrailingSemicolon),
            Some(_) | None => None,
        };
        if trailing.is_some() {
            self.at += 1;
            self.skip_space()?;
        }

        match (self.peek(), trailing) {
            (None, None) => Ok(false),
            (None, Some(repair)) => {
                self.mend(repair);
                Ok(false)
            }
            (Some(b'{' | b'['), _) if value.is_object() || value.is_array() => {
                self.mend(Repair::Concatenated);
                Ok(true)
            }
            (Some(_), _) => Err(self.fault("The value is over, and something follows it")),
        }
    }

    fn value(&mut self) -> Result<Value, Fault> {
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"' | b'\'') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.fault("A value should stand here")),
            None => Err(self.fault(CUT_OFF)),
        }
    }

    fn array(&mut self) -> Result<Value, Fault> {
        let mut list = Vec::new();

        self.enter()?;
        self.skip_space()?;
        let mut is_open = !self.took(b']');
        while is_open {
            let element = self.value()?;
            is_open = self.goes_on(b']', &element)?;
            list.push(element);
        }
        self.depth -= 1;
        Ok(Value::Array(list))
    }

    fn object(&mut self) -> Result<Value, Fault> {
        let mut map = Map::new();

        self.enter()?;
        self.skip_space()?;
        let mut is_open = !self.took(b'}');
        while is_open {
            is_open = self.member(&mut map)?;
        }
        self.depth -= 1;
        Ok(Value::Object(map))
    }

    fn member(&mut self, map: &mut Map<String, Value>) -> Result<bool, Fault> {
        let key = self.key()?;
        self.skip_space()?;
        if !self.took(b':') {
            return Err(self.fault_or_cut_off("A colon should stand here"));
        }
        self.skip_space()?;
        let value = self.value()?;
        let is_open = self.goes_on(b'}', &Value::Null)?;

        // The last value counts, in the place of the first one.
        match map.entry(key) {
            Entry::Occupied(mut member) => {
                member.insert(value);
            }
            Entry::Vacant(place) => {
                place.insert(value);
            }
        }
        Ok(is_open)
    }

    /// Whether another element or member follows; `before` is the element that was just read.
    fn goes_on(&mut self, end: u8, before: &Value) -> Result<bool, Fault> {
        self.skip_space()?;
        if self.took(end) {
            return Ok(false);
        }
        if self.took(b',') {
            self.skip_space()?;
            if self.took(end) {
                self.mend(Repair::TrailingComma);
                return Ok(false);
            }
            return Ok(true);
        }
        if self.peek() == Some(b'{') && before.is_object() {
            self.mend(Repair::MissingComma);
            return Ok(true);
        }
        Err(self.fault_or_cut_off("A comma or a closing bracket should stand here"))
    }

    fn key(&mut self) -> Result<String, Fault> {
        let at = self.at;
        let key = match self.peek() {
            Some(b'"' | b'\'') => self.string()?,
            Some(_) => self.bare_key()?,
            None => return Err(self.fault(CUT_OFF)),
        };

        self.keys += 1;
        if self.keys > KEYS_LIMIT {
            return Err(Fault { at, message: "The document has more than 10000 keys" });
        }
        if key.starts_with(RESERVED_KEY_PREFIX) {
            return Err(Fault { at, message: "The name that stands here is reserved" });
        }
        Ok(key)
    }

    fn bare_key(&mut self) -> Result<String, Fault> {
        let rest = self.rest();
        let end = rest.find(|character: char| !is_of_name(character)).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if name.is_empty() || name.starts_with(|first: char| first == '-' || first.is_numeric()) {
            return Err(self.fault("A name in double quotes should stand here"));
        }

        self.mend(Repair::UnquotedKey);
        self.at += end;
        Ok(name.to_owned())
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let literal =
            number_literal(self.rest()).ok_or_else(|| self.fault("A number is not written as JSON has it"))?;
        if literal.len() > NUMBER_LIMIT_CHARS {
            return Err(self.fault("The number is longer than 1000 characters"));
        }

        self.at += literal.len();
        // The only constructor that keeps `1E5` as it is; the literal has just been checked.
        Ok(Value::Number(Number::from_string_unchecked(literal.to_owned())))
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Fault> {
        let is_word = self.rest().strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_of_name));
        if !is_word {
            return Err(self.fault("A value should stand here"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn enter(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth > DEPTH_LIMIT {
            return Err(self.fault(TOO_DEEP));
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes past the byte if it is the next one.
    pub(super) fn took(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn mend(&mut self, repair: Repair) {
        if !self.repairs.contains(&repair) {
            self.repairs.push(repair);
        }
    }

    pub(super) fn fault(&self, message: &'static str) -> Fault {
        Fault { at: self.at, message }
    }

    fn fault_or_cut_off(&self, message: &'static str) -> Fault {
        self.fault(if self.peek().is_none() { CUT_OFF } else { message })
    }
}

/// Two values of a row as one array; as with several blocks, the elements of arrays stand themselves.
fn joined(first: Value, next: Value) -> Value {
    let mut list = into_elements(first);
    list.extend(into_elements(next));
    Value::Array(list)
}

fn into_elements(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![value],
    }
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | '@' | '-')
}

/// The number that `text` begins with, as JSON writes it.
fn number_literal(text: &str) -> Option<&str> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let after_whole = match unsigned.strip_prefix('0') {
        Some(rest) if rest.starts_with(|next: char| next.is_ascii_digit()) => return None,
        Some(rest) => rest,
        None => after_digits(unsigned)?,
    };
    let after_fraction = match after_whole.strip_prefix('.') {
        Some(fraction) => after_digits(fraction)?,
        None => after_whole,
    };
    let after = match after_fraction.strip_prefix(['e', 'E']) {
        Some(exponent) => after_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))?,
        None => after_fraction,
    };
    text.get(..text.len() - after.len())
}

/// What follows the digits at the beginning, of which there has to be one.
fn after_digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|character: char| character.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

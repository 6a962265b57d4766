//! How much JSON may still be copied: bytes of compact JSON to the digit, and levels of lists and objects.
//!
//! A value is measured where it lies, before anything of it is copied, and the walk ends where the allowance does: a
//! huge value costs no more to refuse than the largest one to allow.

use serde_json::Value;

/// What is left of a limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    bytes_left: usize,
    limit_levels: usize,
}

/// Which limit was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Bytes,
    Levels,
}

impl Allowance {
    pub(crate) const fn new(limit_bytes: usize, limit_levels: usize) -> Allowance {
        Allowance { bytes_left: limit_bytes, limit_levels }
    }

    pub(crate) const fn bytes_left(&self) -> usize {
        self.bytes_left
    }

    /// Pays for a value that will stand inside `depth` lists and objects.
    pub(crate) fn take(&mut self, value: &Value, depth: usize) -> Result<(), Exceeded> {
        match value {
            Value::Null | Value::Bool(true) => self.take_bytes("null".len()),
            Value::Bool(false) => self.take_bytes("false".len()),
            Value::Number(number) => self.take_bytes(number.as_str().len()),
            Value::String(text) => self.take_text(text),
            Value::Array(elements) => {
                self.take_brackets(depth)?;
                self.take_bytes(elements.len().saturating_sub(1))?;
                elements.iter().try_for_each(|element| self.take(element, depth + 1))
            }
            Value::Object(object) => {
                self.take_brackets(depth)?;
                self.take_bytes(object.len().saturating_sub(1))?;
                object.iter().try_for_each(|(key, inner)| {
                    self.take_key(key)?;
                    self.take(inner, depth + 1)
                })
            }
        }
    }

    /// Pays for an empty list or object that stands inside `depth` others.
    pub(crate) fn take_brackets(&mut self, depth: usize) -> Result<(), Exceeded> {
        if depth >= self.limit_levels {
            return Err(Exceeded::Levels);
        }
        self.take_bytes("[]".len())
    }

    /// Pays for a key and its colon.
    pub(crate) fn take_key(&mut self, key: &str) -> Result<(), Exceeded> {
        self.take_text(key)?;
        self.take_bytes(":".len())
    }

    /// Pays for a text with its quotes and escapes.
    pub(crate) fn take_text(&mut self, text: &str) -> Result<(), Exceeded> {
        // Escapes are only looked for in a text that could fit at all.
        self.take_bytes(text.len() + "\"\"".len())?;
        self.take_bytes(text.bytes().map(escape_bytes).sum())
    }

    pub(crate) fn take_bytes(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(Exceeded::Bytes)?;
        Ok(())
    }
}

/// About how many bytes a value has; huge ones are not measured to their end.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(number) => number.as_str().len(),
        Value::String(text) => text.len(),
        Value::Array(_) | Value::Object(_) => {
            let mut allowance = Allowance::new(WEIGHED_LIMIT_BYTES, usize::MAX);
            match allowance.take(value, 0) {
                Ok(()) | Err(Exceeded::Bytes | Exceeded::Levels) => WEIGHED_LIMIT_BYTES - allowance.bytes_left(),
            }
        }
    }
}

/// More bytes than all operations of an evaluation pay for.
const WEIGHED_LIMIT_BYTES: usize = 32 << 20;

/// What a byte takes in JSON beyond itself: `\n` one more, `\u0001` five.
fn escape_bytes(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    }
}

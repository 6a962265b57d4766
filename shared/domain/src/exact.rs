//! JSON read back with every number spelled as it was written.
//!
//! `serde_json` keeps all digits, yet reads `1e400` and gives it back as `1e+400`. What a sender wrote has to come out
//! as it went in, so whatever holds a sender's data is read through here: as text ([`parse`]), or as a field of one of
//! our documents (`#[serde(with = "domain::exact")]`). The spelling is lost again where a value is read from another
//! value (`from_value`) or written into one (`to_value`, `json!`), so documents around a sender's data are made by [`object`].

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::{Map, Number, Value, value::RawValue};

/// The value of the JSON document `text`. Where it repeats a key, the last one counts and numbers with an exponent are
/// spelled as `serde_json` spells them.
///
/// *Errors*: `text` is no JSON.
pub fn parse(text: &str) -> serde_json::Result<Value> {
    let mut value = serde_json::from_str(text)?;
    let mut literals = ExponentLiterals::of(text).peekable();
    if literals.peek().is_some() && ExponentLiterals::of(text).count() == exponents(&value) {
        respell(&mut value, &mut literals);
    }
    Ok(value)
}

/// The object with these members. *Why not `json!`*: it writes its values anew, and with them their numbers.
pub fn object<const MEMBERS: usize>(members: [(&str, Value); MEMBERS]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// What `value` serialises to.
///
/// *Errors*: it cannot be serialised, such as a map whose keys are no text.
pub fn value_of<T: Serialize>(value: &T) -> serde_json::Result<Value> {
    parse(&serde_json::to_string(value)?)
}

/// Writes the value as it is; for `#[serde(with)]`.
pub fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.serialize(serializer)
}

/// Reads the value as [`parse`] does; for `#[serde(with)]`.
pub fn deserialize<'de, D: Deserializer<'de>, T: FromExact>(deserializer: D) -> Result<T, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    T::from_exact(parse(raw.get()).map_err(D::Error::custom)?)
        .ok_or_else(|| D::Error::custom("another kind of JSON value was expected"))
}

/// A type that holds JSON and takes it as [`parse`] gives it.
pub trait FromExact: Sized {
    /// The value, if it is of the right kind.
    fn from_exact(value: Value) -> Option<Self>;
}

impl FromExact for Value {
    fn from_exact(value: Value) -> Option<Self> {
        Some(value)
    }
}

impl FromExact for Option<Value> {
    fn from_exact(value: Value) -> Option<Self> {
        Some(Some(value))
    }
}

impl FromExact for Map<String, Value> {
    fn from_exact(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(map),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        }
    }
}

impl FromExact for Vec<Value> {
    fn from_exact(value: Value) -> Option<Self> {
        match value {
            Value::Array(list) => Some(list),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => None,
        }
    }
}

/// How many numbers are written with an exponent.
fn exponents(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => 0,
        Value::Number(number) => usize::from(number.as_str().contains(['e', 'E'])),
        Value::Array(list) => list.iter().map(exponents).sum(),
        Value::Object(map) => map.values().map(exponents).sum(),
    }
}

/// Keys and elements stand in the order of the text, so the numbers are met in the order of `literals`.
fn respell<'t>(value: &mut Value, literals: &mut impl Iterator<Item = &'t str>) {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => {}
        Value::Number(number) => {
            if number.as_str().contains(['e', 'E'])
                && let Some(literal) = literals.next()
            {
                *number = Number::from_string_unchecked(literal.to_owned());
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|element| respell(element, literals)),
        Value::Object(map) => map.values_mut().for_each(|member| respell(member, literals)),
    }
}

/// The numbers of a JSON text that are written with an exponent, in order and as written.
///
/// This is no second parser: it tells strings from the rest and relies on the text being parsed as well.
pub struct ExponentLiterals<'t> {
    rest: &'t str,
}

impl<'t> ExponentLiterals<'t> {
    /// Those of `text`.
    pub const fn of(text: &'t str) -> Self {
        Self { rest: text }
    }
}

impl<'t> Iterator for ExponentLiterals<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        loop {
            let start = self.rest.find(|character: char| matches!(character, '"' | '-' | '0'..='9'))?;
            let from_start = self.rest.get(start..)?;

            if let Some(string) = from_start.strip_prefix('"') {
                self.rest = after_string(string);
                continue;
            }
            let end = from_start
                .find(|character: char| !matches!(character, '-' | '+' | '.' | 'e' | 'E' | '0'..='9'))
                .unwrap_or(from_start.len());
            let (literal, rest) = from_start.split_at_checked(end)?;
            self.rest = rest;
            if literal.contains(['e', 'E']) {
                return Some(literal);
            }
        }
    }
}

/// What follows the string whose content begins at `content`.
fn after_string(content: &str) -> &str {
    let mut bytes = content.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return content.get(at + 1..).unwrap_or_default(),
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"a":1e400,"e\"1e5":[1E5,-0,0.1,{"b":1e+5}],"c":9007199254740993,"d":"2e2","f":1.0}"#;

    #[test]
    fn numbers_are_spelled_as_they_were_written() {
        assert_eq!(parse(TEXT).unwrap().to_string(), TEXT);
    }

    #[test]
    fn an_object_around_a_value_and_the_value_of_a_list_keep_the_spelling() {
        let value = parse(TEXT).unwrap();
        assert_eq!(object([("a", value.clone())]).to_string(), format!("{{\"a\":{TEXT}}}"));
        assert_eq!(value_of(&[value]).unwrap().to_string(), format!("[{TEXT}]"));
    }

    #[test]
    fn a_field_of_a_document_keeps_the_spelling_too() {
        #[derive(Serialize, Deserialize)]
        struct Document {
            #[serde(with = "super")]
            data: Value,
            #[serde(with = "super")]
            attributes: Map<String, Value>,
        }
        let text = format!(r#"{{"data":{TEXT},"attributes":{TEXT}}}"#);
        let document: Document = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&document).unwrap(), text);
    }
}

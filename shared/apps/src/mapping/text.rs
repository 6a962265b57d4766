//! Operators about texts.

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use domain::exact::{self, ExponentLiterals};
use serde_json::Value;

/// Senders differ about padding, and some leave bits in the last character.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// `$join`: the texts and numbers of a list with the separator between them; missing where none says anything.
pub(super) fn join(parts: &Value, separator: &Value) -> Option<Value> {
    let parts: Vec<String> = parts.as_array()?.iter().filter_map(spelled).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(separator.as_str().unwrap_or_default())).map(Value::String)
}

/// `$split`: a text cut at the separator, the pieces trimmed, empty ones left out.
pub(super) fn split(text: &Value, separator: &Value) -> Option<Value> {
    let separator = separator.as_str().filter(|separator| !separator.is_empty())?;
    let pieces = text.as_str()?.split(separator).map(str::trim).filter(|piece| !piece.is_empty());
    Some(pieces.collect())
}

/// `$json`: a text read as JSON.
pub(super) fn json(text: &Value) -> Option<Value> {
    let text = text.as_str()?;
    let value: Value = serde_json::from_str(text).ok()?;
    // The exact spelling is told by counting, which a repeated key would throw out of step.
    let has_exponents = ExponentLiterals::of(text).next().is_some();
    if has_exponents && ExponentLiterals::of(text).count() == ExponentLiterals::of(&value.to_string()).count() {
        return exact::parse(text).ok();
    }
    Some(value)
}

/// `$base64`: a text decoded, of either alphabet, with or without padding; missing where the bytes are no UTF-8.
pub(super) fn base64(text: &Value) -> Option<Value> {
    let text = text.as_str()?.trim();
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let bytes = GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()?;
    String::from_utf8(bytes).ok().map(Value::String)
}

/// `$number`: a text that is a JSON number as that number, digit by digit.
pub(super) fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => exact::parse(text.trim()).ok().filter(Value::is_number),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// `$text`: a text, number or boolean as text.
pub(super) fn text(value: &Value) -> Option<Value> {
    spelled(value).map(Value::String)
}

/// `$lower`: a text in lower case.
pub(super) fn lower(text: &Value) -> Option<Value> {
    Some(Value::String(text.as_str()?.to_lowercase()))
}

/// `$upper`: a text in upper case.
pub(super) fn upper(text: &Value) -> Option<Value> {
    Some(Value::String(text.as_str()?.to_uppercase()))
}

/// What a text, number or boolean reads as.
pub(super) fn spelled(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

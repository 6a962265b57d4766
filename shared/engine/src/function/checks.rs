//! Checks of data: addresses and numbers as people type them.
//!
//! *Source* — Kustomer's "Data validation workflow helpers". Both are lenient on purpose: they say that something can be
//! meant as an address, not that anybody is there.

use serde_json::{Value, json};

use super::{Arguments, Function, path};
use crate::fault::Fault;

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "isValidEmailAddress", aliases: &["isEmail"], parameters: &[path("value")], body: is_email },
    Function { name: "isValidPhoneNumber", aliases: &["isPhone"], parameters: &[path("value")], body: is_phone },
];

/// How many digits a number has with its country code. *Source* — ITU-T E.164, section 6.2.1; shorter ones than seven are
/// services such as 112.
const INTERNATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

fn is_email(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    let is_meant = arguments.value(0).and_then(Value::as_str).is_some_and(looks_like_email);
    Ok(Some(json!(is_meant)))
}

/// As the pattern `.+@.+` finds it: something on both sides of an @, on one line.
fn looks_like_email(text: &str) -> bool {
    text.lines()
        .any(|line| line.char_indices().any(|(at, character)| character == '@' && at > 0 && line.len() > at + 1))
}

fn is_phone(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    let text = arguments.text(0).unwrap_or_default();
    Ok(Some(json!(looks_like_phone(&text))))
}

/// A number of the United States or Canada, with or without area code, or one with a country code.
fn looks_like_phone(text: &str) -> bool {
    let number = text.trim();
    let number = number.strip_prefix("tel:").unwrap_or(number);
    let (number, _) = split_extension(number);
    let is_punctuation = |character: char| matches!(character, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}');
    let unsigned = number.trim_start_matches(is_punctuation).strip_prefix('+');
    let body = unsigned.unwrap_or(number);
    if !body.chars().all(|character| character.is_ascii_digit() || is_punctuation(character)) {
        return false;
    }
    let digits: Vec<u8> = body.bytes().filter(u8::is_ascii_digit).collect();
    match (unsigned, digits.as_slice()) {
        (Some(_), [b'1', national @ ..]) => national.len() == 10,
        (Some(_), [b'0', ..] | []) => false,
        (Some(_), digits) => INTERNATIONAL_DIGITS.contains(&digits.len()),
        (None, [b'0', ..]) => false,
        (None, [b'1', national @ ..]) => matches!(national.len(), 6 | 10),
        (None, digits) => matches!(digits.len(), 7 | 10),
    }
}

/// `555-0100 ext. 12`, `555-0100 x12`.
fn split_extension(number: &str) -> (&str, &str) {
    let marks = ["ext.", "ext", "x", "#"];
    let at = marks.iter().find_map(|mark| number.find(mark).map(|at| (at, mark.len())));
    match at {
        Some((at, length)) => {
            let extension = number.get(at + length..).unwrap_or_default().trim();
            let is_extension = !extension.is_empty() && extension.bytes().all(|byte| byte.is_ascii_digit());
            if is_extension { (number.get(..at).unwrap_or(number).trim_end(), extension) } else { (number, "") }
        }
        None => (number, ""),
    }
}

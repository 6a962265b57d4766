//! Numbers: read out of texts, computed with exactly, and written for people.
//!
//! Computing is decimal, with 28 digits: 0.1 + 0.2 is 0.3. What does not fit into these digits is missing.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::{Arguments, Function, checked, either, literal, optional, path, units, unknown_word};
use crate::decimal;
use crate::fault::Fault;
use crate::problem::Flaw;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "math",
        aliases: &[],
        parameters: &[either("left"), checked(literal("operator"), check_operator), either("right")],
        body: math,
    },
    Function { name: "parseInt", aliases: &["toInt"], parameters: &[path("value")], body: parse_int },
    Function { name: "parseFloat", aliases: &["toFloat"], parameters: &[path("value")], body: parse_float },
    Function {
        name: "parseBool",
        aliases: &["toBool", "parseBoolean"],
        parameters: &[path("value")],
        body: parse_bool,
    },
    Function {
        name: "round",
        aliases: &[],
        parameters: &[path("value"), optional(literal("decimals"))],
        body: |arguments| Ok(rounded(arguments, RoundingStrategy::MidpointAwayFromZero)),
    },
    Function {
        name: "floor",
        aliases: &[],
        parameters: &[path("value"), optional(literal("decimals"))],
        body: |arguments| Ok(rounded(arguments, RoundingStrategy::ToNegativeInfinity)),
    },
    Function {
        name: "ceil",
        aliases: &[],
        parameters: &[path("value"), optional(literal("decimals"))],
        body: |arguments| Ok(rounded(arguments, RoundingStrategy::ToPositiveInfinity)),
    },
    Function {
        name: "numberFormat",
        aliases: &["formatNumber"],
        parameters: &[
            path("value"),
            optional(literal("decimals")),
            optional(literal("point")),
            optional(literal("thousands")),
        ],
        body: number_format,
    },
];

/// How many digits behind the point can be asked for.
const DECIMALS_LIMIT: i64 = 28;

/// Whether an author's word is an operator.
fn check_operator(word: &str) -> Result<(), Flaw> {
    match word.trim() {
        "+" | "-" | "*" | "×" | "/" | "÷" | "%" => Ok(()),
        other => Err(unknown_word("operator", other, &["+", "-", "*", "/", "%"])),
    }
}

fn math(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    Ok(computed(arguments).map(units::number))
}

fn computed(arguments: &Arguments<'_, '_>) -> Option<Decimal> {
    let (left, right) = (arguments.number(0)?, arguments.number(2)?);
    match arguments.text(1)?.trim() {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" | "×" => left.checked_mul(right),
        "/" | "÷" => left.checked_div(right),
        "%" => left.checked_rem(right),
        _ => None,
    }
}

fn parse_int(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    Ok(arguments.value(0).and_then(|value| leading_number(value, Digits::Whole)))
}

fn parse_float(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    Ok(arguments.value(0).and_then(|value| leading_number(value, Digits::Fractional)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digits {
    Whole,
    Fractional,
}

/// The number that a text begins with, as JavaScript reads it; every digit is kept.
fn leading_number(value: &Value, digits: Digits) -> Option<Value> {
    let text = match value {
        Value::Number(number) => number.as_str(),
        Value::String(text) => text.trim_start(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    if digits == Digits::Whole && text.contains(['e', 'E']) && value.is_number() {
        // 1e3 is a thousand, not the 1 that its spelling begins with.
        return units::as_decimal(value).map(|number| units::number(number.trunc()));
    }
    let length = number_length(text, digits);
    let spelled = text.get(..length)?;
    decimal::Decimal::parse(spelled)?;
    domain::exact::parse(&json_spelling(spelled)).ok()
}

fn number_length(text: &str, digits: Digits) -> usize {
    let bytes = text.as_bytes();
    let digits_from = |start: usize| bytes.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count();
    let is_at = |place: usize, wanted: &[u8]| bytes.get(place).is_some_and(|byte| wanted.contains(byte));
    let mut end = usize::from(is_at(0, b"+-"));
    end += digits_from(end);
    if digits == Digits::Whole {
        return end;
    }
    if is_at(end, b".") {
        end += 1 + digits_from(end + 1);
    }
    if is_at(end, b"eE") {
        let start = end + 1 + usize::from(is_at(end + 1, b"+-"));
        let exponent = digits_from(start);
        if exponent > 0 {
            end = start + exponent;
        }
    }
    end
}

/// `+007.` as JSON has it: `7`.
fn json_spelling(spelled: &str) -> String {
    let (sign, unsigned) = match spelled.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", spelled.strip_prefix('+').unwrap_or(spelled)),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => unsigned.split_at(at),
        None => (unsigned, ""),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}{exponent}")
}

fn parse_bool(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    let Some(value) = arguments.value(0) else { return Ok(None) };
    let text = crate::cast::to_text(value).trim().to_ascii_lowercase();
    Ok(match text.as_str() {
        "true" | "1" | "yes" | "y" | "on" => Some(json!(true)),
        "false" | "0" | "no" | "n" | "off" => Some(json!(false)),
        _ => None,
    })
}

fn rounded(arguments: &Arguments<'_, '_>, strategy: RoundingStrategy) -> Option<Value> {
    let decimals = decimals(arguments, 1)?.unwrap_or(0);
    arguments.number(0).map(|number| units::number(number.round_dp_with_strategy(decimals, strategy)))
}

/// How many digits behind the point are asked for; `Some(None)` when that is not said.
fn decimals(arguments: &Arguments<'_, '_>, place: usize) -> Option<Option<u32>> {
    if !arguments.is_given(place) {
        return Some(None);
    }
    let decimals = arguments.whole(place).filter(|decimals| (0..=DECIMALS_LIMIT).contains(decimals))?;
    u32::try_from(decimals).ok().map(Some)
}

fn number_format(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    Ok(written(arguments).map(Value::String))
}

/// `1234.5` as `1,234.50`.
fn written(arguments: &Arguments<'_, '_>) -> Option<String> {
    let number = arguments.number(0)?.normalize();
    let number = match decimals(arguments, 1)? {
        Some(decimals) => {
            let mut number = number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
            number.rescale(decimals);
            number
        }
        None => number,
    };
    let point = arguments.text(2).map_or_else(|| ".".to_owned(), std::borrow::Cow::into_owned);
    let thousands = arguments.text(3).map_or_else(|| ",".to_owned(), std::borrow::Cow::into_owned);
    let text = number.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let grouped = grouped(whole, &thousands);
    let is_negative = number.is_sign_negative() && !number.is_zero();
    let sign = if is_negative { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { &point };
    Some(format!("{sign}{grouped}{point}{fraction}"))
}

fn grouped(whole: &str, thousands: &str) -> String {
    let mut grouped = String::with_capacity(whole.len());
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push_str(thousands);
        }
        grouped.push(digit);
    }
    grouped
}

//! Custom attributes: the end of an attribute's name is its type.
//!
//! Text that reads as a whole as the wanted number or boolean is taken as one, because templates always give text.

use serde_json::{Number, Value};

use crate::Timestamp;

/// The most characters of a `Str` attribute. *Source*: Kustomer's custom attributes.
pub const CUSTOM_STR_LIMIT_CHARS: usize = 1_024;

/// The most characters of a `Txt` attribute. *Why*: Kustomer names no limit; this keeps a record far from 400 KB.
pub const CUSTOM_TXT_LIMIT_CHARS: usize = 65_536;

/// The most characters of a `Url` attribute; browsers and proxies stop at about as many.
const URL_LIMIT_CHARS: usize = 2_048;

/// Why a value cannot be an attribute's, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CustomProblem(pub String);

/// The type that the end of an attribute's name gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suffix {
    /// One line of text.
    Str,
    /// Longer text.
    Txt,
    /// A number, every digit kept.
    Num,
    /// An instant or a date, ISO 8601.
    At,
    /// True or false.
    Bool,
    /// A web address.
    Url,
    /// The id of a record.
    Id,
}

const SUFFIXES: [(&str, Suffix); 7] = [
    ("Str", Suffix::Str),
    ("Txt", Suffix::Txt),
    ("Num", Suffix::Num),
    ("At", Suffix::At),
    ("Bool", Suffix::Bool),
    ("Url", Suffix::Url),
    ("Id", Suffix::Id),
];

impl Suffix {
    /// The type of the attribute called `name`.
    ///
    /// *Errors*: a sentence when the name ends in no type, or is nothing but the type.
    pub fn of(name: &str) -> Result<Self, CustomProblem> {
        SUFFIXES
            .iter()
            .find(|(suffix, _)| name.len() > suffix.len() && name.ends_with(suffix))
            .map(|(_, suffix)| *suffix)
            .ok_or_else(|| CustomProblem(format!("`{name}` does not end in a type; a custom attribute's name ends in Str, Txt, Num, At, Bool, Url or Id")))
    }

    /// `value` as an attribute of this type keeps it; `null` clears an attribute of any type.
    ///
    /// *Errors*: a sentence that names what the type takes.
    pub fn accept(self, value: &Value) -> Result<Value, CustomProblem> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        match self {
            Self::Str => text(value, CUSTOM_STR_LIMIT_CHARS),
            Self::Txt => text(value, CUSTOM_TXT_LIMIT_CHARS),
            Self::Num => number(value),
            Self::At => instant(value),
            Self::Bool => boolean(value),
            Self::Url => url(value),
            Self::Id => id(value),
        }
    }
}

fn text(value: &Value, limit_chars: usize) -> Result<Value, CustomProblem> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return problem("takes text", value),
    };
    let chars = text.chars().count();
    if chars > limit_chars {
        return Err(CustomProblem(format!("has {chars} characters; it takes at most {limit_chars}")));
    }
    Ok(Value::String(text))
}

fn number(value: &Value) -> Result<Value, CustomProblem> {
    match value {
        Value::Number(_) => Ok(value.clone()),
        Value::String(text) => match serde_json::from_str::<Number>(text.trim()) {
            Ok(number) => Ok(Value::Number(number)),
            Err(_) => problem("takes a number", value),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => problem("takes a number", value),
    }
}

fn instant(value: &Value) -> Result<Value, CustomProblem> {
    const WANTED: &str = "takes a time such as 2026-11-22T09:30:00Z, or a date such as 2026-11-22";
    let Value::String(text) = value else { return problem(WANTED, value) };
    if Timestamp::parse(text).is_some() || text.parse::<jiff::civil::Date>().is_ok() {
        Ok(value.clone())
    } else {
        problem(WANTED, value)
    }
}

fn boolean(value: &Value) -> Result<Value, CustomProblem> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::String(text) if text == "true" => Ok(Value::Bool(true)),
        Value::String(text) if text == "false" => Ok(Value::Bool(false)),
        Value::String(_) | Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            problem("takes true or false", value)
        }
    }
}

fn url(value: &Value) -> Result<Value, CustomProblem> {
    const WANTED: &str = "takes an http or https address of at most 2,048 characters";
    let Value::String(text) = value else { return problem(WANTED, value) };
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let well_formed = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        && text.chars().count() <= URL_LIMIT_CHARS
        && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if well_formed { Ok(value.clone()) } else { problem(WANTED, value) }
}

fn id(value: &Value) -> Result<Value, CustomProblem> {
    match value {
        Value::String(text) if crate::RecordId::parse(text).is_ok() => Ok(value.clone()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            problem("takes an id of 24 lower-case hexadecimal digits", value)
        }
    }
}

fn problem<T>(wanted: &str, value: &Value) -> Result<T, CustomProblem> {
    const SHOWN_CHARS: usize = 40;
    let shown = crate::shortened(&value.to_string(), SHOWN_CHARS);
    Err(CustomProblem(format!("{wanted}, not {shown}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_end_of_a_name_is_its_type() {
        for (name, suffix) in [
            ("orderIdStr", Suffix::Str),
            ("notesTxt", Suffix::Txt),
            ("priceNum", Suffix::Num),
            ("placedAt", Suffix::At),
            ("paidBool", Suffix::Bool),
            ("trackingUrl", Suffix::Url),
            ("parentId", Suffix::Id),
        ] {
            assert_eq!(Suffix::of(name), Ok(suffix));
        }
        for name in ["", "Str", "order", "orderstr", "orderStrs"] {
            assert!(Suffix::of(name).is_err(), "{name}");
        }
    }

    #[test]
    fn each_type_takes_its_values_and_refuses_others() {
        let id = "5a345109e578360010eaa1ad";
        let limit = "x".repeat(CUSTOM_STR_LIMIT_CHARS);
        let text_limit = "é".repeat(CUSTOM_TXT_LIMIT_CHARS);
        for (suffix, given, kept) in [
            (Suffix::Str, json!("a"), json!("a")),
            (Suffix::Str, json!(2), json!("2")),
            (Suffix::Str, json!(limit), json!(limit)),
            (Suffix::Txt, json!(text_limit), json!(text_limit)),
            (Suffix::Num, json!(2.5), json!(2.5)),
            (Suffix::Num, json!("10"), json!(10)),
            (Suffix::At, json!("2026-11-22"), json!("2026-11-22")),
            (Suffix::At, json!("2026-11-22T09:30:00+01:00"), json!("2026-11-22T09:30:00+01:00")),
            (Suffix::Bool, json!("true"), json!(true)),
            (Suffix::Url, json!("https://a.example/x?y"), json!("https://a.example/x?y")),
            (Suffix::Id, json!(id), json!(id)),
            (Suffix::Num, json!(null), json!(null)),
        ] {
            assert_eq!(suffix.accept(&given), Ok(kept), "{suffix:?} {given}");
        }
        for (suffix, given) in [
            (Suffix::Str, json!({"a": 1})),
            (Suffix::Str, json!(format!("{limit}x"))),
            (Suffix::Txt, json!(format!("{text_limit}é"))),
            (Suffix::Num, json!("$10.25")),
            (Suffix::Num, json!("")),
            (Suffix::Num, json!(true)),
            (Suffix::At, json!("yesterday")),
            (Suffix::At, json!(1)),
            (Suffix::Bool, json!("yes")),
            (Suffix::Bool, json!(1)),
            (Suffix::Url, json!("javascript:alert(1)")),
            (Suffix::Url, json!("https://")),
            (Suffix::Url, json!("https://a b")),
            (Suffix::Id, json!("1234")),
        ] {
            assert!(suffix.accept(&given).is_err(), "{suffix:?} {given}");
        }
    }

    #[test]
    fn a_number_keeps_every_digit() {
        let given: Value = serde_json::from_str("[9007199254740993, \"1e400\"]").unwrap();
        for (index, text) in [(0, "9007199254740993"), (1, "1e400")] {
            assert!(Suffix::Num.accept(&given[index]).unwrap().to_string().replace('+', "").eq_ignore_ascii_case(text));
        }
    }
}

//! What a step leaves behind of an answer.

use domain::Failure;
use serde_json::{Map, Value};

use crate::ports::{ANSWER_LIMIT_BYTES, CallAnswer};

/// The most bytes of a body in the journal, as JSON. *Why*: text with many characters that JSON escapes becomes six times as
/// long, and an entry has to stay within a document of the store.
const OUTPUT_LIMIT_BYTES: usize = 2 * ANSWER_LIMIT_BYTES;

/// How deep a body may nest to be parsed, as what arrives at hooks may.
const NESTING_LIMIT_LEVELS: usize = 64;

/// What is made of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// What is JSON is parsed.
    Json,
    /// It stays text.
    Text,
}

/// The output of the step.
///
/// *Shape*: `{"body": …, "response": {"statusCode": 200, "headers": {"content-type": "application/json"}}}`.
///
/// *Errors*: the body is too large as JSON.
pub(super) fn output(answer: &CallAnswer, reading: Reading) -> Result<Value, Failure> {
    let body = body(answer, reading);
    if answer.body.len() > OUTPUT_LIMIT_BYTES / 6 && body.to_string().len() > OUTPUT_LIMIT_BYTES {
        let message = format!(
            "The answer's body has more than {OUTPUT_LIMIT_BYTES} bytes as JSON, because much of it is no text. Ask the service for less, or for JSON."
        );
        return Err(Failure { status: Some(answer.status), ..Failure::new("rest_answer_too_large", message) });
    }
    let response = domain::exact::object([
        ("statusCode", Value::from(answer.status)),
        ("headers", Value::Object(headers(answer))),
    ]);
    Ok(domain::exact::object([("body", body), ("response", response)]))
}

/// JSON where it says that it is, or is an object or a list; else text, and null where there is none.
fn body(answer: &CallAnswer, reading: Reading) -> Value {
    if answer.body.is_empty() {
        return Value::Null;
    }
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_json = says_json(answer) || text.trim_start().starts_with(['{', '[']);
    let parsed = match reading {
        Reading::Json if is_json => domain::exact::parse(text).ok(),
        Reading::Json | Reading::Text => None,
    };
    parsed.filter(|value| depth(value) <= NESTING_LIMIT_LEVELS).unwrap_or_else(|| Value::from(text))
}

/// *Source*: RFC 8259, 11, and RFC 6839, 3.1.
fn says_json(answer: &CallAnswer) -> bool {
    let content_type = answer.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
    let essence =
        content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// How many lists and objects stand inside each other; the parser bounds it.
fn depth(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or_default(),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or_default(),
    }
}

/// Each name once: lines of the same name are one with commas between, those of `set-cookie` a list, because a cookie has
/// commas of its own. *Source*: RFC 9110, 5.3.
fn headers(answer: &CallAnswer) -> Map<String, Value> {
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        match headers.get_mut(name) {
            Some(Value::Array(lines)) => lines.push(Value::from(value.as_str())),
            Some(Value::String(line)) => {
                line.push_str(", ");
                line.push_str(value);
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
                let value = Value::from(value.as_str());
                let first = if name == "set-cookie" { Value::Array(vec![value]) } else { value };
                headers.insert(name.clone(), first);
            }
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(content_type: &str, body: impl Into<Vec<u8>>) -> CallAnswer {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        CallAnswer { status: 200, headers, body: body.into().into() }
    }

    #[test]
    fn a_body_is_parsed_where_it_is_json() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for (content_type, text, expected) in [
            ("application/json", r#"{"a": 1.50}"#, Some(r#"{"a":1.50}"#)),
            ("application/json; charset=utf-8", "[1]", Some("[1]")),
            ("application/vnd.api+json", "null", Some("null")),
            ("Application/JSON", "\u{feff}\"a\"", Some("\"a\"")),
            ("application/json", "1e400", Some("1e400")),
            ("text/html", r#" {"a": 1}"#, Some(r#"{"a":1}"#)),
            ("text/plain", "123", None),
            ("application/json", "{\"a\":", None),
            ("application/json", "not JSON", None),
            ("application/json", &deep(NESTING_LIMIT_LEVELS), Some(&deep(NESTING_LIMIT_LEVELS))),
            ("application/json", &deep(NESTING_LIMIT_LEVELS + 1), None),
            ("application/json", &deep(1_000), None),
        ] {
            let output = output(&answer(content_type, text), Reading::Json).unwrap();
            let expected = expected.map_or_else(|| json!(text).to_string(), str::to_owned);
            assert_eq!(output["body"].to_string(), expected, "{content_type} {text}");
            let as_text = super::output(&answer(content_type, text), Reading::Text).unwrap();
            assert_eq!(as_text["body"], text.trim_start_matches('\u{feff}'));
        }
        assert_eq!(output(&answer("application/json", ""), Reading::Json).unwrap()["body"], Value::Null);
        assert_eq!(output(&answer("image/png", b"a\xffb".to_vec()), Reading::Json).unwrap()["body"], "a\u{fffd}b");
    }

    #[test]
    fn headers_of_one_name_are_one_line_and_cookies_a_list() {
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let lines = [("link", "a"), ("set-cookie", "a=1"), ("link", "b"), ("set-cookie", "b=2"), ("etag", "x")];
        let headers = lines.iter().map(|(name, value)| line(name, value)).collect();
        let answer = CallAnswer { status: 418, headers, body: bytes::Bytes::new() };
        let expected =
            json!({ "statusCode": 418, "headers": { "link": "a, b", "set-cookie": ["a=1", "b=2"], "etag": "x" } });
        assert_eq!(output(&answer, Reading::Json).unwrap()["response"], expected);
    }

    #[test]
    fn a_body_at_the_limit_of_the_journal_is_kept_and_one_byte_more_is_not() {
        // A quote is two characters in JSON, and the text has quotes around it.
        let quotes = "\"".repeat(OUTPUT_LIMIT_BYTES / 2 - 1);
        assert!(output(&answer("text/plain", quotes.clone()), Reading::Text).is_ok());
        let failure = output(&answer("text/plain", format!("{quotes}a")), Reading::Text).unwrap_err();
        assert_eq!((failure.code.as_str(), failure.status), ("rest_answer_too_large", Some(200)));
        assert!(output(&answer("application/octet-stream", vec![0; ANSWER_LIMIT_BYTES]), Reading::Json).is_err());
        assert!(output(&answer("text/plain", "a".repeat(ANSWER_LIMIT_BYTES)), Reading::Json).is_ok());
    }
}

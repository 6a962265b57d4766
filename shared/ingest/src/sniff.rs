//! What a body is when its `Content-Type` is missing, or is the one that `curl -d` sends for everything.
//!
//! A body that merely begins like JSON is never refused for not being JSON here; it is refused when it *is* JSON and breaks a limit.

use encoding_rs::Encoding;
use serde_json::Value;

use crate::notes::Note;
use crate::{Reading, Refusal, form, json, read_text, xml};

/// Reads a body without a `Content-Type`: JSON, XML, form or text, in this order.
pub(crate) fn read_unlabelled(body: &[u8]) -> Result<Reading, Refusal> {
    let (mut reading, read_as) = if let JsonLook::Json(reading) = json_look(body, None)? {
        (reading, "JSON")
    } else if let Some(reading) = xml_look(body)? {
        (reading, "XML")
    } else if looks_like_form(body) {
        (form::read(body, None)?, "a form")
    } else {
        (read_text(body, None)?, "text")
    };

    reading.notes.push(whole_body_note(
        "content_type_missing",
        format!("The request had no Content-Type; the body was read as {read_as}."),
    ));
    Ok(reading)
}

/// Reads a form, or the JSON object or array that was sent under a form's name.
pub(crate) fn read_form_or_json(body: &[u8], encoding: Option<&'static Encoding>) -> Result<Reading, Refusal> {
    match json_look(body, encoding)? {
        JsonLook::Json(mut reading) => {
            reading.notes.push(whole_body_note(
                "json_sent_as_form",
                "The body is JSON although its Content-Type says form; it was read as JSON.",
            ));
            Ok(reading)
        }
        JsonLook::BrokenJson(detail) => {
            let mut reading = form::read(body, encoding)?;
            reading.notes.push(whole_body_note(
                "form_looks_like_json",
                format!("The body begins like JSON but was read as a form. {detail}"),
            ));
            Ok(reading)
        }
        JsonLook::Other => form::read(body, encoding),
    }
}

enum JsonLook {
    Json(Reading),
    /// Begins like an object or array; the detail says why it is none.
    BrokenJson(String),
    Other,
}

fn json_look(body: &[u8], encoding: Option<&'static Encoding>) -> Result<JsonLook, Refusal> {
    if !matches!(first_bytes(body).first(), Some(b'{' | b'[')) {
        return Ok(JsonLook::Other);
    }

    match json::read(body, encoding) {
        Ok(reading) => match reading.data {
            Value::Object(_) | Value::Array(_) => Ok(JsonLook::Json(reading)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(JsonLook::Other),
        },
        Err(refusal) if matches!(refusal.code(), "malformed_json" | "broken_text") => {
            Ok(JsonLook::BrokenJson(refusal.detail().to_owned()))
        }
        Err(refusal) => Err(refusal),
    }
}

fn xml_look(body: &[u8]) -> Result<Option<Reading>, Refusal> {
    if !first_bytes(body).starts_with(b"<?xml") {
        return Ok(None);
    }

    match xml::read(body, None) {
        Ok(reading) => Ok(Some(reading)),
        Err(refusal) if matches!(refusal.code(), "malformed_xml" | "broken_text") => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// The body without a UTF-8 byte order mark and leading white space.
fn first_bytes(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start()
}

/// Whether every piece between ampersands is `name=value` in the characters that URL encoding leaves over; a sentence has spaces.
fn looks_like_form(body: &[u8]) -> bool {
    let is_form_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%+*[]!'()@:/?,;$=&".contains(byte);
    let is_pair = |piece: &[u8]| piece.iter().position(|byte| *byte == b'=').is_some_and(|at| at > 0);

    body.iter().all(is_form_byte) && body.split(|byte| *byte == b'&').all(is_pair)
}

fn whole_body_note(code: &'static str, message: impl Into<String>) -> Note {
    Note { code, path: "$".to_owned(), message: message.into() }
}

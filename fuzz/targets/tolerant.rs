//! JSON as senders write it.
//!
//! What is valid is read as `serde_json` reads it and called unmended; what was mended is valid once it is written down.
#![no_main]

use ingest::json::{
    KEYS_LIMIT, NUMBER_LIMIT_CHARS,
    tolerant::{DEPTH_LIMIT, Problem, read},
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, from_str};

/// The key that `serde_json` takes an object with for a number.
const RESERVED_KEY: &str = "$serde_json::private";

fuzz_target!(|text: &str| {
    let found = read(text);
    match from_str::<Value>(text) {
        Ok(_) if text.contains(RESERVED_KEY) => {}
        Ok(valid) => check_unmended(text, valid, found),
        Err(_) => check_mended(text, found),
    }
});

/// Compared as written and read again, because `serde_json` spells `1e5` anew as `1e+5` and the reader does not.
fn check_unmended(text: &str, valid: Value, found: Result<(Value, Vec<&str>), Problem>) {
    match found {
        Ok((value, repairs)) => {
            assert!(repairs.is_empty(), "valid JSON was mended: {repairs:?}");
            assert_eq!(from_str::<Value>(&value.to_string()).ok(), Some(valid), "valid JSON was not read as it is");
        }
        Err(problem) => assert!(is_over_a_limit(&valid, text), "valid JSON was refused: {problem}"),
    }
}

fn check_mended(text: &str, found: Result<(Value, Vec<&str>), Problem>) {
    match found {
        Ok((value, repairs)) => {
            assert!(repairs.is_sorted(), "repairs in the order of the alphabet");
            assert_eq!(read(&value.to_string()), Ok((value, Vec::new())), "what was mended is not valid JSON");
        }
        Err(problem) => assert!(problem.line > 0 && problem.column > 0 && problem.line <= text.len() + 1),
    }
}

/// Keys are counted in the text, where one can come more than once.
fn is_over_a_limit(value: &Value, text: &str) -> bool {
    depth(value) > DEPTH_LIMIT || text.matches(':').count() > KEYS_LIMIT || longest_number(value) > NUMBER_LIMIT_CHARS
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn longest_number(value: &Value) -> usize {
    match value {
        Value::Number(number) => number.as_str().len(),
        Value::Array(list) => list.iter().map(longest_number).max().unwrap_or(0),
        Value::Object(fields) => fields.values().map(longest_number).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::String(_) => 0,
    }
}

//! JSON as senders write it.
//!
//! What is valid is read as `serde_json` reads it and called unmended; what was mended is valid once it is written down.
#![no_main]

use ingest::json::tolerant::read;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, from_str};

fuzz_target!(|text: &str| {
    let found = read(text);
    if let Ok(value) = from_str::<Value>(text) {
        assert_eq!(found, Ok((value, Vec::new())), "valid JSON was not read as it is");
        return;
    }
    match found {
        Ok((value, repairs)) => {
            assert!(repairs.is_sorted(), "repairs in the order of the alphabet");
            assert_eq!(read(&value.to_string()), Ok((value, Vec::new())), "what was mended is not valid JSON");
        }
        Err(problem) => assert!(problem.line > 0 && problem.column > 0 && problem.line <= text.len() + 1),
    }
});

//! Params of a step: JSON as a workflow's author wrote it, or else one text, worked out over what a run left.
#![no_main]

use std::sync::LazyLock;

use engine::expression::{Context, INPUT_LIMIT_BYTES, resolve};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, from_str};

/// The steps, variables and error that the cases of the language are written against.
static LEFT: LazyLock<Value> = LazyLock::new(|| {
    let cases: Value = from_str(include_str!("../../shared/engine/tests/cases/expressions.json")).unwrap();
    cases["context"].clone()
});

fuzz_target!(|input: &str| {
    let params = from_str(input).unwrap_or_else(|_| Value::String(input.to_owned()));
    let context = Context { steps: &LEFT["steps"], variables: LEFT.get("variables"), error: LEFT.get("error") };
    if let Ok(Some(made)) = resolve(&params, &context) {
        assert!(made.to_string().len() <= INPUT_LIMIT_BYTES);
    }
});

//! Params of a step: JSON as a workflow's author wrote it, or else one text, worked out over what a run left.
#![no_main]

use std::sync::LazyLock;

use domain::Timestamp;
use engine::expression::{Asker, Context, INPUT_LIMIT_BYTES, resolve};
use engine::{Setup, Surroundings};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, from_str};

/// What the table of functions is written against.
static GIVEN: LazyLock<Value> = LazyLock::new(|| {
    let table: Value = from_str(include_str!("../../tests/fixtures/functions.json")).unwrap();
    table[0]["given"].clone()
});

static SETUP: LazyLock<Setup> = LazyLock::new(|| Setup {
    variables: GIVEN["variables"].as_object().unwrap().clone(),
    app_settings: GIVEN["appSettings"].clone(),
    ..Setup::default()
});

fuzz_target!(|input: &str| {
    let params = from_str(input).unwrap_or_else(|_| Value::String(input.to_owned()));
    let now = Timestamp::from_millisecond(1_795_867_200_000);
    let surroundings = Surroundings { setup: &SETUP, now, seed: "fuzz" };
    let (steps, error) = (&GIVEN["steps"], GIVEN.get("error"));
    let context = Context { steps, outer: &[], error, surroundings, asker: Asker::default(), scope: None };
    if let Ok(Some(made)) = resolve(&params, &context) {
        assert!(made.to_string().len() <= INPUT_LIMIT_BYTES);
    }
});

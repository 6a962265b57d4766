//! A workflow document with every check before it is saved, and what is different between it and the tutorial's.
#![no_main]

use std::sync::LazyLock;

use engine::{Catalogue, Problem, check, diff};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, from_str};

/// The actions that the table of documents is written against.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let table: Value = from_str(include_str!("../../tests/fixtures/documents.json")).unwrap();
    let actions = table[0]["actions"].as_object().unwrap().clone();
    Catalogue::new(actions).unwrap()
});

static TUTORIAL: LazyLock<Value> =
    LazyLock::new(|| from_str(include_str!("../../tests/fixtures/tutorial-workflow.json")).unwrap());

fuzz_target!(|input: &str| {
    let Ok(document) = from_str(input) else { return };
    let checked = check(&document, &CATALOGUE);
    // Whoever is refused is told why.
    assert!(checked.definition.is_some() || !checked.problems.is_empty());
    assert!(checked.problems.iter().all(|Problem { path, message, .. }| path.starts_with('$') && !message.is_empty()));
    assert!(diff::changes(&document, &document).told.is_empty());
    let _changes = diff::changes(&TUTORIAL, &document);
});

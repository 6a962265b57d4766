//! `docs/actions.md` and `docs/schemas/workflow.json` say what the descriptions of the actions say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what checks a page panics as the tests that call it do"
)]

mod layout;
mod page;
mod schema;

use std::fs;

#[test]
fn the_page_of_the_actions_is_what_they_say_of_themselves() {
    let text = fs::read_to_string(page::path()).unwrap();
    assert!(text == page::made_anew(&text), "run: cargo run -p service --example write_action_docs");
}

#[test]
fn the_published_schema_of_workflows_has_the_actions_as_they_are() {
    let text = fs::read_to_string(schema::path()).unwrap();
    assert!(text == schema::made_anew(&text), "run: cargo run -p service --example write_action_docs");
}

#[test]
fn every_action_and_every_code_of_a_failure_is_on_the_page() {
    let text = fs::read_to_string(page::path()).unwrap();
    for action in service::actions::descriptions() {
        assert!(text.contains(&format!("\n### `{}`\n", action.name)), "{}", action.name);
        for (code, _) in &action.failures {
            assert!(text.contains(&format!("\n| `{code}` |")), "{code}");
        }
    }
}

//! `hookwright workflows`: warnings, differences, drafts and secrets.

use std::fs;

use serde_json::{Value, json};

use crate::{Done, hookwright, server::Server};

/// The command over one answer, with `file.json` beside it, and what was sent.
fn over(answer: &Value, words: &[&str]) -> (Done, String) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file.json"), "{}").unwrap();
    fs::write(dir.path().join("secret.txt"), "s3cret\n").unwrap();
    let server = Server::answering(&[(200, &answer.to_string())]);
    let words: Vec<&str> = words.iter().copied().chain(["--url", &server.url]).collect();
    let done = hookwright(dir.path(), &words);
    (done, server.asked().pop().unwrap().body)
}

fn warning() -> Value {
    json!([{ "code": "never_taken", "detail": "It can never be taken.", "source": { "path": "$.steps[0].transitions[1]" } }])
}

#[test]
fn what_an_author_should_know_is_told_after_the_workflow() {
    let answer = json!({ "data": { "id": "w1", "attributes": { "name": "n", "trigger": {}, "steps": [] } }, "meta": { "warnings": warning() } });
    for words in [
        &["workflows", "create", "file.json"][..],
        &["workflows", "update", "w1", "file.json"],
        &["workflows", "rollback", "w1", "1"],
        &["workflows", "publish", "w1"],
    ] {
        let (done, _) = over(&answer, words);
        let told = "\nwarning: $.steps[0].transitions[1]: It can never be taken. (never_taken)\n";
        assert!(done.out.starts_with("id ") && done.out.ends_with(told), "{words:?}: {}", done.out);
    }
}

#[test]
fn differences_are_told_a_line_each() {
    let answer = json!({ "data": { "id": "w1", "attributes": { "from": "1", "to": "live", "changes": [
        { "op": "add", "path": "$.steps[id=a]", "after": { "id": "a" } },
        { "op": "remove", "path": "$.meta", "before": {} },
        { "op": "replace", "path": "$.enabled", "before": true, "after": false },
        { "op": "add", "path": "$.description", "after": "x".repeat(500) },
    ] } } });
    let (done, _) = over(&answer, &["workflows", "diff", "w1"]);
    let told = "From 1 to live:\n+ $.steps[id=a]: {\"id\":\"a\"}\n- $.meta: {}\n~ $.enabled: true → false\n+ $.description: \"xxx";
    assert!(done.out.starts_with(told) && done.out.ends_with("xxx…\n") && done.out.len() < 400, "{}", done.out);
    let none = json!({ "data": { "attributes": { "from": "live", "to": "live", "changes": [] } } });
    assert_eq!(over(&none, &["workflows", "diff", "w1"]).0.out, "From live to live:\nnothing is different\n");
}

#[test]
fn a_draft_is_shown_with_what_keeps_it_from_being_published() {
    let draft = |problems: Value| json!({ "data": { "id": "w1", "attributes": { "base": 2, "updatedAt": "2026-11-28T12:00:00.000Z", "updatedBy": "k1", "problems": problems, "warnings": [] } } });
    let (done, sent) = over(&draft(warning()), &["workflows", "draft", "put", "w1", "file.json"]);
    assert!(
        done.out.ends_with("problem: $.steps[0].transitions[1]: It can never be taken. (never_taken)\n"),
        "{}",
        done.out
    );
    assert_eq!(sent, "{}");
    let (done, _) = over(&draft(json!([])), &["workflows", "draft", "show", "w1"]);
    assert!(done.out.ends_with("It can be published: hookwright workflows publish w1\n"), "{}", done.out);
}

#[test]
fn the_value_of_a_variable_comes_from_a_file_without_its_line_break() {
    let answer = json!({ "data": { "id": "v1", "attributes": { "name": "n", "maskedValue": "••••", "reference": "/#variables.v1" } } });
    let words = ["workflows", "variables", "create", "w1", "--name", "n", "--value-file", "secret.txt"];
    let (done, sent) = over(&answer, &words);
    assert_eq!(serde_json::from_str::<Value>(&sent).unwrap(), json!({ "name": "n", "value": "s3cret" }));
    assert!(done.out.contains("/#variables.v1") && !done.out.contains("s3cret"), "{}", done.out);
}

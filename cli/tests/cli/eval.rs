//! `hookwright eval`: without a server, and over what a run or a transaction left.

use std::fs;

use serde_json::{Value, json};

use crate::{Done, hookwright, hookwright_reading, server::Server};

fn offline(words: &[&str]) -> Done {
    let dir = tempfile::tempdir().unwrap();
    let words: Vec<&str> = ["eval"].iter().chain(words).chain(&["--offline"]).copied().collect();
    hookwright(dir.path(), &words)
}

#[test]
fn without_a_server_the_value_its_type_and_the_reasons_are_told() {
    let steps = r#"{"1": {"email": "Ann@Example.com", "total": "150"}}"#;
    for (words, told) in [
        (
            vec!["/#fn:toLower,steps.1.email", "--steps", steps],
            "\"ann@example.com\"\n(string)\n\n`steps.1.email` is the text \"Ann@Example.com\".\n\
             `toLower` of the text \"Ann@Example.com\" gives the text \"ann@example.com\".\n",
        ),
        (
            vec!["/#steps.1.emial", "--steps", steps],
            "(missing)\n\n`/#steps.1.emial` is missing: `steps.1` has no `emial`. Did you mean `email`?\n",
        ),
        (
            vec!["--condition", r#"{"op": "gt", "values": ["/#steps.1.total", 100]}"#, "--steps", steps],
            "true\n(boolean)\n\n`/#steps.1.total` is the text \"150\".\n\
             /#steps.1.total (the text \"150\") is greater than the number 100.\n\
             For that, the text \"150\" was read as a number.\n",
        ),
        (
            vec!["/#error.code", "--error", r#"{"code": "gone"}"#],
            "\"gone\"\n(string)\n\n`/#error.code` is the text \"gone\".\n",
        ),
        (
            vec!["/#variables.5a345109e578360010eaa1ad", "--variables", r#"{"5a345109e578360010eaa1ad": "v"}"#],
            "\"v\"\n(string)\n",
        ),
        (vec!["/#fn:date,days,0", "--now", "2026-11-28T12:00:00Z"], "\"2026-11-28T12:00:00.000Z\"\n(string)\n"),
    ] {
        let done = offline(&words);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{words:?}");
        assert!(done.out.starts_with(told), "{words:?}\n{}", done.out);
    }
}

#[test]
fn without_a_server_the_answer_is_the_one_a_server_gives() {
    let done = offline(&["[\"/#steps.1.big\"]", "--steps", r#"{"1": {"big": 9007199254740993}}"#, "--json"]);
    assert!(done.out.contains("9007199254740993"), "{}", done.out);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(
        (&told["data"]["type"], &told["data"]["attributes"]["valueType"]),
        (&json!("evaluation"), &json!("array"))
    );
}

#[test]
fn what_is_no_expression_is_refused_as_a_server_refuses_it() {
    let done = offline(&["/#fn:tolwer,steps.1.a"]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(done.err.ends_with("Did you mean \"toLower\"? (unknown_function at $.expression)\n"), "{}", done.err);
    let done = offline(&["{{#if a}}", "--json"]);
    let told: Value = serde_json::from_str(&done.err).unwrap();
    assert_eq!((done.code, &told["errors"][0]["code"]), (1, &json!("bad_template")));
}

#[test]
fn parts_are_read_from_files_and_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("params.json"), r#"{"a": "/#steps.1.n"}"#).unwrap();
    fs::write(dir.path().join("steps.json"), r#"{"1": {"n": 5}}"#).unwrap();
    let done = hookwright(dir.path(), &["eval", "params.json", "--steps", "steps.json", "--offline"]);
    assert!(done.out.starts_with("{\n  \"a\": 5\n}\n(object)\n"), "{}{}", done.out, done.err);
    let words = ["eval", "/#steps.1.n", "--steps", "-", "--offline"];
    assert!(hookwright_reading(dir.path(), &words, b"{\"1\": {\"n\": 6}}").out.starts_with("6\n(number)\n"));
}

#[test]
fn the_steps_are_those_of_a_run_or_of_a_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let run = r#"{"data": {"attributes": {"steps": [{"id": "1", "output": {"a": 1}}, {"id": "find", "output": {"id": "5a"}}]}}}"#;
    let transaction = r#"{"data": {"id": "t1", "attributes": {"data": {"n": 1.50}}}}"#;
    let answer = r#"{"data": {"attributes": {"value": "5a", "valueType": "string", "explanation": ["So it is."]}}}"#;
    for (flag, document, line, steps) in [
        ("--run", run, "GET /v1/runs/x1", r#"{"1":{"a":1},"find":{"id":"5a"}}"#),
        (
            "--transaction",
            transaction,
            "GET /v1/transactions/x1",
            r#"{"1":{"id":"t1","attributes":{"data":{"n":1.50}}}}"#,
        ),
    ] {
        let server = Server::answering(&[(200, document), (200, answer)]);
        let done = hookwright(dir.path(), &["eval", "/#steps.find.id", flag, "x1", "--url", &server.url]);
        assert_eq!((done.code, done.out.as_str()), (0, "\"5a\"\n(string)\n\nSo it is.\n"), "{}", done.err);
        let asked = server.asked();
        assert_eq!((asked[0].line.as_str(), asked[1].line.as_str()), (line, "POST /v1/evaluate"));
        assert!(asked[1].body.contains(&format!("\"steps\":{steps}")), "{}", asked[1].body);
    }
}

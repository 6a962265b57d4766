//! `listen --once`: what is on the tape reaches a program, once and in order.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    Done, hookwright,
    server::{Asked, Server},
};

const SWITCHED_ON: &str = r#"{"data":{"attributes":{"tape":true,"auth":{"scheme":"github"}}}}"#;

fn arrival(id: &str, body_base64: &str) -> Value {
    json!({"id": id, "type": "arrival", "attributes": {"receivedAt": "2026-11-22T09:00:00.000Z", "transactionIds": [format!("t-{id}")],
        "method": "PUT", "query": "a=1", "contentType": "application/json", "headers": {"x-topic": "orders", "host": "evil.example"},
        "bodyBase64": body_base64}})
}

fn page(arrivals: &[Value], next: &str) -> String {
    json!({"data": arrivals, "meta": {"next": next}}).to_string()
}

fn listen(dir: &Path, answers: &[(u16, &str)], words: &[&str]) -> (Done, Vec<Asked>) {
    let server = Server::answering(answers);
    // The same address each time, because a cursor is of one server.
    let words = [&["listen", "--hook", "h1", "--once", "--url", &server.url, "--api-key", "hk_key"], words].concat();
    let done = hookwright(dir, &words);
    (done, server.asked())
}

#[test]
fn what_is_on_the_tape_arrives_as_it_was_sent() {
    let dir = tempfile::tempdir().unwrap();
    let program = Server::answering(&[(500, "no"), (200, "ok")]);
    let forward = format!("{}/in?x=0", program.url);
    // {"a": 1} and {"b":2}
    let first = page(&[arrival("a1", "eyJhIjogMX0="), arrival("a2", "eyJiIjoyfQ==")], "p1");
    let (done, asked) = listen(
        dir.path(),
        &[(200, SWITCHED_ON), (200, &first), (200, &page(&[], "p1"))],
        &["--forward", &forward, "--from-start"],
    );
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    let lines: Vec<&str> = asked.iter().map(|asked| asked.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "GET /v1/hooks/web/h1",
            "GET /v1/hooks/web/h1/arrivals?pageSize=100",
            "GET /v1/hooks/web/h1/arrivals?after=p1&pageSize=100",
        ]
    );
    let received = program.asked();
    assert_eq!((received[0].line.as_str(), received[0].body.as_str()), ("PUT /in?x=0&a=1", "{\"a\": 1}"));
    assert_eq!(received[1].body, "{\"b\":2}");
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-topic", "orders"),
        ("x-hookwright-hook", "h1"),
        ("x-hookwright-transaction", "t-a1"),
        ("x-hookwright-received-at", "2026-11-22T09:00:00.000Z"),
    ] {
        assert_eq!(received[0].header(name), Some(value), "{name}");
    }
    assert!(received[0].header("host").unwrap().starts_with("127.0.0.1"));
    assert_eq!(received[0].header("authorization"), None);
    assert!(done.out.contains("-> 500\n") && done.out.contains("-> 200\n"), "{}", done.out);
    assert!(done.out.ends_with("2 delivered, 1 of them answered with something else than 2xx.\n"), "{}", done.out);
}

#[test]
fn a_tape_that_is_off_is_switched_on_and_the_first_time_begins_now() {
    let dir = tempfile::tempdir().unwrap();
    let off = r#"{"data":{"attributes":{"tape":false}}}"#;
    let (done, asked) = listen(dir.path(), &[(200, off), (200, SWITCHED_ON), (200, &page(&[], "p0"))], &["--print"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!((asked[1].line.as_str(), asked[1].body.as_str()), ("PUT /v1/hooks/web/h1", r#"{"tape":true}"#));
    assert!(asked[2].line.starts_with("GET /v1/hooks/web/h1/arrivals?since=20"), "{}", asked[2].line);
    let left = fs::read_dir(dir.path().join(".hookwright/listen")).unwrap().next().unwrap().unwrap();
    assert_eq!(fs::read_to_string(left.path()).unwrap(), r#"{"after":"p0","since":null,"delivered":[]}"#);
}

#[test]
fn a_program_that_does_not_run_is_said_and_everything_waits() {
    let dir = tempfile::tempdir().unwrap();
    let gone = Server::answering(&[]);
    let url = gone.url.clone();
    gone.asked();
    let first = page(&[arrival("a1", "")], "p1");
    let (done, _) = listen(dir.path(), &[(200, SWITCHED_ON), (200, &first)], &["--forward", &url, "--since", "2h"]);
    assert_eq!(done.code, 5, "{}", done.err);
    assert!(
        done.err.contains("Nothing answers at") && done.out.ends_with("0 delivered.\n"),
        "{} {}",
        done.err,
        done.out
    );
    assert!(!dir.path().join(".hookwright").exists());
}

#[test]
fn with_a_secret_it_is_signed_anew_in_the_hooks_scheme() {
    let dir = tempfile::tempdir().unwrap();
    let program = Server::answering(&[(200, "")]);
    let first = page(&[arrival("a1", "eyJhIjogMX0=")], "p1");
    let answers = [(200, SWITCHED_ON), (200, first.as_str()), (200, &page(&[], "p1"))];
    let (done, _) = listen(dir.path(), &answers, &["--forward", &program.url, "--secret", "hush", "--from-start"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let signature = program.asked()[0].header("x-hub-signature-256").unwrap().to_owned();
    assert!(signature.starts_with("sha256=") && signature.len() == 71, "{signature}");
}

#[test]
fn programs_get_a_document_on_each_line_and_people_the_bodies_they_ask_for() {
    let dir = tempfile::tempdir().unwrap();
    // ESC [31m and a line break
    let first = page(&[arrival("a1", "G1szMW0KeA==")], "p1");
    let answers = [(200, SWITCHED_ON), (200, first.as_str()), (200, &page(&[], "p1"))];
    let (done, _) = listen(dir.path(), &answers, &["--print", "--from-start"]);
    assert!(done.out.contains("\n  \\u{1b}[31m\n  x\n"), "{}", done.out);
    let (done, _) = listen(dir.path(), &answers, &["--print", "--from-start", "--json"]);
    let told: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0]["arrival"].as_str(), told[0]["transactionIds"][0].as_str()), (Some("a1"), Some("t-a1")));
}

#[test]
fn what_cannot_be_forwarded_to_is_usage() {
    let dir = tempfile::tempdir().unwrap();
    for words in [
        &[][..],
        &["--forward", "127.0.0.1:3000"],
        &["--forward", "ftp://127.0.0.1/"],
        &["--print", "--since", "soon"],
        &["--print", "--since", "2h", "--from-start"],
        &["--print", "--secret", "s"],
    ] {
        let (done, asked) = listen(dir.path(), &[(200, SWITCHED_ON)], words);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{words:?}: {}", done.err);
        assert!(asked.iter().all(|asked| asked.line.starts_with("GET /v1/hooks/web/h1")), "{words:?}");
    }
    let (done, _) = listen(dir.path(), &[(404, r#"{"errors":[]}"#)], &["--print"]);
    assert_eq!(done.code, 3);
}

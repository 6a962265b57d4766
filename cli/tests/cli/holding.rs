//! Hooks that are paused, and repeats, on a terminal.

use serde_json::{Value, json};

use crate::{
    Done, hookwright,
    server::{Asked, Server},
};

const HOOK: &str = "6a1f2e3d4c5b6a7980a1b2c3";

fn exchange(answer: &Value, words: &[&str]) -> (Done, Asked) {
    let server = Server::answering(&[(200, &answer.to_string())]);
    let words: Vec<&str> = words.iter().copied().chain(["--url", &server.url, "--api-key", "hk_key"]).collect();
    let dir = tempfile::tempdir().unwrap();
    let done = hookwright(dir.path(), &words);
    (done, server.asked().remove(0))
}

fn list(data: Value, meta: Value) -> Value {
    json!({ "data": data, "meta": meta, "links": { "self": "/", "next": null } })
}

#[test]
fn a_hook_is_paused_and_goes_on_by_its_setting() {
    let hook =
        json!({ "data": { "id": HOOK, "type": "form_hook", "attributes": { "title": "Orders", "paused": true } } });
    for (word, paused) in [("pause", true), ("resume", false)] {
        let (done, asked) = exchange(&hook, &["hooks", word, HOOK, "--kind", "web"]);
        assert_eq!((done.code, asked.line), (0, format!("PUT /v1/hooks/web/{HOOK}")));
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), json!({ "paused": paused }));
        assert!(done.out.contains("paused"), "{}", done.out);
    }
}

#[test]
fn what_is_held_is_listed_with_how_it_goes_on() {
    let meta = |count: u64, more: bool, paused: bool| json!({ "count": count, "countsMore": more, "oldestAt": "2026-11-22T12:00:00.000Z", "paused": paused });
    let one = json!([{ "id": "t1", "type": "held_arrival", "attributes": { "createdAt": "2026-11-22T12:00:00.000Z", "heldAt": "2026-11-22T12:00:00.000Z", "bytes": 412 } }]);
    for (answer, first) in [
        (list(json!([]), meta(0, false, true)), "The hook is paused, and nothing has arrived since.".to_owned()),
        (list(json!([]), meta(0, false, false)), "The hook is not paused and holds nothing.".to_owned()),
        (
            list(one.clone(), meta(1, false, true)),
            format!("Held since 2026-11-22T12:00:00.000Z: 1. `hookwright hooks resume {HOOK}` lets them go on."),
        ),
        (
            list(one.clone(), meta(1_000, true, false)),
            "Held since 2026-11-22T12:00:00.000Z, and going on: more than 1000.".to_owned(),
        ),
    ] {
        let (done, asked) = exchange(&answer, &["hooks", "held", HOOK]);
        assert_eq!((done.code, asked.line), (0, format!("GET /v1/hooks/form/{HOOK}/held")));
        assert_eq!(done.out.lines().next(), Some(first.as_str()));
        assert_eq!(done.out.contains("t1"), answer["data"] == one);
        let (done, _) = exchange(&answer, &["hooks", "held", HOOK, "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&done.out).unwrap(), answer);
    }
}

#[test]
fn repeats_are_listed_with_what_told_them() {
    let repeat = json!([{ "id": "t1-x", "type": "duplicate", "attributes": { "createdAt": "2026-11-22T12:05:00.000Z", "rule": "idempotency_key", "transactionId": "t1", "firstAt": "2026-11-22T12:00:00.000Z" } }]);
    let (done, asked) = exchange(&list(repeat, json!({ "count": 7 })), &["hooks", "duplicates", HOOK, "--kind", "web"]);
    assert_eq!((done.code, asked.line), (0, format!("GET /v1/hooks/web/{HOOK}/duplicates")));
    assert!(done.out.starts_with("Repeats so far: 7. The newest first:\n") && done.out.contains("idempotency key"));
    let (done, _) = exchange(&list(json!([]), json!({ "count": 0 })), &["hooks", "duplicates", HOOK]);
    assert_eq!(done.out, "Nothing came again.\n");
}

#[test]
fn the_doctor_tells_what_is_held_and_what_came_again() {
    for (kind, flag) in [("web", " --kind web"), ("email", " --kind email"), ("form", "")] {
        let meta = json!({ "paused": true, "held": 3, "holdsMore": false, "duplicates": 2 });
        let (done, _) = exchange(&list(json!([]), meta), &["hooks", "doctor", HOOK, "--kind", kind]);
        for line in [
            format!(
                "The hook is paused. It holds what arrives and loses none of it: 3 so far. `hookwright hooks resume {HOOK}{flag}` lets them go on."
            ),
            format!("Repeats that started nothing: 2. `hookwright hooks duplicates {HOOK}{flag}` shows the last."),
        ] {
            assert!(done.out.lines().any(|told| told == line), "{}", done.out);
        }
        let meta = json!({ "paused": false, "held": 0, "holdsMore": false, "duplicates": 0 });
        let (done, _) = exchange(&list(json!([]), meta), &["hooks", "doctor", HOOK, "--kind", kind]);
        assert_eq!(done.out.lines().count(), 1, "{}", done.out);
    }
}

//! What is asked of dead letters, and how they are shown.

use serde_json::{Value, json};

use crate::requests::exchange;

fn letter() -> Value {
    json!({ "type": "dead_letter", "id": "d1", "attributes": {
        "state": "dead", "kind": "transaction", "attempts": 5, "bytes": 20, "event": "shop.paid", "hookId": "h1",
        "transactionId": "t1", "runId": null, "firstReceivedAt": null, "failedAt": "2026-11-22T12:00:00.000Z",
        "redrivenAt": null, "redrivenBy": null,
        "reason": { "code": "unavailable", "sentence": "store is unavailable: \u{1b}[31mred" },
        "message": { "v": 1, "event": "shop.paid" },
    } })
}

#[test]
fn each_command_sends_its_request() {
    for (words, line, body) in [
        (
            &["ls", "--state", "redriven", "--kind", "wake", "--reason", "panicked", "--page-size", "2"][..],
            "GET /v1/dead-letters?state=redriven&kind=wake&reason=panicked&pageSize=2",
            Value::Null,
        ),
        (
            &["ls", "--hook", "h1", "--event", "shop.paid", "--from", "f", "--until", "u"],
            "GET /v1/dead-letters?hook=h1&event=shop%2Epaid&from=f&until=u",
            Value::Null,
        ),
        (&["show", "d1"], "GET /v1/dead-letters/d1", Value::Null),
        (&["redrive", "d1"], "POST /v1/dead-letters/d1/redrive", json!({})),
        (
            &["redrive", "--all", "--event", "shop.paid", "--hook", "h1", "--dry-run"],
            "POST /v1/dead-letters/redrive",
            json!({ "event": "shop.paid", "hook": "h1", "dryRun": true }),
        ),
        (
            &["redrive", "--all", "--from", "f", "--until", "u", "--per-second", "5", "--limit", "7"],
            "POST /v1/dead-letters/redrive",
            json!({ "from": "f", "until": "u", "dryRun": false, "perSecond": 5, "limit": 7 }),
        ),
        (&["rm", "d1"], "DELETE /v1/dead-letters/d1", Value::Null),
    ] {
        let words: Vec<&str> = ["dead-letters"].iter().chain(words).copied().collect();
        let (_, asked) = exchange(200, r#"{"data":[]}"#, &words);
        assert_eq!(asked.line, line);
        let sent: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        assert_eq!(sent, body, "{words:?}");
    }
}

#[test]
fn a_letter_is_shown_with_its_reason_and_its_message() {
    let list = json!({ "data": [letter()] }).to_string();
    let (done, _) = exchange(200, &list, &["dead-letters", "ls"]);
    for part in ["GIVEN UP", "2026-11-22T12:00:00.000Z  d1  transaction  shop.paid  5", "unavailable"] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    let one = json!({ "data": letter() }).to_string();
    let (done, _) = exchange(200, &one, &["dead-letters", "show", "d1"]);
    for part in ["unavailable: store is unavailable: \\u{1b}[31mred", "Message (20 bytes):", "\"v\": 1"] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    let (done, _) = exchange(200, r#"{"data":[]}"#, &["dead-letters", "ls"]);
    assert_eq!(done.out, "There are no such dead letters on this page.\n");
}

#[test]
fn what_was_redriven_is_told_with_what_to_look_at_next() {
    let one = json!({ "data": letter() }).to_string();
    let (done, _) = exchange(200, &one, &["dead-letters", "redrive", "d1"]);
    assert_eq!(done.out, "d1 is on the queue again. What comes of it: hookwright why t1\n");
    let outcome = |is_dry_run: bool, remaining: usize, look_on_from: Value| {
        let attributes = json!({ "dryRun": is_dry_run, "matched": 7, "redriven": 5, "remaining": remaining,
            "perSecond": 2, "seconds": 2, "lookOnFrom": look_on_from });
        json!({ "data": { "type": "dead_letter_redrive", "attributes": attributes } }).to_string()
    };
    for (answer, told) in [
        (outcome(true, 7, Value::Null), "7 would be redriven. Nothing was changed.\n"),
        (outcome(false, 0, Value::Null), "5 are on the queue again, spread over 2 seconds.\n"),
        (
            outcome(false, 2, json!("2026-11-22T12:00:00.000Z")),
            "5 are on the queue again, spread over 2 seconds.\n2 more fit; ask again for the next ones.\nThere are more than were looked at; look on with --from 2026-11-22T12:00:00.000Z\n",
        ),
    ] {
        let (done, _) = exchange(200, &answer, &["dead-letters", "redrive", "--all"]);
        assert_eq!(done.out, told);
    }
}

//! `hookwright why`: what became of a transaction.

use serde_json::{Value, json};

use crate::{Done, hookwright, server::Server};

/// The command over these answers, and what was asked.
fn why(answers: &[(u16, &Value)], words: &[&str]) -> (Done, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let answers: Vec<(u16, String)> = answers.iter().map(|(status, answer)| (*status, answer.to_string())).collect();
    let answers: Vec<(u16, &str)> = answers.iter().map(|(status, answer)| (*status, answer.as_str())).collect();
    let server = Server::answering(&answers);
    let words: Vec<&str> = ["why", "t1", "--url", &server.url].iter().chain(words).copied().collect();
    let done = hookwright(dir.path(), &words);
    (done, server.asked().into_iter().map(|asked| asked.line).collect())
}

fn transaction(considered: Value, reason: Value) -> Value {
    json!({
        "data": { "id": "t1", "attributes": { "createdAt": "2026-11-28T12:00:00.000Z", "data": {} },
            "relationships": { "hook": { "data": { "type": "form_hook", "id": "h1" } } } },
        "meta": { "trace": { "event": "kustomer.hooks.form.h1.receive", "events": [], "considered": considered, "reason": reason, "notes": [] } },
    })
}

#[test]
fn every_workflow_and_every_step_of_its_run_is_told() {
    let considered = json!([
        { "workflow": { "id": "w1", "name": "orders", "version": 3 }, "event": "e", "verdict": "started", "run": { "id": "r1", "state": "failed" } },
        { "workflow": { "id": "w2", "name": "old", "version": 1 }, "event": "e", "verdict": "disabled" },
    ]);
    let run = json!({ "data": { "id": "r1", "attributes": {
        "state": "failed",
        "error": { "code": "email_taken", "message": "Step \"make\" (kustomer.customer.create) failed: It is taken." },
        "steps": [
            { "id": "1", "visit": 1, "action": null, "error": null, "transition": { "target": "find", "conditions": [
                { "target": "find", "verdict": { "op": "gt", "values": ["15", 10], "from": ["/#steps.1.total", null],
                    "casts": [{ "value": 0, "as": "number", "read": true }], "result": true } }] } },
            { "id": "find", "visit": 1, "action": "kustomer.customer.find-by-email", "error": null,
                "transition": { "target": "make", "conditions": [{ "target": "make", "verdict": { "op": "true", "values": [true], "result": true } }] } },
            { "id": "make", "visit": 1, "action": "kustomer.customer.create", "retries": "action", "attempts": 1,
                "missing": ["`/#steps.1.emial` is missing: `steps.1` has no `emial`. Did you mean `email`?"],
                "error": { "code": "throttled", "message": "Slow down.", "retryable": true }, "transition": null },
            { "id": "make", "visit": 1, "action": "kustomer.customer.create", "retries": null, "attempts": 2,
                "errorCase": { "action": "retry-action", "conditions": [] },
                "error": { "code": "email_taken", "message": "It is taken." }, "transition": null },
        ],
    } } });
    let document = transaction(considered, Value::Null);
    let (done, asked) = why(&[(200, &document), (200, &run)], &[]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_eq!(asked, ["GET /v1/transactions/t1", "GET /v1/runs/r1"]);
    assert_eq!(
        done.out,
        "The transaction t1 came in at 2026-11-28T12:00:00.000Z by the form hook h1.\n\
         The event kustomer.hooks.form.h1.receive was fired.\n\
         \n\
         Workflow orders (w1, version 3) listens to e and started the run r1 (failed).\n\
         \x20 1 → find, because /#steps.1.total (the text \"15\") is greater than the number 10.\n\
         \x20   For that, the text \"15\" was read as a number.\n\
         \x20 find did kustomer.customer.find-by-email.\n\
         \x20 find → make, as always.\n\
         \x20 In the params of make, `/#steps.1.emial` is missing: `steps.1` has no `emial`. Did you mean `email`?\n\
         \x20 make failed at attempt 1: Slow down. (throttled)\n\
         \x20 make is tried again.\n\
         \x20 make failed at attempt 2: It is taken. (email_taken)\n\
         \x20 An error case of make answered retry-action, as always.\n\
         \x20 make was tried as often as it may be.\n\
         \x20 The run failed: Step \"make\" (kustomer.customer.create) failed: It is taken. (email_taken)\n\
         \n\
         Workflow old (w2, version 1) listens to e but was disabled then, so it started no run. `hookwright workflows enable w2` enables it.\n"
    );

    let (done, _) = why(&[(200, &document), (200, &run)], &["--json"]);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((&told["data"]["id"], &told["included"][0]["id"]), (&json!("t1"), &json!("r1")));
}

#[test]
fn where_nothing_listens_the_nearest_are_named_and_what_to_write() {
    let document = transaction(json!([]), json!("No workflow listens to this event."));
    let workflow = |id: &str, event: &str| json!({ "id": id, "attributes": { "name": format!("of-{id}"), "trigger": { "eventName": event } } });
    let workflows = json!({ "data": [
        workflow("w1", "stripe.invoice.paid"), workflow("w2", "kustomer.hooks.form.h2.receive"),
        workflow("w3", "kustomer.conversation.create"), workflow("w4", "kustomer.hooks.web.h1.receive"),
    ] });
    let (done, asked) = why(&[(200, &document), (200, &workflows)], &[]);
    assert_eq!(asked, ["GET /v1/transactions/t1", "GET /v1/workflows?pageSize=100"]);
    let ending = "No workflow listens to this event.\n\
         \x20 Workflow of-w2 (w2) listens to kustomer.hooks.form.h2.receive.\n\
         \x20 Workflow of-w4 (w4) listens to kustomer.hooks.web.h1.receive.\n\
         \x20 Workflow of-w3 (w3) listens to kustomer.conversation.create.\n\
         A workflow starts by this event once its trigger's eventName is kustomer.hooks.form.h1.receive.\n";
    assert!(done.out.ends_with(ending), "{}", done.out);

    // A key that may read transactions need not be one that may read workflows.
    let refusal = json!({ "errors": [{ "code": "role_missing", "detail": "No." }] });
    let (done, _) = why(&[(200, &document), (403, &refusal)], &[]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.contains("No workflow listens to this event."), "{}", done.out);
}

#[test]
fn a_run_that_is_not_there_yet_and_one_that_waits_are_told() {
    let considered = json!([
        { "workflow": { "id": "w1", "name": "a" }, "event": "e", "verdict": "started", "run": { "id": "r1", "state": null } },
        { "workflow": { "id": "w2", "name": "b" }, "event": "e", "verdict": "started", "run": { "id": "r2", "state": "waiting" } },
    ]);
    let absent = json!({ "errors": [{ "code": "not_found", "detail": "Not yet." }] });
    let waiting = json!({ "data": { "id": "r2", "attributes": { "state": "waiting", "resumesAt": "2026-11-28T12:00:40.000Z", "steps": [] } } });
    let document = transaction(considered, Value::Null);
    let (done, _) = why(&[(200, &document), (404, &absent), (200, &waiting)], &[]);
    assert!(done.out.contains("starts the run r1, which is not there yet.\n"), "{}{}", done.out, done.err);
    assert!(done.out.ends_with("  The run waits and goes on at 2026-11-28T12:00:40.000Z.\n"), "{}", done.out);

    let (done, _) = why(&[(404, &absent)], &[]);
    assert_eq!(done.code, 3);
}

#[test]
fn an_event_is_told_with_who_fired_it_and_what_it_follows_from() {
    let id = "6a1f2e3d4c5b6a7980a1b2c3";
    let event = |depth: u64, run: Value| {
        json!({
            "data": { "id": "c1", "name": "Ann" },
            "meta": {
                "event": { "id": id, "name": "kustomer.customer.update", "createdAt": "2026-11-28T12:00:00.000Z", "client": "workflow",
                    "dataId": "c1", "lineage": { "root": "t0", "depth": depth, "run": run } },
                "trace": { "event": "kustomer.customer.update", "events": [], "considered": [
                    { "workflow": { "id": "w1", "name": "ping", "version": 1 }, "event": "kustomer.customer.update", "verdict": "started",
                      "run": { "id": "r1", "state": "failed" } },
                ], "reason": null, "notes": [] },
            },
        })
    };
    let sentence = "At most 10 generations of changes that follow from one beginning start workflows.";
    let run = json!({ "data": { "id": "r1", "attributes": { "state": "failed", "steps": [],
        "error": { "code": "lineage_too_deep", "message": sentence } } } });
    let (done, _) = why(&[(200, &event(11, json!("r0"))), (200, &run)], &[]);
    assert_eq!(
        done.out,
        "The event kustomer.customer.update (6a1f2e3d4c5b6a7980a1b2c3) was fired at 2026-11-28T12:00:00.000Z by a step of the run r0.\n\
         It is about c1.\n\
         It follows from the transaction t0, by 11 runs that set each other off.\n\
         \n\
         Workflow ping (w1, version 1) listens to kustomer.customer.update and started the run r1 (failed).\n\
         \x20 The run failed: At most 10 generations of changes that follow from one beginning start workflows. (lineage_too_deep)\n"
    );
    let (done, _) = why(&[(200, &event(1, json!("r0"))), (200, &run)], &[]);
    assert!(done.out.contains("\nIt follows from the transaction t0, by one run.\n"), "{}", done.out);
    let (done, _) = why(&[(200, &event(0, Value::Null)), (200, &run)], &[]);
    assert!(done.out.contains("by a request to the API.\nIt is about c1.\n\nWorkflow ping"), "{}", done.out);

    let shown =
        crate::requests::exchange(200, &event(2, json!("r0")).to_string(), &["transactions", "show", "t1"]).0.out;
    for line in ["event        kustomer.customer.update", "began with   t0", "  \"name\": \"Ann\""] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
}

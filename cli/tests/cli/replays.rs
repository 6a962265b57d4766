//! What is asked about runs that are held or over.

use serde_json::{Value, json};

use crate::requests::exchange;

#[test]
fn each_command_about_runs_that_are_held_or_over_sends_its_request() {
    let rows: &[(&[&str], &str, Value)] = &[
        (
            &["runs", "outcome", "r1", "not-done", "--step", "charge", "--visit", "2"],
            "POST /v1/runs/r1/outcomes",
            json!({"outcome": "not_done", "step": "charge", "visit": 2}),
        ),
        (
            &["runs", "outcome", "r1", "done", "--output", "{\"id\": 1.5}"],
            "POST /v1/runs/r1/outcomes",
            json!({"outcome": "done", "output": {"id": 1.5}}),
        ),
        (&["runs", "replay", "r1"], "POST /v1/runs/r1/replays", json!({"from": "failed"})),
        (
            &["runs", "replay", "r1", "--from", "start", "--latest", "--repeat-effects", "--dry"],
            "POST /v1/runs/r1/replays",
            json!({"from": "start", "definition": "latest", "effects": "repeat", "dry": true}),
        ),
        (
            &[
                "workflows",
                "replay",
                "w1",
                "--state",
                "failed",
                "--error-code",
                "x",
                "--until",
                "2026-11-22T00:00:00Z",
                "--dry-run",
            ],
            "POST /v1/workflows/w1/replays",
            json!({"filter": {"state": "failed", "errorCode": "x", "until": "2026-11-22T00:00:00Z"}, "from": "failed", "limit": 100, "dryRun": true}),
        ),
        (
            &["workflows", "replay", "w1", "--from", "2026-11-22T00:00:00Z", "--from-start", "--limit", "7"],
            "POST /v1/workflows/w1/replays",
            json!({"filter": {"from": "2026-11-22T00:00:00Z"}, "from": "start", "limit": 7, "dryRun": false}),
        ),
        (
            &["workflows", "what-if", "w1", "--draft", "--limit", "3"],
            "POST /v1/workflows/w1/what-if",
            json!({"draft": true, "limit": 3}),
        ),
    ];
    for (words, line, body) in rows {
        let (done, asked) = exchange(200, r#"{"data":{}}"#, words);
        assert_eq!(done.code, 0, "{words:?}: {}", done.err);
        assert_eq!(asked.line, *line, "{words:?}");
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), *body, "{words:?}");
    }
}

#[test]
fn a_dry_replay_is_told_step_by_step_and_where_it_stops() {
    let body = r#"{"data":{"type":"dry_run","attributes":{"run":"r1","ending":null,"steps":[
        {"id":"call","visit":1,"action":"kustomer.rest-api.json","source":"would be performed","transition":null}],
        "stops":[{"branch":"","step":"call","why":"Which way it goes from there depends on what \"call\" would leave."}]}}}"#;
    let (done, _) = exchange(200, body, &["runs", "replay", "r1", "--dry"]);
    for line in ["would end  not known", "call  kustomer.rest-api.json  would be performed  -"] {
        assert!(
            done.out.lines().any(|told| told.split_whitespace().eq(line.split_whitespace())),
            "{line}: {}",
            done.out
        );
    }
    assert!(done.out.contains("It stops at call: Which way"), "{}", done.out);
}

#[test]
fn what_if_tells_the_difference_in_sum_and_run_by_run() {
    let body = r#"{"data":{"attributes":{"comparedCount":2,"differentCount":1,"stoppedCount":0,"decisions":[],
        "effects":[{"step":"large","change":"appears","count":1}],"runs":[{"run":"r1","transaction":"t1","isDifferent":true,
        "decisions":[{"step":"note","branch":"","visit":1,"change":"changes","action":null,"was":null,"becomes":"large"}],
        "effects":[{"step":"large","branch":"","visit":1,"change":"appears","action":"kustomer.company.create","was":null,"becomes":{"name":"n"}}],
        "stops":[]}]}}}"#;
    let (done, _) = exchange(200, body, &["workflows", "what-if", "w1", "--draft"]);
    for line in
        ["note went to -, and would go to large", "large (kustomer.company.create) appears", r#"would be {"name":"n"}"#]
    {
        assert!(done.out.contains(line), "{line}: {}", done.out);
    }
}

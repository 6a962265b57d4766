//! The balance, on a terminal.

use serde_json::{Value, json};

use crate::{hookwright, server::Server};

const HOOK: &str = "6a1f2e3d4c5b6a7980a1b2c3";

fn page(accepted: u64, done: u64, failed: u64, next: Value) -> String {
    let attributes = json!({ "of": "hook", "accepted": accepted, "unheard": 0, "done": done, "failed": failed, "held": 0, "waiting": 0, "running": 0, "deadLettered": 0, "addsUp": true, "heldArrivals": done / 50 });
    let data = json!([{ "type": "balance", "id": HOOK, "attributes": attributes }]);
    json!({ "data": data, "meta": { "page": 1, "pageSize": 100 }, "links": { "self": "/", "next": next } }).to_string()
}

#[test]
fn the_pages_of_a_hook_are_added_up() {
    let next = json!(format!("/v1/hooks/web/{HOOK}/balance?pageSize=100&after=x.y"));
    let server = Server::answering(&[(200, &page(100, 98, 2, next)), (200, &page(7, 7, 0, Value::Null))]);
    let dir = tempfile::tempdir().unwrap();
    let words = ["balance", HOOK, "--kind", "web", "--from", "2026-11-22T12:00:00Z"];
    let all: Vec<&str> = words.iter().copied().chain(["--url", &server.url, "--api-key", "hk_key"]).collect();
    let done = hookwright(dir.path(), &all);
    let asked = server.asked();
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(asked[0].line.starts_with(&format!("GET /v1/hooks/web/{HOOK}/balance?pageSize=100&from=2026")));
    assert!(asked[1].line.contains("after=x%2Ey"), "{}", asked[1].line);
    for (place, count) in [("accepted", "107"), ("done", "105"), ("failed", "2"), ("dead-lettered", "0")] {
        let line = done.out.lines().find(|line| line.starts_with(place)).unwrap_or_default();
        assert_eq!(line.split_whitespace().nth(1), Some(count), "{}", done.out);
    }
    assert!(done.out.contains("It adds up"), "{}", done.out);
    assert!(done.out.contains("Paused hooks hold 1 more"), "{}", done.out);
}

#[test]
fn an_org_whose_places_do_not_add_up_is_told_to_report_it() {
    let server = Server::answering(&[(200, &page(3, 1, 1, Value::Null))]);
    let dir = tempfile::tempdir().unwrap();
    let done = hookwright(dir.path(), &["balance", "--url", &server.url, "--api-key", "hk_key"]);
    assert!(server.asked()[0].line.starts_with("GET /v1/balance?"));
    assert!(done.out.contains("It does not add up."), "{}", done.out);
    assert!(!done.out.contains("Paused hooks"), "{}", done.out);
    let server = Server::answering(&[(200, &page(3, 1, 1, Value::Null))]);
    let done = hookwright(dir.path(), &["balance", "--json", "--url", &server.url, "--api-key", "hk_key"]);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(told["data"]["attributes"]["addsUp"], false);
}

//! Many replays at once: counted first, then done a page at a time.

use serde_json::{Value, json};

use super::{data, ids, keys, refusal, replay_once, run, work};
use crate::rest::{Exchange, URL};

/// One with `count` runs that failed, and a service that takes calls now.
async fn failed(count: usize) -> Exchange {
    let exchange = Exchange::with_params(json!({ "uri": URL, "method": "POST" })).await;
    for _ in 0..count {
        exchange.calls.script(URL, Err(refusal()));
    }
    exchange.answer(200, &json!({}));
    for _ in 0..count {
        exchange.run(data()).await;
        exchange.world.clock.pass_seconds(60);
    }
    exchange
}

async fn many(exchange: &Exchange, draft: Value) -> Value {
    let path = format!("/v1/workflows/{}/replays", exchange.workflow);
    exchange.world.api("POST", &path, draft).await.expect(200).body["data"]["attributes"].clone()
}

async fn states(exchange: &Exchange) -> Vec<String> {
    let mut states = Vec::new();
    for id in ids(exchange).await {
        states.push(run(exchange, &id).await["state"].as_str().unwrap().to_owned());
    }
    states
}

#[tokio::test]
async fn they_are_counted_first_and_then_replayed_a_page_at_a_time() {
    let exchange = failed(5).await;
    let counted =
        many(&exchange, json!({ "filter": { "state": "failed", "errorCode": "closed" }, "dryRun": true })).await;
    assert_eq!(
        (&counted["matched"], &counted["replayedCount"], &counted["isCountWhole"]),
        (&json!(5), &json!(0), &json!(true))
    );
    assert_eq!((states(&exchange).await, exchange.world.queue.depth()), (vec!["failed".to_owned(); 5], 0));

    let done = many(&exchange, json!({ "filter": { "errorCode": "closed" }, "limit": 3 })).await;
    assert_eq!(
        (&done["matched"], &done["replayedCount"], &done["remaining"]),
        (&json!(5), &json!(3), &json!(2)),
        "{done}"
    );
    let oldest: Vec<String> = ids(&exchange).await.into_iter().rev().take(3).collect();
    let replayed: Vec<&str> =
        done["replayed"].as_array().unwrap().iter().map(|one| one["run"].as_str().unwrap()).collect();
    assert_eq!(replayed, oldest, "the oldest first");
    work(&exchange).await;
    let done = many(&exchange, json!({ "filter": { "errorCode": "closed" }, "limit": 3 })).await;
    assert_eq!((&done["matched"], &done["replayedCount"], &done["remaining"]), (&json!(2), &json!(2), &json!(0)));
    work(&exchange).await;
    assert_eq!(states(&exchange).await, vec!["succeeded"; 5]);
    assert_eq!(keys(&exchange).len(), 5);
    assert_eq!(many(&exchange, json!({ "filter": { "errorCode": "closed" } })).await["matched"], 0);
}

#[tokio::test]
async fn asked_twice_nothing_is_replayed_twice() {
    let exchange = failed(3).await;
    let path = format!("/v1/workflows/{}/replays", exchange.workflow);
    let draft = json!({ "filter": { "state": "failed" }, "from": "start", "effects": "repeat" });
    let first = replay_once(&exchange, &path, "once", &draft).await.expect(200);
    assert_eq!(first.body["data"]["attributes"]["replayedCount"], 3);
    let second = replay_once(&exchange, &path, "once", &draft).await.expect(200);
    assert_eq!(second.body["data"]["attributes"]["matched"], 0);
    work(&exchange).await;
    assert_eq!(
        replay_once(&exchange, &path, "other", &draft).await.expect(200).body["data"]["attributes"]["matched"],
        0
    );
    assert_eq!((ids(&exchange).await.len(), keys(&exchange).len()), (6, 3));
}

#[tokio::test]
async fn they_begin_ten_in_a_second() {
    let exchange = failed(12).await;
    many(&exchange, json!({ "filter": { "state": "failed" } })).await;
    exchange.world.work().await;
    assert_eq!(keys(&exchange).len(), 10);
    exchange.world.clock.pass_seconds(1);
    exchange.world.work().await;
    assert_eq!(keys(&exchange).len(), 12);
}

#[tokio::test]
async fn a_filter_finds_by_state_and_time_and_what_cannot_be_replayed_is_told_apart() {
    let exchange = failed(2).await;
    exchange.run(data()).await;
    for (filter, from, count) in [
        (json!({ "state": "succeeded" }), "start", 1),
        (json!({ "state": "cancelled" }), "start", 0),
        (json!({ "from": "2026-11-22T12:01:00Z" }), "start", 2),
        (json!({ "until": "2026-11-22T12:01:00Z" }), "start", 1),
        (json!({ "from": "2026-11-22T12:01:00Z" }), "failed", 1),
        (json!({ "errorCode": "other" }), "failed", 0),
    ] {
        let counted = many(&exchange, json!({ "filter": filter, "from": from, "dryRun": true })).await;
        assert_eq!(counted["matched"], count, "{filter} {from}");
    }
    exchange.world.api("PUT", &format!("/v1/workflows/{}", exchange.workflow), json!({ "steps": [{ "id": "other", "transitions": [] }], "trigger": { "transitions": tests::world::always("other"), "eventName": exchange.hook.event } })).await.expect(200);
    let done = many(&exchange, json!({ "filter": { "state": "failed" }, "definition": "latest" })).await;
    assert_eq!((&done["replayedCount"], &done["refusedCount"]), (&json!(0), &json!(2)), "{done}");
    assert_eq!(done["refused"][0]["code"], "definition_departs");
}

#[tokio::test]
async fn what_is_asked_wrong_is_refused() {
    let exchange = failed(1).await;
    let path = format!("/v1/workflows/{}/replays", exchange.workflow);
    for draft in [
        json!({}),
        json!({ "filter": {} }),
        json!({ "filter": "failed" }),
        json!({ "filter": { "state": "running" } }),
        json!({ "filter": { "state": "succeeded" } }),
        json!({ "filter": { "state": "failed", "from": "yesterday" } }),
        json!({ "filter": { "state": "failed" }, "limit": 0 }),
        json!({ "filter": { "state": "failed" }, "limit": 1_001 }),
        json!({ "filter": { "state": "failed" }, "dryRun": 1 }),
    ] {
        let wanted = if draft["filter"] == json!({}) || draft == json!({}) { 200 } else { 400 };
        let answer = exchange.world.api("POST", &path, draft.clone()).await;
        assert_eq!(answer.status, wanted, "{draft}: {answer:?}");
    }
    assert_eq!(
        exchange.world.api("POST", &path, json!({ "filter": {}, "from": "start" })).await.expect(400).code(),
        "bad_attribute"
    );
    exchange.world.api("POST", &path, json!({ "filter": { "state": "failed" }, "limit": 1_000 })).await.expect(200);
}

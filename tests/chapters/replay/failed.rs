//! Going on from the step that failed: the same run, the same keys, and nothing twice.

use serde_json::{Value, json};
use service::ports::{Change, Expectation, Key, NotCalled, Table, Unavailable};
use tests::world::always;

use super::{data, first, keys, publish, refusal, refused, replay, replay_once, run, steps, way, work};
use crate::rest::{Exchange, URL, step};

#[tokio::test]
async fn the_run_goes_on_from_the_step_that_failed_and_what_was_done_is_not_done_again() {
    let exchange = refused().await;
    let failed = exchange.run(data()).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("closed")), "{failed}");
    let id = first(&exchange).await;

    let answer = replay(&exchange, &id, json!({})).await.expect(200);
    assert_eq!(
        (answer.id(), answer.attribute("state"), answer.attribute("error")),
        (id.clone(), json!("waiting"), Value::Null)
    );
    work(&exchange).await;

    let after = run(&exchange, &id).await;
    assert_eq!(after["state"], "succeeded", "{after}");
    assert_eq!(way(&after), ["1", "customer", "call replay", "call", "note"]);
    assert_eq!(after["steps"][1], failed["steps"][1]);
    assert_eq!(exchange.world.customers().await.len(), 1);
    assert_eq!(keys(&exchange), [format!("{id}/call/1")]);
    let replayed = &after["steps"][2]["replayed"];
    assert_eq!((&replayed["fromHash"], &replayed["toHash"]), (&after["workflowHash"], &after["workflowHash"]));
    let log = exchange.world.get(&format!("/v1/audit-log?objectId={id}")).await.expect(200);
    assert_eq!(log.body["data"][0]["attributes"]["operation"], "ReplayRun");
    assert_eq!(log.body["data"][0]["attributes"]["userId"], replayed["key"]);

    assert_eq!(replay(&exchange, &id, json!({})).await.expect(409).code(), "not_failed");
}

#[tokio::test]
async fn a_replay_has_as_many_attempts_as_a_run_has_and_all_are_under_one_key() {
    let exchange = Exchange::with_params(json!({ "uri": URL })).await;
    exchange.calls.script(URL, Err(NotCalled::TimedOut(Unavailable { port: "calls", cause: "down".to_owned() })));
    exchange.run(json!({})).await;
    work(&exchange).await;
    let id = first(&exchange).await;
    assert_eq!((run(&exchange, &id).await["state"].clone(), keys(&exchange).len()), (json!("failed"), 10));
    replay(&exchange, &id, json!({ "from": "failed", "definition": "pinned" })).await.expect(200);
    work(&exchange).await;
    let after = run(&exchange, &id).await;
    assert_eq!((&after["state"], &after["error"]["attempt"]), (&json!("failed"), &json!(20)), "{after}");
    assert!(keys(&exchange).iter().all(|key| *key == format!("{id}/call/1")));
    assert_eq!(keys(&exchange).len(), 20);
    exchange.answer(200, &json!({}));
    replay(&exchange, &id, json!({})).await.expect(200);
    work(&exchange).await;
    assert_eq!(run(&exchange, &id).await["state"], "succeeded");
}

/// A loop over the items that calls a service for each.
fn looping() -> Value {
    let call = json!({ "uri": "https://api.example/{{steps.each.item}}", "method": "POST" });
    json!([
        { "id": "each", "action": "flow.for-each", "params": { "items": ["a", "b", "c"], "do": "call", "concurrency": 1 }, "transitions": always("end") },
        step(call, always("keep")),
        { "id": "keep", "action": "kustomer.company.create", "params": { "name": "{{steps.each.item}}" }, "transitions": [] },
        { "id": "end", "transitions": [] },
    ])
}

#[tokio::test]
async fn a_loop_goes_on_with_the_item_that_failed() {
    let exchange = Exchange::with_steps(looping()).await;
    let json = [("content-type", "application/json")];
    for item in ["a", "b", "c"] {
        let url = format!("https://api.example/{item}");
        if item == "b" {
            exchange.calls.script(&url, Err(refusal()));
        }
        exchange.calls.answer(&url, 200, &json, "{}");
    }
    let failed = exchange.run(data()).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("item_failed")));
    let id = first(&exchange).await;
    replay(&exchange, &id, json!({})).await.expect(200);
    work(&exchange).await;
    let after = run(&exchange, &id).await;
    assert_eq!(after["state"], "succeeded", "{after}");
    let expected: Vec<String> = (0..3).map(|item| format!("{id}/each#1.{item}/call/1")).collect();
    assert_eq!(keys(&exchange), expected, "each item once");
    assert_eq!(exchange.world.get("/v1/companies").await.body["data"].as_array().unwrap().len(), 3);
    assert!(way(&after).contains(&"each#1.1/call replay".to_owned()), "{:?}", way(&after));
}

#[tokio::test]
async fn where_all_of_several_branches_failed_each_is_tried_again_and_inner_loops_go_on() {
    let inner = json!({ "items": ["x", "y"], "do": "call", "concurrency": 2 });
    let other = json!({ "id": "other", "action": "kustomer.rest-api.json", "params": { "uri": "https://api.example/other" }, "transitions": [] });
    let steps = json!([
        { "id": "all", "action": "flow.parallel", "params": { "do": ["each", "other"], "join": "any" }, "transitions": [] },
        { "id": "each", "action": "flow.for-each", "params": inner, "transitions": [] },
        step(json!({ "uri": "https://api.example/{{steps.each.item}}", "method": "POST" }), json!([])),
        other,
    ]);
    let exchange = Exchange::with_steps(steps).await;
    for url in ["x", "y", "other"].map(|name| format!("https://api.example/{name}")) {
        exchange.calls.script(&url, Err(refusal()));
        exchange.calls.answer(&url, 200, &[("content-type", "application/json")], "{}");
    }
    let failed = exchange.run(data()).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("branch_failed")), "{failed}");
    let id = first(&exchange).await;
    replay(&exchange, &id, json!({})).await.expect(200);
    work(&exchange).await;
    let after = run(&exchange, &id).await;
    assert_eq!(after["state"], "succeeded", "{after}");
    assert!(way(&after).contains(&"all#1.1/other replay".to_owned()), "{:?}", way(&after));
}

#[tokio::test]
async fn a_run_goes_over_to_the_latest_definition_where_that_can_follow_it() {
    let exchange = refused().await;
    let mut pinned = steps();
    exchange.run(data()).await;
    let id = first(&exchange).await;
    let before = run(&exchange, &id).await["workflowHash"].clone();
    pinned[1]["params"]["data"] = json!({ "customer": "/#steps.customer.id", "mended": true });
    pinned[2]["params"]["body"] = json!("mended {{steps.call.body.id}}");
    publish(&exchange, pinned).await;

    replay(&exchange, &id, json!({ "definition": "latest" })).await.expect(200);
    work(&exchange).await;
    let after = run(&exchange, &id).await;
    assert_eq!(after["state"], "succeeded", "{after}");
    assert_eq!(
        (&after["steps"][3]["input"]["data"]["mended"], &after["steps"][4]["output"]["body"]),
        (&json!(true), &json!("mended o-1"))
    );
    let replayed = &after["steps"][2]["replayed"];
    assert_eq!((&replayed["fromHash"], &replayed["toHash"]), (&before, &after["workflowHash"]));
    assert_ne!(before, after["workflowHash"]);
    assert_eq!(keys(&exchange), [format!("{id}/call/1")]);
}

#[tokio::test]
async fn a_definition_that_departs_from_the_run_is_refused_with_where() {
    let exchange = refused().await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    let mut without = steps();
    without[0]["id"] = json!("person");
    without[1]["params"]["data"] = json!({});
    without[2]["params"]["customer"] = json!("/#steps.person.id");
    let mut another = steps();
    another[0]["action"] = json!("kustomer.company.create");
    another[0]["params"] = json!({ "name": "n" });
    let mut elsewhere = steps();
    elsewhere[0]["transitions"] = always("between");
    elsewhere.as_array_mut().unwrap().push(json!({ "id": "between", "transitions": always("call") }));
    for (version, told) in [
        (without, "to step \"customer\""),
        (another, "kustomer.company.create"),
        (elsewhere, "no transition leads there"),
    ] {
        let trigger =
            json!({ "eventName": exchange.hook.event, "transitions": always(version[0]["id"].as_str().unwrap()) });
        let path = format!("/v1/workflows/{}", exchange.workflow);
        exchange.world.api("PUT", &path, json!({ "steps": version, "trigger": trigger })).await.expect(200);
        let refused = replay(&exchange, &id, json!({ "definition": "latest" })).await.expect(409);
        assert_eq!(refused.code(), "definition_departs");
        assert!(refused.text.replace('\\', "").contains(told), "{told}: {}", refused.text);
    }
    assert_eq!(run(&exchange, &id).await["state"], "failed");
    exchange.world.api("DELETE", &format!("/v1/workflows/{}", exchange.workflow), Value::Null).await.expect(204);
    let refused = replay(&exchange, &id, json!({ "definition": "latest" })).await.expect(409);
    assert_eq!(refused.code(), "workflow_deleted");
    // It finishes on the one that it began with, as ever.
    replay(&exchange, &id, json!({})).await.expect(200);
    work(&exchange).await;
    assert_eq!(run(&exchange, &id).await["state"], "succeeded");
}

#[tokio::test]
async fn what_cannot_go_on_is_refused_with_why() {
    let exchange = Exchange::with_steps(
        json!([{ "id": "w", "action": "flow.wait", "params": { "for": "PT1H" }, "transitions": [] }]),
    )
    .await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    assert_eq!(replay(&exchange, &id, json!({})).await.expect(409).code(), "run_not_over");
    exchange.world.api("POST", &format!("/v1/runs/{id}/cancel"), Value::Null).await.expect(200);
    assert_eq!(replay(&exchange, &id, json!({})).await.expect(409).code(), "not_failed");

    let circling = json!([{ "id": "round", "transitions": [{ "target": "round", "condition": { "op": "dne", "values": ["/#steps.1.attributes.data.stop"] } }] }]);
    let exchange = Exchange::with_steps(circling).await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    assert_eq!(run(&exchange, &id).await["error"]["code"], "visit_limit");
    let refused = replay(&exchange, &id, json!({})).await.expect(409);
    assert_eq!(refused.code(), "no_failed_step");
    assert!(refused.text.contains("1000 times"), "{}", refused.text);

    let exchange = refused_without_transaction().await;
    let id = first(&exchange).await;
    for from in ["failed", "start"] {
        assert_eq!(replay(&exchange, &id, json!({ "from": from })).await.expect(409).code(), "transaction_gone");
    }
    for (draft, code) in [
        (json!({ "from": "middle" }), "bad_attribute"),
        (json!({ "definition": "7" }), "bad_attribute"),
        (json!({ "effects": "repeat" }), "bad_attribute"),
        (json!({ "from": "start", "effects": "some" }), "bad_attribute"),
        (json!({ "dry": "yes" }), "bad_attribute"),
        (json!({ "step": "call" }), "unknown_attribute"),
    ] {
        assert_eq!(replay(&exchange, &id, draft.clone()).await.expect(400).code(), code, "{draft}");
    }
    let path = format!("/v1/runs/{id}/replays");
    for key in ["", &"k".repeat(257)] {
        let refused = replay_once(&exchange, &path, key, &json!({})).await.expect(400);
        assert_eq!(refused.code(), "bad_idempotency_key");
    }
    assert_eq!(
        replay_once(&exchange, &path, &"k".repeat(256), &json!({})).await.expect(409).code(),
        "transaction_gone"
    );
}

/// One whose run failed, and whose transaction is not kept any more.
async fn refused_without_transaction() -> Exchange {
    let exchange = refused().await;
    let failed = exchange.run(data()).await;
    let partition = format!("{}#transaction#{}", exchange.world.org, failed["transactionId"].as_str().unwrap());
    let key = Key::new(Table::Runs, partition, "transaction");
    exchange.world.store.write(&[Change::Delete(key, Expectation::Anything)]).await.unwrap();
    exchange
}

#[tokio::test]
async fn a_run_that_never_began_says_to_begin_anew() {
    let exchange = Exchange::with_steps(steps()).await;
    exchange.answer(201, &json!({ "id": "o-1" }));
    let path = format!("/v1/workflows/{}", exchange.workflow);
    exchange
        .world
        .api("PUT", &path, json!({ "flow": { "concurrencyKey": "/#steps.1.attributes.data.shop" } }))
        .await
        .expect(200);
    exchange.run(data()).await;
    let id = first(&exchange).await;
    assert_eq!(run(&exchange, &id).await["error"]["code"], "missing_key");
    let refused = replay(&exchange, &id, json!({})).await.expect(409);
    assert_eq!(refused.code(), "not_begun");
    assert!(refused.text.contains("from the start"), "{}", refused.text);
    exchange.world.api("PUT", &path, json!({ "flow": null })).await.expect(200);
    let begun = replay(&exchange, &id, json!({ "from": "start", "definition": "latest" })).await.expect(200);
    work(&exchange).await;
    assert_eq!(run(&exchange, &begun.id()).await["state"], "succeeded");
}

#[tokio::test]
async fn a_step_that_stops_the_run_with_a_failure_is_come_to_once_more() {
    let stop = |error: Value| json!([{ "id": "end", "action": "flow.stop", "params": error, "transitions": [] }]);
    let exchange =
        Exchange::with_steps(stop(json!({ "as": "failed", "code": "no_stock", "message": "None left." }))).await;
    let failed = exchange.run(data()).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("no_stock")), "{failed}");
    let id = first(&exchange).await;
    publish(&exchange, stop(json!({ "as": "succeeded" }))).await;
    replay(&exchange, &id, json!({ "definition": "latest" })).await.expect(200);
    work(&exchange).await;
    let after = run(&exchange, &id).await;
    assert_eq!(after["state"], "succeeded", "{after}");
    assert!(after["steps"][0]["replayed"].is_object());
}

#[tokio::test]
async fn the_same_request_twice_is_one_replay() {
    let exchange = refused().await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    let path = format!("/v1/runs/{id}/replays");
    replay_once(&exchange, &path, "once", &json!({})).await.expect(200);
    replay_once(&exchange, &path, "once", &json!({})).await.expect(200);
    work(&exchange).await;
    let again = replay_once(&exchange, &path, "once", &json!({})).await.expect(200);
    assert_eq!(again.attribute("state"), "succeeded");
    assert_eq!(replay_once(&exchange, &path, "twice", &json!({})).await.expect(409).code(), "not_failed");
    assert_eq!(keys(&exchange).len(), 1);
}

#[tokio::test]
async fn a_run_that_goes_one_at_a_time_waits_for_its_turn_once_more() {
    let steps = json!([
        { "id": "w", "action": "flow.wait", "params": { "for": "PT1M" }, "transitions": always("call") },
        step(json!({ "uri": URL, "method": "POST" }), json!([])),
    ]);
    let exchange = Exchange::with_steps(steps).await;
    let path = format!("/v1/workflows/{}", exchange.workflow);
    exchange
        .world
        .api("PUT", &path, json!({ "flow": { "concurrencyKey": "/#steps.1.attributes.data.email" } }))
        .await
        .expect(200);
    exchange.calls.script(URL, Err(refusal()));
    exchange.answer(200, &json!({}));
    exchange.run(data()).await;
    work(&exchange).await;
    let id = first(&exchange).await;
    assert_eq!(run(&exchange, &id).await["state"], "failed");
    exchange.world.post(&exchange.hook, data()).await.expect(202);
    exchange.world.work().await;
    exchange.world.later(2).await;
    replay(&exchange, &id, json!({})).await.expect(200);
    exchange.world.work().await;
    assert_eq!(
        (run(&exchange, &id).await["state"].clone(), keys(&exchange).len()),
        (json!("waiting"), 0),
        "the other has the turn"
    );
    work(&exchange).await;
    assert_eq!(run(&exchange, &id).await["state"], "succeeded");
    let keys = keys(&exchange);
    assert_eq!((keys.len(), &keys[1]), (2, &format!("{id}/call/1")), "after the other");
}

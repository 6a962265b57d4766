//! Dry replays: what would be done, as far as anybody knows, and nothing is.

use serde_json::{Value, json};
use tests::world::always;

use super::{data, first, publish, refused, replay, run, steps};
use crate::rest::{Exchange, URL, step};

/// The dry replay's attributes; it changed nothing.
async fn dry(exchange: &Exchange, id: &str, draft: Value) -> Value {
    let (before, made, depth) = (exchange.store.items(), exchange.calls.made().len(), exchange.world.queue.depth());
    let mut draft = draft;
    draft["dry"] = json!(true);
    let answer = replay(exchange, id, draft).await.expect(200);
    let is_kept = |items: Vec<service::ports::Item>| -> Vec<_> {
        items.into_iter().filter(|item| !item.key.partition.ends_with("#key-use")).collect()
    };
    assert_eq!(is_kept(before), is_kept(exchange.store.items()), "nothing is written");
    assert_eq!((made, depth), (exchange.calls.made().len(), exchange.world.queue.depth()), "nothing is sent");
    answer.body["data"]["attributes"].clone()
}

/// Each step with how it is known, and where the walk stops.
fn told(dry: &Value) -> (Vec<String>, Vec<String>) {
    let steps = dry["steps"].as_array().unwrap().iter();
    let steps = steps.map(|step| format!("{}: {}", step["id"].as_str().unwrap(), step["source"].as_str().unwrap()));
    let stops = dry["stops"].as_array().unwrap().iter().map(|stop| stop["step"].as_str().unwrap().to_owned());
    (steps.collect(), stops.collect())
}

#[tokio::test]
async fn what_is_finished_is_recorded_and_the_rest_would_be_performed() {
    let exchange = refused().await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    let whole = dry(&exchange, &id, json!({ "from": "start" })).await;
    let (steps, stops) = told(&whole);
    assert_eq!(steps, ["customer: recorded", "call: would be performed", "note: would be performed"], "{whole}");
    assert_eq!((stops.len(), &whole["ending"]["state"]), (0, &json!("succeeded")));
    assert_eq!(whole["steps"][2]["unknownInInput"], json!(["call"]));
    assert!(whole["steps"][1]["input"]["data"]["customer"].is_string());

    let rest = dry(&exchange, &id, json!({ "from": "failed" })).await;
    assert_eq!(told(&rest).0, ["call: would be performed", "note: would be performed"], "{rest}");
    assert_eq!(run(&exchange, &id).await["state"], "failed");
}

#[tokio::test]
async fn a_repeat_takes_effects_to_give_what_they_gave() {
    let exchange = Exchange::with_steps(steps()).await;
    exchange.answer(201, &json!({ "id": "o-1" }));
    exchange.run(data()).await;
    let id = first(&exchange).await;
    let whole = dry(&exchange, &id, json!({ "from": "start", "effects": "repeat" })).await;
    assert!(whole["steps"].as_array().unwrap().iter().all(|step| step["wouldBePerformed"] == true), "{whole}");
    assert_eq!(whole["steps"][2]["input"]["body"], "o-1");
    let kept = dry(&exchange, &id, json!({ "from": "start" })).await;
    assert!(kept["steps"].as_array().unwrap().iter().all(|step| step["source"] == "recorded"), "{kept}");
}

#[tokio::test]
async fn it_stops_where_the_way_depends_on_what_nobody_knows() {
    let exchange = refused().await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    let mut version = steps();
    version[1]["transitions"] =
        json!([{ "target": "note", "condition": { "op": "eq", "values": ["/#steps.call.statusCode", 201] } }]);
    publish(&exchange, version).await;
    let whole = dry(&exchange, &id, json!({ "from": "failed", "definition": "latest" })).await;
    let (steps, stops) = told(&whole);
    assert_eq!((steps, stops), (vec!["call: would be performed".to_owned()], vec!["call".to_owned()]), "{whole}");
    assert_eq!(whole["ending"], Value::Null);
    assert!(whole["stops"][0]["why"].as_str().unwrap().contains("\"call\""), "{whole}");
}

#[tokio::test]
async fn a_loop_is_walked_item_by_item_and_waits_pass() {
    let look = json!({ "id": "look", "action": "kustomer.customer.find-by-email", "params": { "email": "/#steps.each.item" }, "transitions": always("call") });
    let call = step(json!({ "uri": URL, "method": "POST", "data": { "to": "/#steps.look.id" } }), json!([]));
    let ask = json!({ "id": "ask", "action": "flow.wait", "params": { "answer": { "choices": ["yes"] }, "timeout": "P1D" }, "transitions": [] });
    let each = json!({ "items": ["ann@example.com", "bob@example.com"], "do": "look", "concurrency": 2 });
    let document = json!([
        { "id": "each", "action": "flow.for-each", "params": each, "transitions": always("w") },
        look,
        call,
        { "id": "w", "action": "flow.wait", "params": { "for": "P2D" }, "transitions": always("ask") },
        ask,
    ]);
    let exchange = Exchange::with_steps(document).await;
    exchange.answer(200, &json!({}));
    exchange.run(data()).await;
    let id = first(&exchange).await;
    exchange.world.api("POST", &format!("/v1/runs/{id}/cancel"), Value::Null).await.expect(200);
    exchange.world.api("POST", "/v1/customers", json!({ "email": "bob@example.com" })).await.expect(201);
    let whole = dry(&exchange, &id, json!({ "from": "start" })).await;
    let (steps, stops) = told(&whole);
    let expected =
        ["look: read now", "look: read now", "call: recorded", "call: recorded", "each: worked out", "w: worked out"];
    assert_eq!(
        {
            let mut steps = steps;
            steps.sort();
            steps
        },
        {
            let mut expected = expected.map(str::to_owned);
            expected.sort();
            expected
        },
        "{whole}"
    );
    assert_eq!(stops, ["ask"], "nobody knows what will be answered");
}

#[tokio::test]
async fn what_cannot_be_replayed_is_refused_dry_as_well() {
    let exchange = Exchange::with_steps(
        json!([{ "id": "w", "action": "flow.wait", "params": { "for": "PT1H" }, "transitions": [] }]),
    )
    .await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    for from in ["failed", "start"] {
        let refused = replay(&exchange, &id, json!({ "from": from, "dry": true })).await.expect(409);
        assert_eq!(refused.code(), "run_not_over", "{from}");
    }
}

#[tokio::test]
async fn a_dry_run_takes_a_thousand_steps_and_no_more() {
    let round = json!([{ "id": "round", "transitions": [{ "target": "round", "condition": { "op": "dne", "values": ["/#steps.1.attributes.data.stop"] } }] }]);
    let exchange = Exchange::with_steps(round).await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    let whole = dry(&exchange, &id, json!({ "from": "start" })).await;
    // It would be ended at the thousandth visit, and the walk comes as far as that.
    assert_eq!((whole["steps"].as_array().unwrap().len(), &whole["stops"]), (1_000, &json!([])));
    assert_eq!(whole["ending"]["error"]["code"], "visit_limit");

    let two = json!([
        { "id": "round", "transitions": [{ "target": "again", "condition": { "op": "dne", "values": ["/#steps.1.attributes.data.stop"] } }] },
        { "id": "again", "transitions": [{ "target": "round", "condition": { "op": "dne", "values": ["/#steps.1.attributes.data.stop"] } }] },
    ]);
    let exchange = Exchange::with_steps(two).await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    let whole = dry(&exchange, &id, json!({ "from": "start" })).await;
    assert_eq!((whole["steps"].as_array().unwrap().len(), &whole["ending"]), (1_000, &Value::Null));
    assert!(whole["stops"][0]["why"].as_str().unwrap().contains("1000 steps"), "{}", whole["stops"]);
}

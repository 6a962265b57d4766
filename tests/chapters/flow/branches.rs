//! Loops and parallel steps that do something.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use service::ports::{NotCalled, Unavailable};
use tests::{World, world::always};

use super::{DAY, echo, run, run_of, step};

const URL: &str = "https://api.shop.example/charges";

/// A loop that calls a service for each item.
fn charges(concurrency: usize) -> Value {
    json!([
        { "id": "each", "action": "flow.for-each", "transitions": always("after"),
          "params": { "items": "/#steps.1.items", "do": "charge", "concurrency": concurrency } },
        { "id": "charge", "action": "kustomer.rest-api.json", "transitions": [],
          "params": { "uri": URL, "method": "POST", "data": { "sku": "/#steps.each.item" } } },
        echo("after", json!({ "count": "/#steps.each.count" }), json!([])),
    ])
}

#[tokio::test]
async fn each_item_of_a_loop_makes_one_call_under_a_key_of_its_own() {
    let world = World::new().await;
    world.calls.answer(URL, 201, &[("content-type", "application/json")], r#"{"ok":true}"#);
    let items: Vec<String> = (0..120).map(|number| format!("sku-{number}")).collect();
    let id = run_of(&world, charges(50), json!({ "items": items })).await;
    let over = run(&world, &id).await;
    assert_eq!(over["state"], "succeeded", "{}", over["error"]);
    assert_eq!(step(&over, "each")["output"]["results"].as_array().unwrap().len(), 120);
    let mut keys: Vec<String> = world
        .calls
        .made()
        .iter()
        .map(|call| call.headers.iter().find(|header| header.name() == "idempotency-key").unwrap().value().to_owned())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 120);
    assert!(keys.iter().all(|key| key.starts_with(&format!("{id}/each"))), "{keys:?}");
}

#[tokio::test]
async fn an_item_whose_service_is_down_waits_while_the_others_go_on() {
    let world = World::new().await;
    let down = Unavailable { port: "calls", cause: "no route to host".to_owned() };
    world.calls.script(URL, Err(NotCalled::NotSent(down)));
    world.calls.answer(URL, 201, &[("content-type", "application/json")], "{}");
    let id = run_of(&world, charges(2), json!({ "items": ["a", "b"] })).await;
    world.work_on(&world.executor).await;
    let over = run(&world, &id).await;
    assert_eq!((&over["state"], &step(&over, "each")["output"]["count"]), (&json!("succeeded"), &json!(2)));
    let charges = over["steps"].as_array().unwrap().iter().filter(|step| step["id"] == "charge");
    let told: Vec<Value> =
        charges.map(|step| json!([step["branch"], step["retries"], step["error"]["code"]])).collect();
    let failed = json!(["each#1.0", "action", "rest_not_reached"]);
    assert_eq!(told, [json!(["each#1.1", null, null]), failed, json!(["each#1.0", null, null])]);
}

#[tokio::test]
async fn a_loop_makes_a_record_of_each_item_and_all_of_them_once() {
    let world = World::new().await;
    let customer = world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201).id();
    let steps = json!([
        { "id": "each", "action": "flow.for-each", "params": { "items": "/#steps.1.items", "do": "note" }, "transitions": [] },
        { "id": "note", "action": "kustomer.note.create", "params": { "customer": customer, "body": "Item {{steps.each.item}}" }, "transitions": [] },
    ]);
    let items: Vec<usize> = (0..200).collect();
    let id = run_of(&world, steps, json!({ "items": items.clone() })).await;
    assert_eq!(run(&world, &id).await["state"], "succeeded");
    let notes = world.every(&format!("/v1/customers/{customer}/timeline?pageSize=100")).await;
    let bodies: BTreeSet<String> = notes.iter().map(|note| note["attributes"]["body"].to_string()).collect();
    assert_eq!(bodies, items.iter().map(|item| format!("\"Item {item}\"")).collect());
}

#[tokio::test]
async fn the_first_branch_that_comes_is_enough_where_any_is() {
    let world = World::new().await;
    let steps = json!([
        { "id": "race", "action": "flow.parallel", "params": { "do": ["answer", "remind"], "join": "any" }, "transitions": always("after") },
        { "id": "answer", "action": "flow.wait", "params": { "answer": true }, "transitions": [] },
        { "id": "remind", "action": "flow.wait", "params": { "for": "P3D" }, "transitions": [] },
        echo("after", json!({ "first": "/#steps.race.first" }), json!([])),
    ]);
    let id = run_of(&world, steps, json!({})).await;
    assert_eq!(run(&world, &id).await["state"], "waiting");
    world.later(DAY).await;
    assert_eq!(run(&world, &id).await["state"], "waiting");
    world.later(2 * DAY).await;
    let over = run(&world, &id).await;
    assert_eq!(step(&over, "after")["output"]["output"], json!({ "first": "remind" }));
    let late = world.api("POST", &format!("/v1/runs/{id}/answers"), json!({})).await.expect(409);
    assert_eq!(late.code(), "run_over");
}

#[tokio::test]
async fn a_step_of_a_loop_that_asks_is_answered_by_its_branch() {
    let world = World::new().await;
    let steps = json!([
        { "id": "each", "action": "flow.for-each", "params": { "items": [1, 2], "do": "ask" }, "transitions": [] },
        { "id": "ask", "action": "flow.wait", "params": { "answer": true }, "transitions": [] },
    ]);
    let id = run_of(&world, steps, json!({})).await;
    let path = format!("/v1/runs/{id}/answers");
    assert_eq!(world.api("POST", &path, json!({ "step": "ask" })).await.expect(400).code(), "which_step");
    for branch in ["each#1.1", "each#1.0"] {
        world.api("POST", &path, json!({ "branch": branch, "choice": branch })).await.expect(200);
        world.work().await;
    }
    let over = run(&world, &id).await;
    let results = step(&over, "each")["output"]["results"].as_array().unwrap();
    assert_eq!(
        (&over["state"], &results[0]["choice"], &results[1]["choice"]),
        (&json!("succeeded"), &json!("each#1.0"), &json!("each#1.1"))
    );
    assert_eq!(step(&over, "ask")["branch"], "each#1.0");
}

//! Whatever call of a port fails on the way, the run comes to where it would have come without.

use serde_json::{Value, json};
use service::Executor;
use tests::{
    World,
    faults::{Fault, failing_executor},
    world::always,
};

use super::{DAY, callable, echo, run};

/// A loop with a wait in it, and a call beside it.
async fn story() -> (World, String, String) {
    let world = World::new().await;
    let customer = world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201).id();
    callable(
        &world,
        "other",
        json!([{ "id": "r", "action": "flow.respond", "params": { "output": 5 }, "transitions": [] }]),
    )
    .await;
    let steps = json!([
        { "id": "both", "action": "flow.parallel", "params": { "do": ["each", "call"] }, "transitions": always("end") },
        { "id": "each", "action": "flow.for-each", "params": { "items": [1, 2, 3], "do": "note", "concurrency": 2 }, "transitions": [] },
        { "id": "note", "action": "kustomer.note.create", "params": { "customer": customer, "body": "Item {{steps.each.item}}" }, "transitions": always("wait") },
        { "id": "wait", "action": "flow.wait", "params": { "for": "P1D" }, "transitions": always("last") },
        echo("last", json!({ "item": "/#steps.each.item" }), json!([])),
        { "id": "call", "action": "flow.call", "params": { "workflow": "other" }, "transitions": [] },
        echo("end", json!({ "all": "/#steps.both.results" }), json!([])),
    ]);
    let workflow = callable(&world, "story", steps).await;
    let path = format!("/v1/workflows/{workflow}/call?wait=0");
    let id = world.api("POST", &path, json!({})).await.expect(202).id();
    (world, id, customer)
}

/// What is left of the story, without times.
async fn left(world: &World, id: &str, customer: &str) -> Value {
    let run = run(world, id).await;
    let steps: Vec<Value> = run["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| json!([step["branch"], step["id"], step["visit"]]))
        .collect();
    let timeline = world.get(&format!("/v1/customers/{customer}/timeline")).await.expect(200);
    let notes: Vec<Value> = timeline.body["data"].as_array().unwrap().iter().map(|note| note["id"].clone()).collect();
    let mut steps = steps;
    steps.sort_by_key(Value::to_string);
    let results = &run["steps"].as_array().unwrap().last().unwrap()["output"]["output"]["all"]["each"]["results"];
    json!({ "state": run["state"], "steps": steps, "notes": notes, "results": results })
}

async fn lived_through(world: &World, executor: &Executor) {
    for _ in 0..4 {
        world.work_on(executor).await;
        world.clock.pass_seconds(DAY);
        world.tick().await;
    }
    world.work_on(executor).await;
}

#[tokio::test]
async fn a_run_with_branches_survives_a_fault_at_each_call_of_a_port() {
    let (world, id, customer) = story().await;
    lived_through(&world, &world.executor).await;
    let expected = left(&world, &id, &customer).await;
    assert_eq!(
        (&expected["state"], expected["notes"].as_array().unwrap().len()),
        (&json!("succeeded"), 3),
        "{expected:#}"
    );

    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let mut failed = 0;
        for place in 0.. {
            let (world, id, customer) = story().await;
            let (executor, fuse) = failing_executor(&world, fault, place);
            lived_through(&world, &executor).await;
            if fuse.calls() <= place {
                break;
            }
            failed += 1;
            assert_eq!(left(&world, &id, &customer).await, expected, "{fault:?} at call {place}");
        }
        assert!(failed > 30, "{failed} calls failed");
    }
}

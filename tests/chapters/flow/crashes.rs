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

    for fault in Fault::ALL {
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

/// The states of what was scheduled, and how many runs of the workflow there are.
async fn called(world: &World, workflow: &str) -> (Vec<Value>, usize) {
    let scheduled = world.get("/v1/scheduled-runs?pageSize=100").await.expect(200).body["data"].clone();
    let states = scheduled.as_array().unwrap().iter().map(|one| one["attributes"]["state"].clone()).collect();
    let runs = world.get(&format!("/v1/workflows/{workflow}/runs")).await.expect(200).body["data"].clone();
    (states, runs.as_array().unwrap().len())
}

#[tokio::test]
async fn what_is_scheduled_and_what_recurs_is_called_once_whatever_fails_at_its_time() {
    let hourly = json!({ "title": "Report", "workflow": "report", "recurrence": { "every": { "hours": 1 } } });
    let once = json!({ "workflow": "report", "runAt": { "type": "relative", "value": 3_600_000 } });
    for (path, draft, later) in [("/v1/recurring-schedules", hourly, 2), ("/v1/scheduled-runs", once, 1)] {
        for fault in Fault::ALL {
            let mut failed = 0;
            for place in 0.. {
                let world = World::new().await;
                let workflow = callable(&world, "report", json!([{ "id": "end", "transitions": [] }])).await;
                world.api("POST", path, draft.clone()).await.expect(201);
                world.clock.pass_seconds(3_600);
                world.tick().await;
                let (executor, fuse) = failing_executor(&world, fault, place);
                world.work_on(&executor).await;
                let is_over = fuse.calls() <= place;
                world.tick().await;
                world.work_on(&executor).await;
                let case = format!("{path}: {fault:?} at call {place}");
                assert_eq!(called(&world, &workflow).await, (vec![json!("started")], 1), "{case}");
                world.later(3_600).await;
                assert_eq!(called(&world, &workflow).await, (vec![json!("started"); later], later), "{case}");
                if is_over {
                    break;
                }
                failed += 1;
            }
            assert!(failed > 10, "{path}: {failed} calls failed");
        }
    }
}

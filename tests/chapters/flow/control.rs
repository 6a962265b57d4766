//! Flow control by key: one run at a time, the last of many, and many in one run.

use serde_json::{Value, json};
use tests::{
    World,
    faults::{Fault, failing_executor},
    world::always,
};

use super::{callable, called, echo, run};

const ORDER: &str = "kustomer.app.shop.order";

/// A workflow for each order, whose runs take a minute.
async fn workflow(world: &World, flow: Value) -> String {
    let steps = json!([
        { "id": "wait", "action": "flow.wait", "params": { "for": "PT1M" }, "transitions": always("end") },
        echo("end", json!({ "n": "/#steps.1.n", "collected": "/#steps.1.collected" }), json!([])),
    ]);
    let trigger = json!({ "eventName": ORDER, "transitions": always("wait") });
    world.workflow(json!({ "name": "story", "flow": flow, "trigger": trigger, "steps": steps })).await
}

/// Order `n` of `key`.
async fn order(world: &World, key: &str, n: u32) {
    world.api("POST", "/v1/events", json!({ "name": ORDER, "data": { "key": key, "n": n } })).await.expect(201);
}

/// The runs of the workflow, oldest first: of which order each is, and what the list says of it.
async fn runs(world: &World, workflow: &str) -> Vec<(u32, Value)> {
    let page = world.get(&format!("/v1/workflows/{workflow}/runs?pageSize=100")).await.expect(200);
    let mut runs = Vec::new();
    for run in page.body["data"].as_array().unwrap() {
        let mut run = run["attributes"].clone();
        let path = format!("/v1/transactions/{}", run["transactionId"].as_str().unwrap());
        let transaction = world.get(&path).await.expect(200);
        let n = transaction.text.split("\"n\":").nth(1).unwrap();
        let n: String = n.chars().take_while(char::is_ascii_digit).collect();
        run["id"] = page.body["data"].as_array().unwrap()[runs.len()]["id"].clone();
        runs.push((n.parse().unwrap(), run));
    }
    runs.sort_by_key(|(n, _)| *n);
    runs
}

/// The states of the runs by their orders, `1 succeeded, 2 waiting`.
async fn states(world: &World, workflow: &str) -> String {
    let states: Vec<String> =
        runs(world, workflow).await.iter().map(|(n, run)| format!("{n} {}", run["state"].as_str().unwrap())).collect();
    states.join(", ")
}

/// How many steps the run of an order has begun.
async fn steps(world: &World, workflow: &str, n: u32) -> usize {
    let id = id_of(world, workflow, n).await;
    run(world, &id).await["steps"].as_array().unwrap().len()
}

async fn id_of(world: &World, workflow: &str, n: u32) -> String {
    let runs = runs(world, workflow).await;
    runs.iter().find(|(of, _)| *of == n).unwrap().1["id"].as_str().unwrap().to_owned()
}

async fn minutes(world: &World, count: usize) {
    for _ in 0..count {
        world.later(60).await;
    }
}

fn in_turn() -> Value {
    json!({ "concurrencyKey": "/#steps.1.key" })
}

#[tokio::test]
async fn runs_of_one_key_go_one_after_the_other_and_those_of_another_beside_them() {
    let world = World::new().await;
    let workflow = workflow(&world, in_turn()).await;
    for (key, n) in [("a", 1), ("a", 2), ("b", 3), ("a", 4)] {
        order(&world, key, n).await;
    }
    world.later(1).await;
    let begun =
        [steps(&world, &workflow, 1).await, steps(&world, &workflow, 2).await, steps(&world, &workflow, 3).await];
    assert_eq!(begun, [2, 0, 2], "the second waits for its turn");
    assert_eq!(states(&world, &workflow).await, "1 waiting, 2 waiting, 3 waiting, 4 waiting");
    assert_eq!(runs(&world, &workflow).await[1].1["key"], "a");
    minutes(&world, 1).await;
    assert_eq!(states(&world, &workflow).await, "1 succeeded, 2 waiting, 3 succeeded, 4 waiting");
    assert_eq!((steps(&world, &workflow, 2).await, steps(&world, &workflow, 4).await), (2, 0));
    minutes(&world, 2).await;
    assert_eq!(states(&world, &workflow).await, "1 succeeded, 2 succeeded, 3 succeeded, 4 succeeded");
    // The line is free again, and the next one does not wait.
    order(&world, "a", 5).await;
    world.work().await;
    assert_eq!(steps(&world, &workflow, 5).await, 0, "what was accepted before may still come");
    world.later(1).await;
    assert_eq!(steps(&world, &workflow, 5).await, 2);
}

#[tokio::test]
async fn the_order_is_that_of_arrival_whatever_the_queue_brings_first() {
    let world = World::new().await;
    let workflow = workflow(&world, in_turn()).await;
    // Those that are accepted at the same time, and come to their line in the wrong order.
    world.clock.pass_seconds(1);
    order(&world, "b", 12).await;
    world.work().await;
    world.clock.pass_seconds(-1);
    order(&world, "b", 11).await;
    world.work().await;
    world.later(2).await;
    assert_eq!((steps(&world, &workflow, 11).await, steps(&world, &workflow, 12).await), (2, 0));
    order(&world, "a", 1).await;
    world.later(1).await;
    for (n, seconds) in [(4, 4), (2, -2), (3, 1)] {
        world.clock.pass_seconds(seconds);
        order(&world, "a", n).await;
        world.work().await;
    }
    let mut ended = Vec::new();
    for _ in 0..5 {
        minutes(&world, 1).await;
        let done = runs(&world, &workflow).await;
        ended.extend(
            done.iter()
                .filter(|(n, run)| run["state"] == "succeeded" && !ended.contains(n))
                .map(|(n, _)| *n)
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(ended, [1, 11, 2, 12, 3, 4]);
}

#[tokio::test]
async fn a_turn_passes_on_when_its_run_is_cancelled_and_who_is_cancelled_in_the_line_is_passed_over() {
    let world = World::new().await;
    let workflow = workflow(&world, in_turn()).await;
    for n in 1..=4 {
        world.clock.pass_seconds(1);
        order(&world, "a", n).await;
    }
    world.later(1).await;
    for n in [2, 1] {
        let id = id_of(&world, &workflow, n).await;
        world.api("POST", &format!("/v1/runs/{id}/cancel"), Value::Null).await.expect(200);
        world.work().await;
    }
    assert_eq!(states(&world, &workflow).await, "1 cancelled, 2 cancelled, 3 waiting, 4 waiting");
    assert_eq!((steps(&world, &workflow, 3).await, steps(&world, &workflow, 4).await), (2, 0));
    let held = id_of(&world, &workflow, 4).await;
    world.api("POST", &format!("/v1/runs/{held}/pause"), Value::Null).await.expect(200);
    minutes(&world, 2).await;
    assert_eq!(states(&world, &workflow).await, "1 cancelled, 2 cancelled, 3 succeeded, 4 held");
    world.api("POST", &format!("/v1/runs/{held}/resume"), Value::Null).await.expect(200);
    minutes(&world, 2).await;
    assert_eq!(states(&world, &workflow).await, "1 cancelled, 2 cancelled, 3 succeeded, 4 succeeded");
}

#[tokio::test]
async fn an_arrival_without_a_key_fails_its_run_and_says_so() {
    for flow in [
        in_turn(),
        json!({ "debounce": { "key": "/#steps.1.key", "quiet": 60 } }),
        json!({ "collect": { "key": "/#steps.1.key", "within": 60 } }),
    ] {
        let world = World::new().await;
        let workflow = workflow(&world, flow).await;
        world.api("POST", "/v1/events", json!({ "name": ORDER, "data": { "n": 1 } })).await.expect(201);
        world.work().await;
        let failed = &runs(&world, &workflow).await[0].1;
        assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("missing_key")));
    }
}

#[tokio::test]
async fn of_many_arrivals_the_last_one_begins_after_a_quiet_time() {
    let world = World::new().await;
    let workflow =
        workflow(&world, json!({ "debounce": { "key": "/#steps.1.key", "quiet": "PT10M", "atMost": "PT25M" } })).await;
    for (key, n) in [("a", 1), ("b", 2), ("a", 3)] {
        order(&world, key, n).await;
        world.work().await;
        minutes(&world, 3).await;
    }
    let superseded = runs(&world, &workflow).await[0].1.clone();
    assert_eq!((&superseded["state"], &superseded["error"]["code"]), (&json!("cancelled"), &json!("superseded")));
    let third = id_of(&world, &workflow, 3).await;
    assert!(superseded["error"]["message"].as_str().unwrap().contains(&third), "{superseded}");
    assert_eq!(states(&world, &workflow).await, "1 cancelled, 2 waiting, 3 waiting");
    minutes(&world, 8).await;
    assert_eq!(states(&world, &workflow).await, "1 cancelled, 2 succeeded, 3 succeeded");
    // One that never rests begins after 25 minutes all the same.
    for n in 4..=9 {
        order(&world, "a", n).await;
        world.work().await;
        minutes(&world, 5).await;
    }
    minutes(&world, 2).await;
    let began: Vec<u32> =
        runs(&world, &workflow).await.iter().filter(|(_, run)| run["state"] == "succeeded").map(|(n, _)| *n).collect();
    assert_eq!(began, [2, 3, 8], "{}", states(&world, &workflow).await);
    minutes(&world, 15).await;
    assert_eq!(states(&world, &workflow).await.matches("succeeded").count(), 4);
}

#[tokio::test]
async fn an_arrival_that_comes_late_takes_no_place_of_a_later_one_and_who_waits_for_it_is_told() {
    let world = World::new().await;
    let workflow = workflow(&world, json!({ "debounce": { "key": "/#steps.1.key", "quiet": "PT1M" } })).await;
    world.clock.pass_seconds(10);
    order(&world, "a", 2).await;
    world.work().await;
    world.clock.pass_seconds(-10);
    order(&world, "a", 1).await;
    world.work().await;
    assert_eq!(states(&world, &workflow).await, "1 cancelled, 2 waiting");
    minutes(&world, 3).await;
    assert_eq!(states(&world, &workflow).await, "1 cancelled, 2 succeeded");

    let quiet = json!({ "debounce": { "quiet": "PT1M" } });
    let trigger = json!({ "callable": true, "transitions": always("end") });
    world.workflow(json!({ "name": "callee", "flow": quiet, "trigger": trigger, "steps": [{ "id": "end", "transitions": [] }] })).await;
    let call = json!([{ "id": "call", "action": "flow.call", "params": { "workflow": "callee" }, "transitions": [] }]);
    let caller = callable(&world, "caller", call).await;
    let first = called(&world, &caller, json!({})).await;
    world.clock.pass_seconds(1);
    let second = called(&world, &caller, json!({})).await;
    minutes(&world, 3).await;
    assert_eq!(run(&world, &first).await["error"]["code"], "call_cancelled");
    assert_eq!(run(&world, &second).await["state"], "succeeded");
}

/// What the runs of the workflow were for.
async fn collected(world: &World, workflow: &str) -> Vec<Vec<u32>> {
    let mut collected = Vec::new();
    for (_, of) in runs(world, workflow).await {
        let run = run(world, of["id"].as_str().unwrap()).await;
        let Some(end) = run["steps"].as_array().unwrap().iter().find(|step| step["id"] == "end") else { continue };
        let all = end["output"]["output"]["collected"].as_array().unwrap();
        collected.push(all.iter().map(|seen| seen["n"].as_u64().unwrap() as u32).collect());
    }
    collected
}

#[tokio::test]
async fn arrivals_are_collected_by_key_and_time_and_count() {
    let world = World::new().await;
    let workflow =
        workflow(&world, json!({ "collect": { "key": "/#steps.1.key", "within": "PT10M", "count": 3 } })).await;
    for (key, n) in [("a", 1), ("b", 2), ("a", 3), ("a", 4), ("a", 5)] {
        order(&world, key, n).await;
    }
    world.work().await;
    assert_eq!(states(&world, &workflow).await, "1 waiting, 2 waiting, 3 succeeded, 4 succeeded, 5 waiting");
    let first = id_of(&world, &workflow, 1).await;
    assert_eq!(runs(&world, &workflow).await[2].1["collectedInto"], first);
    minutes(&world, 2).await;
    assert_eq!(collected(&world, &workflow).await, [vec![1, 3, 4]], "three are enough");
    order(&world, "b", 6).await;
    minutes(&world, 12).await;
    assert_eq!(collected(&world, &workflow).await, [vec![1, 3, 4], vec![2, 6], vec![5]]);
    // What is cancelled takes what it is for along, and the next arrival begins anew.
    order(&world, "a", 7).await;
    order(&world, "a", 8).await;
    world.work().await;
    let seventh = id_of(&world, &workflow, 7).await;
    world.api("POST", &format!("/v1/runs/{seventh}/cancel"), Value::Null).await.expect(200);
    order(&world, "a", 9).await;
    minutes(&world, 13).await;
    assert_eq!(collected(&world, &workflow).await, [vec![1, 3, 4], vec![2, 6], vec![5], vec![9]]);
}

#[tokio::test]
async fn a_run_takes_as_many_bytes_as_it_can_and_the_rest_go_into_the_next() {
    let world = World::new().await;
    let workflow = workflow(&world, json!({ "collect": { "key": "/#steps.1.key", "within": "PT10M" } })).await;
    for n in 1..=3 {
        let data = json!({ "key": "a", "n": n, "text": "x".repeat(400_000) });
        world.api("POST", "/v1/events", json!({ "name": ORDER, "data": data })).await.expect(201);
    }
    minutes(&world, 13).await;
    assert_eq!(collected(&world, &workflow).await, [vec![1, 2], vec![3]]);
}

#[tokio::test]
async fn every_arrival_comes_to_its_end_whichever_port_fails_on_the_way() {
    let collect = json!({ "collect": { "key": "/#steps.1.key", "within": "PT10M", "count": 3 } });
    let debounce = json!({ "debounce": { "key": "/#steps.1.key", "quiet": "PT10M" } });
    for flow in [in_turn(), debounce, collect] {
        for fault in Fault::ALL {
            let mut failed = 0;
            for place in 0.. {
                let world = World::new().await;
                let workflow = workflow(&world, flow.clone()).await;
                for n in 1..=4 {
                    order(&world, "a", n).await;
                }
                let (executor, fuse) = failing_executor(&world, fault, place);
                for _ in 0..12 {
                    world.work_on(&executor).await;
                    world.clock.pass_seconds(600);
                    world.tick().await;
                }
                let all = runs(&world, &workflow).await;
                let told = format!("{flow} {fault:?} at call {place}: {}", states(&world, &workflow).await);
                assert_eq!(all.len(), 4, "{told}");
                assert!(all.iter().all(|(_, run)| run["state"] != "waiting" && run["state"] != "running"), "{told}");
                if flow.get("collect").is_some() {
                    let mut orders = collected(&world, &workflow).await.concat();
                    orders.sort_unstable();
                    assert_eq!(orders, [1, 2, 3, 4], "{told}");
                } else if flow.get("debounce").is_some() {
                    let began = all.iter().filter(|(_, run)| run["state"] == "succeeded").count();
                    assert!(began >= 1 && all[3].1["state"] == "succeeded" || began == 1, "{told}");
                } else {
                    assert!(all.iter().all(|(_, run)| run["state"] == "succeeded"), "{told}");
                    let mut spans: Vec<(String, String)> =
                        all.iter().map(|(_, run)| (run["startedAt"].to_string(), run["endedAt"].to_string())).collect();
                    spans.sort();
                    let ends: Vec<&String> = spans.iter().map(|(_, end)| end).collect();
                    assert!(ends.windows(2).all(|pair| pair[0] != pair[1]), "two at a time: {told}");
                }
                if fuse.calls() <= place {
                    break;
                }
                failed += 1;
            }
            assert!(failed > 20, "{failed} calls failed");
        }
    }
}

#[tokio::test]
async fn what_a_document_cannot_say_of_its_flow_is_refused() {
    let world = World::new().await;
    for (flow, path) in [
        (json!({ "concurrencyKey": "/#steps.end.id" }), "$.flow.concurrencyKey"),
        (json!({ "debounce": { "quiet": "PT0S" } }), "$.flow.debounce.quiet"),
        (json!({ "collect": { "within": "8d" } }), "$.flow.collect.within"),
        (json!({ "collect": { "within": "1d", "count": 1_001 } }), "$.flow.collect.count"),
        (json!({ "rateLimit": 5 }), "$.flow"),
    ] {
        let trigger = json!({ "eventName": ORDER, "transitions": always("end") });
        let document =
            json!({ "name": "w", "flow": flow, "trigger": trigger, "steps": [{ "id": "end", "transitions": [] }] });
        let refused = world.api("POST", "/v1/workflows", document).await.expect(400);
        assert_eq!(refused.body["errors"][0]["source"]["path"], path, "{flow}: {refused:?}");
    }
}

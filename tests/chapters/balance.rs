//! The balance: everything that was accepted is in one place, and the places add up.

use serde_json::{Value, json};
use tests::world::{FormHook, World, always, workflow_of};

const PLACES: [&str; 7] = ["unheard", "done", "failed", "held", "waiting", "running", "deadLettered"];

/// A hook whose arrivals wait, fail or succeed, as their `way` says.
async fn crossroads(world: &World) -> FormHook {
    let hook = world.form_hook().await;
    let to = |target: &str, way: &str| json!({ "target": target, "condition": { "op": "eq", "values": ["/#steps.1.attributes.data.way", way] } });
    let mut document = workflow_of(
        "crossroads",
        &hook.event,
        json!([
            { "id": "wait", "action": "flow.wait", "params": { "for": "PT1H" }, "transitions": always("end") },
            { "id": "stop", "action": "flow.stop", "params": { "as": "failed", "code": "wanted", "message": "So it goes." }, "transitions": [] },
            { "id": "end", "action": "kustomer.transform.generic", "params": { "input": {} }, "transitions": [] },
        ]),
    );
    document["trigger"]["transitions"] = json!([to("wait", "wait"), to("stop", "fail"), to("end", "end")]);
    world.workflow(document).await;
    hook
}

/// The places that are not empty, all pages of `size` added up.
async fn balance(world: &World, path: &str, size: usize) -> Value {
    let mark = if path.contains('?') { '&' } else { '?' };
    let (mut next, mut whole) = (Some(format!("{path}{mark}pageSize={size}")), serde_json::Map::new());
    while let Some(path) = next {
        let page = world.get(&path).await.expect(200);
        let told = page.body["data"][0]["attributes"].clone();
        assert_eq!(told["addsUp"], true, "{told}");
        let sum: u64 = PLACES.iter().map(|place| told[*place].as_u64().unwrap()).sum();
        assert_eq!(told["accepted"], sum);
        assert!(sum <= size as u64, "{told}");
        for place in PLACES.iter().filter(|place| told[**place] != 0) {
            let before = whole.get(*place).and_then(Value::as_u64).unwrap_or_default();
            whole.insert((*place).to_owned(), json!(before + told[*place].as_u64().unwrap()));
        }
        next = page.body["links"]["next"].as_str().map(str::to_owned);
    }
    Value::Object(whole)
}

#[tokio::test]
async fn each_transaction_is_in_one_place_and_moves_as_its_runs_do() {
    let world = World::new().await;
    let hook = crossroads(&world).await;
    let other = world.form_hook().await;
    for way in ["end", "end", "fail", "wait"] {
        world.arrive(&hook, json!({ "way": way })).await;
    }
    world.arrive(&other, json!({})).await;
    let of_hook = format!("/v1/hooks/form/{}/balance", hook.id);
    for size in [1, 2, 3, 100] {
        assert_eq!(balance(&world, &of_hook, size).await, json!({ "done": 2, "failed": 1, "waiting": 1 }), "{size}");
        let of_org = balance(&world, "/v1/balance", size).await;
        assert_eq!(of_org, json!({ "done": 2, "failed": 1, "waiting": 1, "unheard": 1 }), "{size}");
    }
    world.later(3_600).await;
    assert_eq!(balance(&world, &of_hook, 100).await, json!({ "done": 3, "failed": 1 }));
}

#[tokio::test]
async fn what_is_accepted_and_not_executed_yet_is_no_transaction_and_a_run_that_is_held_is_held() {
    let world = World::new().await;
    let hook = crossroads(&world).await;
    world.post(&hook, json!({ "way": "wait" })).await.expect(202);
    assert_eq!(balance(&world, "/v1/balance", 100).await, json!({}));
    let transaction = world.arrive(&hook, json!({ "way": "wait" })).await;
    assert_eq!(balance(&world, "/v1/balance", 100).await, json!({ "waiting": 2 }));
    let trace = world.get(&format!("/v1/transactions/{transaction}")).await.expect(200);
    let run = trace.body["meta"]["trace"]["considered"][0]["run"]["id"].as_str().unwrap().to_owned();
    world.api("POST", &format!("/v1/runs/{run}/pause"), json!({})).await.expect(200);
    assert_eq!(balance(&world, "/v1/balance", 100).await, json!({ "waiting": 1, "held": 1 }));
    world.api("POST", &format!("/v1/runs/{run}/cancel"), json!({})).await.expect(200);
    assert_eq!(balance(&world, "/v1/balance", 100).await, json!({ "waiting": 1, "done": 1 }));
}

#[tokio::test]
async fn the_balance_of_a_time_has_what_arrived_in_it() {
    let world = World::new().await;
    let hook = crossroads(&world).await;
    for _ in 0..3 {
        world.arrive(&hook, json!({ "way": "end" })).await;
        world.clock.pass_seconds(60);
    }
    let of_hook = format!("/v1/hooks/form/{}/balance", hook.id);
    for (query, expected) in [
        ("from=2026-11-22T12:01:00Z", 2),
        ("from=2026-11-22T12:01:00.001Z", 1),
        ("until=2026-11-22T12:01:00Z", 1),
        ("from=2026-11-22T12:01:00Z&until=2026-11-22T12:02:00Z", 1),
    ] {
        assert_eq!(balance(&world, &format!("{of_hook}?{query}"), 100).await, json!({ "done": expected }), "{query}");
    }
    for query in ["from=yesterday", "until=1", "pageSize=0", "pageSize=101", "state=done", "after=x"] {
        assert_eq!(world.get(&format!("{of_hook}?{query}")).await.expect(400).code(), "bad_query", "{query}");
        assert_eq!(world.get(&format!("/v1/balance?{query}")).await.expect(400).code(), "bad_query", "{query}");
    }
    world.get("/v1/hooks/form/6a1f2e3d4c5b6a7980a1b2c3/balance").await.expect(404);
}

/// How many arrivals paused hooks hold, all pages of `size` added up.
async fn held_arrivals(world: &World, path: &str, size: usize) -> u64 {
    let (mut next, mut held) = (Some(format!("{path}?pageSize={size}")), 0);
    while let Some(path) = next {
        let page = world.get(&path).await.expect(200);
        held += page.body["data"][0]["attributes"]["heldArrivals"].as_u64().unwrap();
        next = page.body["links"]["next"].as_str().map(str::to_owned);
    }
    held
}

#[tokio::test]
async fn what_paused_hooks_hold_stands_beside_the_sum_until_it_goes_on() {
    let world = World::new().await;
    let (hook, other) = (crossroads(&world).await, world.form_hook().await);
    for _ in 0..2 {
        world.arrive(&hook, json!({ "way": "end" })).await;
        world.arrive(&other, json!({})).await;
    }
    for (hook, arrivals) in [(&hook, 3), (&other, 1)] {
        world.api("PATCH", &format!("/v1/hooks/form/{}", hook.id), json!({ "paused": true })).await.expect(200);
        for _ in 0..arrivals {
            world.post(hook, json!({ "way": "end" })).await.expect(202);
        }
    }
    let of_hook = format!("/v1/hooks/form/{}/balance", hook.id);
    for size in [1, 2, 3, 100] {
        assert_eq!(held_arrivals(&world, &of_hook, size).await, 3, "{size}");
        assert_eq!(held_arrivals(&world, "/v1/balance", size).await, 4, "{size}");
        assert_eq!(balance(&world, &of_hook, size).await, json!({ "done": 2 }), "{size}");
    }
    world.api("PATCH", &format!("/v1/hooks/form/{}", hook.id), json!({ "paused": false })).await.expect(200);
    world.later(120).await;
    assert_eq!((held_arrivals(&world, &of_hook, 1).await, held_arrivals(&world, "/v1/balance", 1).await), (0, 1));
    assert_eq!(balance(&world, &of_hook, 100).await, json!({ "done": 5 }));
}

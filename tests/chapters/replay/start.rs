//! Beginning anew: a run of its own, which does not repeat what was done unless it is told to.

use serde_json::{Value, json};
use tests::world::always;

use super::{data, first, ids, keys, publish, refused, replay, replay_once, run, steps, way, work};
use crate::rest::{Exchange, URL, step};

/// One whose only run has succeeded.
async fn finished() -> (Exchange, String) {
    let exchange = Exchange::with_steps(steps()).await;
    exchange.answer(201, &json!({ "id": "o-1" }));
    assert_eq!(exchange.run(data()).await["state"], "succeeded");
    let id = first(&exchange).await;
    (exchange, id)
}

#[tokio::test]
async fn a_replay_is_a_run_of_its_own_that_keeps_what_was_done() {
    let (exchange, id) = finished().await;
    let new = replay(&exchange, &id, json!({ "from": "start" })).await.expect(200).id();
    work(&exchange).await;
    let after = run(&exchange, &new).await;
    assert_eq!(after["state"], "succeeded", "{after}");
    assert_eq!(way(&after), ["1", "customer kept", "call kept", "note kept"]);
    assert_eq!((&after["replayOf"]["run"], &after["replayOf"]["effects"]), (&json!(id), &json!("keep")));
    assert_eq!(run(&exchange, &id).await["replayedAs"], json!([new]));
    assert_eq!((exchange.world.customers().await.len(), keys(&exchange).len()), (1, 1), "nothing is done twice");
    let before = run(&exchange, &id).await;
    assert_eq!(after["steps"][2]["output"], before["steps"][2]["output"]);
    assert_eq!(after["steps"][0]["output"], before["steps"][0]["output"], "the same transaction");

    // And a replay of the replay keeps the same.
    let third = replay(&exchange, &new, json!({ "from": "start" })).await.expect(200).id();
    work(&exchange).await;
    assert_eq!(run(&exchange, &third).await["state"], "succeeded");
    assert_eq!(keys(&exchange).len(), 1);
    assert_eq!(ids(&exchange).await.len(), 3);
}

#[tokio::test]
async fn what_was_not_finished_is_done_under_the_keys_of_the_new_run() {
    let exchange = refused().await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    let new = replay(&exchange, &id, json!({ "from": "start" })).await.expect(200).id();
    work(&exchange).await;
    let after = run(&exchange, &new).await;
    assert_eq!(way(&after), ["1", "customer kept", "call", "note"], "{after}");
    assert_eq!(keys(&exchange), [format!("{new}/call/1")]);
    assert_eq!(run(&exchange, &id).await["state"], "failed", "the run itself stays as it was");
}

#[tokio::test]
async fn told_to_repeat_it_does_all_again_under_its_own_keys() {
    let exchange = Exchange::with_steps(json!([step(json!({ "uri": URL, "method": "POST" }), json!([]))])).await;
    exchange.answer(201, &json!({ "id": "o-1" }));
    exchange.run(data()).await;
    let id = first(&exchange).await;
    let new = replay(&exchange, &id, json!({ "from": "start", "effects": "repeat" })).await.expect(200).id();
    work(&exchange).await;
    assert_eq!(keys(&exchange), [format!("{id}/call/1"), format!("{new}/call/1")]);
    assert_eq!(way(&run(&exchange, &new).await), ["1", "call"]);
}

#[tokio::test]
async fn a_replay_on_the_latest_definition_does_what_is_new_there() {
    let (exchange, id) = finished().await;
    let mut version = steps();
    version[2]["transitions"] = always("more");
    version.as_array_mut().unwrap().push(json!({ "id": "more", "action": "kustomer.company.create", "params": { "name": "{{steps.call.body.id}}" }, "transitions": [] }));
    publish(&exchange, version).await;
    let pinned = replay(&exchange, &id, json!({ "from": "start" })).await.expect(200).id();
    let latest = replay(&exchange, &id, json!({ "from": "start", "definition": "latest" })).await.expect(200).id();
    work(&exchange).await;
    assert_eq!(way(&run(&exchange, &pinned).await).len(), 4);
    let after = run(&exchange, &latest).await;
    assert_eq!(way(&after), ["1", "customer kept", "call kept", "note kept", "more"], "{after}");
    assert_eq!(after["steps"][4]["output"]["name"], "o-1");
    assert_eq!(keys(&exchange).len(), 1);
}

#[tokio::test]
async fn the_same_request_twice_is_one_replay_and_any_other_is_another() {
    let (exchange, id) = finished().await;
    let path = format!("/v1/runs/{id}/replays");
    let draft = json!({ "from": "start" });
    let new = replay_once(&exchange, &path, "once", &draft).await.expect(200).id();
    assert_eq!(replay_once(&exchange, &path, "once", &draft).await.expect(200).id(), new);
    work(&exchange).await;
    assert_eq!(replay_once(&exchange, &path, "once", &draft).await.expect(200).id(), new);
    assert_ne!(replay_once(&exchange, &path, "twice", &draft).await.expect(200).id(), new);
    assert_ne!(replay(&exchange, &id, draft).await.expect(200).id(), new);
}

#[tokio::test]
async fn a_run_is_replayed_a_hundred_times_and_no_more() {
    let exchange = Exchange::with_steps(json!([{ "id": "end", "transitions": [] }])).await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    for _ in 0..100 {
        replay(&exchange, &id, json!({ "from": "start" })).await.expect(200);
    }
    assert_eq!(replay(&exchange, &id, json!({ "from": "start" })).await.expect(409).code(), "replayed_too_often");
    assert_eq!(run(&exchange, &id).await["replayedAs"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_run_that_is_under_way_is_not_begun_anew() {
    let exchange = Exchange::with_steps(
        json!([{ "id": "w", "action": "flow.wait", "params": { "for": "PT1H" }, "transitions": [] }]),
    )
    .await;
    exchange.run(data()).await;
    let id = first(&exchange).await;
    assert_eq!(replay(&exchange, &id, json!({ "from": "start" })).await.expect(409).code(), "run_not_over");
    exchange.world.api("POST", &format!("/v1/runs/{id}/cancel"), Value::Null).await.expect(200);
    let new = replay(&exchange, &id, json!({ "from": "start" })).await.expect(200).id();
    exchange.world.work().await;
    assert_eq!(run(&exchange, &new).await["state"], "waiting", "waits are waited again");
    exchange.world.later(3_600).await;
    assert_eq!(run(&exchange, &new).await["state"], "succeeded");
}

#[tokio::test]
async fn a_replay_goes_past_quiet_times_and_is_for_what_was_collected() {
    let end = json!([{ "id": "end", "action": "kustomer.transform.generic", "params": { "input": { "all": "/#steps.1.collected" } }, "transitions": [] }]);
    for flow in [json!({ "debounce": { "quiet": "PT10M" } }), json!({ "collect": { "within": "PT5M" } })] {
        let exchange = Exchange::with_steps(end.clone()).await;
        exchange
            .world
            .api("PUT", &format!("/v1/workflows/{}", exchange.workflow), json!({ "flow": flow }))
            .await
            .expect(200);
        for number in 1..=2 {
            exchange.world.post(&exchange.hook, json!({ "number": number })).await.expect(202);
        }
        work(&exchange).await;
        let mut over = None;
        for id in ids(&exchange).await {
            let run = run(&exchange, &id).await;
            if !run["steps"].as_array().unwrap().is_empty() {
                over = Some((id, run));
            }
        }
        let (id, before) = over.unwrap();
        let new = replay(&exchange, &id, json!({ "from": "start" })).await.expect(200).id();
        exchange.world.work().await;
        let after = run(&exchange, &new).await;
        assert_eq!(after["state"], "succeeded", "{flow}: at once: {after}");
        assert_eq!(after["steps"][1]["output"], before["steps"][1]["output"], "{flow}");
    }
}

#[tokio::test]
async fn replays_of_runs_that_go_one_at_a_time_wait_for_their_turn() {
    let wait = json!([{ "id": "w", "action": "flow.wait", "params": { "for": "PT1M" }, "transitions": [] }]);
    let exchange = Exchange::with_steps(wait).await;
    let flow = json!({ "flow": { "concurrencyKey": "/#steps.1.attributes.data.email" } });
    exchange.world.api("PUT", &format!("/v1/workflows/{}", exchange.workflow), flow).await.expect(200);
    exchange.run(data()).await;
    work(&exchange).await;
    let id = first(&exchange).await;
    let mut replays = Vec::new();
    for _ in 0..2 {
        replays.push(replay(&exchange, &id, json!({ "from": "start" })).await.expect(200).id());
    }
    exchange.world.work().await;
    exchange.world.later(2).await;
    let mut begun = 0;
    for id in &replays {
        begun += usize::from(!run(&exchange, id).await["steps"].as_array().unwrap().is_empty());
    }
    assert_eq!(begun, 1, "one at a time");
    work(&exchange).await;
    for id in &replays {
        assert_eq!(run(&exchange, id).await["state"], "succeeded");
    }
}

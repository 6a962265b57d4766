//! Waits of a minute and of a year, answers in time and late, runs that are cancelled and held.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use tests::{
    World,
    faults::{Fault, failing_executor},
    world::{NOON, always},
};

use super::{DAY, callable, echo, run, run_of, step};

fn wait(params: Value) -> Value {
    json!([
        { "id": "wait", "action": "flow.wait", "params": params, "transitions": always("after") },
        echo("after", json!({ "reason": "/#steps.wait.reason", "choice": "/#steps.wait.choice" }), json!([])),
    ])
}

#[tokio::test]
async fn a_short_wait_is_held_by_the_queue_and_a_long_one_by_a_timer() {
    for (params, seconds, timers) in [
        (json!({ "for": "PT15M" }), 900, 0),
        (json!({ "for": "PT15M1S" }), 901, 1),
        (json!({ "for": "366d" }), 366 * DAY, 1),
        (json!({ "until": "2026-11-29T12:00:00Z" }), 7 * DAY, 1),
    ] {
        let world = World::new().await;
        let id = run_of(&world, wait(params.clone()), json!({})).await;
        let waiting = run(&world, &id).await;
        assert_eq!(waiting["state"], "waiting", "{params}");
        assert!(step(&waiting, "wait")["waitsFor"]["wait"]["until"].is_string(), "{waiting:#}");
        // The other one is the message that makes up for one which could not be sent.
        assert_eq!(world.queue.depth(), 1 + usize::from(timers == 0), "{params}");

        world.later(seconds - 61).await;
        assert_eq!(run(&world, &id).await["state"], "waiting", "{params}");
        world.clock.pass_seconds(60);
        assert_eq!(world.tick().await, timers, "{params}");
        world.work().await;
        assert_eq!(run(&world, &id).await["state"], "waiting", "a second is missing: {params}");
        world.later(1).await;
        let over = run(&world, &id).await;
        assert_eq!(over["state"], "succeeded", "{over:#}");
        assert_eq!(step(&over, "after")["output"]["output"]["reason"], "time");
        assert_eq!(over["steps"].as_array().unwrap().len(), 3, "a wait is one step: {over:#}");
    }
}

#[tokio::test]
async fn a_time_that_is_past_is_not_waited_for() {
    let world = World::new().await;
    let id = run_of(&world, wait(json!({ "until": "2017-12-22T05:23:02Z" })), json!({})).await;
    assert_eq!(run(&world, &id).await["state"], "succeeded");
}

#[tokio::test]
async fn ticks_that_were_missed_are_caught_up_and_two_tickers_do_no_harm() {
    let world = World::new().await;
    let id = run_of(&world, wait(json!({ "for": "P1D" })), json!({})).await;
    world.clock.pass_seconds(30 * DAY);
    world.tick().await;
    world.tick().await;
    world.work().await;
    let over = run(&world, &id).await;
    assert_eq!((&over["state"], over["steps"].as_array().unwrap().len()), (&json!("succeeded"), 3));
    // One that ended between sending and removing sends again.
    world.later(DAY).await;
    assert_eq!(run(&world, &id).await, over);
}

#[tokio::test]
async fn a_clock_that_jumps_back_and_forth_wakes_a_run_once() {
    let world = World::new().await;
    let id = run_of(&world, wait(json!({ "for": "PT2H" })), json!({})).await;
    world.later(-5 * DAY).await;
    assert_eq!(run(&world, &id).await["state"], "waiting");
    world.later(5 * DAY + 7_200).await;
    let over = run(&world, &id).await;
    assert_eq!(over["state"], "succeeded");
    world.later(-3_600).await;
    world.later(DAY).await;
    assert_eq!(run(&world, &id).await, over);
}

#[tokio::test]
async fn an_answer_is_taken_once_and_only_in_time() {
    let world = World::new().await;
    let question = json!({ "answer": { "question": "Refund?", "choices": ["approve", "reject"] }, "timeout": "P2D" });
    let id = run_of(&world, wait(question.clone()), json!({})).await;
    let path = format!("/v1/runs/{id}/answers");
    let refused = world.api("POST", &path, json!({ "choice": "perhaps" })).await.expect(400);
    assert!(refused.text.contains("approve, reject"), "{}", refused.text);
    let answered = world.api("POST", &path, json!({ "choice": "approve", "data": { "by": "Ann" } })).await.expect(200);
    assert_eq!(answered.attribute("state"), "waiting");
    assert_eq!(world.api("POST", &path, json!({ "choice": "reject" })).await.expect(409).code(), "answered_before");
    world.work().await;
    let over = run(&world, &id).await;
    assert_eq!(over["state"], "succeeded");
    assert_eq!(step(&over, "after")["output"]["output"], json!({ "reason": "answer", "choice": "approve" }));
    assert_eq!(step(&over, "wait")["output"]["data"], json!({ "by": "Ann" }));
    assert_eq!(world.api("POST", &path, json!({ "choice": "reject" })).await.expect(409).code(), "run_over");

    let world = World::new().await;
    let id = run_of(&world, wait(question), json!({})).await;
    world.clock.pass_seconds(2 * DAY);
    // The time is up, and nobody has looked yet: who is first decides.
    let path = format!("/v1/runs/{id}/answers");
    world.api("POST", &path, json!({ "choice": "reject" })).await.expect(200);
    world.later(1).await;
    assert_eq!(step(&run(&world, &id).await, "after")["output"]["output"]["reason"], "answer");

    let world = World::new().await;
    let id = run_of(&world, wait(json!({ "answer": true, "timeout": "P2D" })), json!({})).await;
    world.later(2 * DAY).await;
    assert_eq!(step(&run(&world, &id).await, "after")["output"]["output"]["reason"], "timeout");
    assert_eq!(world.api("POST", &format!("/v1/runs/{id}/answers"), json!({})).await.expect(409).code(), "run_over");
}

#[tokio::test]
async fn a_run_that_does_not_wait_for_an_answer_takes_none() {
    let world = World::new().await;
    let id = run_of(&world, wait(json!({ "for": "P1D" })), json!({})).await;
    let path = format!("/v1/runs/{id}/answers");
    assert_eq!(world.api("POST", &path, json!({})).await.expect(409).code(), "not_waiting");
    let large = json!({ "data": "x".repeat(65_535) });
    assert_eq!(world.api("POST", &path, large).await.expect(400).code(), "bad_attribute");
}

#[tokio::test]
async fn a_cancelled_run_does_nothing_when_it_is_woken() {
    let world = World::new().await;
    let id = run_of(&world, wait(json!({ "for": "PT1H" })), json!({})).await;
    let cancelled = world.api("POST", &format!("/v1/runs/{id}/cancel"), Value::Null).await.expect(200);
    assert_eq!((cancelled.attribute("state"), cancelled.attribute("resumesAt")), (json!("cancelled"), Value::Null));
    world.later(DAY).await;
    assert_eq!(run(&world, &id).await["steps"].as_array().unwrap().len(), 2);
    for verb in ["cancel", "pause", "resume"] {
        let again = world.api("POST", &format!("/v1/runs/{id}/{verb}"), Value::Null).await.expect(409);
        assert_eq!(again.code(), "run_over", "{verb}");
    }
}

#[tokio::test]
async fn a_held_run_goes_on_where_it_was_once_it_is_resumed() {
    let world = World::new().await;
    let id = run_of(&world, wait(json!({ "for": "PT1H" })), json!({})).await;
    for _ in 0..2 {
        let paused = world.api("POST", &format!("/v1/runs/{id}/pause"), Value::Null).await.expect(200);
        assert_eq!(paused.attribute("state"), "held");
    }
    world.later(DAY).await;
    assert_eq!(run(&world, &id).await["state"], "held", "its time is up, and somebody holds it");
    for _ in 0..2 {
        world.api("POST", &format!("/v1/runs/{id}/resume"), Value::Null).await.expect(200);
    }
    world.work().await;
    assert_eq!(run(&world, &id).await["state"], "succeeded");

    let world = World::new().await;
    let id = run_of(
        &world,
        json!([{ "id": "ask", "action": "flow.wait", "params": { "answer": true }, "transitions": [] }]),
        json!({}),
    )
    .await;
    world.api("POST", &format!("/v1/runs/{id}/pause"), Value::Null).await.expect(200);
    world.api("POST", &format!("/v1/runs/{id}/answers"), json!({ "choice": "yes" })).await.expect(200);
    world.work().await;
    assert_eq!(run(&world, &id).await["state"], "held");
    world.api("POST", &format!("/v1/runs/{id}/resume"), Value::Null).await.expect(200);
    world.work().await;
    assert_eq!(run(&world, &id).await["state"], "succeeded", "what came meanwhile is taken");
}

#[tokio::test]
async fn a_run_is_still_there_after_a_wait_that_is_longer_than_runs_are_kept() {
    let world = World::new().await;
    let id = run_of(&world, wait(json!({ "for": "365d" })), json!({ "order": 7 })).await;
    world.later(200 * DAY).await;
    let waiting = run(&world, &id).await;
    assert_eq!((&waiting["state"], &waiting["steps"][0]["output"]), (&json!("waiting"), &json!({ "order": 7 })));
    world.later(165 * DAY).await;
    assert_eq!(run(&world, &id).await["state"], "succeeded");
}

#[tokio::test]
async fn what_is_kept_long_enough_is_not_written_again_for_a_wait() {
    for (params, kept_days) in [("60d", 90), ("61d", 61 + 90)] {
        let (world, store) = over_memory().await;
        run_of(&world, wait(json!({ "for": params })), json!({})).await;
        assert_eq!(transactions_end(&store), [Some(in_days(kept_days))], "{params}");
    }
}

#[tokio::test]
async fn whichever_write_meets_another_one_what_a_long_wait_needs_is_kept_for_it() {
    let mut failed = 0;
    for place in 0.. {
        let (world, store) = over_memory().await;
        let workflow = callable(&world, "story", wait(json!({ "for": "366d" }))).await;
        let path = format!("/v1/workflows/{workflow}/call?wait=0");
        let id = world.api("POST", &path, json!({})).await.expect(202).id();
        let (executor, fuse) = failing_executor(&world, Fault::MeetsAnother, place);
        for _ in 0..2 {
            world.work_on(&executor).await;
            world.clock.pass_seconds(600);
        }
        assert_eq!(run(&world, &id).await["state"], "waiting", "call {place}");
        let [Some(ends)] = transactions_end(&store)[..] else { panic!("call {place}: {:?}", transactions_end(&store)) };
        assert!(ends >= in_days(366 + 90), "call {place}");
        if fuse.calls() <= place {
            break;
        }
        failed += 1;
    }
    assert!(failed > 5, "{failed} calls failed");
}

async fn over_memory() -> (World, Arc<MemoryStore>) {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    (World::over(store.clone(), clock).await, store)
}

/// Until when each transaction is kept.
fn transactions_end(store: &MemoryStore) -> Vec<Option<i64>> {
    let items = store.items().into_iter().filter(|item| item.key.partition.contains("#transaction#"));
    items.map(|item| item.expires_at).collect()
}

fn in_days(days: i64) -> i64 {
    Timestamp::parse(NOON).unwrap().plus_seconds(days * DAY).as_second()
}

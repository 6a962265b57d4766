//! The same thing again: what a webhook takes once however often it comes.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use tests::{
    Answer,
    providers::{PoliteStore, WebHook},
    world::{NOON, World},
};

use super::{open_hook, post};

const DAY_SECONDS: i64 = 24 * 60 * 60;

async fn hook_with(world: &World, duplicates: Value) -> WebHook {
    WebHook::new(world, json!({ "auth": { "scheme": "none" }, "duplicates": duplicates })).await
}

async fn keyed(world: &World, hook: &WebHook, key: &str, body: &str) -> Answer {
    post(world, hook, &[("idempotency-key", key)], body).await
}

/// How many transactions the hook's workflow has run for.
async fn runs(world: &World, workflow: &str) -> usize {
    world.work().await;
    let answer = world.get(&format!("/v1/workflows/{workflow}/runs?pageSize=100")).await.expect(200);
    answer.body["data"].as_array().unwrap().len()
}

async fn listener(world: &World, hook: &WebHook) -> String {
    let steps = json!([{ "id": "end", "transitions": [] }]);
    world.workflow(tests::world::workflow_of("listener", &hook.event, steps)).await
}

#[tokio::test]
async fn a_request_under_the_same_key_is_answered_as_the_first_time_for_a_day() {
    let world = World::new().await;
    let hook = open_hook(&world).await;
    let workflow = listener(&world, &hook).await;
    let first = keyed(&world, &hook, "order-1", "{\"a\":1}").await.expect(202);
    world.clock.pass_seconds(DAY_SECONDS - 1);
    let again = keyed(&world, &hook, "order-1", "{\"a\":1}").await.expect(202);
    assert_eq!((&first.text, &first.headers), (&again.text, &again.headers));
    assert_ne!(keyed(&world, &hook, "order-2", "{\"a\":1}").await.expect(202).id(), first.id());
    assert_ne!(post(&world, &hook, &[], "{\"a\":1}").await.expect(202).id(), first.id());
    assert_eq!(runs(&world, &workflow).await, 3);

    world.clock.pass_seconds(2);
    assert_ne!(keyed(&world, &hook, "order-1", "{\"a\":2}").await.expect(202).id(), first.id());
    assert_eq!(runs(&world, &workflow).await, 4);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_a_conflict() {
    let world = World::new().await;
    let hook = open_hook(&world).await;
    let first = keyed(&world, &hook, "k", "{\"a\":1}").await.expect(202).id();
    let conflict = keyed(&world, &hook, "k", "{\"a\":2}").await.expect(409);
    assert_eq!(conflict.code(), "idempotency_conflict");
    assert_eq!(keyed(&world, &hook, "k", "{\"a\":1}").await.expect(202).id(), first);
    // Another hook has its own keys.
    let other = open_hook(&world).await;
    keyed(&world, &other, "k", "{\"a\":2}").await.expect(202);
}

#[tokio::test]
async fn a_key_has_1_to_255_bytes() {
    let world = World::new().await;
    let hook = open_hook(&world).await;
    for (bytes, status) in [(0, 400), (1, 202), (255, 202), (256, 400), (2_048, 400), (2_049, 400), (60_000, 400)] {
        let answer = keyed(&world, &hook, &"k".repeat(bytes), "{}").await;
        assert_eq!(answer.status, status, "{bytes} bytes: {answer:?}");
        if status == 400 {
            assert_eq!(answer.code(), "bad_idempotency_key");
        }
    }
    assert_eq!(world.queue.depth(), 2);
}

#[tokio::test]
async fn what_died_between_the_mark_and_the_queue_is_completed_by_the_repeat() {
    let mut world = World::new().await;
    let hook = open_hook(&world).await;
    let workflow = listener(&world, &hook).await;
    tests::faults::stop_taking(&mut world);
    keyed(&world, &hook, "k", "{}").await.expect(503);
    tests::faults::go_on_taking(&mut world);
    assert_eq!(runs(&world, &workflow).await, 0);
    keyed(&world, &hook, "k", "{}").await.expect(202);
    keyed(&world, &hook, "k", "{}").await.expect(202);
    assert_eq!(runs(&world, &workflow).await, 1);
}

#[tokio::test]
async fn fields_tell_what_is_the_same() {
    let world = World::new().await;
    let hook = hook_with(&world, json!({ "windowSeconds": 60, "fields": ["orderId", "line.0.sku"] })).await;
    let id = async |body: Value| post(&world, &hook, &[], &body.to_string()).await.expect(202).id();
    let first = id(json!({ "orderId": 1, "line": [{ "sku": "a" }], "try": 1 })).await;
    assert_eq!(id(json!({ "orderId": 1, "line": [{ "sku": "a" }], "try": 2 })).await, first);
    for other in [
        json!({ "orderId": 2, "line": [{ "sku": "a" }] }),
        json!({ "orderId": 1, "line": [{ "sku": "b" }] }),
        json!({ "orderId": "1", "line": [{ "sku": "a" }] }),
        json!({ "orderId": 1 }),
    ] {
        assert_ne!(id(other.clone()).await, first, "{other}");
    }
    assert_ne!(id(json!({ "try": 1 })).await, id(json!({ "try": 1 })).await, "without any of the fields all count");
    world.clock.pass_seconds(60);
    assert_eq!(id(json!({ "orderId": 1, "line": [{ "sku": "a" }] })).await, first);
    world.clock.pass_seconds(1);
    assert_ne!(id(json!({ "orderId": 1, "line": [{ "sku": "a" }] })).await, first, "the window is over");
}

#[tokio::test]
async fn without_fields_the_whole_body_tells_what_is_the_same() {
    let world = World::new().await;
    let hook = hook_with(&world, json!({ "windowSeconds": 60 })).await;
    let id = async |body: &str| post(&world, &hook, &[], body).await.expect(202).id();
    let first = id("{\"a\":1,\"b\":2}").await;
    assert_eq!(id("{ \"a\": 1, \"b\": 2 }").await, first, "white space is no difference");
    assert_ne!(id("{\"a\":1,\"b\":3}").await, first);
}

#[tokio::test]
async fn a_hook_that_suppresses_nothing_takes_every_arrival() {
    let world = World::new().await;
    let hook = hook_with(&world, json!(false)).await;
    let first = keyed(&world, &hook, "k", "{\"a\":1}").await.expect(202).id();
    assert_ne!(keyed(&world, &hook, "k", "{\"a\":1}").await.expect(202).id(), first);
    assert_ne!(keyed(&world, &hook, "k", "{\"a\":2}").await.expect(202).id(), first);
    assert_eq!(world.get(&hook.resource()).await.attribute("duplicates"), json!(false));

    hook.set(&world, json!({ "duplicates": null })).await.expect(200);
    let first = keyed(&world, &hook, "k2", "{}").await.expect(202).id();
    assert_eq!(keyed(&world, &hook, "k2", "{}").await.expect(202).id(), first);
}

#[tokio::test]
async fn rules_that_make_no_sense_are_not_saved() {
    let world = World::new().await;
    for wrong in [
        json!(true),
        json!("orderId"),
        json!({ "windowSeconds": 0 }),
        json!({ "windowSeconds": -1 }),
        json!({ "windowSeconds": 60, "fields": "orderId" }),
        json!({ "windowSeconds": 60, "fields": [""] }),
        json!({ "windowSeconds": 999_999_999 }),
    ] {
        let draft = json!({ "title": "t", "duplicates": wrong });
        let answer = world.api("POST", "/v1/hooks/web", draft).await;
        assert_eq!(answer.status, 400, "{wrong}: {answer:?}");
    }
}

#[tokio::test]
async fn the_same_key_twice_at_once_is_one_transaction_and_with_two_bodies_one_conflict() {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(PoliteStore(Arc::new(MemoryStore::new(clock.clone()))));
    let world = World::over(store, clock).await;
    let hook = open_hook(&world).await;
    let (one, other) = tokio::join!(keyed(&world, &hook, "a", "{}"), keyed(&world, &hook, "a", "{}"));
    assert_eq!((one.expect(202).id(), 2), (other.expect(202).id(), world.queue.depth()));
    let (one, other) = tokio::join!(keyed(&world, &hook, "b", "{}"), keyed(&world, &hook, "b", "[]"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!((statuses, world.queue.depth()), ([202, 409], 3));
}

#[tokio::test]
async fn the_parts_of_a_batch_under_one_key_do_not_conflict_with_each_other() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "app": "meta" })).await;
    let workflow = listener(&world, &hook).await;
    // Changes that nothing tells apart but what is in them.
    let batch =
        |text: &str| json!({ "object": "page", "entry": [{ "changes": [{ "field": "a" }, { "field": text }] }] });
    for _ in 0..2 {
        keyed(&world, &hook, "k", &batch("b").to_string()).await.expect(200);
    }
    assert_eq!(runs(&world, &workflow).await, 2);
    keyed(&world, &hook, "k", &batch("c").to_string()).await.expect(409);
}

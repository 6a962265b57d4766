//! Batches: one arrival, several transactions, none lost and none doubled.

use std::sync::Arc;

use apps::samples;
use serde_json::{Value, json};
use service::memory::MemoryQueue;
use tests::{
    providers::{Connected, Letter, TiringQueue, WebHook},
    world::{World, workflow_of},
};

/// The transactions on the queue, each id once.
fn waiting(queue: &MemoryQueue) -> Vec<Value> {
    let messages = queue.receive(100, 0);
    let mut found: Vec<Value> = Vec::new();
    for message in messages {
        let message: Value = serde_json::from_str(&message.body).unwrap();
        let transaction = message["transaction"].clone();
        if !found.iter().any(|known| known["id"] == transaction["id"]) {
            found.push(transaction);
        }
    }
    found
}

async fn listener(world: &World, event: &str) -> String {
    world.workflow(workflow_of("listener", event, json!([{ "id": "end", "transitions": [] }]))).await
}

async fn runs(world: &World, workflow: &str) -> usize {
    world.work().await;
    let answer = world.get(&format!("/v1/workflows/{workflow}/runs?pageSize=100")).await.expect(200);
    answer.body["data"].as_array().unwrap().len()
}

async fn batch(world: &World) -> (WebHook, Letter) {
    let sample = samples::find("facebook.comment.receive~batch").unwrap();
    let Connected { hook, letter, .. } = Connected::new(world, sample).await;
    (hook, letter)
}

#[tokio::test]
async fn each_change_of_a_batch_becomes_a_transaction_that_looks_like_a_single_delivery() {
    let world = World::new().await;
    let (_, letter) = batch(&world).await;
    letter.send(&world).await.expect(200);
    let whole: Value = serde_json::from_slice(&letter.body).unwrap();
    let entries = whole["entry"].as_array().unwrap();
    let changes: Vec<(&Value, &Value)> = entries
        .iter()
        .flat_map(|entry| entry["changes"].as_array().unwrap().iter().map(move |change| (entry, change)))
        .collect();
    let transactions = waiting(&world.queue);
    assert_eq!(transactions.len(), changes.len());
    assert!(changes.len() >= 3, "the sample is a batch of at least three");
    for (transaction, (entry, change)) in transactions.iter().zip(changes) {
        let single = &transaction["data"]["entry"];
        assert_eq!(single.as_array().unwrap().len(), 1);
        assert_eq!((&single[0]["id"], &single[0]["changes"]), (&entry["id"], &json!([change])));
        assert_eq!(transaction["data"]["object"], whole["object"]);
    }
}

#[tokio::test]
async fn a_queue_that_fails_midway_loses_nothing_and_doubles_nothing_once_the_provider_tries_again() {
    for taken in 0..3 {
        let mut world = World::new().await;
        let (hook, letter) = batch(&world).await;
        let workflow = listener(&world, &hook.event).await;
        let queue = world.queue.clone();
        tests::faults::stop_taking(&mut world);
        world.door.queue = Arc::new(TiringQueue::after(taken, queue.clone()));
        letter.send(&world).await.expect(503);
        assert_eq!(waiting(&queue).len(), taken, "the queue took {taken} before it failed");

        world.door.queue = queue.clone();
        world.clock.pass_seconds(30);
        letter.send(&world).await.expect(200);
        letter.send(&world).await.expect(200);
        let count = waiting(&queue).len();
        assert!(count >= 3);
        assert_eq!(runs(&world, &workflow).await, count, "after {taken}");
    }
}

#[tokio::test]
async fn a_change_that_came_alone_and_comes_again_in_a_batch_is_one_transaction() {
    let world = World::new().await;
    let sample = samples::find("facebook.comment.receive~batch").unwrap();
    let Connected { hook, letter, sender } = Connected::new(&world, sample).await;
    let workflow = listener(&world, &hook.event).await;
    let mut single: Value = serde_json::from_slice(&letter.body).unwrap();
    single["entry"].as_array_mut().unwrap().truncate(1);
    single["entry"][0]["changes"].as_array_mut().unwrap().truncate(1);
    let alone = sender.sign(&letter.saying(single.to_string()), "1", 0);
    alone.send(&world).await.expect(200);
    assert_eq!(runs(&world, &workflow).await, 1);
    letter.send(&world).await.expect(200);
    let whole: Value = serde_json::from_slice(&letter.body).unwrap();
    let changes: usize =
        whole["entry"].as_array().unwrap().iter().map(|entry| entry["changes"].as_array().unwrap().len()).sum();
    assert_eq!(runs(&world, &workflow).await, changes);
}

#[tokio::test]
async fn a_batch_of_hundreds_is_taken_whole() {
    let world = World::new().await;
    let sample = samples::find("facebook.comment.receive~batch").unwrap();
    let Connected { letter, sender, .. } = Connected::new(&world, sample).await;
    let changes: Vec<Value> = (0..500)
        .map(|index| json!({ "field": "leadgen", "value": { "leadgen_id": index.to_string(), "created_time": 1_772_640_000 } }))
        .collect();
    let body = json!({ "object": "page", "entry": [{ "id": "1", "time": 1, "changes": changes }] });
    let large = sender.sign(&letter.saying(body.to_string()), "1", 0);
    large.send(&world).await.expect(200);
    assert_eq!(world.queue.depth(), 500);
    large.send(&world).await.expect(200);
    let messages = world.queue.receive(2_000, 0);
    let mut ids: Vec<String> = messages
        .iter()
        .map(|message| serde_json::from_str::<Value>(&message.body).unwrap()["transaction"]["id"].to_string())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 500);
}

#[tokio::test]
async fn a_batch_of_a_thousand_is_taken_and_one_of_more_is_refused_whole() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "app": "twilio" })).await;
    for (parts, status, depth) in [(1_001, 413, 0), (1_000, 200, 1_000)] {
        let body: Vec<Value> = (0..parts).map(|index| json!({ "index": index })).collect();
        let answer = Letter::unsigned(&hook.path, &json!(body).to_string()).send(&world).await;
        assert_eq!((answer.status, world.queue.depth()), (status, depth), "{}", answer.text);
    }
    assert_eq!(hook.refusals(&world).await[0]["code"], "too_many_parts");
}

#[tokio::test]
async fn parts_that_share_an_id_are_repeats_of_one_another_only_where_they_are_equal() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "app": "twilio" })).await;
    let letter = Letter::unsigned(&hook.path, r#"[{"a":1},{"a":2},{"a":1}]"#).and("i-twilio-idempotency-token", "t");
    for _ in 0..2 {
        letter.send(&world).await.expect(200);
    }
    let data: Vec<Value> = waiting(&world.queue).iter().map(|transaction| transaction["data"].clone()).collect();
    assert_eq!(data.len(), 2, "{data:?}");
    assert!(data.contains(&json!({ "a": 1 })) && data.contains(&json!({ "a": 2 })), "{data:?}");
}

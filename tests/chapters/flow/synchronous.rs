//! Hooks that answer with what a workflow gives.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Timestamp;
use serde_json::{Value, json};
use service::{
    Executor,
    memory::{FixedWorld, MemoryQueue},
    ports::{Unavailable, World as Clock},
};
use tests::{
    World,
    world::{always, workflow_of},
};

/// A clock that lets an executor work whenever somebody waits, once so much time has passed.
struct Busy {
    clock: Arc<FixedWorld>,
    executor: Executor,
    queue: Arc<MemoryQueue>,
    begins_at: Timestamp,
}

#[async_trait]
impl Clock for Busy {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn pause(&self, milliseconds: u32) {
        self.clock.pause(milliseconds).await;
        if self.now() < self.begins_at {
            return;
        }
        for delivery in self.queue.receive(10, 60) {
            self.executor.execute(&delivery.body).await.unwrap();
            self.queue.delete(&delivery.receipt);
        }
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        self.clock.fill(bytes)
    }
}

/// A world whose executor begins to work after so many seconds of waiting.
async fn world(seconds: i64) -> World {
    let mut world = World::new().await;
    let executor = Executor::new(world.store.clone(), world.queue.clone(), world.clock.clone());
    let begins_at = world.clock.now().plus_seconds(seconds);
    let (clock, queue) = (world.clock.clone(), world.queue.clone());
    world.door.world = Arc::new(Busy { clock, executor, queue, begins_at });
    world
}

fn respond(params: Value) -> Value {
    json!([{ "id": "respond", "action": "flow.respond", "params": params, "transitions": always("end") }, { "id": "end", "transitions": [] }])
}

#[tokio::test]
async fn a_hook_answers_with_what_a_workflow_gives_within_its_time() {
    let given = json!({ "status": 201, "output": { "price": "/#steps.1.attributes.data.price" } });
    for (seconds, reply, status, body) in [
        (0, json!({ "waitSeconds": 10 }), 201, json!({ "price": 7 })),
        (9, json!({ "waitSeconds": 10 }), 201, json!({ "price": 7 })),
        (11, json!({ "waitSeconds": 10 }), 202, Value::Null),
        (24, json!({ "waitSeconds": 25 }), 201, json!({ "price": 7 })),
        (2, json!({ "waitSeconds": 1, "status": 200, "body": "later" }), 200, Value::Null),
    ] {
        let world = world(seconds).await;
        let hook = world.form_hook_with(json!({ "title": "Prices", "reply": reply })).await;
        world.workflow(workflow_of("prices", &hook.event, respond(given.clone()))).await;
        let answer = world.post(&hook, json!({ "price": 7 })).await.expect(status);
        match body {
            Value::Null if status == 202 => assert_eq!(answer.body["data"]["type"], "transaction"),
            Value::Null => assert_eq!(answer.text, "later"),
            body => assert_eq!(answer.body, body),
        }
        world.work().await;
        let runs = world.get("/v1/workflows").await.body["data"][0]["id"].as_str().unwrap().to_owned();
        let runs = world.get(&format!("/v1/workflows/{runs}/runs?state=succeeded")).await;
        assert_eq!(runs.body["data"].as_array().unwrap().len(), 1, "it goes on, answered or not");
    }
}

#[tokio::test]
async fn a_poster_does_not_wait_for_what_cannot_come() {
    let world = world(0).await;
    let hook = world.form_hook_with(json!({ "title": "Prices", "reply": { "waitSeconds": 25 } })).await;
    let before = world.clock.now();
    world.post(&hook, json!({})).await.expect(202);
    world.workflow(workflow_of("silent", &hook.event, json!([{ "id": "end", "transitions": [] }]))).await;
    world.post(&hook, json!({ "n": 1 })).await.expect(202);
    assert!(before.seconds_until(world.clock.now()) < 2);
}

#[tokio::test]
async fn a_hook_waits_for_one_second_to_twenty_five_and_no_longer() {
    let world = World::new().await;
    for (seconds, status) in [(1, 201), (25, 201), (0, 400), (26, 400)] {
        let draft = json!({ "title": "Prices", "reply": { "waitSeconds": seconds } });
        world.api("POST", "/v1/hooks/form", draft).await.expect(status);
    }
}

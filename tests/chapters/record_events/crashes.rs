//! Whatever fails on the way, a write that was made starts exactly one run of whoever listens, and one that was not, none.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::json;
use service::{
    Executor,
    memory::{FixedWorld, MemoryStore},
    ports::{Item, Queue, Store},
};
use tests::{
    faults::{Fault, Faulty, Fuse},
    world::{NOON, World, always, workflow_of},
};

use super::{listener, runs_of, settle, trigger};

/// A world in which every call of the store and of the queue that a request or an executor makes can fail.
struct Frail {
    world: World,
    /// The store without faults, for those who look on.
    store: Arc<MemoryStore>,
    fuse: Arc<Fuse>,
    /// The executor whose calls can fail, and another that comes after it.
    executor: Executor,
    sound: Executor,
}

impl Frail {
    async fn new(fault: Fault) -> Self {
        let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let fuse = Arc::new(Fuse::new(fault));
        let inner: Arc<dyn Store> = store.clone();
        let faulty: Arc<dyn Store> = Arc::new(Faulty::sharing(inner, fuse.clone()));
        let mut world = World::over(faulty.clone(), clock.clone()).await;
        let queue: Arc<dyn Queue> = world.queue.clone();
        let queue: Arc<dyn Queue> = Arc::new(Faulty::sharing(queue, fuse.clone()));
        world.management.queue = queue.clone();
        let executor = Executor::new(faulty, queue, clock.clone());
        let sound = Executor::new(store.clone(), world.queue.clone(), clock);
        Self { world, store, fuse, executor, sound }
    }

    /// Delivers everything that is on the queue and not held back. What fails is taken up by the other executor, as after a
    /// crash: it remembers nothing.
    async fn deliver(&self) {
        loop {
            let deliveries = self.world.queue.receive(10, 60);
            if deliveries.is_empty() {
                return;
            }
            for delivery in deliveries {
                if self.executor.execute(&delivery.body).await.is_err() {
                    self.fuse.heal();
                    self.sound.execute(&delivery.body).await.unwrap();
                }
                self.world.queue.delete(&delivery.receipt);
            }
        }
    }
}

#[tokio::test]
async fn a_request_that_fails_at_any_call_starts_one_run_for_each_write_that_was_made() {
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let (mut failed, mut done) = (0, 0);
        for offset in 0.. {
            let frail = Frail::new(fault).await;
            let world = &frail.world;
            let created = listener(world, "kustomer.customer.create").await;
            let updated = listener(world, "kustomer.customer.update").await;
            let draft = json!({ "name": "Ann", "email": "ann@example.com" });
            let before = frail.fuse.calls();
            frail.fuse.fail_in(offset);
            // A create and a change; whoever is told 503 sends it once more.
            let mut answers = Vec::new();
            for (method, path, body) in [
                ("POST", "/v1/customers", draft),
                ("PUT", "/v1/customers/email=ann@example.com", json!({ "name": "Anna" })),
            ] {
                let answer = world.api(method, path, body.clone()).await;
                if answer.status == 503 {
                    frail.fuse.heal();
                    let again = world.api(method, path, body).await;
                    done += usize::from(again.status == 409);
                }
                answers.push(answer.status);
            }
            let calls = frail.fuse.calls() - before;
            frail.fuse.heal();
            failed += answers.iter().filter(|status| **status == 503).count();
            settle(world).await;

            let case = format!("{fault:?} at call {offset}: {answers:?}");
            let customers = world.customers().await;
            assert_eq!(customers.len(), 1, "{case}");
            assert_eq!(
                (&customers[0]["attributes"]["name"], &customers[0]["attributes"]["rev"]),
                (&json!("Anna"), &json!(2)),
                "{case}"
            );
            for (workflow, name) in [(&created, "Ann"), (&updated, "Anna")] {
                let runs = runs_of(world, workflow).await;
                assert_eq!(runs.len(), 1, "{case}");
                assert_eq!(
                    (&runs[0]["attributes"]["state"], &trigger(&runs[0])["name"]),
                    (&json!("succeeded"), &json!(name)),
                    "{case}"
                );
            }
            assert_eq!(world.queue.depth(), 0, "{case}");
            if offset >= calls {
                break;
            }
        }
        assert!(failed >= 10, "{fault:?}: only {failed} calls mattered");
        assert_eq!(done > 0, fault == Fault::DoesAndFails, "{fault:?}: {done} writes were made and not told of");
    }
}

/// A world in which an arrival makes a customer and changes it, of both of which workflows make notes.
async fn with_arrival(fault: Fault) -> (Frail, [String; 2]) {
    let frail = Frail::new(fault).await;
    let hook = frail.world.form_hook().await;
    let steps = json!([
        { "id": "make", "action": "kustomer.customer.create", "params": { "name": "Ann" }, "transitions": always("change") },
        { "id": "change", "action": "kustomer.customer.update", "params": { "id": "/#steps.make.id", "name": "Anna" }, "transitions": [] },
    ]);
    frail.world.workflow(workflow_of("makes", &hook.event, steps)).await;
    let note = |id: &str| json!([{ "id": "note", "action": "kustomer.note.create", "params": { "customer": id, "body": "{{{steps.1.name}}}" }, "transitions": [] }]);
    let mut workflows = Vec::new();
    for event in ["create", "update"] {
        let document = workflow_of(event, &format!("kustomer.customer.{event}"), note("/#steps.1.id"));
        workflows.push(frail.world.workflow(document).await);
    }
    frail.world.post(&hook, json!({ "n": 1 })).await.expect(202);
    (frail, workflows.try_into().unwrap())
}

/// What is left when nothing fails.
async fn without_crashes() -> Vec<Item> {
    let (frail, _) = with_arrival(Fault::Refuses).await;
    frail.deliver().await;
    frail.store.items()
}

#[tokio::test]
async fn a_crash_of_the_executor_at_any_call_ends_as_if_there_had_been_none() {
    let expected = without_crashes().await;
    let notes = |items: &[Item]| items.iter().filter(|item| item.key.partition.contains("#note#")).count();
    assert_eq!(notes(&expected), 2);
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let mut crashes = 0;
        for offset in 0.. {
            let (frail, workflows) = with_arrival(fault).await;
            let before = frail.fuse.calls();
            frail.fuse.fail_in(offset);
            frail.deliver().await;
            if offset >= frail.fuse.calls() - before {
                break;
            }
            crashes += 1;
            frail.fuse.heal();
            assert_eq!(frail.store.items(), expected, "{fault:?} at call {offset}");
            for workflow in &workflows {
                let runs = runs_of(&frail.world, workflow).await;
                assert_eq!(runs.len(), 1, "{fault:?} at call {offset}");
                assert_eq!(runs[0]["attributes"]["state"], json!("succeeded"), "{fault:?} at call {offset}");
            }
            assert_eq!(frail.world.queue.depth(), 0, "{fault:?} at call {offset}");
        }
        assert!(crashes >= 15, "{fault:?}: the three runs make at least 15 calls, not {crashes}");
    }
}

#[tokio::test]
async fn an_event_that_is_told_of_again_and_again_starts_no_second_run() {
    let frail = Frail::new(Fault::Refuses).await;
    let workflow = listener(&frail.world, "kustomer.customer.create").await;
    frail.world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201);
    let message = frail.world.queue.receive(1, 60).remove(0).body;
    for _ in 0..3 {
        frail.sound.execute(&message).await.unwrap();
    }
    let (first, second) = tokio::join!(frail.sound.execute(&message), frail.executor.execute(&message));
    first.unwrap();
    second.unwrap();
    assert_eq!(runs_of(&frail.world, &workflow).await.len(), 1);
    // One of an event that was never written is done with.
    let unwritten = message.replace(|c: char| c.is_ascii_digit(), "0").replace("\"v\":0", "\"v\":1");
    frail.sound.execute(&unwritten).await.unwrap();
    assert_eq!(runs_of(&frail.world, &workflow).await.len(), 1);
}

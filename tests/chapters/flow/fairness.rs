//! One org does not starve another: who is executed when, and how many of one org at the same moment.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use domain::OrgId;
use serde_json::{Value, json};
use service::{
    Executor, InFlight,
    ports::{CallAnswer, Calls, NotCalled, OutgoingCall},
};
use tests::{
    World,
    world::{Answer, workflow_of},
};
use tokio::{sync::Semaphore, task::JoinSet};

use super::echo;

/// How many messages `hookwright dev` executes at a time.
const PLACES: usize = 16;

const VISIBILITY_SECONDS: i64 = 360;

/// An org with one hook and one workflow that listens to it.
struct Tenant {
    key: String,
    path: String,
}

impl Tenant {
    async fn new(world: &World, number: u8, steps: Value) -> Self {
        let org = OrgId::parse(&format!("{number:024}")).unwrap();
        let key = world.key(org, &["org.admin"], number).await;
        let hook = world.api_as(&key, "POST", "/v1/hooks/form", json!({ "title": "Orders" })).await.expect(201);
        let url = hook.attribute("url").as_str().unwrap().to_owned();
        let event = hook.attribute("eventName").as_str().unwrap().to_owned();
        world.api_as(&key, "POST", "/v1/workflows", workflow_of("orders", &event, steps)).await.expect(201);
        Self { key, path: url.strip_prefix("http://hooks.test").unwrap().to_owned() }
    }

    /// Posts to the hook and gives the transaction's id.
    async fn post(&self, world: &World) -> String {
        world.send("POST", &self.path, &[("content-type", "application/json")], "{}").await.expect(202).id()
    }

    async fn get(&self, world: &World, path: &str) -> Answer {
        world.api_as(&self.key, "GET", path, Value::Null).await.expect(200)
    }

    /// How many runs have succeeded, of all.
    async fn succeeded(&self, world: &World) -> (usize, usize) {
        let workflows = self.get(world, "/v1/workflows").await;
        let id = workflows.body["data"][0]["id"].as_str().unwrap().to_owned();
        let runs = self.get(world, &format!("/v1/workflows/{id}/runs?pageSize=100")).await;
        let runs = runs.body["data"].as_array().unwrap();
        (runs.iter().filter(|run| run["attributes"]["state"] == "succeeded").count(), runs.len())
    }
}

#[tokio::test]
async fn one_message_behind_a_thousand_of_another_org_is_executed_after_one_of_them() {
    let world = World::new().await;
    let steps = || json!([echo("done", json!({}), json!([]))]);
    let (noisy, quiet) = (Tenant::new(&world, 2, steps()).await, Tenant::new(&world, 3, steps()).await);
    for _ in 0..1_000 {
        noisy.post(&world).await;
    }
    let waiting = quiet.post(&world).await;

    let mut others = 0;
    let mut executed = 0;
    while executed < 1_001 {
        for delivery in world.queue.receive(PLACES, VISIBILITY_SECONDS) {
            world.executor.execute(&delivery.body).await.unwrap();
            world.queue.delete(&delivery.receipt);
            executed += 1;
            let is_done = quiet.succeeded(&world).await == (1, 1);
            others += usize::from(!is_done);
        }
    }
    assert_eq!(others, 1);
    assert_eq!(noisy.succeeded(&world).await, (100, 100), "a page of them");
    quiet.get(&world, &format!("/v1/transactions/{waiting}")).await;
}

/// A service that answers when it is let, and counts who waits for it.
struct Slow {
    answers: Semaphore,
    waiting: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Calls for Slow {
    async fn call(&self, _call: &OutgoingCall) -> Result<CallAnswer, NotCalled> {
        let waiting = self.waiting.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(waiting, SeqCst);
        self.answers.acquire().await.unwrap().forget();
        self.waiting.fetch_sub(1, SeqCst);
        Ok(CallAnswer { status: 200, headers: Vec::new(), body: "{}".into() })
    }
}

/// Places that execute messages at the same time, in two processes.
struct Places<'w> {
    world: &'w World,
    processes: [Arc<Executor>; 2],
    in_work: JoinSet<String>,
}

impl Places<'_> {
    /// Takes up as many messages as there are free places, and gives how many those are.
    fn fill(&mut self) -> usize {
        let deliveries = self.world.queue.receive(PLACES - self.in_work.len(), VISIBILITY_SECONDS);
        let taken = deliveries.len();
        for (number, delivery) in deliveries.into_iter().enumerate() {
            assert_eq!(delivery.receive_count, 1, "waiting for a slot is no failure");
            let executor = Arc::clone(&self.processes[number % 2]);
            self.in_work.spawn(async move {
                executor.execute(&delivery.body).await.unwrap();
                delivery.receipt
            });
        }
        taken
    }

    /// Waits for the end of one.
    async fn end_one(&mut self) {
        let receipt = self.in_work.join_next().await.unwrap().unwrap();
        self.world.queue.delete(&receipt);
    }
}

#[tokio::test]
async fn an_org_has_no_more_in_flight_than_its_cap_while_another_goes_on() {
    let world = World::new().await;
    let call = json!([{ "id": "call", "action": "kustomer.rest-api.json", "params": { "uri": "https://slow.example/" }, "transitions": [] }]);
    let noisy = Tenant::new(&world, 2, call).await;
    let quiet = Tenant::new(&world, 3, json!([echo("done", json!({}), json!([]))])).await;
    world.api_as(&noisy.key, "PUT", "/v1/org", json!({ "inFlightLimit": 2 })).await.expect(200);
    for _ in 0..10 {
        noisy.post(&world).await;
    }
    for _ in 0..5 {
        quiet.post(&world).await;
    }

    let slow = Arc::new(Slow { answers: Semaphore::new(0), waiting: AtomicUsize::new(0), most: AtomicUsize::new(0) });
    let process = || {
        let executor = Executor::new(world.store.clone(), world.queue.clone(), world.clock.clone());
        let cap = InFlight::new(world.store.clone(), world.clock.clone());
        Arc::new(executor.with_calls(slow.clone()).with_cap(cap))
    };
    let mut places = Places { world: &world, processes: [process(), process()], in_work: JoinSet::new() };
    assert_eq!(places.fill(), 15);
    for _ in 0..13 {
        places.end_one().await;
    }
    assert_eq!(quiet.succeeded(&world).await, (5, 5), "they wait for nobody");
    assert_eq!((slow.waiting.load(SeqCst), places.in_work.len()), (2, 2));
    assert_eq!(world.queue.depth(), 10, "the other eight were sent again, and are held back");

    let mut rounds = 0;
    while world.queue.depth() > 0 {
        slow.answers.add_permits(2);
        while !places.in_work.is_empty() {
            places.end_one().await;
        }
        assert_eq!(slow.waiting.load(SeqCst), 0);
        world.clock.pass_seconds(60);
        let taken = places.fill();
        // All that find no slot are sent again; two at the most wait for the service.
        for _ in 0..taken.saturating_sub(2) {
            places.end_one().await;
        }
        rounds += 1;
        assert!(rounds < 20, "there is no end");
    }
    assert_eq!(noisy.succeeded(&world).await, (10, 10), "nothing is lost");
    assert_eq!(slow.most.load(SeqCst), 2);
}

//! A hook that goes on: what it held goes on the queue in order, page by page, and leaves its place only once the queue has it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Hook, HookId, HookKind, OrgId};
use serde_json::{Value, json};
use service::{
    Executor,
    directory::hooks,
    memory::MemoryQueue,
    ports::{Queue, Store, Unavailable},
    ticker::Ticker,
};
use tests::{
    faults::{Fault, Faulty, Fuse},
    world::{FormHook, World},
};

use super::{fused, held, ids, listener, ran_for, set};

async fn paused_hook(world: &World) -> FormHook {
    world.form_hook_with(json!({ "title": "t", "paused": true })).await
}

/// Posts so many, one a second, and gives their ids.
async fn post_all(world: &World, hook: &FormHook, count: usize) -> Vec<String> {
    let mut posted = Vec::new();
    for n in 0..count {
        world.clock.pass_seconds(1);
        posted.push(world.post(hook, json!({ "n": n })).await.expect(202).id());
    }
    posted
}

async fn resume(world: &World, hook: &FormHook) {
    set(world, hook, json!({ "paused": false })).await.expect(200);
}

fn ticker(world: &World) -> Ticker {
    Ticker::new(world.store.clone(), world.queue.clone(), world.clock.clone())
}

/// The ids of the transactions that the queue has, in its order.
fn queued(world: &World) -> Vec<String> {
    let id = |body: &str| {
        let message: Value = serde_json::from_str(body).unwrap();
        message["transaction"]["id"].as_str().unwrap().to_owned()
    };
    world.queue.receive(1_000, 0).iter().map(|delivery| id(&delivery.body)).collect()
}

#[tokio::test]
async fn what_was_held_goes_on_in_the_order_in_which_it_came_and_runs_once() {
    let world = World::new().await;
    let hook = paused_hook(&world).await;
    let workflow = listener(&world, &hook.event).await;
    let expected = post_all(&world, &hook, 30).await;
    resume(&world, &hook).await;
    assert_eq!(world.tick().await, 30);
    assert_eq!(held(&world, &hook).await["data"], json!([]));
    assert_eq!(queued(&world), expected);
    world.work().await;
    assert_eq!(ran_for(&world, &workflow).await, expected);
    assert_eq!(world.tick().await, 0);
}

#[tokio::test]
async fn many_go_on_a_page_at_a_time_and_a_pause_keeps_the_rest() {
    let world = World::new().await;
    let hook = paused_hook(&world).await;
    let expected = post_all(&world, &hook, 250).await;
    resume(&world, &hook).await;
    let ticked = ticker(&world).tick(1).await.unwrap();
    assert_eq!((ticked.sent, ticked.has_more), (100, true));
    set(&world, &hook, json!({ "paused": true })).await.expect(200);
    assert_eq!(world.tick().await, 0);
    assert_eq!(ids(&held(&world, &hook).await), expected[100..200]);
    resume(&world, &hook).await;
    assert_eq!(world.tick().await, 150);
    assert_eq!(queued(&world), expected);
}

#[tokio::test]
async fn hooks_that_go_on_take_turns() {
    let world = World::new().await;
    let (one, other) = (paused_hook(&world).await, paused_hook(&world).await);
    for hook in [&one, &other] {
        post_all(&world, hook, 150).await;
        resume(&world, hook).await;
    }
    assert_eq!(ticker(&world).tick(101).await.unwrap().sent, 200);
    for hook in [&one, &other] {
        assert_eq!(held(&world, hook).await["meta"]["count"], 50);
    }
}

#[tokio::test]
async fn what_a_process_holds_that_did_not_know_yet_goes_on_too() {
    let mut world = World::new().await;
    let hook = paused_hook(&world).await;
    let workflow = listener(&world, &hook.event).await;
    let mut expected = post_all(&world, &hook, 1).await;
    // Another process than that of the door has it go on.
    let addresses = std::mem::take(&mut world.management.addresses);
    resume(&world, &hook).await;
    world.management.addresses = addresses;
    world.later(0).await;
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.store.cut();
    // It cannot ask for an hour, and what it cannot hold goes on the queue.
    for _ in 0..2 {
        world.clock.pass_seconds(1_700);
        expected.push(world.post(&hook, json!({})).await.expect(202).id());
    }
    fuses.store.heal();
    // It has not looked since.
    expected.push(world.post(&hook, json!({})).await.expect(202).id());
    assert_eq!(held(&world, &hook).await["meta"]["count"], 1);
    world.later(60).await;
    world.work().await;
    assert_eq!(ran_for(&world, &workflow).await, expected);
    assert_eq!(held(&world, &hook).await["data"], json!([]));
}

#[tokio::test]
async fn the_mark_that_has_a_hook_go_on_is_gone_after_an_hour_and_some_minutes() {
    let clock = Arc::new(service::memory::FixedWorld::at(domain::Timestamp::parse(tests::world::NOON).unwrap()));
    let store = Arc::new(service::memory::MemoryStore::new(clock.clone()));
    let world = World::over(store.clone(), clock).await;
    let hook = paused_hook(&world).await;
    resume(&world, &hook).await;
    let marks = || store.items().iter().filter(|item| item.key.sort == "release").count();
    world.later(65 * 60 - 1).await;
    assert_eq!(marks(), 1);
    world.later(1).await;
    assert_eq!(marks(), 0);
}

/// A queue beside which, between a send and whatever its sender does next, the hook is paused and an executor works.
struct Busy {
    queue: Arc<MemoryQueue>,
    store: Arc<dyn Store>,
    executor: Executor,
    org: OrgId,
    hook: HookId,
}

#[async_trait]
impl Queue for Busy {
    async fn send_later(&self, org: OrgId, message: String, seconds: u32) -> Result<(), Unavailable> {
        self.queue.send_later(org, message, seconds).await?;
        let found = hooks::find(self.store.as_ref(), self.org, HookKind::Form, self.hook).await?.unwrap();
        let paused = Hook { paused: true, ..found.value.clone() };
        hooks::replace(self.store.as_ref(), &paused, &found).await.unwrap();
        for delivery in self.queue.receive(10, 60) {
            self.executor.execute(&delivery.body).await.unwrap();
            self.queue.delete(&delivery.receipt);
        }
        Ok(())
    }
}

#[tokio::test]
async fn what_the_executor_holds_anew_while_the_ticker_takes_it_away_is_not_lost() {
    let mut world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = listener(&world, &hook.event).await;
    let first = world.post(&hook, json!({})).await.expect(202).id();
    world.work().await;
    set(&world, &hook, json!({ "paused": true })).await.expect(200);
    let second = world.post(&hook, json!({})).await.expect(202).id();
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.store.cut();
    world.clock.pass_seconds(5);
    let unsettled = world.post(&hook, json!({})).await.expect(202).id();
    world.work().await;
    assert_eq!(ids(&held(&world, &hook).await).last(), Some(&unsettled));

    for _ in 0..3 {
        resume(&world, &hook).await;
        let busy = Busy {
            queue: world.queue.clone(),
            store: world.store.clone(),
            executor: Executor::new(world.store.clone(), world.queue.clone(), world.clock.clone()),
            org: world.org,
            hook: HookId::parse(&hook.id).unwrap(),
        };
        Ticker::new(world.store.clone(), Arc::new(busy), world.clock.clone()).tick(100).await.unwrap();
        assert_eq!(ids(&held(&world, &hook).await).last(), Some(&unsettled));
    }
    resume(&world, &hook).await;
    world.later(60).await;
    assert_eq!(ran_for(&world, &workflow).await, [first, second, unsettled]);
}

#[tokio::test]
async fn failing_at_every_call_in_turn_the_ticker_loses_nothing_and_nothing_runs_twice() {
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        for place in 0.. {
            let world = World::new().await;
            let hook = paused_hook(&world).await;
            let workflow = listener(&world, &hook.event).await;
            let expected = post_all(&world, &hook, 3).await;
            resume(&world, &hook).await;
            let fuse = Arc::new(Fuse::new(fault));
            let store: Arc<dyn Store> = Arc::new(Faulty::<dyn Store>::sharing(world.store.clone(), fuse.clone()));
            let queue: Arc<dyn Queue> = Arc::new(Faulty::<dyn Queue>::sharing(world.queue.clone(), fuse.clone()));
            fuse.fail_in(place);
            let is_over = Ticker::new(store, queue, world.clock.clone()).tick(100).await.is_ok();
            world.later(60).await;
            assert_eq!(ran_for(&world, &workflow).await, expected, "{fault:?} at {place}");
            if is_over {
                assert!(place > 20, "{place}");
                break;
            }
        }
    }
}

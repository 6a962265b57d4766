//! Every call of the doors' way refused, or done and told as failed: whoever is told 202 has exactly one transaction in the
//! end, and nobody is told anything but 202, 429 or 503.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};
use service::{
    ports::{Queue, Store},
    ticker::Ticker,
};
use tests::{
    faults::{Fault, Faulty, Fuse, failing_executor},
    providers::WebHook,
    world::World,
};

use super::{keyed, listener, open_hook, ran_for};

/// Puts one fuse before the store and the queue of the door.
fn fused_together(world: &mut World, fault: Fault) -> Arc<Fuse> {
    let fuse = Arc::new(Fuse::new(fault));
    world.door.store = Arc::new(Faulty::<dyn Store>::sharing(world.store.clone(), fuse.clone()));
    world.door.queue = Arc::new(Faulty::<dyn Queue>::sharing(world.queue.clone() as Arc<dyn Queue>, fuse.clone()));
    fuse
}

/// Lets everything be done, however often something fails, until there is nothing more to do.
async fn settle(world: &World) {
    for _ in 0..3 {
        world.later(120).await;
    }
    assert_eq!(world.queue.depth(), 0);
}

/// The transaction of the id starts something, or says of which other it is the repeat.
async fn stands_for(world: &World, id: &str) -> String {
    let read = world.get(&format!("/v1/transactions/{id}")).await.expect(200);
    let reason = read.body["meta"]["trace"]["notFired"]["sentence"].as_str();
    reason.map_or_else(
        || id.to_owned(),
        |sentence| {
            let words = sentence.split(|c: char| !c.is_ascii_alphanumeric());
            words.into_iter().find(|word| word.len() == 24).unwrap().to_owned()
        },
    )
}

async fn hook(world: &World, is_paused: bool) -> (WebHook, String) {
    let attributes = json!({ "tape": true, "debug": true, "limit": { "requests": 1_000, "seconds": 1 } });
    let hook = open_hook(world, attributes).await;
    let workflow = listener(world, &hook.event).await;
    if is_paused {
        hook.set(world, json!({ "paused": true })).await.expect(200);
    }
    (hook, workflow)
}

#[tokio::test]
async fn failing_at_each_call_in_turn_an_arrival_and_its_repeat_become_one_run() {
    for is_paused in [false, true] {
        for fault in [Fault::Refuses, Fault::DoesAndFails] {
            for (first_place, is_known) in (0..16).flat_map(|place| [(place, false), (place, true)]) {
                let mut world = World::new().await;
                let (hook, workflow) = hook(&world, is_paused).await;
                let fuse = fused_together(&mut world, fault);
                if is_known {
                    keyed(&world, &hook.path, "other", &json!({})).await.expect(202);
                    world.clock.pass_seconds(5);
                }
                let mut told = Vec::new();
                for place in [first_place, first_place + 1, usize::MAX / 2] {
                    fuse.fail_in(place);
                    let answer = keyed(&world, &hook.path, "k", &json!({ "a": 1 })).await;
                    match answer.status {
                        202 => told.push(answer.id()),
                        503 => assert!(answer.headers.contains_key("retry-after")),
                        other => panic!("{other}: {answer:?}"),
                    }
                }
                fuse.heal();
                if is_paused {
                    world.work().await;
                    assert!(ran_for(&world, &workflow).await.is_empty());
                    hook.set(&world, json!({ "paused": false })).await.expect(200);
                }
                settle(&world).await;
                let mut stand_for = BTreeSet::new();
                for id in &told {
                    stand_for.insert(stands_for(&world, id).await);
                }
                let known = usize::from(is_known);
                let case = format!("{fault:?} at {first_place}, paused {is_paused}, known {is_known}");
                assert_eq!((stand_for.len(), told.is_empty()), (1, false), "{case}: {told:?}");
                assert_eq!(ran_for(&world, &workflow).await.len(), 1 + known, "{case}");
            }
        }
    }
}

/// A generator of small numbers: the same ones for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides).unwrap()
    }
}

#[tokio::test]
async fn many_arrivals_through_doors_executors_and_tickers_that_fail_at_random_each_run_once() {
    for seed in 0..24 {
        let mut dice = Dice(seed);
        let mut world = World::new().await;
        let (hook, workflow) = hook(&world, false).await;
        let fault = if seed % 2 == 0 { Fault::Refuses } else { Fault::DoesAndFails };
        let fuse = fused_together(&mut world, fault);
        let mut told: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut is_paused = false;
        for _ in 0..60 {
            fuse.heal();
            match dice.roll(5) {
                0 => fuse.cut(),
                _ => fuse.fail_in(dice.roll(8)),
            }
            let key = dice.roll(20);
            let answer = keyed(&world, &hook.path, &format!("k{key}"), &json!({ "key": key })).await;
            match answer.status {
                202 => told.entry(key).or_default().push(answer.id()),
                503 => assert!(answer.headers.contains_key("retry-after")),
                other => panic!("{other}: {answer:?}"),
            }
            match dice.roll(6) {
                0 => {
                    is_paused = !is_paused;
                    hook.set(&world, json!({ "paused": is_paused })).await.expect(200);
                }
                1 => {
                    let (executor, _) = failing_executor(&world, fault, dice.roll(12));
                    for delivery in world.queue.receive(5, 30) {
                        if executor.execute(&delivery.body).await.is_ok() {
                            world.queue.delete(&delivery.receipt);
                        }
                    }
                }
                2 => {
                    let own = Arc::new(Fuse::new(fault));
                    own.fail_in(dice.roll(40));
                    let store: Arc<dyn Store> =
                        Arc::new(Faulty::<dyn Store>::sharing(world.store.clone(), own.clone()));
                    let queue: Arc<dyn Queue> = Arc::new(Faulty::<dyn Queue>::sharing(world.queue.clone(), own));
                    let _failed_or_not = Ticker::new(store, queue, world.clock.clone()).tick(1_000).await;
                }
                3 => world.clock.pass_seconds(6),
                _ => {}
            }
        }
        fuse.heal();
        hook.set(&world, json!({ "paused": false })).await.expect(200);
        settle(&world).await;
        let mut expected = BTreeSet::new();
        for (key, ids) in &told {
            let mut one = BTreeSet::new();
            for id in ids {
                one.insert(stands_for(&world, id).await);
            }
            assert_eq!(one.len(), 1, "seed {seed}, key {key}: {ids:?}");
            expected.extend(one);
        }
        let ran = ran_for(&world, &workflow).await;
        let once: BTreeSet<String> = ran.iter().cloned().collect();
        assert_eq!(once.len(), ran.len(), "seed {seed}: something ran twice");
        // What was told 503 may run as well, because a send that fails may have been done.
        assert!(once.is_superset(&expected), "seed {seed}");
        assert!(!told.is_empty(), "seed {seed}");
        let list = world.get(&format!("{}/held", hook.resource())).await.expect(200);
        assert_eq!(
            (&list.body["meta"]["count"], Value::Bool(false)),
            (&json!(0), list.body["meta"]["countsMore"].clone())
        );
    }
}

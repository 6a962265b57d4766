//! Whoever delivers is lost at each call of the world in turn: everything is told all the same, and each try has its record.

use std::sync::Arc;

use serde_json::json;
use service::{
    Executor,
    ports::{Calls, Queue, Store},
};
use tests::{
    faults::{Fault, Faulty, Fuse},
    world::World,
};

use super::{ENDPOINT, Made, all, attempts, delivery, header, publish, told, webhook};

/// An executor that is lost at some call of the store, the queue or the web.
fn executor(world: &World, fuse: &Arc<Fuse>) -> Executor {
    let (store, queue, calls): (Arc<dyn Store>, Arc<dyn Queue>, Arc<dyn Calls>) =
        (world.store.clone(), world.queue.clone(), world.calls.clone());
    let store = Arc::new(Faulty::sharing(store, Arc::clone(fuse)));
    let queue = Arc::new(Faulty::sharing(queue, Arc::clone(fuse)));
    Executor::new(store, queue, world.clock.clone()).with_calls(Arc::new(Faulty::sharing(calls, Arc::clone(fuse))))
}

/// A world in which an event is to be told to an endpoint that fails once.
async fn story(statuses: &[u16]) -> (World, Made) {
    let world = World::new().await;
    for status in statuses {
        world.calls.answer(ENDPOINT, *status, &[], "");
    }
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    (world, made)
}

#[tokio::test]
async fn an_event_is_told_whichever_call_fails() {
    let fuse = Arc::new(Fuse::new(Fault::Refuses));
    let (world, _) = story(&[500, 200]).await;
    world.work_on(&executor(&world, &fuse)).await;
    let calls = fuse.calls();
    assert!(calls > 20, "{calls}");

    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        for place in 0..calls {
            let case = format!("{fault:?} at {place} of {calls}");
            let fuse = Arc::new(Fuse::new(fault));
            let (world, made) = story(&[500, 200]).await;
            fuse.fail_in(place);
            world.work_on(&executor(&world, &fuse)).await;

            let delivery = delivery(&world, &made).await;
            assert_eq!(delivery["attributes"]["state"], "delivered", "{case}: {delivery}");
            let (told, attempts) = (told(&world, ENDPOINT), attempts(&delivery));
            assert!((2..=3).contains(&told.len()), "{case}: told {} times", told.len());
            assert!(told.iter().all(|call| json!(header(call, "webhook-id")) == delivery["id"]), "{case}");
            // Each try has one record, also one of which nobody could say what came of it.
            assert!(attempts.len() >= told.len() && attempts.len() <= 3, "{case}: {attempts:?}");
            let states = all(&attempts, "/state");
            assert_eq!(states.iter().filter(|state| **state == "delivered").count(), 1, "{case}: {states:?}");
            assert!(states.iter().filter(|state| **state == "unknown").count() <= 1, "{case}: {states:?}");
            assert_eq!(delivery["attributes"]["attemptCount"], json!(attempts.len()), "{case}");
        }
    }
}

#[tokio::test]
async fn an_attempt_that_never_comes_to_its_end_is_not_made_for_ever() {
    let (world, made) = story(&[200]).await;
    let told_of = world.queue.receive(1, 60).remove(0);
    world.executor.execute(&told_of.body).await.unwrap();
    world.queue.delete(&told_of.receipt);
    let turn = world.queue.receive(1, 60).remove(0).body;
    for _ in 0..30 {
        // The claim is written, and whoever wrote it is lost before it can say what came of it.
        let fuse = Arc::new(Fuse::new(Fault::Refuses));
        fuse.fail_in(CLAIM_CALLS);
        let _ = executor(&world, &fuse).execute(&turn).await;
        world.clock.pass_seconds(60);
    }
    let delivery = delivery(&world, &made).await;
    assert_eq!(delivery["attributes"]["state"], "failed", "{delivery}");
    assert_eq!((attempts(&delivery).len(), told(&world, ENDPOINT).len()), (12, 12));
}

/// Delivery, webhook, standing, transaction and settings are read, the claim is written, the call is made: the next fails.
const CLAIM_CALLS: usize = 7;

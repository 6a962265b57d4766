//! Asking for a delivery again.

use std::sync::Arc;

use serde_json::{Value, json};
use service::{
    Executor,
    ports::{Store, World as _},
};
use tests::{
    faults::{Fault, Faulty},
    schemas::misfits,
    world::World,
};

use super::{ENDPOINT, all, attempts, deliveries, delivery, header, pass, publish, told, webhook};

const HOUR: i64 = 60 * 60;

async fn resend(world: &World, delivery: &Value) -> tests::Answer {
    world.api("POST", &format!("{}/resend", delivery["links"]["self"].as_str().unwrap()), Value::Null).await
}

#[tokio::test]
async fn a_delivery_is_sent_again_whatever_came_of_it_and_under_the_same_id() {
    for (first, state) in [(200, "delivered"), (500, "pending")] {
        let world = World::new().await;
        world.calls.answer(ENDPOINT, first, &[], "");
        world.calls.answer(ENDPOINT, 200, &[], "");
        let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
        publish(&world).await;
        world.work().await;
        let before = delivery(&world, &made).await;
        assert_eq!(before["attributes"]["state"], state);

        for count in 2..=4 {
            let resent = resend(&world, &before).await.expect(200);
            assert_eq!(misfits("Delivery", &resent.body), Vec::<String>::new());
            assert_eq!(resent.attribute("state"), "pending");
            world.work().await;
            assert_eq!(told(&world, ENDPOINT).len(), count, "after {state}");
        }
        // The message that was on the queue for a second attempt finds its turn over.
        pass(&world, 24 * HOUR).await;
        assert_eq!((told(&world, ENDPOINT).len(), world.queue.depth()), (4, 0));
        let ids: Vec<String> = told(&world, ENDPOINT).iter().map(|call| header(call, "webhook-id")).collect();
        assert!(ids.iter().all(|id| json!(id) == before["id"]), "{ids:?}");
        let after = delivery(&world, &made).await;
        assert_eq!((&after["attributes"]["state"], attempts(&after).len()), (&json!("delivered"), 4));
    }
}

#[tokio::test]
async fn a_delivery_that_was_given_up_has_all_its_attempts_again() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 500, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    pass(&world, 17 * HOUR).await;
    let given_up = delivery(&world, &made).await;
    assert_eq!((&given_up["attributes"]["state"], told(&world, ENDPOINT).len()), (&json!("failed"), 12));
    resend(&world, &given_up).await.expect(200);
    pass(&world, 17 * HOUR).await;
    let again = delivery(&world, &made).await;
    assert_eq!((&again["attributes"]["state"], told(&world, ENDPOINT).len()), (&json!("failed"), 24));
    assert_eq!(all(&attempts(&again), "/number"), (1..=24).map(|number| json!(number)).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_being_delivered_is_asked_for_again_when_that_is_over() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    // Whoever delivers it is lost between the call and its record: the last write of all that there are.
    let store: Arc<dyn Store> = world.store.clone();
    let faulty = Arc::new(Faulty::new(store, Fault::Refuses));
    let executor =
        Executor::new(faulty.clone(), world.queue.clone(), world.clock.clone()).with_calls(world.calls.clone());
    let told_of = world.queue.receive(1, 60).remove(0);
    executor.execute(&told_of.body).await.unwrap();
    world.queue.delete(&told_of.receipt);
    let turn = world.queue.receive(1, 60).remove(0);
    let calls = calls_of_an_attempt().await;
    faulty.fail_in(calls - 1);
    executor.execute(&turn.body).await.unwrap_err();
    faulty.heal();

    let lost = delivery(&world, &made).await;
    assert_eq!((told(&world, ENDPOINT).len(), &attempts(&lost)[0]["state"]), (1, &json!("unknown")));
    assert_eq!(resend(&world, &lost).await.expect(409).code(), "being_delivered");
    world.clock.pass_seconds(59);
    assert_eq!(resend(&world, &lost).await.expect(409).code(), "being_delivered");
    world.clock.pass_seconds(1);
    resend(&world, &lost).await.expect(200);
    pass(&world, 24 * HOUR).await;
    let after = delivery(&world, &made).await;
    assert_eq!(all(&attempts(&after), "/state"), [json!("unknown"), json!("delivered")]);
    assert_eq!((told(&world, ENDPOINT).len(), world.queue.depth()), (2, 0));
}

/// How many calls of the store one attempt takes that succeeds at once.
async fn calls_of_an_attempt() -> usize {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 200, &[], "");
    webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    let store: Arc<dyn Store> = world.store.clone();
    let counted = Arc::new(Faulty::new(store, Fault::Refuses));
    let executor =
        Executor::new(counted.clone(), world.queue.clone(), world.clock.clone()).with_calls(world.calls.clone());
    let told_of = world.queue.receive(1, 60).remove(0);
    executor.execute(&told_of.body).await.unwrap();
    world.queue.delete(&told_of.receipt);
    let before = counted.calls();
    executor.execute(&world.queue.receive(1, 60).remove(0).body).await.unwrap();
    counted.calls() - before
}

#[tokio::test]
async fn nothing_is_asked_for_of_a_webhook_that_is_disabled_and_of_a_delivery_that_is_not_there() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    world.work().await;
    let delivery = delivery(&world, &made).await;
    world.api("PATCH", &made.path, json!({ "enabled": false })).await.expect(200);
    assert_eq!(resend(&world, &delivery).await.expect(409).code(), "webhook_disabled");
    for id in ["5a345109e578360010eadead", "none"] {
        world.api("POST", &format!("{}/deliveries/{id}/resend", made.path), Value::Null).await.expect(404);
    }
}

#[tokio::test]
async fn deliveries_are_listed_page_by_page_for_thirty_days() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    for _ in 0..3 {
        publish(&world).await;
        world.work().await;
        world.clock.pass_seconds(1);
    }
    let first = world.get(&format!("{}/deliveries?pageSize=2", made.path)).await.expect(200);
    let next = first.body["links"]["next"].as_str().unwrap().to_owned();
    let second = world.get(&next).await.expect(200);
    let created = |page: &Value| all(page["data"].as_array().unwrap(), "/attributes/createdAt");
    let listed = [created(&first.body), created(&second.body)].concat();
    let mut newest_first = listed.clone();
    newest_first.sort_by_key(|at| std::cmp::Reverse(at.as_str().unwrap().to_owned()));
    assert_eq!((listed.len(), &listed), (3, &newest_first));
    world.clock.set(world.clock.now().plus_seconds(30 * 24 * HOUR));
    assert_eq!(deliveries(&world, &made, "").await.len(), 0);
}

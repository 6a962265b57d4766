//! The queue is down and the store is not: what arrives is kept there until the ticker has sent it.

use serde_json::{Value, json};
use service::ticker::Ticker;
use tests::{
    faults::{DownQueue, Fault},
    mail::{Ports, delivery, order_mail},
    world::World,
};

use super::{fused, keyed, listener, open_hook, ran_for};

#[tokio::test]
async fn with_the_queue_down_every_kind_of_arrival_is_taken_and_runs_once_when_it_is_back() {
    let mut world = World::new().await;
    let (form, web) = (world.form_hook().await, open_hook(&world, json!({})).await);
    let batches = open_hook(&world, json!({ "app": "meta" })).await;
    let mails = world.email_hook().await;
    let mut workflows = Vec::new();
    for event in [&form.event, &web.event, &batches.event, &mails.event] {
        workflows.push(listener(&world, event).await);
    }
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.queue.cut();

    let mut expected = vec![vec![world.post(&form, json!({ "a": 1 })).await.expect(202).id()]];
    expected.push(vec![keyed(&world, &web.path, "k", &json!({ "a": 1 })).await.expect(202).id()]);
    let batch = json!({ "object": "page", "entry": [{ "changes": [{ "field": "a" }, { "field": "b" }] }] });
    keyed(&world, &batches.path, "k", &batch).await.expect(200);
    world.mails.put("inbound/m1", order_mail("<1@shop.example>", "{\"a\":1}"));
    let door = world.mail_door_over(Ports { queue: std::sync::Arc::new(DownQueue), ..world.mail_ports() });
    let mailed = door.receive(&delivery("m1", &[&mails.address])).await.unwrap();

    // The ticker has the queue of the doors: nothing gets lost while that stays down.
    let ticker = Ticker::new(world.store.clone(), world.door.queue.clone(), world.clock.clone());
    assert!(ticker.tick(100).await.is_err());
    assert_eq!(world.queue.depth(), 0);
    fuses.queue.heal();

    assert_eq!(world.tick().await, 5);
    assert_eq!((world.tick().await, world.queue.depth()), (0, 5));
    world.work().await;
    for (workflow, expected) in workflows.iter().zip(expected.drain(..)) {
        assert_eq!(ran_for(&world, workflow).await, expected);
    }
    assert_eq!(ran_for(&world, &workflows[2]).await.len(), 2);
    assert_eq!(ran_for(&world, &workflows[3]).await, [mailed[0].transaction.to_string()]);
}

#[tokio::test]
async fn a_send_that_failed_and_was_done_starts_nothing_twice() {
    let mut world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = listener(&world, &hook.event).await;
    let fuses = fused(&mut world, Fault::DoesAndFails);
    fuses.queue.cut();
    let id = world.post(&hook, json!({})).await.expect(202).id();
    assert_eq!((world.queue.depth(), world.tick().await, world.queue.depth()), (1, 1, 2));
    world.work().await;
    assert_eq!(ran_for(&world, &workflow).await, [id]);
}

#[tokio::test]
async fn a_repeat_of_what_waits_for_the_queue_is_the_same_transaction_and_waits_once() {
    let mut world = World::new().await;
    let hook = open_hook(&world, json!({})).await;
    let workflow = listener(&world, &hook.event).await;
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.queue.cut();
    let first = keyed(&world, &hook.path, "k", &json!({})).await.expect(202);
    let again = keyed(&world, &hook.path, "k", &json!({})).await.expect(202);
    assert_eq!(first.text, again.text);
    fuses.queue.heal();
    assert_eq!(world.tick().await, 1);
    world.work().await;
    assert_eq!(ran_for(&world, &workflow).await, [first.id()]);
}

#[tokio::test]
async fn a_tick_is_bounded_and_the_next_goes_on() {
    let mut world = World::new().await;
    let hook = world.form_hook().await;
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.queue.cut();
    let mut expected = Vec::new();
    for n in 0..250 {
        expected.push(world.post(&hook, json!({ "n": n })).await.expect(202).id());
    }
    fuses.queue.heal();
    let ticker = Ticker::new(world.store.clone(), world.queue.clone(), world.clock.clone());
    let (mut sent, mut ticks) = (0, 0);
    loop {
        let ticked = ticker.tick(60).await.unwrap();
        (sent, ticks) = (sent + ticked.sent, ticks + 1);
        if !ticked.has_more {
            break;
        }
        assert!(ticked.sent >= 60 && ticked.sent < 60 + 100, "{ticked:?}");
    }
    assert_eq!((sent, world.queue.depth()), (250, 250));
    assert!(ticks > 2, "{ticks}");
    world.work().await;
    for id in expected {
        world.get(&format!("/v1/transactions/{id}")).await.expect(200);
    }
}

#[tokio::test]
async fn the_largest_body_that_is_taken_is_kept_and_sent_whole() {
    let mut world = World::new().await;
    let hook = world.form_hook().await;
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.queue.cut();
    // Quotes and slashes, each of which is written as two characters, twice over.
    let text = "\"\\".repeat(100_000);
    let id = world.post_as(&hook, "text/plain", text.clone()).await.expect(202).id();
    fuses.queue.heal();
    world.later(60).await;
    let read = world.get(&format!("/v1/transactions/{id}")).await.expect(200);
    assert_eq!(read.attribute("data"), json!({ "unstructured": text }));
}

#[tokio::test]
async fn a_poster_who_waits_for_an_answer_is_not_let_wait_for_what_starts_nothing_now() {
    let mut world = World::new().await;
    let hook = world.form_hook_with(json!({ "title": "Prices", "reply": { "waitSeconds": 25 } })).await;
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.queue.cut();
    let before = service::ports::World::now(world.clock.as_ref());
    world.post(&hook, json!({})).await.expect(202);
    assert_eq!(service::ports::World::now(world.clock.as_ref()), before);
}

#[tokio::test]
async fn with_both_down_every_door_asks_to_come_again() {
    let mut world = World::new().await;
    let hook = world.form_hook().await;
    let web = open_hook(&world, json!({})).await;
    world.post(&hook, json!({})).await.expect(202);
    keyed(&world, &web.path, "k", &json!({})).await.expect(202);
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.queue.cut();
    fuses.store.cut();
    for seconds in [0, 10] {
        world.clock.pass_seconds(seconds);
        for path in [&hook.path, &web.path] {
            let answer = keyed(&world, path, "k", &json!({})).await.expect(503);
            assert_eq!((answer.code(), &answer.headers["retry-after"]), ("unavailable", &"5".parse().unwrap()));
        }
    }
    assert_eq!(world.get("/v1/hooks/form").await.expect(200).body["data"][0]["id"], Value::from(hook.id));
}

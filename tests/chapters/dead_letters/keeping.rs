//! Keeping: at the last delivery or from the dead-letter queue, once, and never without an owner.

use std::future::pending;

use domain::OrgId;
use serde_json::{Value, json};
use service::{Delivered, dead_letters::NotKept, ports::MESSAGE_LIMIT_BYTES};
use tests::{
    World,
    faults::{Fault, failing_executor},
    letters::{given_up, last_delivery},
};

use super::letters;

#[tokio::test]
async fn before_its_last_delivery_a_message_comes_again_and_nothing_is_kept() {
    let world = World::new().await;
    for receive_count in 1..5 {
        let delivered = Delivered { receive_count, ..last_delivery(Some(world.org), "m1", "garbage") };
        assert!(world.executor.execute_delivered(&delivered, pending()).await.is_err(), "{receive_count}");
        assert_eq!(letters(&world, "").await.len(), 0);
    }
    let last = last_delivery(Some(world.org), "m1", "garbage");
    assert_eq!(world.executor.execute_delivered(&last, pending()).await, Ok(()));
    assert_eq!(letters(&world, "").await.len(), 1);
}

#[tokio::test]
async fn what_is_kept_twice_is_one_letter_with_its_first_reason() {
    let world = World::new().await;
    let last = last_delivery(Some(world.org), "m1", "garbage");
    world.executor.execute_delivered(&last, pending()).await.unwrap();
    world.clock.pass_seconds(60);
    for _ in 0..2 {
        given_up(&world, Some(world.org), "m1", "garbage").await;
    }
    given_up(&world, Some(world.org), "m2", "garbage").await;
    let codes: Vec<Value> = letters(&world, "").await.iter().map(|letter| letter["reason"]["code"].clone()).collect();
    assert_eq!(codes, ["no_answer", "unreadable"]);
}

#[tokio::test]
async fn an_owner_is_read_from_the_message_then_from_its_queue_and_without_one_nothing_is_kept() {
    let world = World::new().await;
    let (own, other) = (world.org, OrgId::parse("000000000000000000000001").unwrap());
    let named = format!(r#"{{"v":2,"wake":{{"org":"{own}","run":1}}}}"#);
    for (name, org, body, count) in [
        ("a message of another version", None, named.as_str(), 1),
        ("the group of garbage", Some(own), "garbage", 2),
        ("another's garbage", Some(other), "garbage", 2),
    ] {
        given_up(&world, org, name, body).await;
        assert_eq!(letters(&world, "").await.len(), count, "{name}");
    }
    for body in ["garbage", "", "{}", "[]", r#"{"wake":{"org":"x"}}"#, r#"{"wake":1}"#] {
        let kept = world.executor.keep_given_up(&last_delivery(None, "m1", body)).await;
        assert_eq!(kept, Err(NotKept::OfNobody), "{body}");
        let failed = world.executor.execute_delivered(&last_delivery(None, "m1", body), pending()).await.unwrap_err();
        assert!(failed.to_string().contains("nothing tells whose it is"), "{failed}");
    }
}

#[tokio::test]
async fn a_message_of_the_greatest_size_is_kept_and_comes_back_as_it_was_whatever_is_in_it() {
    let world = World::new().await;
    for (name, character) in [("plain", "x"), ("quoted", "\""), ("control", "\u{1}")] {
        let body = character.repeat(MESSAGE_LIMIT_BYTES);
        let id = given_up(&world, Some(world.org), name, &body).await;
        let shown = world.get(&format!("/v1/dead-letters/{id}")).await.expect(200);
        assert_eq!(shown.attribute("bytes"), MESSAGE_LIMIT_BYTES, "{name}");
        let is_shown = name != "control";
        assert_eq!(shown.attribute("message") == json!(body), is_shown, "{name}");
        assert_eq!(shown.attribute("message")["leftOutBytes"].is_u64(), !is_shown, "{name}");
        world.api("POST", &format!("/v1/dead-letters/{id}/redrive"), Value::Null).await.expect(200);
        let sent = world.queue.receive(1, 60).remove(0);
        assert!(sent.body == body, "{name}");
        world.queue.delete(&sent.receipt);
    }
}

#[tokio::test]
async fn what_the_store_does_not_keep_stays_with_the_queue_and_is_kept_later() {
    let last = |world: &World| last_delivery(Some(world.org), "m1", "garbage");
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        for place in 0..2 {
            let world = World::new().await;
            let (executor, fuse) = failing_executor(&world, fault, place);
            let failed = executor.execute_delivered(&last(&world), pending()).await.unwrap_err();
            assert!(failed.to_string().contains("it was not kept as a dead letter"), "{failed}");
            assert!(executor.keep_given_up(&last(&world)).await.is_ok(), "{fault:?} {place}");
            assert!(fuse.calls() > place);
            assert_eq!(letters(&world, "").await.len(), 1, "{fault:?} {place}");
        }
    }
}

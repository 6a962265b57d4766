//! A hook that is paused: it takes what arrives, holds it, and starts nothing.

use serde_json::{Value, json};
use service::runs::{self, COUNTED_LIMIT, Held, Holding};
use tests::{mail::order_mail, world::World};

use super::{held, ids, keyed, listener, open_hook, ran_for, set};

#[tokio::test]
async fn what_arrives_at_a_paused_hook_is_accepted_and_held_in_the_order_in_which_it_came() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = listener(&world, &hook.event).await;
    assert!(set(&world, &hook, json!({ "paused": true })).await.expect(200).attribute("paused") == true);
    let mut expected = Vec::new();
    for n in 0..5 {
        world.clock.pass_seconds(1);
        let answer = world.post(&hook, json!({ "n": n })).await.expect(202);
        assert_eq!(answer.body["data"]["type"], "transaction");
        expected.push(answer.id());
    }
    world.later(3_600).await;
    assert_eq!((world.queue.depth(), ran_for(&world, &workflow).await.len()), (0, 0));
    let list = held(&world, &hook).await;
    assert_eq!(ids(&list), expected);
    assert_eq!(list["meta"]["count"], 5);
    assert_eq!(list["meta"]["countsMore"], false);
    assert_eq!(list["meta"]["paused"], true);
    assert_eq!(list["meta"]["oldestAt"], "2026-11-22T12:00:01.000Z");
    let missing = world.get(&format!("/v1/transactions/{}", expected[0])).await.expect(404);
    assert!(missing.text.contains("holds"), "{}", missing.text);

    // A page at a time, and each only once.
    let pages = world.pages(&format!("/v1/hooks/form/{}/held?pageSize=2", hook.id)).await;
    let seen: Vec<_> = pages.iter().flat_map(|page| ids(&page.body)).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_webhook_and_an_email_hook_are_paused_alike() {
    let world = World::new().await;
    let web = open_hook(&world, json!({ "paused": true })).await;
    let batch = json!({ "object": "page", "entry": [{ "changes": [{ "field": "a" }, { "field": "b" }] }] });
    let batches = open_hook(&world, json!({ "app": "meta", "paused": true })).await;
    let mails = world.email_hook_with(json!({ "paused": true })).await;
    keyed(&world, &web.path, "k", &json!({})).await.expect(202);
    keyed(&world, &web.path, "k", &json!({})).await.expect(202);
    keyed(&world, &batches.path, "k", &batch).await.expect(200);
    world.mail_to(&mails, "m1", order_mail("<1@shop.example>", "{\"a\":1}")).await;
    assert_eq!(world.queue.depth(), 0);
    for (path, count) in [(web.resource(), 1), (batches.resource(), 2), (mails.path.clone(), 1)] {
        let list = world.get(&format!("{path}/held")).await.expect(200).body;
        assert_eq!((ids(&list).len(), &list["meta"]["count"]), (count, &json!(count)), "{path}");
        world.api("PATCH", &path, json!({ "paused": false })).await.expect(200);
    }
    assert_eq!(world.tick().await, 4);
}

#[tokio::test]
async fn the_debug_log_the_tape_and_the_refusals_tell_that_it_was_held() {
    let world = World::new().await;
    let hook = world.form_hook_with(json!({ "title": "t", "debug": true, "tape": true, "paused": true })).await;
    let id = world.post(&hook, json!({ "a": 1 })).await.expect(202).id();
    let read = async |what: &str| world.get(&format!("/v1/hooks/form/{}/{what}", hook.id)).await.expect(200).body;
    let log = read("transactions").await;
    assert_eq!((&log["data"][0]["id"], &log["data"][0]["meta"]), (&json!(id), &json!({ "held": true })));
    assert_eq!(read("arrivals").await["data"][0]["attributes"]["held"], true);
    let meta = &read("refusals").await["meta"];
    assert_eq!((&meta["paused"], &meta["held"], &meta["holdsMore"]), (&json!(true), &json!(1), &json!(false)));
}

#[tokio::test]
async fn a_refusal_is_a_refusal_while_the_hook_is_paused_too() {
    let world = World::new().await;
    let hook = world.form_hook_with(json!({ "title": "t", "paused": true })).await;
    world.post_as(&hook, "application/json", "{").await.expect(400);
    let other = set(&world, &hook, json!({ "paused": "yes" })).await.expect(400);
    assert!(other.text.contains("`paused` is true or false"), "{}", other.text);
    assert_eq!(held(&world, &hook).await["data"], json!([]));
}

#[tokio::test]
async fn a_hook_that_holds_something_is_not_deleted_before_that_has_gone_on() {
    let world = World::new().await;
    let hook = world.form_hook_with(json!({ "title": "t", "paused": true })).await;
    let workflow = listener(&world, &hook.event).await;
    let id = world.post(&hook, json!({})).await.expect(202).id();
    let path = format!("/v1/hooks/form/{}", hook.id);
    let refused = world.api("DELETE", &path, Value::Null).await.expect(409);
    assert_eq!(refused.code(), "holds_arrivals");
    set(&world, &hook, json!({ "paused": false })).await.expect(200);
    assert_eq!(world.api("DELETE", &path, Value::Null).await.expect(409).code(), "holds_arrivals");
    world.later(60).await;
    world.api("DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(ran_for(&world, &workflow).await, [id]);
}

#[tokio::test]
async fn what_a_door_holds_for_a_hook_that_was_just_deleted_goes_on() {
    let world = World::new().await;
    let hook = world.form_hook_with(json!({ "title": "t", "paused": true })).await;
    let workflow = listener(&world, &hook.event).await;
    world.post_as(&hook, "application/json", "{").await.expect(400);
    let mut world = world;
    // The door's own memory is another process's.
    world.management.addresses = std::sync::Arc::default();
    world.api("DELETE", &format!("/v1/hooks/form/{}", hook.id), Value::Null).await.expect(204);
    let id = world.post(&hook, json!({})).await.expect(202).id();
    world.later(60).await;
    assert_eq!(ran_for(&world, &workflow).await, [id]);
}

#[tokio::test]
async fn a_thousand_are_counted_and_of_more_it_is_said_that_there_are() {
    let world = World::new().await;
    let hook = world.form_hook_with(json!({ "title": "t", "paused": true })).await;
    let id = domain::HookId::parse(&hook.id).unwrap();
    let hold = async |n: usize| {
        let created_at = domain::Timestamp::from_millisecond(i64::try_from(n).unwrap());
        let transaction = domain::TransactionId::fresh(created_at, u64::try_from(n).unwrap().to_be_bytes());
        let message = "{}".to_owned();
        let held = Held { org: world.org, transaction, created_at, held_at: created_at, message };
        runs::hold(world.store.as_ref(), id, &held, Holding::Once).await.unwrap();
    };
    for n in 0..COUNTED_LIMIT {
        hold(n).await;
    }
    let meta = held(&world, &hook).await["meta"].clone();
    assert_eq!((&meta["count"], &meta["countsMore"]), (&json!(COUNTED_LIMIT), &json!(false)));
    hold(COUNTED_LIMIT).await;
    let meta = held(&world, &hook).await["meta"].clone();
    assert_eq!((&meta["count"], &meta["countsMore"]), (&json!(COUNTED_LIMIT), &json!(true)));
}

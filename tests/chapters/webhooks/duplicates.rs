//! Repeats, counted and listed for the owner of a hook, and keys that were used for two things.

use std::sync::Arc;

use domain::Timestamp;
use futures_util::future::join_all;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use service::ports::Store;
use tests::{
    Answer,
    faults::{Fault, Faulty, Fuse},
    mail::order_mail,
    providers::{PoliteStore, WebHook},
    world::{NOON, World, always, workflow_of},
};

use super::{open_hook, post};

async fn keyed(world: &World, hook: &WebHook, key: &str, body: &str) -> Answer {
    post(world, hook, &[("idempotency-key", key)], body).await
}

/// The list of the hook at `path`.
async fn duplicates(world: &World, path: &str) -> Value {
    world.get(&format!("{path}/duplicates")).await.expect(200).body
}

/// How often the transaction was repeated, by its own account.
async fn repeats(world: &World, id: &str) -> Value {
    world.get(&format!("/v1/transactions/{id}")).await.expect(200).body["meta"]["repeats"].clone()
}

#[tokio::test]
async fn a_repeat_is_listed_with_the_transaction_that_it_repeats_and_what_told_it() {
    let world = World::new().await;
    let hook = open_hook(&world).await;
    let first = keyed(&world, &hook, "k", "{}").await.expect(202).id();
    keyed(&world, &hook, "l", "{}").await.expect(202);
    world.work().await;
    assert_eq!(duplicates(&world, &hook.resource()).await["meta"]["count"], 0);
    assert_eq!(repeats(&world, &first).await, Value::Null);
    for _ in 0..3 {
        world.clock.pass_seconds(60);
        keyed(&world, &hook, "k", "{}").await.expect(202);
    }
    let list = duplicates(&world, &hook.resource()).await;
    assert_eq!((&list["meta"]["count"], list["data"].as_array().unwrap().len()), (&json!(3), 3));
    assert_eq!(
        list["data"][0]["attributes"],
        json!({
            "createdAt": "2026-11-22T12:03:00.000Z",
            "rule": "idempotency_key",
            "transactionId": first,
            "firstAt": "2026-11-22T12:00:00.000Z",
        })
    );
    assert_eq!(repeats(&world, &first).await, json!({ "count": 3, "lastAt": "2026-11-22T12:03:00.000Z" }));
    let refusals = world.get(&format!("{}/refusals", hook.resource())).await.expect(200);
    assert_eq!((&refusals.body["meta"]["duplicates"], &refusals.body["data"]), (&json!(3), &json!([])));
}

#[tokio::test]
async fn the_last_twenty_are_listed_newest_first_and_all_are_counted() {
    let world = World::new().await;
    let hook = open_hook(&world).await;
    // The very first of all is none.
    for (posts, listed) in [(20, 19), (1, 20), (26, 20)] {
        for _ in 0..posts {
            world.clock.pass_seconds(1);
            keyed(&world, &hook, "k", "{}").await.expect(202);
        }
        let list = duplicates(&world, &hook.resource()).await;
        let at: Vec<&str> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["attributes"]["createdAt"].as_str().unwrap())
            .collect();
        let mut sorted = at.clone();
        sorted.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!((at.len(), at.first()), (listed, sorted.first()));
        assert_eq!(at, sorted);
    }
    let list = duplicates(&world, &hook.resource()).await;
    assert_eq!((&list["meta"]["count"], list["data"].as_array().unwrap().len()), (&json!(46), 20));
    assert_eq!(list["data"][19]["attributes"]["createdAt"], "2026-11-22T12:00:28.000Z");
}

#[tokio::test]
async fn every_kind_of_rule_is_told_at_every_kind_of_hook() {
    let world = World::new().await;
    let rule = async |path: &str| duplicates(&world, path).await["data"][0]["attributes"]["rule"].clone();
    let with = async |duplicates: Value| {
        let attributes = json!({ "auth": { "scheme": "none" }, "duplicates": duplicates });
        WebHook::new(&world, attributes).await
    };
    let fields = with(json!({ "windowSeconds": 60, "fields": ["a"] })).await;
    let body = with(json!({ "windowSeconds": 60 })).await;
    for (hook, expected) in [(&fields, "fields"), (&body, "body")] {
        for _ in 0..2 {
            post(&world, hook, &[], "{\"a\":1}").await.expect(202);
        }
        assert_eq!(rule(&hook.resource()).await, expected);
    }
    let shop = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "app": "shopify" })).await;
    for _ in 0..2 {
        post(&world, &shop, &[("x-shopify-webhook-id", "1")], "{}").await.expect(202);
    }
    assert_eq!(rule(&shop.resource()).await, "delivery_id");

    let form = world.form_hook().await;
    for _ in 0..2 {
        let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
        world.send("POST", &form.path, &headers, "{}").await.expect(202);
    }
    assert_eq!(rule(&format!("/v1/hooks/form/{}", form.id)).await, "idempotency_key");

    let guarded = world.form_hook_with(json!({ "title": "t", "guard": { "minimumFillSeconds": 1 } })).await;
    let challenge = world.send("GET", &format!("{}/challenge", guarded.path), &[], "").await.expect(200);
    world.clock.pass_seconds(2);
    let post = json!({ "a": 1, "hw_token": challenge.attribute("token") });
    for _ in 0..2 {
        world.post(&guarded, post.clone()).await.expect(202);
    }
    assert_eq!(rule(&format!("/v1/hooks/form/{}", guarded.id)).await, "challenge");

    let mails = world.email_hook().await;
    let order = order_mail("<1@shop.example>", "{\"a\":1}");
    world.mail_to(&mails, "m1", order.clone()).await;
    // SES tells of the same mail again, which is no repeat of its sender's.
    world.mail_to(&mails, "m1", order.clone()).await;
    assert_eq!(duplicates(&world, &mails.path).await["meta"]["count"], 0);
    world.mail_to(&mails, "m2", order).await;
    assert_eq!(rule(&mails.path).await, "message_id");
}

#[tokio::test]
async fn a_first_arrival_costs_no_write_for_that_and_a_repeat_one() {
    let mut world = World::new().await;
    let hook = open_hook(&world).await;
    let fuse = Arc::new(Fuse::new(Fault::Refuses));
    world.door.store = Arc::new(Faulty::<dyn Store>::sharing(world.store.clone(), fuse.clone()));
    keyed(&world, &hook, "k", "{}").await.expect(202);
    let calls = async |key: &str| {
        let before = fuse.calls();
        keyed(&world, &hook, key, "{}").await.expect(202);
        fuse.calls() - before
    };
    assert_eq!(calls("l").await, 1, "the mark");
    assert_eq!(calls("k").await, 4, "the mark, two counts as they are, and both written in one");
}

#[tokio::test]
async fn a_count_that_cannot_be_written_changes_no_answer() {
    let mut world = World::new().await;
    let hook = open_hook(&world).await;
    let first = keyed(&world, &hook, "k", "{}").await.expect(202);
    let fuse = Arc::new(Fuse::new(Fault::Refuses));
    world.door.store = Arc::new(Faulty::<dyn Store>::sharing(world.store.clone(), fuse.clone()));
    for place in 1..4 {
        fuse.fail_in(place);
        assert_eq!(keyed(&world, &hook, "k", "{}").await.expect(202).text, first.text);
    }
    assert_eq!(duplicates(&world, &hook.resource()).await["meta"]["count"], 0);
}

#[tokio::test]
async fn a_key_that_came_with_two_bodies_is_explained_to_the_owner() {
    let world = World::new().await;
    let form = world.form_hook().await;
    let web = open_hook(&world).await;
    for (path, resource) in
        [(form.path.clone(), format!("/v1/hooks/form/{}", form.id)), (web.path.clone(), web.resource())]
    {
        let send = async |body: &str| {
            let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
            world.send("POST", &path, &headers, body.to_owned()).await
        };
        let first = send("{\"a\":1}").await.expect(202).id();
        world.clock.pass_seconds(7);
        assert_eq!(send("{\"a\":2}").await.expect(409).code(), "idempotency_conflict");
        let refusals = world.get(&format!("{resource}/refusals")).await.expect(200).body;
        let refusal = &refusals["data"][0]["attributes"];
        assert_eq!(
            (&refusal["code"], &refusal["check"], &refusal["transactionId"]),
            (&json!("idempotency_conflict"), &json!("idempotency_key"), &json!(first))
        );
        assert_eq!(
            (&refusal["reasons"][0]["code"], refusals["data"].as_array().unwrap().len()),
            (&json!("reused_key"), 1)
        );
        let failure = refusal["failure"].as_str().unwrap();
        for part in [
            "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862",
            "7e8059f495589fcd981232cc11d00b00da3802c01d688fa1cf1f6bed6e5bb33c",
            "2026-11-22T12:00:00.000Z",
            "2026-11-22T12:00:07.000Z",
            &first,
        ] {
            assert!(failure.contains(part), "{failure}");
        }
        world.clock.set(Timestamp::parse(NOON).unwrap());
        assert_eq!(duplicates(&world, &resource).await["meta"]["count"], 0, "a conflict is no repeat");
    }
}

#[tokio::test]
async fn many_at_once_under_one_key_are_one_transaction_and_every_other_is_counted() {
    for count in [2_u64, 3, 8] {
        let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
        let store = Arc::new(PoliteStore(Arc::new(MemoryStore::new(clock.clone()))));
        let world = World::over(store, clock).await;
        let hook = open_hook(&world).await;
        let end = json!([{ "id": "end", "transitions": [] }]);
        let workflow = world.workflow(workflow_of("listener", &hook.event, end)).await;
        let answers = join_all((0..count).map(|_| keyed(&world, &hook, "k", "{\"a\":1}"))).await;
        let first = answers[0].clone().expect(202);
        assert!(answers.iter().all(|answer| (answer.status, &answer.text) == (202, &first.text)));
        world.work().await;
        let runs = world.get(&format!("/v1/workflows/{workflow}/runs")).await.expect(200);
        assert_eq!(runs.body["data"].as_array().unwrap().len(), 1);
        assert_eq!(duplicates(&world, &hook.resource()).await["meta"]["count"], count - 1);
        assert_eq!(repeats(&world, &first.id()).await["count"], count - 1);
    }
}

#[tokio::test]
async fn a_repeat_at_a_hook_that_waits_is_given_the_answer_that_the_first_was() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "reply": { "waitSeconds": 10 } })).await;
    let respond = json!([
        { "id": "respond", "action": "flow.respond", "transitions": always("end"),
          "params": { "status": 201, "output": { "price": "/#steps.1.attributes.data.price" } } },
        { "id": "end", "transitions": [] },
    ]);
    world.workflow(workflow_of("prices", &hook.event, respond)).await;
    // Nobody works while the first waits.
    keyed(&world, &hook, "k", "{\"price\":7}").await.expect(202);
    world.work().await;
    for _ in 0..2 {
        let again = keyed(&world, &hook, "k", "{\"price\":7}").await.expect(201);
        assert_eq!(again.body, json!({ "price": 7 }));
    }
}

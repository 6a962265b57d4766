//! The store is down and the queue is not: hooks that are remembered go on, and the executor settles what could not be asked.

use serde_json::{Value, json};
use tests::{
    faults::Fault,
    providers::WebHook,
    world::{FormHook, World, workflow_of},
};

use super::{fused, held, ids, keyed, listener, open_hook, ran_for, set};

const HOUR_SECONDS: i64 = 3_600;

/// Past the time for which a hook is believed without a look.
const STALE_SECONDS: i64 = 5;

/// Why the transaction started nothing.
async fn not_fired(world: &World, id: &str) -> Value {
    world.get(&format!("/v1/transactions/{id}")).await.expect(200).body["meta"]["trace"]["notFired"].clone()
}

#[tokio::test]
async fn a_known_hook_is_served_for_an_hour_and_an_unknown_address_not_at_all() {
    let mut world = World::new().await;
    let (known, unknown) = (world.form_hook().await, world.form_hook().await);
    let workflow = listener(&world, &known.event).await;
    let mut expected = vec![world.post(&known, json!({})).await.expect(202).id()];
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.store.cut();
    for seconds in [STALE_SECONDS, HOUR_SECONDS - STALE_SECONDS - 1] {
        world.clock.pass_seconds(seconds);
        expected.push(world.post(&known, json!({})).await.expect(202).id());
        let answer = world.post(&unknown, json!({})).await.expect(503);
        assert!(answer.headers.contains_key("retry-after"));
    }
    // What was looked up a moment ago is believed for 5 seconds more.
    world.clock.pass_seconds(STALE_SECONDS - 1);
    expected.push(world.post(&known, json!({})).await.expect(202).id());
    world.clock.pass_seconds(1);
    world.post(&known, json!({})).await.expect(503);
    fuses.store.heal();
    world.post(&unknown, json!({})).await.expect(202);
    world.work().await;
    assert_eq!(ran_for(&world, &workflow).await, expected);
}

#[tokio::test]
async fn the_store_is_not_asked_again_at_once() {
    let mut world = World::new().await;
    let hook =
        world.form_hook_with(json!({ "title": "t", "debug": true, "limit": { "requests": 9, "seconds": 9 } })).await;
    world.post(&hook, json!({})).await.expect(202);
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.store.cut();
    world.clock.pass_seconds(STALE_SECONDS);
    for _ in 0..5 {
        keyed(&world, &hook.path, "k", &json!({})).await.expect(202);
    }
    assert_eq!(fuses.store.calls(), 1, "each call may take its sender seconds");
}

#[tokio::test]
async fn a_repeat_that_could_not_be_asked_for_is_one_in_the_end() {
    for seconds in [0, STALE_SECONDS] {
        let mut world = World::new().await;
        let hook = open_hook(&world, json!({})).await;
        let workflow = listener(&world, &hook.event).await;
        let first = keyed(&world, &hook.path, "k", &json!({ "a": 1 })).await.expect(202).id();
        let fuses = fused(&mut world, Fault::Refuses);
        world.clock.pass_seconds(seconds);
        fuses.store.cut();
        let repeat = keyed(&world, &hook.path, "k", &json!({ "a": 1 })).await.expect(202).id();
        let other = keyed(&world, &hook.path, "k", &json!({ "a": 2 })).await.expect(202).id();
        let fresh = keyed(&world, &hook.path, "l", &json!({ "a": 1 })).await.expect(202).id();
        let fresh_again = keyed(&world, &hook.path, "l", &json!({ "a": 1 })).await.expect(202).id();
        fuses.store.heal();
        world.work().await;

        let mut expected = [first.clone(), fresh.clone()];
        expected.sort();
        assert_eq!(ran_for(&world, &workflow).await, expected);
        for (id, code, of) in [
            (&repeat, "repeated", &first),
            (&other, "idempotency_conflict", &first),
            (&fresh_again, "repeated", &fresh),
        ] {
            let reason = not_fired(&world, id).await;
            assert_eq!(reason["code"], code);
            assert!(reason["sentence"].as_str().unwrap().contains(of.as_str()), "{reason}");
        }
        // From now on the door knows the key that the executor has marked.
        world.clock.pass_seconds(STALE_SECONDS);
        assert_eq!(keyed(&world, &hook.path, "l", &json!({ "a": 1 })).await.expect(202).id(), fresh);
        let repeats = world.get(&format!("{}/duplicates", hook.resource())).await.expect(200);
        assert_eq!(repeats.body["meta"]["count"], 4);
    }
}

#[tokio::test]
async fn a_first_try_that_was_marked_and_never_sent_swallows_nothing_that_is_accepted_after_it() {
    let mut world = World::new().await;
    let hook = open_hook(&world, json!({})).await;
    let workflow = listener(&world, &hook.event).await;
    let before = keyed(&world, &hook.path, "before", &json!({})).await.expect(202).id();
    let fuses = fused(&mut world, Fault::Refuses);
    // The mark is written; then the queue takes nothing, and the store does not keep it either.
    fuses.queue.cut();
    fuses.store.fail_in(1);
    keyed(&world, &hook.path, "k", &json!({ "a": 1 })).await.expect(503);
    fuses.queue.heal();
    fuses.store.cut();
    let accepted = keyed(&world, &hook.path, "k", &json!({ "a": 1 })).await.expect(202).id();
    fuses.store.heal();
    world.work().await;

    let ran = ran_for(&world, &workflow).await;
    let first = ran.iter().find(|id| **id != before).unwrap().clone();
    assert_eq!(ran.len(), 2);
    assert_ne!(first, accepted, "it goes under the name that the mark has");
    let reason = not_fired(&world, &accepted).await;
    assert_eq!(reason["code"], "repeated");
    assert!(reason["sentence"].as_str().unwrap().contains(&first), "{reason}");
    world.clock.pass_seconds(STALE_SECONDS);
    assert_eq!(keyed(&world, &hook.path, "k", &json!({ "a": 1 })).await.expect(202).id(), first);
    world.work().await;
    assert_eq!(ran_for(&world, &workflow).await, ran);
}

#[tokio::test]
async fn what_is_delivered_twice_while_unsettled_is_settled_once() {
    let mut world = World::new().await;
    let hook = open_hook(&world, json!({})).await;
    let workflow = listener(&world, &hook.event).await;
    keyed(&world, &hook.path, "k", &json!({})).await.expect(202);
    world.work().await;
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.store.cut();
    for key in ["k", "l"] {
        keyed(&world, &hook.path, key, &json!({})).await.expect(202);
    }
    for delivery in world.queue.receive(10, 60) {
        for _ in 0..3 {
            world.executor.execute(&delivery.body).await.unwrap();
        }
    }
    assert_eq!(ran_for(&world, &workflow).await.len(), 2);
    let repeats = world.get(&format!("{}/duplicates", hook.resource())).await.expect(200);
    assert_eq!(repeats.body["meta"]["count"], 1);
}

#[tokio::test]
async fn what_came_to_a_hook_that_was_deleted_is_kept_with_the_reason_and_starts_nothing() {
    let mut world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = listener(&world, &hook.event).await;
    world.post(&hook, json!({})).await.expect(202);
    world.work().await;
    // Another process than that of the door deletes it.
    let addresses = std::mem::take(&mut world.management.addresses);
    world.api("DELETE", &format!("/v1/hooks/form/{}", hook.id), Value::Null).await.expect(204);
    world.management.addresses = addresses;
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.store.cut();
    world.clock.pass_seconds(STALE_SECONDS);
    let id = world.post_as(&hook, "application/json", r#"{"a":1,"a":2}"#).await.expect(202).id();
    world.work().await;
    assert_eq!(not_fired(&world, &id).await["code"], "hook_deleted");
    let trace = &world.get(&format!("/v1/transactions/{id}")).await.expect(200).body["meta"]["trace"];
    assert_eq!(trace["notes"][0]["code"], "duplicate_key", "{trace}");
    assert_eq!(ran_for(&world, &workflow).await.len(), 1);
}

#[tokio::test]
async fn what_came_to_a_paused_hook_is_held_by_the_executor() {
    for known_as_paused in [true, false] {
        let mut world = World::new().await;
        let hook = world.form_hook_with(json!({ "title": "t", "paused": known_as_paused })).await;
        let workflow = listener(&world, &hook.event).await;
        let first = world.post(&hook, json!({})).await.expect(202).id();
        world.work().await;
        // A door that could not look does not know.
        let addresses = std::mem::take(&mut world.management.addresses);
        set(&world, &hook, json!({ "paused": true })).await.expect(200);
        world.management.addresses = addresses;

        let fuses = fused(&mut world, Fault::Refuses);
        fuses.store.cut();
        world.clock.pass_seconds(STALE_SECONDS);
        let id = world.post(&hook, json!({})).await.expect(202).id();
        assert_eq!(world.queue.depth(), 1);
        world.work().await;
        assert_eq!(ids(&held(&world, &hook).await).last(), Some(&id));
        assert_eq!(ran_for(&world, &workflow).await.len(), usize::from(!known_as_paused));

        set(&world, &hook, json!({ "paused": false })).await.expect(200);
        world.later(60).await;
        assert_eq!(ran_for(&world, &workflow).await, [first, id]);
    }
}

#[tokio::test]
async fn a_run_that_has_begun_goes_on_although_its_hook_was_paused_then() {
    let mut world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = listener(&world, &hook.event).await;
    world.post(&hook, json!({})).await.expect(202);
    world.work().await;
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.store.cut();
    world.clock.pass_seconds(STALE_SECONDS);
    world.post(&hook, json!({})).await.expect(202);
    let deliveries = world.queue.receive(1, 60);
    world.executor.execute(&deliveries[0].body).await.unwrap();
    set(&world, &hook, json!({ "paused": true })).await.expect(200);
    world.executor.execute(&deliveries[0].body).await.unwrap();
    assert_eq!(held(&world, &hook).await["data"], json!([]));
    assert_eq!(ran_for(&world, &workflow).await.len(), 2);
}

#[tokio::test]
async fn who_sends_with_an_api_key_is_asked_to_come_again_once_the_key_cannot_be_asked_for() {
    let mut world = World::new().await;
    let hook = WebHook::new(&world, json!({})).await;
    let token = world.key(world.org, &["org.hooks"], 9).await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    world.send("POST", &hook.path, &headers, "{}").await.expect(202);
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.store.cut();
    world.clock.pass_seconds(STALE_SECONDS - 1);
    world.send("POST", &hook.path, &headers, "{}").await.expect(202);
    // A key that was deleted stops within 5 seconds, whatever is down.
    world.clock.pass_seconds(1);
    let answer = world.send("POST", &hook.path, &headers, "{}").await.expect(503);
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn who_signs_is_known_without_the_store() {
    let mut world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "basic", "secrets": ["shop:test-only"] } })).await;
    let basic = [("authorization", "Basic c2hvcDp0ZXN0LW9ubHk="), ("content-type", "application/json")];
    world.send("POST", &hook.path, &basic, "{}").await.expect(202);
    let fuses = fused(&mut world, Fault::Refuses);
    fuses.store.cut();
    world.clock.pass_seconds(STALE_SECONDS);
    world.send("POST", &hook.path, &basic, "{}").await.expect(202);
    let wrong = [("authorization", "Basic c2hvcDpvdGhlcg=="), ("content-type", "application/json")];
    world.send("POST", &hook.path, &wrong, "{}").await.expect(401);
}

#[tokio::test]
async fn a_form_with_files_needs_the_blobs_and_a_guarded_one_the_store() {
    let mut world = World::new().await;
    let open = world.form_hook().await;
    let guarded = world.form_hook_with(json!({ "title": "t", "guard": { "minimumFillSeconds": 1 } })).await;
    let challenge = async |world: &World, hook: &FormHook| -> String {
        let answer = world.send("GET", &format!("{}/challenge", hook.path), &[], "").await.expect(200);
        answer.attribute("token").as_str().unwrap().to_owned()
    };
    let token = challenge(&world, &guarded).await;
    world.clock.pass_seconds(2);
    let fuses = fused(&mut world, Fault::Refuses);
    let file = "--b\r\ncontent-disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nbytes\r\n--b--\r\n";
    let multipart = "multipart/form-data; boundary=b";
    fuses.blobs.cut();
    assert!(world.post_as(&open, multipart, file).await.expect(503).headers.contains_key("retry-after"));
    world.post_as(&open, "application/json", "{}").await.expect(202);
    fuses.blobs.heal();
    fuses.store.cut();
    world.post_as(&open, multipart, file).await.expect(202);
    // Whether a challenge was used stands in the store.
    let post = json!({ "a": 1, "hw_token": token });
    world.post(&guarded, post.clone()).await.expect(503);
    fuses.store.heal();
    world.post(&guarded, post).await.expect(202);
}

#[tokio::test]
async fn a_mail_to_a_known_hook_is_taken_while_the_store_is_down() {
    use std::sync::Arc;
    use tests::{
        faults::{Faulty, Fuse},
        mail::{Ports, delivery, order_mail},
    };
    let world = World::new().await;
    let hook = world.email_hook().await;
    let workflow = world.workflow(workflow_of("l", &hook.event, json!([{ "id": "end", "transitions": [] }]))).await;
    let fuse = Arc::new(Fuse::new(Fault::Refuses));
    let ports = world.mail_ports();
    let store = Arc::new(Faulty::<dyn service::ports::Store>::sharing(ports.store.clone(), fuse.clone()));
    let door = world.mail_door_over(Ports { store, ..ports });
    for (id, seconds) in [("m1", 0), ("m2", STALE_SECONDS), ("m1", 0)] {
        world.clock.pass_seconds(seconds);
        world.mails.put(format!("inbound/{id}"), order_mail(&format!("<{id}@shop.example>"), "{\"a\":1}"));
        door.receive(&delivery(id, &[&hook.address])).await.unwrap();
        fuse.cut();
    }
    world.work().await;
    assert_eq!(ran_for(&world, &workflow).await.len(), 2);
}

//! What is kept of arrivals: the tape to listen to, and the event that every webhook fires.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use tests::{
    providers::{Letter, Sender, WebHook},
    world::{World, workflow_of},
};

use super::{JSON, open_hook, post};

const NOON_SECONDS: i64 = 1_795_348_800;

async fn tape(world: &World, hook: &WebHook, query: &str) -> Value {
    world.get(&format!("{}/arrivals{query}", hook.resource())).await.expect(200).body.clone()
}

async fn taped_hook(world: &World) -> WebHook {
    WebHook::new(world, json!({ "auth": { "scheme": "shopify", "secrets": ["s"] }, "tape": true })).await
}

fn order(hook: &WebHook, id: u32) -> Letter {
    let letter = Letter { path: format!("{}?a=1", hook.path), ..Letter::unsigned("", &format!("{{ \"id\": {id} }}")) };
    let letter = letter.and("x-shopify-topic", "orders/create").and("cookie", "canary").and("x-api-key", "canary");
    Sender::with_secret("shopify", "s").sign(&letter.and("x-shopify-webhook-id", &id.to_string()), "1", NOON_SECONDS)
}

#[tokio::test]
async fn the_tape_has_what_came_byte_for_byte_without_credentials() {
    let world = World::new().await;
    let hook = taped_hook(&world).await;
    let id = order(&hook, 1).send(&world).await.expect(202).id();
    let tape = tape(&world, &hook, "").await;
    let arrival = &tape["data"][0]["attributes"];
    assert_eq!(
        *arrival,
        json!({
            "receivedAt": "2026-11-22T12:00:00.000Z",
            "transactionIds": [id],
            "method": "POST",
            "query": "a=1",
            "contentType": "application/json",
            "headers": { "content-type": "application/json", "x-shopify-topic": "orders/create", "x-shopify-webhook-id": "1" },
            "bodyBase64": BASE64.encode("{ \"id\": 1 }"),
            "held": false,
        })
    );
    assert_eq!(tape["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_tape_is_read_on_from_where_it_was_left() {
    let world = World::new().await;
    let hook = taped_hook(&world).await;
    let empty = tape(&world, &hook, "").await;
    assert_eq!(empty["data"], json!([]));
    let mut next = empty["meta"]["next"].as_str().unwrap().to_owned();
    let mut seen = Vec::new();
    for id in 0..5 {
        order(&hook, id).send(&world).await.expect(202);
        world.clock.pass_seconds(1);
    }
    for _ in 0..4 {
        let page = tape(&world, &hook, &format!("?pageSize=2&after={}", next.replace('#', "%23"))).await;
        for arrival in page["data"].as_array().unwrap() {
            seen.push(arrival["attributes"]["bodyBase64"].as_str().unwrap().to_owned());
        }
        next = page["meta"]["next"].as_str().unwrap().to_owned();
    }
    let expected: Vec<String> = (0..5).map(|id| BASE64.encode(format!("{{ \"id\": {id} }}"))).collect();
    assert_eq!(seen, expected);
    let since = tape(&world, &hook, "?since=2026-11-22T12:00:03Z").await;
    assert_eq!(since["data"].as_array().unwrap().len(), 2);
    for wrong in ["?after=x", "?since=yesterday"] {
        world.get(&format!("{}/arrivals{wrong}", hook.resource())).await.expect(400);
    }
}

#[tokio::test]
async fn repeats_and_refusals_are_not_on_the_tape_nor_is_anything_of_a_hook_without_one() {
    let world = World::new().await;
    let hook = taped_hook(&world).await;
    let letter = order(&hook, 1);
    letter.send(&world).await.expect(202);
    letter.send(&world).await.expect(202);
    letter.saying(b"{}".to_vec()).send(&world).await.expect(401);
    assert_eq!(tape(&world, &hook, "").await["data"].as_array().unwrap().len(), 1);
    let silent = open_hook(&world).await;
    post(&world, &silent, &[], "{}").await.expect(202);
    assert_eq!(tape(&world, &silent, "").await["data"], json!([]));
}

#[tokio::test]
async fn the_tape_holds_seven_days() {
    let world = World::new().await;
    let hook = taped_hook(&world).await;
    order(&hook, 1).send(&world).await.expect(202);
    world.clock.pass_seconds(7 * 24 * 60 * 60 - 1);
    assert_eq!(tape(&world, &hook, "").await["data"].as_array().unwrap().len(), 1);
    world.clock.pass_seconds(2);
    assert_eq!(tape(&world, &hook, "").await["data"], json!([]));
}

#[tokio::test]
async fn a_tape_that_cannot_be_written_does_not_fail_the_arrival() {
    let mut world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "tape": true })).await;
    let faulty =
        std::sync::Arc::new(tests::faults::FaultyStore::new(world.store.clone(), tests::faults::Fault::Refuses));
    world.door.store = faulty.clone();
    // The address and the org's limits are looked up first, then the tape is written.
    faulty.fail_in(2);
    post(&world, &hook, &[], "{}").await.expect(202);
    assert_eq!((faulty.calls(), world.queue.depth()), (3, 1));
}

#[tokio::test]
async fn every_webhook_fires_one_event_that_tells_all_of_the_request() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "methods": ["PUT"] })).await;
    let steps = json!([{ "id": "end", "transitions": [] }]);
    world.workflow(workflow_of("any", "concours.webhook.receive", steps)).await;
    let path = format!("{}?a=1&b=x+y", hook.path);
    let headers = [JSON, ("x-shop", "one"), ("authorization", "Bearer canary"), ("x-shop-token", "canary")];
    let transaction = world.send("PUT", &path, &headers, "{\"n\":1.10}").await.expect(202).id();
    world.work().await;

    let read = world.get(&format!("/v1/transactions/{transaction}")).await.expect(200);
    assert_eq!(read.body["meta"]["trace"]["events"], json!(["concours.webhook.receive"]));
    let run = world.run_of(&transaction).await;
    let output = &run["steps"][0]["output"];
    let told = json!({ "method": "PUT", "query": { "a": "1", "b": "x y" }, "headers": { "content-type": "application/json", "x-shop": "one" } });
    for key in ["method", "query", "headers"] {
        assert_eq!(output[key], told[key]);
    }
    assert_eq!(output["data"].to_string(), "{\"n\":1.10}");
    assert_eq!(output["payload"], output["data"]);
    assert_eq!(
        (&output["event"]["name"], &output["event"]["source"]["verified"], &output["event"]["source"]["provider"]),
        (&json!("concours.webhook.receive"), &json!(false), &Value::Null)
    );
    assert!(!run.to_string().contains("canary") && !read.text.contains("canary"));
}

#[tokio::test]
async fn a_form_fires_no_webhook_event() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let transaction = world.arrive(&hook, json!({})).await;
    let read = world.get(&format!("/v1/transactions/{transaction}")).await.expect(200);
    assert_eq!(read.body["meta"]["trace"]["events"], json!([]));
}

#[tokio::test]
async fn an_arrival_that_was_accepted_only_when_it_came_again_is_on_the_tape() {
    let mut world = World::new().await;
    let hook = taped_hook(&world).await;
    let letter = order(&hook, 1);
    tests::faults::stop_taking(&mut world);
    letter.send(&world).await.expect(503);
    assert_eq!(tape(&world, &hook, "").await["data"], json!([]));
    tests::faults::go_on_taking(&mut world);
    world.clock.pass_seconds(30);
    let id = letter.send(&world).await.expect(202).id();
    letter.send(&world).await.expect(202);
    let tape = tape(&world, &hook, "").await;
    assert_eq!(tape["data"].as_array().unwrap().len(), 1);
    assert_eq!(tape["data"][0]["attributes"]["transactionIds"], json!([id]));
}

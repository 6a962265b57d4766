//! The record of a refusal: what it holds, what it never holds, and how many there are.

use serde_json::{Value, json};
use tests::{
    providers::{Letter, WebHook},
    world::World,
};

use super::{BODY, hook_with, rewritten, signed};

#[tokio::test]
async fn every_wrong_signature_is_answered_in_the_same_words() {
    let world = World::new().await;
    let hook = hook_with(&world, "stripe", "secret").await;
    hook.set(&world, json!({ "auth": { "secrets": ["new"] } })).await.expect(200);
    let good = signed(&hook, "stripe", "new", BODY);
    let late = rewritten(&good, "stripe-signature", |value| value.replace("t=17", "t=16"));
    let answers = [
        signed(&hook, "stripe", "wrong", BODY),
        signed(&hook, "stripe", "secret", BODY),
        signed(&hook, "stripe", "new\n", BODY),
        good.saying(format!("{BODY}\n")),
        good.saying("{}"),
        good.without("stripe-signature"),
        rewritten(&good, "stripe-signature", |_| String::new()),
        rewritten(&good, "stripe-signature", |_| "t=1,v1=00".to_owned()),
        late,
    ];
    let mut texts = Vec::new();
    for letter in &answers {
        let answer = letter.send(&world).await.expect(401);
        texts.push((answer.text, answer.headers));
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:#?}");
    let mut codes: Vec<Value> =
        hook.refusals(&world).await.iter().map(|record| record["reasons"][0]["code"].clone()).collect();
    codes.dedup();
    assert!(codes.len() > 4, "the owner is told them apart: {codes:?}");
}

#[tokio::test]
async fn a_record_says_how_the_request_came_and_keeps_nothing_that_could_be_used_again() {
    let world = World::new().await;
    let hook = hook_with(&world, "shopify", "canary-secret").await;
    let letter = signed(&hook, "shopify", "canary-other", "{\"canary\":\"body\"}");
    let signature = letter.header("x-shopify-hmac-sha256").to_owned();
    let letter = letter
        .and("x-shopify-topic", "canary-value")
        .and("authorization", "Bearer canary-bearer")
        .and("cookie", "canary-cookie");
    let headers: Vec<(&str, &str)> =
        letter.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let path = format!("{}?token=canary-query", letter.path);
    let answer = world.send_from(Some("192.0.2.9"), "POST", &path, &headers, letter.body.clone()).await.expect(401);

    let list = world.get(&format!("{}/refusals", hook.resource())).await.expect(200);
    assert!(!list.text.contains("canary") && !list.text.contains(&signature), "{}", list.text);
    let record = &list.body["data"][0];
    assert_eq!((&record["type"], record["id"].as_str().map(str::len)), (&json!("refusal"), Some(24)));
    let mut attributes = record["attributes"].clone();
    let reasons = attributes.as_object_mut().unwrap().shift_remove("reasons").unwrap();
    assert_eq!(
        attributes,
        json!({
            "createdAt": "2026-11-22T12:00:00.000Z",
            "code": "bad_signature",
            "detail": answer.body["errors"][0]["detail"],
            "check": "signature",
            "failure": "The signature fits none of the hook's secrets or keys.",
            "method": "POST",
            "contentType": "application/json",
            "bodyBytes": 17,
            "sourceAddress": "192.0.2.9",
            "headers": ["content-type", "x-shopify-hmac-sha256", "x-shopify-topic", "authorization", "cookie"],
            "transactionId": null,
        })
    );
    assert_eq!(reasons[0]["code"], "wrong_secret");
}

/// Sends so many forgeries, each `apart_seconds` after the one before.
async fn forge(world: &World, hook: &WebHook, count: usize, apart_seconds: i64) {
    for index in 0..count {
        let letter = Letter::unsigned(&hook.path, &index.to_string());
        letter.send(world).await.expect(401);
        world.clock.pass_seconds(apart_seconds);
    }
}

#[tokio::test]
async fn the_last_20_are_kept_for_seven_days_newest_first() {
    let world = World::new().await;
    let hook = hook_with(&world, "shopify", "secret").await;
    assert_eq!(hook.refusals(&world).await, Vec::<Value>::new());
    forge(&world, &hook, 1, 1).await;
    assert_eq!(hook.refusals(&world).await.len(), 1);
    forge(&world, &hook, 111, 2).await;
    let kept = hook.refusals(&world).await;
    assert_eq!(kept.len(), 20);
    let sizes: Vec<u64> = kept.iter().map(|record| record["bodyBytes"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (91..111_u64).rev().map(|index| index.to_string().len() as u64).collect();
    assert_eq!(sizes, expected);
    let mut times: Vec<&str> = kept.iter().map(|record| record["createdAt"].as_str().unwrap()).collect();
    let newest_first = times.clone();
    times.sort_unstable();
    times.reverse();
    assert_eq!(newest_first, times);

    world.clock.pass_seconds(7 * 24 * 60 * 60 + 1);
    assert_eq!(hook.refusals(&world).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_flood_leaves_few_records_and_costs_few_writes() {
    let mut world = World::new().await;
    let hook = hook_with(&world, "shopify", "secret").await;
    let counting =
        std::sync::Arc::new(tests::faults::FaultyStore::new(world.store.clone(), tests::faults::Fault::Refuses));
    world.door.store = counting.clone();
    forge(&world, &hook, 1_000, 0).await;
    assert_eq!(hook.refusals(&world).await.len(), 20);
    assert!(counting.calls() <= 21, "{} calls of the store", counting.calls());
}

#[tokio::test]
async fn a_record_that_cannot_be_written_changes_no_answer() {
    let mut world = World::new().await;
    let hook = hook_with(&world, "shopify", "secret").await;
    let faulty =
        std::sync::Arc::new(tests::faults::FaultyStore::new(world.store.clone(), tests::faults::Fault::Refuses));
    world.door.store = faulty.clone();
    // The address is looked up first, then the record is written.
    faulty.fail_in(1);
    let letter = Letter::unsigned(&hook.path, BODY);
    let first = letter.send(&world).await.expect(401);
    assert_eq!(first.text, letter.send(&world).await.expect(401).text);
    assert_eq!(hook.refusals(&world).await.len(), 1);
}

#[tokio::test]
async fn only_the_owner_reads_the_records() {
    let world = World::new().await;
    let hook = hook_with(&world, "shopify", "secret").await;
    forge(&world, &hook, 1, 0).await;
    let path = format!("{}/refusals", hook.resource());
    let sender = world.key(world.org, &["org.hooks"], 40).await;
    world.api_as(&sender, "GET", &path, Value::Null).await.expect(403);
    let other = domain::OrgId::parse("aaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
    let stranger = world.key(other, &["org.admin"], 41).await;
    world.api_as(&stranger, "GET", &path, Value::Null).await.expect(404);
    let twin = hook_with(&world, "shopify", "secret").await;
    assert_eq!(twin.refusals(&world).await, Vec::<Value>::new(), "each hook has its own");
}

#[tokio::test]
async fn a_secret_that_was_replaced_is_recognised_for_seven_days_and_lets_nobody_in() {
    const WEEK_SECONDS: i64 = 7 * 24 * 60 * 60;
    let world = World::new().await;
    let hook = hook_with(&world, "shopify", "old").await;
    hook.set(&world, json!({ "auth": { "secrets": ["new"] } })).await.expect(200);
    let letter = signed(&hook, "shopify", "old", BODY);
    for (pass_seconds, code) in [(0, "old_secret"), (WEEK_SECONDS - 1, "old_secret"), (2, "wrong_secret")] {
        world.clock.pass_seconds(pass_seconds);
        letter.send(&world).await.expect(401);
        assert_eq!(hook.refusals(&world).await[0]["reasons"][0]["code"], code, "after {pass_seconds} s more");
    }
}

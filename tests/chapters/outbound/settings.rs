//! What a webhook may be set to, at its limits and one past.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::world::World;

use super::{ENDPOINT, shown, webhook};

async fn refusals(world: &World, draft: Value) -> Vec<(String, String)> {
    let refused = world.api("POST", "/v1/webhooks", draft).await.expect(400);
    let errors = refused.body["errors"].as_array().unwrap().clone();
    errors.iter().map(|error| (error["source"]["path"].to_string(), error["detail"].to_string())).collect()
}

#[tokio::test]
async fn an_org_has_twenty_webhooks_and_no_more() {
    let world = World::new().await;
    let mut last = None;
    for _ in 0..20 {
        last = Some(webhook(&world, ENDPOINT, &["*"]).await);
    }
    let draft = json!({ "url": ENDPOINT, "events": ["*"] });
    assert_eq!(world.api("POST", "/v1/webhooks", draft.clone()).await.expect(409).code(), "too_many_webhooks");
    world.api("DELETE", &last.unwrap().path, Value::Null).await.expect(204);
    world.api("POST", "/v1/webhooks", draft).await.expect(201);
}

#[tokio::test]
async fn each_limit_is_taken_and_one_past_it_is_not() {
    let world = World::new().await;
    let events = |count: usize| json!((0..count).map(|number| format!("shop.e{number}")).collect::<Vec<_>>());
    let url =
        |bytes: usize| json!(format!("https://shop.example/{}", "a".repeat(bytes - "https://shop.example/".len())));
    let good = json!({ "url": ENDPOINT, "events": ["*"] });
    for (name, at, past) in [
        ("events", events(100), events(101)),
        ("events", json!([format!("a.{}", "b".repeat(254))]), json!([format!("a.{}", "b".repeat(255))])),
        ("url", url(2_048), url(2_049)),
        ("description", json!("ä".repeat(256)), json!("ä".repeat(257))),
    ] {
        let with = |value: Value| {
            let mut draft = good.clone();
            draft[name] = value;
            draft
        };
        let made = world.api("POST", "/v1/webhooks", with(at)).await.expect(201);
        let refused = refusals(&world, with(past)).await;
        assert_eq!(refused.len(), 1, "{name}: {refused:?}");
        assert!(refused[0].0.contains(name), "{refused:?}");
        world.api("DELETE", &format!("/v1/webhooks/{}", made.id()), Value::Null).await.expect(204);
    }
    let made = webhook(&world, ENDPOINT, &["*"]).await;
    for (overlap, status) in
        [(json!(0), 200), (json!(604_800), 200), (json!(604_801), 400), (json!(-1), 400), (json!("1h"), 400)]
    {
        let answer =
            world.api("POST", &format!("{}/rotate-secret", made.path), json!({ "overlapSeconds": overlap })).await;
        assert_eq!(answer.status, status, "{overlap}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let world = World::new().await;
    let events = json!(["shop.paid", "kustomer.customer.updated", "shop.paid", "kustomer.hooks.*", ""]);
    let refused = refusals(&world, json!({ "url": "http://shop.example", "events": events })).await;
    let places: Vec<&str> = refused.iter().map(|(place, _)| place.trim_matches('"')).collect();
    assert_eq!(places, ["$.events[1]", "$.events[2]", "$.events[3]", "$.events[4]", "$.url"], "{refused:?}");
    for (word, place) in [("kustomer.KIND.create", 0), ("twice", 1), ("arrives at a hook", 2), ("name of an event", 3)]
    {
        assert!(refused[place].1.contains(word), "{refused:?}");
    }
    for draft in [
        json!({}),
        json!({ "url": ENDPOINT }),
        json!({ "url": ENDPOINT, "events": [] }),
        json!({ "events": ["*"] }),
        json!({ "url": ENDPOINT, "events": "*" }),
        json!({ "url": ENDPOINT, "events": [1] }),
        json!({ "url": 1, "events": ["*"] }),
        json!({ "url": ENDPOINT, "events": ["*"], "enabled": "yes" }),
        json!({ "url": ENDPOINT, "events": ["*"], "description": [] }),
        json!({ "url": "http://hooks.test/v1/hooks/form/x", "events": ["*"] }),
        json!({ "url": "https://HOOKS.test/v1/events", "events": ["*"] }),
        json!({ "url": "https://hooks.test:443/v1/hooks/form/x", "events": ["*"] }),
    ] {
        assert!(!refusals(&world, draft.clone()).await.is_empty(), "{draft}");
    }
    assert_eq!(world.get("/v1/webhooks").await.expect(200).body["data"], json!([]));
}

#[tokio::test]
async fn an_address_inside_is_refused_with_a_sentence_that_names_none() {
    let mut world = World::new().await;
    let allowed = ["receiver.internal:8080".parse().unwrap()];
    world.management.destinations = Arc::new(aws::WebDestinations::new(allowed.into()));
    for (url, word) in [
        ("http://shop.example/told", "https://"),
        ("ftp://shop.example/told", "https://"),
        ("shop.example", "written"),
        ("https://", "written"),
        ("https://user:word@shop.example/", "user name"),
        ("https://shop.example:8443/", "port"),
        ("https://localhost/", "public"),
        ("https://receiver/", "public"),
        ("https://receiver.internal/", "public"),
        ("https://127.0.0.1/", "public"),
        ("https://127.1/", "written"),
        ("https://2130706433/", "written"),
        ("https://0x7f.1/", "written"),
        ("https://169.254.169.254/latest/meta-data/", "public"),
        ("https://10.0.0.1/", "public"),
        ("https://[::1]/", "public"),
        ("https://[::ffff:169.254.169.254]/", "public"),
        ("https://[fd00:ec2::254]/", "public"),
        ("https://shop.example\\@127.0.0.1/", "written"),
        ("https://größe.example/", "written"),
    ] {
        let refused = refusals(&world, json!({ "url": url, "events": ["*"] })).await;
        assert!(refused.len() == 1 && refused[0].0.contains("url"), "{url}: {refused:?}");
        assert!(refused[0].1.contains(word) && !refused[0].1.contains("169.254"), "{url}: {refused:?}");
    }
    for url in ["https://shop.example/told?a=b", "https://93.184.215.14/", "http://receiver.internal:8080/told"] {
        world.api("POST", "/v1/webhooks", json!({ "url": url, "events": ["*"] })).await.expect(201);
    }
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let world = World::new().await;
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    let changed = world.api("PATCH", &made.path, json!({ "description": "ERP" })).await.expect(200);
    assert_eq!(
        (changed.attribute("url"), changed.attribute("events"), changed.attribute("enabled")),
        (json!(ENDPOINT), json!(["shop.paid"]), json!(true))
    );
    let changed = world.api("PUT", &made.path, json!({ "description": null, "events": ["shop.*"] })).await.expect(200);
    assert_eq!((changed.attribute("description"), changed.attribute("events")), (Value::Null, json!(["shop.*"])));
}

#[tokio::test]
async fn a_webhook_whose_address_is_not_allowed_any_more_can_still_be_switched_off() {
    let mut world = World::new().await;
    let destinations = |allowed: &[&str]| {
        Arc::new(aws::WebDestinations::new(allowed.iter().map(|text| text.parse().unwrap()).collect()))
    };
    world.management.destinations = destinations(&["receiver.internal:8080"]);
    let made = webhook(&world, "http://receiver.internal:8080/told", &["shop.paid"]).await;
    world.management.destinations = destinations(&[]);
    for (change, status) in [
        (json!({ "description": "ERP" }), 200),
        (json!({ "enabled": false }), 200),
        (json!({ "enabled": true }), 400),
        (json!({ "url": "http://receiver.internal:8080/other" }), 400),
        (json!({ "url": ENDPOINT, "enabled": true }), 200),
    ] {
        assert_eq!(world.api("PATCH", &made.path, change.clone()).await.status, status, "{change}");
    }
}

#[tokio::test]
async fn five_secrets_sign_at_a_time_and_an_overlap_of_nothing_ends_all_but_the_new_one() {
    let world = World::new().await;
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    let rotate = async |seconds: u64| {
        world.api("POST", &format!("{}/rotate-secret", made.path), json!({ "overlapSeconds": seconds })).await
    };
    for seconds in [60, 600, 60, 60] {
        rotate(seconds).await.expect(200);
    }
    assert_eq!(shown(&world, &made).await["previousSecretUntil"], "2026-11-22T12:10:00.000Z");
    rotate(60).await.expect(200);
    assert_eq!(rotate(60).await.expect(409).code(), "too_many_secrets");
    rotate(0).await.expect(200);
    assert_eq!(shown(&world, &made).await["previousSecretUntil"], Value::Null);
    rotate(60).await.expect(200);
}

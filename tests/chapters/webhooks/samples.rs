//! Samples and apps through the management API: what a provider would send, signed for one hook.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use tests::{
    Answer,
    providers::{BASE, ED25519_PUBLIC_PEM, Letter, WebHook},
    world::World,
};

use super::open_hook;

/// A hook of the provider with what its samples are signed with; `None` where only the provider can sign.
async fn hook_of(world: &World, app: &str) -> Option<WebHook> {
    let auth = match app {
        "gmail" | "sns" | "gohighlevel" | "postmark" => return None,
        "standard-webhooks" => json!({ "scheme": app, "secrets": ["whsec_dGVzdC1vbmx5LXNlY3JldA=="] }),
        _ => json!({ "scheme": app, "secrets": ["secret"] }),
    };
    Some(WebHook::new(world, json!({ "auth": auth })).await)
}

async fn sample(world: &World, hook: &WebHook, body: Value) -> Answer {
    world.api("POST", &format!("{}/samples", hook.resource()), body).await
}

/// The request that the answer describes.
fn letter(answer: &Answer) -> Letter {
    let text = |name: &str| answer.attribute(name).as_str().unwrap().to_owned();
    let headers = serde_json::from_value(answer.attribute("headers")).unwrap();
    let body = BASE64.decode(text("bodyBase64")).unwrap();
    let path = text("url").strip_prefix(BASE).unwrap().to_owned();
    Letter { method: text("method"), path, headers, body, proofs: Vec::new() }
}

#[tokio::test]
async fn every_sample_is_accepted_by_its_hook_and_is_another_delivery_each_time() {
    let mut problems = Vec::new();
    let world = World::new().await;
    for app in apps::all() {
        let Some(hook) = hook_of(&world, app.name()).await else { continue };
        for sample in apps::samples::all().into_iter().filter(|sample| sample.app == app.name()) {
            let variant = sample.variant.as_ref().map(|variant| format!("~{variant}")).unwrap_or_default();
            let event = format!("{}{variant}", sample.event);
            let mut taken = Vec::new();
            for _ in 0..2 {
                let answer = self::sample(&world, &hook, json!({ "event": event })).await;
                let sent = if answer.status == 200 { letter(&answer).send(&world).await } else { answer };
                if sent.status / 100 != 2 {
                    problems.push(format!("{}/{event}: {sent:?}", app.name()));
                }
                let messages = world.queue.receive(100, 60);
                taken.extend(messages.iter().map(|message| {
                    let message: Value = serde_json::from_str(&message.body).unwrap();
                    message["transaction"]["id"].to_string()
                }));
                messages.iter().for_each(|message| world.queue.delete(&message.receipt));
            }
            let count = taken.len();
            taken.sort_unstable();
            taken.dedup();
            if taken.len() != count || count < 2 {
                problems.push(format!("{}/{event}: {count} transactions with {} ids", app.name(), taken.len()));
            }
        }
    }
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

#[tokio::test]
async fn values_of_a_sample_can_be_set_before_it_is_signed() {
    let world = World::new().await;
    let hook = hook_of(&world, "shopify").await.unwrap();
    let set = json!({ "email": "me@example.com", "line_items.0.sku": "S-1" });
    let answer = sample(&world, &hook, json!({ "event": "shopify.order.update", "set": set })).await.expect(200);
    assert_eq!(answer.attribute("event"), "shopify.order.update");
    letter(&answer).send(&world).await.expect(202);
    let body: Value = serde_json::from_slice(&letter(&answer).body).unwrap();
    assert_eq!((&body["email"], &body["line_items"][0]["sku"]), (&json!("me@example.com"), &json!("S-1")));
    // By an alias of the event as well.
    sample(&world, &hook, json!({ "event": "kustomer.app.shopify.order-update" })).await.expect(200);
}

#[tokio::test]
async fn what_cannot_be_signed_or_found_is_said() {
    let world = World::new().await;
    let shopify = hook_of(&world, "shopify").await.unwrap();
    let keyed = WebHook::new(&world, json!({})).await;
    let postmark = json!({ "scheme": "postmark", "secrets": ["user:canary"] });
    let postmark = WebHook::new(&world, json!({ "auth": postmark })).await;
    let gohighlevel = json!({ "scheme": "gohighlevel", "publicKeys": [ED25519_PUBLIC_PEM] });
    let gohighlevel = WebHook::new(&world, json!({ "auth": gohighlevel })).await;
    let topic = "arn:aws:sns:eu-west-1:123456789012:orders";
    let sns = WebHook::new(&world, json!({ "auth": { "scheme": "sns", "topicArns": [topic] } })).await;
    let many: serde_json::Map<String, Value> = (0..101).map(|index| (format!("k{index}"), json!(1))).collect();
    for (hook, body, code) in [
        (&shopify, json!({}), "bad_attribute"),
        (&shopify, json!({ "event": 5 }), "bad_attribute"),
        (&shopify, json!({ "event": "shopify.nothing" }), "bad_attribute"),
        (&shopify, json!({ "event": "stripe.invoice.paid" }), "bad_attribute"),
        (&shopify, json!({ "event": "shopify.order.update", "set": 5 }), "bad_attribute"),
        (&shopify, json!({ "event": "shopify.order.update", "set": { "line_items.99.sku": 1 } }), "bad_attribute"),
        (&shopify, json!({ "event": "shopify.order.update", "set": many }), "bad_attribute"),
        (&keyed, json!({ "event": "shopify.order.update" }), "needs_key"),
        (&postmark, json!({ "event": "postmark.message.open" }), "needs_key"),
        (&gohighlevel, json!({ "event": "gohighlevel.contact.create" }), "needs_private_key"),
        (&sns, json!({ "event": "sns.notification.receive" }), "needs_private_key"),
    ] {
        let answer = sample(&world, hook, body.clone()).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}: {answer:?}");
    }
    // A hook that asks for no proof takes any provider's.
    let open = open_hook(&world).await;
    let answer = sample(&world, &open, json!({ "event": "stripe.invoice.paid" })).await.expect(200);
    letter(&answer).send(&world).await.expect(202);
}

#[tokio::test]
async fn a_sample_shows_a_signature_and_no_secret_and_only_to_who_may_change_the_hook() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "stripe", "secrets": ["whsec_canary"] } })).await;
    let body = json!({ "event": "stripe.invoice.paid" });
    assert!(!sample(&world, &hook, body.clone()).await.expect(200).text.contains("canary"));
    let reader = world.key(world.org, &["org.permission.hook.read"], 30).await;
    let path = format!("{}/samples", hook.resource());
    world.api_as(&reader, "POST", &path, body.clone()).await.expect(403);
    let other = domain::OrgId::parse("aaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
    let stranger = world.key(other, &["org.admin"], 31).await;
    world.api_as(&stranger, "POST", &path, body).await.expect(404);
}

#[tokio::test]
async fn the_apps_are_listed_with_their_events() {
    let world = World::new().await;
    let list = world.get("/v1/apps").await.expect(200);
    let names: Vec<&str> =
        list.body["data"].as_array().unwrap().iter().map(|app| app["id"].as_str().unwrap()).collect();
    assert_eq!(names, apps::all().iter().map(apps::App::name).collect::<Vec<_>>());
    for name in names {
        let app = world.get(&format!("/v1/apps/{name}")).await.expect(200);
        for attribute in ["displayName", "docs"] {
            assert!(!app.attribute(attribute).as_str().unwrap().is_empty(), "{name} has no {attribute}");
        }
        assert_eq!(app.attribute("name"), name);
        for event in app.attribute("events").as_array().unwrap() {
            assert!(event["name"].is_string() && event["aliases"].is_array() && event["displayName"].is_string());
        }
        assert!(!app.attribute("events").as_array().unwrap().is_empty(), "{name}");
    }
    world.get("/v1/apps/nobody").await.expect(404);
    let shopify = world.get("/v1/apps/shopify").await.expect(200);
    let events = shopify.attribute("events");
    let update = events.as_array().unwrap().iter().find(|event| event["name"] == "shopify.order.update").unwrap();
    assert_eq!(
        (&update["aliases"], &update["topic"]),
        (&json!(["kustomer.app.shopify.order-update"]), &json!("orders/updated"))
    );
}

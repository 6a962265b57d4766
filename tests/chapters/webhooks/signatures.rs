//! Signatures beyond what samples show: several at once, windows, addresses and keys of the hook's own.

use serde_json::{Value, json};
use tests::{
    providers::{Letter, Sender, WebHook},
    world::World,
};
use verify::{
    Settings,
    sign::{PrivateKey, Unsigned, sign},
};

const NOON_SECONDS: i64 = 1_795_348_800;
const BODY: &str = "{\"id\":1}";

async fn hook_of(world: &World, auth: Value) -> WebHook {
    WebHook::new(world, json!({ "auth": auth })).await
}

/// The letter with this value in the header.
fn with_header(letter: &Letter, name: &str, value: &str) -> Letter {
    letter.without(name).and(name, value)
}

#[tokio::test]
async fn one_good_signature_among_ten_is_enough_and_an_eleventh_is_too_many() {
    let world = World::new().await;
    let hook = hook_of(&world, json!({ "scheme": "stripe", "secrets": ["whsec_s"] })).await;
    let good = Sender::with_secret("stripe", "whsec_s").sign(&Letter::unsigned(&hook.path, BODY), "1", NOON_SECONDS);
    let (time, signature) = good.header("stripe-signature").split_once(',').unwrap();
    let bad = format!("v1={}", "0".repeat(64));
    for (before, after, status) in
        [(0, 0, 202), (9, 0, 202), (0, 9, 202), (4, 5, 202), (10, 0, 401), (0, 10, 401), (500, 500, 401)]
    {
        let mut parts = vec![time.to_owned()];
        parts.extend(std::iter::repeat_n(bad.clone(), before));
        parts.push(signature.to_owned());
        parts.extend(std::iter::repeat_n(bad.clone(), after));
        let answer = with_header(&good, "stripe-signature", &parts.join(",")).send(&world).await;
        assert_eq!(answer.status, status, "{before} before and {after} after: {answer:?}");
    }
    // A weaker kind of signature beside or in place of the good one helps nobody.
    let weaker = with_header(&good, "stripe-signature", &format!("{time},v0={}", signature.trim_start_matches("v1=")));
    weaker.send(&world).await.expect(401);
    let twice = with_header(&good, "stripe-signature", &format!("{time},t=1,{signature}"));
    twice.send(&world).await.expect(401);
}

#[tokio::test]
async fn a_hook_may_widen_or_narrow_the_window_of_its_provider() {
    let world = World::new().await;
    for (tolerance_seconds, age_seconds, status) in
        [(60, 60, 202), (60, 61, 401), (86_400, 86_400, 202), (86_400, 86_401, 401), (60, -60, 202), (60, -61, 401)]
    {
        let auth = json!({ "scheme": "slack", "secrets": ["s"], "toleranceSeconds": tolerance_seconds });
        let hook = hook_of(&world, auth).await;
        let letter = Letter::unsigned(&hook.path, "{\"type\":\"event_callback\"}");
        let letter = Sender::with_secret("slack", "s").sign(&letter, "1", NOON_SECONDS - age_seconds);
        let answer = letter.send(&world).await;
        let taken = answer.status / 100 == 2;
        assert_eq!(taken, status == 202, "{age_seconds} s old in {tolerance_seconds} s: {answer:?}");
    }
}

#[tokio::test]
async fn twilio_signs_the_address_it_was_told() {
    let world = World::new().await;
    let auth = json!({ "scheme": "twilio", "secrets": ["token"], "url": "https://shop.example/sms" });
    let hook = hook_of(&world, auth).await;
    let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let sender = Sender::with_secret("twilio", "token");
    for (url, query, status) in [
        ("https://shop.example/sms", "", 200),
        ("https://shop.example/sms?tenant=1", "?tenant=1", 200),
        ("https://shop.example:443/sms", "", 200),
        ("https://shop.example/sms?tenant=1", "?tenant=2", 401),
        ("https://shop.example/sms?tenant=1", "", 401),
        ("https://shop.example/sms/", "", 401),
        ("http://shop.example/sms", "", 401),
        ("http://hooks.test", "", 401),
    ] {
        let body = b"MessageSid=SM1&Body=Hello&From=%2B15550100".to_vec();
        let request =
            Unsigned { method: "POST".to_owned(), url: url.to_owned(), headers: headers.clone(), body: body.clone() };
        let signed = sign(&sender.scheme, &sender.settings, None, request, "1", NOON_SECONDS).unwrap();
        let letter =
            Letter { headers: headers.clone(), body, ..Letter::unsigned(&format!("{}{query}", hook.path), "") };
        let answer = letter.and("x-twilio-signature", &signed.headers[0].1).send(&world).await;
        assert_eq!(answer.status, status, "{url} at {query:?}: {answer:?}");
    }
}

/// The key pair of the specification of Standard Webhooks.
const SPECIFIED_PRIVATE: &str = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const SPECIFIED_PUBLIC: &str = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

#[tokio::test]
async fn a_standard_webhook_may_be_signed_with_a_private_key() {
    let world = World::new().await;
    let hook = hook_of(&world, json!({ "scheme": "standard-webhooks", "publicKeys": [SPECIFIED_PUBLIC] })).await;
    let mut sender = Sender::with_secret("standard-webhooks", "");
    sender.settings = Settings::default();
    sender.key = Some(PrivateKey::parse(SPECIFIED_PRIVATE).unwrap());
    let letter = sender.sign(&Letter::unsigned(&hook.path, BODY), "msg_1", NOON_SECONDS);
    assert!(letter.header("webhook-signature").starts_with("v1a,"));
    letter.send(&world).await.expect(202);
    letter.saying("{}").send(&world).await.expect(401);
    // The public key is known to everybody, so it must not be taken for a shared secret.
    for known in [SPECIFIED_PUBLIC.to_owned(), SPECIFIED_PUBLIC.replace("whpk_", "whsec_")] {
        let mut forger = Sender::with_secret("standard-webhooks", &known.replace("whpk_", ""));
        forger.key = None;
        forger.sign(&Letter::unsigned(&hook.path, BODY), "msg_2", NOON_SECONDS).send(&world).await.expect(401);
    }
}

#[tokio::test]
async fn an_id_with_a_dot_cannot_move_the_border_between_what_is_signed() {
    let world = World::new().await;
    let secret = "whsec_dGVzdC1vbmx5LXNlY3JldA==";
    let hook = hook_of(&world, json!({ "scheme": "standard-webhooks", "secrets": [secret] })).await;
    let sender = Sender::with_secret("standard-webhooks", secret);
    for (id, status) in [("msg_1", 202), ("msg.1", 401), ("", 401)] {
        let letter = sender.sign(&Letter::unsigned(&hook.path, BODY), id, NOON_SECONDS);
        let answer = letter.send(&world).await;
        assert_eq!(answer.status, status, "{id}: {answer:?}");
    }
}

#[tokio::test]
async fn a_providers_events_may_come_with_a_key_and_a_provider_may_be_left() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "app": "shopify" })).await;
    let key = world.key(world.org, &["org.hooks"], 10).await;
    let letter = Letter::unsigned(&hook.path, BODY).and("x-shopify-topic", "orders/create");
    let events = async |letter: &Letter| {
        let id = letter.send(&world).await.expect(202).id();
        world.work().await;
        let read = world.get(&format!("/v1/transactions/{id}")).await.expect(200);
        read.body["meta"]["trace"]["events"].to_string()
    };
    assert!(events(&letter.and("authorization", &format!("Bearer {key}"))).await.contains("shopify.order.create"));

    hook.set(&world, json!({ "auth": { "scheme": "stripe", "secrets": ["s"] } })).await.expect(200);
    let shown = world.get(&hook.resource()).await;
    assert_eq!(shown.attribute("app"), "shopify", "what was chosen by hand stays");
    let hook = hook_of(&world, json!({ "scheme": "shopify", "secrets": ["s"] })).await;
    assert_eq!(world.get(&hook.resource()).await.attribute("app"), "shopify");
    hook.set(&world, json!({ "auth": { "scheme": "stripe", "secrets": ["s"] } })).await.expect(200);
    assert_eq!(world.get(&hook.resource()).await.attribute("app"), "stripe", "what came with the scheme goes with it");
    world.api("POST", "/v1/hooks/web", json!({ "title": "t", "app": "nobody" })).await.expect(400);
}

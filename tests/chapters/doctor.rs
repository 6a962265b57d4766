//! Why a request was refused: told to the hook's owner in a record of its own, and to its sender not at all.

mod record;

use apps::samples;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD as BASE64, URL_SAFE},
};
use serde_json::{Value, json};
use tests::{
    providers::{BASE, CERTIFICATE_URL, Connected, ED25519_PUBLIC_PEM, KEY_SET, Letter, RSA_PEM, Sender, WebHook},
    world::{NOON, World},
};
use verify::{
    Scheme,
    sign::{PrivateKey, Unsigned, sign},
};

const NOON_SECONDS: i64 = 1_795_348_800;
const BODY: &str = "{\"id\":1,\"total\":\"9.90\"}";
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:orders";

async fn hook_of(world: &World, auth: Value) -> WebHook {
    WebHook::new(world, json!({ "auth": auth })).await
}

async fn hook_with(world: &World, scheme: &str, secret: &str) -> WebHook {
    hook_of(world, json!({ "scheme": scheme, "secrets": [secret] })).await
}

fn signed(hook: &WebHook, scheme: &str, secret: &str, body: &str) -> Letter {
    Sender::with_secret(scheme, secret).sign(&Letter::unsigned(&hook.path, body), "1", NOON_SECONDS)
}

/// The letter with `change` made to the value of its header.
fn rewritten(letter: &Letter, name: &str, change: impl Fn(&str) -> String) -> Letter {
    letter.without(name).and(name, &change(letter.header(name)))
}

/// What the sender is told, and what the owner: the check and the codes of the reasons.
async fn told(world: &World, hook: &WebHook, letter: &Letter) -> (u16, String, Vec<String>) {
    let before = hook.refusals(world).await.len();
    let answer = letter.send(world).await;
    let records = hook.refusals(world).await;
    assert_eq!(records.len(), before + 1, "one request is one record: {answer:?}");
    let record = &records[0];
    let reasons = record["reasons"].as_array().unwrap();
    for reason in reasons {
        let (code, sentence) = (reason["code"].as_str().unwrap(), reason["sentence"].as_str().unwrap());
        assert!(sentence.len() > 20 && sentence.ends_with('.'), "{code}: {sentence}");
        assert!(!answer.text.contains(sentence) && !answer.text.contains(code), "{code} is not for the sender");
    }
    assert_eq!(world.queue.depth(), 0, "{letter:?}");
    let codes = reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect();
    (answer.status, record["check"].as_str().unwrap().to_owned(), codes)
}

/// Asserts that the owner learns the check and, among the reasons, this one.
#[track_caller]
fn assert_told(told: (u16, String, Vec<String>), status: u16, check: &str, reason: &str) {
    let names_reason = told.2.iter().any(|code| code == reason);
    assert!(told.0 == status && told.1 == check && names_reason, "{told:?}, not {status} {check} {reason}");
}

#[tokio::test]
async fn a_header_that_is_missing_doubled_or_odd_is_named() {
    let world = World::new().await;
    let hook = hook_with(&world, "stripe", "whsec_s").await;
    let good = signed(&hook, "stripe", "whsec_s", BODY);
    let bare = good.without("stripe-signature");
    assert_told(told(&world, &hook, &bare).await, 401, "header", "no_signature_header");
    assert_told(told(&world, &hook, &bare.and("x-shopify-hmac-sha256", "AAAA")).await, 401, "header", "other_scheme");
    assert_told(told(&world, &hook, &good.and("stripe-signature", "x")).await, 400, "header", "several_headers");
    assert_told(told(&world, &hook, &bare.and("stripe-signature", "x")).await, 401, "header", "malformed");
    let many = rewritten(&good, "stripe-signature", |value| format!("{value}{}", ",v1=00".repeat(300)));
    assert_told(told(&world, &hook, &many).await, 401, "signature", "too_many_signatures");

    let record = &hook.refusals(&world).await[4];
    let sentence = record["reasons"][0]["sentence"].as_str().unwrap();
    assert!(sentence.contains("stripe-signature") && sentence.contains("content-type"), "{sentence}");
}

#[tokio::test]
async fn a_secret_that_differs_is_told_by_how_it_differs() {
    let world = World::new().await;
    for (scheme, of_hook, of_sender, reason) in [
        ("shopify", "secret", "another", "wrong_secret"),
        ("shopify", "secret\n", "secret", "secret_has_whitespace"),
        ("shopify", " secret", "secret", "secret_has_whitespace"),
        ("shopify", "secret", "secret\n", "secret_has_whitespace"),
        ("stripe", "whsec_secret", "secret", "secret_prefix"),
        ("stripe", "secret", "whsec_secret", "secret_prefix"),
    ] {
        let hook = hook_with(&world, scheme, of_hook).await;
        let letter = signed(&hook, scheme, of_sender, BODY);
        assert_told(told(&world, &hook, &letter).await, 401, "signature", reason);
    }
    let hook = hook_with(&world, "shopify", "old").await;
    hook.set(&world, json!({ "auth": { "secrets": ["new"] } })).await.expect(200);
    assert_told(told(&world, &hook, &signed(&hook, "shopify", "old", BODY)).await, 401, "signature", "old_secret");

    let hook = hook_of(&world, json!({ "scheme": "header", "header": "x-shop-key", "secrets": ["s"] })).await;
    let wrong = Letter::unsigned(&hook.path, BODY).and("x-shop-key", "t");
    assert_told(told(&world, &hook, &wrong).await, 401, "credentials", "wrong_secret");
}

#[tokio::test]
async fn a_signature_that_is_right_but_written_in_another_way_is_recognised() {
    let world = World::new().await;
    let shopify = hook_with(&world, "shopify", "secret").await;
    let good = signed(&shopify, "shopify", "secret", BODY);
    let name = "x-shopify-hmac-sha256";
    let hex = rewritten(&good, name, |value| hex::encode(BASE64.decode(value).unwrap()));
    assert_told(told(&world, &shopify, &hex).await, 401, "header", "hex_not_base64");
    // A body whose signature has a letter that the two alphabets write differently.
    let differing = (0..)
        .map(|id| signed(&shopify, "shopify", "secret", &format!("{{\"id\":{id}}}")))
        .find(|letter| letter.header(name).contains(['+', '/']))
        .unwrap();
    let url_safe = rewritten(&differing, name, |value| URL_SAFE.encode(BASE64.decode(value).unwrap()));
    assert_told(told(&world, &shopify, &url_safe).await, 401, "header", "base64url");

    let github = hook_with(&world, "github", "secret").await;
    let good = signed(&github, "github", "secret", BODY);
    let base64 = rewritten(&good, "x-hub-signature-256", |value| {
        format!("sha256={}", BASE64.encode(hex::decode(value.strip_prefix("sha256=").unwrap()).unwrap()))
    });
    assert_told(told(&world, &github, &base64).await, 401, "header", "base64_not_hex");

    let mut sha1 = apps::find("github").unwrap().auth().unwrap().clone();
    sha1["digest"] = json!("sha1");
    let sender = Sender { scheme: Scheme::parse(&sha1).unwrap(), ..Sender::with_secret("github", "secret") };
    let other_digest = sender.sign(&Letter::unsigned(&github.path, BODY), "1", NOON_SECONDS);
    let answered = told(&world, &github, &other_digest).await;
    assert!(answered.0 == 401 && answered.2.contains(&"wrong_digest".to_owned()), "{answered:?}");
}

#[tokio::test]
async fn a_body_that_was_touched_on_the_way_is_told_apart_from_a_wrong_secret() {
    let world = World::new().await;
    let hook = hook_with(&world, "shopify", "secret").await;
    let spaced = signed(&hook, "shopify", "secret", "{\"id\": 1, \"total\": \"9.90\"}");
    assert_told(told(&world, &hook, &spaced.saying(BODY)).await, 401, "signature", "reserialised_body");
    let ended = signed(&hook, "shopify", "secret", &format!("{BODY}\n"));
    assert_told(told(&world, &hook, &ended.saying(BODY)).await, 401, "signature", "newline_in_body");
    let bare = signed(&hook, "shopify", "secret", BODY);
    assert_told(told(&world, &hook, &bare.saying(format!("{BODY}\r\n"))).await, 401, "signature", "newline_in_body");
    let changed = told(&world, &hook, &bare.saying(BODY.replace("9.90", "9.91"))).await;
    assert_eq!(changed.2, ["wrong_secret"]);
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_by_how_much() {
    let world = World::new().await;
    for (signed_at, word) in [(NOON_SECONDS - 301, "301 s behind"), (NOON_SECONDS + 301, "301 s ahead")] {
        let hook = hook_with(&world, "slack", "secret").await;
        let letter = Sender::with_secret("slack", "secret");
        let letter = letter.sign(&Letter::unsigned(&hook.path, BODY), "1", signed_at);
        assert_told(told(&world, &hook, &letter).await, 401, "timestamp", "clock");
        let record = &hook.refusals(&world).await[0];
        assert!(record["reasons"][0]["sentence"].as_str().unwrap().contains(word), "{record}");
    }
}

#[tokio::test]
async fn an_address_that_differs_is_named() {
    let world = World::new().await;
    let hook = hook_with(&world, "twilio", "secret").await;
    let sender = Sender::with_secret("twilio", "secret");
    let form = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    for (url, forwarded) in [
        (format!("https://shop.example{}", hook.path), "shop.example"),
        (format!("https://hooks.test{}", hook.path), "hooks.test"),
        (format!("{BASE}{}/", hook.path), "hooks.test"),
    ] {
        let request =
            Unsigned { method: "POST".to_owned(), url: url.clone(), headers: form.clone(), body: b"a=1".to_vec() };
        let signature = sign(&sender.scheme, &sender.settings, None, request, "1", NOON_SECONDS).unwrap();
        let letter = Letter { headers: form.clone(), ..Letter::unsigned(&hook.path, "a=1") };
        let letter = letter.and("x-twilio-signature", &signature.headers[0].1).and("x-forwarded-host", forwarded);
        assert_told(told(&world, &hook, &letter).await, 401, "signature", "url_differs");
        let record = &hook.refusals(&world).await[0];
        assert!(record["reasons"].to_string().contains(&url), "{url} in {record}");
    }
    let json = signed(&hook, "twilio", "secret", BODY);
    let uncovered = Letter { path: hook.path.clone(), ..json };
    let answered = told(&world, &hook, &uncovered).await;
    assert_told(answered, 401, "signature", "body_not_signed");
}

#[tokio::test]
async fn a_kind_of_signature_that_the_hook_has_no_key_for_is_told() {
    let world = World::new().await;
    let hook = hook_of(&world, json!({ "scheme": "gohighlevel", "publicKeys": [ED25519_PUBLIC_PEM] })).await;
    let legacy = Letter::unsigned(&hook.path, BODY).and("x-wh-signature", "AAAA");
    assert_told(told(&world, &hook, &legacy).await, 401, "key", "no_key");
}

#[tokio::test]
async fn a_token_is_told_by_what_is_wrong_with_it() {
    let world = World::new().await;
    world.web.put("https://keys.example/set", 200, KEY_SET);
    let issuer = "https://issuer.example";
    let auth = json!({ "scheme": "jwt", "issuer": issuer, "audience": "hooks", "jwksUrl": "https://keys.example/set" });
    let hook = hook_of(&world, auth).await;
    let token = |kid: &str, audience: &str, now_seconds: i64| {
        let mut sender = Sender::with_secret("jwt", "");
        sender.key = Some(PrivateKey::parse(RSA_PEM).unwrap().named(kid));
        sender.settings.issuer = Some(issuer.to_owned());
        sender.settings.audience = Some(audience.to_owned());
        sender.sign(&Letter::unsigned(&hook.path, BODY), "1", now_seconds)
    };
    let good = token("test-only-rsa", "hooks", NOON_SECONDS);
    let others = token("test-only-rsa", "others", NOON_SECONDS);
    assert_told(told(&world, &hook, &others).await, 401, "claims", "wrong_claim");
    assert_told(told(&world, &hook, &token("test-only-rsa", "hooks", 0)).await, 401, "claims", "clock");
    assert_told(told(&world, &hook, &token("made-up", "hooks", NOON_SECONDS)).await, 401, "key", "unknown_key");
    // {"alg":"none"}
    let unsigned = rewritten(&good, "authorization", |_| "Bearer eyJhbGciOiJub25lIn0.e30.".to_owned());
    assert_told(told(&world, &hook, &unsigned).await, 401, "algorithm", "wrong_algorithm");
}

#[tokio::test]
async fn a_message_of_amazon_sns_is_told_by_what_is_wrong_with_it() {
    let world = World::new().await;
    let Connected { mut sender, .. } = Connected::new(&world, samples::find("sns.notification.receive").unwrap()).await;
    world.clock.set(domain::Timestamp::parse(NOON).unwrap());
    let hook = hook_of(&world, json!({ "scheme": "sns", "topicArns": [TOPIC] })).await;
    let mut message = |topic: &str, certificate: &str, more: Value| {
        let mut body = json!({ "Message": "m", "SigningCertURL": certificate });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        sender.settings.topic_arns = vec![topic.to_owned()];
        sender.sign(&Letter::unsigned(&hook.path, &body.to_string()), "m-1", NOON_SECONDS)
    };
    let good = message(TOPIC, CERTIFICATE_URL, json!({}));
    let subscription =
        json!({ "Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": "https://evil.example/" });
    for (letter, status, check, reason) in [
        (good.saying("{}"), 401, "body", "malformed_body"),
        (good.and("x-amz-sns-rawdelivery", "true"), 401, "signature", "raw_delivery"),
        (message("arn:aws:sns:eu-west-1:123456789012:other", CERTIFICATE_URL, json!({})), 401, "topic", "wrong_topic"),
        (message(TOPIC, "https://evil.example/a.pem", json!({})), 401, "certificate", "certificate"),
        (message(TOPIC, CERTIFICATE_URL, subscription), 403, "url", "subscribe_url"),
    ] {
        assert_told(told(&world, &hook, &letter).await, status, check, reason);
    }
    good.send(&world).await.expect(202);
}

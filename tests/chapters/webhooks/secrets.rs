//! Webhooks with a shared secret: Basic, a header, none, several secrets at once; and that nobody ever reads one again.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use tests::{
    providers::{Letter, Sender, WebHook},
    world::{NOON, World},
};

use super::post;

const NOON_SECONDS: i64 = 1_795_348_800;

fn basic(pair: &str) -> String {
    format!("Basic {}", BASE64.encode(pair))
}

/// What Shopify sends with this secret.
fn shopify(hook: &WebHook, secret: &str) -> Letter {
    let letter = Letter::unsigned(&hook.path, "{\"id\":1}").and("x-shopify-topic", "orders/create");
    Sender::with_secret("shopify", secret).sign(&letter, "1", NOON_SECONDS)
}

#[tokio::test]
async fn a_name_and_password_let_in_and_whoever_has_none_is_asked_for_them() {
    let world = World::new().await;
    let auth = json!({ "scheme": "basic", "secrets": ["shop:pass:word", "old:secret"] });
    let hook = WebHook::new(&world, json!({ "auth": auth })).await;
    for (value, status) in [
        (basic("shop:pass:word"), 202),
        (basic("old:secret"), 202),
        (basic("shop:pass:word").replacen("Basic", "basic", 1), 202),
        (basic("shop:pass"), 401),
        (basic("shop:secret"), 401),
        (basic("Shop:pass:word"), 401),
        (basic(""), 401),
        ("Basic shop:pass:word".to_owned(), 401),
        (format!("Bearer {}", BASE64.encode("shop:pass:word")), 401),
    ] {
        let answer = post(&world, &hook, &[("authorization", &value)], "{}").await;
        assert_eq!(answer.status, status, "{value}: {answer:?}");
        if status == 401 {
            assert_eq!(answer.code(), "bad_credentials");
            assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"webhook\", charset=\"UTF-8\"");
        }
    }
    post(&world, &hook, &[], "{}").await.expect(401);
    let value = basic("old:secret");
    let twice = [("authorization", value.as_str()), ("authorization", value.as_str())];
    assert_eq!(post(&world, &hook, &twice, "{}").await.expect(400).code(), "ambiguous_credentials");
    assert_eq!(world.queue.depth(), 3);
}

#[tokio::test]
async fn a_secret_in_a_header_of_its_owners_choice_lets_in() {
    let world = World::new().await;
    let auth = json!({ "scheme": "header", "header": "X-Shop-Key", "secrets": ["one", "two"] });
    let hook = WebHook::new(&world, json!({ "auth": auth, "tape": true })).await;
    for (name, value, status) in [
        ("x-shop-key", "one", 202),
        ("X-SHOP-KEY", "two", 202),
        ("x-shop-key", "One", 401),
        ("x-shop-key", "one,two", 401),
        ("x-shop-key", "", 401),
        ("x-api-key", "one", 401),
    ] {
        assert_eq!(post(&world, &hook, &[(name, value)], "{}").await.status, status, "{name}: {value}");
    }
    post(&world, &hook, &[("x-shop-key", "one"), ("x-shop-key", "one")], "{}").await.expect(400);
    let tape = world.get(&format!("{}/arrivals", hook.resource())).await.expect(200);
    assert_eq!(tape.body["data"].as_array().unwrap().len(), 2);
    assert!(!tape.text.contains("x-shop-key"), "the header of the secret is kept nowhere: {}", tape.text);
}

#[tokio::test]
async fn a_hook_without_a_scheme_of_proof_takes_everybody_and_says_so() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" } })).await;
    post(&world, &hook, &[], "{}").await.expect(202);
    post(&world, &hook, &[("authorization", "Bearer x"), ("authorization", "y")], "{}").await.expect(202);
    assert_eq!(world.get(&hook.resource()).await.attribute("auth")["scheme"], "none");
}

#[tokio::test]
async fn any_secret_of_a_hook_may_match_and_a_removed_one_may_not() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "shopify", "secrets": ["first", "second"] } })).await;
    let taken = async |secret: &str| shopify(&hook, secret).send(&world).await.status == 202;
    assert!(taken("first").await && taken("second").await && !taken("third").await);

    hook.set(&world, json!({ "auth": { "addSecrets": ["third"] } })).await.expect(200);
    assert!(taken("first").await && taken("second").await && taken("third").await);

    hook.set(&world, json!({ "auth": { "toleranceSeconds": 60 } })).await.expect(200);
    assert!(taken("first").await, "a change that names no secrets leaves them");

    hook.set(&world, json!({ "auth": { "secrets": ["third"] } })).await.expect(200);
    assert!(!taken("first").await && !taken("second").await && taken("third").await);
    let auth = world.get(&hook.resource()).await.attribute("auth");
    assert_eq!(auth, json!({ "scheme": "shopify", "secretCount": 1, "toleranceSeconds": 60 }));
}

#[tokio::test]
async fn at_the_limit_a_new_secret_takes_the_place_of_the_oldest() {
    let world = World::new().await;
    let five = ["s1", "s2", "s3", "s4", "s5"];
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "shopify", "secrets": five } })).await;
    hook.set(&world, json!({ "auth": { "addSecrets": ["s6"] } })).await.expect(200);
    for (secret, status) in [("s6", 202), ("s1", 202), ("s4", 202), ("s5", 401)] {
        assert_eq!(shopify(&hook, secret).send(&world).await.status, status, "{secret}");
    }
    let six = json!({ "scheme": "shopify", "secrets": ["s1", "s2", "s3", "s4", "s5", "s6"] });
    hook.set(&world, json!({ "auth": six })).await.expect(400);
}

fn topics(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("arn:aws:sns:eu-central-1:123456789012:topic-{index}")).collect()
}

fn address(bytes: usize) -> String {
    let start = "https://shop.example.com/";
    format!("{start}{}", "x".repeat(bytes - start.len()))
}

#[tokio::test]
async fn a_scheme_that_lacks_what_it_needs_is_not_saved() {
    let world = World::new().await;
    for (auth, path) in [
        (json!({ "scheme": "shopfy" }), "$.auth.scheme"),
        (json!({ "scheme": "shopify" }), "$.auth.secrets"),
        (json!({ "scheme": "shopify", "secrets": [] }), "$.auth.secrets"),
        (json!({ "scheme": "shopify", "secrets": [""] }), "$.auth.secrets"),
        (json!({ "scheme": "shopify", "secrets": [" "] }), "$.auth.secrets"),
        (json!({ "scheme": "shopify", "secrets": "text" }), "$.auth.secrets"),
        (json!({ "scheme": "shopify", "secrets": ["x".repeat(4_097)] }), "$.auth.secrets"),
        (json!({ "scheme": "shopify", "secrets": ["a"], "addSecrets": ["b"] }), "$.auth.addSecrets"),
        (json!({ "scheme": "shopify", "secrets": ["a"], "toleranceSeconds": 0 }), "$.auth.toleranceSeconds"),
        (json!({ "scheme": "shopify", "secrets": ["a"], "toleranceSeconds": 86_401 }), "$.auth.toleranceSeconds"),
        (json!({ "scheme": "shopify", "secrets": ["a"], "colour": "red" }), "$.auth.colour"),
        (json!({ "scheme": "basic", "secrets": ["nocolon"] }), "$.auth.secrets"),
        (json!({ "scheme": "header", "secrets": ["a"] }), "$.auth.header"),
        (json!({ "scheme": "header", "secrets": ["a"], "header": "a b" }), "$.auth.header"),
        (json!({ "scheme": "twilio", "secrets": ["a"], "url": "ftp://x" }), "$.auth.url"),
        (json!({ "scheme": "jwt", "issuer": "https://issuer.example.com" }), "$.auth.audience"),
        (json!({ "scheme": "gmail", "audience": "a" }), "$.auth.email"),
        (json!({ "scheme": "sns" }), "$.auth.topicArns"),
        (json!({ "scheme": "gohighlevel", "publicKeys": ["no key"] }), "$.auth.publicKeys"),
        (json!({ "scheme": "sns", "topicArns": topics(11) }), "$.auth.topicArns"),
        (json!({ "scheme": "sns", "topicArns": ["x".repeat(8_193)] }), "$.auth.topicArns"),
        (json!({ "scheme": "sns", "topicArns": [""] }), "$.auth.topicArns"),
        (json!({ "scheme": "twilio", "secrets": ["a"], "url": address(8_193) }), "$.auth.url"),
    ] {
        let answer = world.api("POST", "/v1/hooks/web", json!({ "title": "t", "auth": auth })).await;
        assert_eq!(answer.status, 400, "{auth}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["source"]["path"], path, "{auth}: {answer:?}");
    }
    for most in [
        json!({ "scheme": "shopify", "secrets": ["x".repeat(4_096)], "toleranceSeconds": 86_400 }),
        json!({ "scheme": "sns", "topicArns": topics(10) }),
        json!({ "scheme": "sns", "topicArns": ["x".repeat(8_192)] }),
        json!({ "scheme": "twilio", "secrets": ["a"], "url": address(8_192) }),
    ] {
        WebHook::new(&world, json!({ "auth": most })).await;
    }
}

#[tokio::test]
async fn no_answer_ever_shows_a_secret_again() {
    const CANARIES: [&str; 4] = ["canary-one", "canary-two", "canary-three", "canary-token"];
    let world = World::new().await;
    let draft = json!({
        "title": "Webhook", "debug": true, "tape": true,
        "auth": { "scheme": "meta", "secrets": ["canary-one", "canary-two"], "verifyToken": "canary-token" },
    });
    let created = world.api("POST", "/v1/hooks/web", draft).await.expect(201);
    let path = format!("/v1/hooks/web/{}", created.id());
    let address = created.attribute("url").as_str().unwrap().strip_prefix("http://hooks.test").unwrap().to_owned();
    let mut answers = vec![created];
    let letter = Letter::unsigned(&address, "{\"object\":\"page\"}");
    let signed = Sender::with_secret("meta", "canary-one").sign(&letter, "1", NOON_SECONDS);
    let signature = signed.header("x-hub-signature-256").to_owned();
    for letter in [&signed, &letter, &signed.saying("{}"), &signed.and("x-hub-signature-256", "canary-one")] {
        answers.push(letter.send(&world).await);
    }
    answers.push(
        world
            .send("GET", &format!("{address}?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1"), &[], "")
            .await,
    );
    world.work().await;
    for (method, path, body) in [
        ("PATCH", path.clone(), json!({ "auth": { "secrets": ["canary-three"] } })),
        ("PATCH", path.clone(), json!({ "auth": { "scheme": "basic", "secrets": ["canary-three"] } })),
        ("PATCH", path.clone(), json!({ "auth": { "secrets": ["canary-three", 5] } })),
        ("PATCH", path.clone(), json!({ "auth": { "verifyToken": ["canary-token"] } })),
        ("GET", path.clone(), Value::Null),
        ("GET", "/v1/hooks/web".to_owned(), Value::Null),
        ("GET", format!("{path}/refusals"), Value::Null),
        ("GET", format!("{path}/transactions"), Value::Null),
        ("GET", format!("{path}/arrivals"), Value::Null),
        ("POST", format!("{path}/samples"), json!({ "event": "facebook.lead.receive" })),
    ] {
        answers.push(world.api(method, &path, body).await);
    }
    for answer in answers {
        for canary in CANARIES {
            assert!(!answer.text.contains(canary), "{canary} in {}", answer.text);
        }
        assert!(!answer.text.contains(&signature), "the signature in {}", answer.text);
    }
    assert!(NOON.starts_with("2026-11-22"));
}

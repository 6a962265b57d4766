//! Webhooks that take tokens of an issuer: where its keys are found, and how often they are asked for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tests::{
    providers::{KEY_SET, Letter, RSA_PEM, Sender, WebHook},
    world::World,
};
use verify::{Scheme, Settings, sign::PrivateKey};

const ISSUER: &str = "https://issuer.example.com";
const DISCOVERY: &str = "https://issuer.example.com/.well-known/openid-configuration";
const KEYS: &str = "https://issuer.example.com/keys";
const NOON_SECONDS: i64 = 1_795_348_800;

fn settings() -> Settings {
    Settings { issuer: Some(ISSUER.to_owned()), audience: Some("hooks".to_owned()), ..Settings::default() }
}

fn issuer(kid: &str) -> Sender {
    let key = PrivateKey::parse(RSA_PEM).unwrap().named(kid);
    Sender { scheme: Scheme::general("jwt").unwrap(), settings: settings(), key: Some(key) }
}

/// A request with a token under the key `kid`.
fn letter(hook: &WebHook, kid: &str, now_seconds: i64) -> Letter {
    issuer(kid).sign(&Letter::unsigned(&hook.path, "{}"), "1", now_seconds)
}

/// The same with what the token says changed, and signed as before.
fn forged(letter: &Letter, part: usize, changes: &Value) -> Letter {
    let token = letter.header("authorization").strip_prefix("Bearer ").unwrap().to_owned();
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut content: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&parts[part]).unwrap()).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        content[key] = value.clone();
    }
    parts[part] = URL_SAFE_NO_PAD.encode(content.to_string());
    letter.without("authorization").and("authorization", &format!("Bearer {}", parts.join(".")))
}

/// The key set without the key of these tokens.
fn without_our_key() -> String {
    let mut keys: Value = serde_json::from_str(KEY_SET).unwrap();
    keys["keys"].as_array_mut().unwrap().retain(|key| key["kid"] != "test-only-rsa");
    keys.to_string()
}

async fn hook_of(world: &World, more: Value) -> WebHook {
    let mut auth = json!({ "scheme": "jwt", "issuer": ISSUER, "audience": "hooks" });
    for (key, value) in more.as_object().unwrap() {
        auth[key] = value.clone();
    }
    world.web.put(DISCOVERY, 200, json!({ "issuer": ISSUER, "jwks_uri": KEYS }).to_string());
    world.web.put(KEYS, 200, KEY_SET);
    WebHook::new(world, json!({ "auth": auth })).await
}

/// How often the page was fetched.
fn fetches(world: &World, url: &str) -> usize {
    world.web.asked().iter().filter(|request| request.url == url).count()
}

#[tokio::test]
async fn the_issuers_keys_are_discovered_once_and_believed_for_an_hour() {
    let world = World::new().await;
    let hook = hook_of(&world, json!({})).await;
    for _ in 0..3 {
        letter(&hook, "test-only-rsa", NOON_SECONDS).send(&world).await.expect(202);
    }
    assert_eq!((fetches(&world, DISCOVERY), fetches(&world, KEYS)), (1, 1));

    world.clock.pass_seconds(3_599);
    letter(&hook, "test-only-rsa", NOON_SECONDS + 3_599).send(&world).await.expect(202);
    assert_eq!(fetches(&world, KEYS), 1);
    world.clock.pass_seconds(1);
    letter(&hook, "test-only-rsa", NOON_SECONDS + 3_600).send(&world).await.expect(202);
    assert_eq!(fetches(&world, KEYS), 2);
}

#[tokio::test]
async fn while_an_issuer_is_away_its_keys_hold_for_a_day_and_nobody_waits_for_it() {
    const DAY_SECONDS: i64 = 24 * 60 * 60;
    let world = World::new().await;
    let hook = hook_of(&world, json!({})).await;
    letter(&hook, "test-only-rsa", NOON_SECONDS).send(&world).await.expect(202);
    world.web.put(KEYS, 500, "");
    world.clock.pass_seconds(DAY_SECONDS - 1);
    for _ in 0..5 {
        letter(&hook, "test-only-rsa", NOON_SECONDS + DAY_SECONDS - 1).send(&world).await.expect(202);
    }
    assert_eq!(fetches(&world, KEYS), 2, "it is asked once in ten seconds");
    world.clock.pass_seconds(1);
    letter(&hook, "test-only-rsa", NOON_SECONDS + DAY_SECONDS).send(&world).await.expect(503);
    world.web.put(KEYS, 200, KEY_SET);
    letter(&hook, "test-only-rsa", NOON_SECONDS + DAY_SECONDS).send(&world).await.expect(503);
    world.clock.pass_seconds(10);
    letter(&hook, "test-only-rsa", NOON_SECONDS + DAY_SECONDS + 10).send(&world).await.expect(202);
}

#[tokio::test]
async fn keys_are_fetched_over_https_only() {
    let world = World::new().await;
    for (key, url, status) in [
        ("jwksUrl", "http://keys.example.com/set", 400),
        ("jwksUrl", "https://keys.example.com/set", 201),
        ("jwksUrl", "http://127.0.0.1:9000/set", 201),
        ("jwksUrl", "http://localhost/set", 201),
        ("jwksUrl", "http://localhost.example.com/set", 400),
        ("issuer", "http://issuer.example.com", 400),
    ] {
        let mut auth = json!({ "scheme": "jwt", "issuer": ISSUER, "audience": "hooks" });
        auth[key] = json!(url);
        world.api("POST", "/v1/hooks/web", json!({ "title": "T", "auth": auth })).await.expect(status);
    }
}

#[tokio::test]
async fn a_hook_may_name_the_key_set_or_hold_a_key_of_its_own() {
    let world = World::new().await;
    let hook = hook_of(&world, json!({ "jwksUrl": "https://keys.example.com/set" })).await;
    world.web.put("https://keys.example.com/set", 200, KEY_SET);
    letter(&hook, "test-only-rsa", NOON_SECONDS).send(&world).await.expect(202);
    assert_eq!((fetches(&world, DISCOVERY), fetches(&world, KEYS)), (0, 0));

    let keys: Value = serde_json::from_str(KEY_SET).unwrap();
    let ours = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == "test-only-rsa").unwrap().to_string();
    let hook = hook_of(&world, json!({ "publicKeys": [ours] })).await;
    let before = world.web.asked().len();
    letter(&hook, "test-only-rsa", NOON_SECONDS).send(&world).await.expect(202);
    assert_eq!(world.web.asked().len(), before, "nothing is fetched for a key that is there");
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_found_within_a_minute() {
    let world = World::new().await;
    let hook = hook_of(&world, json!({})).await;
    world.web.put(KEYS, 200, without_our_key());
    letter(&hook, "test-only-rsa", NOON_SECONDS).send(&world).await.expect(401);
    world.web.put(KEYS, 200, KEY_SET);
    world.clock.pass_seconds(59);
    letter(&hook, "test-only-rsa", NOON_SECONDS).send(&world).await.expect(401);
    assert_eq!(fetches(&world, KEYS), 1);
    world.clock.pass_seconds(1);
    letter(&hook, "test-only-rsa", NOON_SECONDS).send(&world).await.expect(202);
    assert_eq!(fetches(&world, KEYS), 2);
}

#[tokio::test]
async fn made_up_key_names_cost_one_fetch_a_minute() {
    let world = World::new().await;
    let hook = hook_of(&world, json!({})).await;
    for minute in 0..3 {
        for index in 0..10 {
            letter(&hook, &format!("made-up-{index}"), NOON_SECONDS).send(&world).await.expect(401);
        }
        assert_eq!(fetches(&world, KEYS), minute + 1);
        world.clock.pass_seconds(60);
    }
}

#[tokio::test]
async fn a_token_that_says_something_else_is_refused() {
    let world = World::new().await;
    let hook = hook_of(&world, json!({ "subject": "shop" })).await;
    let sent = |change: fn(&mut Settings)| {
        let mut sender = issuer("test-only-rsa");
        sender.settings.subject = Some("shop".to_owned());
        change(&mut sender.settings);
        sender.sign(&Letter::unsigned(&hook.path, "{}"), "1", NOON_SECONDS)
    };
    let good = sent(|_| {});
    good.send(&world).await.expect(202);
    for (what, letter) in [
        ("issuer", sent(|settings| settings.issuer = Some("https://evil.example".to_owned()))),
        ("audience", sent(|settings| settings.audience = Some("others".to_owned()))),
        ("no audience", sent(|settings| settings.audience = None)),
        ("subject", sent(|settings| settings.subject = Some("else".to_owned()))),
        ("changed claim", forged(&good, 1, &json!({ "aud": ["hooks", "others"] }))),
        ("no algorithm", forged(&good, 0, &json!({ "alg": "none" }))),
        ("HMAC with the public key", forged(&good, 0, &json!({ "alg": "HS256" }))),
        ("another algorithm", forged(&good, 0, &json!({ "alg": "ES256" }))),
        ("extensions", forged(&good, 0, &json!({ "crit": ["exp"] }))),
        ("a key in the header", forged(&good, 0, &json!({ "jwk": {}, "jku": "https://evil.example/keys" }))),
        ("no signature", good.without("authorization").and("authorization", "Bearer e30.e30.")),
        ("no token", good.without("authorization")),
    ] {
        let answer = letter.send(&world).await;
        assert_eq!((answer.status, answer.code()), (401, "bad_credentials"), "{what}: {answer:?}");
    }
    assert_eq!(world.queue.depth(), 1);
    assert!(world.web.asked().iter().all(|request| request.url.starts_with(ISSUER)), "nothing else is ever fetched");
}

#[tokio::test]
async fn an_issuer_that_answers_nonsense_lets_nobody_in() {
    for (discovery, keys) in [
        ("", KEY_SET),
        ("[]", KEY_SET),
        ("{\"jwks_uri\":5}", KEY_SET),
        ("{\"jwks_uri\":\"https://issuer.example.com/keys\"}", ""),
        ("{\"jwks_uri\":\"https://issuer.example.com/keys\"}", "{\"keys\":[]}"),
        ("{\"jwks_uri\":\"https://issuer.example.com/keys\"}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"),
    ] {
        let world = World::new().await;
        let hook = hook_of(&world, json!({})).await;
        world.web.put(DISCOVERY, 200, discovery);
        world.web.put(KEYS, 200, keys);
        let answer = letter(&hook, "test-only-rsa", NOON_SECONDS).send(&world).await;
        assert_eq!(answer.status, 401, "{discovery} {keys}: {answer:?}");
    }
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_the_owners_to_mend() {
    let world = World::new().await;
    let hook = hook_of(&world, json!({ "jwksUrl": "https://issuer.example.com/typo" })).await;
    let answer = letter(&hook, "test-only-rsa", NOON_SECONDS).send(&world).await.expect(503);
    assert!(!answer.text.contains("page"), "{answer:?}");
    world.web.put("https://issuer.example.com/typo", 404, "");
    world.clock.pass_seconds(10);
    letter(&hook, "test-only-rsa", NOON_SECONDS).send(&world).await.expect(503);
    let refusals = hook.refusals(&world).await;
    let noted: Vec<&str> = refusals.iter().map(|refusal| refusal["failure"].as_str().unwrap()).collect();
    assert!(noted.iter().all(|failure| failure.starts_with("The public keys of the sender could not be fetched")));
    assert!(noted.iter().any(|failure| failure.contains("404")), "{noted:?}");
}

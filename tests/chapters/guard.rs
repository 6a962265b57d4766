//! Guarding a public form: origins, challenges, honeypots and captchas, and the script that passes them.

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
};

use domain::{HookHash, HookId};
use serde_json::{Value, json};
use service::{ports::World as _, runs};
use sha2::{Digest, Sha256};
use tests::{
    faults::DownQueue,
    world::{Answer, FormHook, World},
};

const SHOP: &str = "https://shop.example";
const TURNSTILE: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";
const SECRET: &str = "captcha & secret";
const RECAPTCHA: &str = "https://www.google.com/recaptcha/api/siteverify";

/// A hook with this guard.
async fn guarded(world: &World, guard: Value) -> FormHook {
    world.form_hook_with(json!({ "title": "Contact", "guard": guard })).await
}

async fn set(world: &World, hook: &FormHook, guard: Value) {
    world.api("PATCH", &format!("/v1/hooks/form/{}", hook.id), json!({ "guard": guard })).await.expect(200);
}

fn origins(origins: &[&str]) -> Value {
    json!({ "origins": origins })
}

fn challenged() -> Value {
    json!({ "minimumFillSeconds": 3, "proofOfWorkBits": 8 })
}

/// [`challenged`], and more.
fn challenged_and(key: &str, value: Value) -> Value {
    let mut guard = challenged();
    guard[key] = value;
    guard
}

async fn token(world: &World, hook: &FormHook) -> String {
    let answer = world.send("GET", &format!("{}/challenge", hook.path), &[], "").await.expect(200);
    answer.attribute("token").as_str().unwrap().to_owned()
}

fn solved(token: &str, bits: u32) -> String {
    let zeros = |nonce: &String| {
        let digest = Sha256::digest(format!("{token}.{nonce}"));
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]).leading_zeros()
    };
    (0..).map(|nonce: u32| nonce.to_string()).find(|nonce| zeros(nonce) >= bits).unwrap()
}

/// A post that passes [`challenged`], once its time has come.
async fn proved(world: &World, hook: &FormHook, name: &str) -> Value {
    let token = token(world, hook).await;
    let nonce = solved(&token, 8);
    json!({ "name": name, "hw_token": token, "hw_nonce": nonce })
}

async fn data_of(world: &World, transaction: &str) -> Value {
    world.work().await;
    world.get(&format!("/v1/transactions/{transaction}")).await.expect(200).attribute("data")
}

fn hook_hash(hook: &FormHook) -> HookHash {
    HookHash::parse(&hook.hash).unwrap()
}

async fn refusals(world: &World, hook: &FormHook) -> Vec<String> {
    let id = HookId::parse(&hook.id).unwrap();
    let refusals = runs::list_refusals(world.store.as_ref(), world.org, id).await.unwrap();
    refusals.into_iter().map(|refusal| refusal.code).collect()
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

async fn post_from(world: &World, hook: &FormHook, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    world.send("POST", &hook.path, &all, body.to_owned()).await
}

// ---- Origins

#[tokio::test]
async fn a_preflight_of_a_named_page_is_told_exactly_what_it_may_do() {
    let world = World::new().await;
    let hook = guarded(&world, origins(&[SHOP, "https://*.shop.example"])).await;
    for origin in [SHOP, "https://de.shop.example"] {
        for (path, method) in [
            (hook.path.clone(), "POST"),
            (format!("/v1/hooks/form/{}", hook.hash), "POST"),
            (format!("{}/challenge", hook.path), "GET"),
            (format!("/v1/hooks/form/{}/uploads", hook.hash), "POST"),
        ] {
            let asked = [("origin", origin), ("access-control-request-method", "POST")];
            let answer = world.send("OPTIONS", &path, &asked, "").await.expect(204);
            let told: Vec<(&str, &str)> =
                answer.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
            let mut told: Vec<_> =
                told.into_iter().filter(|(name, _)| *name != "access-control-expose-headers").collect();
            told.sort_unstable();
            assert_eq!(
                told,
                [
                    (
                        "access-control-allow-headers",
                        "content-type, idempotency-key, x-hookwright-token, x-hookwright-nonce"
                    ),
                    ("access-control-allow-methods", method),
                    ("access-control-allow-origin", origin),
                    ("access-control-max-age", "7200"),
                    ("vary", "origin"),
                ]
            );
        }
    }
}

#[tokio::test]
async fn a_preflight_from_elsewhere_is_refused_and_one_to_nowhere_finds_nothing() {
    let world = World::new().await;
    let hook = guarded(&world, origins(&[SHOP])).await;
    for origin in ["https://evil.example", "null", "https://shop.example.evil.example", "https://shöp.example"] {
        let answer = world.send("OPTIONS", &hook.path, &[("origin", origin)], "").await.expect(403);
        assert_eq!((answer.code(), header(&answer, "vary")), ("origin_not_allowed", Some("origin")));
        assert_eq!(header(&answer, "access-control-allow-origin"), None);
    }
    let unknown = format!("/v1/hooks/form/{}", "0".repeat(64));
    let answer = world.send("OPTIONS", &unknown, &[("origin", SHOP)], "").await.expect(404);
    let posted = world.send("POST", &unknown, &[("origin", SHOP)], "{}").await.expect(404);
    assert_eq!(answer.text, posted.text);
    assert_eq!(header(&answer, "access-control-allow-origin"), None);
    assert_eq!(refusals(&world, &hook).await, Vec::<String>::new(), "a browser's question is no refused post");
}

#[tokio::test]
async fn a_hook_that_names_no_origin_answers_as_ever() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let answer = world.send("OPTIONS", &hook.path, &[("origin", SHOP)], "").await.expect(405);
    assert_eq!(header(&answer, "allow"), Some("POST"));
    let answer = post_from(&world, &hook, &[("origin", "null")], "{}").await.expect(202);
    for name in ["vary", "access-control-allow-origin", "access-control-expose-headers"] {
        assert_eq!(header(&answer, name), None);
    }
}

#[tokio::test]
async fn every_answer_to_a_named_page_is_readable_for_it_errors_too() {
    let mut world = World::new().await;
    let hook = guarded(&world, origins(&[SHOP])).await;
    let readable = |answer: &Answer| {
        assert_eq!(header(answer, "access-control-allow-origin"), Some(SHOP), "{answer:?}");
        assert_eq!(header(answer, "vary"), Some("origin"));
        assert!(header(answer, "access-control-expose-headers").unwrap().contains("retry-after"));
    };
    readable(&post_from(&world, &hook, &[("origin", SHOP)], "{}").await.expect(202));
    readable(&post_from(&world, &hook, &[("origin", SHOP)], "{").await.expect(400));
    readable(&post_from(&world, &hook, &[("origin", SHOP)], &"x".repeat(409_601)).await.expect(413));
    readable(&world.send("PUT", &hook.path, &[("origin", SHOP)], "{}").await.expect(405));
    readable(&world.send("GET", &format!("{}/challenge", hook.path), &[("origin", SHOP)], "").await.expect(404));
    world.door.queue = Arc::new(DownQueue);
    readable(&post_from(&world, &hook, &[("origin", SHOP)], "{}").await.expect(503));
    assert_eq!(world.queue.depth(), 1);
}

#[tokio::test]
async fn a_post_from_another_page_is_refused_and_its_owner_can_see_it() {
    let world = World::new().await;
    let hook = guarded(&world, origins(&[SHOP])).await;
    for origin in ["https://evil.example", "null", "", "https://shоp.example", "HTTPS://SHOP.EXAMPLE"] {
        let answer = post_from(&world, &hook, &[("origin", origin)], "{}").await.expect(403);
        assert_eq!(answer.code(), "origin_not_allowed", "{origin}");
    }
    let twice = [("origin", SHOP), ("origin", SHOP)];
    assert_eq!(post_from(&world, &hook, &twice, "{}").await.expect(403).code(), "origin_not_allowed");
    assert_eq!(refusals(&world, &hook).await, vec!["origin_not_allowed"; 6]);
    assert_eq!(world.queue.depth(), 0);
    // No browser, no origin: a server may post unless the hook is locked.
    post_from(&world, &hook, &[], "{}").await.expect(202);
}

#[tokio::test]
async fn a_lock_keeps_out_what_does_not_say_where_it_comes_from() {
    let world = World::new().await;
    let hook = guarded(&world, json!({ "origins": [SHOP], "originLock": true })).await;
    for (headers, status) in [
        (vec![], 403),
        (vec![("referer", "https://evil.example/")], 403),
        (vec![("referer", "https://shop.example.evil.example/")], 403),
        (vec![("origin", "null"), ("referer", "https://shop.example/")], 403),
        (vec![("referer", "https://shop.example/contact")], 202),
        (vec![("origin", SHOP)], 202),
    ] {
        post_from(&world, &hook, &headers, "{}").await.expect(status);
    }
}

// ---- Challenges

#[tokio::test]
async fn a_challenge_says_what_it_asks_for_at_both_addresses() {
    let world = World::new().await;
    let hook = guarded(&world, challenged()).await;
    for path in [format!("{}/challenge", hook.path), format!("/v1/hooks/form/{}/challenge", hook.hash)] {
        let answer = world.send("GET", &path, &[], "").await.expect(200);
        let token = answer.attribute("token");
        assert_eq!(
            answer.body,
            json!({ "data": { "type": "challenge", "attributes": { "token": token, "proofOfWorkBits": 8,
                "minimumFillSeconds": 3, "expiresAt": "2026-11-22T14:00:00.000Z" } } })
        );
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert!(!token.as_str().unwrap().contains(&hook.hash[..16]), "the token says nothing of the address");
        for method in ["POST", "PUT", "HEAD", "DELETE"] {
            let answer = world.send(method, &path, &[], "").await.expect(405);
            assert_eq!(header(&answer, "allow"), Some("GET"));
        }
    }
    let free = world.form_hook().await;
    let answer = world.send("GET", &format!("{}/challenge", free.path), &[], "").await.expect(404);
    assert_eq!(answer.code(), "no_challenge");
    let unknown = format!("/v1/hooks/form/{}/challenge", "0".repeat(64));
    assert_eq!(world.send("GET", &unknown, &[], "").await.expect(404).code(), "unknown_address");
}

#[tokio::test]
async fn a_post_with_a_solved_challenge_is_taken_without_the_fields_of_the_guard() {
    let world = World::new().await;
    let hook = guarded(&world, challenged_and("honeypot", json!("website"))).await;

    let mut json = proved(&world, &hook, "Ada").await;
    json["website"] = json!("");
    let of_form = proved(&world, &hook, "Ada").await;
    let of_header = proved(&world, &hook, "").await;
    world.clock.pass_seconds(3);

    let transaction = world.post(&hook, json).await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, json!({ "name": "Ada" }));

    let form = |fields: &Value| {
        let of = |name: &str| fields[name].as_str().unwrap().to_owned();
        format!("name=Ada&website=&hw_token={}&hw_nonce={}", of("hw_token"), of("hw_nonce"))
    };
    let urlencoded = "application/x-www-form-urlencoded";
    let transaction = world.post_as(&hook, urlencoded, form(&of_form)).await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, json!({ "name": "Ada" }));

    let headers = [
        ("content-type", "text/plain"),
        ("x-hookwright-token", of_header["hw_token"].as_str().unwrap()),
        ("x-hookwright-nonce", of_header["hw_nonce"].as_str().unwrap()),
    ];
    let transaction = world.send("POST", &hook.path, &headers, "hello").await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, json!({ "unstructured": "hello" }));
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_said_and_does_not_use_it_up() {
    let world = World::new().await;
    let hook = guarded(&world, challenged_and("honeypot", json!("website"))).await;
    let other = guarded(&world, challenged()).await;
    let good = proved(&world, &hook, "Ada").await;
    let foreign = proved(&world, &other, "Ada").await;
    let with = |key: &str, value: Value| {
        let mut changed = good.clone();
        changed[key] = value;
        changed
    };
    let token = good["hw_token"].as_str().unwrap();
    let flipped = token.replace(|last: char| last == token.chars().last().unwrap(), "g");
    let future = token.replacen("1.1", "1.2", 1);

    assert_eq!(world.post(&hook, good.clone()).await.expect(400).code(), "challenge_too_fast");
    world.clock.pass_seconds(2);
    assert_eq!(world.post(&hook, good.clone()).await.expect(400).code(), "challenge_too_fast");
    world.clock.pass_seconds(1);
    for (post, code) in [
        (json!({ "name": "Ada" }), "challenge_missing"),
        (with("hw_token", json!("")), "challenge_missing"),
        (with("hw_token", json!(flipped)), "challenge_invalid"),
        (with("hw_token", json!(future)), "challenge_invalid"),
        (with("hw_token", json!("ü".repeat(100_000))), "challenge_invalid"),
        (with("hw_token", json!([token, token])), "guard_field_ambiguous"),
        (with("hw_token", json!(1)), "guard_field_ambiguous"),
        (with("hw_nonce", json!(null)), "proof_of_work_wrong"),
        (with("hw_nonce", json!("not the solution")), "proof_of_work_wrong"),
        (with("hw_nonce", json!("0".repeat(400_000))), "proof_of_work_wrong"),
        (with("website", json!("http://spam.example")), "honeypot_filled"),
        (foreign, "challenge_invalid"),
    ] {
        let answer = world.post(&hook, post).await.expect(400);
        assert_eq!(answer.code(), code);
        assert!(answer.body["errors"][0]["detail"].as_str().unwrap().len() > 20);
    }
    assert_eq!(refusals(&world, &hook).await[0], "challenge_invalid");
    world.post_as(&hook, "application/json", "{").await.expect(400);
    world.post(&hook, good).await.expect(202);
}

#[tokio::test]
async fn a_token_is_good_for_two_hours() {
    let world = World::new().await;
    let hook = guarded(&world, challenged()).await;
    let (at_the_end, too_late) = (proved(&world, &hook, "a").await, proved(&world, &hook, "b").await);
    world.clock.pass_seconds(2 * 60 * 60);
    world.post(&hook, at_the_end.clone()).await.expect(202);
    world.clock.pass_seconds(1);
    assert_eq!(world.post(&hook, too_late).await.expect(400).code(), "challenge_expired");
    assert_eq!(world.post(&hook, at_the_end).await.expect(400).code(), "challenge_expired");
}

#[tokio::test]
async fn the_same_post_again_is_answered_as_it_was_and_another_with_its_token_is_refused() {
    let world = World::new().await;
    let hook = guarded(&world, challenged()).await;
    let post = proved(&world, &hook, "Ada").await;
    world.clock.pass_seconds(3);

    let (one, other) = tokio::join!(world.post(&hook, post.clone()), world.post(&hook, post.clone()));
    let first = one.expect(202);
    assert_eq!(other.expect(202).text, first.text);
    world.clock.pass_seconds(60);
    assert_eq!(world.post(&hook, post.clone()).await.expect(202).text, first.text);

    let mut changed = post.clone();
    changed["name"] = json!("Eve");
    assert_eq!(world.post(&hook, changed).await.expect(400).code(), "challenge_used");
    assert_eq!(data_of(&world, &first.id()).await, json!({ "name": "Ada" }));
}

#[tokio::test]
async fn a_post_that_met_a_queue_that_was_down_is_taken_when_it_comes_again() {
    let mut world = World::new().await;
    let hook = guarded(&world, challenged()).await;
    let post = proved(&world, &hook, "Ada").await;
    world.clock.pass_seconds(3);
    let queue = std::mem::replace(&mut world.door.queue, Arc::new(DownQueue));
    world.post(&hook, post.clone()).await.expect(503);
    world.door.queue = queue;
    world.clock.pass_seconds(30);
    let transaction = world.post(&hook, post).await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, json!({ "name": "Ada" }));
}

#[tokio::test]
async fn a_challenge_of_before_is_judged_by_what_the_hook_asks_now() {
    let world = World::new().await;
    let hook = guarded(&world, challenged()).await;
    let post = proved(&world, &hook, "Ada").await;
    world.clock.pass_seconds(3);
    set(&world, &hook, challenged_and("proofOfWorkBits", json!(24))).await;
    assert_eq!(world.post(&hook, post.clone()).await.expect(400).code(), "proof_of_work_wrong");
    set(&world, &hook, json!({})).await;
    let transaction = world.post(&hook, post).await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, json!({ "name": "Ada" }), "the page need not know");
}

#[tokio::test]
async fn a_honeypot_alone_needs_no_challenge() {
    let world = World::new().await;
    let hook = guarded(&world, json!({ "honeypot": "website" })).await;
    world.post(&hook, json!({ "a": 1 })).await.expect(202);
    world.post(&hook, json!({ "a": 1, "website": "" })).await.expect(202);
    assert_eq!(world.post(&hook, json!({ "website": "x" })).await.expect(400).code(), "honeypot_filled");
    assert_eq!(refusals(&world, &hook).await, ["honeypot_filled"]);
}

// ---- Captchas

fn turnstile() -> Value {
    json!({ "turnstileSecret": SECRET })
}

#[tokio::test]
async fn turnstile_is_asked_once_for_a_post_however_often_it_comes() {
    let world = World::new().await;
    let hook = guarded(&world, turnstile()).await;
    world.web.put(TURNSTILE, 200, r#"{"success":true,"hostname":"shop.example"}"#);
    let post = json!({ "name": "Ada", "cf-turnstile-response": "widget+answer" });
    let first = world.post(&hook, post.clone()).await.expect(202);
    world.web.put(TURNSTILE, 200, r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#);
    assert_eq!(world.post(&hook, post).await.expect(202).text, first.text);

    let asked = world.web.asked();
    assert_eq!(asked.len(), 1);
    let form = asked[0].form.as_deref().unwrap();
    let key = form.strip_prefix("secret=captcha%20%26%20secret&response=widget%2Banswer&idempotency_key=").unwrap();
    assert_eq!(key.replace("%2D", "").len(), 32);
    assert_eq!(data_of(&world, &first.id()).await, json!({ "name": "Ada" }));

    let other = json!({ "name": "Eve", "cf-turnstile-response": "widget+answer" });
    assert_eq!(world.post(&hook, other).await.expect(400).code(), "challenge_used");
}

#[tokio::test]
async fn turnstiles_verdict_decides_and_without_one_nobody_is_let_in() {
    let world = World::new().await;
    let hook = guarded(&world, turnstile()).await;
    let post = |answer: &str| json!({ "cf-turnstile-response": answer });
    world.post(&hook, post("a")).await.expect(503);
    for (status, verdict, expected) in [
        (200, r#"{"success":false,"error-codes":["invalid-input-response"]}"#, 400),
        (200, r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#, 400),
        (200, r#"{"success":false}"#, 400),
        (200, r#"{"success":false,"error-codes":["invalid-input-secret"]}"#, 503),
        (400, r#"{"success":false,"error-codes":["bad-request"]}"#, 503),
        (500, "sorry", 503),
        (200, "<html>", 503),
        (200, r#"{"success":"true"}"#, 503),
        (200, "{}", 503),
    ] {
        world.web.put(TURNSTILE, status, verdict);
        let answer = world.post(&hook, post("a")).await.expect(expected);
        assert_eq!(answer.code(), if expected == 400 { "turnstile_refused" } else { "unavailable" }, "{verdict}");
        assert!(!answer.text.contains("secret"));
    }
    world.web.put(TURNSTILE, 200, r#"{"success":true}"#);
    assert_eq!(world.post(&hook, json!({})).await.expect(400).code(), "turnstile_missing");
    assert_eq!(world.post(&hook, post("")).await.expect(400).code(), "turnstile_missing");
    assert_eq!(world.post(&hook, post(&"x".repeat(8_193))).await.expect(400).code(), "turnstile_refused");
    assert_eq!(world.queue.depth(), 0);
    // None of this has used up the answer.
    world.post(&hook, post("a")).await.expect(202);
    world.post(&hook, post(&"x".repeat(8_192))).await.expect(202);
}

#[tokio::test]
async fn recaptcha_needs_a_score_at_the_minimum() {
    for (minimum, verdict, code) in [
        (None, r#"{"success":true}"#, None),
        (None, r#"{"success":true,"score":0.5}"#, None),
        (None, r#"{"success":true,"score":0.49}"#, Some("recaptcha_score_low")),
        (Some(0.7), r#"{"success":true,"score":0.7}"#, None),
        (Some(0.7), r#"{"success":true,"score":0.69}"#, Some("recaptcha_score_low")),
        (Some(0.7), r#"{"success":true}"#, Some("recaptcha_score_missing")),
        (Some(0.0), r#"{"success":true,"score":0.0}"#, None),
        (None, r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#, Some("recaptcha_refused")),
        (Some(0.0), r#"{"success":false,"score":0.9}"#, Some("recaptcha_refused")),
    ] {
        let world = World::new().await;
        let guard = json!({ "recaptchaSecret": SECRET, "recaptchaMinimumScore": minimum });
        let hook = guarded(&world, guard).await;
        world.web.put(RECAPTCHA, 200, verdict);
        let answer = world.post(&hook, json!({ "g-recaptcha-response": "r" })).await;
        assert_eq!((answer.status, code.map(|_| answer.code())), (if code.is_some() { 400 } else { 202 }, code));
    }
}

#[tokio::test]
async fn a_captcha_beside_a_challenge_is_asked_only_for_what_passes_the_challenge() {
    let world = World::new().await;
    let hook = guarded(&world, challenged_and("turnstileSecret", json!(SECRET))).await;
    world.web.put(TURNSTILE, 200, r#"{"success":false}"#);
    let mut post = proved(&world, &hook, "Ada").await;
    post["cf-turnstile-response"] = json!("r");
    world.post(&hook, post.clone()).await.expect(400);
    assert_eq!(world.web.asked().len(), 0);
    world.clock.pass_seconds(3);
    assert_eq!(world.post(&hook, post.clone()).await.expect(400).code(), "turnstile_refused");
    world.web.put(TURNSTILE, 200, r#"{"success":true}"#);
    post["cf-turnstile-response"] = json!("solved anew");
    world.post(&hook, post).await.expect(202);
    assert_eq!(world.web.asked().len(), 2);
}

#[tokio::test]
async fn nothing_of_a_guard_that_is_secret_is_ever_shown() {
    let world = World::new().await;
    let hook =
        guarded(&world, json!({ "proofOfWorkBits": 1, "turnstileSecret": SECRET, "recaptchaSecret": SECRET })).await;
    let path = format!("/v1/hooks/form/{}", hook.id);
    world.api("PATCH", &path, json!({ "debug": true })).await.expect(200);
    world.web.put(TURNSTILE, 200, r#"{"success":false,"error-codes":["invalid-input-secret"]}"#);
    let mut answers = vec![world.get(&path).await.expect(200)];
    let token = token(&world, &hook).await;
    let post = json!({ "hw_token": token, "hw_nonce": solved(&token, 1), "cf-turnstile-response": "t", "g-recaptcha-response": "r" });
    answers.push(world.post(&hook, post).await.expect(503));
    answers.push(world.post(&hook, json!({ "hw_token": token })).await.expect(400));
    answers.push(world.get(&format!("{path}/transactions")).await.expect(200));
    answers.push(world.get(&format!("{path}/refusals")).await.expect(200));
    let key = world.door.addresses.remembered(hook_hash(&hook), world.clock.now()).flatten().unwrap();
    let key = key.guard.clone().unwrap().challenge_key.unwrap();
    for answer in answers {
        assert!(!answer.text.contains(SECRET) && !answer.text.contains("%26"), "{}", answer.text);
        assert!(!answer.text.contains(key.reveal()), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_guard_that_nobody_could_pass_is_not_saved() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    for guard in [
        json!({ "originLock": true }),
        json!({ "origins": ["null"] }),
        json!({ "origins": ["https://shöp.example"] }),
        json!({ "origins": vec![SHOP; 21] }),
        json!({ "proofOfWorkBits": 25 }),
        json!({ "proofOfWorkBits": 1_000_000 }),
        json!({ "minimumFillSeconds": 3_601 }),
        json!({ "honeypot": "hw_token" }),
        json!({ "challengeKey": "k" }),
    ] {
        let body = json!({ "guard": guard });
        world.api("PATCH", &format!("/v1/hooks/form/{}", hook.id), body).await.expect(400);
    }
}

// ---- The script

#[tokio::test]
async fn the_script_is_for_everybody_and_may_be_kept() {
    let world = World::new().await;
    let answer = world.send("GET", "/v1/hooks/form/guard.js", &[], "").await.expect(200);
    assert_eq!(header(&answer, "content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(header(&answer, "cache-control"), Some("public, max-age=3600"));
    assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
    assert!(answer.text.contains("data-hookwright"));
    assert_eq!(world.send("HEAD", "/v1/hooks/form/guard.js", &[], "").await.expect(200).text, "");
    let answer = world.send("POST", "/v1/hooks/form/guard.js", &[], "").await.expect(405);
    assert_eq!(header(&answer, "allow"), Some("GET, HEAD"));
}

/// What a page with the script sends, told by node; nothing on a machine without it.
async fn page(world: &World, status: u16, challenge: Value) -> Option<Vec<Value>> {
    let script = world.send("GET", "/v1/hooks/form/guard.js", &[], "").await.expect(200).text;
    let input = json!({ "script": script, "challenge": { "status": status, "body": challenge } });
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/guard-page.js");
    let mut node = Command::new("node").arg(fixture).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    node.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[tokio::test]
async fn a_form_with_the_script_passes_the_guard() {
    let world = World::new().await;
    let hook = guarded(&world, challenged_and("proofOfWorkBits", json!(12))).await;
    let challenge = world.send("GET", &format!("{}/challenge", hook.path), &[], "").await.expect(200);
    let Some(submitted) = page(&world, 200, challenge.body.clone()).await else { return };

    let first = &submitted[0];
    assert_eq!(first["fields"]["hw_token"], challenge.attribute("token"));
    // Asked when the page came, and once more for the second post.
    assert_eq!(first["asked"], json!(vec!["https://hooks.test/v1/hooks/form/HASH/challenge"; 2]));
    let waited = first["waits"][0].as_f64().unwrap();
    assert!((2_000.0..=3_000.0).contains(&waited), "it waits until the hook takes the form: {waited}");

    world.clock.pass_seconds(3);
    let transaction = world.post(&hook, first["fields"].clone()).await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, json!({}));
}

#[tokio::test]
async fn a_form_with_the_script_is_sent_also_where_there_is_no_challenge() {
    let world = World::new().await;
    for status in [404, 503] {
        let Some(submitted) = page(&world, status, json!({})).await else { return };
        assert_eq!(submitted.iter().map(|sent| sent["fields"].clone()).collect::<Vec<_>>(), [json!({}), json!({})]);
    }
}

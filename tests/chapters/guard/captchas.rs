//! Captchas: whose verdict lets a post in, and how seldom it is asked for.

use serde_json::{Value, json};
use tests::world::World;

use super::{SECRET, TURNSTILE, challenged_and, data_of, guarded, proved};

const RECAPTCHA: &str = "https://www.google.com/recaptcha/api/siteverify";

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

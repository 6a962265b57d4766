//! A guard's settings: which are not saved, and that no secret of them is ever shown.

use domain::HookHash;
use serde_json::json;
use service::ports::World as _;
use tests::world::{FormHook, World};

use super::{SECRET, SHOP, TURNSTILE, guarded, solved, token};

fn hook_hash(hook: &FormHook) -> HookHash {
    HookHash::parse(&hook.hash).unwrap()
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

//! Guarding a public form: origins, challenges, honeypots and captchas, and the script that passes them.

mod captchas;
mod challenges;
mod origins;
mod script;
mod settings;

use domain::HookId;
use serde_json::{Value, json};
use service::runs;
use sha2::{Digest, Sha256};
use tests::world::{Answer, FormHook, World};

const SHOP: &str = "https://shop.example";
const TURNSTILE: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";
const SECRET: &str = "captcha & secret";

/// A hook with this guard.
async fn guarded(world: &World, guard: Value) -> FormHook {
    world.form_hook_with(json!({ "title": "Contact", "guard": guard })).await
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

async fn refusals(world: &World, hook: &FormHook) -> Vec<String> {
    let id = HookId::parse(&hook.id).unwrap();
    let refusals = runs::list_refusals(world.store.as_ref(), world.org, id).await.unwrap();
    refusals.into_iter().map(|refusal| refusal.code).collect()
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

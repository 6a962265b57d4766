//! Challenges and honeypots: what a page proves before its post is taken, and how long and how often it counts.

use serde_json::{Value, json};
use tests::{
    faults::{go_on_taking, stop_taking},
    world::{FormHook, World},
};

use super::{challenged, challenged_and, data_of, guarded, header, proved, refusals};

async fn set(world: &World, hook: &FormHook, guard: Value) {
    world.api("PATCH", &format!("/v1/hooks/form/{}", hook.id), json!({ "guard": guard })).await.expect(200);
}

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
async fn a_post_that_nothing_could_take_is_taken_when_it_comes_again() {
    let mut world = World::new().await;
    let hook = guarded(&world, challenged()).await;
    let post = proved(&world, &hook, "Ada").await;
    world.clock.pass_seconds(3);
    stop_taking(&mut world);
    world.post(&hook, post.clone()).await.expect(503);
    go_on_taking(&mut world);
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

//! Limits of a webhook: how many are let in, and what the others are told.

use domain::Limit;
use serde_json::{Value, json};
use service::Limits;
use tests::{Answer, providers::WebHook, world::World};

use super::{open_hook, post};

const NOON_SECONDS: i64 = 1_795_348_800;

/// Limit, remaining, reset and how long to wait, as the headers tell it.
fn told(answer: &Answer) -> (u16, [Option<&str>; 4]) {
    let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap());
    let names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"];
    (answer.status, names.map(header))
}

async fn limited(world: &World, key: &str) -> WebHook {
    WebHook::new(world, json!({ "auth": { "scheme": "none" }, key: { "requests": 5, "seconds": 60 } })).await
}

async fn send_from(world: &World, hook: &WebHook, source: &str) -> Answer {
    world.send_from(Some(source), "POST", &hook.path, &[super::JSON], "{}").await
}

#[tokio::test]
async fn as_many_as_the_limit_are_let_in_and_the_next_is_told_when_to_come_again() {
    let world = World::new().await;
    let hook = limited(&world, "limit").await;
    for (remaining, reset) in [("4", 12), ("3", 24), ("2", 36), ("1", 48), ("0", 60)] {
        let answer = post(&world, &hook, &[], "{}").await;
        let reset = (NOON_SECONDS + reset).to_string();
        assert_eq!(told(&answer), (202, [Some("5"), Some(remaining), Some(reset.as_str()), None]));
    }
    let reset = (NOON_SECONDS + 60).to_string();
    for _ in 0..3 {
        let refused = post(&world, &hook, &[], "{}").await;
        assert_eq!(refused.code(), "too_many_requests");
        assert_eq!(told(&refused), (429, [Some("5"), Some("0"), Some(reset.as_str()), Some("12")]));
    }
    world.clock.pass_seconds(11);
    assert_eq!(told(&post(&world, &hook, &[], "{}").await).1[3], Some("1"));
    world.clock.pass_seconds(1);
    post(&world, &hook, &[], "{}").await.expect(202);
    post(&world, &hook, &[], "{}").await.expect(429);
    world.clock.pass_seconds(60);
    for _ in 0..5 {
        post(&world, &hook, &[], "{}").await.expect(202);
    }
    post(&world, &hook, &[], "{}").await.expect(429);
    assert_eq!(world.queue.depth(), 11);
    assert_eq!(hook.refusals(&world).await[0]["code"], "too_many_requests");
}

#[tokio::test]
async fn each_source_address_has_a_limit_of_its_own() {
    let world = World::new().await;
    let hook = limited(&world, "addressLimit").await;
    for source in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        for _ in 0..5 {
            send_from(&world, &hook, source).await.expect(202);
        }
        let refused = send_from(&world, &hook, source).await;
        assert_eq!((refused.status, told(&refused).1[3]), (429, Some("12")), "{source}");
    }
    // Nobody knows where this comes from, so nobody counts it.
    for _ in 0..7 {
        post(&world, &hook, &[], "{}").await.expect(202);
    }
}

#[tokio::test]
async fn the_tighter_of_the_limits_of_hook_and_org_is_the_one_that_is_told() {
    let mut world = World::new().await;
    world.door.limits = Limits::for_each_org(Some(Limit { requests: 3, seconds: 60 }));
    let hook = limited(&world, "limit").await;
    assert_eq!(told(&post(&world, &hook, &[], "{}").await).1[..2], [Some("3"), Some("2")]);
    let other =
        WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "limit": { "requests": 1, "seconds": 1 } })).await;
    assert_eq!(told(&post(&world, &other, &[], "{}").await).1[..2], [Some("1"), Some("0")]);
}

#[tokio::test]
async fn all_hooks_of_an_org_share_its_limit() {
    let mut world = World::new().await;
    world.door.limits = Limits::for_each_org(Some(Limit { requests: 5, seconds: 60 }));
    let (one, other) = (open_hook(&world).await, open_hook(&world).await);
    for hook in [&one, &other, &one, &other, &one] {
        post(&world, hook, &[], "{}").await.expect(202);
    }
    for hook in [&one, &other] {
        assert_eq!(told(&post(&world, hook, &[], "{}").await).1[3], Some("12"));
    }
    world.clock.pass_seconds(12);
    post(&world, &other, &[], "{}").await.expect(202);
}

#[tokio::test]
async fn strangers_use_up_their_own_limit_and_not_that_of_the_hook() {
    let world = World::new().await;
    let auth = json!({ "scheme": "header", "header": "x-shop-key", "secrets": ["s"] });
    let limits = json!({ "requests": 2, "seconds": 60 });
    let hook = WebHook::new(&world, json!({ "auth": auth, "limit": limits, "addressLimit": limits })).await;
    for status in [401, 401, 429] {
        assert_eq!(send_from(&world, &hook, "192.0.2.1").await.status, status);
    }
    for status in [202, 202, 429] {
        assert_eq!(post(&world, &hook, &[("x-shop-key", "s")], "{}").await.status, status);
    }
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_source() {
    let world = World::new().await;
    let hook = limited(&world, "addressLimit").await;
    for host in 1..=5 {
        send_from(&world, &hook, &format!("2001:db8::{host}")).await.expect(202);
    }
    send_from(&world, &hook, "2001:db8::6").await.expect(429);
    send_from(&world, &hook, "2001:db8:0:1::1").await.expect(202);
}

#[tokio::test]
async fn who_tries_addresses_is_not_answered_for_ever() {
    let world = World::new().await;
    let hook = open_hook(&world).await;
    let known = open_hook(&world).await;
    send_from(&world, &known, "192.0.2.1").await.expect(202);
    for index in 0..1_000 {
        let path = format!("/v1/hooks/web/{index:064x}");
        world.send_from(Some("192.0.2.1"), "POST", &path, &[], "{}").await.expect(404);
    }
    let unknown = world.send_from(Some("192.0.2.1"), "POST", &format!("/v1/hooks/web/{:064x}", 5_000), &[], "{}").await;
    assert_eq!(unknown.status, 429, "{unknown:?}");
    send_from(&world, &hook, "192.0.2.1").await.expect(429);
    send_from(&world, &known, "192.0.2.1").await.expect(202);
    send_from(&world, &hook, "192.0.2.2").await.expect(202);
}

#[tokio::test]
async fn limits_that_make_no_sense_are_not_saved() {
    let world = World::new().await;
    for key in ["limit", "addressLimit"] {
        for wrong in [
            json!({ "requests": 0, "seconds": 60 }),
            json!({ "requests": 1, "seconds": 0 }),
            json!({ "requests": -1, "seconds": 60 }),
            json!({ "requests": 1.5, "seconds": 60 }),
            json!({ "requests": 1 }),
            json!(5),
        ] {
            let draft = json!({ "title": "t", key: wrong });
            let answer = world.api("POST", "/v1/hooks/web", draft).await;
            assert_eq!(answer.status, 400, "{key} {wrong}: {answer:?}");
        }
        let hook = limited(&world, key).await;
        hook.set(&world, json!({ key: null })).await.expect(200);
        assert_eq!(world.get(&hook.resource()).await.attribute(key), Value::Null);
    }
}

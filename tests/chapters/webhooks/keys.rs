//! Webhooks that take API keys, as they do where nothing else is said.

use domain::OrgId;
use serde_json::{Value, json};
use tests::{Answer, providers::WebHook, world::World};

use super::post;

const OTHER_ORG: &str = "aaaaaaaaaaaaaaaaaaaaaaaa";

async fn key_with(world: &World, attributes: Value) -> Answer {
    let mut attributes = attributes;
    attributes["name"] = json!("Shop");
    attributes["roles"] = json!(["org.hooks"]);
    world.api("POST", "/v1/api-keys", attributes).await.expect(201)
}

fn token(answer: &Answer) -> String {
    answer.attribute("token").as_str().unwrap().to_owned()
}

async fn post_with(world: &World, hook: &WebHook, token: &str) -> Answer {
    post(world, hook, &[("authorization", &format!("Bearer {token}"))], "{}").await
}

async fn post_from(world: &World, hook: &WebHook, token: &str, source: Option<&str>) -> u16 {
    let headers = [("authorization", format!("Bearer {token}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.send_from(source, "POST", &hook.path, &headers, "{}").await.status
}

#[tokio::test]
async fn a_key_with_the_role_posts_and_one_without_is_told_which_it_lacks() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({})).await;
    for (seed, role, status) in [
        (10, "org.hooks", 202),
        (11, "org.hooksx", 403),
        (12, "org.hook", 403),
        (13, "org.admin", 403),
        (14, "org.permission.hook", 403),
    ] {
        let key = world.key(world.org, &[role], seed).await;
        let answer = post_with(&world, &hook, &key).await;
        assert_eq!(answer.status, status, "{role}: {answer:?}");
        if status == 403 {
            assert_eq!(answer.code(), "role_missing");
            assert!(answer.text.contains("org.hooks"), "{answer:?}");
        }
    }
    assert_eq!(world.queue.depth(), 1);
}

#[tokio::test]
async fn a_key_of_another_org_is_answered_as_if_nothing_were_there() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({})).await;
    let other = OrgId::parse(OTHER_ORG).unwrap();
    let unknown = world.send("POST", &format!("/v1/hooks/web/{}", "0".repeat(64)), &[], "{}").await.expect(404);
    let made_up = format!("hk_{OTHER_ORG}_{OTHER_ORG}_{}", "0".repeat(64));
    for key in [world.key(other, &["org.hooks"], 20).await, world.key(other, &["org.admin"], 21).await, made_up] {
        let answer = post_with(&world, &hook, &key).await;
        assert_eq!((answer.status, &answer.text, &answer.headers), (404, &unknown.text, &unknown.headers));
    }
    assert_eq!(world.queue.depth(), 0);
}

#[tokio::test]
async fn unknown_deleted_foreign_and_malformed_addresses_get_the_same_answer() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({})).await;
    let key = world.key(world.org, &["org.hooks"], 10).await;
    let deleted = WebHook::new(&world, json!({})).await;
    post_with(&world, &deleted, &key).await.expect(202);
    world.api("DELETE", &deleted.resource(), Value::Null).await.expect(204);
    let unknown = world.send("POST", &format!("/v1/hooks/web/{}", "0".repeat(64)), &[], "{}").await.expect(404);
    assert_eq!(unknown.code(), "unknown_address");
    let bearer = format!("Bearer {key}");
    for path in [
        deleted.path.clone(),
        format!("/v1/hooks/web/{}/{}", world.org, deleted.hash),
        format!("/v1/hooks/web/{OTHER_ORG}/{}", hook.hash),
        format!("/v1/hooks/web/{}", hook.hash.replacen('0', "A", 1)),
        format!("/v1/hooks/web/{}", hook.id),
        format!("/v1/hooks/web/{}0", hook.hash),
    ] {
        let answer = world.send("POST", &path, &[("authorization", &bearer)], "{}").await;
        assert_eq!((answer.status, &answer.text), (404, &unknown.text), "{path}");
    }
    let with_org = format!("/v1/hooks/web/{}/{}", world.org, hook.hash);
    world.send("POST", &with_org, &[("authorization", &bearer)], "{}").await.expect(202);
}

#[tokio::test]
async fn the_header_is_one_bearer_and_a_key() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({})).await;
    let key = world.key(world.org, &["org.hooks"], 10).await;
    let wrong = format!("{}0", &key[..key.len() - 1]);
    for (value, status, code) in [
        (format!("Bearer {key}"), 202, ""),
        (format!("bearer {key}"), 202, ""),
        (format!("BEARER {key}"), 202, ""),
        (format!("Bearer   {key}"), 202, ""),
        (format!("Bearer {key} "), 202, ""),
        (key.clone(), 401, "bad_credentials"),
        (format!("Bearer{key}"), 401, "bad_credentials"),
        (format!("Bearer\t{key}"), 401, "bad_credentials"),
        (format!("Basic {key}"), 401, "bad_credentials"),
        (format!("Bearer {key}, Bearer {key}"), 401, "bad_credentials"),
        (format!("Bearer {} {}", &key[..20], &key[20..]), 401, "bad_credentials"),
        (format!("Bearer {wrong}"), 401, "bad_credentials"),
        (format!("Bearer {}", key.to_uppercase()), 401, "bad_credentials"),
        (format!("Bearer {}", &key[..key.len() - 2]), 401, "bad_credentials"),
        (format!("Bearer {key}é"), 401, "bad_credentials"),
        (format!("Bearer {}{key}", " ".repeat(64 * 1_024)), 401, "bad_credentials"),
        (format!("Bearer {}", "x".repeat(64 * 1_024)), 401, "bad_credentials"),
        ("Bearer ".to_owned(), 401, "bad_credentials"),
        ("Bearer".to_owned(), 401, "bad_credentials"),
        (String::new(), 401, "bad_credentials"),
    ] {
        let answer = post(&world, &hook, &[("authorization", &value)], "{}").await;
        let shown: String = value.chars().take(90).collect();
        assert_eq!(answer.status, status, "{shown}: {answer:?}");
        if status == 401 {
            assert_eq!(
                (answer.code(), &answer.headers["www-authenticate"]),
                (code, &"Bearer".parse().unwrap()),
                "{shown}"
            );
        }
    }
    assert_eq!(post(&world, &hook, &[], "{}").await.expect(401).code(), "no_credentials");
    let bearer = format!("Bearer {key}");
    let twice = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    assert_eq!(post(&world, &hook, &twice, "{}").await.expect(400).code(), "ambiguous_credentials");
    assert_eq!(world.queue.depth(), 5);
}

#[tokio::test]
async fn a_key_works_until_it_expires_or_is_deleted() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({})).await;
    let expiring = token(&key_with(&world, json!({ "expiresAt": "2026-11-22T12:01:00Z" })).await);
    let deleted = key_with(&world, json!({})).await;
    for key in [&expiring, &token(&deleted)] {
        post_with(&world, &hook, key).await.expect(202);
    }
    world.api("DELETE", &format!("/v1/api-keys/{}", deleted.id()), Value::Null).await.expect(204);
    post_with(&world, &hook, &token(&deleted)).await.expect(401);
    world.clock.pass_seconds(59);
    post_with(&world, &hook, &expiring).await.expect(202);
    world.clock.pass_seconds(1);
    let answer = post_with(&world, &hook, &expiring).await.expect(401);
    let unknown = post_with(&world, &hook, &token(&deleted)).await.expect(401);
    assert_eq!(answer.text, unknown.text, "nobody learns that a key was good once");
}

#[tokio::test]
async fn a_key_that_is_bound_to_a_network_works_from_nowhere_else() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({})).await;
    let key = token(&key_with(&world, json!({ "cidrs": ["192.0.2.0/24", "2001:db8::/32"] })).await);
    for (source, status) in [
        (Some("192.0.2.7"), 202),
        (Some("::ffff:192.0.2.7"), 202),
        (Some("2001:db8::7"), 202),
        (Some("192.0.3.7"), 401),
        (Some("2001:db9::7"), 401),
        (None, 401),
    ] {
        assert_eq!(post_from(&world, &hook, &key, source).await, status, "{source:?}");
    }
    // A header that says where it came from convinces nobody.
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("x-forwarded-for", "192.0.2.7")];
    let answer = world.send_from(Some("192.0.3.7"), "POST", &hook.path, &headers, "{}").await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn rotating_ends_a_key_and_needs_the_right_to() {
    let world = World::new().await;
    let key = world.api("POST", "/v1/api-keys", json!({ "name": "k", "roles": ["org.hooks"] })).await.expect(201);
    let path = format!("/v1/api-keys/{}/rotate", key.id());
    let creator = world.key(world.org, &["org.permission.api_key.create", "org.hooks"], 71).await;
    assert_eq!(world.api_as(&creator, "POST", &path, Value::Null).await.expect(403).code(), "role_missing");
    let keeper = world.key(world.org, &["org.permission.api_key", "org.hooks"], 72).await;
    world.api_as(&keeper, "POST", &path, Value::Null).await.expect(201);
}

#[tokio::test]
async fn a_rotated_key_works_beside_its_successor_for_the_overlap() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({})).await;
    let before = key_with(&world, json!({ "cidrs": ["192.0.2.0/24"] })).await;
    assert_eq!(post_from(&world, &hook, &token(&before), Some("192.0.2.7")).await, 202);
    let path = format!("/v1/api-keys/{}/rotate", before.id());
    let after = world.api("POST", &path, json!({ "overlapSeconds": 60 })).await.expect(201);
    assert_ne!(token(&after), token(&before));
    assert_eq!((after.attribute("roles"), after.attribute("cidrs")), (json!(["org.hooks"]), json!(["192.0.2.0/24"])));
    for (pass_seconds, old, new) in [(0, 202, 202), (59, 202, 202), (1, 401, 202)] {
        world.clock.pass_seconds(pass_seconds);
        assert_eq!(post_from(&world, &hook, &token(&before), Some("192.0.2.7")).await, old);
        assert_eq!(post_from(&world, &hook, &token(&after), Some("192.0.2.7")).await, new);
    }
    assert_eq!(post_from(&world, &hook, &token(&after), Some("192.0.3.7")).await, 401, "it is bound as before");
    assert_eq!(world.api("POST", &path, Value::Null).await.expect(409).code(), "already_rotated");
}

#[tokio::test]
async fn a_key_that_has_expired_gets_no_successor() {
    let world = World::new().await;
    let key = key_with(&world, json!({ "expiresAt": "2026-11-22T12:01:00Z" })).await;
    let path = format!("/v1/api-keys/{}/rotate", key.id());
    world.clock.pass_seconds(60);
    assert_eq!(world.api("POST", &path, Value::Null).await.expect(409).code(), "key_expired");
}

#[tokio::test]
async fn the_last_use_of_a_key_is_known_to_within_minutes() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({})).await;
    let key = key_with(&world, json!({})).await;
    let last_used = async || world.get(&format!("/v1/api-keys/{}", key.id())).await.attribute("lastUsedAt");
    assert_eq!(last_used().await, Value::Null);
    post_with(&world, &hook, &token(&key)).await.expect(202);
    assert_eq!(last_used().await, "2026-11-22T12:00:00.000Z");
    world.clock.pass_seconds(300);
    post_with(&world, &hook, &token(&key)).await.expect(202);
    assert_eq!(last_used().await, "2026-11-22T12:05:00.000Z");

    let wrong = world.key(world.org, &["org.admin"], 10).await;
    let id = wrong.split('_').nth(2).unwrap().to_owned();
    post_with(&world, &hook, &wrong).await.expect(403);
    let refused = world.get(&format!("/v1/api-keys/{id}")).await.attribute("lastUsedAt");
    assert_eq!(refused, Value::Null, "a use that was refused is none");
}

#[tokio::test]
async fn the_owner_of_a_hook_is_told_why_a_key_of_the_org_does_not_work_and_the_sender_is_not() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({})).await;
    let draft =
        json!({ "name": "k", "roles": ["org.hooks"], "cidrs": ["192.0.2.0/24"], "expiresAt": "2026-11-22T13:00:00Z" });
    let token = world.api("POST", "/v1/api-keys", draft).await.expect(201).attribute("token");
    let authorization = format!("Bearer {}", token.as_str().unwrap());
    let cut = format!("{}0", &authorization[..authorization.len() - 1]);
    let post = |source: &'static str, authorization: &str| {
        let headers = [
            ("authorization".to_owned(), authorization.to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let (world, path) = (&world, hook.path.clone());
        async move {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            world.send_from(Some(source), "POST", &path, &headers, "{}").await
        }
    };
    post("192.0.2.1", &authorization).await.expect(202);
    let elsewhere = post("198.51.100.1", &authorization).await.expect(401);
    let mistyped = post("192.0.2.1", &cut).await.expect(401);
    world.clock.pass_seconds(3_600);
    let late = post("192.0.2.1", &authorization).await.expect(401);
    assert!(elsewhere.text == mistyped.text && mistyped.text == late.text);
    let refusals = hook.refusals(&world).await;
    let reasons: Vec<&str> = refusals.iter().map(|refusal| refusal["reasons"][0]["code"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 3);
    for reason in ["expired", "wrong_secret", "other_network"] {
        assert!(reasons.contains(&reason), "{reasons:?}");
    }
}

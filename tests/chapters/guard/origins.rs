//! Who may post from where: preflights, answers that a page can read, and the lock.

use serde_json::{Value, json};
use tests::{
    faults::stop_taking,
    world::{Answer, FormHook, World},
};

use super::{SHOP, guarded, header, refusals};

fn origins(origins: &[&str]) -> Value {
    json!({ "origins": origins })
}

async fn post_from(world: &World, hook: &FormHook, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    world.send("POST", &hook.path, &all, body.to_owned()).await
}

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
    stop_taking(&mut world);
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

//! Guessing addresses: whoever does not know one learns nothing by trying, and soon may not even try.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use tests::{
    Answer,
    faults::{Fault, FaultyStore},
    mail::delivery,
    world::{MAIL_DOMAIN, NOON, World},
};

/// The misses that one source has before its questions are not looked up any more, and the seconds they come back in.
const MISSES: u32 = 1_000;
const MISSES_SECONDS: i64 = 100;

const JSON: (&str, &str) = ("content-type", "application/json");

/// Everything of an answer that its receiver sees.
fn seen(answer: &Answer) -> (u16, http::HeaderMap, String) {
    (answer.status, answer.headers.clone(), answer.text.clone())
}

/// An address of 64 hex digits at which nothing is.
fn unknown(kind: &str, number: usize) -> String {
    format!("/v1/hooks/{kind}/{number:064x}")
}

async fn web_hook(world: &World) -> (String, String) {
    let draft = json!({ "title": "Web", "auth": { "scheme": "none" } });
    let hook = world.api("POST", "/v1/hooks/web", draft).await.expect(201);
    (hook.id(), hook.attribute("hash").as_str().unwrap().to_owned())
}

/// Spellings of an address that are near the right one.
fn near_misses(kind: &str, org: &str, id: &str, hash: &str) -> Vec<String> {
    let flipped = if hash.ends_with('0') { "1" } else { "0" };
    let letter = hash.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
    let rest = &hash[letter + 1..];
    let tails = [
        String::new(),
        id.to_owned(),
        hash[..63].to_owned(),
        hash[..32].to_owned(),
        format!("{hash}0"),
        format!("{}{flipped}", &hash[..63]),
        hash.to_uppercase() + "F",
        // A letter and a digit as other scripts write them, raw and escaped.
        format!("{}\u{430}{rest}", &hash[..letter]),
        format!("{}%D0%B0{rest}", &hash[..letter]),
        format!("\u{ff10}{}", &hash[1..]),
        format!("\u{660}{}", &hash[1..]),
        format!("{hash}\u{200b}"),
        format!("{hash}%00"),
        format!("{hash}%20"),
        format!("%20{hash}"),
        format!("{hash}."),
        format!("{hash};v=1"),
        format!("{hash}/"),
        format!("{hash}//"),
        format!("/{hash}"),
        format!("{org}/{hash}/"),
        format!("{org}//{hash}"),
        format!("/{org}/{hash}"),
        format!("{org}/{org}/{hash}"),
        format!("{hash}/{org}"),
        format!("{hash}/{hash}"),
        format!("000000000000000000000001/{hash}"),
        format!("{}/{hash}", org.to_uppercase()),
        "%2e%2e".to_owned(),
        "..".to_owned(),
        format!("../{kind}/{hash}"),
        format!("%2e%2e/{kind}/{hash}"),
        format!("./{hash}"),
        "a".repeat(2_000),
        hash.repeat(31),
        format!("{}/{hash}", "a".repeat(2_000)),
        "*".to_owned(),
        "null".to_owned(),
        "__proto__".to_owned(),
    ];
    tails.into_iter().map(|tail| format!("/v1/hooks/{kind}/{tail}")).collect()
}

#[tokio::test]
async fn every_address_that_takes_nothing_gets_one_and_the_same_answer() {
    let world = World::new().await;
    let form = world.form_hook().await;
    let deleted_form = world.form_hook().await;
    let (web_id, web_hash) = web_hook(&world).await;
    let (deleted_id, deleted_hash) = web_hook(&world).await;
    let email = world.email_hook().await;
    for path in [format!("/v1/hooks/form/{}", deleted_form.id), format!("/v1/hooks/web/{deleted_id}")] {
        world.api("DELETE", &path, Value::Null).await.expect(204);
    }
    let one = seen(&world.send("POST", &unknown("form", 1), &[JSON], "{}").await.expect(404));
    let org = world.org.to_string();
    let mut paths = near_misses("form", &org, &form.id, &form.hash);
    paths.extend(near_misses("web", &org, &web_id, &web_hash));
    paths.extend([
        unknown("web", 1),
        unknown("email", 1),
        unknown("fax", 1),
        deleted_form.path.clone(),
        format!("/v1/hooks/form/{}", deleted_form.hash),
        format!("/v1/hooks/web/{deleted_hash}"),
        // Of another kind.
        format!("/v1/hooks/web/{}", form.hash),
        format!("/v1/hooks/web/{org}/{}", form.hash),
        format!("/v1/hooks/form/{web_hash}"),
        format!("/v1/hooks/form/{org}/{web_hash}"),
        format!("/v1/hooks/form/{web_hash}/uploads"),
        format!("/v1/hooks/email/{}", form.hash),
        format!("/v1/hooks/FORM/{}", form.hash),
        // Mail is sent to it, and nothing is posted.
        format!("/v1/hooks/email/{}", email.hash),
        format!("/v1/hooks/email/{org}/{}", email.hash),
        format!("/v1/hooks/form/{}", email.hash),
        format!("/v1/hooks/web/{}", email.hash),
        // Of another org.
        format!("/v1/hooks/web/000000000000000000000001/{web_hash}"),
    ]);
    let key = world.key(world.org, &["org.hooks"], 5).await;
    let bearer = format!("Bearer {key}");
    for path in &paths {
        for credential in [None, Some(("authorization", bearer.as_str()))] {
            for body in ["{}", "", "{"] {
                let headers: Vec<_> = [Some(JSON), credential].into_iter().flatten().collect();
                let answer = world.send("POST", path, &headers, body).await;
                assert_eq!(seen(&answer), one, "{path}");
            }
        }
    }
    assert_eq!(world.queue.depth(), 0);
    for path in [&form.path, &format!("/v1/hooks/web/{web_hash}")] {
        world.send("POST", path, &[JSON], "{}").await.expect(202);
    }
}

#[tokio::test]
async fn methods_tell_a_known_address_from_an_unknown_one_no_better_than_a_post() {
    let world = World::new().await;
    let form = world.form_hook().await;
    let (_, web_hash) = web_hook(&world).await;
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let absent = seen(&world.send(method, &unknown("web", 1), &[], "").await);
        let other_kind = world.send(method, &format!("/v1/hooks/web/{}", form.hash), &[], "").await;
        let other_org = format!("/v1/hooks/web/000000000000000000000001/{web_hash}");
        assert_eq!(seen(&other_kind), absent, "{method}");
        assert_eq!(seen(&world.send(method, &other_org, &[], "").await), absent, "{method}");
        let absent = seen(&world.send(method, &unknown("form", 1), &[], "").await);
        let other_kind = world.send(method, &format!("/v1/hooks/form/{web_hash}"), &[], "").await;
        assert_eq!(seen(&other_kind), absent, "{method}");
    }
}

#[tokio::test]
async fn after_a_thousand_misses_a_source_is_told_to_wait_and_nobody_else_is() {
    let world = World::new().await;
    let form = world.form_hook().await;
    let (_, web_hash) = web_hook(&world).await;
    let web = format!("/v1/hooks/web/{web_hash}");
    let flood = async |source, path: &str| world.send_from(Some(source), "POST", path, &[JSON], "{}").await;
    for path in [&form.path, &web] {
        flood("192.0.2.1", path).await.expect(202);
    }
    for number in 0..MISSES as usize {
        let kind = if number % 2 == 0 { "form" } else { "web" };
        assert_eq!(flood("192.0.2.1", &unknown(kind, number)).await.expect(404).code(), "unknown_address");
    }
    let now = Timestamp::parse(NOON).unwrap().as_second();
    for kind in ["form", "web"] {
        let refused = flood("192.0.2.1", &unknown(kind, 5_000)).await.expect(429);
        assert_eq!(refused.code(), "too_many_requests");
        let header = |name: &str| refused.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("retry-after"), "1");
        assert_eq!(header("x-ratelimit-limit"), MISSES.to_string());
        assert_eq!(header("x-ratelimit-remaining"), "0");
        assert_eq!(header("x-ratelimit-reset"), (now + MISSES_SECONDS).to_string());
    }
    // What is remembered costs nothing: a hook goes on working, and an address that was asked for is still unknown.
    for path in [&form.path, &web] {
        flood("192.0.2.1", path).await.expect(202);
    }
    flood("192.0.2.1", &unknown("form", 0)).await.expect(404);
    // Neither other sources, nor whoever comes from nowhere, pay for it.
    flood("192.0.2.2", &unknown("form", 5_001)).await.expect(404);
    world.send("POST", &unknown("form", 5_002), &[JSON], "{}").await.expect(404);

    // A tenth of a second gives one question back; a hook that is not remembered any more is found again.
    world.clock.pass_seconds(10);
    for path in [&form.path, &web] {
        flood("192.0.2.1", path).await.expect(202);
    }
    for number in 0..100 {
        flood("192.0.2.1", &unknown("form", 6_000 + number)).await.expect(404);
    }
    flood("192.0.2.1", &unknown("form", 7_000)).await.expect(429);
}

#[tokio::test]
async fn the_addresses_of_one_ipv6_network_are_one_source() {
    let world = World::new().await;
    for number in 0..MISSES {
        let source = format!("2001:db8::{number:x}");
        let path = unknown("form", number as usize);
        world.send_from(Some(&source), "POST", &path, &[JSON], "{}").await.expect(404);
    }
    for (source, status) in [("2001:db8:0:0:ffff::1", 429), ("2001:db8:0:1::1", 404), ("192.0.2.1", 404)] {
        let answer = world.send_from(Some(source), "POST", &unknown("form", 5_000), &[JSON], "{}").await;
        assert_eq!(answer.status, status, "{source}");
        world.clock.pass_seconds(5);
    }
}

#[tokio::test]
async fn of_an_address_that_takes_no_mail_nobody_learns_more_than_of_any_other() {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new(clock.clone())), Fault::Refuses));
    let world = World::over(store.clone(), clock).await;
    let form = world.form_hook().await;
    let deleted = world.email_hook().await;
    world.api("DELETE", &deleted.path, Value::Null).await.expect(204);
    let at = |local: &str| format!("{local}@{MAIL_DOMAIN}");
    let calls = async |address: &str| {
        let before = store.calls();
        let hooks = world.mail_door.hook_for(address).await.unwrap();
        assert!(hooks.is_none(), "{address}");
        assert_eq!(world.mail(&delivery("m1", &[address]), "garbage").await.unwrap(), [], "{address}");
        store.calls() - before
    };
    // Not found costs a second look, and none for some seconds after.
    let unknown = at(&format!("{:064x}", 1));
    assert_eq!((calls(&unknown).await, calls(&unknown.to_uppercase()).await), (2, 0));
    assert_eq!(calls(&unknown.replace('@', "+tag@")).await, 0);
    world.clock.pass_seconds(5);
    assert_eq!(calls(&unknown).await, 2);
    for address in [&deleted.address, &deleted.short_address, &at(&form.hash)] {
        calls(address).await;
    }
    let hash = "0123456789abcdef".repeat(4);
    for shape in [
        at(&format!("{hash}0")),
        at(&hash[..63]),
        at("postmaster"),
        at(""),
        hash.clone(),
        format!("{hash}@mail.example"),
    ] {
        assert_eq!(calls(&shape).await, 0, "{shape}");
    }
}

#[tokio::test]
async fn an_address_that_takes_nothing_is_looked_up_once_and_a_shape_that_is_none_never() {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new(clock.clone())), Fault::Refuses));
    let world = World::over(store.clone(), clock).await;
    let calls = async |path: &str| {
        let before = store.calls();
        world.send("POST", path, &[JSON], "{}").await.expect(404);
        store.calls() - before
    };
    // Not found costs a second look, so that a hook made a moment ago is not missed.
    assert_eq!(calls(&unknown("form", 1)).await, 2);
    for kind in ["form", "web", "form"] {
        assert_eq!(calls(&unknown(kind, 1)).await, 0, "{kind}");
    }
    world.clock.pass_seconds(5);
    assert_eq!(calls(&unknown("form", 1)).await, 2);
    let hash = "0123456789abcdef".repeat(4);
    for path in [
        format!("/v1/hooks/form/{hash}0"),
        format!("/v1/hooks/web/{}", hash.to_uppercase()),
        "/v1/hooks/web/..".to_owned(),
    ] {
        assert_eq!(calls(&path).await, 0, "{path}");
    }
}

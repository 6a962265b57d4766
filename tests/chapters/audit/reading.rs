//! Reading the log: filters, pages, how long it is kept, and what is asked wrong.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::world::World;

use super::{entries, log, told};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Makes a hook every so many seconds, each with a number for a title.
async fn hooks(world: &World, count: usize, seconds: i64) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        world.clock.pass_seconds(if number == 0 { 0 } else { seconds });
        let hook = world.api("POST", "/v1/hooks/form", json!({ "title": format!("{number}") })).await.expect(201);
        ids.push(hook.id());
    }
    ids
}

fn names(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["objectName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn entries_of_many_months_are_listed_newest_first_each_once() {
    let world = World::new().await;
    hooks(&world, 30, 13 * DAY_SECONDS).await;
    for size in [1, 7, 25, 100] {
        let mut found = Vec::new();
        for page in world.pages(&format!("/v1/audit-log?pageSize={size}")).await {
            let data = page.body["data"].as_array().unwrap().clone();
            assert!(data.len() <= size, "{size}");
            found.extend(data);
        }
        let ids: BTreeSet<&str> = found.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
        assert_eq!((found.len(), ids.len()), (30, 30), "{size}");
        let times: Vec<&str> = found.iter().map(|entry| entry["attributes"]["createdAt"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "{size}: {times:?}");
    }
}

#[tokio::test]
async fn filters_narrow_the_log_alone_and_together() {
    let world = World::new().await;
    let ids = hooks(&world, 3, 60).await;
    let key = json!({ "name": "ci", "roles": ["org.permission.hook.update"] });
    let key = world.api("POST", "/v1/api-keys", key).await.expect(201);
    let token = key.attribute("token").as_str().unwrap().to_owned();
    let path = format!("/v1/hooks/form/{}", ids[1]);
    world.clock.pass_seconds(60);
    world.api_as(&token, "PATCH", &path, json!({ "title": "changed" })).await.expect(200);
    world.clock.pass_seconds(60);
    world.api("PATCH", &path, json!({ "title": "again" })).await.expect(200);

    let of_hook = entries(&world, &format!("objectId={}", ids[1])).await;
    assert_eq!(names(&of_hook), ["again", "changed", "1"]);
    let by_key = entries(&world, &format!("key={}", key.id())).await;
    assert_eq!(names(&by_key), ["changed"]);
    assert_eq!(told(&by_key[0], &["userName"]), ["ci"]);
    assert_eq!(names(&entries(&world, "objectType=api_key").await), ["ci"]);
    assert_eq!(entries(&world, "objectType=web_hook").await.len(), 0);
    // From an instant on, and before one.
    let between = "from=2026-11-22T12:01:00Z&until=2026-11-22T12:02:00Z";
    assert_eq!(names(&entries(&world, between).await), ["1"]);
    for (query, expected) in [
        (format!("objectId={}&key={}", ids[1], key.id()), vec!["changed"]),
        (format!("objectId={}&objectType=api_key", ids[1]), vec![]),
        (format!("objectId={}&from=2026-11-22T12:03:00Z", ids[1]), vec!["again", "changed"]),
        (format!("objectId={}&until=2026-11-22T12:03:00Z", ids[1]), vec!["1"]),
        ("objectType=form_hook&until=2026-11-22T12:01:00Z".to_owned(), vec!["0"]),
        ("from=2026-11-23T00:00:00Z".to_owned(), vec![]),
        ("objectId=nothing".to_owned(), vec![]),
    ] {
        assert_eq!(names(&entries(&world, &query).await), expected, "{query}");
    }
}

#[tokio::test]
async fn a_filter_that_fits_one_of_very_many_finds_it_along_the_pages() {
    let world = World::new().await;
    world.api("POST", "/v1/klasses", json!({ "name": "order" })).await.expect(201);
    hooks(&world, 60, 1).await;
    let pages = world.pages("/v1/audit-log?objectType=klass&pageSize=2").await;
    let found = pages.iter().flat_map(|page| page.body["data"].as_array().unwrap()).count();
    assert_eq!((found, pages.len()), (1, 3), "each request looks through a bounded part");
}

#[tokio::test]
async fn entries_are_kept_for_four_hundred_days() {
    let world = World::new().await;
    let id = hooks(&world, 1, 0).await.remove(0);
    let entry = world.get("/v1/audit-log").await.expect(200).body["data"][0].clone();
    let path = entry["links"]["self"].as_str().unwrap();
    world.clock.pass_seconds(400 * DAY_SECONDS);
    assert_eq!(log(&world).await.len(), 1);
    assert_eq!(entries(&world, &format!("objectId={id}")).await.len(), 1);
    world.get(path).await.expect(200);
    world.clock.pass_seconds(1);
    assert_eq!(log(&world).await.len(), 0);
    assert_eq!(entries(&world, &format!("objectId={id}")).await.len(), 0);
    world.get(path).await.expect(404);
}

#[tokio::test]
async fn what_is_asked_wrong_is_refused_with_what_to_ask() {
    let world = World::new().await;
    hooks(&world, 3, 1).await;
    let next = |page: &Value| page["links"]["next"].as_str().unwrap().to_owned();
    let of_all = next(&world.get("/v1/audit-log?pageSize=1").await.expect(200).body);
    let hook = log(&world).await[0]["objectId"].as_str().unwrap().to_owned();
    world.api("PATCH", &format!("/v1/hooks/form/{hook}"), json!({ "title": "x" })).await.expect(200);
    let of_one = next(&world.get(&format!("/v1/audit-log?pageSize=1&objectId={hook}")).await.expect(200).body);
    for path in [
        "/v1/audit-log?objectType=hook".to_owned(),
        "/v1/audit-log?objectType=kobject.".to_owned(),
        "/v1/audit-log?key=ci".to_owned(),
        "/v1/audit-log?from=yesterday".to_owned(),
        "/v1/audit-log?until=2026-11-22".to_owned(),
        "/v1/audit-log?pageSize=0".to_owned(),
        "/v1/audit-log?pageSize=101".to_owned(),
        "/v1/audit-log?after=0.2026-11%2F".to_owned(),
        // A place in one list is none in the other.
        format!("{of_all}&objectId={hook}"),
        of_one.replace(&format!("objectId={hook}"), ""),
    ] {
        let answer = world.get(&path).await.expect(400);
        assert_eq!(answer.code(), "bad_query", "{path}");
        assert!(answer.body["errors"][0]["detail"].as_str().unwrap().contains("has to be"), "{path}");
    }
    for id in ["5a345109e578360010eadead", "x", ""] {
        world.get(&format!("/v1/audit-log/{id}")).await.expect(404);
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        world.api(method, "/v1/audit-log", json!({})).await.expect(405);
    }
    assert_eq!(entries(&world, "objectType=kobject.order").await.len(), 0);
}

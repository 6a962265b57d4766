//! A change and its entry: both or neither, whatever the store does, and what is told as before is what was there.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::Timestamp;
use serde_json::{Value, json};
use service::{
    memory::{FixedWorld, MemoryStore},
    ports::{Change, Expectation, Freshness, Item, Key, Page, Range, Store, Unavailable, WriteError},
};
use tests::{
    faults::{Fault, FaultyStore},
    world::{NOON, World},
};

use super::{entries, log};

/// The most calls of the store that one request makes.
const CALLS_LIMIT: usize = 30;

fn clock() -> Arc<FixedWorld> {
    Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()))
}

/// All that there is of the objects of this type, as the API shows it.
async fn all(world: &World, list: &str) -> Value {
    world.get(&format!("/v1/{list}")).await.expect(200).body["data"].clone()
}

#[tokio::test]
async fn a_fault_at_any_call_leaves_the_change_with_its_entry_or_neither() {
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        for (list, method, tail, body) in [
            ("hooks/form", "POST", "", json!({ "title": "New" })),
            ("hooks/form", "PATCH", "/", json!({ "title": "Changed" })),
            ("hooks/form", "DELETE", "/", Value::Null),
            ("klasses", "DELETE", "/", Value::Null),
            ("customers", "PUT", "/", json!({ "name": "Changed", "email": "new@example.com" })),
            ("api-keys", "POST", "/rotate", Value::Null),
            ("schedules", "POST", "", json!({ "name": "New" })),
            ("org", "PUT", "", json!({ "name": "New" })),
        ] {
            for offset in 0..CALLS_LIMIT {
                let clock = clock();
                let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new(clock.clone())), fault));
                let world = World::over(store.clone(), clock).await;
                let path = of_one(&world, list, tail).await;
                let (before, entries_before) = (all(&world, list).await, log(&world).await.len());
                // The use of the key is written down at another time.
                world.get("/v1/apps").await.expect(200);
                let calls = store.calls();
                store.fail_in(offset);
                let answer = world.api(method, &path, body.clone()).await;
                let is_past = store.calls() - calls <= offset;
                store.heal();
                let case = format!("{method} {path} with {fault:?} at {offset}: {}", answer.status);
                let is_changed = all(&world, list).await != before;
                let made = log(&world).await.len() - entries_before;
                assert_eq!(made > 0, is_changed, "{case}");
                if is_past {
                    assert!(answer.status < 300 && is_changed, "{case}");
                    break;
                }
                assert!(offset + 1 < CALLS_LIMIT, "{case}");
            }
        }
    }
}

/// The path that is asked, for something that is made for it.
async fn of_one(world: &World, list: &str, tail: &str) -> String {
    if tail.is_empty() {
        return format!("/v1/{list}");
    }
    let draft = match list {
        "klasses" => json!({ "name": "order" }),
        "customers" => json!({ "name": "Ann", "email": "ann@example.com" }),
        "api-keys" => json!({ "name": "ci", "roles": ["org.permission.hook.read"] }),
        _ => json!({ "title": "Orders" }),
    };
    let made = world.api("POST", &format!("/v1/{list}"), draft).await.expect(201);
    let id = if list == "klasses" { "order".to_owned() } else { made.id() };
    format!("/v1/{list}/{id}{}", tail.trim_end_matches('/'))
}

/// A store in which somebody else writes just before the next write.
struct Overtaken {
    inner: Arc<MemoryStore>,
    others: Mutex<Vec<Vec<Change>>>,
}

#[async_trait]
impl Store for Overtaken {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        self.inner.find(key, freshness).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        self.inner.find_all(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        self.inner.list(range).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        let other = self.others.lock().unwrap().pop();
        if let Some(other) = other {
            self.inner.write(&other).await.unwrap();
        }
        self.inner.write(changes).await
    }
}

/// A world in which a klass is there, and what somebody else writes before each write from then on.
async fn overtaken(count: usize, is_deleted: bool) -> (World, Arc<Overtaken>) {
    let clock = clock();
    let inner = Arc::new(MemoryStore::new(clock.clone()));
    let store = Arc::new(Overtaken { inner: inner.clone(), others: Mutex::default() });
    let world = World::over(store.clone(), clock).await;
    world.api("POST", "/v1/klasses", json!({ "name": "order", "displayName": "0" })).await.expect(201);
    let item = inner.items().into_iter().find(|item| item.key.partition.ends_with("#klasses")).unwrap();
    let written = |number: usize| {
        let document = item.document.replace("\"displayName\":\"0\"", &format!("\"displayName\":\"{number}\""));
        let item = Item { rev: number as u64 + 1, document, ..item.clone() };
        vec![Change::Put(item, Expectation::Anything)]
    };
    let gone = vec![Change::Delete(item.key.clone(), Expectation::Anything)];
    let others = if is_deleted { vec![gone] } else { (1..=count).rev().map(written).collect() };
    *store.others.lock().unwrap() = others;
    (world, store)
}

#[tokio::test]
async fn what_is_told_as_before_is_what_was_there_when_it_was_changed() {
    let (world, _) = overtaken(3, false).await;
    world.api("DELETE", "/v1/klasses/order", Value::Null).await.expect(204);
    let deleted = entries(&world, "objectType=klass").await[0].clone();
    assert_eq!(deleted["eventVerb"], "delete");
    let changes = deleted["changes"].as_array().unwrap();
    let shown = changes.iter().find(|change| change["path"] == "$.displayName").unwrap();
    assert_eq!(shown["before"], "3");
}

#[tokio::test]
async fn what_somebody_else_deleted_first_is_deleted_once() {
    let (world, _) = overtaken(0, true).await;
    world.api("DELETE", "/v1/klasses/order", Value::Null).await.expect(204);
    assert_eq!(entries(&world, "objectType=klass").await.len(), 1, "that it was made");
}

#[tokio::test]
async fn a_change_that_minds_what_is_there_is_refused_when_somebody_else_was_faster() {
    let (world, _) = overtaken(1, false).await;
    let answer = world.api("PUT", "/v1/klasses/order", json!({ "displayName": "mine" })).await.expect(409);
    assert_eq!(answer.code(), "changed_meanwhile");
    assert_eq!(entries(&world, "objectType=klass").await.len(), 1);
}

#[tokio::test]
async fn a_deletion_that_is_overtaken_without_end_gives_up() {
    for (count, status) in [(4, 204), (5, 409)] {
        let (world, _) = overtaken(count, false).await;
        let answer = world.api("DELETE", "/v1/klasses/order", Value::Null).await;
        assert_eq!(answer.status, status, "{count}: {answer:?}");
    }
}

//! One delivery that comes at the same time in many hands, and keys and ids that are built to be mistaken.

use std::sync::Arc;

use http::HeaderValue;
use serde_json::{Value, json};
use service::http::Request;
use tests::world::{World, workflow_of};

use super::{JSON, SECRET, hook, signed};

/// A hook with these attributes, to whose event a workflow listens. Gives its path and the workflow's id.
async fn listened(world: &World, attributes: Value) -> (String, String) {
    let path = hook(world, attributes).await;
    let hooks = world.get("/v1/hooks/web?pageSize=100").await.expect(200);
    let made = hooks.body["data"].as_array().unwrap().last().unwrap()["attributes"].clone();
    let event = made["eventName"].as_str().unwrap();
    let workflow = workflow_of(event, event, json!([{ "id": "end", "transitions": [] }]));
    (path, world.workflow(workflow).await)
}

async fn runs(world: &World, workflow: &str) -> usize {
    world.work().await;
    let runs = world.get(&format!("/v1/workflows/{workflow}/runs?pageSize=100")).await.expect(200);
    runs.body["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_delivery_that_comes_twice_at_once_is_one_run() {
    let world = World::new().await;
    let auth = json!({ "auth": { "scheme": "shopify", "secrets": [SECRET] } });
    let (path, workflow) = listened(&world, auth).await;
    let body = "{\"id\":1}";
    let own = signed("shopify", &path, body.as_bytes());
    let mut headers: Vec<_> = own.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.extend([JSON, ("x-shopify-webhook-id", "b54557e4"), ("x-shopify-topic", "orders/updated")]);
    let once = || world.send("POST", &path, &headers, body);
    let (one, other) = tokio::join!(once(), once());
    assert_eq!(one.expect(202).id(), other.expect(202).id());
    assert_eq!(runs(&world, &workflow).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_deliveries_of_one_id_at_once_are_one_run() {
    let world = Arc::new(World::new().await);
    let auth = json!({ "auth": { "scheme": "none" } });
    let (path, workflow) = listened(&world, auth).await;
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (world, path) = (Arc::clone(&world), path.clone());
        posts.spawn(async move {
            let headers = [JSON, ("idempotency-key", "one")];
            world.send("POST", &path, &headers, "{\"a\":1}").await.expect(202).id()
        });
    }
    let mut ids = posts.join_all().await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(runs(&world, &workflow).await, 1);
}

#[tokio::test]
async fn idempotency_keys_are_bytes_that_are_compared_as_they_are() {
    let world = World::new().await;
    let (path, workflow) = listened(&world, json!({ "auth": { "scheme": "none" } })).await;
    let keyed = |key: &[u8]| {
        let mut request = Request::new("{\"a\":1}".into());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = path.parse().unwrap();
        request.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        request.headers_mut().append("idempotency-key", HeaderValue::from_bytes(key).unwrap());
        request
    };
    let good: [&[u8]; 14] = [
        b"a",
        b"A",
        b"a b",
        b"a\tb",
        b"%61",
        b"a#b",
        b"../a",
        b"key:a",
        b"\"a\"",
        b"a,b",
        b"__proto__",
        b"null",
        "\u{43a}\u{43b}\u{44e}\u{447}".as_bytes(),
        "\u{1f511}".as_bytes(),
    ];
    let mut ids = Vec::new();
    for key in good {
        let id = world.deliver(keyed(key)).await.expect(202).id();
        assert_eq!(world.deliver(keyed(key)).await.expect(202).id(), id, "{key:?}");
        ids.push(id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), good.len());
    assert_eq!(runs(&world, &workflow).await, good.len());

    // What is no text would be one key with all else that is no text.
    let long = vec![b'k'; 256];
    let huge = vec![b'k'; 60_000];
    let bad: [&[u8]; 5] = [b"", b"\xff", b"a\xfe", &long, &huge];
    for key in bad {
        let answer = world.deliver(keyed(key)).await;
        assert_eq!((answer.status, answer.code()), (400, "bad_idempotency_key"), "{:?}", &key[..key.len().min(9)]);
    }
    let mut twice = keyed(b"one");
    twice.headers_mut().append("idempotency-key", HeaderValue::from_static("two"));
    let answer = world.deliver(twice).await;
    assert_eq!((answer.status, answer.code()), (400, "bad_idempotency_key"));
    assert_eq!(world.queue.depth(), 0);
}

#[tokio::test]
async fn an_id_of_hundreds_of_kilobytes_is_as_good_as_a_short_one() {
    let world = World::new().await;
    let by_field = json!({ "auth": { "scheme": "none" }, "duplicates": { "windowSeconds": 60, "fields": ["id"] } });
    let by_app = json!({ "auth": { "scheme": "none" }, "app": "stripe" });
    for attributes in [by_field, by_app] {
        let (path, workflow) = listened(&world, attributes.clone()).await;
        for (sign, count) in [("x", 400_000), ("\u{ffff}", 130_000), ("\\u0001", 66_000)] {
            let body = |last: &str| format!("{{\"id\":\"{}{last}\"}}", sign.repeat(count));
            let first = world.send("POST", &path, &[JSON], body("1")).await.expect(202).id();
            let again = world.send("POST", &path, &[JSON], body("1")).await.expect(202).id();
            let other = world.send("POST", &path, &[JSON], body("2")).await.expect(202).id();
            assert_eq!(first, again, "{attributes}");
            assert_ne!(first, other, "{attributes}");
        }
        assert_eq!(runs(&world, &workflow).await, 6, "{attributes}");
        let megabyte = format!("{{\"id\":\"{}\"}}", "x".repeat(1_048_576));
        world.send("POST", &path, &[JSON], megabyte).await.expect(413);
    }
}

//! Uploads: files that come before the post that names them.

use serde_json::{Value, json};
use service::ports::Blobs;
use sha2::{Digest, Sha256};
use tests::world::{Answer, FormHook, World};

const LIMIT_BYTES: u64 = 1_000;

/// A hook that takes uploads of [`LIMIT_BYTES`].
async fn uploading(world: &World) -> FormHook {
    let attributes = json!({ "title": "Photos", "uploads": { "limitBytes": LIMIT_BYTES } });
    world.form_hook_with(attributes).await
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn draft(bytes: &[u8]) -> Value {
    json!({ "sha256": sha256(bytes), "bytes": bytes.len(), "contentType": "image/png", "name": "C:\\me\\photo.png" })
}

async fn begin(world: &World, hook: &FormHook, draft: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    world.send("POST", &format!("{}/uploads", hook.path), &headers, draft.to_string()).await
}

async fn put(world: &World, bytes: &'static [u8]) {
    world.blobs.put(&sha256(bytes), bytes.into()).await.unwrap();
}

async fn data_of(world: &World, transaction: &str) -> Value {
    world.work().await;
    world.get(&format!("/v1/transactions/{transaction}")).await.expect(200).attribute("data")
}

#[tokio::test]
async fn an_upload_that_a_post_names_becomes_the_file_that_a_multipart_form_would_have() {
    let world = World::new().await;
    let hook = uploading(&world).await;
    let granted = begin(&world, &hook, &draft(b"png")).await.expect(201);
    assert_eq!(granted.body["data"]["type"], "upload");
    assert_eq!(
        granted.body["data"]["attributes"],
        json!({ "method": "PUT", "url": format!("memory:{}", sha256(b"png")),
            "headers": { "content-type": "image/png" }, "expiresAt": "2026-11-22T12:15:00.000Z" })
    );
    put(&world, b"png").await;

    let id = granted.id();
    let post = json!({ "a": [{ "$upload": id }, { "b": { "$upload": id } }], "c": 1 });
    let transaction = world.post(&hook, post).await.expect(202).id();

    let file = json!({ "fileName": "photo.png", "contentType": "image/png", "size": 3, "sha256": sha256(b"png"),
        "blob": format!("sha256/{}", sha256(b"png")) });
    assert_eq!(data_of(&world, &transaction).await, json!({ "a": [file, { "b": file }], "c": 1 }));
    let multipart = "--b\r\nContent-Disposition: form-data; name=a; filename=photo.png\r\nContent-Type: image/png\r\n\r\npng\r\n--b--\r\n";
    let transaction = world.post_as(&hook, "multipart/form-data; boundary=b", multipart).await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, json!({ "a": file }));
    // The body itself may be the upload, and a form may name one.
    let transaction = world.post(&hook, json!({ "$upload": id })).await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, file);
    let form = format!("a[$upload]={id}");
    let transaction = world.post_as(&hook, "application/x-www-form-urlencoded", form).await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, json!({ "a": file }));
}

#[tokio::test]
async fn a_source_begins_20_uploads_a_minute_and_not_21_where_the_hook_says_nothing() {
    let world = World::new().await;
    let hook = uploading(&world).await;
    let path = format!("{}/uploads", hook.path);
    let begin = |source: &'static str| {
        world.send_from(Some(source), "POST", &path, &[("content-type", "application/json")], draft(b"png").to_string())
    };
    for _ in 0..20 {
        begin("192.0.2.1").await.expect(201);
    }
    let refused = begin("192.0.2.1").await.expect(429);
    assert_eq!(refused.headers["retry-after"], "3");
    begin("192.0.2.2").await.expect(201);
    world.clock.pass_seconds(3);
    begin("192.0.2.1").await.expect(201);
}

#[tokio::test]
async fn an_upload_is_not_believed_until_all_of_it_is_there() {
    let world = World::new().await;
    let hook = uploading(&world).await;
    let post = json!({ "file": { "$upload": begin(&world, &hook, &draft(b"png")).await.expect(201).id() } });
    assert_eq!(world.post(&hook, post.clone()).await.expect(400).code(), "upload_incomplete");
    world.blobs.put(&sha256(b"png"), "pn".into()).await.unwrap();
    assert_eq!(world.post(&hook, post.clone()).await.expect(400).code(), "upload_incomplete");
    put(&world, b"png").await;
    world.post(&hook, post).await.expect(202);
}

#[tokio::test]
async fn an_upload_is_known_to_its_hook_for_a_day_and_to_no_other() {
    let world = World::new().await;
    let (hook, other) = (uploading(&world).await, uploading(&world).await);
    put(&world, b"png").await;
    let id = begin(&world, &hook, &draft(b"png")).await.expect(201).id();
    let post = json!({ "$upload": id });
    for (hook, post) in [
        (&other, post.clone()),
        (&hook, json!({ "$upload": id.to_uppercase() })),
        (&hook, json!({ "$upload": "0".repeat(32) })),
        (&hook, json!({ "$upload": "" })),
        (&hook, json!({ "$upload": null })),
        (&hook, json!({ "$upload": [id] })),
        (&hook, json!({ "$upload": "../../etc/passwd" })),
        (&hook, json!({ "$upload": "ü".repeat(100_000) })),
    ] {
        assert_eq!(world.post(hook, post).await.expect(400).code(), "upload_unknown");
    }
    // Not the shape of a reference: data.
    world.post(&hook, json!({ "$upload": "x", "more": 1 })).await.expect(202);
    world.clock.pass_seconds(24 * 60 * 60);
    world.post(&hook, post.clone()).await.expect(202);
    world.clock.pass_seconds(1);
    assert_eq!(world.post(&hook, post).await.expect(400).code(), "upload_unknown");
}

#[tokio::test]
async fn a_post_names_10_uploads_and_not_11() {
    let world = World::new().await;
    let hook = uploading(&world).await;
    put(&world, b"png").await;
    let id = begin(&world, &hook, &draft(b"png")).await.expect(201).id();
    let post = |count: usize| json!(vec![json!({ "$upload": id }); count]);
    world.post(&hook, post(10)).await.expect(202);
    assert_eq!(world.post(&hook, post(11)).await.expect(400).code(), "too_many_uploads");
}

#[tokio::test]
async fn what_is_said_of_an_upload_is_checked() {
    let world = World::new().await;
    let hook = uploading(&world).await;
    let with = |key: &str, value: Value| {
        let mut changed = draft(b"png");
        changed[key] = value;
        changed
    };
    let long = |bytes: usize| format!("image/{}", "x".repeat(bytes - "image/".len()));
    for (draft, status, code) in [
        (with("bytes", json!(LIMIT_BYTES)), 201, ""),
        (with("bytes", json!(LIMIT_BYTES + 1)), 413, "upload_too_large"),
        (with("bytes", json!(u64::MAX)), 413, "upload_too_large"),
        (with("bytes", json!(0)), 201, ""),
        (with("bytes", json!(-1)), 400, "malformed_upload"),
        (with("bytes", json!(1.5)), 400, "malformed_upload"),
        (with("bytes", json!("3")), 400, "malformed_upload"),
        (with("sha256", json!(sha256(b"png").to_uppercase())), 400, "malformed_upload"),
        (with("sha256", json!("ab")), 400, "malformed_upload"),
        (with("sha256", json!("ö".repeat(32))), 400, "malformed_upload"),
        (with("contentType", json!(long(255))), 201, ""),
        (with("contentType", json!(long(256))), 400, "malformed_upload"),
        (with("contentType", json!("image")), 400, "malformed_upload"),
        (with("contentType", json!("image/png\r\nx-amz-acl: public-read")), 400, "malformed_upload"),
        (with("contentType", json!("image/png ")), 400, "malformed_upload"),
        (with("contentType", json!(null)), 201, ""),
        (with("name", json!(null)), 201, ""),
        (with("name", json!("\u{202e}gpj.exe")), 201, ""),
        (with("extra", json!(1)), 400, "malformed_upload"),
        (json!([]), 400, "malformed_upload"),
        (json!("x".repeat(4_094)), 400, "malformed_upload"),
        (json!("x".repeat(4_095)), 413, "body_too_large"),
    ] {
        let answer = begin(&world, &hook, &draft).await.expect(status);
        assert!(status == 201 || answer.code() == code, "{draft} {answer:?}");
    }
    let path = format!("{}/uploads", hook.path);
    assert_eq!(world.send("POST", &path, &[], "{").await.expect(400).code(), "malformed_json");
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(world.send(method, &path, &[], "").await.expect(405).headers["allow"], "POST");
    }
    for (limit_bytes, status) in [(0, 400), (1, 200), (1 << 30, 200), ((1 << 30) + 1, 400)] {
        let rule = json!({ "uploads": { "limitBytes": limit_bytes } });
        world.api("PATCH", &format!("/v1/hooks/form/{}", hook.id), rule).await.expect(status);
    }
}

#[tokio::test]
async fn a_hook_without_uploads_takes_none_and_leaves_data_alone() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    assert_eq!(begin(&world, &hook, &draft(b"png")).await.expect(404).code(), "no_uploads");
    let post = json!({ "file": { "$upload": "0".repeat(32) } });
    let transaction = world.post(&hook, post.clone()).await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, post);
}

#[tokio::test]
async fn the_guard_stands_before_uploads_too_and_a_token_stays_good_for_the_post() {
    let world = World::new().await;
    let guard = json!({ "minimumFillSeconds": 3, "origins": ["https://shop.example"] });
    let uploads = json!({ "limitBytes": LIMIT_BYTES });
    let hook = world.form_hook_with(json!({ "title": "Photos", "guard": guard, "uploads": uploads })).await;
    let challenge = world.send("GET", &format!("{}/challenge", hook.path), &[], "").await.expect(200);
    let token = challenge.attribute("token").as_str().unwrap().to_owned();
    let path = format!("{}/uploads", hook.path);
    let body = draft(b"png").to_string();
    let refused = world.send("POST", &path, &[("origin", "https://evil.example")], body.clone()).await.expect(403);
    assert_eq!(refused.code(), "origin_not_allowed");
    assert_eq!(world.send("POST", &path, &[], body.clone()).await.expect(400).code(), "challenge_missing");
    put(&world, b"png").await;

    // Before the form is filled in, and more than once.
    let headers = [("x-hookwright-token", token.as_str()), ("origin", "https://shop.example")];
    world.send("POST", &path, &headers, body.clone()).await.expect(201);
    let granted = world.send("POST", &path, &headers, body).await.expect(201);
    assert_eq!(granted.headers["access-control-allow-origin"], "https://shop.example");

    world.clock.pass_seconds(3);
    let waiting = json!({ "hw_token": token, "file": { "$upload": "0".repeat(32) } });
    assert_eq!(world.post(&hook, waiting).await.expect(400).code(), "upload_unknown");
    let post = json!({ "hw_token": token, "file": { "$upload": granted.id() } });
    let first = world.post(&hook, post.clone()).await.expect(202);
    assert_eq!(world.post(&hook, post).await.expect(202).text, first.text);
}

//! What API Gateway makes of a request: encoded bodies, escaped paths, limits, and events nobody should send.

use serde_json::{Value, json};
use tests::lambda::{Deployment, http_event, in_base64};

use super::BINARIES;

/// *Source*: `docs/bodies.md`.
const BODY_LIMIT_BYTES: usize = 409_600;

#[tokio::test]
async fn a_body_in_base64_is_the_body_that_was_sent() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_hook().await;
    for (content_type, body, data) in [
        ("application/json", "{\"a\":\"ü\"}".as_bytes(), json!({ "a": "ü" })),
        ("application/x-www-form-urlencoded", b"a=1&b[c]=2", json!({ "a": "1", "b": { "c": "2" } })),
        ("text/plain; charset=iso-8859-1", b"gr\xfc\xdfe", json!({ "unstructured": "grüße" })),
    ] {
        let mut event = http_event("POST", &hook.path, &[("content-type", content_type)], body);
        in_base64(&mut event, body);

        let transaction = deployment.pass_on(&event).await.unwrap().expect(202).id();
        deployment.work().await;

        let answer = deployment.get(&format!("/v1/transactions/{transaction}")).await;
        assert_eq!(answer.attribute("data"), data, "{content_type}");
    }
}

#[tokio::test]
async fn a_path_means_what_its_sender_escaped() {
    let deployment = Deployment::start(BINARIES).await;
    let create = |email| deployment.api("POST", "/v1/customers", json!({ "email": email }));
    for (email, spellings) in [
        ("ann+1@example.com", vec!["ann+1@example.com", "ann%2B1@example.com", "ann%2b1%40example.com"]),
        ("ann#1@example.com", vec!["ann%231@example.com"]),
        ("ann%231@example.com", vec!["ann%25231@example.com"]),
        ("ann{1}@example.com", vec!["ann{1}@example.com", "ann%7B1%7D@example.com"]),
    ] {
        let id = create(email).await.expect(201).id();
        for spelling in spellings {
            assert_eq!(deployment.get(&format!("/v1/customers/email={spelling}")).await.id(), id, "{spelling}");
        }
    }
    for path in ["/v1/klasses/my%20klass", "/v1/klasses/a%22%3C%3E%60%0A%C3%BC%FF", "/v1/customers/email=%20"] {
        deployment.api("GET", path, Value::Null).await.expect(404);
    }
    let answer = deployment.send("POST", "/v1/hooks/form/a%20b", &[], "{}").await.expect(404);
    assert_eq!(answer.code(), "unknown_address");
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_one_byte_more_is_not() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_hook().await;
    for (length, status) in [(BODY_LIMIT_BYTES, 202), (BODY_LIMIT_BYTES + 1, 413)] {
        let body = format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
        let mut event = http_event("POST", &hook.path, &[("content-type", "application/json")], body.as_bytes());
        deployment.pass_on(&event).await.unwrap().expect(status);

        // The length that a sender claims is not what counts.
        event["headers"]["content-length"] = json!("1");
        in_base64(&mut event, body.as_bytes());
        let answer = deployment.pass_on(&event).await.unwrap().expect(status);
        if status == 413 {
            assert_eq!(answer.code(), "body_too_large");
        }
    }
    assert_eq!(deployment.aws.take_messages().len(), 2);
}

#[tokio::test]
async fn every_address_that_takes_nothing_gets_the_same_answer() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_hook().await;
    let deleted = deployment.new_hook().await;
    deployment.api("DELETE", &format!("/v1/hooks/form/{}", deleted.id), Value::Null).await.expect(204);
    let mut answers = Vec::new();
    for path in [
        deleted.path,
        format!("/v1/hooks/form/{}", "0".repeat(64)),
        format!("/v1/hooks/form/{}/{}", "0".repeat(24), hook.hash),
        format!("/v1/hooks/form/{}", hook.hash.to_uppercase()),
        format!("/v1/hooks/form/{}", hook.id),
    ] {
        let answer = deployment.send("POST", &path, &[], "{}").await.expect(404);
        assert_eq!(answer.code(), "unknown_address", "{path}");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);
}

#[tokio::test]
async fn a_hostile_event_is_answered_or_fails_alone() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_hook().await;
    let given = http_event("POST", &hook.path, &[("content-type", "application/json")], b"{}");
    let with = |change: fn(&mut Value)| {
        let mut event = given.clone();
        change(&mut event);
        event
    };
    for (what, event, status) in [
        ("no headers", with(|event| event["headers"] = json!({})), 202),
        ("headers that are null", with(|event| event["headers"] = Value::Null), 202),
        ("no body", with(|event| event["body"] = Value::Null), 400),
        ("a body that is not UTF-8", with(|event| in_base64(event, b"{\"a\":\"\xff\"}")), 400),
        ("a body of zeros", with(|event| in_base64(event, &[0; 1000])), 400),
        ("a query", with(|event| event["rawQueryString"] = json!("a=%ff&&=;[]{}")), 202),
        ("a path in another script", with(|event| event["rawPath"] = json!("/v1/hooks/form/ü")), 404),
    ] {
        let answer = deployment.pass_on(&event).await;
        assert_eq!(answer.as_ref().map(|answer| answer.status), Ok(status), "{what}: {answer:?}");
    }
    // API Gateway writes none of these; what matters is the next event.
    for event in [
        with(|event| (event["body"], event["isBase64Encoded"]) = (json!("%%%"), json!(true))),
        with(|event| event["headers"]["host"] = json!("a b:99999999")),
        with(|event| event["headers"]["x-forwarded-proto"] = json!("gopher://")),
        json!({ "Records": [] }),
        json!({}),
        json!([]),
        json!("text"),
        Value::Null,
    ] {
        deployment.form_hook.invoke(&event).await.unwrap_err();
    }
    deployment.pass_on(&given).await.unwrap().expect(202);
}

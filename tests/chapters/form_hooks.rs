//! Form hooks: what an address takes, what it answers, and what it refuses.

use serde_json::{Value, json};
use tests::world::{World, workflow_of};

const LIMIT_BYTES: usize = 409_600;

/// The data that the workflow of the hook sees when `body` arrives.
async fn data_of(content_type: &str, body: &str) -> Value {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let transaction = world.post_as(&hook, content_type, body.to_owned()).await.expect(202).id();
    world.work().await;
    let answer = world.get(&format!("/v1/transactions/{transaction}")).await.expect(200);
    answer.body["data"]["attributes"]["data"].clone()
}

#[tokio::test]
async fn an_accepted_post_is_answered_with_202_and_the_transactions_id() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let answer = world.post(&hook, json!({ "a": 1 })).await.expect(202);
    let id = answer.id();
    assert_eq!(id.len(), 24);
    assert_eq!(
        answer.body,
        json!({ "data": { "id": id, "type": "transaction", "links": { "self": format!("/v1/transactions/{id}") } } })
    );
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn the_address_with_and_without_the_org_are_one_hook() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    for path in [hook.path.clone(), format!("/v1/hooks/form/{}", hook.hash)] {
        world.send("POST", &path, &[("content-type", "application/json")], "{}").await.expect(202);
    }
    assert_eq!(world.queue.depth(), 2);
}

#[tokio::test]
async fn unknown_deleted_foreign_and_malformed_addresses_get_the_same_answer() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let deleted = world.form_hook().await;
    world.post(&deleted, json!({})).await.expect(202);
    world.api("DELETE", &format!("/v1/hooks/form/{}", deleted.id), Value::Null).await.expect(204);
    let flipped = hook.hash.replace('0', "f");
    let unknown = world.send("POST", &format!("/v1/hooks/form/{}", "0".repeat(64)), &[], "{}").await.expect(404);
    for path in [
        deleted.path.clone(),
        format!("/v1/hooks/form/{}", deleted.hash),
        format!("/v1/hooks/form/000000000000000000000000/{}", hook.hash),
        format!("/v1/hooks/form/{flipped}0"),
        format!("/v1/hooks/form/{}/", hook.hash),
        format!("/v1/hooks/form//{}", hook.hash),
        format!("/v1/hooks/form/{}", hook.id),
        format!("/v1/hooks/form/{}", "a".repeat(2_000)),
        "/v1/hooks/form/%2e%2e".to_owned(),
    ] {
        let answer = world.send("POST", &path, &[("content-type", "application/json")], "{}").await;
        assert_eq!((answer.status, &answer.text), (404, &unknown.text), "{path}");
    }
    assert_eq!(unknown.code(), "unknown_address");
}

#[tokio::test]
async fn only_post_is_taken_at_an_address() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD"] {
        for path in [hook.path.clone(), format!("/v1/hooks/form/{}", hook.hash)] {
            let answer = world.send(method, &path, &[], "").await;
            assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "POST"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_body_has_409_600_bytes_and_not_409_601() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let body = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    world.post_as(&hook, "application/json", body(LIMIT_BYTES)).await.expect(202);
    let refused = world.post_as(&hook, "application/json", body(LIMIT_BYTES + 1)).await.expect(413);
    assert_eq!(refused.code(), "body_too_large");
}

#[tokio::test]
async fn the_largest_body_comes_through_whole() {
    let text = "x".repeat(LIMIT_BYTES - 2);
    assert_eq!(data_of("application/json", &format!("\"{text}\"")).await, json!(text));
}

#[tokio::test]
async fn numbers_come_out_as_they_went_in() {
    let sent = r#"{"big":9007199254740993,"huge":1e400,"tenth":0.1,"one":1.0,"minus":-0,"tiny":1E-7}"#;
    let world = World::new().await;
    world.order_klass().await;
    let hook = world.form_hook().await;
    let params = json!({ "klassName": "order", "title": "t", "data": "/#steps.1.attributes.data" });
    let steps = json!([{ "id": "order", "action": "kustomer.kobject.create", "params": params, "transitions": [] }]);
    world.workflow(workflow_of("keep", &hook.event, steps)).await;

    let transaction = world.post_as(&hook, "application/json", sent).await.expect(202).id();
    world.work().await;

    let read = world.get(&format!("/v1/transactions/{transaction}")).await;
    assert!(read.text.contains(sent), "{}", read.text);
    let run = world.run_of(&transaction).await;
    assert_eq!(run["steps"][1]["input"]["data"].to_string(), sent);
    assert_eq!(run["steps"][1]["output"]["data"].to_string(), sent);
    let order = run["steps"][1]["output"]["id"].as_str().unwrap().to_owned();
    let record = world.get(&format!("/v1/klasses/order/{order}")).await;
    assert_eq!(record.attribute("data").to_string(), sent);
}

#[tokio::test]
async fn each_kind_of_body_becomes_data() {
    for (content_type, body, data) in [
        ("application/json", r#"{"a":[1,null,true]}"#, json!({ "a": [1, null, true] })),
        ("application/vnd.shop+json; charset=utf-8", r#"{"a":1}"#, json!({ "a": 1 })),
        (
            "application/x-www-form-urlencoded",
            "a=1&a=2&b[c]=3&d=x+y%21",
            json!({ "a": ["1", "2"], "b": { "c": "3" }, "d": "x y!" }),
        ),
        (
            "application/xml",
            "<order id=\"1\"><sku>a</sku><sku>b</sku></order>",
            json!({ "order": { "@id": "1", "sku": ["a", "b"] } }),
        ),
        ("text/plain", "hello", json!({ "unstructured": "hello" })),
    ] {
        assert_eq!(data_of(content_type, body).await, data, "{content_type}");
    }
}

#[tokio::test]
async fn a_file_of_a_form_is_kept_in_the_blob_store_and_named_in_the_data() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let body = "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\ntest@example.com\r\n--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"../../etc/passwd\"\r\nContent-Type: image/png\r\n\r\n\u{1}\u{2}\r\n--b--\r\n";

    let transaction = world.post_as(&hook, "multipart/form-data; boundary=b", body).await.expect(202).id();
    world.work().await;

    let read = world.get(&format!("/v1/transactions/{transaction}")).await;
    let data = &read.body["data"]["attributes"]["data"];
    assert_eq!(data["email"], "test@example.com");
    assert_eq!(data["photo"]["fileName"], "passwd");
    assert_eq!(data["photo"]["size"], 2);
    let sha256 = data["photo"]["sha256"].as_str().unwrap();
    let kept = service::ports::Blobs::find(world.blobs.as_ref(), sha256).await.unwrap();
    assert_eq!(kept.as_deref(), Some(&[1_u8, 2][..]));
}

#[tokio::test]
async fn bad_bodies_are_refused_with_a_code_and_a_sentence() {
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|index| format!("\"k{index}\":0")).collect();
        format!("{{{}}}", keys.join(","))
    };
    let parts = |count: usize| {
        format!("{}--b--\r\n", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n".repeat(count))
    };
    let multipart = "multipart/form-data; boundary=b";
    let world = World::new().await;
    let hook = world.form_hook().await;
    for (content_type, body) in [
        ("application/json", deep(64)),
        ("application/json", keys(10_000)),
        ("application/json", "\u{feff}{}".to_owned()),
        ("application/json", r#"{"a":"\ud800"}"#.to_owned()),
        ("application/json", r#"{"a":"\u0000"}"#.to_owned()),
        (multipart, parts(100)),
    ] {
        world.post_as(&hook, content_type, body).await.expect(202);
    }
    for (content_type, body, status, code) in [
        ("application/json", deep(65), 400, "too_deep"),
        ("application/json", "[".repeat(100_000), 400, "too_deep"),
        ("application/json", keys(10_001), 400, "too_many_keys"),
        ("application/json", "{\"a\":".to_owned(), 400, "malformed_json"),
        ("application/json", String::new(), 400, "empty_body"),
        ("application/json", r#"{"$serde_json::private::Number":"x"}"#.to_owned(), 400, "reserved_key"),
        (multipart, parts(101), 400, "too_many_parts"),
        ("multipart/form-data", parts(1), 400, "boundary_missing"),
        ("application/xml", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_owned(), 400, "doctype_refused"),
        ("image/png", "x".to_owned(), 415, "unsupported_media_type"),
    ] {
        let shown: String = body.chars().take(40).collect();
        let answer = world.post_as(&hook, content_type, body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{content_type} {shown}");
        assert!(answer.body["errors"][0]["detail"].as_str().unwrap().len() > 20);
    }
    world.post_as(&hook, "application/json", &b"{\"a\":\"\xff\"}"[..]).await.expect(400);
}

#[tokio::test]
async fn a_repeated_key_is_noted_for_the_owner_and_the_last_one_wins() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let transaction = world.post_as(&hook, "application/json", r#"{"a":1,"a":2}"#).await.expect(202).id();
    world.work().await;
    let read = world.get(&format!("/v1/transactions/{transaction}")).await;
    assert_eq!(read.body["data"]["attributes"]["data"], json!({ "a": 2 }));
    let note = &read.body["meta"]["trace"]["notes"][0];
    assert_eq!((note["code"].as_str(), note["path"].as_str()), (Some("duplicate_key"), Some("$.a")));
}

#[tokio::test]
async fn two_content_types_are_refused_and_none_is_guessed_from_the_body() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let both = [("content-type", "application/json"), ("content-type", "text/plain")];
    assert_eq!(world.send("POST", &hook.path, &both, "{}").await.expect(400).code(), "ambiguous_content_type");
    let folded = [("content-type", "application/json,text/plain")];
    assert_eq!(world.send("POST", &hook.path, &folded, "{}").await.expect(400).code(), "ambiguous_content_type");
    let quoted = [("content-type", "text/plain; note=\"a,b\"")];
    world.send("POST", &hook.path, &quoted, "{}").await.expect(202);
    world.send("POST", &hook.path, &[], "{}").await.expect(202);
}

#[tokio::test]
async fn a_compressed_body_is_refused_and_not_taken_for_text() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    for (encoding, status) in [("gzip", 415), ("br", 415), ("identity", 202)] {
        let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
        world.send("POST", &hook.path, &headers, "{}").await.expect(status);
    }
}

#[tokio::test]
async fn a_post_to_another_kind_of_address_finds_nothing() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    for path in [
        format!("/v1/hooks/web/{}", hook.hash),
        format!("/v1/hooks/email/{}", hook.hash),
        format!("/v1/hooks/web/{}/{}", world.org, hook.hash),
    ] {
        assert_eq!(world.send("POST", &path, &[], "{}").await.expect(404).code(), "unknown_address", "{path}");
    }
}

#[tokio::test]
async fn text_of_a_payload_that_looks_like_an_expression_is_data() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps = json!([{ "id": "company", "action": "kustomer.company.create", "params": {
        "name": "/#steps.1.attributes.data.reference",
        "externalId": "<{{{steps.1.attributes.data.template}}}>",
    }, "transitions": [] }]);
    world.workflow(workflow_of("taint", &hook.event, steps)).await;
    let data = json!({ "reference": "/#steps.1.id", "template": "{{{steps.1.id}}}" });

    let transaction = world.arrive(&hook, data).await;

    let output = &world.run_of(&transaction).await["steps"][1]["output"];
    assert_eq!(output["name"], "/#steps.1.id");
    assert_eq!(output["externalId"], "<{{{steps.1.id}}}>");
}

#[tokio::test]
async fn a_hook_may_answer_with_a_text_or_send_a_browser_on() {
    let world = World::new().await;
    let hook = world
        .form_hook_with(
            json!({ "title": "Thanks", "reply": { "status": 303, "location": "https://shop.example/thanks" } }),
        )
        .await;
    let answer = world.post(&hook, json!({})).await.expect(303);
    assert_eq!(answer.headers["location"], "https://shop.example/thanks");

    let reply = json!({ "reply": { "status": 200, "body": "ok" } });
    world.api("PATCH", &format!("/v1/hooks/form/{}", hook.id), reply).await.expect(200);
    let answer = world.post(&hook, json!({})).await.expect(200);
    assert_eq!(
        (answer.text.as_str(), answer.headers["content-type"].to_str().unwrap()),
        ("ok", "text/plain; charset=utf-8")
    );
    assert_eq!(world.queue.depth(), 2);

    let wrong = json!({ "reply": { "status": 303, "location": "javascript:alert(1)" } });
    world.api("PATCH", &format!("/v1/hooks/form/{}", hook.id), wrong).await.expect(400);
}

#[tokio::test]
async fn a_hook_in_debug_keeps_its_last_10_interactions_accepted_or_refused() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let path = format!("/v1/hooks/form/{}", hook.id);
    let log = format!("{path}/transactions");
    world.post(&hook, json!({ "n": "before" })).await.expect(202);
    assert_eq!(world.get(&log).await.body["data"], json!([]));

    world.api("PATCH", &path, json!({ "debug": true })).await.expect(200);
    for n in 0..11 {
        world.clock.pass_seconds(1);
        world.post(&hook, json!({ "n": n })).await.expect(202);
    }
    world.clock.pass_seconds(1);
    world.post_as(&hook, "application/json", "{").await.expect(400);
    let shown = world.get(&log).await.body["data"].as_array().unwrap().clone();
    assert_eq!(shown.len(), 10);
    assert_eq!(
        (shown[0]["type"].as_str(), shown[0]["attributes"]["code"].as_str()),
        (Some("refusal"), Some("malformed_json"))
    );
    assert_eq!(shown[1]["attributes"]["data"], json!({ "n": 10 }));
    assert_eq!(shown[9]["attributes"]["data"], json!({ "n": 2 }));

    // Debug switches itself off after 24 hours, and what it kept is gone by then.
    world.clock.pass_seconds(24 * 60 * 60 - 10);
    assert_eq!(world.get(&log).await.body["data"].as_array().unwrap().len(), 10, "the oldest has a second left");
    world.clock.pass_seconds(11);
    assert_eq!(world.get(&path).await.attribute("debug"), json!(false));
    assert_eq!(world.get(&log).await.body["data"], json!([]));
}

#[tokio::test]
async fn a_hook_deleted_in_this_process_takes_nothing_from_that_moment_on() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    world.post(&hook, json!({})).await.expect(202);
    world.api("DELETE", &format!("/v1/hooks/form/{}", hook.id), Value::Null).await.expect(204);
    world.post(&hook, json!({})).await.expect(404);
}

#[tokio::test]
async fn nothing_is_accepted_while_queue_and_store_are_down_and_the_sender_is_told_to_come_again() {
    let mut world = World::new().await;
    let hook = world.form_hook().await;
    let queue = world.queue.clone();
    tests::faults::stop_taking(&mut world);

    let answer = world.post(&hook, json!({})).await.expect(503);

    assert_eq!(answer.code(), "unavailable");
    assert_eq!(answer.headers["retry-after"], "5");
    assert_eq!(queue.depth(), 0);
    assert!(!answer.text.contains("told to fail"), "what failed inside is not the sender's business");
}

#[tokio::test]
async fn a_debug_log_that_cannot_be_written_does_not_fail_what_it_watches() {
    let mut world = World::new().await;
    let hook = world.form_hook().await;
    world.api("PATCH", &format!("/v1/hooks/form/{}", hook.id), json!({ "debug": true })).await.expect(200);
    let faulty =
        std::sync::Arc::new(tests::faults::FaultyStore::new(world.store.clone(), tests::faults::Fault::Refuses));
    world.door.store = faulty.clone();
    // The address and the org's limits are looked up first, then the log is written.
    faulty.fail_in(2);
    world.post(&hook, json!({})).await.expect(202);
    assert_eq!(faulty.calls(), 3);
    assert_eq!(world.queue.depth(), 1);
}

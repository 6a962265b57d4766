//! The same on Lambda: the functions' own binaries as processes of their own, spoken to by events.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use service::http::ROUTES;
use sha2::{Digest, Sha256};
use tests::{
    lambda::{
        Binaries, Deadline, Deployment, Endpoints, Function, Service, Template, http_event, in_base64, queue_event,
        variables,
    },
    world::tutorial_order,
};

const BINARIES: Binaries = Binaries {
    form_hook: env!("CARGO_BIN_EXE_lambda-form-hook"),
    webhook: env!("CARGO_BIN_EXE_lambda-webhook"),
    executor: env!("CARGO_BIN_EXE_lambda-executor"),
    api: env!("CARGO_BIN_EXE_lambda-api"),
};

/// *Source*: `docs/bodies.md`.
const BODY_LIMIT_BYTES: usize = 409_600;

/// Each function: the name the template has for its binary, and where the binary is.
const FUNCTIONS: [(&str, &str); 4] = [
    ("form-hook", BINARIES.form_hook),
    ("webhook", BINARIES.webhook),
    ("executor", BINARIES.executor),
    ("api", BINARIES.api),
];

#[tokio::test]
async fn a_posted_order_becomes_an_order_on_a_new_customers_timeline() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;

    let transaction = deployment.post(&hook, tutorial_order().to_string()).await.expect(202).id();
    assert_eq!(deployment.work().await, [] as [String; 0]);

    let timeline = deployment.only_timeline().await;
    assert_eq!(timeline.len(), 1);
    assert_eq!(timeline[0]["type"], "kobject.order");
    assert_eq!(timeline[0]["attributes"]["title"], "Online Order");
    assert_eq!(timeline[0]["attributes"]["data"], tutorial_order());
    let answer = deployment.get(&format!("/v1/transactions/{transaction}")).await;
    assert_eq!(answer.attribute("data"), tutorial_order());
    let run = answer.body["meta"]["trace"]["considered"][0]["run"]["id"].as_str().unwrap().to_owned();
    let run = deployment.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(run.attribute("state"), "succeeded");
    let steps = run.attribute("steps");
    let steps: Vec<&Value> = steps.as_array().unwrap().iter().map(|step| &step["id"]).collect();
    assert_eq!(steps, ["1", "find", "create", "first-order"]);
}

#[tokio::test]
async fn numbers_keep_every_digit_on_the_way_through() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    let data = r#"{"email":"test@example.com","orderId":"1","price":"$1","quantity":2,"n":[9007199254740993,1e400,0.1,1.0,-0]}"#;

    let transaction = deployment.post(&hook, data).await.expect(202).id();
    assert_eq!(deployment.work().await, [] as [String; 0]);

    let answer = deployment.get(&format!("/v1/transactions/{transaction}")).await;
    assert!(answer.text.contains(data), "{}", answer.text);
    assert_eq!(answer.attribute("data").to_string(), data);
    assert_eq!(deployment.only_timeline().await[0]["attributes"]["data"].to_string(), data);
}

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
async fn a_posted_file_and_a_large_value_go_to_the_bucket_and_come_back() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_hook().await;
    // Nothing that packs well, so that it is too large for an item.
    let long: String = (0..20_000_u32).map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761))).collect();
    let mut body = b"--b\r\ncontent-disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\
        content-type: image/png\r\n\r\n"
        .to_vec();
    body.extend((0..100_000_u32).map(|n| n as u8));
    body.extend(b"\r\n--b\r\ncontent-disposition: form-data; name=\"long\"\r\n\r\n");
    body.extend(long.as_bytes());
    body.extend(b"\r\n--b--\r\n");
    let content_type = [("content-type", "multipart/form-data; boundary=b")];

    let answer = deployment.send("POST", &hook.path, &content_type, body).await.expect(202);
    deployment.work().await;

    let data = deployment.get(&format!("/v1/transactions/{}", answer.id())).await.attribute("data");
    assert_eq!(data["long"], long);
    assert_eq!(data["picture"]["fileName"], "a.png");
    assert_eq!(data["picture"]["size"], 100_000);
    let blob = data["picture"]["blob"].as_str().unwrap().to_owned();
    let keys = deployment.aws.object_keys();
    assert!(keys.contains(&blob), "{blob} in {keys:?}");
    assert!(keys.len() > 1, "the transaction itself is there too: {keys:?}");
}

#[tokio::test]
async fn a_signed_webhook_is_taken_and_runs_what_listens_to_its_app() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = json!({ "title": "Shop", "auth": { "scheme": "shopify", "secrets": ["shop secret"] } });
    let (id, path, _) = deployment.new_webhook(hook).await;
    let workflow = json!({
        "name": "order-changed",
        "trigger": {
            "eventName": "shopify.order.update",
            "transitions": [{ "target": "note", "condition": { "op": "true", "values": [true] } }],
        },
        "steps": [{
            "id": "note",
            "action": "kustomer.customer.create",
            "params": { "email": "shop@example.com" },
            "transitions": [],
        }],
    });
    deployment.api("POST", "/v1/workflows", workflow).await.expect(201);
    let draft = json!({ "event": "shopify.order.update" });
    let sample = deployment.api("POST", &format!("/v1/hooks/web/{id}/samples"), draft).await.expect(200);
    let headers = sample.attribute("headers");
    let headers: Vec<(&str, &str)> =
        headers.as_array().unwrap().iter().map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
    let body = STANDARD.decode(sample.attribute("bodyBase64").as_str().unwrap()).unwrap();

    let mut spoilt = body.clone();
    spoilt.push(b' ');
    let answer = deployment.send("POST", &path, &headers, spoilt).await.expect(401);
    assert!(!answer.text.contains("shop secret"));
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);

    // API Gateway hands over as base64 whatever it does not take for text; a signature is over the bytes.
    let mut event = http_event("POST", &path, &headers, &body);
    in_base64(&mut event, &body);
    deployment.pass_on(&event).await.unwrap().expect(202);
    assert_eq!(deployment.work().await, [] as [String; 0]);

    assert_eq!(deployment.list("/v1/customers").await.len(), 1);
    let refusals = deployment.list(&format!("/v1/hooks/web/{id}/refusals")).await;
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0]["attributes"]["sourceAddress"], "192.0.2.1");
}

#[tokio::test]
async fn a_webhook_takes_a_key_with_the_hooks_role_from_where_the_key_may_be_used() {
    let deployment = Deployment::start(BINARIES).await;
    let (_, path, _) = deployment.new_webhook(json!({ "title": "Orders" })).await;
    let new_key = async |roles: Value| {
        let draft = json!({ "name": "sender", "roles": roles, "cidrs": ["192.0.2.0/24"] });
        let key = deployment.api("POST", "/v1/api-keys", draft).await.expect(201);
        format!("Bearer {}", key.attribute("token").as_str().unwrap())
    };
    let (sender, reader) = (new_key(json!(["org.hooks"])).await, new_key(json!(["org.permission.hook.read"])).await);
    let post = |authorization: &str| {
        http_event(
            "POST",
            &path,
            &[("authorization", authorization), ("content-type", "application/json")],
            b"{\"a\":1}",
        )
    };

    deployment.pass_on(&post(&sender)).await.unwrap().expect(202);
    deployment.pass_on(&post(&reader)).await.unwrap().expect(403);
    deployment.pass_on(&post("Bearer nonsense")).await.unwrap().expect(401);
    deployment.send("POST", &path, &[], "{}").await.expect(401);
    // Where it comes from is what the gateway saw, whatever a header says.
    let mut elsewhere = post(&sender);
    elsewhere["requestContext"]["http"]["sourceIp"] = json!("198.51.100.1");
    elsewhere["headers"]["x-forwarded-for"] = json!("192.0.2.1");
    deployment.pass_on(&elsewhere).await.unwrap().expect(401);
    assert_eq!(deployment.aws.take_messages().len(), 1);
}

#[tokio::test]
async fn a_handshake_is_answered_at_both_forms_of_an_address() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = json!({ "title": "Pages", "auth": { "scheme": "meta", "secrets": ["s"], "verifyToken": "agreed" } });
    let (_, path, hash) = deployment.new_webhook(hook).await;
    // API Gateway cannot tell the short form from a hook's resource, so api answers that one.
    for path in [path, format!("/v1/hooks/web/{hash}")] {
        let query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=";
        let answer = deployment.send("GET", &format!("{path}?{query}agreed"), &[], "").await.expect(200);
        assert_eq!(answer.text, "1158201444");
        let answer = deployment.send("GET", &format!("{path}?{query}guessed"), &[], "").await.expect(403);
        assert!(!answer.text.contains("1158201444"));
    }
}

#[tokio::test]
async fn an_upload_goes_past_the_functions_into_the_bucket() {
    let deployment = Deployment::start(BINARIES).await;
    let draft = json!({ "title": "Photos", "uploads": { "limitBytes": 5_000_000 } });
    let hook = deployment.api("POST", "/v1/hooks/form", draft).await.expect(201);
    let hash = hook.attribute("hash").as_str().unwrap().to_owned();
    let photo = vec![0; 3_000_000];
    let sha256: String = Sha256::digest(&photo).iter().map(|byte| format!("{byte:02x}")).collect();
    let json_type = [("content-type", "application/json")];
    let draft = json!({ "sha256": sha256, "bytes": 3_000_000, "contentType": "image/png", "name": "a.png" });
    let path = format!("/v1/hooks/form/{hash}/uploads");
    let grant = deployment.send("POST", &path, &json_type, draft.to_string()).await.expect(201);

    let post = json!({ "photo": { "$upload": grant.id() } }).to_string();
    // The bytes are not there yet.
    deployment.send("POST", &format!("/v1/hooks/form/{hash}"), &json_type, post.clone()).await.expect(400);

    let headers = grant.attribute("headers");
    let headers: Vec<(String, String)> = headers
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let url = grant.attribute("url").as_str().unwrap().to_owned();
    assert_eq!(deployment.aws.put(&url, &[], photo.clone()), 403);
    assert_eq!(deployment.aws.put(&url, &headers, photo), 200);
    let answer = deployment.send("POST", &format!("/v1/hooks/form/{hash}"), &json_type, post).await.expect(202);
    deployment.work().await;

    let data = deployment.get(&format!("/v1/transactions/{}", answer.id())).await.attribute("data");
    assert_eq!(data["photo"]["size"], 3_000_000);
    assert_eq!(data["photo"]["blob"], format!("sha256/{sha256}"));
}

#[tokio::test]
async fn one_unreadable_message_between_two_good_ones_is_given_back_alone() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    let mut messages = deployment.aws.take_messages();
    messages.insert(1, "{\"v\":1,\"event\":\"kustomer.hooks.form".to_owned());

    assert_eq!(deployment.execute(&messages).await, ["message-1"]);

    assert_eq!(deployment.only_timeline().await.len(), 2);
}

#[tokio::test]
async fn the_same_batch_again_changes_nothing() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    deployment.post(&hook, r#"{"email":"test@example.com","orderId":"2"}"#).await.expect(202);
    let messages = deployment.aws.take_messages();
    assert_eq!(deployment.execute(&messages).await, [] as [String; 0]);
    let timeline = deployment.only_timeline().await;
    assert_eq!(timeline.len(), 2);

    let twice: Vec<String> = messages.iter().chain(&messages).cloned().collect();
    assert_eq!(deployment.execute(&twice).await, [] as [String; 0]);

    assert_eq!(deployment.only_timeline().await, timeline);
}

#[tokio::test]
async fn a_batch_is_given_back_whole_while_the_store_is_down_and_taken_later() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    let mut messages = deployment.aws.take_messages();
    messages.push(messages[0].clone());

    deployment.aws.stop(Service::DynamoDb);
    assert_eq!(deployment.execute(&messages).await, ["message-0", "message-1"]);

    deployment.aws.resume(Service::DynamoDb);
    assert_eq!(deployment.execute(&messages).await, [] as [String; 0]);
    assert_eq!(deployment.only_timeline().await.len(), 1);
}

#[tokio::test]
async fn what_is_not_done_in_time_is_given_back_and_done_later() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    deployment.post(&hook, r#"{"email":"test@example.com","orderId":"2"}"#).await.expect(202);
    let messages = deployment.aws.take_messages();

    assert_eq!(deployment.execute_by(&messages, Deadline::Past).await, ["message-0", "message-1"]);
    assert_eq!(deployment.execute_by(&[], Deadline::Past).await, [] as [String; 0]);

    assert_eq!(deployment.execute(&messages).await, [] as [String; 0]);
    assert_eq!(deployment.only_timeline().await.len(), 2);
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
async fn an_executor_without_messages_gives_none_back() {
    let aws = Endpoints::start().await;
    let executor = Function::start(BINARIES.executor, &variables(&aws)).await;
    let answer = executor.invoke(&queue_event([])).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
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
async fn nothing_is_accepted_while_the_queue_is_down() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;

    deployment.aws.stop(Service::Sqs);
    let answer = deployment.post(&hook, tutorial_order().to_string()).await.expect(503);
    assert_eq!(answer.code(), "unavailable");
    assert_eq!(answer.headers["retry-after"], "5");

    deployment.aws.resume(Service::Sqs);
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    assert_eq!(deployment.aws.take_messages().len(), 1);
}

#[tokio::test]
async fn a_file_is_not_accepted_while_the_bucket_is_down() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_hook().await;
    let body = "--b\r\ncontent-disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nbytes\r\n--b--\r\n";

    deployment.aws.stop(Service::S3);
    let content_type = [("content-type", "multipart/form-data; boundary=b")];
    let answer = deployment.send("POST", &hook.path, &content_type, body).await.expect(503);

    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);
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

#[tokio::test]
async fn a_function_that_lacks_variables_says_which_and_ends() {
    let required = [
        "HOOKWRIGHT_DIRECTORY_TABLE is not set",
        "HOOKWRIGHT_RUNS_TABLE is not set",
        "HOOKWRIGHT_BLOB_BUCKET is not set",
    ];
    for (name, binary) in FUNCTIONS {
        let end = Function::start(binary, &[]).await.end().await;
        assert_eq!(end.exit_code, Some(1), "{name}: {end:?}");
        for sentence in required {
            assert!(end.output.contains(sentence), "{name} does not say `{sentence}`: {end:?}");
        }
    }
}

#[tokio::test]
async fn a_function_starts_on_the_variables_that_the_template_gives_it() {
    let template = Template::read();
    let aws = Endpoints::start().await;
    let first_event = |name: &str| match name {
        "executor" => queue_event([]),
        "api" => http_event("GET", "/healthz", &[], b""),
        "webhook" => http_event("POST", "/v1/hooks/web/nowhere", &[], b"{}"),
        _ => http_event("POST", "/v1/hooks/form/nowhere", &[], b"{}"),
    };
    for (name, binary) in FUNCTIONS {
        let told = &template.function(name).variables;
        let given: Vec<_> = variables(&aws)
            .into_iter()
            .filter(|(variable, _)| !variable.starts_with("HOOKWRIGHT_") || told.contains(variable))
            .collect();
        let function = Function::start(binary, &given).await;
        assert!(function.invoke(&first_event(name)).await.is_ok(), "{name} with {told:?}");
    }
}

#[test]
fn the_templates_routes_lead_to_the_function_that_answers() {
    let template = Template::read();
    let (org, hash, id) = ("581392b55ac7a2110099d9c8", "0".repeat(64), "5f0c1a2b3c4d5e6f70819203");
    for (method, path, binary) in [
        ("POST", format!("/v1/hooks/form/{hash}"), Some("form-hook")),
        ("POST", format!("/v1/hooks/form/{org}/{hash}"), Some("form-hook")),
        ("GET", format!("/v1/hooks/form/{org}/{hash}"), Some("form-hook")),
        ("GET", format!("/v1/hooks/form/{id}"), Some("api")),
        ("POST", "/v1/hooks/form".to_owned(), Some("api")),
        ("POST", format!("/v1/hooks/form/{id}/transactions"), Some("api")),
        ("GET", format!("/v1/hooks/form/{hash}/challenge"), Some("form-hook")),
        ("POST", format!("/v1/hooks/form/{hash}/uploads"), Some("form-hook")),
        ("OPTIONS", format!("/v1/hooks/form/{hash}"), Some("form-hook")),
        ("GET", format!("/v1/hooks/form/{org}/{hash}/challenge"), Some("form-hook")),
        ("POST", format!("/v1/hooks/form/{org}/{hash}/uploads"), Some("form-hook")),
        ("GET", "/v1/hooks/form/guard.js".to_owned(), Some("form-hook")),
        ("POST", format!("/v1/hooks/web/{hash}"), Some("webhook")),
        ("POST", format!("/v1/hooks/web/{org}/{hash}"), Some("webhook")),
        ("GET", format!("/v1/hooks/web/{org}/{hash}"), Some("webhook")),
        ("PUT", format!("/v1/hooks/web/{org}/{hash}"), Some("webhook")),
        // Through the doors that api has too.
        ("GET", format!("/v1/hooks/web/{hash}"), Some("api")),
        ("GET", format!("/v1/hooks/web/{id}"), Some("api")),
        ("PATCH", format!("/v1/hooks/web/{id}"), Some("api")),
        ("POST", "/v1/hooks/web".to_owned(), Some("api")),
        ("GET", "/".to_owned(), None),
        ("GET", "/v2/hooks/form".to_owned(), None),
    ] {
        assert_eq!(template.binary_for(method, &path), binary, "{method} {path}");
    }
    for route in ROUTES {
        for kind in ["form", "web"] {
            let method = route.method.as_http();
            let path = route.path.replace("{kind}", kind).replace("{id}", id).replace("{name}", "order");
            assert_eq!(template.binary_for(method.as_str(), &path), Some("api"), "{method} {path}");
        }
    }
}

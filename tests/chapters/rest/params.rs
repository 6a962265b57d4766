//! Params that make no call, told before a workflow is saved where the document tells, and else by the step.

use std::time::Duration;

use serde_json::{Value, json};
use service::ports::{HEADER_VALUE_LIMIT_BYTES, Method, Redirects};
use tests::world::{World, workflow_of};

use super::{Exchange, URL, header_of, step};

/// The failure of a step whose only difference is `changes`, with `data` in the transaction. Nothing was called.
async fn failure(changes: Value, data: Value) -> (String, String) {
    let mut params = json!({ "uri": URL });
    params.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let exchange = Exchange::with_params(params).await;
    exchange.answer(200, &json!({}));
    let run = exchange.run(data).await;
    assert_eq!((&run["state"], exchange.calls.made().len()), (&json!("failed"), 0), "{changes}: {run}");
    let error = &run["steps"][1]["error"];
    (error["code"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn no_data_can_end_a_headers_line() {
    for ending in
        ["\r\n", "\n", "\r", "\0", "\u{b}", "\u{c}", "\u{7f}", "\u{1b}[2J", "\u{85}", "\u{2028}", "ä", "\u{200b}"]
    {
        for text in [
            format!("a{ending}host: evil.example"),
            format!("{ending}x: 1"),
            format!("a{ending}{ending}GET / HTTP/1.1"),
        ] {
            for header in [
                "/#steps.1.attributes.data.x",
                "{{{steps.1.attributes.data.x}}}",
                "id {{{steps.1.attributes.data.x}}} end",
            ] {
                let (code, message) = failure(json!({ "headers": { "X-Id": header } }), json!({ "x": text })).await;
                assert_eq!(code, "wrong_header", "{text:?} {header}");
                assert!(message.contains("`X-Id`") && !message.contains("evil"), "{message}");
            }
        }
    }
}

#[tokio::test]
async fn no_data_can_name_a_header() {
    let data = json!({ "headers": { "Host": "evil.example" }, "text": "{\"Host\":\"evil.example\"}", "name": "Host" });
    for headers in ["/#steps.1.attributes.data.headers", "/#fn:parseJSON,steps.1.attributes.data.text"] {
        let (code, message) = failure(json!({ "headers": headers }), data.clone()).await;
        assert_eq!(code, "wrong_param", "{headers}");
        assert!(message.contains("written out"), "{message}");
    }
    // What stands in a key is no expression.
    for name in ["{{{steps.1.attributes.data.name}}}", "/#steps.1.attributes.data.name"] {
        let (code, _) = failure(json!({ "headers": { name: "a" } }), data.clone()).await;
        assert_eq!(code, "wrong_header", "{name}");
    }
}

#[tokio::test]
async fn headers_that_are_not_an_authors_to_say_fail_the_step() {
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Authenticate",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
        "Accept-Encoding",
        "HTTP2-Settings",
        "",
        "a b",
        "a:",
        "a\r\nb",
        "größe",
        ":path",
    ] {
        let (code, message) = failure(json!({ "headers": { name: "1" } }), json!({})).await;
        assert_eq!(code, "wrong_header", "{name:?}: {message}");
    }
    let (code, _) = failure(json!({ "headers": { "X-Id": "1", "x-id": "2" } }), json!({})).await;
    assert_eq!(code, "wrong_header");
    let list = json!({ "x": [1] });
    assert_eq!(failure(json!({ "headers": { "X-Id": "/#steps.1.attributes.data.x" } }), list).await.0, "wrong_header");
}

#[tokio::test]
async fn what_only_the_run_knows_fails_the_step_with_what_to_do() {
    let x = |value: Value| json!({ "x": value });
    let reference = "/#steps.1.attributes.data.x";
    for (changes, data, code, word) in [
        (json!({ "uri": reference }), json!({}), "missing_param", "`uri`"),
        (json!({ "uri": reference }), x(json!(" ")), "missing_param", "`uri`"),
        (json!({ "uri": reference }), x(json!({})), "wrong_param", "`uri`"),
        (json!({ "method": reference }), x(json!("BREW")), "wrong_param", "GET, POST"),
        (json!({ "method": reference }), x(json!("CONNECT")), "wrong_param", "GET, POST"),
        (json!({ "qs": reference }), x(json!("a=b")), "wrong_param", "`qs`"),
        (json!({ "qs": { "a": reference } }), x(json!({})), "wrong_param", "`qs`"),
        (json!({ "data": reference }), x(json!("text")), "wrong_param", "kustomer.rest-api.generic"),
        (json!({ "json": reference }), x(json!("yes")), "wrong_param", "`json`"),
        (json!({ "followRedirects": reference }), x(json!(1)), "wrong_param", "`followRedirects`"),
        (json!({ "timeoutSeconds": reference }), x(json!(0)), "wrong_param", "1 to 30"),
        (json!({ "timeoutSeconds": reference }), x(json!(31)), "wrong_param", "1 to 30"),
        (json!({ "timeoutSeconds": reference }), x(json!("1.5")), "wrong_param", "1 to 30"),
        (json!({ "onUnknownOutcome": reference }), x(json!("guess")), "wrong_param", "retry, ask, fail"),
    ] {
        let (found, message) = failure(changes.clone(), data.clone()).await;
        assert_eq!(found, code, "{changes} {data}: {message}");
        assert!(message.contains(word) && message.ends_with('.'), "{changes} {data}: {message}");
    }
}

#[tokio::test]
async fn a_method_is_taken_in_any_case_and_a_call_says_what_was_chosen() {
    for method in Method::ALL {
        let lower = method.name().to_lowercase();
        let mixed = format!("{}{}", &method.name()[..1], &lower[1..]);
        for name in [method.name(), &lower, &mixed] {
            let params = json!({ "uri": URL, "method": name, "timeoutSeconds": 30, "followRedirects": false });
            let exchange = Exchange::with_params(params).await;
            exchange.answer(200, &json!({}));
            exchange.run(json!({})).await;
            let call = exchange.only_call();
            assert_eq!((call.method, call.redirects), (method, Redirects::Keep), "{name}");
            assert_eq!(call.deadline, Duration::from_secs(30));
        }
    }
    let exchange = Exchange::with_params(json!({ "uri": URL, "timeoutSeconds": "1" })).await;
    exchange.answer(200, &json!({}));
    exchange.run(json!({})).await;
    let call = exchange.only_call();
    assert_eq!((call.method, call.deadline), (Method::Get, Duration::from_secs(1)));
}

#[tokio::test]
async fn as_many_headers_and_as_long_ones_as_are_allowed_are_sent_and_no_more() {
    let headers = |count: usize| {
        let headers: serde_json::Map<String, Value> =
            (0..count).map(|number| (format!("x-{number}"), json!("1"))).collect();
        json!({ "headers": headers })
    };
    for (changes, data, is_sent) in [
        (headers(50), json!({}), true),
        (headers(51), json!({}), false),
        (
            json!({ "headers": { "x": "/#steps.1.attributes.data.x" } }),
            json!({ "x": "a".repeat(HEADER_VALUE_LIMIT_BYTES) }),
            true,
        ),
        (
            json!({ "headers": { "x": "/#steps.1.attributes.data.x" } }),
            json!({ "x": "a".repeat(HEADER_VALUE_LIMIT_BYTES + 1) }),
            false,
        ),
    ] {
        if !is_sent {
            failure(changes, data).await;
            continue;
        }
        let exchange = Exchange::with_params(json!({ "uri": URL, "headers": changes["headers"] })).await;
        exchange.answer(200, &json!({}));
        assert_eq!(exchange.run(data).await["state"], "succeeded");
        assert!(header_of(&exchange.only_call(), "idempotency-key").is_some());
    }
}

#[tokio::test]
async fn what_the_document_tells_is_refused_before_it_is_saved() {
    let world = World::new().await;
    for (params, path) in [
        (json!({}), "$.steps[0].params"),
        (json!({ "uri": {} }), "$.steps[0].params.uri"),
        (json!({ "uri": URL, "method": "BREW" }), "$.steps[0].params.method"),
        (json!({ "uri": URL, "headers": ["a"] }), "$.steps[0].params.headers"),
        (json!({ "uri": URL, "headers": { "a": {} } }), "$.steps[0].params.headers.a"),
        (json!({ "uri": URL, "headers": "{{{steps.1.attributes.data.text}}}" }), "$.steps[0].params.headers"),
        (json!({ "uri": URL, "qs": "a=b" }), "$.steps[0].params.qs"),
        (json!({ "uri": URL, "data": "text" }), "$.steps[0].params.data"),
        (json!({ "uri": URL, "json": "yes" }), "$.steps[0].params.json"),
        (json!({ "uri": URL, "timeoutSeconds": 0 }), "$.steps[0].params.timeoutSeconds"),
        (json!({ "uri": URL, "timeoutSeconds": 31 }), "$.steps[0].params.timeoutSeconds"),
        (json!({ "uri": URL, "onUnknownOutcome": "guess" }), "$.steps[0].params.onUnknownOutcome"),
    ] {
        let document = workflow_of("wrong", "kustomer.any", json!([step(params.clone(), json!([]))]));
        let answer = world.api("POST", "/v1/workflows", document).await;
        assert_eq!(answer.status, 400, "{params}: {answer:?}");
        assert!(answer.text.contains(path), "{params}: {}", answer.text);
    }
}

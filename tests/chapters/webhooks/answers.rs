//! What a webhook takes and answers: methods, bodies and their sizes, replies of its own.

use serde_json::{Value, json};
use tests::{
    Answer,
    providers::{Letter, Sender, WebHook},
    world::World,
};

use super::{JSON, open_hook, post};

const LIMIT_BYTES: usize = 409_600;

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

async fn data_of(world: &World, answer: Answer) -> Value {
    let id = answer.expect(202).id();
    world.work().await;
    world.get(&format!("/v1/transactions/{id}")).await.expect(200).attribute("data")
}

#[tokio::test]
async fn a_hook_takes_the_methods_it_is_set_to_and_names_them_to_the_others() {
    let world = World::new().await;
    for (methods, allow) in [
        (json!(null), "POST"),
        (json!(["POST"]), "POST"),
        (json!(["PUT"]), "PUT"),
        (json!(["GET", "POST"]), "GET, POST"),
        (json!(["GET", "PUT", "POST"]), "GET, PUT, POST"),
    ] {
        let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "methods": methods })).await;
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
            let answer = world.send(method, &format!("{}?a=1", hook.path), &[JSON], "{}").await;
            if allow.split(", ").any(|allowed| allowed == method) {
                answer.expect(202);
            } else {
                assert_eq!((answer.status, header(&answer, "allow")), (405, Some(allow)), "{method} of {allow}");
            }
        }
    }
    for wrong in [json!(["PATCH"]), json!(["post"]), json!("POST"), json!(["GET", "GET", "GET", "GET"])] {
        let draft = json!({ "title": "t", "methods": wrong });
        world.api("POST", "/v1/hooks/web", draft).await.expect(400);
    }
}

#[tokio::test]
async fn a_get_brings_its_data_in_the_query_and_a_put_in_the_body() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "methods": ["GET", "PUT"] })).await;
    let path = format!("{}?a=1&b%5Bc%5D=x+y&a=2&d=%C3%A9", hook.path);
    let got = world.send("GET", &path, &[], "").await;
    assert_eq!(data_of(&world, got).await, json!({ "a": ["1", "2"], "b": { "c": "x y" }, "d": "é" }));
    let put = world.send("PUT", &hook.path, &[JSON], "{\"a\":1}").await;
    assert_eq!(data_of(&world, put).await, json!({ "a": 1 }));
    let bare = world.send("GET", &hook.path, &[], "").await;
    assert_eq!((bare.status, bare.code()), (400, "empty_body"));
}

#[tokio::test]
async fn a_signed_body_vouches_for_no_data_in_the_query() {
    let world = World::new().await;
    for app in ["meta", "twilio"] {
        let auth = json!({ "scheme": "github", "secrets": ["s"] });
        let hook = WebHook::new(&world, json!({ "auth": auth, "app": app })).await;
        let captured = Sender::with_secret("github", "s").sign(&Letter::unsigned(&hook.path, "{}"), "1", 0);
        let forged =
            Letter { method: "GET".to_owned(), path: format!("{}?object=page&From=%2B1", hook.path), ..captured };
        let answer = forged.send(&world).await;
        assert_eq!((answer.status, header(&answer, "allow")), (405, Some("POST")), "{app}");
        assert_eq!(world.get(&hook.resource()).await.attribute("methods"), json!(["POST"]));
        let answer = hook.set(&world, json!({ "methods": ["GET", "POST"] })).await;
        assert_eq!((answer.status, answer.code()), (400, "bad_attribute"));
    }
    let open = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "methods": ["GET"] })).await;
    open.set(&world, json!({ "auth": { "scheme": "github", "secrets": ["s"] } })).await.expect(400);
}

#[tokio::test]
async fn an_arrival_is_answered_with_202_and_its_transaction() {
    let world = World::new().await;
    let hook = open_hook(&world).await;
    let answer = post(&world, &hook, &[], "{\"a\":9007199254740993}").await.expect(202);
    let id = answer.id();
    assert_eq!(
        answer.body,
        json!({ "data": { "id": id, "type": "transaction", "links": { "self": format!("/v1/transactions/{id}") } } })
    );
    assert_eq!(data_of(&world, answer).await.to_string(), "{\"a\":9007199254740993}");
}

#[tokio::test]
async fn a_hook_answers_what_it_is_set_to() {
    let world = World::new().await;
    let twiml = "<Response><Say>Hello</Say></Response>";
    for (reply, status, content_type, body) in [
        (json!({ "status": 200, "body": twiml, "contentType": "text/xml" }), 200, Some("text/xml"), twiml),
        (json!({ "status": 200, "body": "ok" }), 200, Some("text/plain; charset=utf-8"), "ok"),
        (
            json!({ "status": 201, "body": "{\"ok\":true}", "contentType": "application/json" }),
            201,
            Some("application/json"),
            "{\"ok\":true}",
        ),
        (json!({ "status": 204 }), 204, None, ""),
        (json!({ "status": 303, "location": "https://shop.example/thanks" }), 303, None, ""),
    ] {
        let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "reply": reply })).await;
        let answer = post(&world, &hook, &[], "{}").await;
        let told = (answer.status, header(&answer, "content-type"), answer.text.as_str());
        assert_eq!(told, (status, content_type, body));
        let location = reply["location"].as_str();
        assert_eq!(header(&answer, "location"), location);
        // The reply of a hook is for what was taken; a refusal stays one.
        post(&world, &hook, &[], "{").await.expect(400);
    }
    assert_eq!(world.queue.depth(), 5);
}

#[tokio::test]
async fn the_reply_of_a_hook_goes_before_that_of_its_provider() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "app": "twilio" })).await;
    assert_eq!(post(&world, &hook, &[], "{}").await.expect(200).text, "<Response></Response>");
    hook.set(&world, json!({ "reply": { "status": 200, "body": "<Response><Reject/></Response>" } })).await.expect(200);
    assert_eq!(post(&world, &hook, &[], "{}").await.expect(200).text, "<Response><Reject/></Response>");
}

#[tokio::test]
async fn a_body_is_taken_at_the_limit_and_refused_one_byte_past_it() {
    let world = World::new().await;
    let hook = open_hook(&world).await;
    let key = world.key(world.org, &["org.hooks"], 10).await;
    let bearer_hook = WebHook::new(&world, json!({})).await;
    let bearer = format!("Bearer {key}");
    let body = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    for (bytes, status) in [(LIMIT_BYTES, 202), (LIMIT_BYTES + 1, 413)] {
        assert_eq!(post(&world, &hook, &[], &body(bytes)).await.status, status);
        let headers = [("authorization", bearer.as_str())];
        assert_eq!(post(&world, &bearer_hook, &headers, &body(bytes)).await.status, status);
    }
    let too_large = post(&world, &hook, &[], &body(LIMIT_BYTES + 1)).await.expect(413);
    assert_eq!(too_large.code(), "body_too_large");
    let refusals = hook.refusals(&world).await;
    assert_eq!((&refusals[0]["code"], &refusals[0]["bodyBytes"]), (&json!("body_too_large"), &json!(LIMIT_BYTES + 1)));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_with_a_sentence() {
    let world = World::new().await;
    let hook = open_hook(&world).await;
    for (content_type, body, status, code) in [
        ("application/json", "{\"a\":", 400, "malformed_json"),
        ("application/json", "", 400, "empty_body"),
        ("image/png", "x", 415, "unsupported_media_type"),
        ("application/xml", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", 400, "doctype_refused"),
    ] {
        let answer = world.send("POST", &hook.path, &[("content-type", content_type)], body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{content_type} {body}");
    }
    let compressed = [JSON, ("content-encoding", "gzip")];
    assert_eq!(world.send("POST", &hook.path, &compressed, "{}").await.expect(415).code(), "content_encoding");
    assert_eq!(world.queue.depth(), 0);
}

#[tokio::test]
async fn nothing_is_answered_as_taken_while_nothing_can_take_it() {
    let mut world = World::new().await;
    let hook =
        WebHook::new(&world, json!({ "auth": { "scheme": "none" }, "reply": { "status": 200, "body": "ok" } })).await;
    tests::faults::stop_taking(&mut world);
    let answer = post(&world, &hook, &[], "{}").await.expect(503);
    assert_eq!((answer.code(), header(&answer, "retry-after")), ("unavailable", Some("5")));
}

#[tokio::test]
async fn a_setting_that_is_misspelt_is_refused() {
    let world = World::new().await;
    for (kind, key, value) in [
        ("web", "limit", json!({ "requests": 1, "seconds": 1, "second": 1 })),
        ("web", "duplicates", json!({ "windowSeconds": 60, "field": ["a"] })),
        ("form", "guard", json!({ "honeypott": "website" })),
        ("form", "guard", json!({ "challengeKey": "k" })),
        ("form", "uploads", json!({ "limitBytes": 1, "limit": 1 })),
    ] {
        let answer = world.api("POST", &format!("/v1/hooks/{kind}"), json!({ "title": "t", key: value })).await;
        assert_eq!((answer.status, answer.code()), (400, "bad_attribute"), "{key}");
    }
}

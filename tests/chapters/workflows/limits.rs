//! Limits of workflow documents, each at the limit and one past it, and documents made to hurt.

use serde_json::{Value, json};
use tests::{
    Answer,
    world::{World, workflow_of},
};

/// A body has at most this many bytes. *Source*: `docs/api.md`.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;

async fn create(world: &World, document: &Value) -> Answer {
    world.api("POST", "/v1/workflows", document.clone()).await
}

#[track_caller]
fn is_refused(answer: &Answer, code: &str, path: &str) {
    let told = answer.body["errors"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    let is_it = |error: &&Value| error["code"] == code && error["source"]["path"] == path;
    let found = told.iter().find(is_it).unwrap_or_else(|| panic!("{code} at {path} is not in {told:#?}"));
    assert!(found["detail"].as_str().unwrap().ends_with('.'), "{found}");
}

#[tokio::test]
async fn every_name_and_length_is_taken_at_its_limit_and_refused_one_past_it() {
    let world = World::new().await;
    let steps = || json!([{ "id": "end", "transitions": [] }]);
    type Change = fn(&mut Value, usize);
    let cases: [(&str, &str, usize, Change); 7] = [
        ("$.name", "too_long", 128, |document, length| document["name"] = json!("n".repeat(length))),
        ("$.description", "too_long", 4_096, |document, length| document["description"] = json!("ü".repeat(length))),
        ("$.replaces", "too_long", 128, |document, length| document["replaces"] = json!("r".repeat(length))),
        ("$.trigger.eventName", "too_long", 256, |document, length| {
            document["trigger"]["eventName"] = json!("e".repeat(length));
        }),
        ("$.trigger.id", "too_long", 128, |document, length| document["trigger"]["id"] = json!("t".repeat(length))),
        ("$.steps[0].id", "too_long", 128, |document, length| {
            document["steps"][0]["id"] = json!("s".repeat(length));
            document["trigger"]["transitions"][0]["target"] = json!("s".repeat(length));
        }),
        ("$.steps", "too_many_steps", 1_000, |document, length| {
            let chain = (0..length).map(|index| {
                let next =
                    json!([{ "target": format!("s{}", index + 1), "condition": { "op": "true", "values": [] } }]);
                let meta: serde_json::Map<_, _> = (0..10).map(|key| (format!("k{key}"), json!(index))).collect();
                let transitions = if index + 1 < length { next } else { json!([]) };
                json!({ "id": format!("s{index}"), "meta": meta, "transitions": transitions })
            });
            document["steps"] = chain.collect();
            document["trigger"]["transitions"][0]["target"] = json!("s0");
        }),
    ];
    for (place, (path, code, limit, change)) in cases.into_iter().enumerate() {
        let mut document = workflow_of(&format!("w{place}"), "kustomer.x", steps());
        change(&mut document, limit);
        create(&world, &document).await.expect(201);
        document["name"] = json!(format!("past{place}"));
        change(&mut document, limit + 1);
        is_refused(&create(&world, &document).await.expect(400), code, path);
    }
    for name in ["with space", "ümlaut", "a/b", "a#b", "a\u{0}b", "."] {
        let answer = create(&world, &workflow_of(name, "kustomer.x", steps())).await;
        assert_eq!(answer.status, if name == "." { 201 } else { 400 }, "{name}");
    }
}

#[tokio::test]
async fn a_document_may_fill_a_body_and_one_byte_more_is_refused() {
    let world = World::new().await;
    let mut document =
        workflow_of("large", "kustomer.x", json!([{ "id": "a", "transitions": [], "meta": { "note": "" } }]));
    let rest = BODY_LIMIT_BYTES - document.to_string().len();
    document["steps"][0]["meta"]["note"] = json!("x".repeat(rest));
    assert_eq!(document.to_string().len(), BODY_LIMIT_BYTES);
    let id = create(&world, &document).await.expect(201).id();
    assert_eq!(world.get(&format!("/v1/workflows/{id}/export")).await.expect(200).body, document);

    document["name"] = json!("larger");
    let refused = create(&world, &document).await.expect(413);
    assert!(refused.text.contains("1048576"), "{}", refused.text);

    // What only an update makes too large is refused as well.
    let update = json!({ "description": "d".repeat(4_096) });
    let refused = world.api("PUT", &format!("/v1/workflows/{id}"), update).await.expect(400);
    is_refused(&refused, "document_too_large", "$");
}

/// Documents whose text is made to hurt: each is refused or taken, with a sentence and at once.
#[tokio::test]
async fn documents_made_to_hurt_end_in_a_sentence() {
    let world = World::new().await;
    let step = |params: Value| {
        workflow_of(
            "hurts",
            "kustomer.x",
            json!([{ "id": "a", "action": "kustomer.company.create", "params": params, "transitions": [] }]),
        )
    };
    let nested_blocks = format!("{}x{}", "{{#if a}}".repeat(10_000), "{{/if}}".repeat(10_000));
    let mut deep_condition = json!({ "op": "true", "values": [] });
    for _ in 0..60 {
        deep_condition = json!({ "op": "and", "values": [deep_condition] });
    }
    let mut with_deep_condition = step(json!({ "name": "n" }));
    with_deep_condition["trigger"]["transitions"][0]["condition"] = deep_condition;
    for (document, code) in [
        (step(json!({ "name": nested_blocks })), "bad_template"),
        (step(json!({ "name": "{{".repeat(100_000) })), "bad_template"),
        (step(json!({ "name": format!("/#steps{}", ".a".repeat(100_000)) })), "bad_reference"),
        (step(json!({ "name": format!("/#fn:{}", "x".repeat(100_000)) })), "unknown_function"),
        (step(json!({ "name": "/#fn:replace,steps.1.a" })), "wrong_arguments"),
        (step(json!({ "name": "{{#each a}}" })), "bad_template"),
        (with_deep_condition, "too_deep"),
        (json!([]), "not_an_object"),
    ] {
        let answer = world.api("POST", "/v1/workflows", document).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{}", &answer.text[..answer.text.len().min(300)]);
        assert!(answer.text.len() < 10_000, "{} bytes of an answer", answer.text.len());
    }
    let bearer = format!("Bearer {}", world.admin);
    for body in
        ["[".repeat(100_000), "{\"a\":".repeat(100_000), "{\"name\":\"a\",\"name\":\"b\"".to_owned(), String::new()]
    {
        let answer = world.send("POST", "/v1/workflows", &[("authorization", &bearer)], body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    assert_eq!(world.get("/v1/workflows").await.body["data"], json!([]));
}

#[tokio::test]
async fn a_key_that_comes_twice_is_refused_with_its_place() {
    let world = World::new().await;
    let bearer = format!("Bearer {}", world.admin);
    let sent = r#"{"name":"a","name":"b","trigger":{"eventName":"e","transitions":[],"transitions":[]},"steps":[]}"#;
    let answer = world.send("POST", "/v1/workflows", &[("authorization", &bearer)], sent).await.expect(400);
    let told = answer.body["errors"].as_array().unwrap();
    let places: Vec<(&str, &str)> =
        told.iter().map(|error| (error["code"].as_str().unwrap(), error["source"]["path"].as_str().unwrap())).collect();
    assert_eq!(places, [("duplicate_key", "$.name"), ("duplicate_key", "$.trigger.transitions")]);
}

#[tokio::test]
async fn of_very_many_warnings_the_first_are_told_and_the_others_counted() {
    let world = World::new().await;
    let params = json!({ "input": { "list": vec![" /#fn:now"; 5_000] } });
    let steps = json!([{ "id": "s", "action": "kustomer.transform.generic", "params": params, "transitions": [] }]);
    let made = world.api("POST", "/v1/workflows", workflow_of("many", "e", steps)).await.expect(201);
    let warnings = made.body["meta"]["warnings"].as_array().unwrap();
    assert_eq!((warnings.len(), &warnings[100]["code"]), (101, &json!("more_problems")));
    assert!(warnings[100]["detail"].as_str().unwrap().contains("at least 900"), "{}", warnings[100]);
}

#[tokio::test]
async fn a_small_body_of_very_many_problems_below_a_long_key_is_answered_in_little_memory() {
    let world = World::new().await;
    let asked = json!({ "expression": { "k".repeat(250_000): vec!["/#"; 25_000] } });
    let answer = world.api("POST", "/v1/evaluate", asked).await.expect(400);
    assert!(answer.text.len() < 100_000, "{}", answer.text.len());
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 101);
}

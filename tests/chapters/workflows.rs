//! Workflow documents: imported, told what is wrong with them, changed, exported.

mod format;
mod limits;
mod replaces;
mod secrets;
mod variables;
mod versions;

use serde_json::{Value, json};
use tests::world::{World, tutorial_workflow, workflow_of};

#[tokio::test]
async fn export_gives_back_what_was_imported_value_for_value() {
    let world = World::new().await;
    // An export of another system: extra keys, steps out of order, numbers that JavaScript cannot hold.
    let sent = r#"{"_id":"x","rev":7,"steps":[{"transitions":[],"errorCases":[],"id":"b","_id":"y","action":"kustomer.company.create","params":{"name":"c","tags":[9007199254740993,1e400]}},{"id":"a","transitions":[{"target":"b","condition":{"op":"exists","values":["true",""]},"meta":{"name":"else"}}]}],"trigger":{"eventName":"kustomer.conversation.update","transitions":[{"target":"a","condition":{"op":"true","values":[true]}}],"meta":{}},"description":"","name":"exported","editable":true,"replaces":null}"#;
    let bearer = format!("Bearer {}", world.admin);
    let id = world.send("POST", "/v1/workflows", &[("authorization", &bearer)], sent).await.expect(201).id();

    let exported = world.get(&format!("/v1/workflows/{id}/export")).await.expect(200);
    assert_eq!(exported.text, sent);

    let read = world.get(&format!("/v1/workflows/{id}")).await.expect(200);
    assert_eq!(read.attribute("id"), id.as_str());
    assert_eq!(read.attribute("rev"), 1);
    assert_eq!(read.attribute("createdAt"), "2026-11-22T12:00:00.000Z");
    assert_eq!(read.attribute("_id"), "x");
}

#[tokio::test]
async fn every_problem_of_a_document_is_told_at_once_with_its_place() {
    let world = World::new().await;
    let document = json!({
        "name": "not a name",
        "trigger": { "eventName": "kustomer.customer.create" },
        "steps": [
            { "id": "a", "action": "kustomer.customer.creat", "transitions": [{ "target": "nowhere", "condition": { "op": "exist", "values": [1] } }] },
            { "id": "a", "transitions": [] },
        ],
    });
    let answer = world.api("POST", "/v1/workflows", document).await.expect(400);
    let errors = answer.body["errors"].as_array().unwrap();
    let mut told: Vec<(&str, &str)> = errors
        .iter()
        .map(|error| (error["source"]["path"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    told.sort_unstable();
    for expected in [
        "$.name",
        "$.steps[0].action",
        "$.steps[0].transitions[0].condition.op",
        "$.steps[0].transitions[0].target",
        "$.steps[1].id",
    ] {
        assert!(told.iter().any(|(path, _)| *path == expected), "{expected} is not in {told:?}");
    }
    assert!(told.iter().any(|(path, _)| path.starts_with("$.trigger")), "{told:?}");
    let action = errors.iter().find(|error| error["source"]["path"] == "$.steps[0].action").unwrap();
    assert_eq!(action["meta"]["suggestion"], "kustomer.customer.create");
    assert_eq!(world.get("/v1/workflows").await.body["data"], json!([]));
}

#[tokio::test]
async fn of_very_many_problems_the_first_hundred_are_told_and_the_rest_counted() {
    let world = World::new().await;
    let steps = vec![json!({}); 600];
    let document = json!({ "name": "n", "trigger": { "eventName": "kustomer.x", "transitions": [] }, "steps": steps });
    let answer = world.api("POST", "/v1/workflows", document).await.expect(400);
    let errors = answer.body["errors"].as_array().unwrap();
    assert_eq!((errors.len(), errors[100]["code"].as_str()), (101, Some("more_problems")));

    let long = json!({ "name": "n", "trigger": { "eventName": "kustomer.x", "transitions": [{ "target": "x".repeat(100_000), "condition": { "op": "true", "values": [] } }] }, "steps": [] });
    assert!(world.api("POST", "/v1/workflows", long).await.expect(400).text.len() < 5_000);
}

#[tokio::test]
async fn a_workflow_is_switched_off_and_on_with_one_key() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let id = world.workflow(workflow_of("toggle", &hook.event, json!([{ "id": "end", "transitions": [] }]))).await;
    let path = format!("/v1/workflows/{id}");
    let runs = async || world.get(&format!("{path}/runs")).await.body["data"].as_array().unwrap().len();

    world.arrive(&hook, json!({})).await;
    assert_eq!(runs().await, 1);
    assert_eq!(world.api("PUT", &path, json!({ "enabled": false })).await.expect(200).attribute("enabled"), false);
    world.arrive(&hook, json!({})).await;
    assert_eq!(runs().await, 1);
    assert_eq!(world.api("PUT", &path, json!({ "enabled": true })).await.expect(200).attribute("rev"), 3);
    world.arrive(&hook, json!({})).await;
    assert_eq!(runs().await, 2);
}

#[tokio::test]
async fn an_update_changes_the_keys_that_are_sent_and_keeps_the_others() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let other = world.form_hook().await;
    let mut document = tutorial_workflow(&hook.event);
    document["meta"] = json!({ "displayName": "Orders" });
    let id = world.workflow(document.clone()).await;
    let path = format!("/v1/workflows/{id}");

    // What GET gives can be sent back: the server's own keys do not get into the document.
    let read = world.get(&path).await.body["data"]["attributes"].clone();
    world.api("PUT", &path, read).await.expect(200);
    assert_eq!(world.get(&format!("{path}/export")).await.body, document);

    let mut trigger = document["trigger"].clone();
    trigger["eventName"] = json!(other.event);
    world.api("PUT", &path, json!({ "trigger": trigger, "name": "renamed" })).await.expect(200);
    let exported = world.get(&format!("{path}/export")).await.body;
    assert_eq!((&exported["name"], &exported["meta"]), (&json!("renamed"), &document["meta"]));
    // It listens to the new event only, and the old name is free again.
    world.arrive(&hook, json!({})).await;
    assert_eq!(world.get(&format!("{path}/runs")).await.body["data"], json!([]));
    world.workflow(document).await;

    let wrong = world.api("PUT", &path, json!({ "steps": [{ "id": "a" }] })).await.expect(400);
    assert!(
        wrong.text.contains("$.steps[0]") && wrong.text.contains("$.trigger.transitions[0].target"),
        "{}",
        wrong.text
    );
}

#[tokio::test]
async fn names_are_unique_in_an_org() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let document = |name: &str| workflow_of(name, &hook.event, json!([{ "id": "end", "transitions": [] }]));
    let first = world.workflow(document("one")).await;
    let taken = world.api("POST", "/v1/workflows", document("one")).await.expect(409);
    assert_eq!((taken.code(), taken.body["errors"][0]["source"]["path"].as_str()), ("name_taken", Some("$.name")));
    let second = world.workflow(document("two")).await;
    assert_eq!(
        world.api("PUT", &format!("/v1/workflows/{second}"), json!({ "name": "one" })).await.expect(409).code(),
        "name_taken"
    );

    world.api("DELETE", &format!("/v1/workflows/{first}"), Value::Null).await.expect(204);
    world.get(&format!("/v1/workflows/{first}")).await.expect(404);
    world.api("PUT", &format!("/v1/workflows/{second}"), json!({ "name": "one" })).await.expect(200);

    let other = world.key(domain::OrgId::parse("000000000000000000000001").unwrap(), &["org.admin"], 50).await;
    world.api_as(&other, "POST", "/v1/workflows", document("one")).await.expect(201);
}

#[tokio::test]
async fn every_workflow_that_listens_gets_its_own_run() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    for name in ["one", "two", "three"] {
        let steps = json!([{ "id": "company", "action": "kustomer.company.create", "params": { "name": name }, "transitions": [] }]);
        world.workflow(workflow_of(name, &hook.event, steps)).await;
    }
    let transaction = world.arrive(&hook, json!({})).await;
    let trace = world.get(&format!("/v1/transactions/{transaction}")).await.body["meta"]["trace"].clone();
    let states: Vec<&str> = trace["considered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|considered| considered["run"]["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["succeeded", "succeeded", "succeeded"]);
}

#[tokio::test]
async fn workflows_are_listed_page_by_page_with_their_documents() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    for index in 0..5 {
        world.clock.pass_seconds(1);
        world
            .workflow(workflow_of(&format!("w{index}"), &hook.event, json!([{ "id": "end", "transitions": [] }])))
            .await;
    }
    let mut names = Vec::new();
    let mut next = Some("/v1/workflows?pageSize=2".to_owned());
    while let Some(path) = next {
        let page = world.get(&path).await.expect(200);
        names.extend(
            page.body["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|workflow| workflow["attributes"]["name"].as_str().unwrap().to_owned()),
        );
        next = page.body["links"]["next"].as_str().map(str::to_owned);
    }
    assert_eq!(names, ["w0", "w1", "w2", "w3", "w4"]);
}

//! Versions, drafts, and the way back: what ran can be read, whatever becomes of the workflow.

use domain::{ApiKeyId, WorkflowId};
use serde_json::{Value, json};
use service::{directory::workflows, ports::WriteError};
use tests::{
    Answer,
    world::{FormHook, World, always, workflow_of},
};

/// A workflow that makes a company called `name`.
fn company(hook: &FormHook, name: &str) -> Value {
    let steps =
        json!([{ "id": "make", "action": "kustomer.company.create", "params": { "name": name }, "transitions": [] }]);
    workflow_of("companies", &hook.event, steps)
}

fn steps_of(document: &Value) -> Value {
    json!({ "steps": document["steps"] })
}

/// The versions as `number name-of-the-company live restores`, newest first.
async fn versions(world: &World, workflow: &str) -> Vec<(u64, bool, Option<u64>)> {
    let answer = world.get(&format!("/v1/workflows/{workflow}/versions")).await.expect(200);
    let version = |version: &Value| {
        let attributes = &version["attributes"];
        let number = attributes["number"].as_u64().unwrap();
        (number, attributes["live"].as_bool().unwrap(), attributes["restores"].as_u64())
    };
    answer.body["data"].as_array().unwrap().iter().map(version).collect()
}

fn code_and_path(answer: &Answer) -> (&str, Option<&str>) {
    (answer.code(), answer.body["errors"][0]["source"]["path"].as_str())
}

#[tokio::test]
async fn each_change_is_a_version_and_an_earlier_one_can_be_brought_back() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(company(&hook, "first")).await;
    let path = format!("/v1/workflows/{workflow}");
    world.api("PUT", &path, steps_of(&company(&hook, "second"))).await.expect(200);
    // What changes nothing makes no version.
    let same = world.api("PUT", &path, steps_of(&company(&hook, "second"))).await.expect(200);
    assert_eq!(same.attribute("rev"), 2);
    assert_eq!(versions(&world, &workflow).await, [(2, true, None), (1, false, None)]);

    let first = world.get(&format!("{path}/versions/1")).await.expect(200);
    assert_eq!(first.attribute("document"), company(&hook, "first"));
    assert_eq!(first.attribute("hash").as_str().unwrap().len(), 64);
    assert_eq!(first.body["data"]["attributes"]["createdBy"].as_str().unwrap().len(), 24);

    let back = world.api("POST", &format!("{path}/rollback"), json!({ "version": 1 })).await.expect(200);
    assert_eq!((back.attribute("rev"), back.attribute("steps")), (json!(3), company(&hook, "first")["steps"].clone()));
    assert_eq!(versions(&world, &workflow).await, [(3, true, Some(1)), (2, false, None), (1, false, None)]);
    let hash = |answer: Answer| answer.attribute("hash");
    let third = hash(world.get(&format!("{path}/versions/3")).await);
    assert_eq!(third, hash(first), "the same document has the same definition");

    for (body, status, found) in [
        (json!({ "version": 9 }), 404, ("not_found", None)),
        (json!({ "version": 0 }), 400, ("bad_attribute", Some("$.version"))),
        (json!({ "version": "1" }), 400, ("bad_attribute", Some("$.version"))),
        (json!({}), 400, ("bad_attribute", Some("$.version"))),
    ] {
        let answer = world.api("POST", &format!("{path}/rollback"), body.clone()).await.expect(status);
        assert_eq!(code_and_path(&answer), found, "{body}");
    }
    for wrong in ["9", "0", "x", "1.5", "-1"] {
        world.get(&format!("{path}/versions/{wrong}")).await.expect(404);
    }
}

#[tokio::test]
async fn a_run_finishes_on_the_version_it_began_with_and_names_it() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(company(&hook, "first")).await;
    let path = format!("/v1/workflows/{workflow}");
    let before = world.arrive(&hook, json!({})).await;
    let waiting = world.post(&hook, json!({})).await.expect(202).id();
    world.api("PUT", &path, steps_of(&company(&hook, "second"))).await.expect(200);
    world.work().await;

    let made = async |transaction: &str| world.run_of(transaction).await["steps"][1]["output"]["name"].clone();
    assert_eq!((made(&before).await, made(&waiting).await), (json!("first"), json!("second")));
    let trace = world.get(&format!("/v1/transactions/{before}")).await.body["meta"]["trace"].clone();
    let considered = &trace["considered"][0]["workflow"];
    assert_eq!(
        (&considered["version"], &considered["hash"]),
        (&json!(1), &world.run_of(&before).await["workflowHash"])
    );

    // Delivered again after the change, the first one is what it was.
    assert_eq!(made(&before).await, "first");
    world.api("DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(made(&before).await, "first");
    assert_eq!(versions(&world, &workflow).await, [(2, false, None), (1, false, None)]);
    assert_eq!(world.get(&format!("{path}/versions/2")).await.expect(200).attribute("name"), "companies");
    let difference = world.get(&format!("{path}/diff?from=1&to=2")).await.expect(200);
    assert_eq!(difference.attribute("changes").as_array().unwrap().len(), 1);
    assert_eq!(world.get(&format!("{path}/runs")).await.body["data"].as_array().unwrap().len(), 2);
    for gone in ["", "/draft", "/export", "/diff", "/variables"] {
        world.get(&format!("{path}{gone}")).await.expect(404);
    }
}

#[tokio::test]
async fn a_difference_names_steps_by_their_ids_and_gives_both_values() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let mut document = company(&hook, "first");
    let workflow = world.workflow(document.clone()).await;
    let path = format!("/v1/workflows/{workflow}");
    // A step before the other moves it, and is no change of it.
    let step = json!({ "id": "begin", "transitions": always("make") });
    document["steps"].as_array_mut().unwrap().insert(0, step.clone());
    document["steps"][1]["params"]["name"] = json!("second");
    document["trigger"]["transitions"][0]["target"] = json!("begin");
    world.api("PUT", &path, document).await.expect(200);

    let told = world.get(&format!("{path}/diff?from=1&to=2")).await.expect(200);
    let changes = told.attribute("changes");
    let changes = changes.as_array().unwrap();
    for expected in [
        json!({ "op": "add", "path": "$.steps[id=begin]", "after": step }),
        json!({ "op": "replace", "path": "$.steps[id=make].params.name", "before": "first", "after": "second" }),
    ] {
        assert!(changes.contains(&expected), "{expected} is not in {changes:#?}");
    }
    assert!(changes.iter().any(|change| change["path"] == "$.trigger.transitions[0].target"), "{changes:#?}");
    assert_eq!(changes.len(), 3, "{changes:#?}");

    for same in ["?from=live&to=live", "?from=live&to=2", "?from=2&to=live", "?to=2"] {
        assert_eq!(
            world.get(&format!("{path}/diff{same}")).await.expect(200).attribute("changes"),
            json!([]),
            "{same}"
        );
    }
    for (query, status) in [("", 404), ("?from=3", 404), ("?to=draft", 404), ("?from=last", 400), ("?to=-1", 400)] {
        world.get(&format!("{path}/diff{query}")).await.expect(status);
    }
}

#[tokio::test]
async fn a_draft_is_kept_with_its_mistakes_and_goes_live_without_them() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(company(&hook, "live")).await;
    let path = format!("/v1/workflows/{workflow}");
    let draft = format!("{path}/draft");
    assert_eq!(world.get(&draft).await.expect(404).code(), "no_draft");
    assert_eq!(world.api("POST", &format!("{path}/publish"), Value::Null).await.expect(404).code(), "no_draft");

    let mut changes = steps_of(&company(&hook, "drafted"));
    changes["steps"][0]["transitions"] = always("nowhere");
    let kept = world.api("PUT", &draft, changes.clone()).await.expect(200);
    let problem = &kept.attribute("problems")[0];
    assert_eq!(problem["source"]["path"], "$.steps[0].transitions[0].target");
    assert_eq!((kept.attribute("base"), &kept.attribute("document")["steps"]), (json!(1), &changes["steps"]));
    assert_eq!(kept.attribute("document")["trigger"], company(&hook, "live")["trigger"]);
    let refused = world.api("POST", &format!("{path}/publish"), Value::Null).await.expect(400);
    assert_eq!(code_and_path(&refused), ("unknown_target", problem["source"]["path"].as_str()));

    // What is live goes on meanwhile, and the draft is compared with it where nothing is said.
    let transaction = world.arrive(&hook, json!({})).await;
    assert_eq!(world.run_of(&transaction).await["steps"][1]["output"]["name"], "live");
    let mended = steps_of(&company(&hook, "drafted"));
    assert_eq!(world.api("PUT", &draft, mended).await.expect(200).attribute("problems"), json!([]));
    let difference = world.get(&format!("{path}/diff")).await.expect(200);
    assert_eq!((difference.attribute("from"), difference.attribute("to")), (json!("live"), json!("draft")));
    assert_eq!(difference.attribute("changes")[0]["path"], "$.steps[id=make].params.name");

    let published = world.api("POST", &format!("{path}/publish"), Value::Null).await.expect(200);
    assert_eq!(published.attribute("rev"), 2);
    world.get(&draft).await.expect(404);
    let transaction = world.arrive(&hook, json!({})).await;
    assert_eq!(world.run_of(&transaction).await["steps"][1]["output"]["name"], "drafted");
}

#[tokio::test]
async fn a_draft_that_is_behind_what_is_live_is_published_only_by_force() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(company(&hook, "first")).await;
    let path = format!("/v1/workflows/{workflow}");
    world.api("PUT", &format!("{path}/draft"), steps_of(&company(&hook, "drafted"))).await.expect(200);
    world.api("PUT", &path, steps_of(&company(&hook, "urgent"))).await.expect(200);

    let behind = world.api("POST", &format!("{path}/publish"), json!({})).await.expect(409);
    assert_eq!(behind.code(), "draft_is_behind");
    assert!(behind.text.contains("version 1") && behind.text.contains("version 2"), "{}", behind.text);
    world.api("POST", &format!("{path}/publish"), json!({ "force": "yes" })).await.expect(400);
    let published = world.api("POST", &format!("{path}/publish"), json!({ "force": true })).await.expect(200);
    assert_eq!(published.attribute("steps"), company(&hook, "drafted")["steps"]);

    world.api("PUT", &format!("{path}/draft"), json!({ "description": "another" })).await.expect(200);
    world.api("DELETE", &format!("{path}/draft"), Value::Null).await.expect(204);
    world.api("DELETE", &format!("{path}/draft"), Value::Null).await.expect(204);
    assert_eq!(world.get(&format!("{path}/draft")).await.code(), "no_draft");
}

#[tokio::test]
async fn going_back_starts_nothing_that_was_stopped() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(company(&hook, "first")).await;
    let path = format!("/v1/workflows/{workflow}");
    world.api("PUT", &path, steps_of(&company(&hook, "second"))).await.expect(200);
    world.api("PUT", &path, json!({ "enabled": false })).await.expect(200);
    let back = world.api("POST", &format!("{path}/rollback"), json!({ "version": 1 })).await.expect(200);
    assert_eq!(
        (back.attribute("enabled"), &back.attribute("steps")),
        (json!(false), &company(&hook, "first")["steps"])
    );
    world.arrive(&hook, json!({})).await;
    assert_eq!(world.get(&format!("{path}/runs")).await.expect(200).body["data"], json!([]));
}

#[tokio::test]
async fn a_draft_has_a_megabyte_at_most_however_it_grew() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(company(&hook, "first")).await;
    let path = format!("/v1/workflows/{workflow}/draft");
    world.api("PUT", &path, json!({ "a": "x".repeat(600_000) })).await.expect(200);
    let grown = world.api("PUT", &path, json!({ "b": "x".repeat(600_000) })).await.expect(400);
    assert_eq!(grown.code(), "document_too_large");
    let kept = world.get(&path).await.expect(200).attribute("document");
    assert!(kept["a"].is_string() && kept["b"].is_null(), "the draft is what it was");
}

#[tokio::test]
async fn of_two_who_change_a_draft_at_once_one_is_told_of_the_other() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(company(&hook, "first")).await;
    world.api("PUT", &format!("/v1/workflows/{workflow}/draft"), json!({ "description": "x" })).await.expect(200);
    let (store, org, id) = (world.store.as_ref(), world.org, WorkflowId::parse(&workflow).unwrap());
    let seen = workflows::find_draft(store, org, id).await.unwrap().unwrap();
    let put = || workflows::put_draft(store, org, id, &seen.value, Some(seen.rev));
    put().await.unwrap();
    assert!(matches!(put().await, Err(WriteError::Conflict { .. })), "the second has not seen the first one's");
    let anew = workflows::put_draft(store, org, id, &seen.value, None).await;
    assert!(matches!(anew, Err(WriteError::Conflict { .. })), "nor has one who saw none");

    // Nor is a draft published that was changed since it was looked at.
    let live = workflows::find(store, org, id).await.unwrap().unwrap();
    let next = workflows::Workflow { enabled: false, ..live.value.clone() };
    let origin = workflows::Origin { by: seen.value.updated_by, restores: None };
    let published = workflows::replace(store, &live, &next, &seen.value.document, origin, Some(&seen)).await;
    assert!(matches!(published, Err(WriteError::Conflict { .. })));
    assert!(workflows::find_draft(store, org, id).await.unwrap().is_some(), "and it is still there");
}

#[tokio::test]
async fn a_workflow_from_before_a_check_can_still_be_stopped() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(company(&hook, "first")).await;
    let path = format!("/v1/workflows/{workflow}");
    // As an earlier version took it: with an action that is not known today.
    let (store, id) = (world.store.as_ref(), WorkflowId::parse(&workflow).unwrap());
    let live = workflows::find(store, world.org, id).await.unwrap().unwrap();
    let mut document = company(&hook, "first");
    document["steps"][0]["action"] = json!("kustomer.company.conjure");
    let before = workflows::Workflow { hash: workflows::definition_hash(&document), ..live.value.clone() };
    let by = ApiKeyId::parse("5a345109e578360010eaa1ad").unwrap();
    let origin = workflows::Origin { by, restores: None };
    workflows::replace(store, &live, &before, &document, origin, None).await.unwrap();

    let changed = world.api("PUT", &path, json!({ "enabled": false, "description": "x" })).await.expect(400);
    assert_eq!(changed.code(), "unknown_action");
    let stopped = world.api("PUT", &path, json!({ "enabled": false })).await.expect(200);
    assert_eq!(stopped.attribute("enabled"), false);
    assert_eq!(stopped.body["meta"]["warnings"][0]["code"], "unknown_action", "what is wrong with it is told");
    world.api("PUT", &path, json!({ "enabled": true })).await.expect(400);
}

#[tokio::test]
async fn of_very_many_differences_the_first_are_told_and_the_others_counted() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let with = |value: u32| {
        let mut document = company(&hook, "first");
        document["steps"][0]["params"]["custom"] = json!({ "k".repeat(50_000): vec![value; 5_000] });
        document
    };
    let workflow = world.workflow(with(1)).await;
    let path = format!("/v1/workflows/{workflow}");
    world.api("PUT", &format!("{path}/draft"), steps_of(&with(2))).await.expect(200);
    let diff = world.get(&format!("{path}/diff")).await.expect(200);
    assert_eq!((diff.attribute("changes").as_array().unwrap().len(), diff.attribute("leftOut")), (1_000, json!(4_000)));
    assert!(diff.text.len() < 1_000_000, "{}", diff.text.len());
}

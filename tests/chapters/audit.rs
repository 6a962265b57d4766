//! The audit log: who changed what, what it was before, and when.

mod reading;
mod secrets;
mod together;

use serde_json::{Value, json};
use service::http::{ROUTES, Route, RouteMethod};
use tests::{
    estate::Estate,
    schemas::misfits,
    world::{Answer, World, always, workflow_of},
};

/// Operations that are asked for with another method than GET and change nothing.
const CHANGE_NOTHING: [&str; 9] = [
    "Evaluate",
    "CreateSample",
    "CreateAnswerLink",
    "PublishEvent",
    "CallWorkflow",
    "WhatIf",
    "PreviewRecurrence",
    "PingOutboundWebhook",
    "ResendDelivery",
];

/// Everything in the log, newest first.
async fn log(world: &World) -> Vec<Value> {
    entries(world, "").await
}

/// The attributes of the entries that the query asks for, newest first, from all pages.
async fn entries(world: &World, query: &str) -> Vec<Value> {
    let entries = world.every(&format!("/v1/audit-log?pageSize=100&{query}")).await;
    entries.iter().map(|entry| entry["attributes"].clone()).collect()
}

fn told<'e>(entry: &'e Value, keys: &[&str]) -> Vec<&'e str> {
    keys.iter().map(|key| entry[*key].as_str().unwrap_or("-")).collect()
}

/// The kinds of hooks that the route is asked for.
fn kinds(route: &Route) -> &'static [&'static str] {
    if route.path.contains("{kind}") { &["form", "web", "email"] } else { &[""] }
}

/// Asks for the route, with something that it does change.
async fn change(estate: &Estate, route: &Route, kind: &str) -> Answer {
    let (id, name) = estate.parts(route, kind).await;
    let permission = route.permission.unwrap_or_default();
    let mut body = estate.body_for(route, &name, permission, estate.world.org).await;
    match (format!("{:?}", route.operation).as_str(), route.request.unwrap_or_default()) {
        ("DeleteDraft", _) => {
            let draft = format!("/v1/workflows/{id}/draft");
            estate.world.api("PUT", &draft, json!({ "description": format!("{route:?}") })).await.expect(200);
        }
        ("RedriveDeadLetters", _) => {
            tests::letters::given_up(&estate.world, Some(estate.world.org), "one more", "garbage").await;
        }
        ("ResumeRun", _) => {
            estate.world.api("POST", &format!("/v1/runs/{id}/pause"), Value::Null).await.expect(200);
        }
        ("RollBackWorkflow", _) => {
            let workflow = format!("/v1/workflows/{id}");
            estate.world.api("PUT", &workflow, json!({ "description": format!("{route:?}") })).await.expect(200);
        }
        ("UpgradeApp", _) => {
            let next = json!({ "app": name, "version": "1.0.1", "title": "Next" });
            estate.world.api("POST", "/v1/apps/available", next).await.expect(201);
        }
        (_, "WorkflowPatch") => body = json!({ "description": format!("{route:?}") }),
        (_, "AppSettingsPatch") => body = json!({ "default": { "asked": format!("{:?}", route.method) } }),
        _ => {}
    }
    let path = route
        .path
        .replace("{kind}", kind)
        .replace("{id}", &id)
        .replace("{name}", &name)
        .replace("{mail}", &name)
        .replace("{delivery}", &name)
        .replace("{version}", "1")
        + &estate.query(route, estate.world.org).await;
    estate.world.api(route.method.as_http().as_str(), &path, body).await
}

#[tokio::test]
async fn every_route_that_changes_something_leaves_an_entry_and_no_other_does() {
    let estate = Estate::new().await;
    for route in ROUTES {
        let operation = format!("{:?}", route.operation);
        let changes = route.method != RouteMethod::Get && !CHANGE_NOTHING.contains(&operation.as_str());
        for kind in kinds(route) {
            if operation == "CreateSample" && *kind == "email" {
                continue;
            }
            let case = format!("{:?} {} {kind}", route.method, route.path);
            let is_its = |entry: &&Value| entry["operation"] == operation.as_str();
            let before = log(&estate.world).await.iter().filter(is_its).count();
            let answer = change(&estate, route, kind).await;
            assert!((200..300).contains(&answer.status), "{case}: {answer:?}");
            let after = log(&estate.world).await;
            let made: Vec<&Value> = after.iter().filter(is_its).collect();
            assert_eq!(made.len() > before, changes, "{case}");
            if changes {
                let verb = if route.method == RouteMethod::Delete { "delete" } else { "create update" };
                assert!(made.iter().any(|entry| verb.contains(entry["eventVerb"].as_str().unwrap())), "{case}");
                assert_eq!(told(made[0], &["userName", "userType"]), ["story", "api_key"], "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_hooks_life_is_told_with_who_what_before_after_and_when() {
    let world = World::new().await;
    let bearer = format!("Bearer {}", world.admin);
    let headers = [("authorization", bearer.as_str()), ("user-agent", "story/1.0")];
    let send = async |method, path: &str, body: Value| {
        let answer = world.send_from(Some("192.0.2.7"), method, path, &headers, body.to_string()).await;
        world.clock.pass_seconds(60);
        answer
    };
    let draft = json!({ "title": "Orders", "limit": { "requests": 10, "seconds": 60 } });
    let made = send("POST", "/v1/hooks/form", draft).await.expect(201);
    let path = format!("/v1/hooks/form/{}", made.id());
    let patch =
        json!({ "title": "Returns", "description": "From the shop", "limit": { "requests": 20, "seconds": 60 } });
    send("PATCH", &path, patch).await.expect(200);
    send("DELETE", &path, Value::Null).await.expect(204);

    let entries = log(&world).await;
    let [deleted, changed, created] = entries.as_slice() else { panic!("{entries:?}") };
    let keys = ["eventName", "operation", "objectName", "createdAt"];
    for (entry, expected) in [
        (created, ["kustomer.form_hook.create", "CreateHook", "Orders", "2026-11-22T12:00:00.000Z"]),
        (changed, ["kustomer.form_hook.update", "UpdateHook", "Returns", "2026-11-22T12:01:00.000Z"]),
        (deleted, ["kustomer.form_hook.delete", "DeleteHook", "Returns", "2026-11-22T12:02:00.000Z"]),
    ] {
        assert_eq!(told(entry, &keys), expected);
        let who = ["objectType", "objectId", "userType", "userName", "client", "ip"];
        assert_eq!(told(entry, &who), ["form_hook", &made.id(), "api_key", "story", "story/1.0", "192.0.2.7"]);
    }
    assert_eq!(
        changed["changes"],
        json!([
            { "op": "replace", "path": "$.title", "before": "Orders", "after": "Returns" },
            { "op": "add", "path": "$.description", "after": "From the shop" },
            { "op": "replace", "path": "$.limit.requests", "before": 10, "after": 20 },
        ])
    );
    let titled = |entry: &Value, op: &str| {
        let changes = entry["changes"].as_array().unwrap().clone();
        changes.into_iter().find(|change| change["path"] == "$.title" && change["op"] == op).unwrap()
    };
    assert_eq!(titled(created, "add")["after"], "Orders");
    assert_eq!(titled(deleted, "remove")["before"], "Returns");

    let list = world.get("/v1/audit-log").await.expect(200);
    let one = &list.body["data"][0];
    let shown = world.get(one["links"]["self"].as_str().unwrap()).await.expect(200);
    assert_eq!(shown.body["data"], *one);
    assert_eq!(misfits("AuditEntry", &shown.body), [] as [String; 0]);
    assert_eq!(misfits("AuditEntryList", &list.body), [] as [String; 0]);
    assert_eq!(one["attributes"]["expiresAt"], "2027-12-27T12:02:00.000Z");
}

#[tokio::test]
async fn of_a_workflow_the_document_is_compared_and_of_a_record_its_attributes() {
    let world = World::new().await;
    let steps = json!([{ "id": "end", "transitions": [] }]);
    let workflow = world.workflow(workflow_of("one", "kustomer.app.made", steps)).await;
    let steps = json!([
        { "id": "last", "action": "kustomer.company.create", "params": { "name": "n" }, "transitions": [] },
        { "id": "end", "transitions": always("last") },
    ]);
    let patch = json!({ "description": "d", "steps": steps });
    world.api("PUT", &format!("/v1/workflows/{workflow}"), patch).await.expect(200);
    world.clock.pass_seconds(1);
    let customer = world.api("POST", "/v1/customers", json!({ "name": "Ann", "email": "ann@example.com" })).await;
    let path = format!("/v1/customers/{}", customer.expect(201).id());
    world.clock.pass_seconds(1);
    world.api("PUT", &path, json!({ "name": "Anne", "custom": { "sizeNum": 7 } })).await.expect(200);
    let entries = log(&world).await;
    assert_eq!(
        entries[0]["changes"],
        json!([
            { "op": "replace", "path": "$.name", "before": "Ann", "after": "Anne" },
            { "op": "add", "path": "$.custom", "after": { "sizeNum": 7 } },
        ])
    );
    assert_eq!(told(&entries[0], &["objectType", "objectName"]), ["customer", "Anne"]);
    let changed = entries.iter().find(|entry| entry["operation"] == "UpdateWorkflow").unwrap();
    let paths: Vec<&str> =
        changed["changes"].as_array().unwrap().iter().map(|change| change["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["$.steps[id=last]", "$.steps[id=end].transitions[0]", "$.description"]);
}

#[tokio::test]
async fn what_changes_nothing_or_is_refused_leaves_no_entry() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    world.api("PUT", "/v1/apps/shop/settings", json!({ "default": { "region": "eu" } })).await.expect(200);
    world.workflow(workflow_of("one", "kustomer.app.made", json!([{ "id": "end", "transitions": [] }]))).await;
    let entries = log(&world).await.len();
    let reader = world.key(world.org, &["org.permission.hook.read"], 9).await;
    let path = format!("/v1/hooks/form/{}", hook.id);
    for (answer, status) in [
        (world.api("PUT", "/v1/apps/shop/settings", json!({ "default": { "region": "eu" } })).await, 200),
        (world.api("POST", "/v1/hooks/form", json!({})).await, 400),
        (world.api("PATCH", &path, json!({ "title": "" })).await, 400),
        (world.api("DELETE", "/v1/hooks/form/5a345109e578360010eadead", Value::Null).await, 404),
        (
            world
                .api(
                    "POST",
                    "/v1/workflows",
                    workflow_of("one", "kustomer.app.made", json!([{ "id": "end", "transitions": [] }])),
                )
                .await,
            409,
        ),
        (world.api_as(&reader, "PATCH", &path, json!({ "title": "x" })).await, 403),
        (world.api_as("hk_0", "PATCH", &path, json!({ "title": "x" })).await, 401),
        (world.api("PUT", "/v1/org", json!({ "rev": 7, "name": "x" })).await, 409),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
    }
    assert_eq!(log(&world).await.len(), entries);
}

#[tokio::test]
async fn what_workflows_and_senders_do_is_not_in_the_log() {
    let world = World::new().await;
    let hook = world.form_hook_with(json!({ "title": "Orders", "debug": true, "tape": true })).await;
    let steps = json!([
        { "id": "make", "action": "kustomer.company.create", "params": { "name": "n" }, "transitions": always("end") },
        { "id": "end", "transitions": [] },
    ]);
    world.workflow(workflow_of("makes", &hook.event, steps)).await;
    let entries = log(&world).await.len();
    let transaction = world.arrive(&hook, json!({ "a": 1 })).await;
    assert_eq!(world.run_of(&transaction).await["state"], "succeeded");
    assert_eq!(log(&world).await.len(), entries);
}

#[tokio::test]
async fn each_object_of_one_write_has_an_entry_of_its_own() {
    let world = World::new().await;
    let key = json!({ "name": "ci", "roles": ["org.permission.hook.read"] });
    let key = world.api("POST", "/v1/api-keys", key).await.expect(201).id();
    world.clock.pass_seconds(1);
    let next = world.api("POST", &format!("/v1/api-keys/{key}/rotate"), Value::Null).await.expect(201).id();
    let entries = entries(&world, "from=2026-11-22T12:00:01Z").await;
    let mut rotated: Vec<_> =
        entries.iter().map(|entry| told(entry, &["operation", "eventVerb", "objectId"])).collect();
    rotated.sort_unstable();
    assert_eq!(rotated, [["RotateApiKey", "create", next.as_str()], ["RotateApiKey", "update", key.as_str()]]);

    world.clock.pass_seconds(1);
    world.api("POST", "/v1/schedules", json!({ "name": "Support" })).await.expect(201);
    let kinds: Vec<Value> = self::entries(&world, "from=2026-11-22T12:00:02Z")
        .await
        .iter()
        .map(|entry| entry["objectType"].clone())
        .collect();
    assert!(kinds.contains(&json!("schedule")) && kinds.contains(&json!("org")) && kinds.len() == 2, "{kinds:?}");
}

#[tokio::test]
async fn a_deleted_workflow_with_as_many_variables_as_it_may_have_leaves_its_entry() {
    let world = World::new().await;
    let steps = json!([{ "id": "end", "transitions": [] }]);
    let workflow = world.workflow(workflow_of("one", "kustomer.app.made", steps)).await;
    for number in 0..40 {
        let variable = json!({ "name": format!("v{number}"), "value": "long enough" });
        world.api("POST", &format!("/v1/workflows/{workflow}/variables"), variable).await.expect(201);
    }
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    let of_workflow = entries(&world, &format!("objectId={workflow}")).await;
    assert_eq!(told(&of_workflow[0], &["eventVerb", "objectName"]), ["delete", "one"]);
    assert_eq!(entries(&world, "objectType=workflow_variable").await.len(), 40);
}

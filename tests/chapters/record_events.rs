//! Events of records: each write that changes something fires one, whoever makes it and whatever fails on the way.

mod crashes;
mod lineage;
mod publishing;

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use tests::{
    providers::PoliteStore,
    world::{NOON, World, always, workflow_of},
};

use crate::record_api::{Kind, made};

/// A workflow that listens to `event` and does nothing.
async fn listener(world: &World, event: &str) -> String {
    let name = format!("on-{}", event.replace('.', "-"));
    world.workflow(workflow_of(&name, event, json!([{ "id": "end", "transitions": [] }]))).await
}

/// The runs of the workflow with every step, newest first.
async fn runs_of(world: &World, workflow: &str) -> Vec<Value> {
    let list = world.get(&format!("/v1/workflows/{workflow}/runs?pageSize=100")).await.expect(200);
    let mut runs = Vec::new();
    for run in list.body["data"].as_array().unwrap() {
        runs.push(world.get(run["links"]["self"].as_str().unwrap()).await.expect(200).body["data"].clone());
    }
    runs
}

/// What step 1 of the run saw.
fn trigger(run: &Value) -> &Value {
    &run["attributes"]["steps"][0]["output"]
}

/// The event that started the run, as the API tells it.
async fn event_of(world: &World, run: &Value) -> Value {
    let transaction = run["attributes"]["transactionId"].as_str().unwrap();
    world.get(&format!("/v1/transactions/{transaction}")).await.expect(200).body["meta"]["event"].clone()
}

/// Lets the executor work, also on what the queue holds back.
async fn settle(world: &World) {
    world.work_on(&world.executor).await;
}

#[tokio::test]
async fn each_write_of_each_kind_fires_its_event_once() {
    let world = World::new().await;
    for Kind { kind, path, draft, text, .. } in Kind::all(&world).await {
        let created = listener(&world, &format!("kustomer.{kind}.create")).await;
        let updated = listener(&world, &format!("kustomer.{kind}.update")).await;
        let id = made(&world, path, draft.clone()).await;
        let own = format!("/v1/{path}/{id}");
        settle(&world).await;
        world.api("PUT", &own, json!({ (text): "changed" })).await.expect(200);
        settle(&world).await;

        let [first] = runs_of(&world, &created).await.try_into().unwrap_or_else(|runs| panic!("{kind}: {runs:?}"));
        let seen = trigger(&first);
        assert_eq!((&seen["id"], &seen["type"], &seen["rev"]), (&json!(id), &json!(kind), &json!(1)), "{seen}");
        assert_eq!((&seen[text], &seen["changes"]), (&draft[text], &Value::Null), "{seen}");
        for relationship in ["customer", "conversation"] {
            assert!(draft.get(relationship).is_none_or(|id| seen[relationship] == *id), "{seen}");
        }
        let [second] = runs_of(&world, &updated).await.try_into().unwrap_or_else(|runs| panic!("{kind}: {runs:?}"));
        let seen = trigger(&second);
        assert_eq!((&seen[text], &seen["rev"]), (&json!("changed"), &json!(2)), "{seen}");
        let changes = seen["changes"]["attributes"].as_object().unwrap();
        let mut names: Vec<&str> = changes.keys().map(String::as_str).collect();
        names.sort_unstable();
        let mut wanted = [text, "rev", "updatedAt"];
        wanted.sort_unstable();
        assert_eq!(names, wanted, "{kind}");
        assert_eq!(changes[text], json!({ "op": "replace", "before": draft[text], "after": "changed" }), "{kind}");
        assert_eq!(seen["changes"]["relationships"], json!({}), "{kind}");

        let event = event_of(&world, &second).await;
        assert_eq!((&event["name"], &event["dataId"]), (&json!(format!("kustomer.{kind}.update")), &json!(id)));
        let transaction = &second["attributes"]["transactionId"];
        assert_eq!(event["lineage"], json!({ "root": transaction, "depth": 0, "run": null }), "{kind}");
        assert_eq!((&event["client"], &event["id"]), (&json!("api-gw"), transaction), "{kind}");

        // What changes nothing fires nothing, and deleting has no event.
        assert_eq!(world.api("PUT", &own, json!({ (text): "changed" })).await.expect(200).attribute("rev"), 2);
        world.api("DELETE", &own, Value::Null).await.expect(204);
        settle(&world).await;
        assert_eq!((runs_of(&world, &created).await.len(), runs_of(&world, &updated).await.len()), (1, 1), "{kind}");
        assert_eq!(world.queue.depth(), 0, "{kind}");
        for workflow in [created, updated] {
            world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
        }
    }
}

#[tokio::test]
async fn steps_fire_the_events_of_all_that_they_write_in_one_write() {
    let world = World::new().await;
    world.order_klass().await;
    let hook = world.form_hook().await;
    let steps = json!([
        { "id": "make", "action": "kustomer.customer.create", "params": { "name": "Ann" }, "transitions": always("change") },
        { "id": "change", "action": "kustomer.customer.update", "params": { "id": "/#steps.make.id", "name": "Anna" }, "transitions": always("same") },
        { "id": "same", "action": "kustomer.customer.update", "params": { "id": "/#steps.make.id", "name": "Anna" }, "transitions": always("order") },
        { "id": "order", "action": "kustomer.kobject.create-with-customer", "params": { "klassName": "order", "customer": "/#steps.make.id", "title": "t" }, "transitions": always("say") },
        { "id": "say", "action": "kustomer.message.create", "params": { "customer": "/#steps.make.id", "body": "b" }, "transitions": [] },
    ]);
    world.workflow(workflow_of("makes", &hook.event, steps)).await;
    let mut listeners = Vec::new();
    for event in ["customer.create", "customer.update", "kobject.order.create", "conversation.create", "message.create"]
    {
        listeners.push((event, listener(&world, &format!("kustomer.{event}")).await));
    }
    let transaction = world.arrive(&hook, json!({})).await;
    settle(&world).await;
    assert_eq!(world.run_of(&transaction).await["state"], "succeeded");
    for (event, workflow) in listeners {
        let [run] = runs_of(&world, &workflow).await.try_into().unwrap_or_else(|runs| panic!("{event}: {runs:?}"));
        let told = event_of(&world, &run).await;
        assert_eq!(told["client"], "workflow", "{event}");
        let (root, depth) = (&told["lineage"]["root"], &told["lineage"]["depth"]);
        assert_eq!((root, depth), (&json!(transaction), &json!(1)), "{event}");
        let firing = told["lineage"]["run"].as_str().unwrap();
        let firing = world.get(&format!("/v1/runs/{firing}")).await.expect(200);
        assert_eq!(firing.attribute("transactionId"), json!(transaction), "{event}");
        if event == "customer.create" {
            assert_eq!(trigger(&run)["name"], "Ann", "each event tells what was true when it was fired");
        }
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_left() {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let world = World::over(store.clone(), clock).await;
    let kinds = Kind::all(&world).await;
    // Somebody listens, but to something else, or to another org's.
    listener(&world, "kustomer.customer.merge").await;
    for Kind { path, draft, text, .. } in &kinds {
        let own = format!("/v1/{path}/{}", made(&world, path, draft.clone()).await);
        world.api("PUT", &own, json!({ (*text): "changed" })).await.expect(200);
    }
    assert_eq!(world.queue.depth(), 0);
    let transactions = store.items().into_iter().filter(|item| item.key.partition.contains("#transaction#"));
    assert_eq!(transactions.count(), 0);
}

#[tokio::test]
async fn a_workflow_that_is_disabled_is_told_of_in_the_trace() {
    let world = World::new().await;
    let mut document = workflow_of("asleep", "kustomer.customer.create", json!([{ "id": "end", "transitions": [] }]));
    document["enabled"] = json!(false);
    let workflow = world.workflow(document).await;
    let id = made(&world, "customers", json!({ "name": "Ann" })).await;
    settle(&world).await;
    assert_eq!(runs_of(&world, &workflow).await.len(), 0);
    let event = domain::EventId::for_revision(domain::RecordId::parse(&id).unwrap(), 1);
    let told = world.get(&format!("/v1/transactions/{event}")).await.expect(200);
    assert_eq!(told.body["meta"]["trace"]["considered"][0]["verdict"], "disabled");
    assert_eq!(told.body["meta"]["trace"]["event"], "kustomer.customer.create");
    assert_eq!(told.body["data"]["name"], "Ann");
}

#[tokio::test]
async fn two_changes_at_the_same_moment_fire_two_events_of_which_each_tells_its_own() {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let world = World::over(Arc::new(PoliteStore(store)), clock).await;
    let own = format!("/v1/customers/{}", made(&world, "customers", json!({ "name": "Ann" })).await);
    let workflow = listener(&world, "kustomer.customer.update").await;
    let (first, second) = tokio::join!(
        world.api("PUT", &own, json!({ "locale": "da" })),
        world.api("PUT", &own, json!({ "timeZone": "Europe/Copenhagen" }))
    );
    first.expect(200);
    second.expect(200);
    settle(&world).await;
    let mut changed: Vec<String> = Vec::new();
    for run in runs_of(&world, &workflow).await {
        let changes = trigger(&run)["changes"]["attributes"].as_object().unwrap().clone();
        changed.extend(changes.keys().filter(|name| ["locale", "timeZone"].contains(&name.as_str())).cloned());
    }
    changed.sort();
    assert_eq!(changed, ["locale", "timeZone"]);
}

#[tokio::test]
async fn a_merge_fires_an_update_of_each_of_the_two() {
    let world = World::new().await;
    let ann = made(&world, "customers", json!({ "name": "Ann" })).await;
    let anna = made(&world, "customers", json!({ "name": "Anna", "locale": "da" })).await;
    let workflow = listener(&world, "kustomer.customer.update").await;
    world.api("POST", &format!("/v1/customers/{ann}/merge"), json!({ "otherId": anna })).await.expect(200);
    settle(&world).await;
    let mut seen: Vec<(Value, Value)> = Vec::new();
    for run in runs_of(&world, &workflow).await {
        seen.push((trigger(&run)["id"].clone(), trigger(&run)["changes"].clone()));
    }
    assert_eq!(seen.len(), 2);
    let changes = |id: &str| seen.iter().find(|(seen, _)| *seen == json!(id)).unwrap().1.clone();
    assert_eq!(changes(&ann)["attributes"]["locale"]["after"], "da");
    assert_eq!(changes(&anna)["attributes"]["locale"], json!({ "op": "replace", "before": "da", "after": null }));
    assert_eq!(changes(&anna)["relationships"]["mergedInto"]["after"]["data"]["id"], json!(ann));
}

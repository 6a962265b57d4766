//! Workflows that set each other off, and where that ends.

use std::sync::Arc;

use domain::{EventId, RecordId, Timestamp};
use serde_json::{Value, json};
use service::{
    memory::{FixedWorld, MemoryStore},
    ports::{Change, Expectation, Item, Key, Store, Table},
};
use tests::world::{NOON, World, always, workflow_of};

use super::{event_of, listener, runs_of, settle};
use crate::record_api::made;

/// How many generations of changes there may be, and how many runs.
const GENERATIONS: usize = 10;
const RUNS: u32 = 1_000;

/// Two workflows of which each changes what the other listens to.
async fn ping_pong(world: &World) -> (String, [String; 2]) {
    let company = made(world, "companies", json!({ "name": "Shop" })).await;
    let customer = made(world, "customers", json!({ "name": "Ann" })).await;
    let changes = |kind: &str, id: &str| json!([{ "id": "change", "action": format!("kustomer.{kind}.update"), "params": { "id": id, "name": "{{{steps.1.rev}}} {{{steps.1.id}}}" }, "transitions": [] }]);
    let ping = workflow_of("ping", "kustomer.customer.update", changes("company", &company));
    let pong = workflow_of("pong", "kustomer.company.update", changes("customer", &customer));
    let workflows = [world.workflow(ping).await, world.workflow(pong).await];
    (customer, workflows)
}

#[tokio::test]
async fn workflows_that_set_each_other_off_end_after_10_generations_and_say_why() {
    let world = World::new().await;
    let (customer, [ping, pong]) = ping_pong(&world).await;
    world.api("PUT", &format!("/v1/customers/{customer}"), json!({ "name": "Anna" })).await.expect(200);
    settle(&world).await;

    let root = EventId::for_revision(RecordId::parse(&customer).unwrap(), 2).to_string();
    let mut by_depth: Vec<(u64, String)> = Vec::new();
    for run in [runs_of(&world, &ping).await, runs_of(&world, &pong).await].concat() {
        let event = event_of(&world, &run).await;
        assert_eq!(event["lineage"]["root"], json!(root));
        by_depth.push((
            event["lineage"]["depth"].as_u64().unwrap(),
            run["attributes"]["state"].as_str().unwrap().to_owned(),
        ));
        if run["attributes"]["state"] != "failed" {
            continue;
        }
        let error = &run["attributes"]["error"];
        assert_eq!(
            (&error["code"], run["attributes"]["steps"].as_array().unwrap().len()),
            (&json!("lineage_too_deep"), 0)
        );
        let sentence = error["message"].as_str().unwrap();
        let firing = event["lineage"]["run"].as_str().unwrap();
        for part in [
            "10 generations",
            "the 11th",
            "kustomer.company.update",
            root.as_str(),
            firing,
            "/#steps.1.changes.attributes",
        ] {
            assert!(sentence.contains(part), "{part}: {sentence}");
        }
        let transaction = run["attributes"]["transactionId"].as_str().unwrap();
        let trace =
            world.get(&format!("/v1/transactions/{transaction}")).await.expect(200).body["meta"]["trace"].clone();
        assert_eq!(trace["considered"][0]["run"]["state"], "failed");
    }
    by_depth.sort();
    let states: Vec<&str> = by_depth.iter().map(|(_, state)| state.as_str()).collect();
    let depths: Vec<u64> = by_depth.iter().map(|(depth, _)| *depth).collect();
    assert_eq!(depths, (0..=GENERATIONS as u64 + 1).collect::<Vec<_>>());
    assert_eq!(states, [vec!["succeeded"; GENERATIONS + 1], vec!["failed"]].concat());
    assert_eq!(world.queue.depth(), 0);
}

#[tokio::test]
async fn a_beginning_at_a_hook_counts_as_one_at_the_api_does() {
    let world = World::new().await;
    let (customer, [ping, pong]) = ping_pong(&world).await;
    let hook = world.form_hook().await;
    let steps = json!([{ "id": "change", "action": "kustomer.customer.update", "params": { "id": customer, "name": "Anna" }, "transitions": [] }]);
    world.workflow(workflow_of("begins", &hook.event, steps)).await;
    let transaction = world.arrive(&hook, json!({})).await;
    settle(&world).await;
    let runs = [runs_of(&world, &ping).await, runs_of(&world, &pong).await].concat();
    let succeeded = runs.iter().filter(|run| run["attributes"]["state"] == "succeeded").count();
    assert_eq!((runs.len(), succeeded), (GENERATIONS + 1, GENERATIONS));
    let failed = runs.iter().find(|run| run["attributes"]["state"] == "failed").unwrap();
    assert!(failed["attributes"]["error"]["message"].as_str().unwrap().contains(&transaction));
}

#[tokio::test]
async fn a_workflow_that_asks_whether_what_it_cares_for_has_changed_ends_by_itself() {
    let world = World::new().await;
    let customer = made(&world, "customers", json!({ "name": "Ann" })).await;
    let mut document = workflow_of(
        "greets",
        "kustomer.customer.update",
        json!([{ "id": "change", "action": "kustomer.customer.update", "params": { "id": "/#steps.1.id", "custom": { "greetingStr": "Dear {{{steps.1.name}}}" } }, "transitions": [] }]),
    );
    document["trigger"]["transitions"] = json!([
        { "target": "change", "condition": { "op": "exists", "values": ["/#steps.1.changes.attributes.name"] } }
    ]);
    let workflow = world.workflow(document).await;
    world.api("PUT", &format!("/v1/customers/{customer}"), json!({ "name": "Anna" })).await.expect(200);
    settle(&world).await;
    let runs = runs_of(&world, &workflow).await;
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run["attributes"]["state"] == "succeeded"));
    let after = world.get(&format!("/v1/customers/{customer}")).await.expect(200);
    assert_eq!((after.attribute("rev"), &after.attribute("custom")["greetingStr"]), (json!(3), &json!("Dear Anna")));
}

/// What the run of the second generation came to, where `before` runs had followed from the same beginning `ago` seconds ago.
async fn second_generation(before: Option<u32>, ago: i64) -> Value {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let world = World::over(store.clone(), clock).await;
    let customer = made(&world, "customers", json!({ "name": "Ann" })).await;
    let open = json!([{ "id": "open", "action": "kustomer.conversation.create", "params": { "customer": "/#steps.1.id" }, "transitions": [] }]);
    world.workflow(workflow_of("opens", "kustomer.customer.update", open)).await;
    let note = json!([{ "id": "note", "action": "kustomer.note.create", "params": { "conversation": "/#steps.1.id", "body": "b" }, "transitions": [] }]);
    world.workflow(workflow_of("notes", "kustomer.conversation.create", note)).await;
    let last = listener(&world, "kustomer.note.create").await;

    let root = EventId::for_revision(RecordId::parse(&customer).unwrap(), 2);
    let since = Timestamp::parse(NOON).unwrap().plus_seconds(-ago);
    if let Some(runs) = before {
        let counted = Item {
            key: Key::new(Table::Runs, format!("{}#lineage#{root}", world.org), "count"),
            rev: 1,
            document: json!({ "since": since, "runs": runs }).to_string(),
            index: None,
            expires_at: Some(since.plus_seconds(3_600).as_second()),
        };
        store.write(&[Change::Put(counted, Expectation::Absent)]).await.unwrap();
    }
    world.api("PUT", &format!("/v1/customers/{customer}"), json!({ "name": "Anna" })).await.expect(200);
    settle(&world).await;
    let runs = runs_of(&world, &last).await;
    assert_eq!(runs.len(), 1);
    let mut run = runs[0]["attributes"].clone();
    run["root"] = json!(root);
    run
}

#[tokio::test]
async fn no_more_than_1_000_runs_follow_from_one_beginning_within_an_hour() {
    assert_eq!(second_generation(None, 0).await["state"], "succeeded");
    assert_eq!(second_generation(Some(RUNS - 1), 0).await["state"], "succeeded");
    // The hour is over.
    assert_eq!(second_generation(Some(RUNS), 3_601).await["state"], "succeeded");
    for (before, ago) in [(RUNS, 0), (RUNS, 3_500), (u32::MAX, 0)] {
        let run = second_generation(Some(before), ago).await;
        assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("lineage_too_wide")), "{before}");
        let sentence = run["error"]["message"].as_str().unwrap();
        for part in ["More than 1000 runs", "kustomer.note.create", run["root"].as_str().unwrap()] {
            assert!(sentence.contains(part), "{part}: {sentence}");
        }
    }
}

#[tokio::test]
async fn one_run_may_change_many_records_without_being_taken_for_a_flood() {
    // 60 companies are written twice over, and each starts a run of the first generation.
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps: Vec<Value> = (0..60)
        .map(|index| {
            let next = if index < 59 { always(&format!("s{}", index + 1)) } else { json!([]) };
            json!({ "id": format!("s{index}"), "action": "kustomer.company.create", "params": { "name": format!("c{index}") }, "transitions": next })
        })
        .collect();
    world.workflow(workflow_of("many", &hook.event, json!(steps))).await;
    let workflow = listener(&world, "kustomer.company.create").await;
    world.arrive(&hook, json!({})).await;
    settle(&world).await;
    let runs = runs_of(&world, &workflow).await;
    assert_eq!(runs.len(), 60);
    assert!(runs.iter().all(|run| run["attributes"]["state"] == "succeeded"));
}

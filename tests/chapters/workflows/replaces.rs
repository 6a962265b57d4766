//! A workflow that replaces another: it alone runs where both listen.

use serde_json::{Value, json};
use tests::world::{FormHook, World, workflow_of};

fn document(hook: &FormHook, name: &str, replaces: Option<&str>) -> Value {
    let mut document = workflow_of(name, &hook.event, json!([{ "id": "end", "transitions": [] }]));
    document["replaces"] = json!(replaces);
    document
}

/// The verdicts by the workflows' names, and who replaces them.
async fn verdicts(world: &World, hook: &FormHook) -> Vec<(String, String, Option<String>)> {
    let transaction = world.arrive(hook, json!({})).await;
    let trace = world.get(&format!("/v1/transactions/{transaction}")).await.body["meta"]["trace"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |line: &Value| {
        let replaced_by = line["replacedBy"]["id"].as_str().map(str::to_owned);
        (text(&line["workflow"]["name"]), text(&line["verdict"]), replaced_by)
    };
    trace["considered"].as_array().unwrap().iter().map(line).collect()
}

fn line(name: &str, verdict: &str, replaced_by: Option<&str>) -> (String, String, Option<String>) {
    (name.to_owned(), verdict.to_owned(), replaced_by.map(str::to_owned))
}

#[tokio::test]
async fn by_its_name_or_its_id_and_for_as_long_as_it_is_enabled() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let original = world.workflow(document(&hook, "app-made", None)).await;
    let own = world.workflow(document(&hook, "own", Some("app-made"))).await;
    let path = format!("/v1/workflows/{own}");
    let replaced = [line("app-made", "replaced", Some(&own)), line("own", "started", None)];
    assert_eq!(verdicts(&world, &hook).await, replaced);

    world.api("PUT", &path, json!({ "enabled": false })).await.expect(200);
    assert_eq!(verdicts(&world, &hook).await, [line("app-made", "started", None), line("own", "disabled", None)]);

    world.api("PUT", &path, json!({ "enabled": true, "replaces": original })).await.expect(200);
    assert_eq!(verdicts(&world, &hook).await, replaced);

    world.api("PUT", &path, json!({ "replaces": null })).await.expect(200);
    assert_eq!(verdicts(&world, &hook).await, [line("app-made", "started", None), line("own", "started", None)]);
}

#[tokio::test]
async fn only_where_both_listen_and_a_name_that_nobody_has_is_a_warning() {
    let world = World::new().await;
    let (hook, other) = (world.form_hook().await, world.form_hook().await);
    let made = world.api("POST", "/v1/workflows", document(&other, "own", Some("app-made"))).await.expect(201);
    let warning = &made.body["meta"]["warnings"][0];
    assert_eq!((&warning["code"], &warning["source"]["path"]), (&json!("unknown_workflow"), &json!("$.replaces")));

    world.workflow(document(&hook, "app-made", None)).await;
    assert_eq!(verdicts(&world, &hook).await, [line("app-made", "started", None)]);
    let changed = world.api("PUT", &format!("/v1/workflows/{}", made.id()), json!({ "description": "d" })).await;
    assert_eq!(changed.expect(200).body.get("meta"), None);
}

#[tokio::test]
async fn whoever_closes_a_circle_is_warned_and_the_oldest_of_it_runs() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let oldest = world.workflow(document(&hook, "oldest", None)).await;
    let second = world.workflow(document(&hook, "second", Some("oldest"))).await;
    world.workflow(document(&hook, "third", Some("second"))).await;
    // What was replaced already stays so.
    assert_eq!(verdicts(&world, &hook).await[0], line("oldest", "replaced", Some(&second)));

    let closed = world.api("PUT", &format!("/v1/workflows/{oldest}"), json!({ "replaces": "third" })).await.expect(200);
    let warning = &closed.body["meta"]["warnings"][0];
    assert_eq!((&warning["code"], &warning["source"]["path"]), (&json!("replaced_in_turn"), &json!("$.replaces")));
    let verdicts = verdicts(&world, &hook).await;
    let started: Vec<&str> = verdicts.iter().filter(|line| line.1 == "started").map(|line| line.0.as_str()).collect();
    assert_eq!(started, ["oldest"]);
}

//! Variables: secrets that workflows use and nobody reads again.

use serde_json::{Value, json};
use tests::world::{World, always, workflow_of};

const SECRET: &str = "sk_test_obviously_fake_0123456789";

/// A workflow over the hook's event with these steps, given its variable's id.
async fn workflow_with_variable(world: &World, event: &str, steps: impl Fn(&str) -> Value) -> (String, String) {
    let first = json!([{ "id": "begin", "transitions": [] }]);
    let workflow = world.workflow(workflow_of("uses", event, first)).await;
    let draft = json!({ "name": "api key", "value": SECRET });
    let variable = world.api("POST", &format!("/v1/workflows/{workflow}/variables"), draft).await.expect(201).id();
    let changes = workflow_of("uses", event, steps(&variable));
    world.api("PUT", &format!("/v1/workflows/{workflow}"), changes).await.expect(200);
    (workflow, variable)
}

#[tokio::test]
async fn a_value_is_used_in_full_and_shown_masked_wherever_a_run_is_read() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let (_, variable) = workflow_with_variable(&world, &hook.event, |id| {
        json!([
            {
                "id": "make",
                "action": "kustomer.customer.create",
                "params": { "name": format!("/#variables.{id}"), "custom": { "noteStr": format!("key {{{{variables.{id}}}}}!") } },
                "transitions": [{ "target": "again", "condition": { "op": "eq", "values": ["/#steps.make.name", format!("/#variables.{id}")] } }],
            },
            { "id": "again", "action": "kustomer.company.create", "params": { "name": "/#steps.make.name" }, "transitions": [] },
        ])
    })
    .await;

    let transaction = world.arrive(&hook, json!({})).await;

    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert!(!run.to_string().contains(SECRET), "{run}");
    let make = &run["steps"][1];
    assert_eq!(make["input"], json!({ "name": "••••••••", "custom": { "noteStr": "key ••••••••!" } }));
    assert_eq!(make["output"]["name"], "••••••••");
    assert_eq!(make["transition"]["target"], "again", "conditions see the value itself: {run}");
    assert!(make["transition"].to_string().contains(&variable), "{run}");
    let customer = make["output"]["id"].as_str().unwrap();
    let customer = world.get(&format!("/v1/customers/{customer}")).await.expect(200);
    assert_eq!(
        (customer.attribute("name"), &customer.attribute("custom")["noteStr"]),
        (json!(SECRET), &json!(format!("key {SECRET}!")))
    );
}

#[tokio::test]
async fn a_variable_is_made_listed_changed_and_deleted_without_giving_its_value_out() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let (workflow, variable) =
        workflow_with_variable(&world, &hook.event, |_| json!([{ "id": "a", "transitions": [] }])).await;
    let variables = format!("/v1/workflows/{workflow}/variables");
    let path = format!("/v1/workflow-variables/{variable}");

    let read = world.get(&path).await.expect(200);
    assert_eq!(read.attribute("maskedValue"), "••••6789");
    assert_eq!((read.attribute("name"), read.attribute("type")), (json!("api key"), json!("string")));
    assert_eq!(read.attribute("reference"), format!("/#variables.{variable}"));
    let listed = world.get(&variables).await.expect(200);
    assert_eq!(listed.body["data"], json!([read.body["data"]]));
    let changed = world.api("PATCH", &path, json!({ "name": "key", "value": "short" })).await.expect(200);
    assert_eq!((changed.attribute("name"), changed.attribute("maskedValue")), (json!("key"), json!("••••")));
    for text in [&read.text, &listed.text, &changed.text] {
        assert!(!text.contains(SECRET) && !text.contains("short"), "{text}");
    }
    world.api("DELETE", &path, Value::Null).await.expect(204);
    world.get(&path).await.expect(404);
    assert_eq!(world.get(&variables).await.expect(200).body["data"], json!([]));

    for (draft, place) in [
        (json!({ "value": "v" }), "$.name"),
        (json!({ "name": "", "value": "v" }), "$.name"),
        (json!({ "name": "n".repeat(129), "value": "v" }), "$.name"),
        (json!({ "name": "n" }), "$.value"),
        (json!({ "name": "n", "value": "" }), "$.value"),
        (json!({ "name": "n", "value": 5 }), "$.value"),
        (json!({ "name": "n", "value": "v".repeat(4_097) }), "$.value"),
    ] {
        let answer = world.api("POST", &variables, draft.clone()).await.expect(400);
        assert_eq!(answer.body["errors"][0]["source"]["path"], place, "{draft}");
    }
    let longest = json!({ "name": "n".repeat(128), "value": "v".repeat(4_096) });
    world.api("POST", &variables, longest).await.expect(201);
}

#[tokio::test]
async fn a_workflow_has_forty_variables_at_most_and_is_deleted_with_all_of_them() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(workflow_of("many", &hook.event, json!([{ "id": "a", "transitions": [] }]))).await;
    let variables = format!("/v1/workflows/{workflow}/variables");
    for index in 0..40 {
        world.api("POST", &variables, json!({ "name": format!("v{index}"), "value": SECRET })).await.expect(201);
    }
    let one_more = world.api("POST", &variables, json!({ "name": "v40", "value": SECRET })).await.expect(409);
    assert_eq!(one_more.code(), "too_many_variables");
    let last = world.get(&variables).await.body["data"][39]["id"].as_str().unwrap().to_owned();
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    world.get(&format!("/v1/workflow-variables/{last}")).await.expect(404);
}

#[tokio::test]
async fn a_run_that_is_under_way_keeps_the_variables_of_a_deleted_workflow() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let (workflow, _) = workflow_with_variable(&world, &hook.event, |id| {
        json!([{ "id": "make", "action": "kustomer.company.create", "params": { "name": format!("/#variables.{id}") }, "transitions": [] }])
    })
    .await;
    let transaction = world.post(&hook, json!({})).await.expect(202).id();
    let message = world.queue.receive(1, 60).remove(0).body;
    // The executor has admitted the transaction and dies before the run is written.
    let faulty =
        std::sync::Arc::new(tests::faults::FaultyStore::new(world.store.clone(), tests::faults::Fault::Refuses));
    faulty.fail_in(2);
    let dying = service::Executor::new(faulty, world.queue.clone(), world.clock.clone());
    assert!(dying.execute(&message).await.is_err());
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);

    world.executor.execute(&message).await.unwrap();

    let run = world.run_of(&transaction).await;
    assert_eq!((&run["state"], &run["steps"][1]["output"]["name"]), (&json!("succeeded"), &json!("••••••••")), "{run}");
}

#[tokio::test]
async fn a_variable_that_is_not_there_is_a_warning_that_names_the_one_that_was_meant() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(workflow_of("w", &hook.event, json!([{ "id": "a", "transitions": [] }]))).await;
    let draft = json!({ "name": "apiKey", "value": SECRET });
    let variable = world.api("POST", &format!("/v1/workflows/{workflow}/variables"), draft).await.expect(201).id();
    let steps = |reference: &str| {
        json!({ "steps": [
            { "id": "a", "action": "kustomer.company.create", "params": { "name": reference }, "transitions": always("b") },
            { "id": "b", "transitions": [] },
        ] })
    };
    let path = format!("/v1/workflows/{workflow}");
    let warned = world.api("PUT", &path, steps("/#variables.apiKey")).await.expect(200);
    let warning = &warned.body["meta"]["warnings"][0];
    assert_eq!(
        (&warning["code"], &warning["source"]["path"]),
        (&json!("unknown_variable"), &json!("$.steps[0].params.name"))
    );
    assert_eq!(warning["meta"]["suggestion"], variable.as_str());
    let sound = world.api("PUT", &path, steps(&format!("/#variables.{variable}"))).await.expect(200);
    assert_eq!(sound.body.get("meta"), None, "{}", sound.text);
}

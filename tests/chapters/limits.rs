//! Limits of what a run may hold and an answer may carry.

use serde_json::{Value, json};
use tests::world::{World, always, workflow_of};

#[tokio::test]
async fn a_step_that_would_take_more_than_a_mebibyte_fails_and_the_run_tells_so() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps = |count: usize| {
        json!([{ "id": "list", "action": "kustomer.transform.generic", "transitions": [], "params": {
            "input": { "list": vec!["/#steps.1.attributes.data.k"; count] },
        } }])
    };
    for (name, count, state) in [("within", 2, "succeeded"), ("past", 12, "failed"), ("bomb", 900, "failed")] {
        let workflow = world.workflow(workflow_of(name, &hook.event, steps(count))).await;
        let transaction = world.arrive(&hook, json!({ "k": "x".repeat(400_000) })).await;
        let run = world.run_of(&transaction).await;
        assert_eq!(run["state"], state, "{name}: {}", run["error"]);
        world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    }
}

#[tokio::test]
async fn a_loop_that_nests_a_value_ends_and_can_be_read() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps = json!([{
        "id": "k",
        "action": "kustomer.transform.generic",
        "params": { "input": { "nested": ["/#steps.k.output.nested"] } },
        "transitions": [{ "target": "k", "condition": { "op": "dne", "values": ["/#steps.1.attributes.data.stop"] } }],
    }]);
    world.workflow(workflow_of("nest", &hook.event, steps)).await;
    let transaction = world.arrive(&hook, json!({})).await;
    let run = world.run_of(&transaction).await;
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("input_too_deep")));
}

#[tokio::test]
async fn a_record_that_grows_past_a_mebibyte_is_refused() {
    let world = World::new().await;
    let customer = world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201).id();
    let path = format!("/v1/customers/{customer}");
    let text = "x".repeat(65_536);
    for index in 0..15 {
        world.api("PUT", &path, json!({ "custom": { format!("a{index}Txt"): text } })).await.expect(200);
    }
    let refused = world.api("PUT", &path, json!({ "custom": { "b0Txt": text, "b1Txt": text } })).await.expect(400);
    assert!(refused.text.contains("1048576"), "{}", refused.text);
}

#[tokio::test]
async fn an_answer_that_would_be_too_large_becomes_a_shorter_page_or_names_what_it_left_out() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let text = "x".repeat(400_000);
    let customer = world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201).id();
    let steps: Vec<Value> = (0..12)
        .map(|index| {
            let next = if index < 11 { always(&format!("s{}", index + 1)) } else { json!([]) };
            json!({ "id": format!("s{index}"), "action": "kustomer.note.create", "transitions": next, "params": {
                "customer": customer, "body": "/#steps.1.attributes.data.k",
            } })
        })
        .collect();
    world.workflow(workflow_of("large", &hook.event, json!(steps))).await;
    let transaction = world.arrive(&hook, json!({ "k": text })).await;

    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "succeeded");
    assert!(run["steps"][1]["output"]["leftOutBytes"].as_u64().unwrap() > 400_000);

    let mut notes = 0;
    for page in world.pages(&format!("/v1/customers/{customer}/timeline?pageSize=100")).await {
        assert!(page.text.len() < 5_000_000);
        notes += page.body["data"].as_array().unwrap().len();
    }
    assert_eq!(notes, 12);
}

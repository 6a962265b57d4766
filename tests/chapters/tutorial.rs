//! Create a KObject from an external trigger: the tutorial in the seed, step by step.

use serde_json::json;
use tests::world::{World, tutorial_order, tutorial_workflow};

#[tokio::test]
async fn a_posted_order_becomes_an_order_on_a_new_customers_timeline() {
    let world = World::new().await;
    world.order_klass().await;
    let hook = world.form_hook().await;
    world.workflow(tutorial_workflow(&hook.event)).await;

    let transaction = world.arrive(&hook, tutorial_order()).await;

    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    let steps: Vec<&str> = run["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
    assert_eq!(steps, ["1", "find", "create", "first-order"]);

    let customers = world.customers().await;
    assert_eq!(customers.len(), 1);
    assert_eq!(customers[0]["attributes"]["emails"][0]["email"], "test@example.com");
    let timeline = world.timeline(customers[0]["id"].as_str().unwrap()).await;
    assert_eq!(timeline.len(), 1);
    assert_eq!(timeline[0]["type"], "kobject.order");
    assert_eq!(timeline[0]["attributes"]["title"], "Online Order");
    assert_eq!(timeline[0]["attributes"]["data"], tutorial_order());
    assert_eq!(
        timeline[0]["attributes"]["custom"],
        json!({ "orderIDStr": "1234", "priceStr": "$10.25", "quantityNum": 2 })
    );
}

#[tokio::test]
async fn a_second_order_goes_to_the_customer_who_is_there() {
    let world = World::new().await;
    world.order_klass().await;
    let hook = world.form_hook().await;
    world.workflow(tutorial_workflow(&hook.event)).await;
    world.arrive(&hook, tutorial_order()).await;

    let mut second = tutorial_order();
    second["email"] = json!("TEST@example.com");
    let transaction = world.arrive(&hook, second).await;

    let run = world.run_of(&transaction).await;
    let steps: Vec<&str> = run["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
    assert_eq!(steps, ["1", "find", "order"]);
    let customers = world.customers().await;
    assert_eq!(customers.len(), 1);
    assert_eq!(world.timeline(customers[0]["id"].as_str().unwrap()).await.len(), 2);
}

#[tokio::test]
async fn step_1_sees_the_transaction_of_the_seed_key_for_key() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    world.workflow(tests::world::workflow_of("look", &hook.event, json!([{ "id": "end", "transitions": [] }]))).await;

    let transaction = world.arrive(&hook, tutorial_order()).await;

    let run = world.run_of(&transaction).await;
    let expected = json!({
        "id": transaction,
        "type": "transaction",
        "attributes": { "createdAt": "2026-11-22T12:00:00.000Z", "data": tutorial_order() },
        "relationships": {
            "org": {
                "data": { "type": "org", "id": "581392b55ac7a2110099d9c8" },
                "links": { "self": "/v1/org/581392b55ac7a2110099d9c8" },
            },
            "hook": {
                "data": { "type": "form_hook", "id": hook.id },
                "links": { "self": format!("/v1/hooks/form/{}", hook.id) },
            },
        },
    });
    assert_eq!(run["steps"][0]["output"].to_string(), expected.to_string());
}

#[tokio::test]
async fn the_run_tells_which_transition_was_taken_and_why() {
    let world = World::new().await;
    world.order_klass().await;
    let hook = world.form_hook().await;
    world.workflow(tutorial_workflow(&hook.event)).await;

    let transaction = world.arrive(&hook, tutorial_order()).await;

    let run = world.run_of(&transaction).await;
    let find = &run["steps"][1];
    assert_eq!(find["input"], json!({ "email": "test@example.com" }));
    assert_eq!(find["output"], json!({}));
    assert_eq!(find["attempts"], 1);
    assert_eq!(find["transition"]["target"], "create");
    assert_eq!(
        find["transition"]["conditions"],
        json!([
            { "target": "order", "verdict": { "op": "exists", "values": [null], "from": ["/#steps.find.id"], "result": false, "missing": ["/#steps.find.id"] } },
            { "target": "create", "verdict": { "op": "dne", "values": [null], "from": ["/#steps.find.id"], "result": true, "missing": ["/#steps.find.id"] } },
        ])
    );
    let last = &run["steps"][3];
    assert_eq!(last["transition"]["target"], json!(null), "{last}");
}

//! Workflows that call workflows, and callers that wait.

use serde_json::{Value, json};
use tests::{World, world::always};

use super::{callable, called, echo, run, step};

/// A workflow that takes an amount and answers whether it is refunded.
fn refund() -> Value {
    json!({
        "name": "refund",
        "trigger": { "callable": true, "transitions": always("respond"),
            "schema": { "properties": { "amount": { "type": "number", "maximum": 100 } }, "required": ["amount"] } },
        "response": { "schema": { "properties": { "refunded": { "type": "number" } }, "required": ["refunded"] } },
        "steps": [
            { "id": "respond", "action": "flow.respond", "params": { "output": { "refunded": "/#steps.1.amount" } }, "transitions": always("after") },
            echo("after", json!({ "n": 1 }), json!([])),
        ],
    })
}

#[tokio::test]
async fn a_step_that_calls_a_workflow_goes_on_with_its_answer() {
    let world = World::new().await;
    let callee = world.workflow(refund()).await;
    for (action, params) in [
        ("flow.call".to_owned(), json!({ "workflow": "refund", "inputs": { "amount": "/#steps.1.amount" } })),
        ("flow.call".to_owned(), json!({ "workflow": callee, "inputs": { "amount": 7 } })),
        (format!("kustomer.workflow.{callee}.call"), json!({ "amount": 7 })),
    ] {
        let steps = json!([
            { "id": "call", "action": action, "params": params, "transitions": always("after") },
            echo("after", json!({ "got": "/#steps.call.output.refunded" }), json!([])),
        ]);
        let caller = callable(&world, &format!("caller-{}", world.queue.depth()), steps).await;
        let id = called(&world, &caller, json!({ "amount": 7 })).await;
        let over = run(&world, &id).await;
        assert_eq!(over["state"], "succeeded", "{over:#}");
        assert_eq!(step(&over, "after")["output"]["output"], json!({ "got": 7 }));
        let other = step(&over, "call")["output"]["run"].as_str().unwrap().to_owned();
        let other = run(&world, &other).await;
        assert_eq!((&other["state"], &other["response"]["output"]), (&json!("succeeded"), &json!({ "refunded": 7 })));
        world.api("DELETE", &format!("/v1/workflows/{caller}"), Value::Null).await.expect(204);
    }
}

#[tokio::test]
async fn what_keeps_a_workflow_from_being_called_is_said() {
    let world = World::new().await;
    let callee = world.workflow(refund()).await;
    world.workflow(tests::world::workflow_of("by-event", "shop.paid", json!([{ "id": "s", "transitions": [] }]))).await;
    let off =
        json!({ "name": "off", "enabled": false, "trigger": { "callable": true, "transitions": [] }, "steps": [] });
    world.workflow(off).await;
    for (params, code) in [
        (json!({ "inputs": {} }), "missing_param"),
        (json!({ "workflow": 5 }), "wrong_param"),
        (json!({ "workflow": "refund", "inputs": [] }), "wrong_param"),
        (json!({ "workflow": "refund", "wait": "yes" }), "wrong_param"),
        (json!({ "workflow": "nobody" }), "unknown_workflow"),
        (json!({ "workflow": "off" }), "workflow_disabled"),
        (json!({ "workflow": "by-event" }), "not_callable"),
        (json!({ "workflow": "refund" }), "wrong_inputs"),
        (json!({ "workflow": "refund", "inputs": { "amount": 101 } }), "wrong_inputs"),
    ] {
        let steps = json!([{ "id": "call", "action": "flow.call", "params": "/#steps.1", "transitions": [] }]);
        let mut steps = steps;
        steps[0]["params"] =
            json!({ "workflow": "/#steps.1.workflow", "inputs": "/#steps.1.inputs", "wait": "/#steps.1.wait" });
        let caller = callable(&world, "caller", steps).await;
        let id = called(&world, &caller, params.clone()).await;
        assert_eq!(run(&world, &id).await["error"]["code"], code, "{params}");
        world.api("DELETE", &format!("/v1/workflows/{caller}"), Value::Null).await.expect(204);
    }
    let path = |id: &str| format!("/v1/workflows/{id}/call?wait=0");
    let wrong = world.api("POST", &path(&callee), json!({ "inputs": {} })).await.expect(400);
    assert_eq!(wrong.code(), "wrong_inputs");
    assert!(wrong.text.contains("amount"), "{}", wrong.text);
    assert_eq!(world.api("POST", &path(&callee), json!({ "inputs": 5 })).await.expect(400).code(), "bad_attribute");
    assert_eq!(world.api("POST", &path("5a345109e578360010eadead"), json!({})).await.expect(404).code(), "not_found");
    let long = format!("/v1/workflows/{callee}/call?wait=26");
    assert_eq!(world.api("POST", &long, json!({ "inputs": { "amount": 1 } })).await.expect(400).code(), "bad_query");
}

#[tokio::test]
async fn a_failure_of_the_called_run_is_the_callers_and_tells_why() {
    let world = World::new().await;
    let stop = json!([{ "id": "stop", "action": "flow.stop", "params": { "as": "failed", "code": "sold_out", "message": "Nothing is left." }, "transitions": [] }]);
    callable(&world, "callee", stop).await;
    let steps = json!([{ "id": "call", "action": "flow.call", "params": { "workflow": "callee" }, "transitions": [] }]);
    let caller = callable(&world, "caller", steps).await;
    let id = called(&world, &caller, json!({})).await;
    let over = run(&world, &id).await;
    assert_eq!(over["error"]["code"], "call_failed");
    assert!(over["error"]["message"].as_str().unwrap().contains("Nothing is left."), "{over:#}");
}

#[tokio::test]
async fn a_called_run_that_is_cancelled_fails_its_caller() {
    let world = World::new().await;
    let wait = json!([{ "id": "wait", "action": "flow.wait", "params": { "for": "P1D" }, "transitions": [] }]);
    callable(&world, "callee", wait).await;
    let steps = json!([{ "id": "call", "action": "flow.call", "params": { "workflow": "callee" }, "transitions": [] }]);
    let caller = callable(&world, "caller", steps).await;
    let id = called(&world, &caller, json!({})).await;
    let waiting = run(&world, &id).await;
    assert_eq!((&waiting["state"], &waiting["resumesAt"]), (&json!("waiting"), &Value::Null));
    let callee = step(&waiting, "call")["waitsFor"]["run"].as_str().unwrap().to_owned();
    world.api("POST", &format!("/v1/runs/{callee}/cancel"), Value::Null).await.expect(200);
    world.work().await;
    assert_eq!(run(&world, &id).await["error"]["code"], "call_cancelled");
}

#[tokio::test]
async fn a_workflow_that_calls_itself_ends_after_ten_generations() {
    let world = World::new().await;
    let steps = json!([{ "id": "call", "action": "flow.call", "params": { "workflow": "again" }, "transitions": [] }]);
    let workflow = callable(&world, "again", steps).await;
    let id = called(&world, &workflow, json!({})).await;
    let over = run(&world, &id).await;
    assert_eq!(over["error"]["code"], "call_failed");
    assert!(over["error"]["message"].as_str().unwrap().contains("10 generations"), "{over:#}");
    let runs = world.get(&format!("/v1/workflows/{workflow}/runs?pageSize=50")).await.expect(200);
    assert_eq!(runs.body["data"].as_array().unwrap().len(), 12);
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_goes_its_own_way() {
    let world = World::new().await;
    world.workflow(refund()).await;
    let steps = json!([{ "id": "call", "action": "flow.call", "params": { "workflow": "refund", "inputs": { "amount": 3 }, "wait": false }, "transitions": [] }]);
    let caller = callable(&world, "caller", steps).await;
    let id = called(&world, &caller, json!({})).await;
    let over = run(&world, &id).await;
    let other = step(&over, "call")["output"]["run"].as_str().unwrap();
    assert_eq!((&over["state"], &run(&world, other).await["state"]), (&json!("succeeded"), &json!("succeeded")));
}

#[tokio::test]
async fn an_answer_that_is_not_what_the_workflow_promises_fails_its_step() {
    let world = World::new().await;
    let mut document = refund();
    document["steps"][0]["params"]["output"] = json!({ "refunded": "all" });
    let workflow = world.workflow(document).await;
    let id = called(&world, &workflow, json!({ "amount": 1 })).await;
    let over = run(&world, &id).await;
    assert_eq!((&over["error"]["code"], &over["response"]), (&json!("wrong_response"), &Value::Null));
}

#[tokio::test]
async fn inputs_as_long_as_the_limit_are_taken_and_one_byte_more_is_refused() {
    let world = World::new().await;
    let workflow = callable(&world, "story", json!([{ "id": "end", "transitions": [] }])).await;
    let inputs = |bytes: usize| json!({ "inputs": { "text": "x".repeat(bytes - r#"{"text":""}"#.len()) } });
    let path = format!("/v1/workflows/{workflow}/call?wait=0");
    let over = world.api("POST", &path, inputs(1_000_001)).await.expect(400);
    assert_eq!(
        (over.code(), &over.body["errors"][0]["source"]["path"]),
        ("inputs_too_large", &json!("$.inputs")),
        "{over:?}"
    );
    let taken = world.api("POST", &path, inputs(1_000_000)).await.expect(202).id();
    world.work().await;
    assert_eq!(run(&world, &taken).await["state"], "succeeded");
}

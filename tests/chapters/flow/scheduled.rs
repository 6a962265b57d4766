//! Calls that are made at a time: once, in turn, or with the reason why not.

use serde_json::{Value, json};
use tests::{World, world::always};

use super::{DAY, callable, called, run, step};

async fn reminder(world: &World) -> String {
    callable(world, "reminder", json!([{ "id": "end", "transitions": [] }])).await
}

async fn schedule(world: &World, run_at: Value) -> String {
    let draft = json!({ "workflow": "reminder", "inputs": { "order": 7 }, "runAt": run_at });
    world.api("POST", "/v1/scheduled-runs", draft).await.expect(201).id()
}

async fn scheduled(world: &World, id: &str) -> Value {
    world.get(&format!("/v1/scheduled-runs/{id}")).await.expect(200).body["data"]["attributes"].clone()
}

async fn runs_of(world: &World, workflow: &str) -> usize {
    world.every(&format!("/v1/workflows/{workflow}/runs?pageSize=100")).await.len()
}

#[tokio::test]
async fn a_call_is_made_at_its_time_and_once() {
    for (run_at, seconds) in [
        (json!({ "type": "relative", "value": 5_000 }), 5),
        (json!({ "type": "relative", "value": 7_200_000 }), 7_200),
        (json!({ "type": "absolute", "value": "2027-11-20T12:00:00Z" }), 363 * DAY),
        (json!("2017-12-22T05:23:02Z"), 0),
    ] {
        let world = World::new().await;
        let workflow = reminder(&world).await;
        let id = schedule(&world, run_at.clone()).await;
        if seconds > 0 {
            world.later(seconds - 1).await;
            assert_eq!(scheduled(&world, &id).await["state"], "waiting", "{run_at}");
        }
        world.later(1).await;
        world.tick().await;
        world.later(DAY).await;
        let started = scheduled(&world, &id).await;
        assert_eq!(started["state"], "started", "{run_at}: {started}");
        let over = run(&world, started["runId"].as_str().unwrap()).await;
        assert_eq!((&over["state"], &over["steps"][0]["output"]), (&json!("succeeded"), &json!({ "order": 7 })));
        assert_eq!(runs_of(&world, &workflow).await, 1);
        let path = format!("/v1/scheduled-runs/{id}/cancel");
        assert_eq!(world.api("POST", &path, Value::Null).await.expect(409).code(), "scheduled_run_over");
    }
}

#[tokio::test]
async fn a_call_that_is_taken_back_is_not_made() {
    let world = World::new().await;
    let workflow = reminder(&world).await;
    let id = schedule(&world, json!({ "type": "relative", "value": 60_000 })).await;
    for _ in 0..2 {
        let cancelled = world.api("POST", &format!("/v1/scheduled-runs/{id}/cancel"), Value::Null).await.expect(200);
        assert_eq!(cancelled.attribute("state"), "cancelled");
    }
    world.later(DAY).await;
    assert_eq!((&scheduled(&world, &id).await["state"], runs_of(&world, &workflow).await), (&json!("cancelled"), 0));
    let listed = world.get("/v1/scheduled-runs").await.expect(200);
    assert_eq!(listed.body["data"][0]["id"], id);
}

#[tokio::test]
async fn a_call_whose_workflow_is_gone_or_has_changed_says_why_it_was_not_made() {
    let world = World::new().await;
    let workflow = reminder(&world).await;
    let first = schedule(&world, json!({ "type": "relative", "value": 60_000 })).await;
    world.api("PUT", &format!("/v1/workflows/{workflow}"), json!({ "enabled": false })).await.expect(200);
    world.later(60).await;
    assert_eq!(scheduled(&world, &first).await["error"]["code"], "workflow_disabled");
    world.api("PUT", &format!("/v1/workflows/{workflow}"), json!({ "enabled": true })).await.expect(200);
    let second = schedule(&world, json!({ "type": "relative", "value": 60_000 })).await;
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    world.later(60).await;
    let failed = scheduled(&world, &second).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("unknown_workflow")));
}

#[tokio::test]
async fn a_step_schedules_a_workflow_which_schedules_the_next() {
    let world = World::new().await;
    let chain = json!([{ "id": "next", "action": "kustomer.app.scheduler.schedule-workflow", "transitions": [],
        "params": { "runAt": { "type": "relative", "value": 3_600_000 }, "workflowId": "/#steps.1.then", "inputs": {} } }]);
    let last = reminder(&world).await;
    let first = callable(&world, "first", chain).await;
    let id = called(&world, &first, json!({ "then": last })).await;
    let over = run(&world, &id).await;
    let output = step(&over, "next")["output"].clone();
    assert_eq!((&output["type"], &output["runAt"]), (&json!("scheduled_run"), &json!("2026-11-22T13:00:00.000Z")));
    let made = scheduled(&world, output["id"].as_str().unwrap()).await;
    assert_eq!((&made["scheduledBy"], &made["state"]), (&json!(id), &json!("waiting")));
    world.later(3_600).await;
    assert_eq!(runs_of(&world, &last).await, 1);

    for (params, code) in [
        (json!({ "workflowId": "reminder" }), "missing_param"),
        (json!({ "workflowId": "reminder", "runAt": { "type": "relative", "value": -1 } }), "wrong_time"),
        (json!({ "workflowId": "reminder", "runAt": "2027-02-30" }), "wrong_time"),
        (json!({ "workflowId": "nobody", "runAt": "2027-02-03" }), "unknown_workflow"),
        (json!({ "runAt": "2027-02-03" }), "missing_param"),
        (json!({ "workflowId": "reminder", "runAt": "2027-02-03", "inputs": "x" }), "wrong_param"),
    ] {
        let mut steps = json!([{ "id": "s", "action": "kustomer.app.scheduler.schedule-workflow", "transitions": [], "params": {} }]);
        for name in ["workflowId", "runAt", "inputs"] {
            steps[0]["params"][name] = json!(format!("/#steps.1.{name}"));
        }
        let workflow = callable(&world, "bad", steps).await;
        let id = called(&world, &workflow, params.clone()).await;
        assert_eq!(run(&world, &id).await["error"]["code"], code, "{params}");
        world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    }
}

#[tokio::test]
async fn what_cannot_be_scheduled_is_refused_at_once() {
    let world = World::new().await;
    reminder(&world).await;
    for (draft, status, code) in [
        (json!({ "runAt": "2027-01-01" }), 400, "bad_attribute"),
        (json!({ "workflow": "reminder" }), 400, "bad_attribute"),
        (json!({ "workflow": "reminder", "runAt": "2027-02-30" }), 400, "bad_attribute"),
        (json!({ "workflow": "reminder", "runAt": { "type": "relative", "value": -5 } }), 400, "bad_attribute"),
        (json!({ "workflow": "reminder", "runAt": "2027-01-01", "inputs": [] }), 400, "bad_attribute"),
        (json!({ "workflow": "reminder", "runAt": "2027-01-01", "every": "day" }), 400, "unknown_attribute"),
        (json!({ "workflow": "nobody", "runAt": "2027-01-01" }), 404, "not_found"),
    ] {
        assert_eq!(world.api("POST", "/v1/scheduled-runs", draft.clone()).await.expect(status).code(), code, "{draft}");
    }
}

#[tokio::test]
async fn an_org_has_a_thousand_calls_made_in_a_quarter_of_an_hour_and_the_rest_in_the_next() {
    let world = World::new().await;
    let workflow = callable(
        &world,
        "reminder",
        json!([{ "id": "end", "transitions": always("end2") }, { "id": "end2", "transitions": [] }]),
    )
    .await;
    for second in 0..1_001 {
        let run_at = json!({ "type": "relative", "value": 60_000 + second });
        schedule(&world, run_at).await;
    }
    world.later(90).await;
    assert_eq!(runs_of(&world, &workflow).await, 1_000);
    let listed = world.get("/v1/scheduled-runs?pageSize=1").await.expect(200);
    let last = &listed.body["data"][0]["attributes"];
    assert_eq!((&last["state"], &last["delayedUntil"]), (&json!("waiting"), &json!("2026-11-22T12:15:00.000Z")));
    world.later(12 * 60).await;
    assert_eq!(runs_of(&world, &workflow).await, 1_000);
    world.later(90).await;
    assert_eq!(runs_of(&world, &workflow).await, 1_001);
}

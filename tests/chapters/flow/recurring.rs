//! Calls that are made again and again: each occurrence once, whatever the ticker, the clock and the owner do.

use serde_json::{Value, json};
use tests::{World, world::always};

use super::{DAY, callable, run};

const PATH: &str = "/v1/recurring-schedules";

/// A schedule of a workflow `report`.
async fn schedule(world: &World, recurrence: Value) -> String {
    callable(world, "report", json!([{ "id": "end", "transitions": [] }])).await;
    let draft = json!({ "title": "Report", "workflow": "report", "inputs": { "store": 7 }, "recurrence": recurrence });
    world.api("POST", PATH, draft).await.expect(201).id()
}

async fn shown(world: &World, id: &str) -> Value {
    world.get(&format!("{PATH}/{id}")).await.expect(200).body["data"]["attributes"].clone()
}

async fn change(world: &World, id: &str, change: Value) -> Value {
    let changed = world.api("PUT", &format!("{PATH}/{id}"), change).await.expect(200);
    changed.body["data"]["attributes"].clone()
}

/// When the occurrences were planned that became something, with what they became, earliest first.
async fn made(world: &World) -> Vec<(String, Value)> {
    let runs = world.every("/v1/scheduled-runs?pageSize=100").await;
    let attributes = runs.iter().rev().map(|run| &run["attributes"]);
    attributes.map(|run| (run["runAt"].as_str().unwrap().to_owned(), run["state"].clone())).collect()
}

async fn times(world: &World) -> Vec<String> {
    made(world).await.into_iter().map(|(at, _)| at).collect()
}

#[tokio::test]
async fn each_occurrence_is_a_scheduled_run_that_calls_the_workflow() {
    let world = World::new().await;
    let id = schedule(&world, json!({ "every": { "minutes": 15 } })).await;
    assert_eq!(shown(&world, &id).await["upcoming"][1], "2026-11-22T12:30:00.000Z");
    for _ in 0..60 {
        world.later(60).await;
    }
    let wanted = ["12:15", "12:30", "12:45", "13:00"].map(|at| format!("2026-11-22T{at}:00.000Z"));
    assert_eq!(times(&world).await, wanted);
    let after = shown(&world, &id).await;
    assert_eq!(after["nextRunAt"], "2026-11-22T13:15:00.000Z");
    let last = format!("/v1/scheduled-runs/{}", after["lastScheduledRunId"].as_str().unwrap());
    let last = world.get(&last).await.expect(200);
    assert_eq!((last.attribute("state"), last.attribute("recurringScheduleId")), (json!("started"), json!(id)));
    let over = run(&world, last.attribute("runId").as_str().unwrap()).await;
    assert_eq!((&over["state"], &over["steps"][0]["output"]), (&json!("succeeded"), &json!({ "store": 7 })));
}

#[tokio::test]
async fn the_list_has_every_schedule_of_the_org_page_by_page() {
    let world = World::new().await;
    let first = schedule(&world, json!({ "every": { "minutes": 15 } })).await;
    let draft = json!({ "title": "Stock", "workflow": "report", "recurrence": { "cron": "0 * * * *" } });
    let second = world.api("POST", PATH, draft).await.expect(201).id();
    let schedules = world.every(&format!("{PATH}?pageSize=1")).await;
    let mut listed: Vec<&str> = schedules.iter().map(|schedule| schedule["id"].as_str().unwrap()).collect();
    listed.sort_unstable();
    let mut wanted = vec![first, second];
    wanted.sort();
    assert_eq!(listed, wanted);
}

#[tokio::test]
async fn a_wall_clock_that_is_put_forward_and_back_makes_each_day_one_occurrence() {
    let world = World::new().await;
    // In Berlin half past two is left out on 2027-03-28, and comes twice on 2027-10-31.
    world.later(125 * DAY).await;
    let id = schedule(&world, json!({ "cron": "30 2 * * *", "timeZone": "Europe/Berlin" })).await;
    for _ in 0..72 {
        world.later(3_600).await;
    }
    let spring = ["2027-03-28T01:00:00.000Z", "2027-03-29T00:30:00.000Z", "2027-03-30T00:30:00.000Z"];
    assert_eq!(times(&world).await[..2], spring[..2], "{:?}", shown(&world, &id).await);
    change(&world, &id, json!({ "enabled": false })).await;
    world.later(213 * DAY).await;
    change(&world, &id, json!({ "enabled": true })).await;
    for _ in 0..96 {
        world.later(3_600).await;
    }
    let autumn = times(&world).await;
    let of_31st: Vec<&String> = autumn.iter().filter(|at| at.starts_with("2027-10-31")).collect();
    assert_eq!(of_31st, ["2027-10-31T00:30:00.000Z"], "{autumn:?}");
}

#[tokio::test]
async fn missed_ticks_and_two_tickers_and_a_clock_that_jumps_make_each_occurrence_once() {
    let world = World::new().await;
    let id = schedule(&world, json!({ "cron": "0 * * * *" })).await;
    // Nothing ticks for five hours; then three do at once.
    world.clock.pass_seconds(5 * 3_600 + 10);
    for _ in 0..3 {
        world.tick().await;
    }
    world.work().await;
    let wanted: Vec<String> = (13..=17).map(|hour| format!("2026-11-22T{hour}:00:00.000Z")).collect();
    assert_eq!(times(&world).await, wanted);
    world.clock.pass_seconds(-3 * 3_600);
    for _ in 0..4 {
        world.later(3_600).await;
    }
    world.later(60).await;
    assert_eq!(times(&world).await.len(), 6, "18:00, and none again");
    // A clock that jumps three days ahead: a day is made up for, and what was before is told.
    world.later(3 * DAY).await;
    world.later(60).await;
    let after = shown(&world, &id).await;
    assert_eq!(after["skipped"]["from"], "2026-11-22T19:00:00.000Z");
    assert_eq!(times(&world).await.len(), 6 + 24, "{after:#}");
}

#[tokio::test]
async fn a_schedule_whose_workflow_is_gone_says_so_at_each_occurrence_and_goes_on() {
    let world = World::new().await;
    let id = schedule(&world, json!({ "every": { "hours": 1 } })).await;
    let workflow = shown(&world, &id).await["workflowId"].as_str().unwrap().to_owned();
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    world.later(3_600).await;
    assert_eq!(made(&world).await, [("2026-11-22T13:00:00.000Z".to_owned(), json!("failed"))]);
    let other = callable(&world, "other", json!([{ "id": "end", "transitions": [] }])).await;
    assert_eq!(change(&world, &id, json!({ "workflow": "other" })).await["workflowId"], other);
    world.later(3_600).await;
    assert_eq!(made(&world).await[1], ("2026-11-22T14:00:00.000Z".to_owned(), json!("started")));
}

#[tokio::test]
async fn a_schedule_that_is_disabled_changed_or_deleted_makes_what_it_says_then() {
    let world = World::new().await;
    let id = schedule(&world, json!({ "every": { "hours": 1 } })).await;
    assert_eq!(change(&world, &id, json!({ "enabled": false })).await["nextRunAt"], Value::Null);
    world.later(3 * 3_600).await;
    assert!(times(&world).await.is_empty());
    assert_eq!(change(&world, &id, json!({ "enabled": true })).await["nextRunAt"], "2026-11-22T16:00:00.000Z");
    let half = json!({ "recurrence": { "every": { "minutes": 30 } } });
    assert_eq!(change(&world, &id, half).await["nextRunAt"], "2026-11-22T15:30:00.000Z");
    world.later(1_800).await;
    assert_eq!(times(&world).await, ["2026-11-22T15:30:00.000Z"]);
    world.api("DELETE", &format!("{PATH}/{id}"), Value::Null).await.expect(204);
    world.later(DAY).await;
    assert_eq!(times(&world).await.len(), 1);
    world.get(&format!("{PATH}/{id}")).await.expect(404);
}

#[tokio::test]
async fn what_cannot_recur_is_refused_at_once() {
    let world = World::new().await;
    callable(&world, "report", json!([{ "id": "end", "transitions": [] }])).await;
    let trigger = json!({ "callable": true, "transitions": always("end"), "schema": { "required": ["order"] } });
    world.workflow(json!({ "name": "picky", "trigger": trigger, "steps": [{ "id": "end", "transitions": [] }] })).await;
    let every = json!({ "every": { "hours": 1 } });
    for (draft, status, path, code) in [
        (json!({ "title": "a", "recurrence": every }), 400, "$.workflow", "bad_attribute"),
        (json!({ "workflow": "report", "recurrence": every }), 400, "$.title", "bad_attribute"),
        (json!({ "title": " ", "workflow": "report", "recurrence": every }), 400, "$.title", "bad_attribute"),
        (
            json!({ "title": "a".repeat(257), "workflow": "report", "recurrence": every }),
            400,
            "$.title",
            "bad_attribute",
        ),
        (json!({ "title": "a", "workflow": "report" }), 400, "$.recurrence", "bad_recurrence"),
        (
            json!({ "title": "a", "workflow": "report", "recurrence": { "cron": "0 0 30 2 *" } }),
            400,
            "$.recurrence.cron",
            "never_fires",
        ),
        (
            json!({ "title": "a", "workflow": "report", "recurrence": { "cron": "0 0 * * *", "timeZone": "Mars" } }),
            400,
            "$.recurrence.timeZone",
            "bad_recurrence",
        ),
        (
            json!({ "title": "a", "workflow": "report", "recurrence": { "every": { "seconds": 59 } } }),
            400,
            "$.recurrence.every.seconds",
            "bad_recurrence",
        ),
        (
            json!({ "title": "a", "workflow": "report", "recurrence": { "every": { "hours": -1 } } }),
            400,
            "$.recurrence.every.hours",
            "bad_recurrence",
        ),
        (
            json!({ "title": "a", "workflow": "report", "recurrence": every, "enabled": 1 }),
            400,
            "$.enabled",
            "bad_attribute",
        ),
        (
            json!({ "title": "a", "workflow": "report", "recurrence": every, "cron": "x" }),
            400,
            "$.cron",
            "unknown_attribute",
        ),
        (json!({ "title": "a", "workflow": "picky", "recurrence": every }), 400, "$.inputs", "wrong_inputs"),
        (json!({ "title": "a", "workflow": "nobody", "recurrence": every }), 404, "", "not_found"),
    ] {
        let refused = world.api("POST", PATH, draft.clone()).await.expect(status);
        assert_eq!(refused.code(), code, "{draft}");
        if !path.is_empty() {
            assert_eq!(refused.body["errors"][0]["source"]["path"].as_str(), Some(path), "{draft}");
        }
    }
    let at_limit =
        json!({ "title": "a".repeat(256), "workflow": "report", "recurrence": { "every": { "seconds": 60 } } });
    world.api("POST", PATH, at_limit).await.expect(201);
    let preview = |count: u64| json!({ "recurrence": { "cron": "30 2 * * *", "timeZone": "Europe/Berlin" }, "from": "2027-03-27T00:00:00Z", "count": count });
    let asked = world.api("POST", &format!("{PATH}/preview"), preview(3)).await.expect(200);
    let spring = json!(["2027-03-27T01:30:00.000Z", "2027-03-28T01:00:00.000Z", "2027-03-29T00:30:00.000Z"]);
    assert_eq!(asked.attribute("upcoming"), spring);
    for (count, status) in [(1, 200), (100, 200), (0, 400), (101, 400)] {
        world.api("POST", &format!("{PATH}/preview"), preview(count)).await.expect(status);
    }
}

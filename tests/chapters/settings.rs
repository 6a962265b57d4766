//! What an org sets up for its workflows: business schedules and settings of apps.

use serde_json::{Value, json};
use service::{directory::settings, ports::WriteError};
use tests::world::{World, workflow_of};

/// A schedule that is open on Sundays at noon in UTC, which is when every story begins.
fn open_on_sundays(name: &str) -> Value {
    json!({ "name": name, "timeZone": "Europe/Berlin", "hours": { "sunday": [{ "from": "13:00", "to": "13:30" }] } })
}

/// Whether `expression` holds in a run that begins now.
async fn holds(world: &World, expression: &str) -> bool {
    let hook = world.form_hook().await;
    let mut document = workflow_of("asks", &hook.event, json!([{ "id": "end", "transitions": [] }]));
    document["trigger"]["transitions"][0]["condition"] = json!({ "op": "eq", "values": [expression, true] });
    let workflow = world.workflow(document).await;
    let transaction = world.arrive(&hook, json!({})).await;
    let run = world.run_of(&transaction).await;
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    run["steps"][0]["transition"]["target"] == "end"
}

#[tokio::test]
async fn business_hours_are_those_of_the_schedule_that_is_named_or_of_the_default() {
    let world = World::new().await;
    assert!(!holds(&world, "/#fn:inBusinessHours").await, "there is no schedule yet");
    let first = world.api("POST", "/v1/schedules", open_on_sundays("Support")).await.expect(201);
    assert_eq!(first.attribute("isDefault"), true, "the first one is the default");
    let never = world.api("POST", "/v1/schedules", json!({ "name": "Never" })).await.expect(201);
    assert_eq!((never.attribute("isDefault"), never.attribute("timeZone")), (json!(false), json!("UTC")));
    // A change is seen by executors within seconds.
    world.clock.pass_seconds(5);
    assert!(holds(&world, "/#fn:inBusinessHours").await);
    assert!(holds(&world, &format!("/#fn:inBusinessHours,,{}", first.id())).await);
    assert!(!holds(&world, &format!("/#fn:inBusinessHours,,{}", never.id())).await);

    let path = format!("/v1/schedules/{}", never.id());
    assert_eq!(world.api("PATCH", &path, json!({ "isDefault": true })).await.expect(200).attribute("isDefault"), true);
    let listed = world.get("/v1/schedules").await.expect(200);
    let defaults: Vec<bool> = listed.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|schedule| schedule["attributes"]["isDefault"].as_bool().unwrap())
        .collect();
    assert_eq!(defaults, [false, true]);
    world.api("DELETE", &path, Value::Null).await.expect(204);
    world.get(&path).await.expect(404);
    let left = format!("/v1/schedules/{}", first.id());
    assert_eq!(world.get(&left).await.expect(200).attribute("isDefault"), false, "no other becomes it by itself");
    let holiday = json!({ "isDefault": true, "holidays": [{ "date": "2026-11-22", "name": "Closed" }] });
    world.api("PUT", &left, holiday).await.expect(200);
    world.clock.pass_seconds(5);
    assert!(!holds(&world, "/#fn:inBusinessHours").await, "a holiday is no business day");
}

#[tokio::test]
async fn a_schedule_that_cannot_be_is_refused_with_every_place() {
    let world = World::new().await;
    let draft = json!({
        "name": "n".repeat(129),
        "timeZone": "Berlin",
        "hours": {
            "monday": [{ "from": "9:00", "to": "17:00" }],
            "tuesday": [{ "from": "17:00", "to": "09:00" }],
            "funday": [],
        },
        "holidays": [{ "date": "25 December" }],
    });
    let answer = world.api("POST", "/v1/schedules", draft).await.expect(400);
    let paths: Vec<&str> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["source"]["path"].as_str().unwrap())
        .collect();
    for path in
        ["$.name", "$.timeZone", "$.hours.monday[0]", "$.hours.tuesday[0]", "$.hours.funday", "$.holidays[0].date"]
    {
        assert!(paths.iter().any(|found| found.starts_with(path)), "{path} is not in {paths:?}");
    }
    for wrong in [
        json!({ "name": "n", "hours": [] }),
        json!({ "name": "n", "hours": { "monday": "always" } }),
        json!({ "name": "n", "hours": { "monday": [{ "from": "09:00" }] } }),
        json!({ "name": "n", "holidays": {} }),
        json!({ "name": "n", "isDefault": "yes" }),
        json!({}),
    ] {
        world.api("POST", "/v1/schedules", wrong).await.expect(400);
    }
    assert_eq!(world.get("/v1/schedules").await.body["data"], json!([]));
}

#[tokio::test]
async fn an_org_has_a_hundred_schedules_at_most() {
    let world = World::new().await;
    for index in 0..100 {
        world.api("POST", "/v1/schedules", json!({ "name": format!("s{index}") })).await.expect(201);
    }
    let one_more = world.api("POST", "/v1/schedules", json!({ "name": "s100" })).await.expect(409);
    assert_eq!(one_more.code(), "too_many_schedules");
}

#[tokio::test]
async fn workflows_read_the_settings_of_apps() {
    let world = World::new().await;
    let path = "/v1/apps/ecommstore/settings";
    assert_eq!(world.get(path).await.expect(200).body["data"]["attributes"], json!({}));
    let settings = json!({ "default": { "region": "eu", "limit": 5, "isLive": true } });
    world.api("PUT", path, settings.clone()).await.expect(200);
    world.clock.pass_seconds(5);
    assert!(holds(&world, "/#fn:getAppSetting,ecommstore.default.isLive").await);
    let changed =
        world.api("PATCH", path, json!({ "default": { "region": "us", "limit": null }, "extra": { "a": 1 } })).await;
    let changed = changed.expect(200);
    assert_eq!(
        changed.body["data"]["attributes"],
        json!({ "default": { "region": "us", "isLive": true }, "extra": { "a": 1 } })
    );
    world.api("PATCH", path, json!({ "default": null })).await.expect(200);
    world.clock.pass_seconds(5);
    assert!(!holds(&world, "/#fn:getAppSetting,ecommstore.default.isLive").await);

    let named = "A category or setting is named with 1 to 128 letters, digits, `-` and `_`.";
    for (wrong, place, sentence) in [
        (json!({ "default": "eu" }), "$.default", "Settings stand in categories: {\"default\": {\"region\": \"eu\"}}."),
        (json!({ "with space": {} }), "$.with space", named),
        (json!({ "default": { "a.b": 1 } }), "$.default.a.b", named),
        (json!({ "default": { "list": [] } }), "$.default.list", "A setting is a text, a number, true or false."),
        (json!({ "default": { "n".repeat(129): 1 } }), &format!("$.default.{}", "n".repeat(129)), named),
    ] {
        let answer = world.api("PUT", path, wrong.clone()).await.expect(400);
        let error = &answer.body["errors"][0];
        assert_eq!((&error["source"]["path"], &error["detail"]), (&json!(place), &json!(sentence)), "{wrong}");
    }
    world.api("PUT", path, json!({ "default": { "n".repeat(128): 1 } })).await.expect(200);
    world.api("PUT", path, json!({ "default": null })).await.expect(200);
    let large = json!({ "default": { "text": "x".repeat(65_536 - "{\"extra\":{\"a\":1},\"default\":{\"text\":\"\"}}".len()) } });
    world.api("PUT", path, large.clone()).await.expect(200);
    let past = json!({ "default": { "more": 1 } });
    assert_eq!(world.api("PUT", path, past).await.expect(400).code(), "settings_too_large");
    for name in ["", "a%20b", "..", &"a".repeat(129)] {
        let answer = world.get(&format!("/v1/apps/{name}/settings")).await;
        assert_eq!(answer.status, 404, "{name}");
    }
}

#[tokio::test]
async fn settings_of_two_who_change_them_at_once_are_not_lost() {
    let world = World::new().await;
    world.api("PUT", "/v1/apps/shop/settings", json!({ "default": { "region": "eu" } })).await.expect(200);
    let (store, org) = (world.store.as_ref(), world.org);
    let seen = settings::find_app_settings(store, org, "shop").await.unwrap().unwrap();
    let put = || settings::put_app_settings(store, org, "shop", &seen.value, Some(seen.rev));
    put().await.unwrap();
    assert!(matches!(put().await, Err(WriteError::Conflict { .. })));
    let anew = settings::put_app_settings(store, org, "shop", &seen.value, None).await;
    assert!(matches!(anew, Err(WriteError::Conflict { .. })));
}

#[tokio::test]
async fn a_hundred_apps_have_settings_and_one_that_has_none_left_makes_room() {
    let world = World::new().await;
    let setting = json!({ "default": { "v": 1 } });
    for number in 0..100 {
        world.api("PUT", &format!("/v1/apps/app{number}/settings"), setting.clone()).await.expect(200);
    }
    let one_more = world.api("PUT", "/v1/apps/app100/settings", setting.clone()).await.expect(409);
    assert_eq!(one_more.code(), "too_many_apps");
    let emptied = world.api("PUT", "/v1/apps/app7/settings", json!({ "default": { "v": null } })).await.expect(200);
    assert_eq!(emptied.body["data"]["attributes"], json!({}));
    world.api("PUT", "/v1/apps/app100/settings", setting).await.expect(200);
    assert!(holds(&world, "/#fn:eq,steps.1.type,transaction").await, "a workflow runs beside them");
    let asked = json!({ "expression": "/#fn:getAppSetting,app100.default.v" });
    assert_eq!(world.api("POST", "/v1/evaluate", asked).await.expect(200).attribute("value"), 1);
}

#[tokio::test]
async fn whoever_evaluates_sees_of_the_setup_what_their_key_may_read() {
    let world = World::new().await;
    world.api("PUT", "/v1/apps/shop/settings", json!({ "default": { "region": "eu" } })).await.expect(200);
    world.api("POST", "/v1/schedules", open_on_sundays("Support")).await.expect(201);
    let ask = |roles: Vec<&'static str>, seed: u8, expression: &'static str| {
        let world = &world;
        async move {
            let key = world.key(world.org, &roles, seed).await;
            let asked = json!({ "expression": expression });
            world.api_as(&key, "POST", "/v1/evaluate", asked).await.expect(200).attribute("value")
        }
    };
    let read = "org.permission.workflow.read";
    for (seed, role, expression, value) in [
        (31, "org.permission.app_setting.read", "/#fn:getAppSetting,shop.default.region", json!("eu")),
        (33, "org.permission.schedule.read", "/#fn:inBusinessHours", json!(true)),
    ] {
        assert_eq!(ask(vec![read], seed, expression).await, Value::Null, "{expression}");
        assert_eq!(ask(vec![read, role], seed + 1, expression).await, value, "{expression}");
    }
}

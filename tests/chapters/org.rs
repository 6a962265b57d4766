//! Settings of the org, and that each of them has its effect.

use domain::Limit;
use serde_json::{Value, json};
use service::Limits;
use tests::{
    mail::delivery,
    schemas::misfits,
    world::{MAIL_DOMAIN, World, always, workflow_of},
};

/// How long doors and executors believe what they have read.
const SEEN_AFTER_SECONDS: i64 = 5;

async fn set(world: &World, settings: Value) {
    world.api("PUT", "/v1/org", settings).await.expect(200);
    world.clock.pass_seconds(SEEN_AFTER_SECONDS);
}

/// The name of the company that a run makes of `expression`.
async fn written(world: &World, expression: &str) -> Value {
    let hook = world.form_hook().await;
    let step = json!([{ "id": "c", "action": "kustomer.company.create", "params": { "name": expression }, "transitions": always("end") },
        { "id": "end", "transitions": [] }]);
    let workflow = world.workflow(workflow_of("writes", &hook.event, step)).await;
    let transaction = world.arrive(&hook, json!({ "at": "2026-11-28T02:30:00Z", "day": "2026-11-28" })).await;
    let run = world.run_of(&transaction).await;
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    run["steps"][1]["output"]["name"].clone()
}

#[tokio::test]
async fn an_org_that_has_set_nothing_has_defaults_and_what_is_set_stays() {
    let world = World::new().await;
    let first = world.get("/v1/org").await.expect(200);
    assert_eq!(misfits("Org", &first.body), [] as [String; 0]);
    assert_eq!(first.id(), world.org.to_string());
    let defaults = json!({
        "name": null, "timeZone": "UTC", "defaultSchedule": null, "limit": null, "hookLimit": null, "inFlightLimit": 100,
        "mailDomain": MAIL_DOMAIN, "rev": 0, "updatedAt": null,
    });
    assert_eq!(first.body["data"]["attributes"], defaults);

    let schedule = world.api("POST", "/v1/schedules", json!({ "name": "Support" })).await.expect(201).id();
    assert_eq!(world.get("/v1/org").await.attribute("defaultSchedule"), json!(schedule));
    let limit = json!({ "requests": 600, "seconds": 60 });
    let sent = json!({ "name": " Acme ", "timeZone": "Europe/Berlin", "limit": limit, "hookLimit": limit, "inFlightLimit": 1 });
    let changed = world.api("PUT", "/v1/org", sent).await.expect(200);
    assert_eq!(misfits("Org", &changed.body), [] as [String; 0]);
    assert_eq!(changed.attribute("name"), "Acme");
    assert_eq!(changed.attribute("inFlightLimit"), 1);
    let patched = world.api("PATCH", "/v1/org", json!({ "name": null, "limit": null })).await.expect(200);
    assert_eq!((patched.attribute("name"), patched.attribute("limit")), (Value::Null, Value::Null));
    let kept = [patched.attribute("timeZone"), patched.attribute("hookLimit"), patched.attribute("defaultSchedule")];
    assert_eq!(kept, [json!("Europe/Berlin"), limit, json!(schedule)]);
    // What was shown may be sent back.
    let again = world.api("PUT", "/v1/org", patched.body["data"]["attributes"].clone()).await.expect(200);
    assert_eq!(again.attribute("rev"), 4);
    let cleared = world
        .api("PUT", "/v1/org", json!({ "timeZone": null, "defaultSchedule": null, "inFlightLimit": null }))
        .await
        .expect(200);
    assert_eq!(cleared.attribute("inFlightLimit"), 100);
    assert_eq!((cleared.attribute("timeZone"), cleared.attribute("defaultSchedule")), (json!("UTC"), Value::Null));
}

#[tokio::test]
async fn of_two_who_change_the_same_revision_the_second_is_told() {
    let world = World::new().await;
    world.api("PUT", "/v1/org", json!({ "name": "one", "rev": 0 })).await.expect(200);
    let late = world.api("PUT", "/v1/org", json!({ "name": "two", "rev": 0 })).await.expect(409);
    assert_eq!(late.code(), "changed_meanwhile");
    assert_eq!(world.get("/v1/org").await.attribute("name"), "one");
    world.api("PUT", "/v1/org", json!({ "name": "two", "rev": 1 })).await.expect(200);
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_with_a_sentence() {
    let world = World::new().await;
    for (wrong, path, part) in [
        (json!({ "timeZone": "Berlin" }), "$.timeZone", "IANA"),
        (json!({ "timeZone": "" }), "$.timeZone", "IANA"),
        (json!({ "timeZone": 1 }), "$.timeZone", "text"),
        (json!({ "name": "" }), "$.name", "1 to 128"),
        (json!({ "name": "n".repeat(129) }), "$.name", "1 to 128"),
        (json!({ "defaultSchedule": "5a345109e578360010eadead" }), "$.defaultSchedule", "schedules ls"),
        (json!({ "defaultSchedule": "x" }), "$.defaultSchedule", "schedules ls"),
        (json!({ "limit": 5 }), "$.limit", "null"),
        (json!({ "limit": { "requests": 0, "seconds": 60 } }), "$.limit", "1 to 1000000"),
        (json!({ "limit": { "requests": 1_000_001, "seconds": 60 } }), "$.limit", "1 to 1000000"),
        (json!({ "hookLimit": { "requests": 1, "seconds": 86_401 } }), "$.hookLimit", "86400"),
        (json!({ "hookLimit": { "requests": 1 } }), "$.hookLimit", "null"),
        (json!({ "inFlightLimit": 0 }), "$.inFlightLimit", "1 to 1000"),
        (json!({ "inFlightLimit": 1_001 }), "$.inFlightLimit", "1 to 1000"),
        (json!({ "inFlightLimit": 1.5 }), "$.inFlightLimit", "1 to 1000"),
        (json!({ "inFlightLimit": "7" }), "$.inFlightLimit", "null for 100"),
        (json!({ "mailDomain": "elsewhere.example" }), "$.mailDomain", "MailDomain"),
        (json!({ "rev": "1" }), "$.rev", "number"),
        (json!({ "timezone": "Europe/Berlin" }), "$.timezone", "timeZone"),
    ] {
        let answer = world.api("PUT", "/v1/org", wrong.clone()).await.expect(400);
        let error = &answer.body["errors"][0];
        assert_eq!(error["source"]["path"], path, "{wrong}");
        assert!(error["detail"].as_str().unwrap().contains(part), "{wrong}: {error}");
    }
    assert_eq!(world.get("/v1/org").await.attribute("rev"), 0);
    let most = json!({ "name": "n".repeat(128), "limit": { "requests": 1_000_000, "seconds": 86_400 }, "inFlightLimit": 1_000 });
    world.api("PUT", "/v1/org", most).await.expect(200);
    for method in ["POST", "DELETE"] {
        world.api(method, "/v1/org", json!({})).await.expect(405);
    }
}

#[tokio::test]
async fn dates_are_in_the_time_zone_of_the_org_where_none_is_named() {
    let world = World::new().await;
    let expressions = [
        "/#fn:dateFormat,steps.1.attributes.data.at",
        "/#fn:dateFormat,steps.1.attributes.data.day,L LT",
        "{{{dateFormat steps.1.attributes.data.at format='LT' timeZone='Asia/Tokyo'}}}",
    ];
    for (zone, expected) in [
        (None, ["2026-11-28T02:30:00+00:00", "11/28/2026 12:00 AM", "11:30 AM"]),
        (Some("America/New_York"), ["2026-11-27T21:30:00-05:00", "11/28/2026 12:00 AM", "11:30 AM"]),
        (Some("Europe/Berlin"), ["2026-11-28T03:30:00+01:00", "11/28/2026 12:00 AM", "11:30 AM"]),
    ] {
        set(&world, json!({ "timeZone": zone })).await;
        for (expression, expected) in expressions.iter().zip(expected) {
            assert_eq!(written(&world, expression).await, expected, "{expression} in {zone:?}");
        }
        let asked =
            json!({ "expression": "/#fn:dateFormat,steps.1.at", "steps": { "1": { "at": "2026-11-28T02:30:00Z" } } });
        let evaluated = world.api("POST", "/v1/evaluate", asked).await.expect(200);
        assert_eq!(evaluated.attribute("value"), expected[0], "{zone:?}");
    }
}

#[tokio::test]
async fn executors_see_a_new_time_zone_within_seconds() {
    let world = World::new().await;
    let expression = "/#fn:dateFormat,steps.1.attributes.data.at,LT";
    assert_eq!(written(&world, expression).await, "2:30 AM");
    world.api("PUT", "/v1/org", json!({ "timeZone": "Europe/Berlin" })).await.expect(200);
    world.clock.pass_seconds(SEEN_AFTER_SECONDS - 1);
    assert_eq!(written(&world, expression).await, "2:30 AM");
    world.clock.pass_seconds(1);
    assert_eq!(written(&world, expression).await, "3:30 AM");
}

#[tokio::test]
async fn a_schedule_that_names_no_time_zone_has_that_of_the_org_as_it_was_then() {
    let world = World::new().await;
    let zone = async |draft: Value| world.api("POST", "/v1/schedules", draft).await.expect(201).attribute("timeZone");
    assert_eq!(zone(json!({ "name": "one" })).await, "UTC");
    set(&world, json!({ "timeZone": "Europe/Berlin" })).await;
    assert_eq!(zone(json!({ "name": "two" })).await, "Europe/Berlin");
    assert_eq!(zone(json!({ "name": "three", "timeZone": "Asia/Tokyo" })).await, "Asia/Tokyo");
    set(&world, json!({ "timeZone": "America/New_York" })).await;
    let zones: Vec<Value> = world.get("/v1/schedules").await.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|schedule| schedule["attributes"]["timeZone"].clone())
        .collect();
    assert_eq!(zones, ["UTC", "Europe/Berlin", "Asia/Tokyo"]);
}

#[tokio::test]
async fn the_orgs_limit_lets_in_as_many_as_it_says_and_no_more_at_all_hooks_together() {
    let mut world = World::new().await;
    world.door.limits = Limits::for_each_org(Some(Limit { requests: 1, seconds: 60 }));
    let (one, other) = (world.form_hook().await, world.form_hook().await);
    world.post(&one, json!({})).await.expect(202);
    world.post(&other, json!({})).await.expect(429);
    // It takes the place of what the deployment says, within seconds.
    set(&world, json!({ "limit": { "requests": 3, "seconds": 3_600 } })).await;
    for hook in [&one, &other, &one] {
        world.post(hook, json!({})).await.expect(202);
    }
    let refused = world.post(&other, json!({})).await.expect(429);
    assert_eq!(refused.headers["x-ratelimit-limit"], "3");
    set(&world, json!({ "limit": null })).await;
    world.clock.pass_seconds(60);
    world.post(&one, json!({})).await.expect(202);
    world.post(&one, json!({})).await.expect(429);
}

#[tokio::test]
async fn the_hooks_limit_is_that_of_each_hook_which_has_none_of_its_own() {
    let world = World::new().await;
    set(&world, json!({ "hookLimit": { "requests": 2, "seconds": 3_600 } })).await;
    let (one, other) = (world.form_hook().await, world.form_hook().await);
    let own = json!({ "title": "Own", "limit": { "requests": 3, "seconds": 3_600 } });
    let own = world.form_hook_with(own).await;
    for (hook, count) in [(&one, 2), (&other, 2), (&own, 3)] {
        for _ in 0..count {
            world.post(hook, json!({})).await.expect(202);
        }
        world.post(hook, json!({})).await.expect(429);
    }
}

#[tokio::test]
async fn mail_over_the_orgs_limit_waits_in_quarantine() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    set(&world, json!({ "limit": { "requests": 1, "seconds": 3_600 } })).await;
    for id in ["m1", "m2"] {
        let mail = tests::mail::order_mail(&format!("<{id}@shop.example>"), "{\"orderNumber\":\"1\"}");
        world.mail(&delivery(id, &[&hook.address]), mail).await.unwrap();
    }
    let waiting = world.quarantine(&hook).await;
    assert_eq!((waiting.len(), &waiting[0]["attributes"]["code"]), (1, &json!("over_limit")));
}

#[tokio::test]
async fn a_store_that_does_not_say_what_an_org_has_set_keeps_nobody_out() {
    let mut world = World::new().await;
    let hook = world.form_hook().await;
    world.api("PUT", "/v1/org", json!({ "limit": { "requests": 1, "seconds": 3_600 } })).await.expect(200);
    let faulty = tests::faults::FaultyStore::new(world.store.clone(), tests::faults::Fault::Refuses);
    let faulty = std::sync::Arc::new(faulty);
    world.door.store = faulty.clone();
    // The address is looked up first.
    faulty.fail_in(1);
    for _ in 0..2 {
        world.post(&hook, json!({})).await.expect(202);
    }
    world.clock.pass_seconds(SEEN_AFTER_SECONDS);
    world.post(&hook, json!({})).await.expect(202);
    world.post(&hook, json!({})).await.expect(429);
}

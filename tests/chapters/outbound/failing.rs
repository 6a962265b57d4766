//! Endpoints that do not take what they are told: how often they are tried, and what comes of the webhook.

use serde_json::{Value, json};
use service::ports::{NotCalled, Unavailable};
use tests::world::World;

use super::{ENDPOINT, all, attempts, body, deliveries, delivery, gaps, pass, publish, shown, told, webhook};

const HOUR: i64 = 60 * 60;

/// Who runs the endpoints hears of them here.
const OPERATOR: &str = "https://operator.example/told";

/// The minutes between attempts, as the docs have them.
const LADDER_MINUTES: [i64; 11] = [1, 1, 2, 5, 10, 15, 30, 60, 120, 240, 480];

#[tokio::test]
async fn an_endpoint_that_fails_is_tried_twelve_times_in_sixteen_hours_and_then_no_more() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 500, &[], "out of order");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    pass(&world, 17 * HOUR).await;

    let delivery = delivery(&world, &made).await;
    let attempts = attempts(&delivery);
    let ladder: Vec<i64> = LADDER_MINUTES.iter().map(|minutes| minutes * 60).collect();
    assert_eq!(gaps(&all(&attempts, "/startedAt")), ladder);
    assert_eq!(told(&world, ENDPOINT).len(), 12);
    assert_eq!(all(&attempts, "/number"), (1..=12).map(|number| json!(number)).collect::<Vec<_>>());
    assert!(all(&attempts, "/status").iter().all(|status| *status == 500));
    let attributes = &delivery["attributes"];
    assert_eq!((&attributes["state"], &attributes["nextAttemptAt"]), (&json!("failed"), &Value::Null));
    let reason = "All 12 attempts have failed. See to the endpoint, then ask for this delivery again. The endpoint answered 500.";
    assert_eq!(attributes["reason"], reason);
    // Nothing is left that could try it.
    assert_eq!(world.queue.depth(), 0);
    assert_eq!(shown(&world, &made).await["warning"], Value::Null);
}

#[tokio::test]
async fn why_an_attempt_failed_is_told_in_a_sentence() {
    let world = World::new().await;
    let down = || Unavailable { port: "calls", cause: "10.0.0.1 said no".to_owned() };
    world.calls.script(ENDPOINT, Err(NotCalled::NotSent(down())));
    world.calls.script(ENDPOINT, Err(NotCalled::TimedOut(down())));
    world.calls.script(ENDPOINT, Err(NotCalled::Broken(down())));
    world.calls.answer(ENDPOINT, 302, &[("location", "https://elsewhere.example")], "");
    world.calls.answer(ENDPOINT, 404, &[], &"a".repeat(2_000));
    world.calls.answer(ENDPOINT, 201, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    pass(&world, HOUR).await;

    let attempts = attempts(&delivery(&world, &made).await);
    let errors = [
        json!("The endpoint could not be reached."),
        json!("The endpoint did not answer within 15 seconds."),
        json!("The connection ended before there was a whole answer."),
        json!(
            "The endpoint answered 302, a redirect, which is not followed. Give the webhook the address where it ends."
        ),
        json!("The endpoint answered 404."),
        Value::Null,
    ];
    assert_eq!(all(&attempts, "/error"), errors);
    assert_eq!(all(&attempts, "/status"), [Value::Null, Value::Null, Value::Null, json!(302), json!(404), json!(201)]);
    assert_eq!(attempts[4]["answer"].as_str().unwrap().len(), 1_024);
    assert_eq!(attempts[5]["state"], "delivered");
}

#[tokio::test]
async fn what_an_endpoint_asks_to_wait_is_waited_but_no_longer_than_eight_hours() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 429, &[("retry-after", "3600")], "");
    world.calls.answer(ENDPOINT, 503, &[("retry-after", "Sun, 22 Nov 2026 15:00:00 GMT")], "");
    world.calls.answer(ENDPOINT, 503, &[("retry-after", "86400")], "");
    world.calls.answer(ENDPOINT, 503, &[("retry-after", "1")], "");
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    pass(&world, 24 * HOUR).await;
    let attempts = attempts(&delivery(&world, &made).await);
    assert_eq!(gaps(&all(&attempts, "/startedAt")), [HOUR, 2 * HOUR, 8 * HOUR, 300]);
}

#[tokio::test]
async fn a_webhook_that_fails_for_a_day_is_warned_of_and_after_five_it_is_disabled() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 500, &[], "");
    world.calls.answer(OPERATOR, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    webhook(&world, OPERATOR, &["kustomer.webhook.failing", "kustomer.webhook.disabled"]).await;
    publish(&world).await;
    pass(&world, 24 * HOUR - 1).await;
    let before = shown(&world, &made).await;
    assert_eq!((&before["failingSince"], &before["warning"]), (&json!("2026-11-22T12:00:00.000Z"), &Value::Null));
    assert_eq!(told(&world, OPERATOR).len(), 0);

    pass(&world, 1).await;
    assert!(shown(&world, &made).await["warning"].as_str().unwrap().contains("2026-11-27T12:00:00.000Z"));
    for _ in 0..12 {
        publish(&world).await;
        pass(&world, 8 * HOUR).await;
    }
    let warned = told(&world, OPERATOR);
    assert_eq!(warned.len(), 1, "one warning for one failure");
    assert_eq!(body(&warned[0])["name"], "kustomer.webhook.failing");
    assert_eq!(body(&warned[0])["data"]["id"], json!(made.id));
    assert_eq!(shown(&world, &made).await["enabled"], true);

    publish(&world).await;
    pass(&world, 60).await;
    let disabled = shown(&world, &made).await;
    assert_eq!((&disabled["enabled"], &disabled["warning"]), (&json!(false), &Value::Null));
    assert_eq!(disabled["disabled"]["code"], "failing");
    let names: Vec<Value> = told(&world, OPERATOR).iter().map(|call| body(call)["name"].clone()).collect();
    assert_eq!(names, ["kustomer.webhook.failing", "kustomer.webhook.disabled"]);

    // From here on it is told nothing, and what waited for it is given up.
    let calls = told(&world, ENDPOINT).len();
    publish(&world).await;
    pass(&world, 24 * HOUR).await;
    assert_eq!(told(&world, ENDPOINT).len(), calls);
    assert_eq!(deliveries(&world, &made, "?state=pending").await.len(), 0);
    world.api("POST", &format!("{}/ping", made.path), Value::Null).await.expect(409);

    // Whoever describes it has not seen to it; whoever enables it has.
    world.api("PATCH", &made.path, json!({ "description": "ERP" })).await.expect(200);
    assert_eq!(shown(&world, &made).await["enabled"], false);
    let enabled = world.api("PATCH", &made.path, json!({ "enabled": true })).await.expect(200);
    assert_eq!((enabled.attribute("enabled"), enabled.attribute("failingSince")), (json!(true), Value::Null));
    publish(&world).await;
    world.work().await;
    assert_eq!(told(&world, ENDPOINT).len(), calls + 1);
}

#[tokio::test]
async fn one_success_ends_a_failure() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 500, &[], "");
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    world.work().await;
    assert_ne!(shown(&world, &made).await["failingSince"], Value::Null);
    pass(&world, 60).await;
    world.work().await;
    assert_eq!(shown(&world, &made).await["failingSince"], Value::Null);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_told_nothing_any_more() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 410, &[], "");
    world.calls.answer(OPERATOR, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    webhook(&world, OPERATOR, &["kustomer.webhook.*"]).await;
    publish(&world).await;
    world.work().await;
    assert_eq!(delivery(&world, &made).await["attributes"]["state"], "failed");
    let disabled = shown(&world, &made).await;
    assert_eq!((&disabled["enabled"], &disabled["disabled"]["code"]), (&json!(false), &json!("gone")));
    assert_eq!(body(&told(&world, OPERATOR)[0])["name"], "kustomer.webhook.disabled");
    publish(&world).await;
    pass(&world, HOUR).await;
    assert_eq!(told(&world, ENDPOINT).len(), 1);

    // Another address is another endpoint.
    let elsewhere = "https://elsewhere.example/told";
    world.calls.answer(elsewhere, 200, &[], "");
    world.api("PATCH", &made.path, json!({ "url": elsewhere })).await.expect(200);
    publish(&world).await;
    world.work().await;
    assert_eq!(told(&world, elsewhere).len(), 1);
}

#[tokio::test]
async fn what_a_disabled_webhook_misses_stands_in_its_list_and_is_told_when_it_is_asked_for() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 410, &[], "");
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    world.work().await;
    // Who reads it and sends all of it back has not switched it off.
    let read = json!({ "description": "ERP", "enabled": shown(&world, &made).await["enabled"] });
    assert_eq!(read["enabled"], false);
    world.api("PUT", &made.path, read).await.expect(200);
    let missed = publish(&world).await;
    pass(&world, HOUR).await;
    assert_eq!(told(&world, ENDPOINT).len(), 1);

    let newest = deliveries(&world, &made, "?state=failed").await.remove(0);
    assert_eq!(newest["relationships"]["transaction"]["data"]["id"], json!(missed));
    assert_eq!(newest["attributes"]["attemptCount"], 0);
    assert!(newest["attributes"]["reason"].as_str().unwrap().contains("disabled"), "{newest}");
    world.api("PATCH", &made.path, json!({ "enabled": true })).await.expect(200);
    let resend = format!("{}/resend", newest["links"]["self"].as_str().unwrap());
    world.api("POST", &resend, Value::Null).await.expect(200);
    world.work().await;
    assert_eq!(told(&world, ENDPOINT).len(), 2);
    assert_eq!(body(&told(&world, ENDPOINT)[1])["id"], json!(missed));
}

#[tokio::test]
async fn what_waits_for_a_deleted_webhook_is_given_up() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 500, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    publish(&world).await;
    world.work().await;
    world.api("DELETE", &made.path, Value::Null).await.expect(204);
    pass(&world, 24 * HOUR).await;
    assert_eq!((told(&world, ENDPOINT).len(), world.queue.depth()), (1, 0));
}

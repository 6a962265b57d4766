//! Events of one's own.

use serde_json::{Value, json};
use tests::world::{World, always, workflow_of};

use super::{event_of, listener, runs_of, settle, trigger};
use crate::record_api::made;

/// Names that nobody may publish, since nothing but what they tell of fires them, or since they are none.
fn wrong_names() -> Vec<String> {
    let fixed = [
        "",
        "paid",
        "shop paid.x",
        "shop..paid",
        "shop.paid.",
        "shöp.paid",
        "kustomer.customer.create",
        "kustomer.conversation.update",
        "kustomer.kobject.order.update",
        "kustomer.hooks.form.5a345109e578360010eaa1ad.receive",
        "kustomer.workflow.5a345109e578360010eaa1ad.call",
        "concours.webhook.receive",
    ];
    fixed.into_iter().map(str::to_owned).chain([format!("a.{}", "b".repeat(255))]).collect()
}

#[tokio::test]
async fn a_published_event_starts_whoever_listens_with_its_data() {
    let world = World::new().await;
    let workflow = listener(&world, "kustomer.app.shop.order.paid").await;
    // What looks like a resource is seen as it was published.
    let data: Value = serde_json::from_str(r#"{"id":"o-1","total":10.50,"attributes":{"color":"red"}}"#).unwrap();
    let draft = json!({ "name": "kustomer.app.shop.order.paid", "data": data });
    let published = world.api("POST", "/v1/events", draft).await.expect(201);
    assert_eq!(
        (&published.body["data"]["type"], published.attribute("name")),
        (&json!("event"), json!("kustomer.app.shop.order.paid"))
    );
    settle(&world).await;
    let runs = runs_of(&world, &workflow).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(trigger(&runs[0]), &data);
    let transaction = world.get(published.body["data"]["links"]["self"].as_str().unwrap()).await.expect(200);
    assert_eq!(transaction.body["data"]["total"].to_string(), "10.50");
    let event = event_of(&world, &runs[0]).await;
    let id = published.id();
    assert_eq!((&event["id"], &event["dataId"], &event["client"]), (&json!(id), &json!("o-1"), &json!("api-gw")));
    assert_eq!(event["lineage"], json!({ "root": id, "depth": 0, "run": null }));
}

#[tokio::test]
async fn an_event_may_come_as_a_resource() {
    let world = World::new().await;
    let resource =
        json!({ "data": { "type": "event", "attributes": { "name": "shop.paid", "data": { "total": 1 } } } });
    let published = world.api("POST", "/v1/events", resource).await.expect(201);
    settle(&world).await;
    let transaction = world.get(&format!("/v1/transactions/{}", published.id())).await.expect(200);
    assert_eq!(transaction.body["data"]["total"], 1);
}

#[tokio::test]
async fn an_event_that_nobody_hears_stays_readable() {
    let world = World::new().await;
    for draft in [
        json!({ "name": "shop.paid" }),
        json!({ "name": "shop.paid", "data": null }),
        json!({ "name": format!("a.{}", "b".repeat(254)) }),
    ] {
        let published = world.api("POST", "/v1/events", draft).await.expect(201);
        settle(&world).await;
        let transaction = world.get(&format!("/v1/transactions/{}", published.id())).await.expect(200);
        assert_eq!(transaction.body["meta"]["trace"]["reason"], "No workflow listens to this event.");
        assert_eq!(transaction.body["meta"]["trace"]["event"], published.attribute("name"));
        assert_eq!(transaction.body["meta"]["event"]["name"], published.attribute("name"));
    }
}

#[tokio::test]
async fn names_that_are_none_and_names_of_others_are_refused() {
    let world = World::new().await;
    for name in wrong_names() {
        let refused = world.api("POST", "/v1/events", json!({ "name": name })).await.expect(400);
        assert_eq!(refused.body["errors"][0]["source"]["path"], "$.name", "{name}");
        assert!(refused.text.contains("such as kustomer.app.shop.order.paid"), "{refused:?}");
    }
    for draft in [json!({}), json!({ "name": 7 }), json!({ "name": null })] {
        world.api("POST", "/v1/events", draft).await.expect(400);
    }
    for data in [json!("x"), json!([1]), json!(1), json!(false)] {
        let refused = world.api("POST", "/v1/events", json!({ "name": "shop.paid", "data": data })).await.expect(400);
        assert_eq!(refused.body["errors"][0]["source"]["path"], "$.data");
    }
    assert_eq!(world.queue.depth(), 0);
}

#[tokio::test]
async fn a_step_publishes_once_and_tells_whose_it_is() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps = json!([
        { "id": "tell", "action": "kustomer.event.publish", "params": { "name": "shop.paid", "data": { "order": "/#steps.1.attributes.data.order" } }, "transitions": always("again") },
        { "id": "again", "action": "kustomer.event.publish", "params": { "name": "shop.paid", "data": { "order": "2" } }, "transitions": [] },
    ]);
    world.workflow(workflow_of("tells", &hook.event, steps)).await;
    let workflow = listener(&world, "shop.paid").await;
    let transaction = world.arrive(&hook, json!({ "order": "1" })).await;
    settle(&world).await;
    let firing = world.run_of(&transaction).await;
    let runs = runs_of(&world, &workflow).await;
    let mut orders: Vec<&Value> = runs.iter().map(|run| &trigger(run)["order"]).collect();
    orders.sort_by_key(ToString::to_string);
    assert_eq!(orders, ["1", "2"]);
    for run in &runs {
        let event = event_of(&world, run).await;
        assert_eq!((&event["client"], &event["lineage"]["root"]), (&json!("workflow"), &json!(transaction)));
        assert_eq!(event["lineage"]["depth"], 1);
    }
    let told: Vec<&Value> = [1, 2].into_iter().map(|step| &firing["steps"][step]["output"]["id"]).collect();
    assert!(runs.iter().all(|run| told.contains(&&run["attributes"]["transactionId"])), "{told:?}");
}

#[tokio::test]
async fn a_step_that_publishes_a_name_of_others_fails_and_publishes_nothing() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let customer = made(&world, "customers", json!({ "name": "Ann" })).await;
    let workflow = listener(&world, "kustomer.customer.update").await;
    let steps = json!([{ "id": "tell", "action": "kustomer.event.publish", "params": { "name": "/#steps.1.attributes.data.name", "data": { "id": customer } }, "transitions": [] }]);
    world.workflow(workflow_of("tells", &hook.event, steps)).await;
    for name in wrong_names().into_iter().filter(|name| !name.is_empty()) {
        let transaction = world.arrive(&hook, json!({ "name": name })).await;
        assert_eq!(world.run_of(&transaction).await["error"]["code"], "wrong_event_name", "{name}");
    }
    settle(&world).await;
    assert_eq!(runs_of(&world, &workflow).await.len(), 0);
}

//! Searching runs by what stands in what started them.

use serde_json::json;
use tests::world::{FormHook, World, workflow_of};

/// A hook and the id of a workflow that does nothing with its arrivals.
async fn quiet_hook(world: &World) -> (FormHook, String) {
    let hook = world.form_hook().await;
    let steps = json!([{ "id": "end", "transitions": [] }]);
    let workflow = world.workflow(workflow_of("quiet", &hook.event, steps)).await;
    (hook, workflow)
}

/// The transactions of the runs that the query finds, from all pages, and how many pages there were.
async fn found(world: &World, workflow: &str, query: &str) -> (Vec<String>, usize) {
    let pages = world.pages(&format!("/v1/workflows/{workflow}/runs?{query}")).await;
    let runs = pages.iter().flat_map(|page| page.body["data"].as_array().unwrap());
    let transactions = runs.map(|run| run["attributes"]["transactionId"].as_str().unwrap().to_owned());
    (transactions.collect(), pages.len())
}

#[tokio::test]
async fn the_runs_of_an_order_are_found_by_what_stood_in_it() {
    let world = World::new().await;
    let (hook, workflow) = quiet_hook(&world).await;
    let body = r#"{"orderId":1234,"big":9007199254740993,"paid":true,"lines":[{"sku":"A=1 &b"}],"none":null}"#;
    let order = world.post_as(&hook, "application/json", body).await.expect(202).id();
    let other = world.post(&hook, json!({ "orderId": "1234", "paid": false })).await.expect(202).id();
    world.work().await;
    let both = [order.clone(), other.clone()];
    for (query, expected) in [
        ("where=data.orderId%3D1234", &both[..]),
        ("where=data.orderId=1234", &both),
        ("where=data.orderId=1234&where=data.paid=true", &both[..1]),
        ("where=data.orderId=1234&where=data.paid=maybe", &[]),
        ("where=data.big=9007199254740993", &both[..1]),
        ("where=data.big=9007199254740992", &[]),
        ("where=data.lines.0.sku=A%3D1%20%26b", &both[..1]),
        ("where=data.lines=A", &[]),
        ("where=data.none=null", &[]),
        ("where=data.orderid=1234", &[]),
        ("where=trigger.attributes.data.paid=false", &both[1..]),
        ("where=trigger.relationships.hook.data.type=form_hook", &both),
        ("where=data.orderId=1234&state=succeeded", &both),
        ("where=data.orderId=1234&state=failed", &[]),
        ("where=data.orderId=1234&until=2026-11-22T12:00:00Z", &[]),
    ] {
        let mut transactions = found(&world, &workflow, query).await.0;
        transactions.sort_by_key(|id| both.iter().position(|known| known == id));
        assert_eq!(transactions, expected, "{query}");
    }
}

#[tokio::test]
async fn what_an_app_made_of_an_arrival_is_found_as_step_1_saw_it() {
    let world = World::new().await;
    let steps = json!([{ "id": "end", "transitions": [] }]);
    let workflow = world.workflow(workflow_of("paid", "shop.paid", steps)).await;
    world.api("POST", "/v1/events", json!({ "name": "shop.paid", "data": { "orderId": "7" } })).await.expect(201);
    world.work().await;
    for (query, count) in [("where=trigger.orderId=7", 1), ("where=trigger.orderId=8", 0)] {
        assert_eq!(found(&world, &workflow, query).await.0.len(), count, "{query}");
    }
}

#[tokio::test]
async fn one_request_looks_through_a_bounded_number_of_runs_and_its_next_link_goes_on() {
    let world = World::new().await;
    let (hook, workflow) = quiet_hook(&world).await;
    let oldest = world.arrive(&hook, json!({ "orderId": "1" })).await;
    for _ in 0..250 {
        world.clock.pass_seconds(1);
        world.arrive(&hook, json!({ "orderId": "2" })).await;
    }
    assert_eq!(found(&world, &workflow, "where=data.orderId=1").await, (vec![oldest], 2));
    assert_eq!(found(&world, &workflow, "where=data.orderId=2&pageSize=100").await.0.len(), 250);
}

#[tokio::test]
async fn a_place_that_cannot_be_looked_at_is_refused_with_how_to_write_it() {
    let world = World::new().await;
    let (_, workflow) = quiet_hook(&world).await;
    let five = ["where=data.a=1"; 5].join("&");
    world.get(&format!("/v1/workflows/{workflow}/runs?{five}")).await.expect(200);
    let six = format!("{five}&where=data.a=1");
    for query in
        [six.as_str(), "where=", "where=1234", "where=data=1", "where=data.=1", "where=orderId=1", "where=data.a"]
    {
        let refused = world.get(&format!("/v1/workflows/{workflow}/runs?{query}")).await.expect(400);
        assert!(refused.text.contains("`where` has to be"), "{query}: {}", refused.text);
    }
}

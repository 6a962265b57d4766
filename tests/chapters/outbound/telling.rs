//! Who is told of what.

use serde_json::{Value, json};
use tests::{
    schemas::misfits,
    world::{World, workflow_of},
};

use super::{ENDPOINT, body, deliveries, delivery, header, publish, told, webhook};

#[tokio::test]
async fn a_changed_record_is_told_as_kustomer_tells_it() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 200, &[], "thanks");
    let made = webhook(&world, ENDPOINT, &["kustomer.customer.*"]).await;
    world.api("PUT", "/v1/org", json!({ "name": "Acme" })).await.expect(200);
    let customer = world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201).id();
    world.api("PATCH", &format!("/v1/customers/{customer}"), json!({ "name": "Anna" })).await.expect(200);
    world.work().await;

    let calls = told(&world, ENDPOINT);
    let names: Vec<String> = calls.iter().map(|call| header(call, "x-kustomer-webhook-event")).collect();
    assert_eq!(names, ["kustomer.customer.create", "kustomer.customer.update"]);
    let (first, second) = (body(&calls[0]), body(&calls[1]));
    assert_eq!(first["name"], "kustomer.customer.create");
    assert_eq!((&first["org"], &first["partition"]), (&json!(world.org), &json!(world.org)));
    assert_eq!(first["orgName"], "Acme");
    assert_eq!((&first["dataId"], &first["data"]["attributes"]["name"]), (&json!(customer), &json!("Ann")));
    assert_eq!(
        (&first["changes"], &first["client"], &first["persist"]),
        (&Value::Null, &json!("api-gw"), &json!(true))
    );
    let change = json!({ "op": "replace", "before": "Ann", "after": "Anna" });
    assert_eq!(second["changes"]["attributes"]["name"], change);

    let all = deliveries(&world, &made, "").await;
    assert_eq!(all.len(), 2);
    for delivery in &all {
        let attributes = &delivery["attributes"];
        assert_eq!((&attributes["state"], &attributes["status"]), (&json!("delivered"), &json!(200)));
    }
    // The event is a transaction, though no workflow listened to it.
    let event = first["id"].as_str().unwrap();
    world.get(&format!("/v1/transactions/{event}")).await.expect(200);
}

#[tokio::test]
async fn what_nobody_subscribes_to_leaves_nothing() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["kustomer.conversation.*", "shop.paid"]).await;
    let before = world.queue.depth();
    world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201);
    assert_eq!(world.queue.depth(), before);
    let disabled = json!({ "enabled": false });
    world.api("PATCH", &made.path, disabled).await.expect(200);
    publish(&world).await;
    world.work().await;
    assert_eq!((told(&world, ENDPOINT).len(), deliveries(&world, &made, "").await.len()), (0, 0));
    world.api("DELETE", &made.path, Value::Null).await.expect(204);
    world.api("GET", &made.path, Value::Null).await.expect(404);
    publish(&world).await;
    world.work().await;
    assert_eq!(told(&world, ENDPOINT).len(), 0);
}

#[tokio::test]
async fn what_workflows_change_and_publish_is_told_and_what_arrives_at_hooks_is_not() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 204, &[], "");
    webhook(&world, ENDPOINT, &["*"]).await;
    let form = world.form_hook().await;
    let steps = json!([
        { "id": "made", "action": "kustomer.company.create", "params": { "name": "ACME" },
          "transitions": [{ "target": "told", "condition": { "op": "true", "values": [true] } }] },
        { "id": "told", "action": "kustomer.event.publish", "params": { "name": "shop.paid", "data": { "a": 1 } }, "transitions": [] },
    ]);
    world.workflow(workflow_of("tells", &form.event, steps)).await;
    world.arrive(&form, json!({ "a": 1 })).await;
    let mut names: Vec<String> =
        told(&world, ENDPOINT).iter().map(|call| header(call, "x-kustomer-webhook-event")).collect();
    names.sort();
    assert_eq!(names, ["kustomer.company.create", "shop.paid"]);
    assert!(told(&world, ENDPOINT).iter().all(|call| body(call)["client"] == "workflow"));
    assert!(told(&world, ENDPOINT).iter().all(|call| header(call, "hookwright-generation") == "1"));

    // A request that a run's call brought goes on from there.
    let bearer = format!("Bearer {}", world.admin);
    let headers = [("authorization", bearer.as_str()), ("hookwright-generation", "7")];
    world.send("POST", "/v1/companies", &headers, r#"{"name": "Initech"}"#).await.expect(201);
    world.work().await;
    assert_eq!(header(&told(&world, ENDPOINT)[2], "hookwright-generation"), "7");
}

#[tokio::test]
async fn each_webhook_has_its_own_delivery_and_none_waits_for_another() {
    let world = World::new().await;
    let (down, other) = ("https://down.example/told", "https://other.example/told");
    world.calls.answer(ENDPOINT, 200, &[], "");
    world.calls.answer(down, 500, &[], "out of order");
    let first = webhook(&world, down, &["shop.*"]).await;
    let second = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    webhook(&world, other, &["shop.returned"]).await;
    publish(&world).await;
    world.work().await;

    let (failing, good) = (delivery(&world, &first).await, delivery(&world, &second).await);
    assert_ne!(failing["id"], good["id"]);
    assert_eq!(failing["attributes"]["state"], "pending");
    assert_eq!(failing["attributes"]["reason"], "The endpoint answered 500.");
    assert_eq!(failing["attributes"]["attempts"][0]["answer"], "out of order");
    assert_eq!(good["attributes"]["state"], "delivered");
    assert_eq!(good["attributes"]["requestBody"], body(&told(&world, ENDPOINT)[0]));
    assert_eq!((told(&world, down).len(), told(&world, ENDPOINT).len(), told(&world, other).len()), (1, 1, 0));
    for (state, count) in [("pending", 1), ("delivered", 0), ("failed", 0)] {
        assert_eq!(deliveries(&world, &first, &format!("?state={state}")).await.len(), count, "{state}");
    }
    // Nobody finds a delivery of one webhook below another.
    let id = failing["id"].as_str().unwrap();
    world.get(&format!("{}/deliveries/{id}", second.path)).await.expect(404);
    let unknown = world.get(&format!("{}/deliveries?state=lost", first.path)).await.expect(400);
    assert_eq!(unknown.code(), "bad_query");
}

#[tokio::test]
async fn a_delivery_shows_the_whole_of_a_body_that_its_answer_has_room_for() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.*"]).await;
    let draft = json!({ "name": "shop.paid", "data": { "note": "x".repeat(100_000) } });
    world.api("POST", "/v1/events", draft).await.expect(201);
    world.work().await;
    let shown = delivery(&world, &made).await;
    assert_eq!(shown["attributes"]["requestBody"], body(&told(&world, ENDPOINT)[0]));
}

#[tokio::test]
async fn a_message_that_comes_twice_tells_nobody_twice() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 500, &[], "");
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.*"]).await;
    publish(&world).await;
    for _ in 0..40 {
        let Some(visible_at) = world.queue.next_visible_at() else { break };
        world.clock.set(visible_at.max(service::ports::World::now(world.clock.as_ref())));
        for message in world.queue.receive(100, 60) {
            world.executor.execute(&message.body).await.unwrap();
            world.executor.execute(&message.body).await.unwrap();
            world.queue.delete(&message.receipt);
        }
    }
    assert_eq!(world.queue.depth(), 0);
    assert_eq!(told(&world, ENDPOINT).len(), 2);
    let delivery = delivery(&world, &made).await;
    assert_eq!(
        (&delivery["attributes"]["state"], &delivery["attributes"]["attemptCount"]),
        (&json!("delivered"), &json!(2))
    );
}

#[tokio::test]
async fn a_test_event_goes_to_its_webhook_alone() {
    let world = World::new().await;
    let other = "https://other.example/told";
    world.calls.answer(ENDPOINT, 200, &[], "");
    world.calls.answer(other, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["kustomer.customer.create"]).await;
    webhook(&world, other, &["*"]).await;
    let pinged = world.api("POST", &format!("{}/ping", made.path), Value::Null).await.expect(201);
    assert_eq!(misfits("Delivery", &pinged.body), Vec::<String>::new());
    world.work().await;
    let calls = told(&world, ENDPOINT);
    assert_eq!((calls.len(), told(&world, other).len()), (1, 0));
    assert_eq!(header(&calls[0], "webhook-id"), pinged.id());
    assert_eq!(body(&calls[0])["name"], "kustomer.webhook.ping");
    assert_eq!(body(&calls[0])["data"]["id"], json!(made.id));
    let delivery = delivery(&world, &made).await;
    assert_eq!((&delivery["id"], &delivery["attributes"]["state"]), (&json!(pinged.id()), &json!("delivered")));

    world.api("PATCH", &made.path, json!({ "enabled": false })).await.expect(200);
    let refused = world.api("POST", &format!("{}/ping", made.path), Value::Null).await.expect(409);
    assert_eq!(refused.code(), "webhook_disabled");
}

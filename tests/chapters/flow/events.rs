//! Runs that wait for events: the first that matches ends the wait, whoever was first, and a timeout has its own way.

use serde_json::{Value, json};
use tests::{
    World,
    faults::{Fault, failing_executor},
    world::always,
};

use super::{DAY, callable, called, echo, run, step};

const SHIPPED: &str = "kustomer.app.shop.shipped";

/// A workflow that waits for this event, and how it went on.
fn wait(event: Value) -> Value {
    json!([
        { "id": "wait", "action": "flow.wait", "params": { "event": event, "timeout": "P3D" }, "transitions": always("after") },
        echo("after", json!({ "reason": "/#steps.wait.reason", "data": "/#steps.wait.data" }), json!([])),
    ])
}

/// The shipment of the order that the run was called for.
fn shipment() -> Value {
    json!({ "name": SHIPPED, "match": [{ "path": "order.id", "value": "/#steps.1.order" }] })
}

async fn publish(world: &World, name: &str, data: Value) {
    world.api("POST", "/v1/events", json!({ "name": name, "data": data })).await.expect(201);
    world.work().await;
}

async fn reason(world: &World, id: &str) -> Value {
    let run = run(world, id).await;
    match run["state"].as_str() {
        Some("succeeded") => step(&run, "after")["output"]["output"]["reason"].clone(),
        _ => run["state"].clone(),
    }
}

#[tokio::test]
async fn an_event_ends_the_waits_that_it_matches_and_no_others() {
    let world = World::new().await;
    let workflow = callable(&world, "story", wait(shipment())).await;
    let (first, second) = (
        called(&world, &workflow, json!({ "order": 1 })).await,
        called(&world, &workflow, json!({ "order": "2" })).await,
    );
    let twin = called(&world, &workflow, json!({ "order": "1" })).await;
    let waits = step(&run(&world, &first).await, "wait")["waitsFor"]["wait"]["event"].clone();
    assert_eq!(waits, json!({ "name": SHIPPED, "matches": [{ "path": "order.id", "value": "1" }] }));
    for other in [json!({ "order": { "id": 3 } }), json!({ "order": {} }), json!({ "order": { "id": [1] } })] {
        publish(&world, SHIPPED, other).await;
    }
    publish(&world, "kustomer.app.shop.paid", json!({ "order": { "id": 1 } })).await;
    assert_eq!(reason(&world, &first).await, "waiting");

    publish(&world, SHIPPED, json!({ "order": { "id": 1 }, "carrier": "post" })).await;
    for matched in [&first, &twin] {
        assert_eq!(reason(&world, matched).await, "event");
    }
    assert_eq!(reason(&world, &second).await, "waiting");
    let over = run(&world, &first).await;
    let output = &step(&over, "wait")["output"];
    assert_eq!((&output["event"], &output["data"]["carrier"]), (&json!(SHIPPED), &json!("post")), "{output:#}");
    let path = format!("/v1/transactions/{}", output["transaction"].as_str().unwrap());
    world.get(&path).await.expect(200);

    world.later(3 * DAY).await;
    assert_eq!(reason(&world, &second).await, "timeout");
    publish(&world, SHIPPED, json!({ "order": { "id": 2 } })).await;
    assert_eq!(reason(&world, &second).await, "timeout");
}

#[tokio::test]
async fn forms_records_and_apps_bring_events_that_are_waited_for() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let form =
        json!({ "name": hook.event, "match": [{ "path": "attributes.data.orderId", "value": "/#steps.1.order" }] });
    let of_form = callable(&world, "of-form", wait(form)).await;
    let of_form = called(&world, &of_form, json!({ "order": 1234 })).await;
    let changed =
        json!({ "name": "kustomer.customer.update", "match": [{ "path": "id", "value": "/#steps.1.customer" }] });
    let of_record = callable(&world, "of-record", wait(changed)).await;
    let customer = world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201).id();
    let of_record = called(&world, &of_record, json!({ "customer": customer })).await;
    world.arrive(&hook, json!({ "orderId": "1235" })).await;
    world.work().await;
    assert_eq!(
        (reason(&world, &of_form).await, reason(&world, &of_record).await),
        (json!("waiting"), json!("waiting"))
    );
    world.arrive(&hook, json!({ "orderId": "1234" })).await;
    world.api("PUT", &format!("/v1/customers/{customer}"), json!({ "name": "Bo" })).await.expect(200);
    world.work().await;
    assert_eq!((reason(&world, &of_form).await, reason(&world, &of_record).await), (json!("event"), json!("event")));
}

#[tokio::test]
async fn any_event_of_the_name_will_do_where_nothing_has_to_match_and_only_once_it_is_waited_for() {
    let world = World::new().await;
    let workflow = callable(&world, "story", wait(json!({ "name": SHIPPED, "match": [] }))).await;
    publish(&world, SHIPPED, json!({})).await;
    world.clock.pass_seconds(1);
    let id = called(&world, &workflow, json!({})).await;
    assert_eq!(reason(&world, &id).await, "waiting");
    publish(&world, SHIPPED, json!({})).await;
    assert_eq!(reason(&world, &id).await, "event");
}

#[tokio::test]
async fn an_event_that_was_accepted_before_the_wait_and_is_executed_later_does_not_end_it() {
    let world = World::new().await;
    let workflow = callable(&world, "story", wait(shipment())).await;
    world.api("POST", "/v1/events", json!({ "name": SHIPPED, "data": { "order": { "id": 1 } } })).await.expect(201);
    let held_up = world.queue.receive(1, 60);
    world.clock.pass_seconds(1);
    let id = called(&world, &workflow, json!({ "order": 1 })).await;
    for message in held_up {
        world.executor.execute(&message.body).await.unwrap();
        world.queue.delete(&message.receipt);
    }
    world.work().await;
    assert_eq!(reason(&world, &id).await, "waiting");
}

#[tokio::test]
async fn a_run_of_a_workflow_that_is_changed_or_deleted_still_hears_its_event() {
    let world = World::new().await;
    let workflow = callable(&world, "story", wait(shipment())).await;
    let first = called(&world, &workflow, json!({ "order": 1 })).await;
    let steps = json!([{ "id": "end", "transitions": [] }]);
    let trigger = json!({ "callable": true, "transitions": always("end") });
    world
        .api(
            "PUT",
            &format!("/v1/workflows/{workflow}"),
            json!({ "name": "story", "trigger": trigger, "steps": steps }),
        )
        .await
        .expect(200);
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    publish(&world, SHIPPED, json!({ "order": { "id": 1 } })).await;
    assert_eq!(reason(&world, &first).await, "event");
}

#[tokio::test]
async fn a_wait_that_names_no_event_or_nothing_to_match_is_refused_or_fails() {
    let world = World::new().await;
    let save = async |steps: Value| {
        let trigger = json!({ "callable": true, "transitions": always("wait") });
        world.api("POST", "/v1/workflows", json!({ "name": "w", "trigger": trigger, "steps": steps })).await
    };
    for event in [
        json!({ "name": "/#steps.1.name", "match": [] }),
        json!({ "name": "a.{{steps.1.name}}", "match": [] }),
        json!({ "match": [] }),
        json!("/#steps.1.event"),
    ] {
        assert_eq!(save(wait(event.clone())).await.expect(400).code(), "missing_field", "{event}");
    }
    let pair = json!({ "path": "a", "value": 1 });
    for event in [json!({ "name": SHIPPED }), json!({ "name": SHIPPED, "match": vec![pair; 6] })] {
        assert_eq!(save(wait(event.clone())).await.expect(400).status, 400, "{event}");
    }
    let many = |count: usize| {
        let mut steps = wait(json!({ "name": SHIPPED, "match": [] }));
        for number in 1..count {
            let event = json!({ "name": format!("kustomer.app.shop.e{number}"), "match": [] });
            let mut next = wait(event)[0].clone();
            next["id"] = json!(format!("wait{number}"));
            steps[number - 1]["transitions"] =
                if number == 1 { always("wait1") } else { always(next["id"].as_str().unwrap()) };
            steps.as_array_mut().unwrap().insert(number, next);
        }
        steps
    };
    save(many(20)).await.expect(201);
    let refused = save(many(21)).await.expect(400);
    assert!(refused.text.contains("too_many_awaited_events"), "{refused:?}");

    let workflow = callable(&world, "story", wait(shipment())).await;
    for inputs in [json!({}), json!({ "order": null }), json!({ "order": {} }), json!({ "order": "x".repeat(1_025) })] {
        let id = called(&world, &workflow, inputs.clone()).await;
        let code = run(&world, &id).await["error"]["code"].clone();
        assert!(code == "missing_param" || code == "wrong_param", "{inputs}: {code}");
    }
}

/// A run that waits, and its event, which is told of before the run begins or after it waits.
async fn story(is_told_first: bool) -> (World, String) {
    let world = World::new().await;
    let workflow = callable(&world, "story", wait(shipment())).await;
    let event = json!({ "name": SHIPPED, "data": { "order": { "id": 1 } } });
    if is_told_first {
        // It is told of at once and was accepted an hour later: whoever accepted it has a clock that is ahead.
        world.clock.pass_seconds(3_600);
        world.api("POST", "/v1/events", event.clone()).await.expect(201);
        world.clock.pass_seconds(-3_600);
    }
    let path = format!("/v1/workflows/{workflow}/call?wait=0");
    let id = world.api("POST", &path, json!({ "inputs": { "order": 1 } })).await.expect(202).id();
    if !is_told_first {
        world.clock.pass_seconds(3_600);
        world.api("POST", "/v1/events", event).await.expect(201);
        world.clock.pass_seconds(-3_600);
    }
    (world, id)
}

#[tokio::test]
async fn an_event_and_a_wait_find_each_other_whichever_port_fails_in_between() {
    for (is_told_first, fault) in Fault::ALL.into_iter().flat_map(|fault| [(true, fault), (false, fault)]) {
        let mut failed = 0;
        for place in 0.. {
            let (world, id) = story(is_told_first).await;
            let (executor, fuse) = failing_executor(&world, fault, place);
            for _ in 0..4 {
                world.work_on(&executor).await;
                world.clock.pass_seconds(1_200);
            }
            let is_over = fuse.calls() <= place;
            let run = run(&world, &id).await;
            assert_eq!(run["state"], "succeeded", "{fault:?} at call {place}, told first: {is_told_first}: {run:#}");
            assert_eq!(step(&run, "wait")["output"]["reason"], "event");
            if is_over {
                break;
            }
            failed += 1;
        }
        assert!(failed > 10, "{failed} calls failed");
    }
}

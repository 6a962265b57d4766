//! Records: what actions and the API make of customers, klasses and what belongs to customers.

use serde_json::{Value, json};
use tests::world::{FormHook, World, workflow_of};

/// Runs one step of `action` with `params` and gives the step as the run shows it.
async fn step(world: &World, hook: &FormHook, action: &str, params: Value) -> Value {
    let steps = json!([{ "id": "step", "action": action, "params": params, "transitions": [] }]);
    let workflow = world.workflow(workflow_of("one-step", &hook.event, steps)).await;
    let transaction = world.arrive(hook, json!({ "n": 1 })).await;
    let step = world.run_of(&transaction).await["steps"][1].clone();
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    step
}

/// What some action cannot do without.
const NEEDED: [&str; 8] = ["id", "email", "customer", "conversation", "body", "title", "name", "klassName"];

/// The code of the failure of one step, whose params come with the data so that nobody can know them before.
async fn failure(world: &World, hook: &FormHook, action: &str, params: &Value) -> String {
    let keys = params.as_object().unwrap().keys().map(String::as_str).chain(NEEDED);
    let references: serde_json::Map<_, _> =
        keys.map(|key| (key.to_owned(), json!(format!("/#steps.1.attributes.data.{key}")))).collect();
    let steps = json!([{ "id": "step", "action": action, "params": references, "transitions": [] }]);
    let workflow = world.workflow(workflow_of("one-step", &hook.event, steps)).await;
    let transaction = world.arrive(hook, params.clone()).await;
    let step = world.run_of(&transaction).await["steps"][1].clone();
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    step["error"]["code"].as_str().unwrap_or_else(|| panic!("no failure: {step}")).to_owned()
}

/// The code of the error of a document whose step has `params` as they stand.
async fn refusal(world: &World, action: &str, params: &Value) -> Option<String> {
    let steps = json!([{ "id": "step", "action": action, "params": params, "transitions": [] }]);
    let document = workflow_of("refused", "kustomer.app.made", steps);
    let answer = world.api("POST", "/v1/workflows", document).await;
    if answer.status == 201 {
        world.api("DELETE", &format!("/v1/workflows/{}", answer.id()), Value::Null).await.expect(204);
        return None;
    }
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(
        answer.body["errors"][0]["source"]["path"].as_str().unwrap().starts_with("$.steps[0].params"),
        "{answer:?}"
    );
    Some(answer.code().to_owned())
}

#[tokio::test]
async fn an_e_mail_address_has_one_owner_whatever_its_case() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let made =
        step(&world, &hook, "kustomer.customer.create", json!({ "email": "Ann@Example.com", "name": "Ann" })).await;
    let id = made["output"]["id"].as_str().unwrap();
    assert_eq!(made["output"]["emails"], json!([{ "type": "home", "email": "Ann@Example.com", "verified": false }]));

    let second = step(&world, &hook, "kustomer.customer.create", json!({ "email": "ann@example.COM" })).await;
    assert_eq!(second["error"]["code"], "email_taken");
    assert!(second["error"]["message"].as_str().unwrap().contains(id));
    assert_eq!(world.customers().await.len(), 1);
    let taken = world.api("POST", "/v1/customers", json!({ "email": "ANN@example.com" })).await.expect(409);
    assert_eq!(taken.code(), "email_taken");

    let found = step(&world, &hook, "kustomer.customer.find-by-email", json!({ "email": " ANN@EXAMPLE.COM " })).await;
    assert_eq!(found["output"]["id"], id);
    assert_eq!(world.get("/v1/customers/email=aNN@example.com").await.expect(200).id(), id);
    assert_eq!(
        step(&world, &hook, "kustomer.customer.find-by-email", json!({ "email": "no address" })).await["output"],
        json!({})
    );
}

#[tokio::test]
async fn an_address_that_a_customer_gives_up_is_free_again() {
    let world = World::new().await;
    let ann = world
        .api("POST", "/v1/customers", json!({ "emails": ["a@example.com", "b@example.com", "A@example.com"] }))
        .await
        .expect(201)
        .id();
    let path = format!("/v1/customers/{ann}");
    world.api("PUT", &path, json!({ "emails": [{ "type": "work", "email": "b@example.com" }, { "type": "home", "email": "c@example.com" }] })).await.expect(200);
    world.get("/v1/customers/email=a@example.com").await.expect(404);
    for kept in ["b@example.com", "c@example.com"] {
        assert_eq!(world.get(&format!("/v1/customers/email={kept}")).await.expect(200).id(), ann);
    }
    let bob = world.api("POST", "/v1/customers", json!({ "email": "a@example.com" })).await.expect(201).id();
    assert_eq!(
        world.api("PUT", &format!("/v1/customers/{bob}"), json!({ "email": "b@example.com" })).await.expect(409).code(),
        "email_taken"
    );

    let many: Vec<String> = (0..20).map(|index| format!("m{index}@example.com")).collect();
    world.api("POST", "/v1/customers", json!({ "emails": many })).await.expect(201);
    let more: Vec<String> = (0..21).map(|index| format!("n{index}@example.com")).collect();
    world.api("POST", "/v1/customers", json!({ "emails": more })).await.expect(400);
}

#[tokio::test]
async fn an_update_merges_custom_attributes_and_counts_the_revision() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let made = step(
        &world,
        &hook,
        "kustomer.customer.create",
        json!({ "name": "Ann", "custom": { "tierStr": "gold", "ordersNum": "3" } }),
    )
    .await;
    let id = made["output"]["id"].clone();
    let updated = step(
        &world,
        &hook,
        "kustomer.customer.update",
        json!({ "id": id, "custom": { "ordersNum": 4, "tierStr": null, "vipBool": "true" } }),
    )
    .await;
    assert_eq!(updated["output"]["custom"], json!({ "ordersNum": 4, "vipBool": true }));
    assert_eq!((&updated["output"]["rev"], &updated["output"]["name"]), (&json!(2), &json!("Ann")));
}

#[tokio::test]
async fn a_customer_made_and_changed_in_one_run_is_written_once_with_both() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let always = |target: &str| json!([{ "target": target, "condition": { "op": "true", "values": [true] } }]);
    let steps = json!([
        { "id": "make", "action": "kustomer.customer.create", "params": { "email": "a@example.com" }, "transitions": always("find") },
        { "id": "find", "action": "kustomer.customer.find-by-email", "params": { "email": "A@EXAMPLE.COM" }, "transitions": always("change") },
        { "id": "change", "action": "kustomer.customer.update", "params": { "id": "/#steps.find.id", "email": "b@example.com", "name": "Ann" }, "transitions": always("again") },
        { "id": "again", "action": "kustomer.customer.find-by-email", "params": { "email": "a@example.com" }, "transitions": [] },
    ]);
    world.workflow(workflow_of("make-and-change", &hook.event, steps)).await;
    let transaction = world.arrive(&hook, json!({})).await;
    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["steps"][4]["output"], json!({}));
    let customer = world.get("/v1/customers/email=b@example.com").await.expect(200);
    assert_eq!((customer.attribute("name"), customer.attribute("rev")), (json!("Ann"), json!(2)));
    world.get("/v1/customers/email=a@example.com").await.expect(404);
}

#[tokio::test]
async fn conversations_messages_and_notes_stand_on_the_timeline_of_their_customer() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let customer = world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201).id();
    let conversation =
        step(&world, &hook, "kustomer.conversation.create", json!({ "customer": customer, "name": "Where is it?" }))
            .await["output"]
            .clone();
    assert_eq!((&conversation["status"], &conversation["priority"]), (&json!("open"), &json!(5)));
    world.clock.pass_seconds(1);
    let message = step(
        &world,
        &hook,
        "kustomer.message.create",
        json!({ "conversation": conversation["id"], "channel": "email", "body": "Hello" }),
    )
    .await["output"]
        .clone();
    assert_eq!((&message["customer"], &message["direction"]), (&json!(customer), &json!("in")));
    world.clock.pass_seconds(1);
    let note =
        step(&world, &hook, "kustomer.note.create", json!({ "conversation": conversation["id"], "body": "Late" }))
            .await["output"]
            .clone();
    let kinds: Vec<Value> = world.timeline(&customer).await.iter().map(|record| record["type"].clone()).collect();
    assert_eq!(kinds, ["note", "message", "conversation"]);
    for (path, id) in [("conversations", &conversation["id"]), ("messages", &message["id"]), ("notes", &note["id"])] {
        assert_eq!(
            world.get(&format!("/v1/{path}/{}", id.as_str().unwrap())).await.expect(200).body["data"]["id"],
            *id
        );
    }

    // A message that names only a customer opens a conversation of its own.
    let message =
        step(&world, &hook, "kustomer.message.create", json!({ "customer": customer, "body": "Hi", "subject": "S" }))
            .await["output"]
            .clone();
    let opened =
        world.get(&format!("/v1/conversations/{}", message["conversation"].as_str().unwrap())).await.expect(200);
    assert_eq!(opened.attribute("name"), "S");
}

#[tokio::test]
async fn an_instance_is_checked_against_its_klass() {
    let world = World::new().await;
    world.order_klass().await;
    let hook = world.form_hook().await;
    let customer = world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201).id();
    let action = "kustomer.kobject.create-with-customer";
    let order = |custom: Value| json!({ "klassName": "order", "customer": customer, "title": "t", "data": {}, "custom": custom });
    let limit = "x".repeat(1_024);
    let made = step(&world, &hook, action, order(json!({ "orderIDStr": limit, "quantityNum": "2" }))).await;
    assert_eq!(made["output"]["custom"]["quantityNum"], 2);
    assert_eq!(made["output"]["type"], "kobject.order");
    for (params, code) in [
        (order(json!({ "orderIDStr": format!("{limit}x") })), "wrong_custom"),
        (order(json!({ "quantityNum": "two" })), "wrong_custom"),
        (order(json!({ "colorStr": "red" })), "wrong_custom"),
        (json!({ "klassName": "", "customer": customer, "title": "t" }), "missing_param"),
        (json!({ "klassName": "x".repeat(1_100), "customer": customer, "title": "t" }), "unknown_klass"),
        (json!({ "klassName": "orders", "customer": customer, "title": "t", "data": {} }), "unknown_klass"),
        (json!({ "klassName": "order", "customer": "581392b55ac7a2110099d9c8", "title": "t" }), "not_found"),
        (json!({ "klassName": "order", "customer": customer, "data": {} }), "missing_param"),
        (json!({ "klassName": "order", "customer": customer, "title": "t", "data": "text" }), "wrong_param"),
        (json!({ "customer": customer, "title": "t" }), "missing_param"),
        (json!({ "klassName": "order", "title": "t" }), "missing_param"),
    ] {
        assert_eq!(failure(&world, &hook, action, &params).await, code, "{params}");
    }
    assert_eq!(world.timeline(&customer).await.len(), 1);
    let instances = world.get(&format!("/v1/customers/{customer}/klasses/order")).await.expect(200);
    assert_eq!(instances.body["data"].as_array().unwrap().len(), 1);
    let link = instances.body["data"][0]["links"]["self"].as_str().unwrap();
    assert_eq!(world.get(link).await.expect(200).body["data"], instances.body["data"][0]);
    world.get(&link.replace("order", "return")).await.expect(404);
    assert_eq!(
        world.get(&format!("/v1/customers/{customer}/klasses/return")).await.expect(200).body["data"],
        json!([])
    );

    let alone = step(&world, &hook, "kustomer.kobject.create", json!({ "klassName": "order", "title": "t" })).await;
    assert_eq!(alone["output"]["customer"], Value::Null);
}

#[tokio::test]
async fn each_action_tells_what_is_wrong_with_its_params() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let customer = world.api("POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201).id();
    // The last word is the code with which a document is refused that says so literally; what only the records can tell
    // is found out when it runs.
    for (action, params, code, refused) in [
        ("kustomer.customer.find-by-email", json!({}), "missing_param", Some("missing_param")),
        ("kustomer.customer.find-by-email", json!({ "email": {} }), "wrong_param", Some("wrong_param")),
        ("kustomer.customer.create", json!({ "email": "nobody" }), "wrong_email", None),
        ("kustomer.customer.create", json!({ "emails": "a@example.com" }), "wrong_param", Some("wrong_param")),
        ("kustomer.customer.create", json!({ "custom": { "tier": "gold" } }), "wrong_custom", None),
        ("kustomer.customer.create", json!({ "custom": "gold" }), "wrong_param", Some("wrong_param")),
        ("kustomer.customer.update", json!({ "name": "Ann" }), "missing_param", Some("missing_param")),
        ("kustomer.customer.update", json!({ "id": "581392b55ac7a2110099d9c8" }), "not_found", None),
        ("kustomer.conversation.create", json!({}), "missing_param", Some("missing_param")),
        (
            "kustomer.conversation.create",
            json!({ "customer": customer, "status": "odd" }),
            "wrong_param",
            Some("wrong_param"),
        ),
        ("kustomer.message.create", json!({ "customer": customer }), "missing_param", Some("missing_param")),
        (
            "kustomer.message.create",
            json!({ "customer": customer, "body": "b", "channel": "pigeon" }),
            "wrong_param",
            Some("wrong_param"),
        ),
        ("kustomer.message.create", json!({ "conversation": "x", "body": "b" }), "not_found", None),
        ("kustomer.note.create", json!({ "body": "b" }), "missing_param", Some("missing_param")),
        ("kustomer.note.create", json!({ "customer": customer }), "missing_param", Some("missing_param")),
        ("kustomer.company.create", json!({ "name": "" }), "missing_param", None),
        ("kustomer.klass.find-by-klassname", json!({}), "missing_param", Some("missing_param")),
    ] {
        assert_eq!(failure(&world, &hook, action, &params).await, code, "{action} {params}");
        assert_eq!(refusal(&world, action, &params).await.as_deref(), refused, "{action} {params}");
    }
    assert_eq!(world.timeline(&customer).await.len(), 0);
}

#[tokio::test]
async fn klasses_are_made_found_changed_and_deleted() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    world.order_klass().await;
    assert_eq!(world.api("POST", "/v1/klasses", json!({ "name": "order" })).await.expect(409).code(), "name_taken");
    for wrong in [
        json!({}),
        json!({ "name": "Order" }),
        json!({ "name": "x".repeat(65) }),
        json!({ "name": "o", "metadata": [] }),
        json!({ "name": "o", "metadata": { "properties": { "color": {}, "size": {} } } }),
    ] {
        world.api("POST", "/v1/klasses", wrong).await.expect(400);
    }
    let found = step(&world, &hook, "kustomer.klass.find-by-klassname", json!({ "klassName": "order" })).await;
    assert_eq!(found["output"]["displayName"], "Order");
    assert_eq!(
        step(&world, &hook, "kustomer.klass.find-by-klassname", json!({ "name": "return" })).await["output"],
        json!({})
    );

    let changed = world.api("PUT", "/v1/klasses/order", json!({ "color": "blue" })).await.expect(200);
    assert_eq!((changed.attribute("color"), changed.attribute("displayName")), (json!("blue"), json!("Order")));
    world.api("PUT", "/v1/klasses/order", json!({ "name": "other" })).await.expect(400);
    assert_eq!(world.get("/v1/klasses").await.body["data"].as_array().unwrap().len(), 1);
    world.api("DELETE", "/v1/klasses/order", Value::Null).await.expect(204);
    world.get("/v1/klasses/order").await.expect(404);
}

//! Who belongs to whom, and which lists that makes.

use serde_json::{Value, json};
use tests::world::World;

use super::{listed, made};

#[tokio::test]
async fn a_relationship_leads_to_a_record_that_is_there_or_is_refused() {
    let world = World::new().await;
    world.order_klass().await;
    let company = made(&world, "companies", json!({ "name": "Shop" })).await;
    let customer = made(&world, "customers", json!({ "name": "Ann", "company": company })).await;
    let conversation = made(&world, "conversations", json!({ "customer": customer })).await;
    let order = json!({ "title": "t", "customer": customer, "company": company, "conversation": conversation });
    let order = world.api("POST", "/v1/klasses/order", order).await.expect(201);
    for (name, kind, id) in [
        ("customer", "customers", &customer),
        ("company", "companies", &company),
        ("conversation", "conversations", &conversation),
    ] {
        let related = &order.body["data"]["relationships"][name];
        assert_eq!(
            (&related["data"]["id"], &related["links"]["self"]),
            (&json!(id), &json!(format!("/v1/{kind}/{id}")))
        );
    }
    for (path, draft, name) in [
        ("customers", json!({ "company": customer }), "company"),
        ("customers", json!({ "company": "5a345109e578360010eadead" }), "company"),
        ("conversations", json!({ "customer": "nobody" }), "customer"),
        ("conversations", json!({ "customer": { "id": customer } }), "customer"),
        ("messages", json!({ "conversation": customer, "body": "b" }), "conversation"),
        ("klasses/order", json!({ "title": "t", "company": customer }), "company"),
    ] {
        let refused = world.api("POST", &format!("/v1/{path}"), draft.clone()).await.expect(400);
        assert_eq!(
            (refused.code(), &refused.body["errors"][0]["source"]["path"]),
            ("not_found", &json!(format!("$.{name}")))
        );
        assert!(refused.text.contains("There is no "), "{draft}");
    }
    for (path, draft) in [
        ("conversations", json!({ "name": "n" })),
        ("messages", json!({ "body": "b" })),
        ("notes", json!({ "body": "b" })),
    ] {
        let refused = world.api("POST", &format!("/v1/{path}"), draft).await.expect(400);
        assert_eq!(refused.body["errors"][0]["source"]["path"], "$.customer", "{path}");
    }
    let own = format!("/v1/customers/{customer}");
    let without = world.api("PUT", &own, json!({ "company": null })).await.expect(200);
    assert!(without.body["data"]["relationships"].get("company").is_none(), "{without:?}");
}

#[tokio::test]
async fn what_has_to_belong_to_somebody_goes_on_doing_so() {
    let world = World::new().await;
    let ann = made(&world, "customers", json!({ "name": "Ann" })).await;
    let bob = made(&world, "customers", json!({ "name": "Bob" })).await;
    let of_ann = made(&world, "conversations", json!({ "customer": ann })).await;
    let of_bob = made(&world, "conversations", json!({ "customer": bob })).await;
    let message = made(&world, "messages", json!({ "conversation": of_ann, "body": "b" })).await;
    let note = made(&world, "notes", json!({ "customer": ann, "body": "b" })).await;
    for path in [format!("conversations/{of_ann}"), format!("notes/{note}")] {
        let refused = world.api("PUT", &format!("/v1/{path}"), json!({ "customer": null })).await.expect(400);
        assert_eq!(refused.body["errors"][0]["source"]["path"], "$.customer", "{path}");
    }
    let elsewhere =
        world.api("PUT", &format!("/v1/conversations/{of_ann}"), json!({ "customer": bob })).await.expect(400);
    assert_eq!(elsewhere.body["errors"][0]["source"]["path"], "$.customer");
    world.api("PUT", &format!("/v1/conversations/{of_ann}"), json!({ "customer": ann })).await.expect(200);
    // A message is with the customer of its conversation, whatever else is named.
    for changes in [json!({ "conversation": of_bob }), json!({ "conversation": of_bob, "customer": ann })] {
        let moved = world.api("PUT", &format!("/v1/messages/{message}"), changes).await.expect(200);
        assert_eq!(moved.body["data"]["relationships"]["customer"]["data"]["id"], json!(bob));
    }
    let back = world.api("PUT", &format!("/v1/messages/{message}"), json!({ "customer": ann })).await.expect(200);
    assert_eq!(back.body["data"]["relationships"]["customer"]["data"]["id"], json!(bob));
    assert_eq!(listed(&world, &format!("messages?conversation={of_bob}")).await, std::slice::from_ref(&message));
    assert_eq!(listed(&world, &format!("messages?customer={bob}")).await, [message]);
    assert_eq!(listed(&world, &format!("messages?customer={ann}")).await, [] as [String; 0]);
}

#[tokio::test]
async fn a_message_that_names_only_a_customer_opens_a_conversation() {
    let world = World::new().await;
    let customer = made(&world, "customers", json!({ "name": "Ann" })).await;
    let draft = json!({ "customer": customer, "body": "Hi", "subject": "Order" });
    let message = world.api("POST", "/v1/messages", draft).await.expect(201);
    let opened = message.body["data"]["relationships"]["conversation"]["data"]["id"].as_str().unwrap().to_owned();
    let conversation = world.get(&format!("/v1/conversations/{opened}")).await.expect(200);
    assert_eq!((conversation.attribute("name"), conversation.attribute("status")), (json!("Order"), json!("open")));
    assert_eq!(listed(&world, &format!("conversations?customer={customer}")).await, [opened]);
}

#[tokio::test]
async fn lists_of_what_belongs_to_customers_name_the_customer_or_the_conversation() {
    let world = World::new().await;
    let customer = made(&world, "customers", json!({ "name": "Ann" })).await;
    let other = made(&world, "customers", json!({ "name": "Bob" })).await;
    let mut conversations = Vec::new();
    for index in 0..3 {
        let name = format!("c{index}");
        conversations.push(made(&world, "conversations", json!({ "customer": customer, "name": name })).await);
        for body in ["one", "two"] {
            world.clock.pass_seconds(1);
            made(&world, "messages", json!({ "conversation": conversations[index], "body": body })).await;
            made(&world, "notes", json!({ "conversation": conversations[index], "body": body })).await;
        }
    }
    for (list, wanted) in [
        (format!("conversations?customer={customer}"), 3),
        (format!("messages?customer={customer}"), 6),
        (format!("messages?conversation={}", conversations[1]), 2),
        (format!("messages?customer={customer}&conversation={}", conversations[1]), 2),
        (format!("notes?conversation={}", conversations[2]), 2),
        (format!("notes?customer={other}"), 0),
    ] {
        // Whoever follows `next` to its end has seen all of them once, newest first.
        let seen = world.every(&format!("/v1/{list}&pageSize=2")).await;
        assert_eq!(seen.len(), wanted, "{list}");
        let made_at = |record: &Value| record["attributes"]["createdAt"].as_str().unwrap().to_owned();
        assert!(seen.windows(2).all(|pair| made_at(&pair[0]) >= made_at(&pair[1])), "{list}");
    }
    for list in ["conversations", "messages", "notes"] {
        for query in ["", "?customer=", "?customer=nobody", "?customer=5a345109e578360010eadead"] {
            assert_eq!(world.get(&format!("/v1/{list}{query}")).await.expect(400).code(), "bad_query", "{list}{query}");
        }
    }
    for query in ["nobody", "5a345109e578360010eadead", &customer] {
        let refused = world.get(&format!("/v1/messages?conversation={query}")).await.expect(400);
        assert_eq!(refused.code(), "bad_query", "{query}");
    }
}

#[tokio::test]
async fn what_belonged_to_a_deleted_customer_stays_readable() {
    let world = World::new().await;
    let customer = made(&world, "customers", json!({ "name": "Ann", "email": "ann@example.com" })).await;
    let conversation = made(&world, "conversations", json!({ "customer": customer })).await;
    let message = made(&world, "messages", json!({ "conversation": conversation, "body": "b" })).await;
    world.api("DELETE", "/v1/customers/email=ann@example.com", Value::Null).await.expect(204);
    for path in [format!("conversations/{conversation}"), format!("messages/{message}")] {
        world.get(&format!("/v1/{path}")).await.expect(200);
    }
    world.get(&format!("/v1/customers/{customer}/timeline")).await.expect(404);
    assert_eq!(world.customers().await, [] as [Value; 0]);
    made(&world, "customers", json!({ "email": "ann@example.com" })).await;
}

#[tokio::test]
async fn an_instance_is_related_to_any_record_under_a_name_of_its_authors() {
    let world = World::new().await;
    world.api("POST", "/v1/klasses", json!({ "name": "order" })).await.expect(201);
    let ann = made(&world, "customers", json!({ "name": "Ann" })).await;
    let acme = made(&world, "companies", json!({ "name": "Acme" })).await;
    let order = made(&world, "klasses/order", json!({ "title": "Order 1" })).await;
    let path = format!("/v1/klasses/order/{order}/relationships");
    let relate = async |name: &str, kind: Value, id: Value| {
        world.api("POST", &path, json!({ "relationship": name, "type": kind, "relatedId": id })).await
    };
    let related = relate("payer", json!("customer"), json!(ann)).await.expect(200);
    assert_eq!(related.body["data"]["relationships"]["payer"]["data"], json!({ "type": "customer", "id": ann }));
    // The name says the type where nothing else does, and what was related by it is so no more.
    relate("company", Value::Null, json!(acme)).await.expect(200);
    let related = relate("payer", json!("company"), json!(acme)).await.expect(200);
    assert_eq!(related.body["data"]["relationships"]["payer"]["data"], json!({ "type": "company", "id": acme }));
    let rev = related.attribute("rev");
    assert_eq!(relate("payer", json!("company"), json!(acme)).await.expect(200).attribute("rev"), rev);
    let without = relate("payer", Value::Null, Value::Null).await.expect(200);
    assert!(without.body["data"]["relationships"].get("payer").is_none(), "{without:?}");
    assert_eq!(
        relate("nothing", Value::Null, Value::Null).await.expect(200).attribute("rev"),
        without.attribute("rev")
    );

    for (name, kind, id, place) in [
        ("payer", Value::Null, json!(ann), "$.type"),
        ("payer", json!("planet"), json!(ann), "$.type"),
        ("customer", json!("company"), json!(acme), "$.type"),
        ("title", json!("company"), json!(acme), "$.relationship"),
        ("org", json!("company"), json!(acme), "$.relationship"),
        ("two words", json!("company"), json!(acme), "$.relationship"),
        ("", json!("company"), json!(acme), "$.relationship"),
        (&"n".repeat(65), json!("company"), json!(acme), "$.relationship"),
        ("payer", json!("company"), json!(ann), "$.relatedId"),
        ("payer", json!("company"), json!("none"), "$.relatedId"),
        ("payer", json!("company"), json!(1), "$.relatedId"),
    ] {
        let refused = relate(name, kind.clone(), id.clone()).await.expect(400);
        assert_eq!(refused.body["errors"][0]["source"]["path"], place, "{name} {kind} {id}: {refused:?}");
    }
    world.api("POST", &path, json!({ "relatedId": ann })).await.expect(400);
    world.api("POST", &path, json!({ "relationship": "payer", "type": "company" })).await.expect(400);
    relate(&"n".repeat(64), json!("company"), json!(acme)).await.expect(200);
    for number in 0..18 {
        relate(&format!("n{number}"), json!("company"), json!(acme)).await.expect(200);
    }
    assert_eq!(relate("n18", json!("company"), json!(acme)).await.expect(400).code(), "too_many_relationships");
}

#[tokio::test]
async fn a_document_of_json_api_says_by_relationships_what_a_record_belongs_to() {
    let world = World::new().await;
    world.order_klass().await;
    let ann = made(&world, "customers", json!({ "name": "Ann" })).await;
    let acme = made(&world, "companies", json!({ "name": "Acme" })).await;
    let related = |kind: &str, id: &str| json!({ "data": { "type": kind, "id": id } });
    let document = json!({ "data": { "attributes": { "name": "Where?" }, "relationships": { "customer": related("customer", &ann) } } });
    let conversation = world.api("POST", "/v1/conversations", document).await.expect(201);
    assert_eq!(conversation.body["data"]["relationships"]["customer"]["data"]["id"], json!(ann));
    let own = format!("/v1/customers/{ann}");
    let document = json!({ "data": { "attributes": {}, "relationships": { "company": related("company", &acme) } } });
    let changed = world.api("PUT", &own, document).await.expect(200);
    assert_eq!(changed.body["data"]["relationships"]["company"]["data"]["id"], json!(acme));
    // What was read may be sent back, and `null` takes away.
    world.api("PUT", &own, changed.body.clone()).await.expect(200);
    let document = json!({ "data": { "attributes": {}, "relationships": { "company": { "data": null } } } });
    let without = world.api("PUT", &own, document).await.expect(200);
    assert!(without.body["data"]["relationships"].get("company").is_none(), "{without:?}");

    // An instance's own `data` is no such document, whatever is in it.
    let order = made(&world, "klasses/order", json!({ "title": "Order 1" })).await;
    let data = json!({ "relationships": { "customer": related("customer", &ann) }, "size": 2 });
    let kept = world.api("PUT", &format!("/v1/klasses/order/{order}"), json!({ "data": data })).await.expect(200);
    assert_eq!(kept.attribute("data"), data);
    assert!(kept.body["data"]["relationships"].get("customer").is_none(), "{kept:?}");
}

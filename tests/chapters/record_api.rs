//! Records from the outside: every kind of them through the management API.

mod attributes;
mod belonging;
mod merging;
mod pages;
mod unique;

use serde_json::{Value, json};
use tests::world::World;

/// A kind of record in the API.
pub(crate) struct Kind {
    /// What events and resources call it.
    pub(crate) kind: &'static str,
    /// The path of new ones, behind `/v1/`.
    pub(crate) path: &'static str,
    /// The path of the list that a new one is in.
    pub(crate) list: String,
    /// A good draft.
    pub(crate) draft: Value,
    /// A text that may be changed.
    pub(crate) text: &'static str,
}

impl Kind {
    /// Every kind, in a world that has the klass `order`, with the customer that they belong to.
    pub(crate) async fn all(world: &World) -> Vec<Self> {
        world.order_klass().await;
        let customer = made(world, "customers", json!({ "name": "Owner" })).await;
        let conversation = made(world, "conversations", json!({ "customer": customer })).await;
        world.clock.pass_seconds(1);
        let of_customer = |path: &str| format!("{path}?customer={customer}&pageSize=1");
        let kind = |kind, path, list: &str, draft, text| Self { kind, path, list: list.to_owned(), draft, text };
        vec![
            kind("customer", "customers", "customers?pageSize=1", json!({ "name": "Ann" }), "name"),
            kind(
                "conversation",
                "conversations",
                &of_customer("conversations"),
                json!({ "customer": customer, "name": "Where?" }),
                "name",
            ),
            kind(
                "message",
                "messages",
                &format!("messages?conversation={conversation}"),
                json!({ "conversation": conversation, "body": "Hello", "subject": "Order" }),
                "subject",
            ),
            kind("note", "notes", &of_customer("notes"), json!({ "customer": customer, "body": "Late" }), "body"),
            kind("company", "companies", "companies", json!({ "name": "Shop" }), "name"),
            kind("user", "users", "users", json!({ "name": "Kim" }), "name"),
            kind("tag", "tags", "tags", json!({ "name": "vip", "color": "gold" }), "name"),
            kind("kobject.order", "klasses/order", "klasses/order/instances", json!({ "title": "Order 1" }), "title"),
        ]
    }
}

/// The id of a new record.
pub(crate) async fn made(world: &World, path: &str, draft: Value) -> String {
    world.api("POST", &format!("/v1/{path}"), draft).await.expect(201).id()
}

/// The ids on the first page of a list.
pub(crate) async fn listed(world: &World, list: &str) -> Vec<String> {
    let answer = world.get(&format!("/v1/{list}")).await.expect(200);
    let ids = answer.body["data"].as_array().unwrap().iter();
    ids.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn records_of_every_kind_are_made_read_listed_changed_and_deleted() {
    let world = World::new().await;
    for Kind { kind, path, list, draft, text } in Kind::all(&world).await {
        let answer = world.api("POST", &format!("/v1/{path}"), draft.clone()).await.expect(201);
        let (id, own) = (answer.id(), format!("/v1/{path}/{}", answer.id()));
        assert_eq!(answer.body["data"]["type"], kind);
        assert_eq!(answer.body["data"]["links"]["self"], json!(own));
        assert_eq!(answer.body["data"]["relationships"]["org"]["data"]["id"], json!(world.org));
        assert_eq!((answer.attribute("rev"), answer.attribute(text)), (json!(1), draft[text].clone()), "{kind}");
        assert_eq!(world.get(&own).await.expect(200).body["data"], answer.body["data"], "{kind}");
        assert_eq!(listed(&world, &list).await, std::slice::from_ref(&id), "{kind}");

        world.clock.pass_seconds(1);
        for (method, rev) in [("PUT", 2), ("PATCH", 3)] {
            let changed = world.api(method, &own, json!({ (text): format!("by {method}") })).await.expect(200);
            assert_eq!(changed.attribute("rev"), rev, "{kind}");
            assert_eq!(changed.attribute("createdAt"), answer.attribute("createdAt"), "{kind}");
            assert_ne!(changed.attribute("updatedAt"), answer.attribute("updatedAt"), "{kind}");
            assert_eq!(world.get(&own).await.expect(200).body["data"], changed.body["data"], "{kind}");
        }
        let document = world.get(&own).await.expect(200).body;
        let same = world.api("PUT", &own, document.clone()).await.expect(200);
        assert_eq!(same.body["data"], document["data"], "what was read may be sent back: {kind}");

        world.api("DELETE", &own, Value::Null).await.expect(204);
        assert_eq!(world.get(&own).await.expect(404).code(), "not_found");
        world.api("PUT", &own, json!({ (text): "x" })).await.expect(404);
        world.api("DELETE", &own, Value::Null).await.expect(404);
        assert!(!listed(&world, &list).await.contains(&id), "{kind}");
    }
}

#[tokio::test]
async fn a_change_that_was_made_for_an_earlier_revision_is_refused() {
    let world = World::new().await;
    for Kind { kind, path, draft, text, .. } in Kind::all(&world).await {
        let own = format!("/v1/{path}/{}", made(&world, path, draft).await);
        world.api("PUT", &own, json!({ (text): "second", "rev": 1 })).await.expect(200);
        for stale in [json!(1), json!("1"), json!(3), json!("two"), json!(2.5)] {
            let refused = world.api("PUT", &own, json!({ (text): "third", "rev": stale })).await.expect(409);
            assert_eq!(refused.code(), "rev_mismatch", "{kind} {stale}");
            assert_eq!(refused.body["errors"][0]["source"]["path"], "$.rev");
            assert!(refused.text.contains("Read it again and repeat the change."), "{kind}");
        }
        assert_eq!(world.get(&own).await.expect(200).attribute(text), "second", "{kind}");
        let changed = world.api("PUT", &own, json!({ (text): "third", "rev": "2" })).await.expect(200);
        assert_eq!((changed.attribute(text), changed.attribute("rev")), (json!("third"), json!(3)), "{kind}");
    }
}

#[tokio::test]
async fn what_another_system_calls_a_record_is_its_own_among_its_kind() {
    let world = World::new().await;
    for Kind { kind, path, draft, .. } in Kind::all(&world).await.into_iter().filter(|kind| kind.kind != "tag") {
        let with = |id: Value| {
            let mut draft = draft.clone();
            draft["externalId"] = id;
            draft
        };
        let list = if path == "klasses/order" { "klasses/order/instances" } else { path };
        let first = made(&world, path, with(json!("x/1 ä"))).await;
        let by_key = format!("/v1/{path}/externalId=x%2F1%20%C3%A4");
        assert_eq!(world.get(&by_key).await.expect(200).id(), first, "{kind}");
        let query = format!("{list}?externalId=x%2F1%20%C3%A4");
        assert_eq!(listed(&world, &query).await, std::slice::from_ref(&first), "{kind}");
        assert_eq!(listed(&world, &format!("{list}?externalId=other")).await, [] as [String; 0], "{kind}");
        world.get(&format!("/v1/{path}/externalId=")).await.expect(404);

        let taken = world.api("POST", &format!("/v1/{path}"), with(json!("x/1 ä"))).await.expect(409);
        assert_eq!((taken.code(), taken.text.contains(&first)), ("external_id_taken", true), "{kind}");
        // By its key it is changed and deleted as well, and what it gives up is free.
        world.api("PUT", &by_key, json!({ "externalId": null })).await.expect(200);
        world.get(&by_key).await.expect(404);
        let second = made(&world, path, with(json!("x/1 ä"))).await;
        assert_ne!(first, second, "{kind}");
        world.api("DELETE", &by_key, Value::Null).await.expect(204);
        world.get(&format!("/v1/{path}/{second}")).await.expect(404);
        made(&world, path, with(json!("x/1 ä"))).await;
    }
}

#[tokio::test]
async fn instances_are_of_a_klass_that_is_there_and_outlive_it() {
    let world = World::new().await;
    world.order_klass().await;
    let unknown = world.api("POST", "/v1/klasses/return", json!({ "title": "t" })).await.expect(404);
    assert!(unknown.text.contains("There is no klass `return`"), "{unknown:?}");
    let customer = made(&world, "customers", json!({ "name": "Ann" })).await;
    let draft = json!({ "title": "t", "custom": { "quantityNum": "2" } });
    let on_timeline = made(&world, &format!("customers/{customer}/klasses/order"), draft.clone()).await;
    let alone = made(&world, "klasses/order", draft).await;
    assert_eq!(listed(&world, "klasses/order/instances").await, std::slice::from_ref(&alone));
    assert_eq!(listed(&world, &format!("customers/{customer}/klasses/order")).await, [on_timeline]);
    let wrong = world.api("POST", "/v1/klasses/order", json!({ "title": "t", "custom": { "sizeNum": 1 } })).await;
    assert_eq!(wrong.expect(400).code(), "wrong_custom");

    world.api("DELETE", "/v1/klasses/order", Value::Null).await.expect(204);
    world.get(&format!("/v1/klasses/order/{alone}")).await.expect(200);
    assert_eq!(listed(&world, "klasses/order/instances").await, std::slice::from_ref(&alone));
    world.api("PUT", &format!("/v1/klasses/order/{alone}"), json!({ "title": "u" })).await.expect(200);
    world.api("POST", "/v1/klasses/order", json!({ "title": "t" })).await.expect(404);
}

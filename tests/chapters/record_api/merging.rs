//! Two customers that are one person.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use tests::{
    Answer,
    providers::PoliteStore,
    world::{NOON, World},
};

use super::{listed, made};

async fn merge(world: &World, survivor: &str, other: &str) -> Answer {
    world.api("POST", &format!("/v1/customers/{survivor}/merge"), json!({ "otherId": other })).await
}

#[tokio::test]
async fn timelines_come_together_and_whatever_the_other_was_found_by_leads_to_the_survivor() {
    let world = World::new().await;
    world.order_klass().await;
    let ann = json!({ "name": "Ann", "email": "ann@example.com", "externalId": "c-1", "custom": { "tierStr": "gold" }, "tags": ["a"] });
    let ann = made(&world, "customers", ann).await;
    let anna = json!({
        "name": "Anna", "emails": ["anna@example.com", { "type": "work", "email": "A@example.com" }], "phone": "+15550100",
        "externalId": "c-2", "locale": "da", "custom": { "tierStr": "red", "ageNum": 41 }, "tags": ["a", "b"],
    });
    let anna = made(&world, "customers", anna).await;
    let mut on_timelines = Vec::new();
    for customer in [&ann, &anna, &ann, &anna] {
        world.clock.pass_seconds(1);
        on_timelines.insert(0, made(&world, "conversations", json!({ "customer": customer })).await);
        world.clock.pass_seconds(1);
        on_timelines
            .insert(0, made(&world, &format!("customers/{customer}/klasses/order"), json!({ "title": "t" })).await);
    }

    let merged = merge(&world, &ann, &anna).await.expect(200);
    assert_eq!((merged.id(), merged.attribute("rev")), (ann.clone(), json!(2)));
    assert_eq!((merged.attribute("name"), merged.attribute("locale")), (json!("Ann"), json!("da")));
    assert_eq!(merged.attribute("custom"), json!({ "tierStr": "gold", "ageNum": 41 }));
    assert_eq!((merged.attribute("tags"), merged.attribute("mergedIds")), (json!(["a", "b"]), json!([anna])));
    assert_eq!(merged.attribute("emails").as_array().unwrap().len(), 3);

    let timeline: Vec<Value> = world.timeline(&ann).await.iter().map(|record| record["id"].clone()).collect();
    assert_eq!(json!(timeline), json!(on_timelines), "newest first");
    assert_eq!(world.timeline(&anna).await.len(), 8);
    for customer in [&ann, &anna] {
        assert_eq!(listed(&world, &format!("conversations?customer={customer}")).await.len(), 4);
        assert_eq!(listed(&world, &format!("customers/{customer}/klasses/order")).await.len(), 4);
    }
    // Page by page they are the same, each once.
    let records = world.every(&format!("/v1/customers/{ann}/timeline?pageSize=3")).await;
    let paged: Vec<&Value> = records.iter().map(|record| &record["id"]).collect();
    assert_eq!(json!(paged), json!(on_timelines));

    assert_eq!(listed(&world, "customers").await, std::slice::from_ref(&ann));
    for key in [
        anna.as_str(),
        "email=ann@example.com",
        "email=ANNA@example.com",
        "email=a@example.com",
        "phone=%2B1%20555%200100",
        "externalId=c-1",
        "externalId=c-2",
    ] {
        assert_eq!(world.get(&format!("/v1/customers/{key}")).await.expect(200).id(), ann, "{key}");
    }
    world.clock.pass_seconds(1);
    // What comes later under the other's id is the survivor's.
    let later = made(&world, "conversations", json!({ "customer": anna })).await;
    assert_eq!(world.timeline(&ann).await[0]["id"], json!(later));
    let changed = world.api("PUT", &format!("/v1/customers/{anna}"), json!({ "locale": "de" })).await.expect(200);
    assert_eq!((changed.id(), changed.attribute("locale")), (ann, json!("de")));
}

#[tokio::test]
async fn who_was_merged_may_be_merged_again_and_nobody_with_themselves() {
    let world = World::new().await;
    let customer = async |name: &str| {
        made(&world, "customers", json!({ "name": name, "email": format!("{name}@example.com") })).await
    };
    let (a, b, c) = (customer("a").await, customer("b").await, customer("c").await);
    made(&world, "conversations", json!({ "customer": c })).await;
    assert_eq!(merge(&world, &a, &a).await.expect(400).code(), "same_customer");
    merge(&world, &b, &c).await.expect(200);
    assert_eq!(merge(&world, &b, &c).await.expect(400).code(), "same_customer");
    assert_eq!(merge(&world, &c, &b).await.expect(400).code(), "same_customer");
    let merged = merge(&world, &a, &c).await.expect(200);
    assert_eq!((merged.id(), merged.attribute("mergedIds")), (a.clone(), json!([b, c])));
    for id in [&a, &b, &c] {
        assert_eq!(world.get(&format!("/v1/customers/{id}")).await.expect(200).id(), a);
        assert_eq!(world.timeline(id).await.len(), 1);
    }
    for name in ["a", "b", "c"] {
        assert_eq!(world.get(&format!("/v1/customers/email={name}@example.com")).await.expect(200).id(), a);
    }
    for wrong in [
        json!({}),
        json!({ "otherId": null }),
        json!({ "otherId": "nobody" }),
        json!({ "otherId": "5a345109e578360010eadead" }),
    ] {
        let refused = world.api("POST", &format!("/v1/customers/{a}/merge"), wrong).await.expect(400);
        assert_eq!(refused.body["errors"][0]["source"]["path"], "$.otherId");
    }
    merge(&world, "5a345109e578360010eadead", &a).await.expect(404);

    world.api("DELETE", &format!("/v1/customers/{a}"), Value::Null).await.expect(204);
    for id in [&a, &b, &c] {
        world.get(&format!("/v1/customers/{id}")).await.expect(404);
    }
    customer("c").await;
}

#[tokio::test]
async fn a_customer_who_was_merged_20_times_over_leads_to_the_last_survivor() {
    let world = World::new().await;
    let first = made(&world, "customers", json!({ "name": "n0", "email": "ann@example.com" })).await;
    let mut last = first.clone();
    for index in 1..=20 {
        let next = made(&world, "customers", json!({ "name": format!("n{index}") })).await;
        merge(&world, &next, &last).await.expect(200);
        last = next;
    }
    for key in [first.as_str(), "email=ann@example.com"] {
        assert_eq!(world.get(&format!("/v1/customers/{key}")).await.expect(200).id(), last, "{key}");
    }
    let next = made(&world, "customers", json!({ "name": "n21" })).await;
    assert_eq!(merge(&world, &next, &last).await.expect(400).code(), "too_many_merged");
}

#[tokio::test]
async fn a_merge_past_a_limit_changes_nothing() {
    let world = World::new().await;
    let entries = |name: &str, from: usize, to: usize| -> Vec<String> {
        (from..to)
            .map(|index| if name == "emails" { format!("a{index}@example.com") } else { format!("+1555{index:04}") })
            .collect()
    };
    for (ours, theirs, refusal) in [
        (json!({ "emails": entries("emails", 0, 10) }), json!({ "emails": entries("emails", 10, 20) }), None),
        (
            json!({ "emails": entries("emails", 0, 10) }),
            json!({ "emails": entries("emails", 10, 21) }),
            Some("bad_attribute"),
        ),
        (json!({ "emails": entries("emails", 0, 20) }), json!({ "phones": entries("phones", 0, 20) }), None),
        (
            json!({ "emails": entries("emails", 0, 20), "externalId": "c" }),
            json!({ "phones": entries("phones", 0, 20) }),
            Some("too_many_keys"),
        ),
    ] {
        let (ours, theirs) = (made(&world, "customers", ours).await, made(&world, "customers", theirs).await);
        let answer = merge(&world, &ours, &theirs).await;
        match refusal {
            None => assert_eq!(answer.expect(200).id(), ours),
            Some(code) => {
                assert_eq!(answer.expect(400).code(), code);
                assert_eq!(listed(&world, "customers").await.len(), 2);
                assert_eq!(world.get(&format!("/v1/customers/{theirs}")).await.expect(200).attribute("rev"), 1);
                world.api("DELETE", &format!("/v1/customers/{theirs}"), Value::Null).await.expect(204);
            }
        }
        world.api("DELETE", &format!("/v1/customers/{ours}"), Value::Null).await.expect(204);
    }

    let survivor = made(&world, "customers", json!({ "name": "one" })).await;
    for index in 0..20 {
        let other = made(&world, "customers", json!({ "name": format!("n{index}") })).await;
        merge(&world, &survivor, &other).await.expect(200);
    }
    let other = made(&world, "customers", json!({ "name": "n20" })).await;
    for (survivor, other) in [(&survivor, &other), (&other, &survivor)] {
        let refused = merge(&world, survivor, other).await.expect(400);
        assert_eq!(refused.code(), "too_many_merged");
        assert!(refused.text.contains("at most 20 others"), "{refused:?}");
    }
}

#[tokio::test]
async fn merges_at_the_same_moment_lose_nobody() {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let world = World::over(Arc::new(PoliteStore(store)), clock).await;
    let customer = async |name: &str| {
        made(&world, "customers", json!({ "name": name, "email": format!("{name}@example.com") })).await
    };
    let (a, b, c) = (customer("a").await, customer("b").await, customer("c").await);
    // Into each other, and a third one into one of them.
    let (first, second, third) = tokio::join!(merge(&world, &a, &b), merge(&world, &b, &a), merge(&world, &b, &c));
    let statuses = [first.status, second.status, third.status];
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{first:?} {second:?} {third:?}");
    assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{statuses:?}");
    let survivors = listed(&world, "customers").await;
    assert_eq!(survivors.len(), 1, "{survivors:?}");
    for id in [&a, &b, &c] {
        assert_eq!(world.get(&format!("/v1/customers/{id}")).await.expect(200).id(), survivors[0]);
    }
    for name in ["a", "b", "c"] {
        assert_eq!(world.get(&format!("/v1/customers/email={name}@example.com")).await.expect(200).id(), survivors[0]);
    }
}

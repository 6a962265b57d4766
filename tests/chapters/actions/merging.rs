//! Customers that turn out to be one.

use serde_json::{Value, json};

use super::stage::Stage;

async fn merge(stage: &Stage, id: &str, other: &str) -> Value {
    stage.step("kustomer.customer.merge", &json!({ "id": id, "otherId": other })).await
}

#[tokio::test]
async fn whatever_led_to_the_other_leads_to_the_one_who_stays() {
    let stage = Stage::with(&[]).await;
    let (ann, bea) = (stage.id("ann"), stage.id("bea"));
    let note = json!({ "customer": bea, "body": "Likes tea" });
    stage.make("notes", &note).await;
    assert_eq!(merge(&stage, &ann, &bea).await["output"]["id"], ann);
    for (action, params) in [
        ("kustomer.customer.find", json!({ "identifier": bea })),
        ("kustomer.customer.find-by-email", json!({ "email": "BEA@example.com" })),
        ("kustomer.customer.find-by-phone", json!({ "phone": "+15550102" })),
        ("kustomer.customer.find-by-external-id", json!({ "externalId": "c-1002" })),
        ("kustomer.customer.update", json!({ "id": bea, "username": "ann" })),
    ] {
        assert_eq!(stage.step(action, &params).await["output"]["id"], ann, "{action}");
    }
    assert_eq!(stage.world.customers().await.len(), 1);
    let bodies: Vec<Value> =
        stage.world.timeline(&ann).await.iter().map(|item| item["attributes"]["body"].clone()).collect();
    assert!(bodies.contains(&json!("Likes tea")), "{bodies:?}");
    // What belonged to the other from now on belongs to her.
    let made = stage.step("kustomer.note.create", &note).await;
    assert_eq!(made["output"]["customer"], ann);
}

#[tokio::test]
async fn whoever_was_merged_is_the_one_they_were_merged_into() {
    let stage = Stage::with(&[]).await;
    let (ann, bea) = (stage.id("ann"), stage.id("bea"));
    merge(&stage, &ann, &bea).await;
    for (id, other) in [(&ann, &bea), (&bea, &ann), (&bea, &bea)] {
        assert_eq!(merge(&stage, id, other).await["error"]["code"], "same_customer");
    }
    let carl = stage.make("customers", &json!({ "name": "Carl" })).await;
    // Merging the one who is gone merges the one who stayed.
    let merged = merge(&stage, &carl, &bea).await["output"].clone();
    assert_eq!((&merged["id"], &merged["name"]), (&json!(carl), &json!("Carl")));
    for id in [&ann, &bea] {
        let found = stage.step("kustomer.customer.find", &json!({ "id": id })).await;
        assert_eq!(found["output"]["id"], carl);
    }
}

#[tokio::test]
async fn a_customer_is_merged_from_20_and_not_from_21_however_long_the_way_is() {
    let stage = Stage::with(&[]).await;
    let (ann, first) = (stage.id("ann"), stage.id("bea"));
    // Each is merged into the next one, so that the first one is 19 customers away from the last.
    let mut last = first.clone();
    for number in 1..20 {
        let next = stage.make("customers", &json!({ "name": format!("c{number}") })).await;
        assert_eq!(merge(&stage, &next, &last).await["output"]["id"], next);
        last = next;
    }
    assert_eq!(merge(&stage, &ann, &last).await["output"]["mergedIds"].as_array().unwrap().len(), 20);
    assert_eq!(stage.step("kustomer.customer.find", &json!({ "id": first })).await["output"]["id"], ann);
    let one_more = stage.make("customers", &json!({ "name": "one more" })).await;
    assert_eq!(merge(&stage, &ann, &one_more).await["error"]["code"], "too_many_merged");
}

#[tokio::test]
async fn two_who_have_too_much_together_are_not_merged_and_nothing_has_changed() {
    let stage = Stage::with(&[]).await;
    let emails: Vec<String> = (0..20).map(|number| format!("n{number}@a.example")).collect();
    let many = stage.make("customers", &json!({ "emails": emails })).await;
    let step = merge(&stage, &many, &stage.id("bea")).await;
    assert_eq!(step["error"]["code"], "wrong_param");
    assert_eq!(stage.world.get("/v1/customers/email=bea@example.com").await.expect(200).id(), stage.id("bea"));
    assert_eq!(stage.world.customers().await.len(), 3);
}

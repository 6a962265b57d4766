//! What records are found by has one owner, whatever happens at the same time and whatever fails on the way.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use tests::{
    faults::{Fault, FaultyStore},
    providers::PoliteStore,
    world::{NOON, World},
};

use super::made;

/// What two records cannot both have: the path, two drafts that name the same, the code of the refusal, and where the owner is
/// found.
fn shared() -> Vec<(&'static str, Value, Value, &'static str, Option<&'static str>)> {
    vec![
        (
            "customers",
            json!({ "email": "Ann@Example.com" }),
            json!({ "emails": [{ "type": "work", "email": "ann@example.COM" }] }),
            "email_taken",
            Some("email=ANN@example.com"),
        ),
        (
            "customers",
            json!({ "phone": "+1 (555) 010-0" }),
            json!({ "phones": ["00 1 555 0100"] }),
            "phone_taken",
            Some("phone=%2B15550100"),
        ),
        (
            "customers",
            json!({ "whatsapps": ["+15550100"] }),
            json!({ "whatsapps": ["+1.555.0100"] }),
            "phone_taken",
            Some("whatsapp=%2B15550100"),
        ),
        (
            "customers",
            json!({ "externalId": "c-1" }),
            json!({ "externalIds": [{ "externalId": "c-1" }] }),
            "external_id_taken",
            Some("externalId=c-1"),
        ),
        (
            "customers",
            json!({ "facebookIds": ["7"] }),
            json!({ "facebookIds": [{ "id": 7 }] }),
            "account_taken",
            Some("facebookId=7"),
        ),
        (
            "customers",
            json!({ "instagramIds": ["7"] }),
            json!({ "instagramIds": ["7"] }),
            "account_taken",
            Some("instagramId=7"),
        ),
        (
            "customers",
            json!({ "smoochIds": ["7"] }),
            json!({ "smoochIds": ["7"] }),
            "account_taken",
            Some("smoochId=7"),
        ),
        (
            "customers",
            json!({ "twitterIds": ["7"] }),
            json!({ "twitterIds": ["7"] }),
            "account_taken",
            Some("twitterId=7"),
        ),
        (
            "users",
            json!({ "name": "Kim", "email": "kim@example.com" }),
            json!({ "name": "Kim", "email": "KIM@example.com" }),
            "email_taken",
            Some("email=Kim@example.com"),
        ),
        ("tags", json!({ "name": "VIP" }), json!({ "name": " vip" }), "name_taken", None),
        (
            "companies",
            json!({ "name": "Shop", "externalId": "c-1" }),
            json!({ "name": "Shop", "externalId": "c-1" }),
            "external_id_taken",
            Some("externalId=c-1"),
        ),
    ]
}

#[tokio::test]
async fn what_one_record_has_another_cannot_have() {
    // In one world, since what differs in its kind or its network is not the same.
    let world = World::new().await;
    for (path, first, second, code, key) in shared() {
        let (first_text, path) = (first.to_string(), format!("/v1/{path}"));
        let owner = world.api("POST", &path, first).await.expect(201).id();
        let taken = world.api("POST", &path, second.clone()).await.expect(409);
        assert_eq!(taken.code(), code, "{first_text}");
        assert!(taken.text.contains(&owner), "the owner is named: {taken:?}");
        let other = if path.ends_with("customers") { json!({}) } else { json!({ "name": "other" }) };
        let other = format!("{path}/{}", world.api("POST", &path, other).await.expect(201).id());
        assert_eq!(world.api("PUT", &other, second.clone()).await.expect(409).code(), code, "{first_text}");
        if let Some(key) = key {
            assert_eq!(world.get(&format!("{path}/{key}")).await.expect(200).id(), owner, "{first_text}");
            let listed = world.get(&format!("{path}?{key}")).await.expect(200);
            assert_eq!(listed.body["data"][0]["id"], json!(owner), "{first_text}");
        }
        world.api("DELETE", &format!("{path}/{owner}"), Value::Null).await.expect(204);
        world.api("PUT", &other, second).await.expect(200);
        world.api("DELETE", &other, Value::Null).await.expect(204);
    }
}

#[tokio::test]
async fn of_two_who_want_the_same_at_the_same_moment_one_gets_it() {
    for (path, first, second, code, key) in shared() {
        let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let world = World::over(Arc::new(PoliteStore(store)), clock).await;
        let path = format!("/v1/{path}");
        let (one, other) = tokio::join!(world.api("POST", &path, first), world.api("POST", &path, second));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{one:?} {other:?}");
        let (made, refused) = if one.status == 201 { (one, other) } else { (other, one) };
        assert_eq!(refused.code(), code);
        assert!(refused.text.contains(&made.id()), "{refused:?}");
        if let Some(key) = key {
            assert_eq!(world.get(&format!("{path}/{key}")).await.expect(200).id(), made.id());
        }
    }
}

#[tokio::test]
async fn two_changes_at_the_same_moment_are_both_made_one_after_the_other() {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let world = World::over(Arc::new(PoliteStore(store)), clock).await;
    let own = format!("/v1/customers/{}", made(&world, "customers", json!({ "name": "Ann" })).await);
    let changes = [json!({ "locale": "da" }), json!({ "emails": ["ann@example.com"] })];
    let [first, second] = changes;
    let (first, second) = tokio::join!(world.api("PUT", &own, first), world.api("PUT", &own, second));
    first.expect(200);
    second.expect(200);
    let after = world.get(&own).await.expect(200);
    assert_eq!((after.attribute("rev"), after.attribute("locale")), (json!(3), json!("da")));
    assert_eq!(after.attribute("emails")[0]["email"], "ann@example.com");

    // Who said which revision they had seen is refused instead.
    let change = |name: &str| world.api("PUT", &own, json!({ "name": name, "rev": 3 }));
    let (first, second) = tokio::join!(change("Anna"), change("Anne"));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{first:?} {second:?}");
}

#[tokio::test]
async fn a_request_that_fails_at_any_call_of_the_store_leaves_all_of_it_or_nothing() {
    let draft = json!({ "name": "Ann", "email": "ann@example.com", "phone": "+15550100", "externalId": "c-1" });
    let keys = ["email=ann@example.com", "phone=%2B15550100", "externalId=c-1"];
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let mut failed = 0;
        for offset in 0.. {
            let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
            let inner = Arc::new(MemoryStore::new(clock.clone()));
            let store = Arc::new(FaultyStore::new(inner, fault));
            let world = World::over(store.clone(), clock).await;
            let before = store.calls();
            store.fail_in(offset);
            let answer = world.api("POST", "/v1/customers", draft.clone()).await;
            store.heal();
            if before + offset >= store.calls() {
                answer.expect(201);
                break;
            }
            failed += usize::from(answer.status == 503);
            // Whoever was told 503 sends it again, and finds it done or does it.
            let again = world.api("POST", "/v1/customers", draft.clone()).await;
            assert_eq!(world.customers().await.len(), 1, "{fault:?} at call {offset}");
            let id = world.customers().await[0]["id"].clone();
            assert!(again.status == 201 || again.text.contains(id.as_str().unwrap()), "{fault:?} at call {offset}");
            for key in keys {
                let found = world.get(&format!("/v1/customers/{key}")).await.expect(200);
                assert_eq!(json!(found.id()), id, "{fault:?} at call {offset}");
            }
        }
        assert!(failed >= 4, "{fault:?}: only {failed} calls mattered");
    }
}

#[tokio::test]
async fn a_record_is_found_by_at_most_40_keys() {
    let world = World::new().await;
    let emails: Vec<String> = (0..20).map(|index| format!("a{index}@example.com")).collect();
    let phones: Vec<String> = (0..20).map(|index| format!("+1555{index:04}")).collect();
    let at_limit = json!({ "emails": emails, "phones": phones });
    let own = format!("/v1/customers/{}", made(&world, "customers", at_limit.clone()).await);
    for refused in [
        world.api("PUT", &own, json!({ "externalId": "c-1" })).await,
        world.api("PUT", &own, json!({ "whatsapps": ["+15559999"] })).await,
    ] {
        let refused = refused.expect(400);
        assert_eq!(refused.code(), "too_many_keys");
        assert!(refused.text.contains("at most 40 addresses, numbers and ids together; this one would be by 41"));
    }
    // All of them at once may be given up for others.
    let emails: Vec<String> = (0..20).map(|index| format!("b{index}@example.com")).collect();
    let phones: Vec<String> = (0..20).map(|index| format!("+1556{index:04}")).collect();
    world.api("PUT", &own, json!({ "emails": emails, "phones": phones })).await.expect(200);
    made(&world, "customers", at_limit).await;
}

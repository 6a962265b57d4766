//! The quarantine: mails that wait until somebody lets them in or throws them away.

use std::{collections::BTreeSet, sync::Arc};

use domain::{OrgId, Timestamp};
use serde_json::{Value, json};
use service::{
    mail::{MailOutcome, What},
    memory::{FixedWorld, MemoryStore},
};
use tests::{
    mail::{EmailHook, delivery, order_mail, verdicts, word},
    providers::PoliteStore,
    world::{NOON, World},
};

const ORDER: &str = "{\"orderNumber\":\"1\"}";

/// A hook with a listener, and that listener's workflow.
async fn listened(world: &World) -> (EmailHook, String) {
    let hook = world.email_hook().await;
    let workflow = world.listener(&hook).await;
    (hook, workflow)
}

/// Sends an order that looks like spam.
async fn spam(world: &World, hook: &EmailHook, id: &str) -> MailOutcome {
    let mut delivery = delivery(id, &[&hook.address.replace('@', "+eu@")]);
    delivery.verdicts = verdicts("FAIL PASS PASS PASS PASS -");
    let outcomes = world.mail(&delivery, order_mail(&format!("<{id}@shop.example>"), ORDER)).await.unwrap();
    assert_eq!(outcomes[0].what, What::Quarantined("spam"));
    outcomes[0].clone()
}

#[tokio::test]
async fn a_mail_that_waits_is_listed_with_what_one_needs_to_decide() {
    let world = World::new().await;
    let (hook, workflow) = listened(&world).await;
    let outcome = spam(&world, &hook, "m1").await;
    let waiting = world.quarantine(&hook).await;
    let [mail] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert_eq!((&mail["type"], &mail["id"]), (&json!("quarantined_mail"), &json!(outcome.transaction)));
    assert_eq!(mail["links"]["self"], format!("{}/quarantine/{}", hook.path, outcome.transaction));
    let attributes = &mail["attributes"];
    let bytes = order_mail("<m1@shop.example>", ORDER).len();
    for (name, expected) in [
        ("createdAt", json!(NOON)),
        ("code", json!("spam")),
        ("from", json!([{ "name": "Shop", "address": "orders@shop.example" }])),
        ("to", json!([{ "name": "Customer", "address": "customer@mail.example" }])),
        ("subject", json!("Your order")),
        ("messageId", json!("<m1@shop.example>")),
        ("envelopeFrom", json!("bounce@esp.example")),
        ("bytes", json!(bytes)),
        ("recipient", json!(hook.address.replace('@', "+eu@"))),
        ("tag", json!("eu")),
        ("attachments", json!([])),
        ("releasedAt", Value::Null),
        ("transactionId", Value::Null),
    ] {
        assert_eq!(attributes[name], expected, "{name}");
    }
    assert_eq!(attributes["verdicts"]["spam"], "FAIL");
    // Nothing has happened yet: no transaction, no run, and nothing of its data is shown.
    world.get(&format!("/v1/transactions/{}", outcome.transaction)).await.expect(404);
    assert!(world.runs(&workflow).await.is_empty());
}

#[tokio::test]
async fn a_released_mail_fires_once_however_often_it_is_released_and_told_of() {
    let world = World::new().await;
    let (hook, workflow) = listened(&world).await;
    let outcome = spam(&world, &hook, "m1").await;
    let id = outcome.transaction.to_string();
    world.clock.pass_seconds(3_600);

    let released = world.release(&hook, &id).await.expect(200);
    let released_at = "2026-11-22T13:00:00.000Z";
    assert_eq!((released.id(), released.attribute("releasedAt")), (id.clone(), json!(released_at)));
    assert_eq!(released.attribute("transactionId"), json!(id));
    assert_eq!(world.runs(&workflow).await.len(), 1);
    let transaction = world.transaction(&outcome).await;
    assert_eq!(transaction.attribute("createdAt"), NOON);
    assert_eq!(transaction.attribute("data")["orderNumber"], "1");
    assert_eq!(transaction.attribute("email")["tag"], "eu");
    assert_eq!(transaction.attribute("email")["verdicts"]["spam"], "FAIL");
    assert_eq!(transaction.body["meta"]["trace"]["notFired"], Value::Null);

    world.clock.pass_seconds(60);
    for _ in 0..2 {
        let again = world.release(&hook, &id).await.expect(200);
        assert_eq!((again.attribute("releasedAt"), again.attribute("transactionId")), (json!(released_at), json!(id)));
        assert_eq!(spam(&world, &hook, "m1").await.transaction, outcome.transaction);
    }
    assert_eq!(world.quarantine(&hook).await.len(), 1);
    assert_eq!(world.runs(&workflow).await.len(), 1);
}

#[tokio::test]
async fn released_by_many_at_once_it_fires_once() {
    let world = World::new().await;
    let (hook, workflow) = listened(&world).await;
    let id = spam(&world, &hook, "m1").await.transaction.to_string();
    let (one, two, three) =
        tokio::join!(world.release(&hook, &id), world.release(&hook, &id), world.release(&hook, &id));
    for answer in [one, two, three] {
        assert_eq!(answer.expect(200).attribute("transactionId"), json!(id));
    }
    assert_eq!(world.runs(&workflow).await.len(), 1);
}

#[tokio::test]
async fn a_copy_that_was_taken_in_the_meantime_is_the_transaction_of_a_released_mail() {
    let world = World::new().await;
    let (hook, workflow) = listened(&world).await;
    let waiting = spam(&world, &hook, "m1").await;
    let copy = world.mail_to(&hook, "m2", order_mail("<m1@shop.example>", ORDER)).await;
    assert_eq!(word(copy.what), "fired");
    let released = world.release(&hook, &waiting.transaction.to_string()).await.expect(200);
    assert_eq!(released.attribute("transactionId"), json!(copy.transaction));
    assert_eq!(world.runs(&workflow).await.len(), 1);
}

#[tokio::test]
async fn a_released_mail_is_read_as_the_hook_is_set_now() {
    let world = World::new().await;
    let (hook, workflow) = listened(&world).await;
    let id = spam(&world, &hook, "m1").await.transaction.to_string();
    let key = json!({ "key": "a-key-that-the-mail-does-not-have" });
    world.api("PATCH", &hook.path, key).await.expect(200);
    // There is nothing in it that counts, so it stays where it is, and with other settings it may be let out.
    assert_eq!(world.release(&hook, &id).await.expect(409).code(), "nothing_to_start");
    assert!(world.runs(&workflow).await.is_empty());
    assert_eq!(world.quarantine(&hook).await[0]["attributes"]["releasedAt"], json!(null));
    world.api("PATCH", &hook.path, json!({ "key": null })).await.expect(200);
    world.release(&hook, &id).await.expect(200);
    assert_eq!(world.runs(&workflow).await.len(), 1);
}

#[tokio::test]
async fn a_mail_that_is_thrown_away_is_gone_for_good() {
    let world = World::new().await;
    let (hook, workflow) = listened(&world).await;
    let [one, two] = [spam(&world, &hook, "m1").await, spam(&world, &hook, "m2").await];
    let path = format!("{}/quarantine/{}", hook.path, one.transaction);
    world.api("DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(world.api("DELETE", &path, Value::Null).await.expect(404).code(), "not_found");
    world.release(&hook, &one.transaction.to_string()).await.expect(404);
    let waiting = world.quarantine(&hook).await;
    assert_eq!(waiting.iter().map(|mail| &mail["id"]).collect::<Vec<_>>(), [&json!(two.transaction)]);
    assert!(world.runs(&workflow).await.is_empty());
}

#[tokio::test]
async fn a_mail_whose_bytes_are_gone_cannot_be_released_and_goes_on_waiting() {
    let world = World::new().await;
    let (hook, workflow) = listened(&world).await;
    let id = spam(&world, &hook, "m1").await.transaction.to_string();
    world.mails.remove("inbound/m1");
    assert_eq!(world.release(&hook, &id).await.expect(409).code(), "mail_gone");
    assert_eq!(world.quarantine(&hook).await[0]["attributes"]["releasedAt"], Value::Null);
    world.mails.put("inbound/m1", order_mail("<m1@shop.example>", ORDER));
    world.release(&hook, &id).await.expect(200);
    assert_eq!(world.runs(&workflow).await.len(), 1);
}

#[tokio::test]
async fn mails_wait_for_thirty_days() {
    let world = World::new().await;
    let (hook, _) = listened(&world).await;
    let id = spam(&world, &hook, "m1").await.transaction.to_string();
    world.clock.pass_seconds(30 * 24 * 60 * 60 - 1);
    assert_eq!(world.quarantine(&hook).await.len(), 1);
    world.clock.pass_seconds(2);
    assert!(world.quarantine(&hook).await.is_empty());
    world.release(&hook, &id).await.expect(404);
}

#[tokio::test]
async fn mails_of_other_hooks_and_orgs_and_of_hooks_that_get_none_are_not_found() {
    let world = World::new().await;
    let (hook, workflow) = listened(&world).await;
    let other_hook = world.email_hook().await;
    let form = world.form_hook().await;
    let id = spam(&world, &hook, "m1").await.transaction.to_string();
    let other_org = world.key(OrgId::parse("000000000000000000000001").unwrap(), &["org.admin"], 9).await;
    for (token, hook_path) in [(&other_org, &hook.path), (&world.admin, &other_hook.path)] {
        let path = format!("{hook_path}/quarantine/{id}");
        for (method, path) in [("POST", format!("{path}/release")), ("DELETE", path)] {
            let answer = world.api_as(token, method, &path, Value::Null).await.expect(404);
            assert_eq!(answer.code(), "not_found", "{method} {path}");
        }
    }
    // Only email hooks have a quarantine.
    for hook_path in [format!("/v1/hooks/form/{}", form.id), format!("/v1/hooks/web/{}", hook.id)] {
        let path = format!("{hook_path}/quarantine");
        for (method, path) in
            [("GET", path.clone()), ("POST", format!("{path}/{id}/release")), ("DELETE", format!("{path}/{id}"))]
        {
            let answer = world.api(method, &path, Value::Null).await;
            assert!([404, 405].contains(&answer.status), "{method} {path} {answer:?}");
        }
    }
    world.api_as(&other_org, "GET", &format!("{}/quarantine", hook.path), Value::Null).await.expect(404);
    assert_eq!(world.quarantine(&other_hook).await, Vec::<Value>::new());
    for nonsense in ["nonsense", "0", "5a345109e578360010eadead", "..", "%00"] {
        let answer = world.release(&hook, nonsense).await;
        assert!([400, 404].contains(&answer.status), "{nonsense} {answer:?}");
    }
    assert_eq!(world.quarantine(&hook).await.len(), 1);
    assert!(world.runs(&workflow).await.is_empty());
}

#[tokio::test]
async fn the_quarantine_is_read_page_by_page_from_the_newest_on() {
    let world = World::new().await;
    let (hook, _) = listened(&world).await;
    let mut expected = Vec::new();
    for number in 0..7 {
        let mut delivery = delivery(&format!("m{number}"), &[&hook.address]);
        delivery.verdicts = verdicts("FAIL PASS PASS PASS PASS -");
        delivery.received_at = delivery.received_at.map(|at| at.plus_seconds(number));
        let outcomes = world.mail(&delivery, order_mail("<1@shop.example>", ORDER)).await.unwrap();
        expected.insert(0, outcomes[0].transaction.to_string());
    }
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    for page in world.pages(&format!("{}/quarantine?pageSize=3", hook.path)).await {
        let mails = page.body["data"].as_array().unwrap();
        sizes.push(mails.len());
        found.extend(mails.iter().map(|mail| mail["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!((found, sizes), (expected.clone(), vec![3, 3, 1]));
    assert_eq!(expected.iter().collect::<BTreeSet<_>>().len(), 7);
}

#[tokio::test]
async fn the_mails_of_a_deleted_hook_cannot_be_released_any_more() {
    let world = World::new().await;
    let (hook, _) = listened(&world).await;
    let id = spam(&world, &hook, "m1").await.transaction.to_string();
    world.api("DELETE", &hook.path, Value::Null).await.expect(204);
    world.release(&hook, &id).await.expect(404);
    world.get(&format!("{}/quarantine", hook.path)).await.expect(404);
}

#[tokio::test]
async fn of_release_and_discard_at_once_one_comes_first_and_the_other_is_told() {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(PoliteStore(Arc::new(MemoryStore::new(clock.clone()))));
    let world = World::over(store, clock).await;
    let mut outcomes = BTreeSet::new();
    let waits = (0..10).map(|wait| (0, wait)).chain((1..10).map(|wait| (wait, 0)));
    for (release_waits, discard_waits) in waits {
        let (hook, workflow) = listened(&world).await;
        let id = spam(&world, &hook, &format!("m{release_waits}-{discard_waits}")).await.transaction.to_string();
        let path = format!("{}/quarantine/{id}", hook.path);
        let release = async {
            pause(release_waits).await;
            world.release(&hook, &id).await
        };
        let discard = async {
            pause(discard_waits).await;
            world.api("DELETE", &path, Value::Null).await
        };
        let (released, discarded) = tokio::join!(release, discard);
        world.work().await;
        let runs = world.runs(&workflow).await.len();
        assert_eq!(runs, usize::from(released.status == 200), "{} {}", released.status, discarded.status);
        outcomes.insert((released.status, discarded.status));
    }
    // Each of them wins now and then, and who throws away what was released is told when it was at the same moment.
    assert!(outcomes.contains(&(200, 409)) && outcomes.contains(&(404, 204)), "{outcomes:?}");
}

/// Lets everybody else go first so many times.
async fn pause(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

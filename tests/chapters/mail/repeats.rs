//! The same mail again: told of twice by AWS, or sent twice by a mail server.

use serde_json::{Value, json};
use service::mail::{MailOutcome, What};
use tests::{
    mail::{EmailHook, delivery, html_mail, order_mail, word},
    world::World,
};

const DAY_SECONDS: i64 = 24 * 60 * 60;

const ORDER: &str = "{\"orderNumber\":\"1\"}";

/// A mail with this id and order that SES takes now.
async fn send(world: &World, hook: &EmailHook, id: &str, message_id: &str, json: &str) -> MailOutcome {
    use service::ports::World as _;
    let mut delivery = delivery(id, &[&hook.address]);
    delivery.received_at = Some(world.clock.now());
    let outcomes = world.mail(&delivery, order_mail(message_id, json)).await.unwrap();
    world.work().await;
    outcomes[0].clone()
}

async fn hook_with(world: &World, duplicates: Value) -> (EmailHook, String) {
    let hook = world.email_hook_with(json!({ "duplicates": duplicates })).await;
    let workflow = world.listener(&hook).await;
    (hook, workflow)
}

#[tokio::test]
async fn a_mail_that_is_told_of_five_times_is_one_transaction_and_one_run() {
    for duplicates in [json!(null), json!(false), json!({ "windowSeconds": 1, "fields": [] })] {
        let world = World::new().await;
        let (hook, workflow) = hook_with(&world, duplicates.clone()).await;
        let mut ids = Vec::new();
        for _ in 0..5 {
            let told = delivery("m1", &[&hook.address]);
            ids.push(world.mail(&told, order_mail("<1@shop.example>", ORDER)).await.unwrap()[0].transaction);
            world.clock.pass_seconds(3_600);
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{duplicates}");
        assert_eq!(world.runs(&workflow).await.len(), 1, "{duplicates}");
        // Days later too, when every window is over.
        world.clock.pass_seconds(3 * DAY_SECONDS);
        world.mail(&delivery("m1", &[&hook.address]), order_mail("<1@shop.example>", ORDER)).await.unwrap();
        assert_eq!(world.runs(&workflow).await.len(), 1, "{duplicates}");
    }
}

#[tokio::test]
async fn a_mail_that_a_server_sends_again_within_a_day_is_the_transaction_of_then() {
    let world = World::new().await;
    let (hook, workflow) = hook_with(&world, Value::Null).await;
    let first = send(&world, &hook, "m1", "<1@shop.example>", ORDER).await;
    world.clock.pass_seconds(DAY_SECONDS - 1);
    let again = send(&world, &hook, "m2", "<1@shop.example>", ORDER).await;
    assert_eq!((first.what, again.what, first.transaction), (What::Fired, What::Repeated, again.transaction));
    let other = send(&world, &hook, "m3", "<2@shop.example>", ORDER).await;
    assert_eq!(other.what, What::Fired);
    assert_eq!(world.runs(&workflow).await.len(), 2);

    world.clock.pass_seconds(2);
    let late = send(&world, &hook, "m4", "<1@shop.example>", ORDER).await;
    assert_eq!(late.what, What::Fired);
    assert_ne!(late.transaction, first.transaction);
    assert_eq!(world.runs(&workflow).await.len(), 3);
}

#[tokio::test]
async fn one_id_with_other_data_at_another_hook_or_none_is_another_mail() {
    let world = World::new().await;
    let (hook, workflow) = hook_with(&world, Value::Null).await;
    let (other, other_workflow) = hook_with(&world, Value::Null).await;
    send(&world, &hook, "m1", "<1@shop.example>", ORDER).await;
    assert_eq!(send(&world, &hook, "m2", "<1@shop.example>", "{\"orderNumber\":\"2\"}").await.what, What::Fired);
    assert_eq!(send(&world, &hook, "m3", "<1@shop.example>", "{\"orderNumber\":1}").await.what, What::Fired);
    assert_eq!(send(&world, &other, "m4", "<1@shop.example>", ORDER).await.what, What::Fired);
    // Senders exist whose mails have no id.
    for id in ["m5", "m6"] {
        assert_eq!(send(&world, &hook, id, "", ORDER).await.what, What::Fired);
    }
    assert_eq!(world.runs(&workflow).await.len(), 5);
    assert_eq!(world.runs(&other_workflow).await.len(), 1);
}

#[tokio::test]
async fn mails_without_data_are_told_apart_by_their_ids() {
    let world = World::new().await;
    let hook = world.mail_hook(json!({ "bodies": ["text"] })).await;
    for (id, message_id, expected) in [
        ("m1", "<1@shop.example>", "fired"),
        ("m2", "<2@shop.example>", "fired"),
        ("m3", "<1@shop.example>", "repeated"),
        ("m4", "", "fired"),
        ("m5", "", "fired"),
    ] {
        let outcome = world.mail_to(&hook, id, html_mail(message_id, "<p>hi</p>")).await;
        assert_eq!(word(outcome.what), expected, "{id}");
    }
}

#[tokio::test]
async fn the_hooks_own_rule_decides_which_mails_are_the_same() {
    let rule = |seconds: u32, fields: Value| json!({ "windowSeconds": seconds, "fields": fields });
    for (duplicates, message_id, json, seconds, expected) in [
        (
            rule(60, json!(["orderNumber"])),
            "<2@shop.example>",
            "{\"orderNumber\":\"1\",\"state\":\"sent\"}",
            59,
            "repeated",
        ),
        (
            rule(60, json!(["orderNumber"])),
            "<2@shop.example>",
            "{\"orderNumber\":\"1\",\"state\":\"sent\"}",
            61,
            "fired",
        ),
        (rule(60, json!(["orderNumber"])), "<1@shop.example>", "{\"orderNumber\":\"2\"}", 1, "fired"),
        // Where a mail has none of the fields, nothing tells it from any other.
        (rule(60, json!(["orderNumber"])), "<1@shop.example>", "{\"other\":1}", 1, "fired"),
        (rule(60, json!([])), "<1@shop.example>", ORDER, 59, "repeated"),
        (rule(60, json!([])), "<1@shop.example>", ORDER, 61, "fired"),
        (rule(60, json!([])), "<2@shop.example>", ORDER, 1, "fired"),
        (json!(false), "<1@shop.example>", ORDER, 1, "fired"),
    ] {
        let world = World::new().await;
        let (hook, workflow) = hook_with(&world, duplicates.clone()).await;
        send(&world, &hook, "m1", "<1@shop.example>", ORDER).await;
        world.clock.pass_seconds(seconds);
        let second = send(&world, &hook, "m2", message_id, json).await;
        assert_eq!(word(second.what), expected, "{duplicates} {message_id} {json} after {seconds} s");
        assert_eq!(world.runs(&workflow).await.len(), if expected == "fired" { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_repeat_stands_in_the_debug_log_and_leads_to_the_first() {
    let world = World::new().await;
    let hook = world.email_hook_with(json!({ "debug": true })).await;
    let first = send(&world, &hook, "m1", "<1@shop.example>", ORDER).await;
    world.clock.pass_seconds(1);
    send(&world, &hook, "m2", "<1@shop.example>", ORDER).await;
    let log = world.get(&format!("{}/transactions", hook.path)).await.expect(200);
    let types: Vec<&Value> = log.body["data"].as_array().unwrap().iter().map(|entry| &entry["type"]).collect();
    assert_eq!(types, ["repeat", "transaction"]);
    assert_eq!(log.body["data"][0]["id"], json!(first.transaction));
}

#[tokio::test]
async fn a_mail_that_was_recorded_stays_recorded_whatever_is_set_in_the_meantime() {
    let world = World::new().await;
    let (hook, workflow) = hook_with(&world, Value::Null).await;
    let mail = || html_mail("<1@shop.example>", "<p>no data</p>");
    assert_eq!(word(world.mail_to(&hook, "m1", mail()).await.what), "recorded no_data");
    world.api("PATCH", &hook.path, json!({ "mail": { "bodies": ["text"] } })).await.expect(200);
    world.mail_to(&hook, "m1", mail()).await;
    assert!(world.runs(&workflow).await.is_empty());
}

#[tokio::test]
async fn mails_without_data_are_told_apart_by_what_they_say() {
    let world = World::new().await;
    let hook = world.mail_hook(json!({ "bodies": ["text"] })).await;
    for (id, html, expected) in
        [("m1", "<p>one</p>", "fired"), ("m2", "<p>two</p>", "fired"), ("m3", "<p>one</p>", "repeated")]
    {
        let outcome = world.mail_to(&hook, id, html_mail("<always-the-same@shop.example>", html)).await;
        assert_eq!(word(outcome.what), expected, "{id}");
    }
}

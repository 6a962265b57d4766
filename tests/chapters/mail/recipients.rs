//! Who a mail is for: the envelope says so, and nothing else.

use ingest::ses::Verdicts;
use serde_json::Value;
use tests::{
    mail::{EmailHook, delivery, mail_with, order_mail},
    world::{MAIL_DOMAIN, World},
};

const ORDER: &str = "{\"orderNumber\":\"1\"}";

/// The hooks at which a mail to these envelope recipients arrives.
async fn reached(world: &World, recipients: &[&str], mail: String) -> Vec<String> {
    let outcomes = world.mail(&delivery("m1", recipients), mail).await.unwrap();
    outcomes.iter().map(|outcome| outcome.hook.to_string()).collect()
}

/// A hook whose address has letters, which upper case would change.
async fn lettered_hook(world: &World) -> EmailHook {
    loop {
        let hook = world.email_hook().await;
        if hook.hash.contains(|c: char| c.is_ascii_alphabetic()) {
            return hook;
        }
    }
}

#[tokio::test]
async fn a_mail_arrives_at_each_distinct_hook_of_its_envelope_and_nowhere_else() {
    let world = World::new().await;
    let [one, two] = [lettered_hook(&world).await, lettered_hook(&world).await];
    let named = world.email_hook().await;
    let deleted = world.email_hook().await;
    world.api("DELETE", &deleted.path, Value::Null).await.expect(204);
    let form = world.form_hook().await;
    let tagged = |address: &str| address.replace('@', "+orders-eu@");
    let (upper, tagged_one, tagged_two) =
        (one.address.to_uppercase(), tagged(&one.address), tagged(&two.short_address).to_uppercase());
    let at = |local: &str, domain: &str| format!("{local}@{domain}");
    let of_form = at(&form.hash, MAIL_DOMAIN);
    let absent = at(&"0".repeat(64), MAIL_DOMAIN);
    let foreign = at(&one.hash, "mail.example");
    let below = at(&one.hash, &format!("x.{MAIL_DOMAIN}"));
    let mail = || mail_with(&format!("Cc: {}\r\nBcc: {}\r\n", named.address, named.address), "<1@shop.example>", "");
    for (recipients, expected) in [
        (vec![one.address.as_str()], vec![&one]),
        (vec![one.short_address.as_str()], vec![&one]),
        (vec![&upper], vec![&one]),
        (vec![&tagged_one], vec![&one]),
        (vec![&tagged_two], vec![&two]),
        (vec![&one.address, &one.short_address, &upper, &tagged_one, &one.address], vec![&one]),
        (vec!["customer@mail.example", &two.address, &one.address, &tagged_two], vec![&two, &one]),
        (vec![&of_form], vec![]),
        (vec![&deleted.address], vec![]),
        (vec![&absent, &foreign, &below, "postmaster@hooks.example.net", "", "@"], vec![]),
        (vec![&absent, &deleted.address, &of_form, &one.address], vec![&one]),
        (vec![], vec![]),
    ] {
        let expected: Vec<String> = expected.iter().map(|hook| hook.id.clone()).collect();
        assert_eq!(reached(&world, &recipients, mail()).await, expected, "{recipients:?}");
    }
}

#[tokio::test]
async fn a_mail_to_three_hooks_and_a_stranger_is_a_transaction_at_each_of_the_three() {
    let world = World::new().await;
    let hooks = [world.email_hook().await, world.email_hook().await, world.email_hook().await];
    let mut workflows = Vec::new();
    for hook in &hooks {
        workflows.push(world.listener(hook).await);
    }
    let recipients = [&hooks[0].address, &hooks[1].short_address, "stranger@mail.example", &hooks[2].address];
    let outcomes = world.mail(&delivery("m1", &recipients), order_mail("<1@shop.example>", ORDER)).await.unwrap();
    assert_eq!(outcomes.len(), 3);
    for ((hook, workflow), outcome) in hooks.iter().zip(&workflows).zip(&outcomes) {
        let runs = world.runs(workflow).await;
        assert_eq!(runs.len(), 1, "{hook:?}");
        assert_eq!(runs[0]["attributes"]["transactionId"], outcome.transaction.to_string());
        let email = world.transaction(outcome).await.attribute("email");
        assert!([&hook.address, &hook.short_address].contains(&&email["recipient"].as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn the_tag_is_the_one_of_the_first_address_that_the_hook_was_reached_at() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let tagged = |address: &str, tag: &str| address.replace('@', &format!("+{tag}@"));
    for (number, (address, tag)) in [
        (tagged(&hook.address, "eu"), Some("eu")),
        (tagged(&hook.short_address, "Orders-EU"), Some("Orders-EU")),
        (tagged(&hook.address, "a+b"), Some("a+b")),
        (tagged(&hook.address, ""), None),
        (hook.address.clone(), None),
    ]
    .into_iter()
    .enumerate()
    {
        let recipients = [address.as_str(), &tagged(&hook.address, "other")];
        let mail = order_mail(&format!("<{number}@shop.example>"), ORDER);
        let outcomes = world.mail(&delivery(&format!("m{number}"), &recipients), mail).await.unwrap();
        world.work().await;
        let email = world.transaction(&outcomes[0]).await.attribute("email");
        assert_eq!((email["tag"].as_str(), email["recipient"].as_str()), (tag, Some(address.as_str())), "{address}");
    }
}

#[tokio::test]
async fn an_event_without_recipients_is_told_them_by_the_first_received_header_only() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let received = |host: &str, id: &str| {
        format!(
            "Received: from a.example (a.example [203.0.113.9])\r\n by {host} with SMTP id {id}\r\n for {};\r\n Tue, 02 Jun 2026 07:14:23 +0000 (UTC)\r\n",
            hook.address
        )
    };
    let ses = "inbound-smtp.eu-west-1.amazonaws.com";
    let own = received(ses, "m1");
    let elsewhere = own.replace(&hook.address, "customer@mail.example");
    for (name, headers, expected) in [
        ("stamped", own.clone(), 1),
        ("none", String::new(), 0),
        ("forged below", format!("{elsewhere}{own}"), 0),
        ("another id", received(ses, "m2"), 0),
        ("another host", received("mx.shop.example", "m1"), 0),
        ("a host with ours in it", received("inbound-smtp.evil.example", "m1"), 0),
        ("Return-Path before", format!("Return-Path: <b@esp.example>\r\n{own}"), 1),
        ("Delivered-To and X-Original-To", format!("Delivered-To: {0}\r\nX-Original-To: {0}\r\n", hook.address), 0),
    ] {
        let mut delivery = delivery("m1", &[]);
        (delivery.recipients, delivery.verdicts) = (None, Verdicts::default());
        let mail = mail_with(&headers, "<1@shop.example>", &format!("<p>{name}</p>"));
        assert_eq!(world.mail(&delivery, mail).await.unwrap().len(), expected, "{name}");
    }
}

#[tokio::test]
async fn an_address_takes_mail_and_no_request() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let json = [("content-type", "application/json")];
    for path in [
        format!("/v1/hooks/email/{}", hook.hash),
        format!("/v1/hooks/email/{}/{}", world.org, hook.hash),
        format!("/v1/hooks/form/{}", hook.hash),
        format!("/v1/hooks/web/{}", hook.hash),
    ] {
        let answer = world.send("POST", &path, &json, "{}").await;
        assert!([404, 401, 405].contains(&answer.status), "{path} {answer:?}");
    }
    assert_eq!(world.queue.depth(), 0);
}

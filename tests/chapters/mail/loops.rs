//! Mails that workflows sent: they start nothing, or workflows would set each other off without an end.

use serde_json::json;
use tests::{
    mail::{delivery, mail_with, verdicts, word},
    world::World,
};

const SCRIPT: &str = "<script type=\"application/ld+json\">{\"orderNumber\":\"1\"}</script>";

#[tokio::test]
async fn our_own_mails_are_recorded_and_others_are_not_taken_for_ours() {
    let world = World::new().await;
    for (headers, message_id, expected) in [
        ("", "<5a345109e578360010eaa1ad.0.1@hooks.example.net>", "recorded mail_loop"),
        ("", "<5a345109e578360010eaa1ad.0.1@HOOKS.Example.NET>", "recorded mail_loop"),
        ("", "  <a@hooks.example.net>  ", "recorded mail_loop"),
        ("X-Hookwright-Run: 5a345109e578360010eaa1ad\r\n", "<1@eu-west-1.amazonses.com>", "recorded mail_loop"),
        ("x-hookwright-run: x\r\n", "<1@shop.example>", "recorded mail_loop"),
        ("X-Hookwright-Org: 5a345109e578360010eaa1ad\r\n", "<1@shop.example>", "fired"),
        ("", "<1@shop.example>", "fired"),
        ("", "<hooks.example.net@shop.example>", "fired"),
        ("", "<1@x.hooks.example.net>", "fired"),
        ("", "<1@evilhooks.example.net>", "fired"),
        // What a shop's program sends by itself is what these hooks are for.
        (
            "Auto-Submitted: auto-generated\r\nPrecedence: bulk\r\nList-Id: <shop.example>\r\n",
            "<1@shop.example>",
            "fired",
        ),
        // A customer's answer to a mail of ours is no mail of ours.
        ("In-Reply-To: <a@hooks.example.net>\r\nReferences: <a@hooks.example.net>\r\n", "<1@shop.example>", "fired"),
    ] {
        let hook = world.email_hook().await;
        let workflow = world.listener(&hook).await;
        let outcome = world.mail_to(&hook, "m1", mail_with(headers, message_id, SCRIPT)).await;
        assert_eq!(word(outcome.what), expected, "{headers}{message_id}");
        assert_eq!(world.runs(&workflow).await.len(), usize::from(expected == "fired"));
        if expected != "fired" {
            assert_eq!(world.refusals(&hook).await[0]["attributes"]["code"], "mail_loop");
        }
    }
}

#[tokio::test]
async fn no_setting_and_no_release_lets_a_loop_begin() {
    let world = World::new().await;
    let all = json!({ "spam": "accept", "dmarc": "accept", "unauthenticated": "accept" });
    let hook = world.mail_hook(json!({ "policy": all, "bodies": ["text"], "senders": ["shop.example"] })).await;
    let mut delivery = delivery("m1", &[&hook.address]);
    delivery.verdicts = verdicts("FAIL PASS FAIL FAIL FAIL REJECT");
    let mail = mail_with("X-Hookwright-Run: 1\r\n", "<1@shop.example>", SCRIPT);
    let outcomes = world.mail(&delivery, mail).await.unwrap();
    assert_eq!(word(outcomes[0].what), "recorded mail_loop");
    assert!(world.quarantine(&hook).await.is_empty());
}

#[tokio::test]
async fn a_mail_from_the_domain_of_the_hooks_is_our_own() {
    let world = World::new().await;
    for (from, expected) in [
        ("Workflows <workflows@hooks.example.net>", "recorded mail_loop"),
        ("a@shop.example, b@HOOKS.example.net", "recorded mail_loop"),
        ("hooks.example.net <a@shop.example>", "fired"),
    ] {
        let hook = world.email_hook().await;
        let mail = format!(
            "From: {from}\r\nMessage-ID: <1@eu-west-1.amazonses.com>\r\nContent-Type: text/html\r\n\r\n{SCRIPT}"
        );
        let outcomes = world.mail(&delivery("m1", &[&hook.address]), mail).await.unwrap();
        assert_eq!(word(outcomes[0].what), expected, "{from}");
    }
}

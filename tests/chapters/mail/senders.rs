//! A list of senders: worth what shows that the author is who the mail says.

use serde_json::json;
use tests::{
    mail::{delivery, verdicts, word},
    world::World,
};

const SCRIPT: &str = "<script type=\"application/ld+json\">{\"orderNumber\":\"1\"}</script>";

/// A mail with these lines where the authors are named.
fn mail(authors: &str) -> String {
    let html = "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";
    format!(
        "{authors}To: customer@mail.example\r\nSubject: Your order\r\nMessage-ID: <1@shop.example>\r\n{html}{SCRIPT}"
    )
}

/// Whether a mail with these author lines and this DMARC verdict is let in.
async fn is_let_in(world: &World, authors: &str, dmarc: &str) -> bool {
    let hook =
        world.mail_hook(json!({ "senders": ["orders@shop.example", "Shop.Example.ORG", "müller.example"] })).await;
    let mut delivery = delivery("m1", &[&hook.address]);
    delivery.verdicts = verdicts(&format!("PASS PASS PASS PASS {dmarc} -"));
    let outcomes = world.mail(&delivery, mail(authors)).await.unwrap();
    match word(outcomes[0].what).as_str() {
        "fired" => true,
        "quarantined sender_not_allowed" => false,
        what => panic!("{authors} {dmarc}: {what}"),
    }
}

#[tokio::test]
async fn a_listed_author_is_let_in_where_dmarc_shows_that_it_is_the_author() {
    let world = World::new().await;
    for (dmarc, expected) in
        [("PASS", true), ("DISABLED", true), ("GRAY", false), ("PROCESSING_FAILED", false), ("-", false)]
    {
        assert_eq!(is_let_in(&world, "From: Shop <orders@shop.example>\r\n", dmarc).await, expected, "{dmarc}");
    }
}

#[tokio::test]
async fn the_author_is_the_one_address_in_from_whatever_else_the_mail_says() {
    let world = World::new().await;
    for (authors, expected) in [
        ("From: orders@shop.example\r\n", true),
        ("From: Orders@SHOP.example\r\n", true),
        ("From: anyone@shop.example.org\r\n", true),
        ("From: =?utf-8?q?Orders?= <orders@shop.example> (the shop)\r\n", true),
        ("From: Shop\r\n <orders@shop.example>\r\n", true),
        ("From: other@shop.example\r\n", false),
        ("From: a@sub.shop.example.org\r\n", false),
        ("From: a@evilshop.example.org\r\n", false),
        ("From: orders@shop.example.evil.example\r\n", false),
        // The name is the sender's to choose.
        ("From: \"orders@shop.example\" <a@evil.example>\r\n", false),
        ("From: orders@shop.example <a@evil.example>\r\n", false),
        ("From: =?utf-8?q?orders=40shop=2Eexample?= <a@evil.example>\r\n", false),
        ("From: \"<orders@shop.example>\" <a@evil.example>\r\n", false),
        ("From: (orders@shop.example) a@evil.example\r\n", false),
        ("From: \"orders@shop.example\"@evil.example\r\n", false),
        ("From: <@shop.example.org:a@evil.example>\r\n", false),
        // Nobody can tell which of two was checked.
        ("From: orders@shop.example\r\nFrom: a@evil.example\r\n", false),
        ("From: a@evil.example\r\nFrom: orders@shop.example\r\n", false),
        ("From: orders@shop.example\r\nfrom: orders@shop.example\r\n", false),
        ("From: orders@shop.example, a@evil.example\r\n", false),
        ("From: a@evil.example, orders@shop.example\r\n", false),
        ("From: shop: orders@shop.example, a@evil.example;\r\n", false),
        // What is not the author does not count.
        ("Sender: orders@shop.example\r\nReply-To: orders@shop.example\r\nFrom: a@evil.example\r\n", false),
        ("Sender: orders@shop.example\r\n", false),
        ("From: \r\n", false),
        ("", false),
        // A zero byte, a tab and letters of another script are no way around it.
        ("From: orders@shop.example\0.evil.example\r\n", false),
        ("From: orders@sh\u{43e}p.example\r\n", false),
        // Who checks the author may have read less of the domain, or the other address.
        ("From: a@shop.example .org\r\n", false),
        ("From: a@shop.example(x).org\r\n", false),
        ("From: a@evil.example =?utf-8?q?,_a=40shop=2Eexample=2Eorg?=\r\n", false),
        ("From: a@evil.example@shop.example.org\r\n", false),
        ("From: <a@evil.example> <orders@shop.example>\r\n", false),
    ] {
        assert_eq!(is_let_in(&world, authors, "PASS").await, expected, "{authors:?}");
    }
}

#[tokio::test]
async fn a_mail_of_another_author_waits_and_can_be_released() {
    let world = World::new().await;
    let hook = world.mail_hook(json!({ "senders": ["shop.example"] })).await;
    let workflow = world.listener(&hook).await;
    let outcome = world.mail_to(&hook, "m1", mail("From: a@other.example\r\n")).await;
    assert_eq!((word(outcome.what).as_str(), world.runs(&workflow).await.len()), ("quarantined sender_not_allowed", 0));
    world.release(&hook, &outcome.transaction.to_string()).await.expect(200);
    assert_eq!(world.runs(&workflow).await.len(), 1);
}

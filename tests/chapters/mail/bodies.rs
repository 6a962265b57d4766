//! Hooks that ask for the text and the HTML of their mails, and how much of them a transaction holds.

use serde_json::{Value, json};
use tests::{
    mail::{html_mail, order_mail, word},
    world::World,
};

/// The most bytes of a body that go along.
const BODY_LIMIT_BYTES: usize = 131_072;

fn with_both(text: &str, html: &str) -> String {
    format!(
        "From: a@shop.example\r\nMessage-ID: <1@shop.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--b--\r\n"
    )
}

/// What `attributes.email` has of the bodies at a hook that asks for these.
async fn seen(world: &World, bodies: Value, mail: String) -> Value {
    let hook = world.mail_hook(json!({ "bodies": bodies })).await;
    let email = world.mailed(&hook, "m1", mail).await.attribute("email");
    let keys = ["text", "textIsCut", "html", "htmlIsCut"];
    keys.iter()
        .filter_map(|key| Some(((*key).to_owned(), email.get(key)?.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test]
async fn a_hook_gets_the_bodies_that_it_asks_for() {
    let world = World::new().await;
    let mail = || with_both("Café,\r\n\r\ntwo.", "<p>Café</p>");
    for (bodies, expected) in [
        (json!([]), json!({})),
        (json!(["text"]), json!({ "text": "Café,\n\ntwo." })),
        (json!(["html"]), json!({ "html": "<p>Café</p>" })),
        (json!(["html", "text"]), json!({ "text": "Café,\n\ntwo.", "html": "<p>Café</p>" })),
    ] {
        let found = seen(&world, bodies.clone(), mail()).await;
        let trimmed: serde_json::Map<String, Value> = found
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().map_or(value.clone(), |text| json!(text.trim_end()))))
            .collect();
        assert_eq!(Value::Object(trimmed), expected, "{bodies}");
    }
    let only_html = html_mail("<1@shop.example>", "");
    assert_eq!(seen(&world, json!(["text"]), only_html).await["text"], Value::Null);
}

#[tokio::test]
async fn any_mail_starts_a_workflow_where_its_text_is_asked_for() {
    let world = World::new().await;
    for (bodies, expected) in [(json!([]), "recorded no_data"), (json!(["text"]), "fired"), (json!(["html"]), "fired")]
    {
        let hook = world.mail_hook(json!({ "bodies": bodies })).await;
        let workflow = world.listener(&hook).await;
        let outcome = world.mail_to(&hook, "m1", with_both("hello", "<p>hello</p>")).await;
        assert_eq!(word(outcome.what), expected);
        assert_eq!(world.runs(&workflow).await.len(), usize::from(expected == "fired"));
        assert_eq!(world.transaction(&outcome).await.attribute("data"), Value::Null);
        // Even one with nothing in it at all.
        assert_eq!(word(world.mail_to(&hook, "m2", "").await.what), expected);
    }
}

#[tokio::test]
async fn long_bodies_are_cut_at_a_character_and_say_so() {
    let world = World::new().await;
    for (name, text, is_cut) in [
        ("within", "x".repeat(BODY_LIMIT_BYTES - 2), false),
        ("past", "x".repeat(BODY_LIMIT_BYTES + 1), true),
        // A character of three bytes stands across the limit.
        ("across", format!("xx{}", "\u{20ac}".repeat(BODY_LIMIT_BYTES / 3 + 1)), true),
    ] {
        let found = seen(&world, json!(["text", "html"]), with_both(&text, &text)).await;
        for (body, cut) in [("text", "textIsCut"), ("html", "htmlIsCut")] {
            let kept = found[body].as_str().unwrap();
            assert!(
                kept.len() <= BODY_LIMIT_BYTES && kept.len() + 4 > text.len().min(BODY_LIMIT_BYTES),
                "{name} {body} {}",
                kept.len()
            );
            assert!(text.starts_with(kept.trim_end()), "{name} {body}");
            assert_eq!(found.get(cut), is_cut.then_some(&json!(true)), "{name} {body}");
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_the_queue_is_recorded_and_not_lost() {
    let world = World::new().await;
    let hook = world.mail_hook(json!({ "bodies": ["text", "html"] })).await;
    let workflow = world.listener(&hook).await;
    // A control character takes six bytes of JSON.
    let controls = "\u{1}".repeat(BODY_LIMIT_BYTES);
    let html = format!("<script type=\"application/ld+json\">{{\"a\":1}}</script>{controls}");
    for _ in 0..2 {
        let outcome = world.mail_to(&hook, "m1", with_both(&controls, &html)).await;
        assert_eq!(word(outcome.what), "recorded message_too_large");
        let transaction = world.transaction(&outcome).await;
        assert_eq!(transaction.body["meta"]["trace"]["notFired"]["code"], "message_too_large");
        assert!(transaction.text.len() < 1_048_576, "{} bytes", transaction.text.len());
    }
    assert!(world.runs(&workflow).await.is_empty());
    assert_eq!(world.refusals(&hook).await.len(), 1);
    // Once the hook asks for less, the next one is taken.
    world.api("PATCH", &hook.path, json!({ "mail": { "bodies": [] } })).await.expect(200);
    let outcome = world.mail_to(&hook, "m2", order_mail("<2@shop.example>", "{\"a\":2}")).await;
    assert_eq!(word(outcome.what), "fired");
}

#[tokio::test]
async fn the_most_that_a_mail_may_be_fits_the_queue_together() {
    let world = World::new().await;
    let hook = world.mail_hook(json!({ "bodies": ["text", "html"] })).await;
    let json = format!("{{\"a\":\"{}\"}}", "x".repeat(400_000));
    let html = format!("<p>{}</p><script type=\"application/ld+json\">{json}</script>", "y".repeat(BODY_LIMIT_BYTES));
    let outcome = world.mail_to(&hook, "m1", with_both(&"z".repeat(BODY_LIMIT_BYTES * 2), &html)).await;
    assert_eq!(word(outcome.what), "fired");
    world.work().await;
    let transaction = world.transaction(&outcome).await;
    assert_eq!(transaction.attribute("data")["a"].as_str().unwrap().len(), 400_000);
}

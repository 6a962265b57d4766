//! The key of the scripts: what does not show it starts nothing, and nobody learns it from what we tell.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use tests::{
    mail::{html_mail, word},
    sinks::{Canaries, Logs, all_answers},
    world::{NOON, World},
};

/// With every character that a key may have.
const KEY: &str = "Sk3y-0123_45.67~89+ab/cd==";

fn script(attributes: &str, json: &str) -> String {
    format!("<script type=\"application/ld+json\"{attributes}>{json}</script>")
}

fn keyed(key: &str, json: &str) -> String {
    script(&format!(" data-kustomer-key=\"{key}\""), json)
}

/// What becomes of a mail with this HTML, and its data.
async fn taken(world: &World, mail: Value, html: &str) -> (String, Value) {
    let hook = world.email_hook_with(json!({ "key": KEY, "mail": mail })).await;
    let outcome = world.mail_to(&hook, "m1", html_mail("<1@shop.example>", html)).await;
    world.work().await;
    (word(outcome.what), world.transaction(&outcome).await.attribute("data"))
}

#[tokio::test]
async fn only_scripts_that_show_the_key_count() {
    let world = World::new().await;
    let (good, order) = (keyed(KEY, "{\"a\":1}"), json!({ "a": 1 }));
    let microdata = "<div itemscope itemtype=\"http://schema.org/Order\"><span itemprop=\"orderNumber\">1</span></div>";
    for (name, html, expected) in [
        ("right", good.clone(), Ok(order.clone())),
        ("single quotes", script(&format!(" data-kustomer-key='{KEY}'"), "{\"a\":1}"), Ok(order.clone())),
        ("without quotes", script(&format!(" data-kustomer-key={KEY}"), "{\"a\":1}"), Ok(order.clone())),
        ("upper-case name", script(&format!(" DATA-KUSTOMER-KEY=\"{KEY}\""), "{\"a\":1}"), Ok(order.clone())),
        ("as an entity", keyed(&KEY.replace('S', "&#83;"), "{\"a\":1}"), Ok(order.clone())),
        (
            "one of several",
            format!("{}{good}{}", script("", "{\"b\":1}"), keyed("wrong", "{\"c\":1}")),
            Ok(order.clone()),
        ),
        ("both of two", format!("{good}{}", keyed(KEY, "{\"b\":2}")), Ok(json!([{ "a": 1 }, { "b": 2 }]))),
        ("wrong", keyed("Sk3y-0123_45.67~89+ab/cd=!", "{\"a\":1}"), Err("wrong_key")),
        ("missing", script("", "{\"a\":1}"), Err("wrong_key")),
        ("empty", keyed("", "{\"a\":1}"), Err("wrong_key")),
        ("cut", keyed(&KEY[..KEY.len() - 1], "{\"a\":1}"), Err("wrong_key")),
        ("longer", keyed(&format!("{KEY}="), "{\"a\":1}"), Err("wrong_key")),
        ("in upper case", keyed(&KEY.to_uppercase(), "{\"a\":1}"), Err("wrong_key")),
        ("with spaces", keyed(&format!(" {KEY} "), "{\"a\":1}"), Err("wrong_key")),
        ("in another attribute", script(&format!(" data-key=\"{KEY}\" id=\"{KEY}\""), "{\"a\":1}"), Err("wrong_key")),
        ("in the JSON", script("", &format!("{{\"data-kustomer-key\":\"{KEY}\"}}")), Err("wrong_key")),
        (
            "in the text",
            format!("<p data-kustomer-key=\"{KEY}\">{KEY}</p>{}", script("", "{\"a\":1}")),
            Err("wrong_key"),
        ),
        (
            "second of two",
            script(&format!(" data-kustomer-key=\"x\" data-kustomer-key=\"{KEY}\""), "{\"a\":1}"),
            Err("wrong_key"),
        ),
        ("nothing at all", String::new(), Err("no_data")),
        ("microdata", microdata.to_owned(), Err("no_data")),
        (
            "microdata with the key",
            microdata.replace("<div", &format!("<div data-kustomer-key=\"{KEY}\"")),
            Err("no_data"),
        ),
        ("nothing in it", keyed(KEY, ""), Err("no_data")),
        ("broken", keyed(KEY, "{\"a\":"), Err("no_data")),
    ] {
        for bodies in [json!([]), json!(["text", "html"])] {
            let (what, data) = taken(&world, json!({ "bodies": bodies }), &html).await;
            match &expected {
                Ok(value) => assert_eq!((what.as_str(), &data), ("fired", value), "{name}"),
                Err(code) => assert_eq!((what, data), (format!("recorded {code}"), Value::Null), "{name}"),
            }
        }
    }
}

#[tokio::test]
async fn json_parts_and_attached_mails_show_no_key_and_count_for_nothing() {
    let world = World::new().await;
    let hook = world.email_hook_with(json!({ "key": KEY })).await;
    let order = "{\"orderNumber\":\"1\"}";
    let parts = |part: &str| {
        format!(
            "From: a@shop.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>hi</p>\r\n--b\r\n{part}\r\n--b--\r\n"
        )
    };
    let attached =
        |html: String| format!("Content-Type: message/rfc822\r\n\r\n{}", html_mail("<2@shop.example>", &html));
    for (name, mail, expected) in [
        ("ld+json", parts(&format!("Content-Type: application/ld+json\r\n\r\n{order}")), "recorded wrong_key"),
        (
            "json",
            parts(&format!("Content-Type: application/json; data-kustomer-key=\"{KEY}\"\r\n\r\n{order}")),
            "recorded wrong_key",
        ),
        ("attached without", parts(&attached(script("", order))), "recorded wrong_key"),
        ("attached with the key", parts(&attached(keyed(KEY, order))), "fired"),
    ] {
        let outcome = world.mail_to(&hook, name, mail).await;
        assert!(
            [expected, "recorded no_data"].contains(&word(outcome.what).as_str()),
            "{name}: {}",
            word(outcome.what)
        );
        assert_eq!(word(outcome.what) == "fired", expected == "fired", "{name}");
    }
}

#[tokio::test]
async fn the_key_is_found_nowhere_but_among_the_hooks_own_settings() {
    let logs = Logs::default();
    let guard = tracing::subscriber::set_default(logs.clone());
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let world = World::over(store.clone(), clock).await;
    let mut canaries = Canaries::default();
    let key = canaries.plant("key of the scripts");
    let wrong = "another-key-than-the-hooks";
    let everything = json!({ "bodies": ["text", "html"] });
    let hook = world
        .email_hook_with(json!({ "key": canaries.plant("key of before"), "debug": true, "mail": everything }))
        .await;
    world.listener(&hook).await;
    world.api("PATCH", &hook.path, json!({ "key": key })).await.expect(200);
    for (number, html) in [
        keyed(&key, "{\"a\":1}"),
        keyed(wrong, "{\"a\":2}"),
        keyed(&key, "{\"a\":"),
        keyed(&key, "{\"a\":1,}"),
        keyed(&format!("{key}x"), "{\"a\":3}"),
        format!("{}{}", keyed(&key, "[1]"), keyed(wrong, "{\"a\":4}")),
    ]
    .iter()
    .enumerate()
    {
        world.mail_to(&hook, &format!("m{number}"), html_mail(&format!("<{number}@shop.example>"), html)).await;
    }
    let spam = json!({ "policy": { "spam": "quarantine" } });
    world.api("PATCH", &hook.path, json!({ "mail": spam })).await.expect(200);
    let mut messages = Vec::new();
    for message in world.queue.receive(100, 60) {
        world.executor.execute(&message.body).await.unwrap();
        messages.push(message.body);
    }
    let refused = world.api("PATCH", &hook.path, json!({ "key": format!("{key} {wrong}") })).await.expect(400);
    let shown = all_answers(&world).await;
    drop(guard);

    let mut found = canaries.in_text("the log", &logs.text());
    found.extend(canaries.in_text("the answer to a bad key", &refused.text));
    found.extend(messages.iter().flat_map(|message| canaries.in_text("the queue", message)));
    for item in store.items().iter().filter(|item| !item.document.contains("\"hash\"")) {
        found.extend(canaries.in_text(&format!("the store at {}", item.key.partition), &item.document));
    }
    let mut own = 0;
    for (path, text) in &shown {
        let in_answer = canaries.in_text(path, text);
        if path == &hook.path || path == "/v1/hooks/email" {
            own += in_answer.len();
        } else {
            found.extend(in_answer);
        }
    }
    assert_eq!(own, 2, "the key of now, in the list and by itself");
    assert!(found.is_empty(), "{found:#?}");
    let paths: Vec<&str> = shown.iter().map(|(path, _)| path.as_str()).collect();
    for word in ["/quarantine", "/refusals", "/transactions/"] {
        assert!(paths.iter().any(|path| path.contains(word)), "{word}: {paths:?}");
    }
    assert!(messages.len() >= 3 && messages.iter().any(|message| message.contains("\"html\":\"")));
}

#[tokio::test]
async fn a_key_that_was_changed_or_taken_away_counts_at_once() {
    let world = World::new().await;
    let hook = world.email_hook_with(json!({ "key": KEY })).await;
    let mut number = 0;
    for (key, mail, expected) in [
        (json!(KEY), keyed(KEY, "{\"a\":1}"), "fired"),
        (json!("another-key-of-the-hook"), keyed(KEY, "{\"a\":2}"), "recorded wrong_key"),
        (json!("another-key-of-the-hook"), keyed("another-key-of-the-hook", "{\"a\":3}"), "fired"),
        (Value::Null, script("", "{\"a\":4}"), "fired"),
        (Value::Null, keyed(KEY, "{\"a\":5}"), "fired"),
    ] {
        let shown = world.api("PATCH", &hook.path, json!({ "key": key })).await.expect(200);
        assert_eq!(shown.attribute("key"), key);
        // Functions of other processes remember a hook for some seconds.
        world.clock.pass_seconds(60);
        number += 1;
        let outcome = world.mail_to(&hook, &format!("m{number}"), html_mail("<1@shop.example>", &mail)).await;
        assert_eq!(word(outcome.what), expected, "{key}");
    }
}

//! What is taken at its limit, and not one past it.

use serde_json::{Map, Value, json};

use super::stage::Stage;

/// The most bytes of a record as JSON.
const RECORD_LIMIT_BYTES: usize = 1_048_576;

fn x(count: usize) -> String {
    "x".repeat(count)
}

fn many<T>(count: usize, entry: impl Fn(usize) -> T) -> Vec<T> {
    (0..count).map(entry).collect()
}

#[tokio::test]
async fn every_attribute_takes_its_limit_and_not_one_more() {
    let update = "kustomer.customer.update";
    let custom = |name: &str, value: Value| json!({ name: value });
    let url = |count: usize| json!(format!("https://a.example/{}", x(count - 18)));
    let property = |count: usize| {
        let properties: Map<String, Value> = (0..count).map(|index| (format!("a{index}Str"), json!({}))).collect();
        json!({ "properties": properties })
    };
    for (action, name, taken, refused, code) in [
        (update, "name", json!(x(1_024)), json!(x(1_025)), "wrong_param"),
        (update, "externalId", json!(x(255)), json!(x(256)), "wrong_param"),
        (update, "tags", json!(many(200, |n| n)), json!(many(201, |n| n)), "wrong_param"),
        (update, "tags", json!([x(1_024)]), json!([x(1_025)]), "wrong_param"),
        (
            update,
            "emails",
            json!(many(20, |n| format!("n{n}@a.example"))),
            json!(many(21, |n| format!("n{n}@a.example"))),
            "wrong_param",
        ),
        (update, "phones", json!(many(20, |n| 1000 + n)), json!(many(21, |n| 1000 + n)), "wrong_param"),
        (update, "phones", json!(["123", "12345678901234567890"]), json!(["12"]), "wrong_phone"),
        (update, "phones", json!([]), json!(["123456789012345678901"]), "wrong_phone"),
        (update, "whatsapps", json!(many(20, |n| 1000 + n)), json!(many(21, |n| 1000 + n)), "wrong_param"),
        (update, "externalIds", json!(many(20, |n| n)), json!(many(21, |n| n)), "wrong_param"),
        (update, "externalIds", json!([x(255)]), json!([x(256)]), "wrong_param"),
        (update, "externalIds", json!(["a"]), json!([""]), "wrong_param"),
        (update, "facebookIds", json!(many(20, |n| n)), json!(many(21, |n| n)), "wrong_param"),
        (update, "twitterIds", json!([{ "id": x(255) }]), json!([{ "id": x(256) }]), "wrong_param"),
        (update, "urls", json!(many(200, |n| n)), json!(many(201, |n| n)), "wrong_param"),
        (update, "gender", json!("f"), json!("F"), "wrong_param"),
        (update, "birthdayAt", json!("2000-02-29"), json!("2001-02-29"), "wrong_param"),
        (update, "signedUpAt", json!("2026-11-22T09:30:00+01:00"), json!("2026-11-22T25:30:00Z"), "wrong_param"),
        (update, "custom", custom("aStr", json!(x(1_024))), custom("aStr", json!(x(1_025))), "wrong_custom"),
        (update, "custom", custom("aTxt", json!(x(65_536))), custom("aTxt", json!(x(65_537))), "wrong_custom"),
        (update, "custom", custom("aUrl", url(2_048)), custom("aUrl", url(2_049)), "wrong_custom"),
        (update, "custom", custom("aNum", json!("1e400")), custom("aNum", json!("1,5")), "wrong_custom"),
        ("kustomer.conversation.update", "priority", json!(1), json!(0), "wrong_param"),
        ("kustomer.conversation.update", "priority", json!("5"), json!("6"), "wrong_param"),
        ("kustomer.conversation.update", "locked", json!("true"), json!("yes"), "wrong_param"),
        ("kustomer.conversation.update", "snooze", json!({}), json!("later"), "wrong_param"),
        ("kustomer.message.update", "size", json!("1.5"), json!("1.5 kB"), "wrong_param"),
        ("kustomer.klass.create", "name", json!(format!("k{}", x(63))), json!(format!("k{}", x(64))), "wrong_param"),
        ("kustomer.klass.create", "metadata", property(200), property(201), "wrong_param"),
    ] {
        let stage = Stage::with(&[]).await;
        let noun = action.split('.').nth(1).unwrap();
        let params = |value: &Value| match noun {
            "klass" => json!({ "name": "limits", name: value }),
            "customer" => json!({ "id": stage.id("ann"), name: value }),
            other => json!({ "id": stage.id(other), name: value }),
        };
        let step = stage.step(action, &params(&refused)).await;
        assert_eq!(step["error"]["code"], code, "{action} {name} {step}");
        let step = stage.step(action, &params(&taken)).await;
        assert!(step["output"]["id"].is_string(), "{action} {name} {step}");
    }
}

#[tokio::test]
async fn a_customer_is_found_by_40_keys_and_not_by_41() {
    let stage = Stage::with(&[]).await;
    let emails = many(20, |n| format!("n{n}@a.example"));
    let customer = json!({ "emails": emails, "phones": many(20, |n| 1000 + n) });
    let made = stage.step("kustomer.customer.create", &customer).await["output"]["id"].clone();
    let one_more = json!({ "id": made, "externalId": "one-more" });
    assert_eq!(stage.step("kustomer.customer.update", &one_more).await["error"]["code"], "too_many_keys");
}

#[tokio::test]
async fn a_record_has_a_megabyte_and_not_a_byte_more() {
    let stage = Stage::with(&[]).await;
    let custom: Map<String, Value> = (0..15).map(|n| (format!("a{n}Txt"), json!(x(65_536)))).collect();
    let id = stage.make("customers", &json!({ "name": "Large", "custom": custom })).await;
    let filled = |count: usize| json!({ "id": id, "custom": { "fillTxt": x(count) } });
    let begun = stage.step("kustomer.customer.update", &filled(1)).await;
    assert_eq!(begun["output"]["rev"], 2, "{}", begun["error"]);
    let items = stage.store.items();
    let bytes =
        items.iter().find(|item| item.key.partition.ends_with(&format!("#customer#{id}"))).unwrap().document.len();
    let rest = RECORD_LIMIT_BYTES - bytes + 1;
    let step = stage.step("kustomer.customer.update", &filled(rest + 1)).await;
    assert_eq!(step["error"]["code"], "record_too_large");
    let step = stage.step("kustomer.customer.update", &filled(rest)).await;
    assert_eq!(step["output"]["rev"], 3, "{}", step["error"]);
}

#[tokio::test]
async fn an_instance_belongs_to_20_others_and_not_to_21() {
    let stage = Stage::with(&[]).await;
    let related = |name: String| json!({ "klassName": "order", "id": stage.id("order"), "relationship": name, "type": "customer", "relatedId": stage.id("bea") });
    let action = "kustomer.kobject.add-relationship";
    // It has a customer already.
    for number in 1..20 {
        let step = stage.step(action, &related(format!("r{number}"))).await;
        assert!(step["output"]["id"].is_string(), "{step}");
    }
    assert_eq!(stage.step(action, &related("r20".to_owned())).await["error"]["code"], "too_many_relationships");
    let (longest, longer) = (x(64), x(65));
    assert_eq!(stage.step(action, &related(longer)).await["error"]["code"], "wrong_param");
    assert_eq!(stage.step(action, &related(longest)).await["error"]["code"], "too_many_relationships");
}

#[tokio::test]
async fn a_conversation_is_read_to_its_newest_100_messages() {
    let stage = Stage::with(&[]).await;
    let read = json!({ "id": stage.id("conversation") });
    let say = |text: String| json!({ "conversation": stage.id("conversation"), "body": text });
    for number in 3..=100 {
        stage.make("messages", &say(format!("m{number}"))).await;
    }
    let whole = stage.step("kustomer.conversation.find-body", &read).await["output"].clone();
    assert_eq!(whole["messages"], 100);
    assert!(whole["body"].as_str().unwrap().starts_with("Where is my order?\n\nAre you there?\n\nm3\n\n"));
    stage.make("messages", &say("m101".to_owned())).await;
    let newest = stage.step("kustomer.conversation.find-body", &read).await["output"].clone();
    assert_eq!(newest["messages"], 100);
    let body = newest["body"].as_str().unwrap();
    assert!(body.starts_with("Are you there?\n\n") && body.ends_with("\n\nm101"), "{body}");
}

#[tokio::test]
async fn the_newest_message_is_looked_for_among_1_000_records() {
    let stage = Stage::with(&[]).await;
    let last = json!({ "customer": stage.id("bea") });
    let message = json!({ "customer": stage.id("bea"), "body": "Far back" });
    stage.make("messages", &message).await;
    let remark = json!({ "customer": stage.id("bea"), "body": "n" });
    // The message opened a conversation, which stands behind it or before it at the same instant.
    for _ in 0..998 {
        stage.make("notes", &remark).await;
    }
    let found = stage.step("kustomer.message.find-last", &last).await;
    assert_eq!(found["output"]["body"], "Far back");
    for _ in 0..2 {
        stage.make("notes", &remark).await;
    }
    let step = stage.step("kustomer.message.find-last", &last).await;
    assert_eq!(step["output"], json!({}));
}

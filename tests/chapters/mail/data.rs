//! What a workflow sees of a mail: its data, who wrote to whom, and its files.

use serde_json::{Value, json};
use service::ports::Blobs as _;
use sha2::{Digest, Sha256};
use tests::{
    mail::{delivery, html_mail, mail_with, order_mail, word},
    world::{NOON, World, always, workflow_of},
};

#[tokio::test]
async fn a_transaction_of_a_mail_is_like_any_other_with_the_mail_beside_its_data() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let headers = "Cc: =?utf-8?q?Ren=C3=A9e?= <r@mail.example>, b@mail.example\r\nReply-To: Help <help@shop.example>\r\n\
         In-Reply-To: <0@shop.example>\r\nAuto-Submitted: auto-generated\r\nPrecedence: bulk\r\n";
    let mail = mail_with(
        headers,
        "<1@shop.example>",
        "<script type=\"application/json\">{\"a\":1.50,\"n\":9400111899223334445566}</script>",
    );
    let transaction = world.mailed(&hook, "m1", mail).await;
    let data = &transaction.body["data"];
    assert_eq!((&data["type"], transaction.attribute("createdAt")), (&json!("transaction"), json!(NOON)));
    let related = json!({ "data": { "type": "email_hook", "id": hook.id }, "links": { "self": hook.path } });
    assert_eq!(data["relationships"]["hook"], related);
    assert!(transaction.text.contains("\"data\":{\"a\":1.50,\"n\":9400111899223334445566}"), "{}", transaction.text);
    let person = |name: Value, address: &str| json!({ "name": name, "address": address });
    assert_eq!(
        transaction.attribute("email"),
        json!({
            "messageId": "<1@shop.example>",
            "sesMessageId": "m1",
            "from": [person(json!("Shop"), "orders@shop.example")],
            "to": [person(json!("Customer"), "customer@mail.example")],
            "cc": [person(json!("Renée"), "r@mail.example"), person(Value::Null, "b@mail.example")],
            "replyTo": [person(json!("Help"), "help@shop.example")],
            "subject": "Your order",
            "date": "2026-11-22T11:59:00.000Z",
            "inReplyTo": "<0@shop.example>",
            "autoSubmitted": "auto-generated",
            "precedence": "bulk",
            "recipient": hook.address,
            "tag": null,
            "envelopeFrom": "bounce@esp.example",
            "verdicts": { "spam": "PASS", "virus": "PASS", "spf": "PASS", "dkim": "PASS", "dmarc": "PASS", "dmarcPolicy": null },
            "source": "html",
            "blocks": [{ "part": "1", "type": "application/json", "status": "ok", "repairs": [], "error": null }],
            "attachments": [],
            "raw": { "bucket": "acme-hook-mail", "key": "inbound/m1" },
        })
    );
}

#[tokio::test]
async fn an_order_in_a_mail_appears_on_the_timeline_of_the_customer_that_it_was_sent_to() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    world.order_klass().await;
    let address = "/#steps.1.attributes.email.to.0.address";
    let steps = json!([
        { "id": "customer", "action": "kustomer.customer.create", "params": { "email": address, "name": "/#steps.1.attributes.email.to.0.name" }, "transitions": always("order") },
        { "id": "order", "action": "kustomer.kobject.create-with-customer", "params": {
            "klassName": "order", "customer": "/#steps.customer.id", "title": "Order {{steps.1.attributes.data.orderNumber}}",
            "custom": { "orderIDStr": "/#steps.1.attributes.data.orderNumber" }, "data": "/#steps.1.attributes.data",
        }, "transitions": [] },
    ]);
    world.workflow(workflow_of("orders-from-mails", &hook.event, steps)).await;
    let transaction =
        world.mailed(&hook, "m1", order_mail("<1@shop.example>", "{\"orderNumber\":\"BB-100482\"}")).await.id();
    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    let customers = world.customers().await;
    assert_eq!(customers[0]["attributes"]["name"], "Customer");
    let timeline = world.timeline(customers[0]["id"].as_str().unwrap()).await;
    assert!(timeline[0].to_string().contains("BB-100482"), "{timeline:?}");
}

#[tokio::test]
async fn a_mail_without_data_is_recorded_with_a_reason_and_starts_nothing() {
    let world = World::new().await;
    let hook = world.email_hook_with(json!({ "debug": true })).await;
    let workflow = world.listener(&hook).await;
    let transaction = world.mailed(&hook, "m1", html_mail("<1@shop.example>", "<p>No JSON here</p>")).await;
    assert_eq!(transaction.attribute("data"), Value::Null);
    assert_eq!(transaction.attribute("email")["subject"], "Your order");
    assert_eq!(transaction.attribute("email")["source"], Value::Null);
    let trace = &transaction.body["meta"]["trace"];
    assert_eq!((&trace["notFired"]["code"], &trace["considered"]), (&json!("no_data"), &json!([])));
    assert!(trace["notFired"]["sentence"].as_str().unwrap().contains("mail.bodies"));
    assert!(world.runs(&workflow).await.is_empty());
    // It stands in the debug log too, once, though it is told of twice.
    world.mailed(&hook, "m1", html_mail("<1@shop.example>", "<p>No JSON here</p>")).await;
    let log = world.get(&format!("{}/transactions", hook.path)).await.expect(200);
    let ids: Vec<&Value> = log.body["data"].as_array().unwrap().iter().map(|entry| &entry["id"]).collect();
    assert_eq!(ids, [&json!(transaction.id())]);
    assert_eq!(world.refusals(&hook).await.len(), 1);
}

#[tokio::test]
async fn each_block_that_does_not_count_is_a_reason_and_quotes_nothing_of_the_mail() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let script = |json: &str| format!("<script type=\"application/ld+json\">{json}</script>");
    let blocks = ["{\"s3cret\": tru", "", "{}", "\"s3cret\"", "42", "var s3cret = {};"];
    let html: String = blocks.iter().map(|block| script(block)).collect();
    let transaction = world.mailed(&hook, "m1", html_mail("<1@shop.example>", &html)).await;
    let words: Vec<Value> = transaction.attribute("email")["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["status"].clone())
        .collect();
    assert_eq!(words, ["error", "empty", "empty", "scalar", "scalar", "error"]);
    let refusals = world.refusals(&hook).await;
    let attributes = &refusals[0]["attributes"];
    assert_eq!((&attributes["code"], &attributes["check"]), (&json!("no_data"), &json!("data")));
    let reasons = attributes["reasons"].as_array().unwrap();
    let codes: Vec<&str> =
        reasons.iter().filter_map(|reason| reason["code"].as_str()).filter(|code| code.starts_with("block_")).collect();
    assert_eq!(codes, ["block_error", "block_empty", "block_empty", "block_scalar", "block_scalar", "block_error"]);
    let error = reasons.iter().find(|reason| reason["code"] == "block_error").unwrap();
    assert!(error["sentence"].as_str().unwrap().contains("line 1"), "{error}");
    assert!(!refusals[0].to_string().contains("s3cret"), "{}", refusals[0]);
}

#[tokio::test]
async fn a_block_that_cannot_be_read_hides_no_other() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let deep = "[".repeat(5_000);
    for (number, (broken, status)) in
        [("{\"a\":", "error"), (deep.as_str(), "error"), ("", "empty"), ("null", "scalar")].iter().enumerate()
    {
        let html = format!(
            "<script type=\"application/ld+json\">{broken}</script><script type=\"application/ld+json\">{{\"orderNumber\":\"1\",}}</script>"
        );
        let mail = html_mail(&format!("<{number}@shop.example>"), &html);
        let transaction = world.mailed(&hook, &format!("m{number}"), mail).await;
        assert_eq!(transaction.attribute("data"), json!({ "orderNumber": "1" }), "{status}");
        let blocks = transaction.attribute("email")["blocks"].clone();
        assert_eq!((&blocks[0]["status"], &blocks[1]["status"]), (&json!(status), &json!("repaired")));
        assert_eq!(blocks[1]["repairs"], json!(["trailing-comma"]));
    }
}

#[tokio::test]
async fn entities_are_decoded_where_the_hook_asks_for_it_only() {
    let world = World::new().await;
    let json = "{\"url\":\"https://shop.example/?a=1&amp;b=2\",\"name\":\"a &amp;amp; b\"}";
    for (settings, url, name) in [
        (json!({}), "https://shop.example/?a=1&amp;b=2", "a &amp;amp; b"),
        (json!({ "decodeEntities": true }), "https://shop.example/?a=1&b=2", "a &amp; b"),
    ] {
        let hook = world.mail_hook(settings).await;
        let data = world.mailed(&hook, "m1", order_mail("<1@shop.example>", json)).await.attribute("data");
        assert_eq!(data, json!({ "url": url, "name": name }));
    }
}

/// A mail with an order, a PDF, an inline image and an attached text.
fn mail_with_files(html: &str) -> String {
    format!(
        "From: a@shop.example\r\nMessage-ID: <1@shop.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/html\r\n\r\n{html}\r\n\
         --b\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Disposition: attachment; filename=\"../../in voice.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0x\r\nLjcK\r\n\
         --b\r\nContent-Type: image/png\r\nContent-ID: <logo@shop>\r\nContent-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: attachment; filename=note.txt\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nCaf=C3=A9\r\n\
         --b--\r\n"
    )
}

const SCRIPT: &str = "<script type=\"application/ld+json\">{\"orderNumber\":\"1\"}</script>";

#[tokio::test]
async fn the_files_of_a_mail_are_kept_as_they_were_attached_and_listed() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let transaction = world.mailed(&hook, "m1", mail_with_files(SCRIPT)).await;
    let files = transaction.attribute("email")["attachments"].clone();
    let contents: [&[u8]; 3] = [b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", "Café".as_bytes()];
    let expected = [
        json!({ "part": "2", "fileName": "in voice.pdf", "contentType": "application/pdf", "disposition": "attachment", "contentId": null }),
        json!({ "part": "3", "contentType": "image/png", "disposition": "inline", "contentId": "logo@shop" }),
        json!({ "part": "4", "fileName": "note.txt", "contentType": "text/plain", "disposition": "attachment", "contentId": null }),
    ];
    assert_eq!(files.as_array().unwrap().len(), expected.len());
    for (file, (expected, bytes)) in files.as_array().unwrap().iter().zip(expected.iter().zip(contents)) {
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(file[name], *value, "{name} of {file}");
        }
        // A workflow can rely on a name even where the sender gave none.
        assert!(!file["fileName"].as_str().unwrap().is_empty(), "{file}");
        let digest = hex::encode(Sha256::digest(bytes));
        assert_eq!((&file["size"], &file["sha256"]), (&json!(bytes.len()), &json!(digest)), "{file}");
        assert_eq!(file["blob"], format!("sha256/{digest}"), "{file}");
        assert_eq!(world.blobs.find(&digest).await.unwrap().unwrap().as_ref(), bytes);
    }
    assert_eq!(world.blobs.count(), 3);
}

#[tokio::test]
async fn files_are_not_kept_where_the_hook_keeps_none_or_nothing_fires() {
    let world = World::new().await;
    let keeps_none = world.mail_hook(json!({ "attachments": false })).await;
    let transaction = world.mailed(&keeps_none, "m1", mail_with_files(SCRIPT)).await;
    assert_eq!(transaction.attribute("data")["orderNumber"], "1");
    let keeps = world.email_hook().await;
    let recorded = world.mailed(&keeps, "m2", mail_with_files("<p>nothing</p>")).await;
    assert_eq!(recorded.body["meta"]["trace"]["notFired"]["code"], "no_data");
    for transaction in [transaction, recorded] {
        let files = transaction.attribute("email")["attachments"].clone();
        let files = files.as_array().unwrap();
        assert_eq!(files.len(), 3);
        assert!(files.iter().all(|file| file["blob"].is_null() && file["sha256"].is_string()), "{files:?}");
    }
    assert_eq!(world.blobs.count(), 0);

    // Those of a mail that waits are kept when it is released.
    let mut delivery = delivery("m3", &[&keeps.address]);
    delivery.verdicts.spam = Some("FAIL".to_owned());
    let outcomes = world.mail(&delivery, mail_with_files(SCRIPT)).await.unwrap();
    assert_eq!((word(outcomes[0].what).as_str(), world.blobs.count()), ("quarantined spam", 0));
    world.release(&keeps, &outcomes[0].transaction.to_string()).await.expect(200);
    assert_eq!(world.blobs.count(), 3);
}

#[tokio::test]
async fn microdata_is_data_where_a_mail_has_no_json() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let html =
        "<div itemscope itemtype=\"http://schema.org/Order\"><meta itemprop=\"orderNumber\" content=\"1\"></div>";
    let transaction = world.mailed(&hook, "m1", html_mail("<1@shop.example>", html)).await;
    assert_eq!(transaction.attribute("data")["orderNumber"], "1");
    assert_eq!(transaction.attribute("email")["source"], "microdata");
}

//! The outbox of local mode: mail that workflows sent, to be read.

use serde_json::{Value, json};
use service::{
    Executor,
    actions::Mailing,
    ports::{OutgoingContent, OutgoingMail, Post},
};
use tests::{
    schemas::misfits,
    world::{World, workflow_of},
};

/// A world whose workflows send mail into its outbox.
async fn mailing_world() -> World {
    let mut world = World::new().await;
    let mailing = Mailing {
        post: world.outbox.clone(),
        blobs: world.blobs.clone(),
        domain: None,
        from: Some("Shop <orders@shop.example>".to_owned()),
    };
    world.executor = Executor::new(world.store.clone(), world.queue.clone(), world.clock.clone()).with_post(mailing);
    world
}

async fn send(world: &World, params: Value) -> String {
    let hook = world.form_hook().await;
    let steps =
        json!([{ "id": "thank you/1", "action": "kustomer.app.mail.send", "params": params, "transitions": [] }]);
    let workflow = world.workflow(workflow_of("sends", &hook.event, steps)).await;
    let transaction = world.arrive(&hook, json!({ "name": "Ann" })).await;
    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    world.clock.pass_seconds(1);
    run["steps"][1]["output"]["id"].as_str().unwrap().to_owned()
}

fn mail(world: &World, key: &str, message: impl Into<bytes::Bytes>) -> OutgoingMail {
    OutgoingMail {
        org: world.org,
        key: key.to_owned(),
        from: "a@shop.example".to_owned(),
        recipients: vec!["b@mail.example".to_owned()],
        content: OutgoingContent::Raw(message.into()),
    }
}

#[tokio::test]
async fn a_mail_that_a_workflow_sent_is_read_with_its_headers_its_bodies_and_as_it_is() {
    let world = mailing_world().await;
    let id = send(
        &world,
        json!({
            "to": "Ann <ann@mail.example>", "bcc": "archive@shop.example", "subject": "Thank you, Änn",
            "text": "Dear {{{steps.1.attributes.data.name}}}", "html": "<p>Dear {{{steps.1.attributes.data.name}}}</p>",
        }),
    )
    .await;
    let list = world.get("/v1/outbox").await.expect(200);
    assert_eq!(misfits("SentMailList", &list.body), [] as [String; 0]);
    let listed = &list.body["data"][0];
    assert_eq!((&listed["id"], &listed["type"]), (&json!(id), &json!("sent_mail")));
    assert_eq!(listed["attributes"]["subject"], "Thank you, Änn");
    assert_eq!(listed["attributes"]["recipients"], json!(["ann@mail.example", "archive@shop.example"]));
    assert_eq!(listed["attributes"]["raw"], Value::Null, "a list is short");

    // Its link leads to it, whatever the step is called.
    let shown = world.get(listed["links"]["self"].as_str().unwrap()).await.expect(200);
    assert_eq!(misfits("SentMail", &shown.body), [] as [String; 0]);
    let attribute = |name| shown.attribute(name);
    assert_eq!(attribute("headers")["to"], json!([{ "name": "Ann", "address": "ann@mail.example" }]));
    assert_eq!(attribute("headers")["from"], json!([{ "name": "Shop", "address": "orders@shop.example" }]));
    assert_eq!(attribute("headers")["subject"], "Thank you, Änn");
    assert_eq!(attribute("text").as_str().unwrap().trim(), "Dear Ann");
    assert_eq!(attribute("html").as_str().unwrap().trim(), "<p>Dear Ann</p>");
    let raw = attribute("raw");
    assert!(raw.as_str().unwrap().contains("Message-ID: <") && !raw.as_str().unwrap().contains("archive@"), "{raw}");
    let run = attribute("runId");
    world.get(&format!("/v1/runs/{}", run.as_str().unwrap())).await.expect(200);
}

#[tokio::test]
async fn a_template_is_shown_with_what_it_is_filled_with() {
    let world = mailing_world().await;
    let params = json!({ "to": "ann@mail.example", "template": "thanks", "templateData": { "total": "1.10" } });
    let id = send(&world, params).await;
    let list = world.get("/v1/outbox").await.expect(200);
    assert_eq!(list.body["data"][0]["attributes"]["template"]["name"], "thanks");
    let shown = world.get(&format!("/v1/outbox/{}", id.replace('%', "%25"))).await.expect(200);
    assert_eq!(misfits("SentMail", &shown.body), [] as [String; 0]);
    assert_eq!(shown.attribute("template")["data"], "{\"total\":\"1.10\"}");
    assert_eq!((shown.attribute("raw"), shown.attribute("headers")), (Value::Null, Value::Null));
}

#[tokio::test]
async fn the_outbox_is_paged_newest_first() {
    let world = World::new().await;
    for number in 0..5 {
        world.outbox.send(&mail(&world, &format!("r/s/{number}"), "Subject: x\r\n\r\n")).await.unwrap();
        world.clock.pass_seconds(1);
    }
    let mails = world.every("/v1/outbox?pageSize=2").await;
    let keys: Vec<&str> = mails.iter().map(|mail| mail["attributes"]["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["r/s/4", "r/s/3", "r/s/2", "r/s/1", "r/s/0"]);
    world.get("/v1/outbox?after=x").await.expect(400);
    for id in ["local-r-s-9", "x", "local-..%2F..%2Fadmin"] {
        assert_eq!(world.get(&format!("/v1/outbox/{id}")).await.expect(404).code(), "not_found");
    }
}

#[tokio::test]
async fn what_is_no_text_is_shown_in_base64_and_what_is_too_large_is_only_counted() {
    let world = World::new().await;
    let beginning = "Subject: x\r\n\r\n";
    for (key, message) in [
        ("r/bytes/1", [beginning.as_bytes(), &[0xff]].concat()),
        ("r/most/1", [beginning.as_bytes(), &vec![b'x'; 1_048_576 - beginning.len()]].concat()),
        ("r/past/1", [beginning.as_bytes(), &vec![b'x'; 1_048_577 - beginning.len()]].concat()),
    ] {
        world.outbox.send(&mail(&world, key, message)).await.unwrap();
    }
    let shown = async |step: &str| world.get(&format!("/v1/outbox/local-r-{step}-1")).await.expect(200);
    let bytes = shown("bytes").await;
    assert_eq!((bytes.attribute("raw"), bytes.attribute("rawBase64")), (Value::Null, json!("U3ViamVjdDogeA0KDQr/")));
    assert_eq!(shown("most").await.attribute("raw").as_str().unwrap().len(), 1_048_576);
    let past = shown("past").await;
    assert_eq!(past.attribute("raw"), json!({ "leftOutBytes": 1_048_577 }));
    assert_eq!(misfits("SentMail", &past.body), [] as [String; 0]);
}

#[tokio::test]
async fn where_nobody_keeps_sent_mail_the_answer_says_who_has_it() {
    let mut world = World::new().await;
    world.management.outbox = None;
    for path in ["/v1/outbox", "/v1/outbox/local-r-s-1"] {
        let answer = world.get(path).await.expect(404);
        assert_eq!(answer.code(), "no_outbox");
        assert!(answer.text.contains("SES"), "{}", answer.text);
    }
}

//! Email hooks in the management API: what they are made of, what may be set, and what is answered.

use serde_json::{Value, json};
use service::http::api::MailWay;
use tests::{
    mail::{html_mail, order_mail},
    schemas::misfits,
    world::{MAIL_DOMAIN, World},
};

#[track_caller]
fn fits(schema: &str, answer: &Value) {
    let misfits = misfits(schema, answer);
    assert!(misfits.is_empty(), "{schema}: {misfits:#?}");
}

#[tokio::test]
async fn an_email_hook_has_an_address_in_two_lengths_and_standard_settings() {
    let world = World::new().await;
    let made = world.api("POST", "/v1/hooks/email", json!({ "title": "Order mails" })).await.expect(201);
    fits("Hook", &made.body);
    let id = made.id();
    assert_eq!(made.body["data"]["type"], "email_hook");
    assert_eq!(made.attribute("eventName"), format!("kustomer.hooks.email.{id}.receive"));
    let local = |name: &str| {
        let address = made.attribute(name).as_str().unwrap().to_owned();
        address.strip_suffix(&format!("@{MAIL_DOMAIN}")).unwrap().to_owned()
    };
    assert_eq!(json!(local("email")), made.attribute("hash"));
    assert_eq!((local("email").len(), local("shortEmail").len()), (64, 52));
    assert_eq!(made.attribute("key"), Value::Null);
    let quarantine = "quarantine";
    let standard = json!({
        "bodies": [], "senders": [],
        "policy": { "spam": quarantine, "dmarc": quarantine, "unauthenticated": quarantine },
        "decodeEntities": false, "attachments": true,
    });
    assert_eq!(made.attribute("mail"), standard);
    for absent in ["url", "auth", "app", "methods", "reply", "guard", "uploads", "tape", "addressLimit"] {
        assert_eq!(made.attribute(absent), Value::Null, "{absent}");
    }
    let path = format!("/v1/hooks/email/{id}");
    assert_eq!(world.get(&path).await.expect(200).body, made.body);
    for elsewhere in ["form", "web"] {
        world.get(&format!("/v1/hooks/{elsewhere}/{id}")).await.expect(404);
    }
    let list = world.get("/v1/hooks/email").await.expect(200);
    fits("HookList", &list.body);
    assert_eq!(list.body["data"], json!([made.body["data"]]));
    world.api("DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(world.get("/v1/hooks/email").await.expect(200).body["data"], json!([]));
}

#[tokio::test]
async fn every_setting_is_taken_up_to_its_limit_and_refused_past_it() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let senders = |count: usize| json!({ "senders": vec!["orders@shop.example"; count] });
    let key = |length: usize| json!("k".repeat(length));
    for (name, good, bad) in [
        (
            "key",
            vec![key(16), key(128), json!("aZ09-_.~+/=aZ09-_.~+/="), Value::Null],
            vec![
                key(15),
                key(129),
                key(0),
                json!(1),
                json!(["k"]),
                json!({}),
                json!(true),
                json!("sixteen letters\""),
                json!("sixteen letters!"),
                json!("sixteen-letters "),
                json!("sixteen-<letters>"),
                json!("sixteen-l\u{e9}tters-"),
                json!("sixteen-letters\0"),
                json!("sixteen-letters\n"),
            ],
        ),
        (
            "mail",
            vec![
                json!({}),
                json!({ "bodies": [] }),
                json!({ "bodies": ["text"] }),
                json!({ "bodies": ["html", "text"] }),
                senders(0),
                senders(100),
                json!({ "senders": ["shop.example", "müller.example", "o+x@a.b.example"] }),
                json!({ "policy": {} }),
                json!({ "policy": { "spam": "accept", "dmarc": "drop", "unauthenticated": "quarantine" } }),
                json!({ "decodeEntities": true }),
                json!({ "attachments": false }),
                Value::Null,
            ],
            vec![
                json!([]),
                json!("standard"),
                json!(1),
                json!(true),
                json!({ "bodies": ["text", "text"] }),
                json!({ "bodies": ["amp"] }),
                json!({ "bodies": "text" }),
                json!({ "bodies": ["text", "html", "text"] }),
                json!({ "bodies": null }),
                json!({ "bodies": [null] }),
                senders(101),
                json!({ "senders": "shop.example" }),
                json!({ "senders": ["shop"] }),
                json!({ "senders": [1] }),
                json!({ "senders": ["Shop <orders@shop.example>"] }),
                json!({ "senders": ["*.shop.example"] }),
                json!({ "senders": [""] }),
                json!({ "senders": ["a@b@"] }),
                json!({ "senders": null }),
                json!({ "policy": "drop" }),
                json!({ "policy": null }),
                json!({ "policy": { "spam": "reject" } }),
                json!({ "policy": { "spam": null } }),
                json!({ "policy": { "virus": "accept" } }),
                json!({ "policy": ["drop"] }),
                json!({ "decodeEntities": "yes" }),
                json!({ "decodeEntities": null }),
                json!({ "attachments": 1 }),
                json!({ "key": "k".repeat(16) }),
                json!({ "unknown": 1 }),
                json!({ "Bodies": [] }),
            ],
        ),
    ] {
        for value in good {
            let changed = world.api("PATCH", &hook.path, json!({ name: value })).await;
            assert_eq!(changed.status, 200, "{name} {value} {changed:?}");
            fits("Hook", &changed.body);
        }
        let before = world.get(&hook.path).await.body;
        for value in bad {
            for (method, path, draft) in [
                ("PATCH", hook.path.as_str(), json!({ name: value })),
                ("POST", "/v1/hooks/email", json!({ "title": "t", name: value })),
            ] {
                let answer = world.api(method, path, draft).await;
                assert_eq!((answer.status, answer.code()), (400, "bad_attribute"), "{name} {value}");
                assert_eq!(answer.body["errors"][0]["source"]["path"], format!("$.{name}"), "{value}");
                fits("Errors", &answer.body);
            }
        }
        assert_eq!(world.get(&hook.path).await.body, before);
    }
}

#[tokio::test]
async fn settings_of_hooks_that_are_posted_to_are_refused_by_name_and_those_of_mail_elsewhere() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let form = world.form_hook().await;
    let form = format!("/v1/hooks/form/{}", form.id);
    let web = world.api("POST", "/v1/hooks/web", json!({ "title": "Web" })).await.expect(201).id();
    let web = format!("/v1/hooks/web/{web}");
    for (paths, settings) in [
        (
            vec![hook.path.as_str()],
            vec![
                ("auth", json!({ "scheme": "none" })),
                ("app", json!("shopify")),
                ("methods", json!(["POST"])),
                ("reply", json!({ "status": 200 })),
                ("guard", json!({ "honeypot": "website" })),
                ("uploads", json!({ "limitBytes": 1 })),
                ("tape", json!(true)),
                ("tape", json!(false)),
                ("addressLimit", json!({ "requests": 1, "seconds": 1 })),
                ("auth", Value::Null),
            ],
        ),
        (
            vec![&form, &web],
            vec![("key", json!("k".repeat(16))), ("key", Value::Null), ("mail", json!({})), ("mail", Value::Null)],
        ),
    ] {
        for path in paths {
            for (name, value) in &settings {
                let answer = world.api("PATCH", path, json!({ *name: value })).await.expect(400);
                assert_eq!(answer.code(), "bad_attribute", "{path} {name}");
                assert_eq!(answer.body["errors"][0]["source"]["path"], format!("$.{name}"), "{path}");
                assert!(answer.text.contains(name), "{path} {name}");
                let collection = path.rsplit_once('/').unwrap().0;
                world.api("POST", collection, json!({ "title": "t", *name: value })).await.expect(400);
            }
        }
    }
    // What the other hooks have in common, these have too.
    let common = json!({
        "title": "New", "description": "Mails of the shop", "debug": true,
        "limit": { "requests": 10, "seconds": 60 }, "duplicates": { "windowSeconds": 60, "fields": ["orderNumber"] },
    });
    let changed = world.api("PATCH", &hook.path, common.clone()).await.expect(200);
    for (name, value) in common.as_object().unwrap() {
        assert_eq!(changed.attribute(name), *value, "{name}");
    }
    let draft = json!({ "title": "App", "eventName": "kustomer.app.shop.order" });
    assert_eq!(
        world.api("POST", "/v1/hooks/email", draft).await.expect(201).attribute("eventName"),
        "kustomer.app.shop.order"
    );
}

#[tokio::test]
async fn what_a_change_does_not_name_stays_and_null_is_the_standard() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let key = "k".repeat(16);
    let all = json!({
        "bodies": ["text"], "senders": ["shop.example"],
        "policy": { "spam": "accept", "dmarc": "drop", "unauthenticated": "accept" },
        "decodeEntities": true, "attachments": false,
    });
    let with = |pointer: &str, value: Value| {
        let mut changed = all.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let standard = world.get(&hook.path).await.attribute("mail");
    for (change, mail, shown_key) in [
        (json!({ "mail": all, "key": key }), all.clone(), json!(key)),
        (json!({ "title": "New" }), all.clone(), json!(key)),
        (json!({ "mail": {} }), all.clone(), json!(key)),
        (json!({ "mail": { "bodies": ["html"] } }), with("/bodies", json!(["html"])), json!(key)),
        (
            json!({ "mail": { "bodies": ["text"], "policy": { "dmarc": "quarantine" } } }),
            with("/policy/dmarc", json!("quarantine")),
            json!(key),
        ),
        (json!({ "key": null }), with("/policy/dmarc", json!("quarantine")), Value::Null),
        (json!({ "mail": { "policy": { "dmarc": "drop" } }, "key": key }), all.clone(), json!(key)),
        (json!({ "mail": null }), standard.clone(), json!(key)),
        (json!({ "mail": { "senders": [] }, "key": null }), standard, Value::Null),
    ] {
        for method in ["PATCH", "PUT"] {
            let changed = world.api(method, &hook.path, change.clone()).await.expect(200);
            assert_eq!(
                (changed.attribute("mail"), changed.attribute("key")),
                (mail.clone(), shown_key.clone()),
                "{change}"
            );
        }
        assert_eq!(world.get(&hook.path).await.attribute("mail"), mail);
    }
}

#[tokio::test]
async fn what_was_read_can_be_sent_back() {
    let world = World::new().await;
    let hook = world
        .email_hook_with(json!({
            "key": "k".repeat(16), "debug": true, "limit": { "requests": 1, "seconds": 60 }, "duplicates": false,
            "mail": { "bodies": ["text"], "senders": ["shop.example"], "policy": { "spam": "drop" } },
        }))
        .await;
    world.clock.pass_seconds(1);
    let read = world.get(&hook.path).await.expect(200);
    for body in [read.body["data"]["attributes"].clone(), read.body.clone()] {
        let mut written = world.api("PUT", &hook.path, body.clone()).await.expect(200).body;
        written["data"]["attributes"]["updatedAt"] = read.attribute("updatedAt");
        assert_eq!(written, read.body);
        // As a draft it makes another hook that is set the same.
        let mut draft = body;
        if let Some(attributes) = draft.pointer_mut("/data/attributes") {
            draft = attributes.take();
        }
        draft["eventName"] = json!("kustomer.app.copy");
        let copy = world.api("POST", "/v1/hooks/email", draft).await.expect(201);
        assert_ne!(copy.attribute("hash"), read.attribute("hash"));
        for name in ["key", "mail", "limit", "duplicates"] {
            assert_eq!(copy.attribute(name), read.attribute(name), "{name}");
        }
    }
}

#[tokio::test]
async fn a_stack_without_a_mail_domain_says_what_to_do_and_shows_no_addresses() {
    let mut world = World::new().await;
    let hook = world.email_hook().await;
    let setup = world.management.mail.take();
    for (method, path, body) in
        [("POST", "/v1/hooks/email", json!({ "title": "t" })), ("GET", "/v1/mail-domain", Value::Null)]
    {
        let answer = world.api(method, path, body).await.expect(404);
        assert_eq!(answer.code(), "mail_not_set_up");
        assert!(answer.text.contains("MailDomain"));
    }
    let shown = world.get(&hook.path).await.expect(200);
    fits("Hook", &shown.body);
    assert_eq!((shown.attribute("email"), shown.attribute("shortEmail")), (Value::Null, Value::Null));
    assert_eq!(shown.attribute("hash"), hook.hash);
    assert_eq!(world.release(&hook, "5a345109e578360010eadead").await.expect(404).code(), "mail_not_set_up");
    // Others go on, and what is there can be changed and deleted.
    world.form_hook().await;
    world.api("PATCH", &hook.path, json!({ "title": "New", "mail": { "bodies": ["text"] } })).await.expect(200);
    world.api("DELETE", &hook.path, Value::Null).await.expect(204);
    world.management.mail = setup;
}

#[tokio::test]
async fn the_mail_domain_tells_what_its_dns_and_its_owner_still_need() {
    let mut world = World::new().await;
    let answer = world.get("/v1/mail-domain").await.expect(200);
    fits("MailDomain", &answer.body);
    assert_eq!((answer.id().as_str(), answer.attribute("region")), (MAIL_DOMAIN, json!("eu-west-1")));
    let records = answer.attribute("records");
    let lines: Vec<String> = records
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            format!(
                "{} {} {}",
                record["type"].as_str().unwrap(),
                record["name"].as_str().unwrap(),
                record["value"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "MX hooks.example.net 10 inbound-smtp.eu-west-1.amazonaws.com",
            "CNAME token1._domainkey.hooks.example.net token1.dkim.amazonses.com",
            "CNAME token2._domainkey.hooks.example.net token2.dkim.amazonses.com",
            "CNAME token3._domainkey.hooks.example.net token3.dkim.amazonses.com",
            "TXT _dmarc.hooks.example.net v=DMARC1; p=quarantine; adkim=r",
        ]
    );
    assert!(
        answer.attribute("steps")[0]
            .as_str()
            .unwrap()
            .contains("set-active-receipt-rule-set --rule-set-name hookwright")
    );

    let mut setup = world.management.mail.take().unwrap();
    setup.way = MailWay::Listener { address: "127.0.0.1:2525".to_owned() };
    world.management.mail = Some(setup);
    let answer = world.get("/v1/mail-domain").await.expect(200);
    fits("MailDomain", &answer.body);
    assert_eq!((answer.attribute("region"), answer.attribute("records")), (Value::Null, json!([])));
    assert!(answer.attribute("steps")[0].as_str().unwrap().contains("127.0.0.1:2525"));
}

#[tokio::test]
async fn what_is_answered_about_mails_is_what_the_document_says() {
    let world = World::new().await;
    let hook = world.mail_hook(json!({ "senders": ["other.example"] })).await;
    let open = world.email_hook_with(json!({ "debug": true })).await;
    world.listener(&open).await;
    let waiting = world.mail_to(&hook, "m1", order_mail("<1@shop.example>", "{\"a\":1}")).await;
    let fired = world.mail_to(&open, "m2", order_mail("<2@shop.example>", "{\"a\":1}")).await;
    world.mail_to(&open, "m3", html_mail("<3@shop.example>", "<script type=\"application/json\">{</script>")).await;
    world.mail_to(&open, "m4", "garbage").await;
    world.work().await;
    fits("QuarantinedMailList", &world.get(&format!("{}/quarantine", hook.path)).await.expect(200).body);
    fits("QuarantinedMail", &world.release(&hook, &waiting.transaction.to_string()).await.expect(200).body);
    fits("QuarantinedMailList", &world.get(&format!("{}/quarantine", hook.path)).await.expect(200).body);
    fits("Transaction", &world.transaction(&fired).await.body);
    for (path, schema, count) in [("refusals", "RefusalList", 2), ("transactions", "InteractionList", 3)] {
        let list = world.get(&format!("{}/{path}", open.path)).await.expect(200);
        fits(schema, &list.body);
        assert_eq!(list.body["data"].as_array().unwrap().len(), count, "{path}");
    }
    for refusal in world.refusals(&open).await {
        let recorded = refusal["attributes"]["transactionId"].as_str().unwrap();
        fits("Transaction", &world.get(&format!("/v1/transactions/{recorded}")).await.expect(200).body);
    }
    let run =
        world.get("/v1/workflows?pageSize=1").await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    fits("RunList", &world.get(&format!("/v1/workflows/{run}/runs")).await.expect(200).body);
}

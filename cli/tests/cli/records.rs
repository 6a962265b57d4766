//! Records and events: what is sent for each noun, and how records are named and shown.

use std::fs;

use serde_json::{Value, json};

use crate::{hookwright, hookwright_reading, requests::exchange, server::Server};

#[test]
fn each_command_sends_its_request() {
    let rows: &[(&[&str], &str, Value)] = &[
        (
            &[
                "customers",
                "create",
                "--name",
                "Ann",
                "--email",
                "ann@example.com",
                "--phone",
                "+15550100",
                "--tag",
                "vip",
                "--tag",
                "new",
            ],
            "POST /v1/customers",
            json!({"name": "Ann", "emails": ["ann@example.com"], "phones": ["+15550100"], "tags": ["vip", "new"]}),
        ),
        (
            &["customers", "create", "--external-id", "c-1", "--custom", "ageNum=41", "--custom", "tierStr="],
            "POST /v1/customers",
            json!({"externalId": "c-1", "custom": {"ageNum": "41", "tierStr": null}}),
        ),
        (&["customers", "ls", "--page-size", "2"], "GET /v1/customers?pageSize=2", Value::Null),
        (&["customers", "show", "ann+1@example.com"], "GET /v1/customers/email=ann%2B1@example.com", Value::Null),
        (&["customers", "show", "phone:+1 555 0100"], "GET /v1/customers/phone=%2B1%20555%200100", Value::Null),
        (&["customers", "show", "externalId:a/b"], "GET /v1/customers/externalId=a%2Fb", Value::Null),
        (
            &["customers", "update", "ann@example.com", "--name", "Anna", "--clear", "locale", "--rev", "3"],
            "PUT /v1/customers/email=ann@example.com",
            json!({"name": "Anna", "locale": null, "rev": 3}),
        ),
        (&["customers", "update", "c1", "--clear", "company"], "PUT /v1/customers/c1", json!({"company": null})),
        (&["customers", "timeline", "c1"], "GET /v1/customers/c1/timeline", Value::Null),
        (
            &["customers", "timeline", "ann@example.com"],
            "GET /v1/customers/email=ann@example.com/timeline",
            Value::Null,
        ),
        (&["customers", "instances", "c1", "order"], "GET /v1/customers/c1/klasses/order", Value::Null),
        (
            &["customers", "merge", "ann@example.com", "c2"],
            "POST /v1/customers/email=ann@example.com/merge",
            json!({"otherId": "c2"}),
        ),
        (
            &["instances", "relate", "order", "externalId:o-1", "payer", "c1", "--type", "customer"],
            "POST /v1/klasses/order/externalId=o-1/relationships",
            json!({"relationship": "payer", "type": "customer", "relatedId": "c1"}),
        ),
        (
            &["instances", "relate", "order", "o1", "payer", "--clear"],
            "POST /v1/klasses/order/o1/relationships",
            json!({"relationship": "payer", "relatedId": null}),
        ),
        (
            &[
                "conversations",
                "create",
                "--customer",
                "c1",
                "--name",
                "Where?",
                "--priority",
                "3",
                "--assigned-user",
                "u1",
            ],
            "POST /v1/conversations",
            json!({"customer": "c1", "name": "Where?", "priority": "3", "assignedUsers": ["u1"]}),
        ),
        (&["conversations", "ls", "--customer", "c1"], "GET /v1/conversations?customer=c1", Value::Null),
        (
            &["conversations", "update", "externalId:x", "--status", "done"],
            "PUT /v1/conversations/externalId=x",
            json!({"status": "done"}),
        ),
        (
            &[
                "messages",
                "create",
                "--conversation",
                "v1",
                "--body",
                "Hello",
                "--channel",
                "email",
                "--sent-at",
                "2026-11-22",
            ],
            "POST /v1/messages",
            json!({"conversation": "v1", "body": "Hello", "channel": "email", "sentAt": "2026-11-22"}),
        ),
        (&["messages", "list", "--conversation", "v1"], "GET /v1/messages?conversation=v1", Value::Null),
        (
            &["notes", "create", "--customer", "c1", "--body", "Late"],
            "POST /v1/notes",
            json!({"customer": "c1", "body": "Late"}),
        ),
        (
            &["notes", "ls", "--customer", "c1", "--conversation", "v1"],
            "GET /v1/notes?customer=c1&conversation=v1",
            Value::Null,
        ),
        (
            &["companies", "create", "--name", "Shop", "--domain", "shop.example"],
            "POST /v1/companies",
            json!({"name": "Shop", "domains": ["shop.example"]}),
        ),
        (&["companies", "ls"], "GET /v1/companies", Value::Null),
        (
            &["users", "create", "--name", "Kim", "--email", "kim@example.com"],
            "POST /v1/users",
            json!({"name": "Kim", "email": "kim@example.com"}),
        ),
        (&["users", "show", "kim@example.com"], "GET /v1/users/email=kim@example.com", Value::Null),
        (
            &["tags", "create", "--name", "vip", "--color", "gold"],
            "POST /v1/tags",
            json!({"name": "vip", "color": "gold"}),
        ),
        (&["tags", "update", "t1", "--color", "red"], "PUT /v1/tags/t1", json!({"color": "red"})),
        (
            &[
                "instances",
                "create",
                "order",
                "--title",
                "T",
                "--customer",
                "c1",
                "--data",
                "{\"n\": 1.50}",
                "--custom",
                "priceStr=1",
            ],
            "POST /v1/klasses/order",
            serde_json::from_str(
                r#"{"title": "T", "customer": "c1", "data": {"n": 1.50}, "custom": {"priceStr": "1"}}"#,
            )
            .unwrap(),
        ),
        (&["instances", "ls", "order"], "GET /v1/klasses/order/instances", Value::Null),
        (
            &["instances", "ls", "order", "--customer", "ann@example.com"],
            "GET /v1/customers/email=ann@example.com/klasses/order",
            Value::Null,
        ),
        (&["instances", "show", "order", "externalId:1234"], "GET /v1/klasses/order/externalId=1234", Value::Null),
        (&["instances", "update", "order", "i1", "--title", "U"], "PUT /v1/klasses/order/i1", json!({"title": "U"})),
        (&["events", "publish", "shop.paid"], "POST /v1/events", json!({"name": "shop.paid"})),
        (
            &["events", "publish", "shop.paid", "--data", "{\"total\": 10.50}"],
            "POST /v1/events",
            serde_json::from_str(r#"{"name": "shop.paid", "data": {"total": 10.50}}"#).unwrap(),
        ),
    ];
    for (words, line, body) in rows {
        let (done, asked) = exchange(200, r#"{"data":[]}"#, words);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{words:?}");
        assert_eq!(asked.line, *line, "{words:?}");
        assert_eq!(serde_json::from_str(&asked.body).unwrap_or(Value::Null), *body, "{words:?}");
    }
}

#[test]
fn what_is_removed_is_said_for_people_and_nothing_for_programs() {
    for (words, path) in [
        (&["customers", "rm", "ann@example.com"][..], "customers/email=ann@example.com"),
        (&["conversations", "rm", "v1"], "conversations/v1"),
        (&["messages", "delete", "externalId:m"], "messages/externalId=m"),
        (&["notes", "rm", "n1"], "notes/n1"),
        (&["companies", "rm", "c1"], "companies/c1"),
        (&["users", "rm", "u1"], "users/u1"),
        (&["tags", "rm", "t1"], "tags/t1"),
        (&["instances", "rm", "order", "i1"], "klasses/order/i1"),
    ] {
        let (done, asked) = exchange(204, "", words);
        assert_eq!((done.code, asked.line), (0, format!("DELETE /v1/{path}")));
        assert!(done.out.contains(words[words.len() - 1]) && done.out.contains("is deleted"), "{}", done.out);
        let (done, _) = exchange(204, "", &[words, &["--json"]].concat());
        assert_eq!((done.code, done.out.as_str()), (0, ""));
    }
}

#[test]
fn a_record_that_another_belongs_to_is_looked_up_where_it_is_named_by_a_key() {
    let found = (200, r#"{"data":{"id":"c1"}}"#);
    for (words, lines, body) in [
        (
            &["notes", "create", "--customer", "ann@example.com", "--body", "Late"][..],
            ["GET /v1/customers/email=ann@example.com", "POST /v1/notes"],
            json!({"customer": "c1", "body": "Late"}),
        ),
        (
            &["messages", "ls", "--conversation", "externalId:v"],
            ["GET /v1/conversations/externalId=v", "GET /v1/messages?conversation=c1"],
            Value::Null,
        ),
        (
            &["customers", "merge", "c0", "phone:+15550100"],
            ["GET /v1/customers/phone=%2B15550100", "POST /v1/customers/c0/merge"],
            json!({"otherId": "c1"}),
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::answering(&[found, (200, r#"{"data":[]}"#)]);
        let done = hookwright(dir.path(), &[words, &["--url", &server.url]].concat());
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{words:?}");
        let asked = server.asked();
        assert_eq!([asked[0].line.as_str(), asked[1].line.as_str()], lines, "{words:?}");
        assert_eq!(serde_json::from_str(&asked[1].body).unwrap_or(Value::Null), body, "{words:?}");
    }
    let nobody = (404, r#"{"errors":[{"code":"not_found","detail":"There is nothing with this id in your org."}]}"#);
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(&[nobody]);
    let words = ["notes", "create", "--customer", "ann@example.com", "--body", "Late", "--url", &server.url];
    assert_eq!(hookwright(dir.path(), &words).code, 3);
}

#[test]
fn a_document_is_sent_byte_for_byte_and_never_with_flags() {
    let document = "{ \"body\":\"a\",\n  \"meta\": 1e400 }\n";
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("note.json"), document).unwrap();
    let server = Server::answering(&[(201, r#"{"data":{}}"#), (200, r#"{"data":{}}"#), (201, r#"{"data":{}}"#)]);
    let url = server.url.clone();
    let made = hookwright(dir.path(), &["notes", "create", "note.json", "--url", &url]);
    let changed = hookwright_reading(
        dir.path(),
        &["instances", "update", "order", "i1", "-", "--url", &url],
        document.as_bytes(),
    );
    let published = hookwright_reading(
        dir.path(),
        &["events", "publish", "shop.paid", "--data", "-", "--url", &url],
        document.as_bytes(),
    );
    assert_eq!((made.code, changed.code, published.code), (0, 0, 0), "{}{}{}", made.err, changed.err, published.err);
    let asked = server.asked();
    assert_eq!((asked[0].body.as_str(), asked[1].body.as_str()), (document, document));
    assert_eq!(asked[2].body, r#"{"name":"shop.paid","data":{"body":"a","meta":1e400}}"#);
    for words in [
        &["notes", "create", "note.json", "--body", "b"][..],
        &["customers", "update", "c1", "note.json", "--clear", "name"],
    ] {
        let done = hookwright(dir.path(), words);
        assert_eq!(
            (done.code, done.err.as_str()),
            (2, "error: Give either a document or flags, not both.\n"),
            "{words:?}"
        );
    }
}

#[test]
fn a_record_is_shown_with_all_it_has_and_a_list_in_a_line_each() {
    let customer = json!({ "type": "customer", "id": "c1", "attributes": {
        "name": "Ann", "emails": [{ "type": "home", "email": "ann@example.com" }, { "email": "a@example.com" }], "tags": ["vip", "new"],
        "custom": { "tierStr": "gold" }, "rev": 2, "createdAt": "2026-11-22T12:00:00.000Z" },
        "relationships": { "org": { "data": { "id": "o1" } }, "company": { "data": { "type": "company", "id": "k1" } } } });
    let (done, _) = exchange(200, &json!({ "data": customer }).to_string(), &["customers", "show", "c1"]);
    for line in [
        "id         c1",
        "company    k1",
        "name       Ann",
        "emails     ann@example.com, a@example.com",
        "tags       vip, new",
        "tierStr           gold",
    ] {
        assert!(done.out.lines().any(|shown| shown == line), "{line}\n{}", done.out);
    }
    assert!(!done.out.contains("o1"), "{}", done.out);
    let (done, _) = exchange(200, &json!({ "data": [customer] }).to_string(), &["customers", "ls"]);
    assert_eq!(
        done.out,
        "ID  CREATED                   TITLE  E-MAIL\n\
         c1  2026-11-22T12:00:00.000Z  Ann    ann@example.com, a@example.com\n"
    );
    for noun in ["customers", "companies", "users", "tags"] {
        let (done, _) = exchange(200, r#"{"data":[]}"#, &[noun, "ls"]);
        assert_eq!(done.out, format!("There are no {noun}.\n"));
    }
    let (done, _) = exchange(
        201,
        r#"{"data":{"id":"e1","attributes":{"name":"shop.paid","createdAt":"2026-11-22T12:00:00.000Z"}}}"#,
        &["events", "publish", "shop.paid"],
    );
    assert!(done.out.ends_with("`hookwright why e1` tells what it started.\n"), "{}", done.out);
}

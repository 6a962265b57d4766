//! Settings of the org, the audit log and the outbox: what is sent, and what is printed.

use serde_json::{Value, json};

use crate::requests::exchange;

const EMPTY: &str = r#"{"data":[],"links":{"next":null}}"#;

#[test]
fn each_command_sends_its_request() {
    let resource = r#"{"data":{"type":"org","id":"o1","attributes":{}}}"#;
    let rows: &[(&[&str], &str, &str, Value)] = &[
        (&["org", "show"], resource, "GET /v1/org", Value::Null),
        (
            &["org", "set", "--name", "Acme", "--time-zone", "Europe/Berlin", "--limit", "600/60", "--if-rev", "3"],
            resource,
            "PUT /v1/org",
            json!({"name": "Acme", "timeZone": "Europe/Berlin", "limit": {"requests": 600, "seconds": 60}, "rev": 3}),
        ),
        (
            &["org", "set", "--default-schedule", "s1", "--hook-limit", "1/2", "--in-flight-limit", "7"],
            resource,
            "PUT /v1/org",
            json!({"defaultSchedule": "s1", "hookLimit": {"requests": 1, "seconds": 2}, "inFlightLimit": 7}),
        ),
        (
            &["org", "set", "--no-name", "--no-time-zone", "--no-default-schedule", "--no-limit"],
            resource,
            "PUT /v1/org",
            json!({"name": null, "timeZone": null, "defaultSchedule": null, "limit": null}),
        ),
        (
            &["org", "set", "--no-hook-limit", "--no-in-flight-limit"],
            resource,
            "PUT /v1/org",
            json!({"hookLimit": null, "inFlightLimit": null}),
        ),
        (&["audit", "ls"], EMPTY, "GET /v1/audit-log", Value::Null),
        (
            &[
                "audit",
                "ls",
                "--object",
                "h1",
                "--type",
                "form_hook",
                "--by",
                "k1",
                "--from",
                "2026-11-22T00:00:00Z",
                "--until",
                "2026-11-23T00:00:00Z",
                "--page-size",
                "2",
            ],
            EMPTY,
            "GET /v1/audit-log?objectId=h1&objectType=form%5Fhook&key=k1&from=2026%2D11%2D22T00%3A00%3A00Z&until=2026%2D11%2D23T00%3A00%3A00Z&pageSize=2",
            Value::Null,
        ),
        (&["audit", "show", "a1"], resource, "GET /v1/audit-log/a1", Value::Null),
        (&["mail", "outbox", "ls"], EMPTY, "GET /v1/outbox", Value::Null),
        (&["mail", "outbox", "show", "local-r-a%2Fb-1"], resource, "GET /v1/outbox/local-r-a%252Fb-1", Value::Null),
    ];
    for (words, answer, line, body) in rows {
        let (done, asked) = exchange(200, answer, words);
        assert_eq!(done.code, 0, "{words:?}: {}", done.err);
        assert_eq!(asked.line, *line, "{words:?}");
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap_or_default(), *body, "{words:?}");
    }
}

#[test]
fn an_entry_is_shown_with_who_and_each_attribute_before_and_after() {
    let entry = json!({"data": {"type": "audit_entry", "id": "a1", "attributes": {
        "eventName": "kustomer.form_hook.update", "eventVerb": "update", "operation": "UpdateHook",
        "userId": "k1", "userName": "ci", "userType": "api_key", "objectType": "form_hook", "objectId": "h1",
        "objectName": "Returns\u{1b}[31m", "ip": "192.0.2.7", "client": null, "leftOut": 2,
        "others": [{"objectType": "klass", "objectId": "c1"}], "createdAt": "2026-11-22T12:00:00.000Z",
        "changes": [{"op": "replace", "path": "$.title", "before": "Orders", "after": "Returns"},
            {"op": "add", "path": "$.limit", "after": {"requests": 1}}],
    }}});
    let (done, _) = exchange(200, &entry.to_string(), &["audit", "show", "a1"]);
    let lines: Vec<&str> = done.out.lines().collect();
    for part in [
        "event      kustomer.form_hook.update",
        "object     form_hook h1",
        "name       Returns\\u{1b}[31m",
        "by key     k1 (ci)",
        "from       192.0.2.7",
        "$.title  Orders  Returns",
        "$.limit  -       {\"requests\":1}",
        "2 more are not kept, because the entry is at its limit.",
        "In the same write: klass c1",
    ] {
        assert!(lines.contains(&part), "{part}: {}", done.out);
    }
}

#[test]
fn a_sent_mail_is_shown_as_text_as_html_or_whole() {
    let mail = json!({"data": {"type": "sent_mail", "id": "m1", "attributes": {
        "sentAt": "2026-11-22T12:00:00.000Z", "runId": "r1", "from": "a@shop.example", "subject": "Hi",
        "recipients": ["b@mail.example", "c@mail.example"], "template": null, "headers": {"messageId": "<1@x>"},
        "text": "Dear\u{1b}[31m Ann", "html": "<p>Dear</p>", "raw": "Subject: Hi\r\n\r\nDear",
        "attachments": [{"fileName": "a.pdf", "contentType": "application/pdf", "size": 3, "sha256": ""}],
    }}});
    for (words, expected) in [
        (
            &["mail", "outbox", "show", "m1"][..],
            vec!["b@mail.example, c@mail.example", "a.pdf, application/pdf, 3 bytes", "Dear\\u{1b}[31m Ann"],
        ),
        (&["mail", "outbox", "show", "m1", "--html"], vec!["<p>Dear</p>"]),
        (&["mail", "outbox", "show", "m1", "--raw"], vec!["Subject: Hi\n\nDear"]),
    ] {
        let (done, _) = exchange(200, &mail.to_string(), words);
        for part in expected {
            assert!(done.out.contains(part), "{part}: {}", done.out);
        }
    }
}

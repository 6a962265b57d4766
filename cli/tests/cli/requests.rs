//! What is sent, and what becomes of each kind of answer.

use std::fs;

use serde_json::{Value, json};

use crate::{hookwright, hookwright_reading, server::Server};

const KEY: &str = "hk_key";

/// Runs the words against a server with this one answer; the exit code, both outputs and the request.
pub(crate) fn exchange(status: u16, body: &str, words: &[&str]) -> (crate::Done, crate::server::Asked) {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(&[(status, body)]);
    let words: Vec<&str> = words.iter().copied().chain(["--url", &server.url, "--api-key", KEY]).collect();
    let done = hookwright(dir.path(), &words);
    let asked = server.asked().pop().expect(&done.err);
    (done, asked)
}

#[test]
fn each_command_sends_its_request() {
    let rows: &[(&[&str], &str, Value)] = &[
        (&["hooks", "create", "--title", "Orders"], "POST /v1/hooks/form", json!({"title": "Orders"})),
        (
            &[
                "hooks",
                "create",
                "form",
                "--title",
                "T",
                "--description",
                "D",
                "--event-name",
                "kustomer.x",
                "--reply-status",
                "303",
                "--reply-location",
                "/thanks",
            ],
            "POST /v1/hooks/form",
            json!({"title": "T", "description": "D", "eventName": "kustomer.x", "reply": {"status": 303, "location": "/thanks"}}),
        ),
        (
            &["hooks", "ls", "--page-size", "2", "--after", "a#b"],
            "GET /v1/hooks/form?pageSize=2&after=a%23b",
            Value::Null,
        ),
        (&["hooks", "show", "h1"], "GET /v1/hooks/form/h1", Value::Null),
        (&["hooks", "update", "h1", "--title", "T"], "PUT /v1/hooks/form/h1", json!({"title": "T"})),
        (&["hooks", "update", "h1", "--no-reply"], "PUT /v1/hooks/form/h1", json!({"reply": null})),
        (&["hooks", "debug", "h1", "on"], "PUT /v1/hooks/form/h1", json!({"debug": true})),
        (&["hooks", "debug", "h1", "off"], "PUT /v1/hooks/form/h1", json!({"debug": false})),
        (&["hooks", "transactions", "h1"], "GET /v1/hooks/form/h1/transactions", Value::Null),
        (&["hooks", "show", "../../api-keys"], "GET /v1/hooks/form/..%2F..%2Fapi-keys", Value::Null),
        (&["workflows", "list"], "GET /v1/workflows", Value::Null),
        (&["apps", "available"], "GET /v1/apps/available", Value::Null),
        (
            &["apps", "available", "shop", "--version", "1.0.0"],
            "GET /v1/apps/available/shop?version=1%2E0%2E0",
            Value::Null,
        ),
        (&["apps", "install", "shop"], "POST /v1/apps", json!({"app": "shop", "version": null})),
        (
            &["apps", "install", "shop", "--version", "1.0.0"],
            "POST /v1/apps",
            json!({"app": "shop", "version": "1.0.0"}),
        ),
        (&["apps", "upgrade", "shop"], "PUT /v1/apps/shop", json!({"version": null})),
        (&["apps", "uninstall", "shop"], "DELETE /v1/apps/shop", Value::Null),
        (&["actions", "list"], "GET /v1/actions", Value::Null),
        (&["actions", "show", "a/b"], "GET /v1/actions/a%2Fb", Value::Null),
        (&["workflows", "show", "w1"], "GET /v1/workflows/w1", Value::Null),
        (&["workflows", "enable", "w1"], "PUT /v1/workflows/w1", json!({"enabled": true})),
        (&["workflows", "disable", "w1"], "PUT /v1/workflows/w1", json!({"enabled": false})),
        (&["workflows", "export", "w1"], "GET /v1/workflows/w1/export", Value::Null),
        (&["workflows", "versions", "w1", "--page-size", "2"], "GET /v1/workflows/w1/versions?pageSize=2", Value::Null),
        (&["workflows", "version", "w1", "2"], "GET /v1/workflows/w1/versions/2", Value::Null),
        (&["workflows", "diff", "w1"], "GET /v1/workflows/w1/diff", Value::Null),
        (
            &["workflows", "diff", "w1", "--from", "2", "--to", "live"],
            "GET /v1/workflows/w1/diff?from=2&to=live",
            Value::Null,
        ),
        (&["workflows", "rollback", "w1", "2"], "POST /v1/workflows/w1/rollback", json!({"version": 2})),
        (&["workflows", "draft", "show", "w1"], "GET /v1/workflows/w1/draft", Value::Null),
        (&["workflows", "publish", "w1"], "POST /v1/workflows/w1/publish", json!({"force": false})),
        (&["workflows", "publish", "w1", "--force"], "POST /v1/workflows/w1/publish", json!({"force": true})),
        (&["workflows", "variables", "ls", "w1"], "GET /v1/workflows/w1/variables", Value::Null),
        (
            &["workflows", "variables", "update", "v1", "--name", "key"],
            "PUT /v1/workflow-variables/v1",
            json!({"name": "key"}),
        ),
        (
            &["webhooks", "create", "https://a.example", "--event", "x.*", "--event", "y.z", "--disabled"],
            "POST /v1/webhooks",
            json!({"url": "https://a.example", "events": ["x.*", "y.z"], "enabled": false}),
        ),
        (&["webhooks", "ls"], "GET /v1/webhooks", Value::Null),
        (&["webhooks", "show", "w1"], "GET /v1/webhooks/w1", Value::Null),
        (
            &["webhooks", "update", "w1", "--enable", "--description", "ERP"],
            "PUT /v1/webhooks/w1",
            json!({"enabled": true, "description": "ERP"}),
        ),
        (&["webhooks", "update", "w1", "--disable"], "PUT /v1/webhooks/w1", json!({"enabled": false})),
        (
            &["webhooks", "rotate", "w1", "--overlap", "1h"],
            "POST /v1/webhooks/w1/rotate-secret",
            json!({"overlapSeconds": 3_600}),
        ),
        (
            &["webhooks", "deliveries", "w1", "--state", "failed", "--page-size", "2"],
            "GET /v1/webhooks/w1/deliveries?state=failed&pageSize=2",
            Value::Null,
        ),
        (&["webhooks", "delivery", "w1", "d1"], "GET /v1/webhooks/w1/deliveries/d1", Value::Null),
        (&["webhooks", "resend", "w1", "d1"], "POST /v1/webhooks/w1/deliveries/d1/resend", json!({})),
        (&["webhooks", "ping", "w1"], "POST /v1/webhooks/w1/ping", json!({})),
        (&["schedules", "ls"], "GET /v1/schedules", Value::Null),
        (&["schedules", "show", "s1"], "GET /v1/schedules/s1", Value::Null),
        (&["apps", "settings", "shop"], "GET /v1/apps/shop/settings", Value::Null),
        (
            &[
                "apps",
                "settings",
                "shop",
                "--set",
                "default.region=eu",
                "--set",
                "default.limit=5",
                "--set",
                "a.b=true",
                "--set",
                "a.c=null",
                "--unset",
                "a.old",
            ],
            "PUT /v1/apps/shop/settings",
            json!({"default": {"region": "eu", "limit": 5}, "a": {"b": true, "c": "null", "old": null}}),
        ),
        (&["eval", "/#steps.1.a"], "POST /v1/evaluate", json!({"expression": "/#steps.1.a"})),
        (
            &[
                "eval",
                "{\"a\": [\"/#steps.1\"]}",
                "--steps",
                "{\"1\": 1}",
                "--error",
                "{}",
                "--variables",
                "{}",
                "--now",
                "2026-11-28T12:00:00Z",
            ],
            "POST /v1/evaluate",
            json!({"expression": {"a": ["/#steps.1"]}, "steps": {"1": 1}, "error": {}, "variables": {}, "now": "2026-11-28T12:00:00Z"}),
        ),
        (
            &["eval", "--condition", "{\"op\": \"true\", \"values\": []}"],
            "POST /v1/evaluate",
            json!({"condition": {"op": "true", "values": []}}),
        ),
        (
            &["runs", "ls", "--workflow", "w1", "--state", "failed", "--from", "2026-11-22T00:00:00Z"],
            "GET /v1/workflows/w1/runs?state=failed&from=2026%2D11%2D22T00%3A00%3A00Z",
            Value::Null,
        ),
        (&["runs", "show", "r1"], "GET /v1/runs/r1", Value::Null),
        (&["transactions", "show", "t1"], "GET /v1/transactions/t1", Value::Null),
        (
            &[
                "klasses",
                "create",
                "order",
                "--display-name",
                "Order",
                "--attribute",
                "orderIDStr=Order ID",
                "--attribute",
                "priceNum",
            ],
            "POST /v1/klasses",
            json!({"name": "order", "displayName": "Order", "metadata": {"properties": {
                "orderIDStr": {"displayName": "Order ID"}, "priceNum": {"displayName": "priceNum"}}}}),
        ),
        (&["klasses", "show", "order"], "GET /v1/klasses/order", Value::Null),
        (&["klasses", "update", "order", "--icon", "box"], "PUT /v1/klasses/order", json!({"icon": "box"})),
        (
            &[
                "customers",
                "create",
                "--name",
                "Ann",
                "--email",
                "ann@example.com",
                "--custom",
                "ageNum=41",
                "--custom",
                "tierStr=",
            ],
            "POST /v1/customers",
            json!({"name": "Ann", "emails": ["ann@example.com"], "custom": {"ageNum": "41", "tierStr": null}}),
        ),
        (
            &[
                "keys",
                "create",
                "--name",
                "shop",
                "--role",
                "org.hooks",
                "--role",
                "org.permission",
                "--expires-at",
                "2030-01-31T00:00:00Z",
            ],
            "POST /v1/api-keys",
            json!({"name": "shop", "roles": ["org.hooks", "org.permission"], "expiresAt": "2030-01-31T00:00:00Z"}),
        ),
        (&["keys", "show", "k1"], "GET /v1/api-keys/k1", Value::Null),
    ];
    for (words, line, body) in rows {
        let (done, asked) = exchange(200, r#"{"data":[]}"#, words);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{words:?}");
        assert_eq!(asked.line, *line, "{words:?}");
        assert_eq!(serde_json::from_str(&asked.body).unwrap_or(Value::Null), *body, "{words:?}");
        assert_eq!(asked.header("authorization"), Some("Bearer hk_key"));
        assert_eq!(asked.header("content-type"), (!body.is_null()).then_some("application/json"));
    }
}

#[test]
fn what_is_removed_is_said_for_people_and_nothing_for_programs() {
    for (noun, id, path) in [
        ("hooks", "h1", "hooks/form/h1"),
        ("workflows", "w1", "workflows/w1"),
        ("schedules", "s1", "schedules/s1"),
        ("webhooks", "w1", "webhooks/w1"),
        ("klasses", "order", "klasses/order"),
        ("keys", "k1", "api-keys/k1"),
    ] {
        let (done, asked) = exchange(204, "", &[noun, "rm", id]);
        assert_eq!((done.code, asked.line), (0, format!("DELETE /v1/{path}")));
        assert!(done.out.contains(id) && done.out.contains("is deleted"), "{}", done.out);
        let (done, _) = exchange(204, "", &[noun, "rm", id, "--json"]);
        assert_eq!((done.code, done.out.as_str()), (0, ""));
    }
}

#[test]
fn a_workflow_is_sent_byte_for_byte() {
    let document = "{ \"name\":\"a\",\n  \"n\": 1e400 }\n";
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.json"), document).unwrap();
    let server = Server::answering(&[(201, r#"{"data":{}}"#), (201, r#"{"data":{}}"#)]);
    let from_file = hookwright(dir.path(), &["workflows", "create", "a.json", "--url", &server.url]);
    let from_stdin =
        hookwright_reading(dir.path(), &["workflows", "update", "w1", "-", "--url", &server.url], document.as_bytes());
    assert_eq!((from_file.code, from_stdin.code), (0, 0), "{} {}", from_file.err, from_stdin.err);
    let asked = server.asked();
    assert_eq!((asked[0].body.as_str(), asked[1].body.as_str()), (document, document));
    assert_eq!((asked[0].line.as_str(), asked[1].line.as_str()), ("POST /v1/workflows", "PUT /v1/workflows/w1"));
}

#[test]
fn json_is_the_apis_document_with_every_key_and_digit() {
    let document = r#"{"data":{"id":"h1","later":[9007199254740993,1e400,0.10],"a":null},"meta":{"x":1}}"#;
    for words in
        [["hooks", "show", "h1"], ["runs", "show", "r1"], ["transactions", "show", "t1"], ["workflows", "export", "w1"]]
    {
        let (done, _) = exchange(200, document, &[words[0], words[1], words[2], "--json"]);
        let compact: String = done.out.chars().filter(|c| !c.is_whitespace()).collect();
        assert_eq!(compact, document, "{words:?}");
        assert!(done.out.lines().count() > 3, "it is not pretty: {}", done.out);
    }
}

#[test]
fn the_exit_code_follows_the_status() {
    for (status, code) in [(400, 1), (409, 1), (413, 1), (429, 1), (404, 3), (401, 4), (403, 4), (500, 5), (503, 5)] {
        let body = json!({"errors": [{"status": status.to_string(), "code": "a_code", "detail": "A sentence.", "source": {"path": "$.x"}}]});
        let (done, _) = exchange(status, &body.to_string(), &["runs", "show", "r1"]);
        assert_eq!(
            (done.code, done.out.as_str(), done.err.as_str()),
            (code, "", "error: A sentence. (a_code at $.x)\n"),
            "{status}"
        );
        let (done, _) = exchange(status, &body.to_string(), &["runs", "show", "r1", "--json"]);
        assert_eq!((done.code, done.out.as_str()), (code, ""));
        assert_eq!(serde_json::from_str::<Value>(&done.err).unwrap(), body);
    }
}

#[test]
fn what_is_no_hookwright_server_is_told_so_and_gets_no_second_request() {
    for (status, body) in [(200, "<html>"), (302, ""), (307, "{}")] {
        let (done, _) = exchange(status, body, &["hooks", "show", "h1"]);
        assert_eq!(done.code, 5, "{status}");
        assert!(done.err.contains("is no Hookwright server"), "{}", done.err);
    }
}

#[test]
fn local_modes_key_is_found_in_its_state_directory() {
    let dir = tempfile::tempdir().unwrap();
    for state_dir in [".hookwright", "elsewhere"] {
        fs::create_dir(dir.path().join(state_dir)).unwrap();
        fs::write(dir.path().join(state_dir).join("admin.key"), format!("hk_{state_dir}\n")).unwrap();
    }
    let server = Server::answering(&[(200, r#"{"data":[]}"#), (200, r#"{"data":[]}"#)]);
    hookwright(dir.path(), &["keys", "ls", "--url", &server.url]);
    hookwright(dir.path(), &["--state-dir", "elsewhere", "keys", "ls", "--url", &server.url]);
    let asked = server.asked();
    let sent: Vec<Option<&str>> = asked.iter().map(|asked| asked.header("authorization")).collect();
    assert_eq!(sent, [Some("Bearer hk_.hookwright"), Some("Bearer hk_elsewhere")]);
}

#[test]
fn without_a_key_the_servers_refusal_comes_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(&[(401, r#"{"errors":[{"code":"no_credentials","detail":"Send an API key."}]}"#)]);
    let done = hookwright(dir.path(), &["hooks", "ls", "--url", &server.url]);
    assert_eq!(server.asked()[0].header("authorization"), None);
    assert_eq!(done.code, 4);
    assert!(
        done.err.contains("(no_credentials)") && done.err.contains("--state-dir") && done.err.contains("--api-key"),
        "{}",
        done.err
    );
}

#[test]
fn a_list_ends_with_the_command_for_its_next_page() {
    let body = r#"{"data":[{"id":"h1","attributes":{"title":"Orders"}}],"links":{"next":"/v1/hooks/form?page=2&pageSize=1&after=a%23b"}}"#;
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(&[(200, body)]);
    let done = hookwright(dir.path(), &["hooks", "ls", "--url", &server.url, "--api-key", KEY, "--page-size", "1"]);
    let hint = format!("More: hookwright hooks ls --url {} --page-size 1 --after 'a#b'", server.url);
    assert_eq!(done.out.lines().last(), Some(hint.as_str()));
}

#[test]
fn titles_and_payloads_cannot_act_on_the_terminal() {
    let evil = "\\u001b]0;owned\\u0007\\u009b2J\\u202e\\r\\nfake";
    let hook = format!(r#"{{"id":"h1","attributes":{{"title":"{evil}","url":"{evil}","description":"{evil}"}}}}"#);
    let trace = format!(
        r#"{{"event":"{evil}","considered":[{{"workflow":{{"id":"w","name":"{evil}"}},"verdict":"disabled"}}],"notes":[{{"message":"{evil}"}}]}}"#
    );
    let rows = [
        (vec!["hooks", "show", "h1"], 200, format!(r#"{{"data":{hook}}}"#)),
        (vec!["hooks", "show", "h1", "--json"], 200, format!(r#"{{"data":{hook}}}"#)),
        (vec!["hooks", "ls"], 200, format!(r#"{{"data":[{hook}]}}"#)),
        (
            vec!["transactions", "show", "t1"],
            200,
            format!(r#"{{"data":{{"attributes":{{"data":{{"{evil}":"{evil}"}}}}}},"meta":{{"trace":{trace}}}}}"#),
        ),
        (vec!["hooks", "show", "h1"], 400, format!(r#"{{"errors":[{{"code":"{evil}","detail":"{evil}"}}]}}"#)),
    ];
    for (words, status, body) in rows {
        let (done, _) = exchange(status, &body, &words);
        let printed = format!("{}{}", done.out, done.err);
        assert!(printed.contains("owned"), "{words:?}: {printed}");
        assert!(!printed.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{words:?}: {printed:?}");
        assert!(!printed.lines().any(|line| line.trim_start().starts_with("fake")), "{words:?}: {printed}");
    }
}

#[test]
fn a_new_keys_token_is_printed() {
    let (done, _) = exchange(
        201,
        r#"{"data":{"id":"k1","attributes":{"name":"shop","roles":["org.hooks"],"token":"hk_new"}}}"#,
        &["keys", "create", "--name", "shop", "--role", "org.hooks"],
    );
    assert!(done.out.starts_with("token  hk_new\nKeep the token"), "{}", done.out);
    assert!(done.out.contains("roles      org.hooks"), "{}", done.out);
}

//! Email hooks: their flags, how they are shown, and the mails that wait or started nothing.

use serde_json::{Value, json};

use crate::{
    hookwright,
    mailbox::{HOOK, NONE, hash, hook, short},
    server::Server,
};

#[test]
fn mails_in_quarantine_are_listed_shown_released_and_discarded() {
    let mail = json!({"id": "m1", "type": "quarantined_mail", "attributes": {"createdAt": "2026-11-22T09:00:00.000Z",
        "code": "spam", "detail": "It looks like spam.", "from": [{"name": null, "address": "a@b.example"}],
        "subject": "Hi\u{1b}[31m", "releasedAt": null, "transactionId": "t1"}});
    let list = json!({"data": [mail], "links": {"next": "/v1/x?after=c%2F1"}}).to_string();
    let one = json!({"data": mail}).to_string();
    let path = format!("/v1/hooks/email/{HOOK}/quarantine");
    let rows: [(&[&str], u16, &str, String, &str); 4] = [
        (
            &["ls", HOOK, "--page-size", "1"],
            200,
            &list,
            format!("GET {path}?pageSize=1"),
            "a@b.example  Hi\\u{1b}[31m\n",
        ),
        (&["show", HOOK, "m1"], 200, &list, format!("GET {path}?pageSize=100"), "It looks like spam."),
        (&["release", HOOK, "m1"], 200, &one, format!("POST {path}/m1/release"), "`hookwright transactions show t1`"),
        (&["discard", HOOK, "m1"], 204, "", format!("DELETE {path}/m1"), "The mail m1 is gone"),
    ];
    let dir = tempfile::tempdir().unwrap();
    for (words, status, body, line, told) in rows {
        let server = Server::answering(&[(status, body)]);
        let words = [&["mail", "quarantine"], words, &["--url", &server.url, "--api-key", "hk_key"]].concat();
        let done = hookwright(dir.path(), &words);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{words:?}");
        assert!(done.out.contains(told), "{words:?}: {}", done.out);
        assert_eq!(server.asked()[0].line, line);
    }
    let server = Server::answering(&[(200, NONE)]);
    let done = hookwright(dir.path(), &["mail", "quarantine", "show", HOOK, "m2", "--url", &server.url]);
    assert_eq!(done.code, 3, "{}", done.err);
}

#[test]
fn the_hint_of_a_quarantine_names_the_hook_by_its_id() {
    let mut spaced = hook();
    spaced["attributes"]["title"] = json!("T1 new");
    let mail = json!({"id": "m1", "attributes": {"code": "spam"}});
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(&[
        (200, &json!({"data": [spaced]}).to_string()),
        (200, &json!({"data": [mail]}).to_string()),
    ]);
    let done = hookwright(dir.path(), &["mail", "quarantine", "ls", "t1 NEW", "--url", &server.url]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.ends_with(&format!("`hookwright mail quarantine release {HOOK} ID`.\n")), "{}", done.out);
}

#[test]
fn hooks_without_secrets_say_what_they_have() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, told) in
        [("email", "`hookwright hooks update h1 --kind email --generate-key`"), ("form", "anyone may post")]
    {
        for secret in [&[][..], &["--secret", "hush"]] {
            let words = [&["hooks", "rotate-secret", "h1", "--kind", kind][..], secret].concat();
            let done = hookwright(dir.path(), &words);
            assert!(done.code == 2 && done.err.contains(told), "{words:?}: {}", done.err);
        }
    }
}

#[test]
fn an_email_hook_is_made_and_changed_by_its_flags() {
    let rows: [(&[&str], &str, Value); 6] = [
        (&["create", "email", "Orders"], "POST /v1/hooks/email", json!({"title": "Orders"})),
        (
            &[
                "create",
                "email",
                "--title",
                "O",
                "--key",
                "0123456789abcdef",
                "--bodies",
                "text,html",
                "--sender",
                "shop.example",
                "--sender",
                "a@b.example",
                "--spam",
                "accept",
                "--dmarc",
                "drop",
                "--decode-entities",
                "--no-attachments",
                "--limit",
                "5/60",
            ],
            "POST /v1/hooks/email",
            json!({"title": "O", "limit": {"requests": 5, "seconds": 60}, "key": "0123456789abcdef", "mail": {"bodies": ["text", "html"],
                "senders": ["shop.example", "a@b.example"], "policy": {"spam": "accept", "dmarc": "drop"}, "decodeEntities": true, "attachments": false}}),
        ),
        (
            &["update", "h1", "--kind", "email", "--unauthenticated", "quarantine"],
            "PUT /v1/hooks/email/h1",
            json!({"mail": {"policy": {"unauthenticated": "quarantine"}}}),
        ),
        (
            &[
                "update",
                "h1",
                "--kind",
                "email",
                "--no-key",
                "--no-bodies",
                "--no-sender",
                "--no-decode-entities",
                "--attachments",
            ],
            "PUT /v1/hooks/email/h1",
            json!({"key": null, "mail": {"bodies": [], "senders": [], "decodeEntities": false, "attachments": true}}),
        ),
        (
            &["update", "h1", "--kind", "email", "--no-sender", "--spam", "drop"],
            "PUT /v1/hooks/email/h1",
            json!({"mail": {"senders": [], "policy": {"spam": "drop"}}}),
        ),
        (&["ls", "--kind", "email"], "GET /v1/hooks/email", Value::Null),
    ];
    let dir = tempfile::tempdir().unwrap();
    for (words, line, body) in rows {
        let server = Server::answering(&[(200, NONE)]);
        let done = hookwright(dir.path(), &[&["hooks"], words, &["--url", &server.url]].concat());
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{words:?}");
        let asked = server.asked();
        assert_eq!((asked[0].line.as_str(), serde_json::from_str(&asked[0].body).unwrap_or(Value::Null)), (line, body));
    }
    for words in [
        &["create", "email"][..],
        &["create", "email", "A", "--title", "B"],
        &["create", "email", "A", "--key", "k", "--generate-key"],
        &["create", "email", "A", "--bodies", "pdf"],
        &["create", "email", "A", "--spam", "eat"],
        &["update", "h1", "--kind", "email", "--no-key", "--generate-key"],
    ] {
        assert_eq!(hookwright(dir.path(), &[&["hooks"], words].concat()).code, 2, "{words:?}");
    }
}

#[test]
fn a_made_key_fits_a_tag_and_is_another_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(&[(200, r#"{"data":{}}"#), (200, r#"{"data":{}}"#)]);
    for _ in 0..2 {
        hookwright(dir.path(), &["hooks", "create", "email", "A", "--generate-key", "--url", &server.url]);
    }
    let keys =
        server.asked().into_iter().map(|asked| serde_json::from_str::<Value>(&asked.body).unwrap()["key"].clone());
    let keys: Vec<String> = keys.map(|key| key.as_str().unwrap().to_owned()).collect();
    assert_ne!(keys[0], keys[1]);
    for key in keys {
        assert!(key.len() == 32 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{key}");
    }
}

#[test]
fn an_email_hook_is_shown_with_its_addresses_and_what_a_tag_looks_like() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(&[(200, &json!({"data": hook()}).to_string())]);
    let done = hookwright(dir.path(), &["hooks", "show", HOOK, "--kind", "email", "--url", &server.url]);
    assert_eq!((done.code, server.asked()[0].line.clone()), (0, format!("GET /v1/hooks/email/{HOOK}")));
    for told in [
        format!("address  {}@hooks.example\n", hash()),
        format!("short    {}@hooks.example\n", short()),
        format!("{}+TAG@hooks.example", short()),
        "<script type=\"application/ld+json\" data-kustomer-key=\"0123456789abcdef\">".to_owned(),
        "BCC".to_owned(),
    ] {
        assert!(done.out.contains(&told), "{told}: {}", done.out);
    }
}

#[test]
fn the_doctor_of_an_email_hook_tells_of_mails() {
    let refusals = json!({"data": [{"id": "r1", "attributes": {"createdAt": "2026-11-22T09:00:00.000Z", "code": "sender_not_allowed",
        "detail": "told", "failure": "It is from nobody that may write.", "bodyBytes": 7,
        "reasons": [{"code": "forwarded", "sentence": "It was forwarded."}]}}]});
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(&[(200, &refusals.to_string()), (200, NONE)]);
    let done = hookwright(dir.path(), &["hooks", "doctor", "h1", "--kind", "email", "--url", &server.url]);
    let expected = "1 mail started nothing, the newest first:\n\n2026-11-22T09:00:00.000Z  sender_not_allowed\n  It is from nobody that may write.\n  bytes    7\n  likely   It was forwarded. (forwarded)\n  try      `hookwright mail quarantine release h1 r1`, or `hookwright hooks update h1 --kind email --sender DOMAIN`, with all senders that may write\n";
    assert_eq!((done.code, done.out.as_str()), (0, expected));
    let done = hookwright(dir.path(), &["hooks", "doctor", "h1", "--kind", "email", "--url", &server.url]);
    assert_eq!(done.out, "Every mail of the last 7 days started what it could.\n");
}

#[test]
fn the_doctor_names_the_quarantine_wherever_a_mail_may_wait() {
    let dir = tempfile::tempdir().unwrap();
    for code in ["spam", "dmarc", "unauthenticated", "sender_not_allowed", "over_limit"] {
        for transaction in [Value::Null, json!("t1")] {
            let is_dropped = transaction.is_string() && !matches!(code, "sender_not_allowed" | "over_limit");
            let refusal = json!({"id": "r1", "attributes": {"code": code, "transactionId": transaction}});
            let server = Server::answering(&[(200, &json!({"data": [refusal]}).to_string())]);
            let done = hookwright(dir.path(), &["hooks", "doctor", "h1", "--kind", "email", "--url", &server.url]);
            let told = if is_dropped { "mail quarantine ls h1`" } else { "mail quarantine release h1 r1`" };
            assert!(done.out.contains(told), "{code}: {}", done.out);
        }
    }
}

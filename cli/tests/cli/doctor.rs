//! `doctor`: the server, the key, and the records that the DNS needs.

use std::net::TcpListener;

use domain::{ApiKeyId, ApiKeySecret, OrgId, Timestamp};
use serde_json::{Value, json};

use crate::{Done, hookwright, server::Server};

const HEALTH: &str = r#"{"status":"ok"}"#;

fn doctor(answers: &[(u16, &str)], words: &[&str]) -> (Done, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(answers);
    let done = hookwright(dir.path(), &[&["doctor", "--url", &server.url], words].concat());
    (done, server.asked().into_iter().map(|asked| asked.line).collect())
}

fn token() -> (String, String) {
    let now = Timestamp::parse("2026-11-22T09:00:00.000Z").unwrap();
    let id = ApiKeyId::fresh(now, [7; 8]);
    (ApiKeySecret::from_random([1; 32]).token(OrgId::fresh(now, [2; 8]), id), id.to_string())
}

fn domain() -> String {
    json!({"data": {"id": "hooks.shop.example", "type": "mail_domain", "attributes": {"domain": "hooks.shop.example", "region": "eu-west-1",
        "records": [
            {"type": "MX", "name": "hooks.shop.example", "value": "10 inbound-smtp.eu-west-1.amazonaws.com", "why": "Mail goes to SES."},
            {"type": "TXT", "name": "_dmarc.hooks.shop.example", "value": "v=DMARC1; p=quarantine", "why": "Nobody else passes."},
        ],
        "steps": ["Make the rule set the active one."]}}})
    .to_string()
}

#[test]
fn the_records_are_a_table_and_the_steps_are_numbered() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let smtp = listener.local_addr().unwrap().to_string();
    let (token, id) = token();
    let key =
        json!({"data": {"id": id, "attributes": {"name": "first", "roles": ["org.admin", "org.hooks"]}}}).to_string();
    let (done, asked) =
        doctor(&[(200, HEALTH), (200, &key), (200, &domain())], &["--api-key", &token, "--smtp", &smtp]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_eq!(asked, ["GET /healthz".to_owned(), format!("GET /v1/api-keys/{id}"), "GET /v1/mail-domain".to_owned()]);
    for told in [
        format!("key     first ({id}), with org.admin, org.hooks\n"),
        format!("smtp    {smtp} takes mail\n"),
        "mail    hooks.shop.example\n".to_owned(),
        "TYPE  NAME                       VALUE                                    WHY\n".to_owned(),
        "MX    hooks.shop.example         10 inbound-smtp.eu-west-1.amazonaws.com  Mail goes to SES.\n".to_owned(),
        "  1. Make the rule set the active one.\n".to_owned(),
    ] {
        assert!(done.out.contains(&told), "{told}: {}", done.out);
    }
}

#[test]
fn what_the_key_may_not_read_and_what_is_not_set_up_is_said() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let refused = r#"{"errors":[{"code":"role_missing","detail":"No."}]}"#;
    let missing = r#"{"errors":[{"code":"mail_not_set_up","detail":"No domain."}]}"#;
    let answers = [(200, HEALTH), (403, refused), (404, missing)];
    let (token, _) = token();
    let (done, _) = doctor(&answers, &["--api-key", &token, "--smtp", &free]);
    assert_eq!(done.code, 0, "{}", done.err);
    for told in ["its roles are not for it to read", "does not answer", "no domain is set"] {
        assert!(done.out.contains(told), "{told}: {}", done.out);
    }
    let (done, _) = doctor(&answers, &["--api-key", &token, "--smtp", &free, "--json"]);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    let told = &told["data"]["attributes"];
    assert_eq!((&told["key"], &told["mailDomain"]), (&Value::Null, &Value::Null));
    assert_eq!(told["smtp"], json!({"address": free, "listens": false}));
}

#[test]
fn a_server_or_key_that_does_not_work_is_the_exit_code() {
    let refused = r#"{"errors":[{"code":"bad_key","detail":"No."}]}"#;
    for (answers, code) in [
        (&[(200, "<html>")][..], 5),
        (&[(503, r#"{"errors":[]}"#)], 5),
        (&[(200, HEALTH), (401, refused)], 4),
        (&[(200, HEALTH), (200, r#"{"data":[]}"#), (403, refused)], 4),
    ] {
        let (done, asked) = doctor(answers, &["--api-key", "hk_key"]);
        assert_eq!((done.code, done.out.as_str(), asked.len()), (code, "", answers.len()), "{}", done.err);
    }
}

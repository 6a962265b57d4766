//! `trigger`: who signs a sample, where it goes, and what is never printed.

use std::fs;

use serde_json::{Value, json};

use crate::{
    Done, command, hookwright,
    server::{Asked, Server},
};

const EVENT: &str = "github.push.receive";
const TAKEN: &str = r#"{"data":{"id":"t1","type":"transaction","links":{"self":"/v1/transactions/t1"}}}"#;

fn hook(scheme: &str, url: &str) -> String {
    json!({"data": {"id": "h1", "attributes": {"url": url, "auth": {"scheme": scheme, "header": "x-api-key", "secretCount": 1}}}}).to_string()
}

fn signed(url: &str, headers: &[(&str, &str)]) -> String {
    json!({"data": {"type": "signed_request", "attributes": {"method": "POST", "url": url, "headers": headers,
        "bodyBase64": "eyJhIjogMX0="}}})
    .to_string()
}

/// Runs `trigger` against an API of these answers.
fn trigger(answers: &[(u16, &str)], words: &[&str]) -> (Done, Vec<Asked>) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("secret.txt"), "hush\n").unwrap();
    let server = Server::answering(answers);
    let words = [&["trigger"], words, &["--url", &server.url, "--api-key", "hk_manager"]].concat();
    let done = hookwright(dir.path(), &words);
    (done, server.asked())
}

fn lines(asked: &[Asked]) -> Vec<&str> {
    asked.iter().map(|asked| asked.line.as_str()).collect()
}

#[test]
fn the_server_signs_and_the_sample_is_sent_byte_for_byte() {
    let door = Server::answering(&[(202, TAKEN)]);
    let url = format!("{}/v1/hooks/web/abc", door.url);
    let request = signed(&url, &[("x-signature", "sha256=ab"), ("content-type", "application/json")]);
    let words = [EVENT, "--hook", "h1", "--set", "ref=refs/heads/x", "--set", "size=1e400", "--set", "a.b=[1]"];
    let (done, asked) = trigger(&[(200, &hook("github", &url)), (200, &request)], &words);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_eq!(lines(&asked), ["GET /v1/hooks/web/h1", "POST /v1/hooks/web/h1/samples"]);
    let set = r#"{"ref":"refs/heads/x","size":1e400,"a.b":[1]}"#;
    assert_eq!(asked[1].body, format!(r#"{{"event":"{EVENT}","set":{set}}}"#));
    let received = door.asked();
    assert_eq!((received[0].line.as_str(), received[0].body.as_str()), ("POST /v1/hooks/web/abc", "{\"a\": 1}"));
    assert_eq!(received[0].header("x-signature"), Some("sha256=ab"));
    assert_eq!(received[0].header("authorization"), None);
    assert!(done.out.starts_with("answered  202\n"), "{}", done.out);
    assert!(done.out.contains("t1: `hookwright transactions show t1`"), "{}", done.out);
}

#[test]
fn each_of_several_is_signed_anew_and_the_first_refusal_is_the_exit_code() {
    let refusal = r#"{"errors":[{"code":"bad_signature"}]}"#;
    let door = Server::answering(&[(202, TAKEN), (401, refusal), (202, TAKEN)]);
    let request = signed(&door.url, &[]);
    let answers = [(200, hook("github", &door.url)), (200, request.clone()), (200, request.clone()), (200, request)];
    let answers: Vec<(u16, &str)> = answers.iter().map(|(status, body)| (*status, body.as_str())).collect();
    let (done, asked) = trigger(&answers, &[EVENT, "--hook", "h1", "--count", "3", "--json"]);
    assert_eq!((done.code, asked.len(), door.asked().len()), (4, 4, 3), "{}", done.err);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    let statuses: Vec<_> =
        told["data"].as_array().unwrap().iter().map(|told| told["attributes"]["status"].clone()).collect();
    assert_eq!(statuses, [json!(202), json!(401), json!(202)]);
    assert_eq!(told["data"][0]["attributes"]["transactionIds"], json!(["t1"]));
}

#[test]
fn a_refused_sample_comes_with_the_way_to_the_doctor() {
    let door = Server::answering(&[(401, "\u{1b}[31mno")]);
    let (done, _) =
        trigger(&[(200, &hook("github", &door.url)), (200, &signed(&door.url, &[]))], &[EVENT, "--hook", "h1"]);
    assert_eq!(done.code, 4);
    let expected = "answered  401\nbody      \\u{1b}[31mno\nWhy: `hookwright hooks doctor h1 --kind web`\n";
    assert_eq!((done.out.as_str(), done.err.as_str()), (expected, ""));
}

#[test]
fn a_reply_that_names_no_transaction_comes_with_the_way_to_it() {
    let door = Server::answering(&[(200, "<Response></Response>")]);
    let (done, _) =
        trigger(&[(200, &hook("github", &door.url)), (200, &signed(&door.url, &[]))], &[EVENT, "--hook", "h1"]);
    assert_eq!(done.code, 0);
    for command in ["`hookwright hooks debug h1 on --kind web`", "`hookwright hooks transactions h1 --kind web`"] {
        assert!(done.out.contains(command), "{}", done.out);
    }
}

#[test]
fn a_hook_that_takes_keys_gets_one_that_is_deleted_whatever_is_answered() {
    for (status, code) in [(202, 0), (500, 5)] {
        let door = Server::answering(&[(status, TAKEN)]);
        let made = r#"{"data":{"id":"k9","attributes":{"token":"hk_short"}}}"#;
        let (done, asked) =
            trigger(&[(200, &hook("bearer", &door.url)), (201, made), (204, "")], &[EVENT, "--hook", "h1"]);
        assert_eq!(done.code, code, "{}", done.err);
        assert_eq!(lines(&asked), ["GET /v1/hooks/web/h1", "POST /v1/api-keys", "DELETE /v1/api-keys/k9"]);
        let draft: Value = serde_json::from_str(&asked[1].body).unwrap();
        assert_eq!(draft["roles"], json!(["org.hooks"]));
        assert!(draft["expiresAt"].as_str().unwrap().ends_with('Z'));
        assert_eq!(door.asked()[0].header("authorization"), Some("Bearer hk_short"));
        assert!(!done.out.contains("hk_short"), "{}", done.out);
    }
}

#[test]
fn a_key_is_deleted_also_when_nobody_answers() {
    let gone = Server::answering(&[]);
    let url = gone.url.clone();
    gone.asked();
    let made = r#"{"data":{"id":"k9","attributes":{"token":"hk_short"}}}"#;
    let (done, asked) = trigger(&[(200, &hook("bearer", &url)), (201, made), (204, "")], &[EVENT, "--hook", "h1"]);
    assert_eq!((done.code, asked[2].line.as_str()), (5, "DELETE /v1/api-keys/k9"));
    assert!(done.err.contains("Nothing answers at"), "{}", done.err);
}

#[test]
fn a_key_that_cannot_be_made_is_asked_for() {
    let refused = r#"{"errors":[{"code":"role_missing","detail":"No."}]}"#;
    let (done, _) = trigger(&[(200, &hook("bearer", "http://127.0.0.1:1/")), (403, refused)], &[EVENT, "--hook", "h1"]);
    assert_eq!(done.code, 4);
    assert!(done.err.contains("--key") && done.err.contains("HOOKWRIGHT_HOOK_KEY"), "{}", done.err);
}

#[test]
fn a_given_key_or_secret_is_used_here_and_the_server_signs_nothing() {
    let door = Server::answering(&[(202, TAKEN)]);
    let (done, asked) = trigger(&[(200, &hook("bearer", &door.url))], &[EVENT, "--hook", "h1", "--key", "hk_own"]);
    assert_eq!((done.code, asked.len()), (0, 1), "{}", done.err);
    assert_eq!(door.asked()[0].header("authorization"), Some("Bearer hk_own"));

    let door = Server::answering(&[(202, TAKEN)]);
    let words = [EVENT, "--hook", "h1", "--secret-file", "secret.txt"];
    let (done, asked) = trigger(&[(200, &hook("github", &door.url))], &words);
    assert_eq!((done.code, asked.len()), (0, 1), "{}", done.err);
    let received = door.asked();
    assert!(received[0].header("x-hub-signature-256").unwrap().starts_with("sha256="));
    assert_eq!(received[0].header("x-github-event"), Some("push"));
}

#[test]
fn a_key_can_come_from_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let door = Server::answering(&[(202, TAKEN), (202, TAKEN)]);
    let api = Server::answering(&[(200, &hook("bearer", &door.url))]);
    for words in [
        &["trigger", EVENT, "--hook", "h1", "--url", &api.url][..],
        &["trigger", EVENT, "--to", &door.url, "--scheme", "bearer"],
    ] {
        let done = command(dir.path(), words).env("HOOKWRIGHT_HOOK_KEY", "hk_env").output().unwrap();
        assert!(done.status.success(), "{words:?}: {done:?}");
    }
    assert_eq!(api.asked().len(), 1);
    for asked in door.asked() {
        assert_eq!(asked.header("authorization"), Some("Bearer hk_env"));
    }
}

#[test]
fn a_scheme_with_a_private_key_says_where_to_get_one() {
    let refused = r#"{"errors":[{"code":"needs_private_key","detail":"Only its sender has the key."}]}"#;
    let (done, _) = trigger(
        &[(200, &hook("gmail", "http://127.0.0.1:1/")), (400, refused)],
        &["gmail.mailbox.change", "--hook", "h1"],
    );
    assert_eq!(done.code, 1);
    assert!(done.err.contains("--private-key") && done.err.contains("--public-key"), "{}", done.err);
    let words = ["gmail.mailbox.change", "--hook", "h1", "--private-key", "secret.txt"];
    let (done, _) = trigger(&[(200, &hook("gmail", "http://127.0.0.1:1/"))], &words);
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("secret.txt") && !done.err.contains("hush"), "{}", done.err);
}

#[test]
fn a_dry_run_is_a_curl_command_without_credentials_and_makes_no_key() {
    let (done, asked) =
        trigger(&[(200, &hook("bearer", "https://u.example/h"))], &[EVENT, "--hook", "h1", "--dry-run"]);
    assert_eq!((done.code, asked.len()), (0, 1), "{}", done.err);
    assert!(done.out.contains("'https://u.example/h'"), "{}", done.out);
    assert!(done.out.contains("-H 'authorization: Bearer '\"$HOOKWRIGHT_HOOK_KEY\""), "{}", done.out);
    let request = signed("https://u.example/h", &[("authorization", "Basic cGxhbnRlZA=="), ("x-api-key", "planted")]);
    let words = [EVENT, "--to", "https://u.example/h", "--key", "hk_planted", "--dry-run"];
    let (done, _) = trigger(&[], &words);
    assert!(done.code == 0 && !done.out.contains("planted"), "{}", done.out);
    for flags in [&["--dry-run"][..], &["--dry-run", "--json"]] {
        let words = [&[EVENT, "--hook", "h1"], flags].concat();
        let (done, _) = trigger(&[(200, &hook("basic", "https://u.example/h")), (200, &request)], &words);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(!done.out.contains("planted") && !done.out.contains("cGxhbnRlZA"), "{}", done.out);
        assert!(done.out.contains("$CREDENTIALS"), "{}", done.out);
    }
}

#[test]
fn without_a_server_it_is_signed_here() {
    let dir = tempfile::tempdir().unwrap();
    let program = Server::answering(&[(200, "ok"), (200, "ok"), (200, "ok")]);
    for words in [
        &["--secret", "hush"][..],
        &["--scheme", "header", "--header", "x-key", "--secret", "hush"],
        &["--scheme", "none"],
    ] {
        let words = [&["trigger", EVENT, "--to", &program.url], words].concat();
        let done = hookwright(dir.path(), &words);
        assert_eq!((done.code, done.out.as_str()), (0, "answered  200\nbody      ok\n"), "{words:?}: {}", done.err);
    }
    let received = program.asked();
    assert!(received[0].header("x-hub-signature-256").is_some());
    assert_eq!(received[1].header("x-key"), Some("hush"));
    assert!(received[2].header("x-hub-signature-256").is_none());
    let deliveries: Vec<_> = received.iter().map(|asked| asked.header("x-github-delivery").unwrap()).collect();
    assert!(deliveries[0] != deliveries[1], "{deliveries:?}");
}

#[test]
fn the_events_are_listed_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let all = hookwright(dir.path(), &["trigger", "--list"]);
    assert!(
        all.code == 0 && all.out.contains("github.push.receive") && all.out.contains("cal.booking.create"),
        "{}",
        all.err
    );
    let some = hookwright(dir.path(), &["trigger", "--list", "github", "--json"]);
    let told: Value = serde_json::from_str(&some.out).unwrap();
    let push = told.as_array().unwrap().iter().find(|told| told["event"] == EVENT).unwrap();
    assert!(push["app"] == "github" && push["variants"].as_array().unwrap().contains(&json!("tag")), "{push}");
    let filled = told.as_array().unwrap().iter().find(|told| told["event"] == "github.issues.opened");
    assert!(filled.is_some(), "{}", some.out);
    let people = hookwright(dir.path(), &["trigger", "--list", "github"]);
    assert!(people.out.contains("github.issues.opened") && people.out.contains("form, tag"), "{}", people.out);
    let done = hookwright(dir.path(), &["trigger", "--list", "nobody"]);
    assert!(done.code == 2 && done.err.contains("github"), "{}", done.err);
}

#[test]
fn what_cannot_be_sent_is_usage() {
    for words in [
        &[][..],
        &[EVENT],
        &[EVENT, "--hook", "h1", "--to", "http://127.0.0.1:1"],
        &[EVENT, "--hook", "h1", "--set", "novalue"],
        &[EVENT, "--hook", "h1", "--count", "0"],
        &[EVENT, "--hook", "h1", "--count", "1001"],
        &[EVENT, "--hook", "h1", "--scheme", "github"],
        &[EVENT, "--to", "http://127.0.0.1:1"],
        &[EVENT, "--to", "127.0.0.1:1", "--secret", "s"],
        &[EVENT, "--to", "http://127.0.0.1:1", "--scheme", "nonsense", "--secret", "s"],
        &[EVENT, "--to", "http://127.0.0.1:1", "--secret", "s", "--set", "ref.x=1"],
        &[EVENT, "--to", "http://127.0.0.1:1", "--secret-file", "no-such-file"],
        &["github.nothing", "--to", "http://127.0.0.1:1", "--secret", "s"],
        &["nobody.at.all", "--to", "http://127.0.0.1:1", "--secret", "s"],
        &["--list", "github", "--hook", "h1"],
    ] {
        let (done, asked) = trigger(&[], words);
        assert_eq!((done.code, done.out.as_str(), asked.len()), (2, "", 0), "{words:?}: {}", done.err);
        assert!(!done.err.is_empty(), "{words:?}");
    }
    let (done, _) = trigger(&[(404, r#"{"errors":[]}"#)], &[EVENT, "--hook", "h1"]);
    assert_eq!(done.code, 3);
}

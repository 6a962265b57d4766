//! `mail`: what is read in one, what is made, where it goes and what is told of it then.

use std::{fs, path::Path};

use domain::{HookId, TransactionId};
use ingest::mail::MAIL_LIMIT_BYTES;
use serde_json::{Value, json};

use crate::{
    Done, hookwright, hookwright_reading,
    mailbox::{HOOK, MAIL, Mailbox, NONE, hash, hook, short},
    server::{Asked, Server},
};

const KINDS: [&str; 12] = [
    "order-confirmation",
    "shipping",
    "invoice",
    "reservation-flight",
    "reservation-hotel",
    "event-ticket",
    "plain",
    "woocommerce",
    "keyed",
    "microdata",
    "json-part",
    "with-attachment",
];
const LETTER: &str = "From: Ann <ann@shop.example>\nSubject: Hi\n\nOne\n.two\n";

fn golden(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)).unwrap()
}

fn lint(words: &[&str], mail: &[u8]) -> Done {
    let dir = tempfile::tempdir().unwrap();
    hookwright_reading(dir.path(), &[&["mail", "lint", "-"], words].concat(), mail)
}

/// Runs the words against an API with these answers and a mail server; what was done, what the API was asked, and the talk.
fn sent(
    answers: &[(u16, String)],
    recipient_answer: &'static str,
    words: &[&str],
) -> (Done, Vec<Asked>, crate::mailbox::Told) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("letter.eml"), LETTER).unwrap();
    let answers: Vec<(u16, &str)> = answers.iter().map(|(status, body)| (*status, body.as_str())).collect();
    let (server, mailbox) = (Server::answering(&answers), Mailbox::answering(recipient_answer));
    let words = [words, &["--smtp", &mailbox.address, "--url", &server.url, "--api-key", "hk_key"]].concat();
    let done = hookwright(dir.path(), &words);
    (done, server.asked(), mailbox.told())
}

fn transaction_id() -> String {
    TransactionId::for_mail(HookId::parse(HOOK).unwrap(), MAIL).to_string()
}

fn transaction() -> String {
    json!({"data": {"id": transaction_id(), "attributes": {"data": {"n": 1}, "email": {"subject": "Hi"}}},
        "meta": {"trace": {"event": "kustomer.x", "considered": [], "reason": "No workflow listens to this event.", "notFired": null}}})
    .to_string()
}

#[test]
fn a_mail_is_told_part_by_part_and_block_by_block() {
    let mail = golden("order.eml");
    for (words, expected, code) in [
        (&[][..], "order.txt", 0),
        (&["--json"], "order.json", 0),
        (&["--key", "0123456789abcdef"], "order-keyed.txt", 0),
        (&["--key", "another-key-of-16"], "order-wrong-key.txt", 6),
    ] {
        let done = lint(words, mail.as_bytes());
        assert_eq!((done.code, done.err.as_str()), (code, ""), "{words:?}");
        assert_eq!(done.out, golden(expected), "{words:?}");
    }
}

#[test]
fn no_mail_acts_on_the_terminal_or_brings_the_command_down() {
    let evil = b"From: \x1b]0;owned\x07 <a@b.example>\r\nSubject: =?utf-8?q?=1B[31mred=E2=80=AE?=\r\nContent-Type: text/html\r\n\r\n<script type=\"application/json\" id=\"\x1b[2J\">{\"\x1b[0m\":}</script>";
    for mail in [&evil[..], b"", b"\0\0\0", b"\r\n\r\n", b"From \r\n\r\nFrom \r\nFrom:"] {
        for words in [&[][..], &["--json"]] {
            let done = lint(words, mail);
            assert_eq!((done.code, done.err.as_str()), (6, ""), "{mail:?}");
            assert!(!done.out.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{:?}", done.out);
        }
    }
}

#[test]
fn what_is_no_mail_is_said_in_one_line() {
    let line = "This has no headers of a mail (RFC 5322). Save it as .eml: the raw mail, not what a program shows.\n";
    let files: [&[u8]; 7] = [
        b"",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0",
        b"<!DOCTYPE html>\n<html><script type=\"application/ld+json\">{\"n\": 1}</script></html>",
        b"{\"from\": \"a@b.example\"}",
        b"{\n  \"subject\": \"x\"\n}",
        b"From the beginning, no header at all",
        b"\x8a\x03\xffq:\n\x02",
    ];
    for file in files {
        let done = lint(&[], file);
        assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (6, line, ""), "{file:?}");
        let told: Value = serde_json::from_str(&lint(&["--json"], file).out).unwrap();
        let notes = told["notes"].as_array().unwrap();
        assert!(notes.iter().any(|note| note["code"] == "no_headers"), "{notes:?}");
    }
    // What states a type alone is odd, but no other kind of file.
    let bare = lint(&[], b"Content-Type: text/html\n\n<script type=\"application/ld+json\">{\"n\": 1}</script>");
    assert_eq!(bare.code, 0, "{}", bare.out);
}

#[test]
fn of_a_mailbox_the_first_mail_is_read() {
    let script = |n: u8| format!("<script type=\"application/ld+json\">{{\"n\": {n}}}</script>");
    let mail = |n: u8| {
        let line = "From somebody@shop.example Sun Nov 22 09:00:00 2026";
        format!("{line}\nSubject: x\nContent-Type: text/html\n\n\nFrom here on, read:\n{}\n\n", script(n))
    };
    let mailbox = mail(1) + &mail(2);
    for mailbox in [mailbox.clone(), mailbox.replace('\n', "\r\n")] {
        let done = lint(&[], mailbox.as_bytes());
        assert!(done.out.contains("This is a mailbox (mbox); only its first mail is read."), "{}", done.out);
        let told: Value = serde_json::from_str(&lint(&["--json"], mailbox.as_bytes()).out).unwrap();
        assert_eq!((done.code, &told["data"]), (0, &json!({"n": 1})));
    }
}

#[test]
fn a_mail_that_is_larger_than_any_hook_takes_is_not_read() {
    let done = lint(&[], &vec![b'a'; MAIL_LIMIT_BYTES + 1]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains(&format!("{MAIL_LIMIT_BYTES} bytes")), "{}", done.err);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(hookwright(dir.path(), &["mail", "lint", "no-such-file.eml"]).code, 2);
}

#[test]
fn every_sample_gives_exactly_its_data() {
    let dir = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let made = hookwright(dir.path(), &["mail", "sample", kind]);
        assert_eq!((made.code, made.err.as_str()), (0, ""), "{kind}");
        let read = lint(&["--json", "--decode-entities"], made.out.as_bytes());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/mail").join(format!("{kind}.json"));
        let source: Value = serde_json::from_str(&fs::read_to_string(source).unwrap()).unwrap();
        let expected = if source["layout"] == "none" { &Value::Null } else { &source["data"] };
        let told: Value = serde_json::from_str(&read.out).unwrap();
        assert_eq!((&told["data"], read.code), (expected, if expected.is_null() { 6 } else { 0 }), "{kind}");
        assert_eq!(told["notes"], json!([]), "{kind}");
    }
    let listed = hookwright(dir.path(), &["mail", "sample", "--list", "--json"]);
    let listed: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(listed.iter().filter_map(|kind| kind["kind"].as_str()).collect::<Vec<_>>(), KINDS);
}

#[test]
fn a_sample_can_be_changed_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let words = [
        "mail",
        "sample",
        "invoice",
        "--out",
        "i.eml",
        "--to",
        "bo@customer.example",
        "--set",
        "totalPaymentDue.price=1e400",
    ];
    let done = hookwright(dir.path(), &words);
    assert_eq!((done.code, done.out.as_str()), (0, "i.eml: A bill (Invoice)\n"), "{}", done.err);
    let read = hookwright(dir.path(), &["mail", "lint", "i.eml"]);
    assert!(read.out.contains("\"price\": 1e400") && read.out.contains("bo@customer.example"), "{}", read.out);
    let unnamed = hookwright(dir.path(), &["mail", "sample"]);
    assert!(unnamed.code == 2 && unnamed.err.contains("`hookwright mail sample --list`"), "{}", unnamed.err);
    for words in [
        &["mail", "sample", "nothing"][..],
        &["mail", "sample", "invoice", "--to", "nobody"],
        &["mail", "sample", "invoice", "--set", "accountId.x=1"],
        &["mail", "sample", "invoice", "--key", "a\"b"],
        &["mail", "sample", "--list", "invoice"],
        &["mail", "sample", "invoice", "--out", "no/such/dir/i.eml"],
    ] {
        let done = hookwright(dir.path(), words);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{words:?}");
    }
}

#[test]
fn a_mail_goes_out_as_a_blind_copy_and_its_transaction_is_told() {
    let answers = [
        (200, json!({"data": [hook()]}).to_string()),
        (200, NONE.to_owned()),
        (404, r#"{"errors":[]}"#.to_owned()),
        (200, NONE.to_owned()),
        (200, transaction()),
    ];
    let (done, asked, told) = sent(&answers, "250 Ok", &["mail", "send", "letter.eml", "--to", "orders"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    let lines: Vec<&str> = asked.iter().map(|asked| asked.line.as_str()).collect();
    let (refusals, found) =
        (format!("GET /v1/hooks/email/{HOOK}/refusals"), format!("GET /v1/transactions/{}", transaction_id()));
    assert_eq!(lines, ["GET /v1/hooks/email?pageSize=100", &refusals, &found, &refusals, &found]);
    assert_eq!(
        told.envelope,
        ["MAIL FROM:<ann@shop.example>".to_owned(), format!("RCPT TO:<{}@hooks.example>", hash())]
    );
    assert_eq!(told.mail, LETTER.replace('\n', "\r\n"));
    assert!(done.out.contains(&format!("queued as {MAIL}")) && done.out.contains("subject      Hi"), "{}", done.out);
}

#[test]
fn a_hook_is_named_by_id_by_title_and_by_either_address() {
    let tagged = format!("{}+vip@hooks.example", short().to_uppercase());
    for (name, line, recipient) in [
        (HOOK, format!("GET /v1/hooks/email/{HOOK}"), format!("{}@hooks.example", hash())),
        ("ORDERS", "GET /v1/hooks/email?pageSize=100".to_owned(), format!("{}@hooks.example", hash())),
        (tagged.as_str(), "GET /v1/hooks/email?pageSize=100".to_owned(), tagged.clone()),
    ] {
        let data = if name == HOOK { hook() } else { json!([hook()]) };
        let answers = [(200, json!({ "data": data }).to_string())];
        let words = ["mail", "send", "letter.eml", "--to", name, "--wait", "0", "--from", "<>", "--json"];
        let (done, asked, told) = sent(&answers, "250 Ok", &words);
        assert_eq!((done.code, asked.len(), asked[0].line.as_str()), (0, 1, line.as_str()), "{name}: {}", done.err);
        assert_eq!(told.envelope, ["MAIL FROM:<>".to_owned(), format!("RCPT TO:<{recipient}>")]);
        let told: Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(told["data"][0]["attributes"]["state"], json!("unseen"));
    }
}

#[test]
fn a_run_that_is_not_there_yet_is_waited_for() {
    let started = |state: Value| {
        json!({"data": {"id": transaction_id(), "attributes": {"data": {"n": 1}}}, "meta": {"trace": {"event": "e", "considered": [
            {"workflow": {"id": "w1", "name": "orders"}, "event": "e", "verdict": "started", "run": {"id": "r1", "state": state}}]}}})
        .to_string()
    };
    let hook = json!({"data": hook()}).to_string();
    let answers = [hook, NONE.to_owned(), started(Value::Null), NONE.to_owned(), started(json!("running"))];
    let answers = answers.map(|body| (200, body));
    let (done, asked, _) = sent(&answers, "250 Ok", &["mail", "send", "letter.eml", "--to", HOOK]);
    assert_eq!((done.code, asked.len()), (0, answers.len()), "{}", done.out);
    assert!(done.out.contains("started the run r1 (running)"), "{}", done.out);
}

#[test]
fn a_mail_that_starts_nothing_comes_with_its_reason() {
    let id = transaction_id();
    let refusal = |id: &str, code: &str, transaction: Value| {
        json!({"id": id, "type": "refusal", "attributes": {"createdAt": "2026-11-22T09:00:00.000Z", "code": code,
            "detail": "This is why.", "transactionId": transaction}})
    };
    let release = format!("`hookwright mail quarantine release {HOOK} {id}`");
    for (code, transaction, advice) in [
        ("no_data", json!(id), "`hookwright mail lint FILE.eml`"),
        ("spam", Value::Null, release.as_str()),
        ("over_limit", Value::Null, &release),
        ("repeated", json!("t0"), "`hookwright transactions show t0`"),
    ] {
        // Other mails at the same hook are not taken for this one.
        let others = [refusal("r2", "no_data", Value::Null), refusal("r1", "repeated", json!(id))];
        let refusals = json!({"data": [others[0], others[1], refusal(&id, code, transaction)]}).to_string();
        let answers = [(200, json!({"data": hook()}).to_string()), (200, refusals)];
        let (done, asked, _) = sent(&answers, "250 Ok", &["mail", "send", "letter.eml", "--to", HOOK]);
        assert_eq!((done.code, done.err.as_str(), asked.len()), (1, "", 2), "{code}: {}", done.out);
        assert!(done.out.contains(&format!("{code}\n  This is why.\n  try      {advice}")), "{}", done.out);
    }
}

#[test]
fn a_reason_that_is_only_in_the_trace_is_told_too() {
    let kept = json!({"data": {"id": transaction_id(), "attributes": {"createdAt": "2026-11-22T09:00:00.000Z"}},
        "meta": {"trace": {"notFired": {"code": "spam", "sentence": "It looks like spam."}}}});
    let answers = [json!({"data": hook()}).to_string(), NONE.to_owned(), kept.to_string(), NONE.to_owned()];
    let answers = answers.map(|body| (200, body));
    let (done, _, _) = sent(&answers, "250 Ok", &["mail", "send", "letter.eml", "--to", HOOK, "--json"]);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    let told = &told["data"][0]["attributes"];
    assert_eq!(
        (done.code, &told["state"], &told["refusal"]["attributes"]["code"]),
        (1, &json!("not_fired"), &json!("spam"))
    );
}

#[test]
fn what_a_mail_server_refuses_is_told_in_its_words() {
    for (answer, code, told) in
        [("550 5.1.1 No email hook has this address", 1, "(smtp_550)"), ("451 4.3.0 Later", 5, "did not take it")]
    {
        let answers = [(200, json!({"data": hook()}).to_string())];
        let (done, _, talk) = sent(&answers, answer, &["mail", "send", "letter.eml", "--to", HOOK]);
        assert_eq!((done.code, talk.mail.as_str()), (code, ""), "{}", done.err);
        assert!(done.err.contains(told) && done.err.contains(&answer[4..]), "{}", done.err);
    }
}

#[test]
fn what_cannot_be_sent_is_said_before_anything_is() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("letter.eml"), LETTER).unwrap();
    fs::write(dir.path().join("nobody.eml"), "Subject: x\n\nx").unwrap();
    let found = json!({"data": hook()}).to_string();
    let twice = json!({"data": [hook(), hook()]}).to_string();
    // Where local mode listens is asked first.
    let domain = json!({"data": {"attributes": {"smtp": "127.0.0.1:1"}}}).to_string();
    let domain = (200, domain.as_str());
    for (answers, words, code) in [
        (&[][..], &["letter.eml"][..], 2),
        (&[], &["no-such.eml", "--to", HOOK], 2),
        (&[], &["letter.eml", "--to", HOOK, "--smtp", "a b"], 2),
        (&[domain, (200, found.as_str())], &["nobody.eml", "--to", HOOK], 2),
        (&[domain, (200, found.as_str())], &["letter.eml", "--to", HOOK, "--from", "no address"], 2),
        (&[domain, (200, found.as_str())], &["letter.eml", "--to", HOOK], 5),
        (&[domain, (200, NONE)], &["letter.eml", "--to", "Orders"], 3),
        (&[domain, (200, twice.as_str())], &["letter.eml", "--to", "Orders"], 2),
        (&[domain, (404, r#"{"errors":[]}"#)], &["letter.eml", "--to", HOOK], 3),
    ] {
        let server = Server::answering(answers);
        let done = hookwright(dir.path(), &[&["mail", "send"], words, &["--url", &server.url]].concat());
        assert_eq!((done.code, done.out.as_str()), (code, ""), "{words:?}: {}", done.err);
        assert_eq!(server.asked().len(), answers.len(), "{words:?}");
    }
    let elsewhere = ["mail", "send", "letter.eml", "--to", HOOK, "--url", "https://hooks.example.com"];
    let done = hookwright(dir.path(), &elsewhere);
    assert!(done.code == 2 && done.err.contains("--smtp"), "{}", done.err);
}

#[test]
fn a_sample_for_a_hook_with_a_key_shows_that_key() {
    let answers = [(200, json!({"data": hook()}).to_string())];
    let words = ["mail", "sample", "order-confirmation", "--send", HOOK, "--wait", "0"];
    let (done, _, told) = sent(&answers, "250 Ok", &words);
    assert_eq!(done.code, 0, "{}", done.err);
    let read = lint(&["--key", "0123456789abcdef"], told.mail.as_bytes());
    assert_eq!(read.code, 0, "{}", read.out);
    assert_eq!(told.envelope[0], "MAIL FROM:<orders@brightleaf.example>");
}

//! Params of a mail that cannot be sent: each a sentence, none a header.

use serde_json::{Value, json};

use super::{Office, greeting, text_of};

/// The greeting with some of its params changed; `null` takes one away.
fn changed(changes: Value) -> Value {
    let mut params = greeting();
    params.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    params
}

/// What comes of a step with such params, given as the transaction's data so that nothing of them is a template.
async fn run(params: &Value) -> (Office, Value) {
    let names = params.as_object().unwrap().keys();
    let references = names.map(|name| (name.clone(), json!(format!("/#steps.1.attributes.data.{name}"))));
    let office = Office::with_params(Value::Object(references.collect())).await;
    let run = office.run_of(params.clone(), None).await;
    (office, run)
}

#[tokio::test]
async fn wrong_params_fail_the_step_with_a_sentence_and_send_nothing() {
    let many = |count: usize| -> Value { (0..count).map(|index| json!(format!("a{index}@example.com"))).collect() };
    for (changes, code) in [
        (json!({ "to": null }), "missing_param"),
        (json!({ "to": [] }), "missing_param"),
        (json!({ "to": [null] }), "missing_param"),
        (json!({ "to": "ann" }), "wrong_email"),
        (json!({ "to": "" }), "wrong_email"),
        (json!({ "to": "ann@example.com\r\nBcc: bob@example.com" }), "wrong_email"),
        (json!({ "cc": "Ann\r\nBcc: bob@example.com <ann@example.com>" }), "wrong_email"),
        (json!({ "cc": [{ "name": "Ann\nBcc: bob@example.com", "address": "ann@example.com" }] }), "wrong_email"),
        // A sender's text names one recipient, whatever is in it.
        (json!({ "to": "ann@example.com, bob@example.com" }), "wrong_email"),
        (json!({ "cc": "Ann <ann@example.com>, Bob <bob@example.com>" }), "wrong_email"),
        (json!({ "bcc": "ann@example.com, Bob <bob@example.com>" }), "wrong_email"),
        (json!({ "bcc": ["ann@example.com,bob@example.com"] }), "wrong_email"),
        (json!({ "replyTo": "ann@example.com, bob@example.com" }), "wrong_email"),
        (json!({ "bcc": 7 }), "wrong_param"),
        (json!({ "to": many(50), "cc": "ann@example.com" }), "too_many_recipients"),
        (json!({ "to": many(25), "bcc": many(26) }), "too_many_recipients"),
        (json!({ "replyTo": many(51) }), "too_many_recipients"),
        (json!({ "replyTo": "ann@example.com\u{0}" }), "wrong_email"),
        (json!({ "from": "ann@example.com, bob@example.com" }), "wrong_email"),
        (json!({ "from": ["ann@example.com", "bob@example.com"] }), "wrong_param"),
        (json!({ "from": "Ann" }), "wrong_email"),
        (json!({ "subject": null }), "missing_param"),
        (json!({ "subject": " " }), "missing_param"),
        (json!({ "subject": ["a"] }), "wrong_param"),
        (json!({ "subject": "Hello\r\nBcc: bob@example.com" }), "wrong_param"),
        (json!({ "subject": "Hello\u{7f}" }), "wrong_param"),
        (json!({ "subject": "é".repeat(999) }), "wrong_param"),
        (json!({ "text": null }), "missing_param"),
        (json!({ "text": "", "html": " " }), "missing_param"),
        (json!({ "text": { "a": 1 } }), "wrong_param"),
        (json!({ "inReplyTo": "a b" }), "wrong_param"),
        (json!({ "inReplyTo": "<a@b>\r\nBcc: bob@example.com" }), "wrong_param"),
        (json!({ "inReplyTo": "<a@b> <c@d>" }), "wrong_param"),
        (json!({ "inReplyTo": "<>" }), "wrong_param"),
        (json!({ "inReplyTo": format!("<{}@b>", "a".repeat(900)) }), "wrong_param"),
        (json!({ "attachments": "sha256/ab" }), "wrong_param"),
        (json!({ "attachments": [null] }), "missing_param"),
        (json!({ "onUnknownOutcome": "guess" }), "wrong_param"),
        (json!({ "template": "order" }), "wrong_param"),
        (json!({ "subject": null, "text": null, "template": "a b" }), "wrong_param"),
        (json!({ "subject": null, "text": null, "template": "a\r\nb" }), "wrong_param"),
        (json!({ "subject": null, "text": null, "template": "a".repeat(65) }), "wrong_param"),
        (json!({ "subject": null, "text": null, "template": "order", "templateData": [] }), "wrong_param"),
        (
            json!({ "subject": null, "text": null, "template": "a", "templateData": { "a": "b".repeat(262_144) } }),
            "mail_too_large",
        ),
    ] {
        let params = changed(changes);
        let (office, run) = run(&params).await;
        let shown: String = params.to_string().chars().take(200).collect();
        assert_eq!(run["error"]["code"], code, "{shown} {}", run["error"]);
        let message = run["error"]["message"].as_str().unwrap();
        assert!(message.ends_with('.') && !message.contains(char::is_control), "{shown} {message}");
        assert!(office.post.sent().is_empty(), "{shown}");
    }
}

#[tokio::test]
async fn what_is_at_a_limit_or_only_looks_odd_is_sent() {
    let many: Value = (0..50).map(|index| json!(format!("a{index}@example.com"))).collect();
    for changes in [
        json!({ "to": many }),
        json!({ "to": null, "bcc": "ann@example.com" }),
        json!({ "subject": "é".repeat(998) }),
        json!({ "subject": "=?utf-8?Q?a?= <b>: {{c}}" }),
        json!({ "subject": 7 }),
        json!({ "text": "a".repeat(900_000) }),
        json!({ "text": "a\u{0}b\rc\r\nd\n.\nFrom e" }),
        json!({ "inReplyTo": "no-brackets" }),
        json!({ "onUnknownOutcome": "fail" }),
    ] {
        let params = changed(changes);
        let (office, run) = run(&params).await;
        let shown: String = params.to_string().chars().take(200).collect();
        assert_eq!(run["state"], "succeeded", "{shown} {}", run["error"]);
        let text = text_of(&office.post.sent()[0]);
        assert!(text.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n', '\0'])), "{shown}");
    }
}

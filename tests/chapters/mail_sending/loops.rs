//! Mails that would go round in circles.

use serde_json::{Value, json};

use super::Office;

/// What is known of a mail from Ann, changed by `changes`.
fn mail(changes: Value) -> Value {
    let mut email = json!({
        "from": [{ "name": "Ann", "address": "Ann@Example.com" }],
        "replyTo": [{ "name": null, "address": "ann@home.example" }],
        "envelopeFrom": "bounce+7@mailer.example",
        "autoSubmitted": null,
        "precedence": null,
    });
    email.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    email
}

async fn outcome(to: Value, email: Value) -> String {
    let office =
        Office::with_params(json!({ "to": "bob@example.com", "bcc": to, "subject": "Re", "text": "Thank you." })).await;
    let run = office.run_of(json!({}), Some(email)).await;
    let is_sent = !office.post.sent().is_empty();
    assert_eq!(is_sent, run["state"] == "succeeded", "{run}");
    if is_sent { "sent".to_owned() } else { run["error"]["code"].as_str().unwrap().to_owned() }
}

#[tokio::test]
async fn a_mail_that_no_program_should_answer_is_not_answered() {
    let senders = ["ann@example.com", "ANN@home.example", "bounce+7@mailer.example"];
    for (changes, expected) in [
        (json!({}), "sent"),
        (json!({ "autoSubmitted": "no" }), "sent"),
        (json!({ "autoSubmitted": "No; x=1" }), "sent"),
        (json!({ "precedence": "normal" }), "sent"),
        (json!({ "precedence": "first-class" }), "sent"),
        (json!({ "autoSubmitted": "auto-generated" }), "mail_loop"),
        (json!({ "autoSubmitted": "Auto-Replied; owner-email=\"ann@example.com\"" }), "mail_loop"),
        (json!({ "precedence": "bulk" }), "mail_loop"),
        (json!({ "precedence": "List" }), "mail_loop"),
        (json!({ "precedence": "junk" }), "mail_loop"),
    ] {
        for sender in senders {
            assert_eq!(outcome(json!(sender), mail(changes.clone())).await, expected, "{sender} {changes}");
        }
        assert_eq!(outcome(json!("team@shop.example"), mail(changes)).await, "sent");
    }
}

#[tokio::test]
async fn a_bounce_is_not_answered_and_an_unknown_envelope_is_no_bounce() {
    for (sender, expected) in [(json!(""), "mail_loop"), (json!("<>"), "mail_loop"), (Value::Null, "sent")] {
        let email = mail(json!({ "envelopeFrom": sender }));
        assert_eq!(outcome(json!("ann@example.com"), email).await, expected, "{sender}");
    }
}

#[tokio::test]
async fn neither_mails_nor_answers_to_them_go_to_the_domain_of_the_hooks() {
    for (to, expected) in [
        ("anything@hooks.example", "mail_loop"),
        ("Ann <a@HOOKS.example>", "mail_loop"),
        ("a@sub.hooks.example", "sent"),
        ("a@hooks.example.com", "sent"),
    ] {
        assert_eq!(outcome(json!(to), mail(json!({}))).await, expected, "{to}");
        let answered = json!({ "to": "bob@example.com", "replyTo": to, "subject": "Re", "text": "Thank you." });
        let office = Office::with_params(answered).await;
        let run = office.run(json!({})).await;
        let code = run["error"]["code"].as_str().unwrap_or("sent");
        assert_eq!((code, office.post.sent().is_empty()), (expected, expected != "sent"), "{to}");
    }
}

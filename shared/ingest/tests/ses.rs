//! Events of AWS: the whole corpus as it is expected to be read, and that no event is too strange.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what checks a delivery panics as the tests that call it do"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use domain::Timestamp;
use ingest::ses::{Delivery, Notice, Place, read, recipient_in_received};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What the corpus has configured.
const BUCKET: &str = "acme-hook-mail";
const PREFIX: &str = "inbound/";

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/email")
}

fn event(name: &str) -> Vec<u8> {
    fs::read(corpus().join(format!("events/{name}.json"))).unwrap()
}

/// The only delivery that the event of this name tells.
fn delivery(name: &str) -> Delivery {
    only_delivery(&event(name))
}

fn only_delivery(event: &[u8]) -> Delivery {
    match read(event).as_slice() {
        [Notice::Delivery(delivery)] => delivery.clone(),
        other => panic!("{other:?}"),
    }
}

/// The events of the corpus as their files have them.
static EVENTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let file = |expected: Value| fs::read(corpus().join(expected["file"].as_str().unwrap())).unwrap();
    expected_events().into_iter().map(file).collect()
});

fn expected_events() -> Vec<Value> {
    let expected: Value = serde_json::from_slice(&fs::read(corpus().join("expected.json")).unwrap()).unwrap();
    expected["events"].as_array().unwrap().clone()
}

#[test]
fn every_event_of_the_corpus_tells_what_is_expected() {
    // `no hook` is for whoever knows the hooks; here it is a mail as any other.
    let reasons = BTreeMap::from([
        ("setup notification", "setup_notification"),
        ("s3:TestEvent", "test_event"),
        ("not JSON", "not_json"),
    ]);
    let events = expected_events();
    assert_eq!(events.len(), 23);
    for expected in events {
        let file = expected["file"].as_str().unwrap();
        let notices = read(&fs::read(corpus().join(file)).unwrap());
        let wanted = expected["expect"].as_array().unwrap();
        assert_eq!(notices.len(), wanted.len(), "{file}");
        for (notice, wanted) in notices.iter().zip(wanted) {
            let reason = wanted["reason"].as_str().and_then(|reason| reasons.get(reason));
            match (notice, reason) {
                (Notice::Ignored { reason }, Some(wanted)) => assert_eq!(reason, wanted, "{file}"),
                (Notice::Delivery(delivery), None) => check_delivery(file, delivery, wanted),
                _ => panic!("{file}: {notice:?}"),
            }
        }
    }
}

fn check_delivery(file: &str, delivery: &Delivery, wanted: &Value) {
    if let Some(id) = wanted["messageId"].as_str() {
        assert_eq!(delivery.id, id, "{file}");
    }
    match &delivery.place {
        Place::Object { bucket, key } => {
            let key = key.clone().unwrap_or_else(|| format!("{PREFIX}{}", delivery.id));
            assert_eq!(bucket.as_deref().unwrap_or(BUCKET), wanted["bucket"], "{file}");
            assert_eq!(key, wanted["key"].as_str().unwrap(), "{file}");
        }
        Place::Inline(mail) => {
            let stored = fs::read(corpus().join(wanted["inline"].as_str().unwrap())).unwrap();
            assert!(mail == &stored, "{file}: the content is not the mail");
        }
    }
    let Some(hooks) = wanted["hooks"].as_array().filter(|hooks| !hooks.is_empty()) else { return };
    let Some(recipients) = &delivery.recipients else { return };
    for hook in hooks {
        let names_it = |recipient: &String| recipient.to_lowercase().starts_with(hook.as_str().unwrap());
        assert!(recipients.iter().any(names_it), "{file}: {recipients:?}");
    }
}

#[test]
fn who_gets_a_mail_is_told_by_the_envelope_and_not_by_the_headers() {
    assert_eq!(delivery("ses-lambda-bcc").recipients.unwrap(), ["a5c3694a5d1ab8ffee5b2b0e@hooks.example.net"]);
    assert_eq!(delivery("ses-lambda-no-to").recipients.unwrap(), ["a5c3694a5d1ab8ffee5b2b0e@hooks.example.net"]);
    assert_eq!(
        delivery("ses-lambda-plus-tag").recipients.unwrap(),
        ["a5c3694a5d1ab8ffee5b2b0e+orders-eu@hooks.example.net"]
    );
    assert!(delivery("ses-lambda-upper-case").recipients.unwrap()[0].contains("581392B55AC7A2110099D9C8"));
    assert!(delivery("ses-lambda-multi-recipient").recipients.unwrap().len() >= 4, "none is left out, none merged");
    assert_eq!(delivery("s3-object-created").recipients, None);
}

#[test]
fn verdicts_are_the_words_of_ses_and_missing_ones_are_missing() {
    let virus = delivery("ses-lambda-virus").verdicts;
    assert_eq!(virus.virus.as_deref(), Some("FAIL"));
    let rejected = delivery("ses-lambda-dmarc-reject").verdicts;
    assert_eq!((rejected.dmarc.as_deref(), rejected.dmarc_policy.as_deref()), (Some("FAIL"), Some("REJECT")));
    assert_eq!(delivery("ses-lambda-scan-disabled").verdicts.spam.as_deref(), Some("DISABLED"));
    assert_eq!(delivery("ses-lambda-old-no-dmarc").verdicts.dmarc, None);
    assert_eq!(delivery("ses-lambda-processing-failed-truncated").verdicts.dkim.as_deref(), Some("PROCESSING_FAILED"));
    let plain = delivery("ses-lambda-bcc").verdicts;
    assert_eq!((plain.spf.as_deref(), plain.dmarc_policy), (Some("PASS"), None));
}

#[test]
fn what_cannot_be_a_verdict_is_none() {
    let with = |status: Value| {
        let event = json!({ "Records": [{ "ses": { "mail": { "messageId": "1" }, "receipt": { "spamVerdict": { "status": status } } } }] });
        only_delivery(event.to_string().as_bytes()).verdicts.spam
    };
    assert_eq!(with(json!("gray")).as_deref(), Some("GRAY"));
    for strange in [json!(""), json!("PASS\nFAIL"), json!("P".repeat(33)), json!(1), json!(null), json!(["PASS"])] {
        assert_eq!(with(strange.clone()), None, "{strange}");
    }
}

#[test]
fn a_redelivered_mail_has_the_id_and_the_time_of_the_first_one() {
    let (first, again) = (delivery("ses-lambda-bcc"), delivery("ses-lambda-redelivered"));
    assert_eq!((&first.id, first.received_at), (&again.id, again.received_at));
    assert_eq!(first.received_at, Timestamp::parse("2026-06-02T07:14:23.799Z"));
    assert_eq!(first.envelope_from.as_deref(), Some("bounce+77@esp.example"));
}

#[test]
fn a_bounce_has_an_empty_sender_which_is_another_thing_than_none() {
    for (source, sender) in [
        (json!(""), Some("")),
        (json!("<>"), Some("")),
        (json!("<a@b.example>"), Some("a@b.example")),
        (json!(null), None),
    ] {
        let event =
            json!({ "Records": [{ "ses": { "mail": { "messageId": "1", "source": source }, "receipt": {} } }] });
        assert_eq!(only_delivery(event.to_string().as_bytes()).envelope_from.as_deref(), sender);
    }
}

#[test]
fn an_event_of_s3_is_read_from_the_message_of_a_topic_too() {
    let message = String::from_utf8(event("s3-object-created")).unwrap();
    let through_sns = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": message } }] });
    assert_eq!(only_delivery(through_sns.to_string().as_bytes()), delivery("s3-object-created"));
}

#[test]
fn what_lambda_keeps_of_a_failed_invocation_is_read_as_the_event_itself() {
    let payload: Value = serde_json::from_slice(&event("sns-s3-action")).unwrap();
    let kept =
        json!({ "version": "1.0", "requestContext": { "condition": "RetriesExhausted" }, "requestPayload": payload });
    assert_eq!(only_delivery(kept.to_string().as_bytes()), delivery("sns-s3-action"));
}

#[test]
fn what_sns_keeps_of_a_notification_it_could_not_hand_over_is_read_too() {
    let told: Value = serde_json::from_slice(&event("sns-s3-action")).unwrap();
    let kept = json!({ "Type": "Notification", "MessageId": "1", "Message": told["Records"][0]["Sns"]["Message"] });
    assert_eq!(only_delivery(kept.to_string().as_bytes()), delivery("sns-s3-action"));
}

#[test]
fn one_strange_record_does_not_hide_the_next() {
    let good: Value = serde_json::from_slice(&event("ses-lambda-bcc")).unwrap();
    let event = json!({ "Records": [null, { "ses": 1 }, { "Sns": { "Message": "hello" } }, good["Records"][0]] });
    let notices = read(event.to_string().as_bytes());
    let words: Vec<&str> = notices
        .iter()
        .map(|notice| match notice {
            Notice::Ignored { reason } => *reason,
            Notice::Delivery(delivery) => &delivery.id,
        })
        .collect();
    assert_eq!(words, ["other_event", "other_event", "not_json", "04bff383871d458c6e3579e9142c8e3878b580b0"]);
}

#[test]
fn what_is_no_mail_is_ignored_with_a_reason() {
    let received = |action: Value, content: &str| json!({ "notificationType": "Received", "mail": { "messageId": "1" }, "receipt": { "action": action }, "content": content });
    let removed =
        json!({ "Records": [{ "eventName": "ObjectRemoved:Delete", "s3": { "object": { "key": "inbound/1" } } }] });
    let folder =
        json!({ "Records": [{ "eventName": "ObjectCreated:Put", "s3": { "object": { "key": "inbound/" } } }] });
    for (event, reason) in [
        (
            json!({ "notificationType": "Bounce", "mail": { "messageId": "1" }, "bounce": {}, "receipt": {} }),
            "other_event",
        ),
        (json!({ "notificationType": "Received", "mail": { "messageId": "1" } }), "other_event"),
        (json!({ "notificationType": "Received", "receipt": {} }), "other_event"),
        (
            json!({ "notificationType": "Received", "mail": { "messageId": "AMAZON_SES_SETUP_NOTIFICATION" }, "receipt": {} }),
            "setup_notification",
        ),
        (received(json!({ "encoding": "BASE64" }), "@@@"), "broken_content"),
        (json!({ "Event": "s3:TestEvent" }), "test_event"),
        (json!({ "Records": [] }), "other_event"),
        (json!([1, 2]), "other_event"),
        (json!("text"), "other_event"),
        (removed, "other_event"),
        (folder, "other_event"),
    ] {
        assert_eq!(read(event.to_string().as_bytes()), [Notice::Ignored { reason }], "{event}");
    }
    assert_eq!(read(b"\xff{"), [Notice::Ignored { reason: "not_json" }]);
    assert_eq!(read("[".repeat(100_000).as_bytes()), [Notice::Ignored { reason: "not_json" }]);
}

#[test]
fn a_key_in_parts_is_put_together() {
    let event = json!({ "notificationType": "Received", "mail": { "messageId": "1" }, "receipt": { "action": { "type": "S3", "bucketName": "b", "objectKeyPrefix": "in/" } } });
    let place = only_delivery(event.to_string().as_bytes()).place;
    assert_eq!(place, Place::Object { bucket: Some("b".to_owned()), key: Some("in/1".to_owned()) });
}

#[test]
fn the_recipient_is_read_from_the_header_of_ses_and_of_no_one_else() {
    let stored = fs::read_to_string(corpus().join("mail/synth-ses-stored.eml")).unwrap();
    let (_, rest) = stored.split_once("Received:").unwrap();
    let (header, _) = rest.split_once("X-SES").unwrap();
    let id = "c2ob0e935e97d35d0500596o14850bb807b5be63";
    assert_eq!(recipient_in_received(header, id).as_deref(), Some("a5c3694a5d1ab8ffee5b2b0e@hooks.example.net"));

    let line = |from: &str, host: &str, recipient: &str| {
        format!("from {from} by {host} with SMTP id 1 for {recipient}; Tue, 02 Jun 2026 07:14:20 +0000")
    };
    let ses = "inbound-smtp.eu-west-1.amazonaws.com";
    assert_eq!(recipient_in_received(&line("a", ses, "<b@h.example>"), "1").as_deref(), Some("b@h.example"));
    // Who says hello chooses its words, and cannot know what SES will call the mail.
    let forged = line(&format!("a by {ses} with SMTP id 0 for victim@h.example"), ses, "b@h.example");
    assert_eq!(recipient_in_received(&forged, "1").as_deref(), Some("b@h.example"));
    for (header, id) in [
        (line("a", ses, "b@h.example"), "2"),
        (line("a", "inbound-smtp.example", "b@h.example"), "1"),
        (line("a", "inbound-smtp.amazonaws.com.example", "b@h.example"), "1"),
        (line("a", "o1.esp.example", "b@h.example"), "1"),
        (line("a", ses, "undisclosed"), "1"),
        (String::new(), ""),
        (format!("from a by {ses} with SMTP id 1"), "1"),
    ] {
        assert_eq!(recipient_in_received(&header, id), None, "{header}");
    }
}

/// Something in the place of one value of an event.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[["Records"]]])),
        Just(json!({ "status": { "status": 1 }, "key": "%ZZ+%", "Message": "{", "name": [] })),
    ]
}

/// Puts `other` in place of the value that `path` leads to; each number chooses among the children of a value.
fn replace(value: &mut Value, path: &[usize], other: Value) {
    let children: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.iter_mut().map(|(_, member)| member).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let count = children.len();
    match (path.split_first(), count) {
        (Some((choice, rest)), 1..) => replace(children.into_iter().nth(choice % count).unwrap(), rest, other),
        _ => *value = other,
    }
}

proptest! {
    #[test]
    fn a_spoilt_event_tells_something_and_every_mail_in_it_has_an_id(
        index in 0..23_usize,
        spoils in vec((vec(any::<usize>(), 0..9), any_value()), 1..6),
    ) {
        let mut event: Value = serde_json::from_slice(&EVENTS[index]).unwrap();
        for (path, other) in spoils {
            replace(&mut event, &path, other);
        }
        let notices = read(event.to_string().as_bytes());
        prop_assert!(!notices.is_empty());
        for notice in notices {
            if let Notice::Delivery(delivery) = notice {
                prop_assert!(!delivery.id.is_empty());
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_are_read(bytes in vec(any::<u8>(), 0..400)) {
        prop_assert!(!read(&bytes).is_empty());
    }

    #[test]
    fn a_cut_event_is_ignored(index in 0..23_usize, cut in any::<usize>()) {
        let bytes = &EVENTS[index];
        let notices = read(&bytes[..cut % bytes.len()]);
        prop_assert_eq!(notices, vec![Notice::Ignored { reason: "not_json" }]);
    }

    #[test]
    fn a_header_of_any_kind_is_read(header in any::<String>(), id in any::<String>()) {
        if let Some(recipient) = recipient_in_received(&header, &id) {
            prop_assert!(recipient.contains('@'));
        }
    }
}

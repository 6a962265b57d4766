//! What providers ask before they send.

use verify::{handshake, same};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:orders";

/// Recomputed with `printf %s CODE | openssl dgst -sha256 -mac HMAC -macopt hexkey:68757368`, and with Python's hmac; both agree.
#[test]
fn a_challenge_is_answered_with_its_hmac() {
    assert_eq!(
        handshake::hmac_challenge("hush", "890e4665-4dfe-4ab1-b689-ed553bceeed0"),
        "daf686370fdab58c958665bbb8d126b46a1a3a9f0091afa7e3c8db2a86823ac7"
    );
}

#[test]
fn texts_are_the_same_only_when_they_are() {
    assert!(same(b"meatyhamhock", b"meatyhamhock"));
    assert!(same(b"", b""));
    for other in ["", "meatyhamhoc", "meatyhamhock ", "Meatyhamhock", "meatyhamhockmeatyhamhock"] {
        assert!(!handshake::token_matches(b"meatyhamhock", other.as_bytes()), "{other:?}");
    }
}

fn subscription(kind: &str, url: &str) -> String {
    serde_json::json!({
        "Type": kind, "MessageId": "1", "Token": "2336", "TopicArn": TOPIC, "Message": "", "SubscribeURL": url,
        "Timestamp": "2026-01-02T03:04:05.678Z", "SignatureVersion": "2", "Signature": "", "SigningCertURL": "",
    })
    .to_string()
}

#[test]
fn a_subscription_is_confirmed_at_amazon_only() {
    let good = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=2336";
    let confirm = |kind, url| handshake::subscribe_url(subscription(kind, url).as_bytes(), &[TOPIC.to_owned()]);
    assert_eq!(confirm("SubscriptionConfirmation", good), Ok(Some(good.to_owned())));
    assert_eq!(confirm("Notification", good), Ok(None));
    assert_eq!(confirm("UnsubscribeConfirmation", good), Ok(None));
    for bad in [
        "http://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com.evil.example/?Action=ConfirmSubscription",
        "https://evil.example/?Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com@evil.example/?Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com:1/?Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
        "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com/x?Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com/",
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription#\r\nx",
        "",
    ] {
        assert_eq!(confirm("SubscriptionConfirmation", bad).unwrap_err().check(), "url", "{bad}");
    }
    let other_topic = handshake::subscribe_url(subscription("SubscriptionConfirmation", good).as_bytes(), &[]);
    assert_eq!(other_topic.unwrap_err().check(), "topic");
    assert_eq!(handshake::subscribe_url(b"{", &[]).unwrap_err().check(), "body");
}

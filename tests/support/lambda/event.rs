//! Events as AWS writes them: an HTTP API's (payload format 2.0), a queue's, and those of mails.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::ORG;
use super::endpoints::{DEAD_LETTER_QUEUE_ARN, MAIL_BUCKET};

/// The host that senders reach the HTTP API under.
pub const HOST: &str = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com";

/// A request as the HTTP API passes it on: a body that is not UTF-8 goes in base64, and of `target`, which is path and
/// query as they are sent, the path loses its escapes and the query keeps them.
///
/// *Source*: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs".
pub fn http_event(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = percent_decode_str(path).decode_utf8_lossy();
    let mut all = Map::from_iter([
        ("accept".to_owned(), json!("*/*")),
        ("content-length".to_owned(), json!(body.len().to_string())),
        ("host".to_owned(), json!(HOST)),
        ("x-forwarded-for".to_owned(), json!("192.0.2.1")),
        ("x-forwarded-port".to_owned(), json!("443")),
        ("x-forwarded-proto".to_owned(), json!("https")),
    ]);
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": all,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "a1b2c3d4e5",
            "domainName": HOST,
            "domainPrefix": "a1b2c3d4e5",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "story" },
            "requestId": "LV7fzho-PHcEJPw=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_348_800_000_u64,
        },
        "isBase64Encoded": false,
    });
    match str::from_utf8(body) {
        Ok("") => {}
        Ok(text) => event["body"] = json!(text),
        Err(_) => in_base64(&mut event, body),
    }
    event
}

/// Puts `body` into `event` in base64, as the HTTP API does for every type that it does not take for text.
pub fn in_base64(event: &mut Value, body: &[u8]) {
    event["body"] = json!(STANDARD.encode(body));
    event["isBase64Encoded"] = json!(true);
}

/// The bytes of the body that a function answered the HTTP API with.
pub(super) fn answered_body(answer: &Value) -> Vec<u8> {
    let body = answer["body"].as_str().unwrap_or_default();
    if answer["isBase64Encoded"] == true { STANDARD.decode(body).unwrap() } else { body.as_bytes().to_vec() }
}

/// The queue that the executor has messages from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The queue of transactions, which delivers them for the time with this number.
    Transactions(u32),
    /// The queue of what was given up.
    Dead,
}

/// A batch of messages, named `message-0` and so on, delivered for the first time.
pub fn queue_event<'m>(messages: impl IntoIterator<Item = &'m str>) -> Value {
    queue_event_from(Source::Transactions(1), messages)
}

/// The same from either queue.
pub fn queue_event_from<'m>(source: Source, messages: impl IntoIterator<Item = &'m str>) -> Value {
    let (arn, count) = match source {
        Source::Transactions(count) => ("arn:aws:sqs:eu-west-1:000000000000:story-transactions", count),
        Source::Dead => (DEAD_LETTER_QUEUE_ARN, 1),
    };
    let record = |(index, body): (usize, &str)| {
        json!({
            "messageId": format!("message-{index}"),
            "receiptHandle": format!("receipt-{index}"),
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": count.to_string(),
                "MessageGroupId": ORG,
                "SentTimestamp": "1795348800000",
                "SenderId": "AROAEXAMPLE:form-hook",
                "ApproximateFirstReceiveTimestamp": "1795348800001",
            },
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": "eu-west-1",
        })
    };
    json!({ "Records": messages.into_iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// What the topic tells of a mail that SES has stored, received at `at`, with all verdicts good.
pub fn mail_event(id: &str, recipients: &[&str], at: &str) -> Value {
    let action = json!({
        "type": "S3",
        "topicArn": "arn:aws:sns:eu-west-1:000000000000:story-mail",
        "bucketName": MAIL_BUCKET,
        "objectKeyPrefix": "inbound/",
        "objectKey": format!("inbound/{id}"),
    });
    let mut message = told_by_ses(id, recipients, at, &action);
    message["notificationType"] = json!("Received");
    json!({ "Records": [{
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": "arn:aws:sns:eu-west-1:000000000000:story-mail:1b2c",
        "Sns": { "Type": "Notification", "Subject": "Amazon SES Email Receipt Notification", "Message": message.to_string() },
    }] })
}

/// The same as SES tells a function that is an action of the rule, which says nothing of buckets.
/// What EventBridge Scheduler and rules send.
///
/// *Source*: EventBridge User Guide, "Scheduled events".
pub fn tick_event() -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-22T12:00:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/ticker"],
        "detail": {},
    })
}

pub fn action_event(id: &str, recipients: &[&str], at: &str) -> Value {
    let action = json!({ "type": "Lambda", "invocationType": "Event" });
    let ses = told_by_ses(id, recipients, at, &action);
    json!({ "Records": [{ "eventSource": "aws:ses", "eventVersion": "1.0", "ses": ses }] })
}

fn told_by_ses(id: &str, recipients: &[&str], at: &str, action: &Value) -> Value {
    let pass = json!({ "status": "PASS" });
    json!({
        "mail": {
            "timestamp": at,
            "source": "bounce@esp.example",
            "messageId": id,
            "destination": ["customer@mail.example"],
            "headersTruncated": false,
            "commonHeaders": { "returnPath": "bounce@esp.example" },
        },
        "receipt": {
            "timestamp": at,
            "processingTimeMillis": 512,
            "recipients": recipients,
            "spamVerdict": pass,
            "virusVerdict": pass,
            "spfVerdict": pass,
            "dkimVerdict": pass,
            "dmarcVerdict": pass,
            "action": action,
        },
    })
}

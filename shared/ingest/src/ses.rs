//! What AWS tells of a mail that SES has received, in each of the shapes it comes in.
//!
//! Nothing here fails: every field may be missing or of another kind, and what is no mail is [`Notice::Ignored`]. Who gets
//! a mail is told by the envelope only; what the headers call `To` is the customer.

mod envelope;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;

pub use envelope::recipient_in_received;

/// What SES leaves in a bucket when it is first told to store mails there.
const SETUP_OBJECT: &str = "AMAZON_SES_SETUP_NOTIFICATION";

/// The longest word a verdict may be; those of SES have at most 17 characters (`PROCESSING_FAILED`).
const VERDICT_LIMIT_BYTES: usize = 32;

/// One thing that an event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "an event tells one thing or two, nearly always a delivery")]
pub enum Notice {
    /// A mail has come.
    Delivery(Delivery),
    /// Nothing to do.
    Ignored {
        /// A stable word: `not_json`, `setup_notification`, `test_event`, `broken_content`, `other_event`.
        reason: &'static str,
    },
}

/// A mail that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What SES calls the mail, the same however often it tells of it; never empty.
    pub id: String,
    /// Who sent it, by the envelope: empty for a bounce, `None` where the event does not say.
    pub envelope_from: Option<String>,
    /// Who gets it, by the envelope, as written; `None` where the event does not say ([`recipient_in_received`] may).
    pub recipients: Option<Vec<String>>,
    /// What SES found out about it.
    pub verdicts: Verdicts,
    /// When SES took it, the same however often it tells of it.
    pub received_at: Option<Timestamp>,
    /// Where it is.
    pub place: Place,
}

/// What SES found out about a mail; `None` where it does not say.
///
/// *Shape*: a word such as `PASS`, `FAIL`, `GRAY`, `PROCESSING_FAILED` or `DISABLED`, in upper case, of at most 32 letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Whether it looks like spam.
    pub spam: Option<String>,
    /// Whether it carries a virus.
    pub virus: Option<String>,
    /// Whether the envelope's sender may send from there.
    pub spf: Option<String>,
    /// Whether a domain has signed it.
    pub dkim: Option<String>,
    /// Whether the domain in `From` stands behind it.
    pub dmarc: Option<String>,
    /// What that domain wants done with mails it does not stand behind: `NONE`, `QUARANTINE`, `REJECT`.
    pub dmarc_policy: Option<String>,
}

/// Where a mail is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An object; what the event does not say is as it was configured: the one bucket, and the prefix with the id.
    Object {
        /// The bucket's name.
        bucket: Option<String>,
        /// The key as it is, not as a URL has it.
        key: Option<String>,
    },
    /// In the event itself.
    Inline(Bytes),
}

/// All that `event` tells, in its order; at least one.
///
/// *Shape*: an event of SES's Lambda action; of S3; of SNS with either of them, or with a notification of SES's S3 or SNS
/// action, in its message; and what Lambda and SNS put on a queue of dead letters for any of these.
pub fn read(event: &[u8]) -> Vec<Notice> {
    let Ok(event) = serde_json::from_slice::<Value>(event) else { return vec![ignored("not_json")] };
    let event = event.get("requestPayload").unwrap_or(&event);
    let notices: Vec<Notice> = match records(event) {
        Some(records) => records.iter().flat_map(of_record).collect(),
        None => match text(event, "/Message") {
            Some(message) => of_notification(message),
            None => vec![of_message(event)],
        },
    };
    if notices.is_empty() { vec![ignored("other_event")] } else { notices }
}

fn of_record(record: &Value) -> Vec<Notice> {
    match text(record, "/Sns/Message") {
        Some(message) => of_notification(message),
        None => vec![of_stored(record)],
    }
}

/// The message of a notification of SNS.
fn of_notification(message: &str) -> Vec<Notice> {
    let Ok(message) = serde_json::from_str::<Value>(message) else { return vec![ignored("not_json")] };
    match records(&message) {
        Some(records) => records.iter().map(of_stored).collect(),
        None => vec![of_message(&message)],
    }
}

/// A record of SES or S3 themselves.
fn of_stored(record: &Value) -> Notice {
    if let Some(ses) = record.get("ses") {
        return of_mail(ses, Place::Object { bucket: None, key: None });
    }
    if record.get("s3").is_some() { of_object(record) } else { ignored("other_event") }
}

/// A message that is no list of records.
fn of_message(message: &Value) -> Notice {
    if text(message, "/Event") == Some("s3:TestEvent") {
        return ignored("test_event");
    }
    // Bounces and complaints have the same shape, about mails that went out.
    if text(message, "/notificationType").is_some_and(|kind| kind != "Received") || message.get("receipt").is_none() {
        return ignored("other_event");
    }
    match text(message, "/content") {
        Some(content) => match inline(content, text(message, "/receipt/action/encoding")) {
            Some(mail) => of_mail(message, Place::Inline(mail)),
            None => ignored("broken_content"),
        },
        None => of_mail(message, place_told(message)),
    }
}

fn inline(content: &str, encoding: Option<&str>) -> Option<Bytes> {
    if !encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64")) {
        return Some(Bytes::copy_from_slice(content.as_bytes()));
    }
    let content: Vec<u8> = content.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(content).ok().map(Bytes::from)
}

/// Where the S3 action says it has put the mail. With a prefix, some events have only its parts.
fn place_told(message: &Value) -> Place {
    let action = |name: &str| text(message, &format!("/receipt/action/{name}")).map(str::to_owned);
    let from_parts = || Some(action("objectKeyPrefix")? + text(message, "/mail/messageId")?);
    Place::Object { bucket: action("bucketName"), key: action("objectKey").or_else(from_parts) }
}

/// `told` has the `mail` and the `receipt` that every event of SES has.
fn of_mail(told: &Value, place: Place) -> Notice {
    let key = match &place {
        Place::Object { key, .. } => key.as_deref(),
        Place::Inline(_) => None,
    };
    let Some(id) = text(told, "/mail/messageId").or_else(|| key.and_then(last_segment)) else {
        return ignored("other_event");
    };
    if id == SETUP_OBJECT {
        return ignored("setup_notification");
    }

    let verdict = |name: &str| text(told, &format!("/receipt/{name}/status")).and_then(word);
    Notice::Delivery(Delivery {
        id: id.to_owned(),
        envelope_from: told.pointer("/mail/source").and_then(Value::as_str).map(envelope::bare).map(str::to_owned),
        recipients: told.pointer("/receipt/recipients").and_then(Value::as_array).map(|all| texts(all)),
        verdicts: Verdicts {
            spam: verdict("spamVerdict"),
            virus: verdict("virusVerdict"),
            spf: verdict("spfVerdict"),
            dkim: verdict("dkimVerdict"),
            dmarc: verdict("dmarcVerdict"),
            dmarc_policy: text(told, "/receipt/dmarcPolicy").and_then(word),
        },
        // The receipt's own time is that of the action, which is another one at each try.
        received_at: time(told, "/mail/timestamp").or_else(|| time(told, "/receipt/timestamp")),
        place,
    })
}

fn of_object(record: &Value) -> Notice {
    let is_created =
        text(record, "/eventName").is_none_or(|name| name.trim_start_matches("s3:").starts_with("ObjectCreated"));
    let Some(key) = text(record, "/s3/object/key").map(decoded_key).filter(|_| is_created) else {
        return ignored("other_event");
    };
    match last_segment(&key) {
        None => ignored("other_event"),
        Some(SETUP_OBJECT) => ignored("setup_notification"),
        Some(id) => Notice::Delivery(Delivery {
            id: id.to_owned(),
            envelope_from: None,
            recipients: None,
            verdicts: Verdicts::default(),
            received_at: time(record, "/eventTime"),
            place: Place::Object { bucket: text(record, "/s3/bucket/name").map(str::to_owned), key: Some(key) },
        }),
    }
}

/// Keys in events of S3 are encoded as forms are.
fn decoded_key(key: &str) -> String {
    percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn last_segment(key: &str) -> Option<&str> {
    key.rsplit('/').next().filter(|segment| !segment.is_empty())
}

fn records(event: &Value) -> Option<&[Value]> {
    event.get("Records").and_then(Value::as_array).map(Vec::as_slice)
}

/// The text at `pointer`, if there is one and it is not empty.
fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    text(value, pointer).and_then(Timestamp::parse)
}

/// `text` in upper case, if it could be a verdict.
fn word(text: &str) -> Option<String> {
    let is_word =
        text.len() <= VERDICT_LIMIT_BYTES && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    is_word.then(|| text.to_ascii_uppercase())
}

const fn ignored(reason: &'static str) -> Notice {
    Notice::Ignored { reason }
}

//! The messages for the executor: transactions from the hooks; from the executor itself and from the management API, what has
//! happened, what is to be delivered to webhooks, and which runs that wait are to go on.
//!
//! It carries the whole transaction, so accepting one is a single durable act; 1,000,000 bytes of data, the most that
//! `ingest` gives, leave room for the rest within the queue's 1 MiB. Readers ignore keys they do not know, so that an
//! older executor takes what a newer hook sent.

use domain::{DeliveryId, Note, OrgId, RecurringScheduleId, RunId, ScheduledRunId, Transaction, TransactionId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    document,
    ports::Unavailable,
    runs::{KeyDigest, Mark, RepeatRule},
};

/// The version this program writes; it reads this one only.
const VERSION: u32 = 1;

/// How many notes go along; a body with thousands of repeated keys is told about by its first ones.
const NOTES_LIMIT: usize = 20;

/// A message that is no envelope; it becomes a dead letter, which a person can look at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is no transaction: {0}")]
pub struct UnreadableMessage(String);

/// An accepted transaction on its way to the executor.
///
/// *Shape*: `{"v":1,"event":"kustomer.hooks.form.….receive","transaction":{…},"notes":[]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    v: u32,
    /// The event it fires.
    pub event: String,
    /// The transaction.
    pub transaction: Transaction,
    /// What its owner should know about the body.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// How it came, where that matters to the events it fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What could not be asked of the store when it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unsettled: Option<Unsettled>,
}

/// What the door could not ask of the store; the executor does before anything else.
///
/// *Shape*: `{"repeat":{"key":"…","windowSeconds":86400,"bodySha256":"…","rule":"idempotency_key"}}`, or `{}` where the arrival is
/// no repeat of anything and only the hook may have been paused or deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Unsettled {
    /// The mark that it should have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeat: Option<Unmarked>,
}

/// A mark that was not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Unmarked {
    /// Its key.
    pub(crate) key: KeyDigest,
    /// For how long the key is remembered.
    pub(crate) window_seconds: u32,
    /// The SHA-256 of the data, in hex.
    pub(crate) body_sha256: String,
    /// What tells repeats.
    pub(crate) rule: RepeatRule,
}

impl Unmarked {
    /// The mark that `transaction` is to have.
    pub(crate) fn mark_of(&self, transaction: &Transaction) -> Mark {
        let Transaction { id, created_at, .. } = *transaction;
        Mark { transaction: id, created_at, body_sha256: self.body_sha256.clone() }
    }

    /// Whether `before`, which has the mark, came with other data, where that is a mistake.
    pub(crate) fn conflicts_with(&self, before: &Mark) -> bool {
        self.rule.wants_same_body() && before.body_sha256 != self.body_sha256
    }
}

/// How an arrival came to a webhook: all that an app needs beside the data to tell its events.
///
/// *Shape*: `{"app":"shopify","scheme":"shopify","method":"POST","query":{},"headers":{"x-shopify-topic":"orders/updated"}}`.
/// It holds no credentials and no signatures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The app of the hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// How the sender was known.
    pub scheme: String,
    /// The method.
    pub method: String,
    /// The query as data.
    #[serde(default, with = "domain::exact")]
    pub query: Map<String, Value>,
    /// The headers that are kept, by lower-case name.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// What the provider calls this delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_id: Option<String>,
}

/// A message that only names what stands in the store.
///
/// *Shape*: `{"v":1,"wake":{"org":"…","transaction":"…","run":"…"}}`, and likewise the others.
#[derive(Debug, Serialize, Deserialize)]
struct Short {
    v: u32,
    #[serde(flatten)]
    named: Named,
}

/// What it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Named {
    /// A run that waited and is to go on.
    Wake(Woken),
    /// A transaction that stands in the store already, because it is an event.
    Told(ToldOf),
    /// A delivery to a webhook that is to be tried.
    Deliver(Turn),
    /// A call that was scheduled and is to be made.
    Scheduled(Scheduled),
    /// A recurring schedule of which an occurrence is to be made.
    Recurs(Recurs),
}

/// Which scheduled run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scheduled {
    /// Its owner.
    pub(crate) org: OrgId,
    /// The scheduled run.
    pub(crate) scheduled: ScheduledRunId,
}

/// Which recurring schedule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recurs {
    /// Its owner.
    pub(crate) org: OrgId,
    /// The schedule.
    pub(crate) schedule: RecurringScheduleId,
}

/// Which run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Woken {
    /// Its owner.
    pub(crate) org: OrgId,
    /// The transaction that started it.
    pub(crate) transaction: TransactionId,
    /// The run.
    pub(crate) run: RunId,
    /// Whether something has come that it waits for, so that it goes on whatever the time is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) answered: bool,
}

/// Which transaction it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToldOf {
    /// Its owner.
    pub(crate) org: OrgId,
    /// The transaction.
    pub(crate) transaction: TransactionId,
}

/// Which delivery it is, and which of its turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// Its owner.
    pub(crate) org: OrgId,
    /// The delivery.
    pub(crate) delivery: DeliveryId,
    /// How often its next try had been settled anew when the message was sent; one that is behind is over.
    pub(crate) turn: u32,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    /// A transaction.
    Transaction(Box<Envelope>),
    /// Something that stands in the store.
    Named(Named),
}

impl Message {
    /// Whose it is.
    pub(crate) fn org(&self) -> OrgId {
        match self {
            Self::Transaction(envelope) => envelope.transaction.org,
            Self::Named(named) => named.org(),
        }
    }

    /// What the text is that came from the queue.
    ///
    /// *Errors*: [`UnreadableMessage`] when it is none, or of a version this program does not know.
    pub(crate) fn parse(message: &str) -> Result<Self, UnreadableMessage> {
        // Most are transactions, which are long and should be read once; what they lack makes the others fail early.
        let unreadable = match Envelope::parse(message) {
            Ok(envelope) => return Ok(Self::Transaction(Box::new(envelope))),
            Err(unreadable) => unreadable,
        };
        let short = serde_json::from_str::<Short>(message).ok().filter(|short| short.v == VERSION);
        short.map(|short| Self::Named(short.named)).ok_or(unreadable)
    }
}

impl Named {
    /// Whose it is.
    pub(crate) const fn org(&self) -> OrgId {
        match self {
            Self::Wake(Woken { org, .. })
            | Self::Told(ToldOf { org, .. })
            | Self::Deliver(Turn { org, .. })
            | Self::Recurs(Recurs { org, .. })
            | Self::Scheduled(Scheduled { org, .. }) => *org,
        }
    }

    /// The text that goes on the queue.
    pub(crate) fn message(self) -> Result<String, Unavailable> {
        document::write(&Short { v: VERSION, named: self })
    }
}

impl Envelope {
    /// The envelope of `transaction`, which fires `event`.
    pub fn new(event: String, transaction: Transaction, mut notes: Vec<Note>) -> Self {
        let left_out = notes.len().saturating_sub(NOTES_LIMIT);
        notes.truncate(NOTES_LIMIT);
        if left_out > 0 {
            let message = format!("At least {left_out} more notes were left out.");
            notes.push(Note { code: "more_notes".to_owned(), path: "$".to_owned(), message });
        }
        Self { v: VERSION, event, transaction, notes, source: None, unsettled: None }
    }

    /// The same, with how it came.
    pub fn from_source(self, source: Option<Source>) -> Self {
        Self { source, ..self }
    }

    /// The text that goes on the queue.
    pub fn message(&self) -> Result<String, Unavailable> {
        // SQS refuses these two characters, which JSON allows; inside of JSON text they only stand in strings.
        Ok(document::write(self)?.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
    }

    /// The envelope in the text that came from the queue.
    ///
    /// *Errors*: [`UnreadableMessage`] when it is none, or one of a version this program does not know.
    pub fn parse(message: &str) -> Result<Self, UnreadableMessage> {
        let envelope: Self = serde_json::from_str(message).map_err(|error| {
            // The parser's own message may quote what was sent.
            UnreadableMessage(format!("line {}, column {}", error.line(), error.column()))
        })?;
        if envelope.v != VERSION {
            return Err(UnreadableMessage(format!("version {} is not known here", envelope.v)));
        }
        Ok(envelope)
    }
}

#[cfg(test)]
mod tests {
    use domain::{HookId, HookKind, Timestamp};
    use serde_json::json;

    use super::*;

    fn envelope(data: serde_json::Value) -> Envelope {
        let now = Timestamp::from_millisecond(0);
        let transaction = Transaction {
            id: TransactionId::fresh(now, [1; 8]),
            org: OrgId::fresh(now, [2; 8]),
            hook: Some(HookId::fresh(now, [3; 8])),
            hook_kind: Some(HookKind::Form),
            created_at: now,
            data,
            email: None,
            files: Vec::new(),
            generation: 0,
            fired: None,
        };
        Envelope::new("kustomer.hooks.form.x.receive".to_owned(), transaction, Vec::new())
    }

    #[test]
    fn a_message_is_read_back_as_it_was_with_every_digit() {
        let data: serde_json::Value = serde_json::from_str("{\"a\":9007199254740993,\"b\":1e400,\"c\":0.1}").unwrap();
        let sent = envelope(data);
        assert_eq!(Envelope::parse(&sent.message().unwrap()), Ok(sent));
    }

    #[test]
    fn characters_that_the_queue_refuses_are_escaped() {
        let sent = envelope(json!("\u{fffe}\u{ffff}\u{0}"));
        let message = sent.message().unwrap();
        assert!(!message.contains(['\u{fffe}', '\u{ffff}', '\u{0}']));
        assert_eq!(Envelope::parse(&message), Ok(sent));
    }

    #[test]
    fn a_wake_is_told_from_a_transaction() {
        let now = Timestamp::from_millisecond(0);
        let sent = envelope(json!({"wake": 1}));
        let (org, transaction) = (sent.transaction.org, sent.transaction.id);
        let run = RunId::fresh(now, [4; 8]);
        let wake = Named::Wake(Woken { org, transaction, run, answered: false });
        let message = wake.message().unwrap();
        let ids = format!(r#""org":"{org}","transaction":"{transaction}","run":"{run}""#);
        assert_eq!(message, format!(r#"{{"v":1,"wake":{{{ids}}}}}"#));
        assert_eq!(Message::parse(&message), Ok(Message::Named(wake)));
        assert_eq!(Message::parse(&sent.message().unwrap()), Ok(Message::Transaction(Box::new(sent))));
        let event = Named::Told(ToldOf { org, transaction });
        let told = event.message().unwrap();
        assert_eq!(Message::parse(&told), Ok(Message::Named(event)));
        let turn = Named::Deliver(Turn { org, delivery: DeliveryId::fresh(now, [5; 8]), turn: 3 });
        let deliver = turn.message().unwrap();
        assert_eq!(Message::parse(&deliver), Ok(Message::Named(turn)));
        assert!(Message::parse(&deliver.replacen('{', "{\"later\":1,", 1)).is_ok());
        assert!(Message::parse(&deliver.replacen("\"v\":1", "\"v\":2", 1)).is_err());
        for wrong in
            ["{}", "{\"v\":1}", &told.replacen("\"v\":1", "\"v\":2", 1), &message.replacen("\"v\":1", "\"v\":2", 1)]
        {
            assert!(Message::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn unknown_keys_are_ignored_and_unknown_versions_are_refused() {
        let message = envelope(json!({})).message().unwrap();
        assert!(Envelope::parse(&message.replacen('{', "{\"later\":1,", 1)).is_ok());
        for wrong in ["", "{}", "[]", "not json", &message.replacen("\"v\":1", "\"v\":2", 1)] {
            assert!(Envelope::parse(wrong).is_err(), "{wrong}");
        }
    }
}

//! Dead letters: messages that were given up, kept with their reason until somebody redrives or discards them.
//!
//! A letter and its message are two items, so that a list of letters reads no messages.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{ApiKeyId, DeadLetterId, HookId, OrgId, RunId, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};

use super::{RETENTION_SECONDS, item, listing_in};
use crate::{
    directory::Paging,
    document::{self, Listing, Versioned},
    ports::{
        Change, DOCUMENT_LIMIT_BYTES, Expectation, Freshness, IndexKey, Item, Key, Order, Store, Table, Unavailable,
        WriteError,
    },
};

/// How often one is kept that others write at the same time.
const TRIES_LIMIT: usize = 5;

const LETTER_SORT: &str = "letter";
const MESSAGE_SORT: &str = "message";

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LetterState {
    /// It waits for somebody to redrive or discard it.
    Dead,
    /// It was put on the queue again.
    Redriven,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LetterKind {
    /// What was accepted at a hook.
    Transaction,
    /// It wakes a run.
    Wake,
    /// It tells that an event happened.
    Told,
    /// It has a delivery to a webhook tried.
    Deliver,
    /// It begins a scheduled run.
    Scheduled,
    /// It makes an occurrence of a recurring schedule.
    Recurs,
    /// Nothing that this version knows.
    Unreadable,
}

/// Why a message was given up, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// It is no message of ours, or one of another version.
    Unreadable,
    /// A part of the world did not answer, or somebody else was at it.
    Unavailable,
    /// The executor met a fault of its own.
    Panicked,
    /// It took longer than it may.
    TimedOut,
    /// The last delivery left no word.
    NoAnswer,
}

/// Why a message was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// In a word.
    pub code: ReasonCode,
    /// In a sentence, which quotes nothing of the message.
    pub sentence: String,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Names it.
    pub id: DeadLetterId,
    /// Its owner.
    pub org: OrgId,
    /// What became of it.
    pub state: LetterState,
    /// What the message is.
    pub kind: LetterKind,
    /// Why it was given up.
    pub reason: GivenUp,
    /// How often it was delivered.
    pub attempts: u32,
    /// How many bytes the message has.
    pub bytes: usize,
    /// The event it fires or tells of, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The hook it arrived at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<HookId>,
    /// The transaction it is or is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionId>,
    /// The run it wakes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// When it was delivered first, where the queue tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_received_at: Option<Timestamp>,
    /// When it was given up.
    pub failed_at: Timestamp,
    /// When it was put on the queue again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redriven_at: Option<Timestamp>,
    /// By whose key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redriven_by: Option<ApiKeyId>,
}

/// A message as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kept {
    Text(String),
    /// In base64, because as JSON it would be too long for a document: a control character becomes six.
    Base64(String),
}

impl LetterState {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Dead, Self::Redriven];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Redriven => "redriven",
        }
    }
}

impl LetterKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Transaction, Self::Wake, Self::Told, Self::Deliver, Self::Scheduled, Self::Recurs, Self::Unreadable];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Wake => "wake",
            Self::Told => "told",
            Self::Deliver => "deliver",
            Self::Scheduled => "scheduled",
            Self::Recurs => "recurs",
            Self::Unreadable => "unreadable",
        }
    }
}

impl ReasonCode {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Unreadable, Self::Unavailable, Self::Panicked, Self::TimedOut, Self::NoAnswer];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Unavailable => "unavailable",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// Keeps `letter` with its `message`. One that is kept already stays as it is, unless it was redriven: then it is dead anew.
///
/// *Once it returns* `Ok`, the message is durable here and may be deleted from its queue.
pub async fn keep_dead_letter(store: &dyn Store, letter: &DeadLetter, message: &str) -> Result<(), Unavailable> {
    for _ in 0..TRIES_LIMIT {
        let found = find_dead_letter(store, letter.org, letter.id).await?;
        if found.as_ref().is_some_and(|found| found.value.state == LetterState::Dead) {
            return Ok(());
        }
        let changes = [
            dead_letter_change(letter, found.map(|found| found.rev))?,
            Change::Put(message_item(letter, message)?, Expectation::Anything),
        ];
        match store.write(&changes).await {
            Ok(()) => return Ok(()),
            // Somebody else keeps, redrives or discards it at the same moment.
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error),
        }
    }
    Err(Unavailable { port: "store", cause: "a dead letter was written by others all the while".to_owned() })
}

/// The change that writes `letter` in the place of the revision `rev`, or where nothing is.
pub fn dead_letter_change(letter: &DeadLetter, rev: Option<u64>) -> Result<Change, Unavailable> {
    let index = IndexKey {
        partition: index_partition(letter.org, letter.state),
        sort: format!("{}#{}", letter.failed_at, letter.id),
    };
    let item = kept_item(letter, LETTER_SORT, document::write(letter)?);
    let expectation = Expectation::unchanged(rev);
    Ok(Change::Put(Item { rev: rev.unwrap_or_default() + 1, index: Some(index), ..item }, expectation))
}

/// The changes that take the dead letter of the revision `rev` away, and its message with it.
pub fn dead_letter_deletion(org: OrgId, id: DeadLetterId, rev: u64) -> [Change; 2] {
    [
        Change::Delete(key(org, id, LETTER_SORT), Expectation::Rev(rev)),
        Change::Delete(key(org, id, MESSAGE_SORT), Expectation::Anything),
    ]
}

/// The dead letter with this id.
pub async fn find_dead_letter(
    store: &dyn Store,
    org: OrgId,
    id: DeadLetterId,
) -> Result<Option<Versioned<DeadLetter>>, Unavailable> {
    let found = store.find(&key(org, id, LETTER_SORT), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// The message of the dead letter with this id, as it was sent.
pub async fn find_dead_message(store: &dyn Store, org: OrgId, id: DeadLetterId) -> Result<Option<String>, Unavailable> {
    let Some(item) = store.find(&key(org, id, MESSAGE_SORT), Freshness::Latest).await? else { return Ok(None) };
    match document::read_one_of(&item)? {
        Kept::Text(message) => Ok(Some(message)),
        Kept::Base64(coded) => decoded(&coded).map(Some).ok_or_else(|| Unavailable {
            port: "store",
            cause: "the message of a dead letter cannot be read".to_owned(),
        }),
    }
}

/// One page of the dead letters in `state` that were given up in `[from, until)`, in the given order of that.
pub async fn list_dead_letters(
    store: &dyn Store,
    org: OrgId,
    state: LetterState,
    failed: (Option<Timestamp>, Option<Timestamp>),
    (order, paging): (Order, Paging),
) -> Result<Listing<DeadLetter>, Unavailable> {
    let listing: Listing<DeadLetter> = listing_in(order, store, index_partition(org, state), failed, paging).await?;
    // The index may not know yet what became of one.
    let items = listing.items.into_iter().filter(|letter| letter.state == state).collect();
    Ok(Listing { items, next: listing.next })
}

fn message_item(letter: &DeadLetter, message: &str) -> Result<Item, Unavailable> {
    let mut document = document::write(&Kept::Text(message.to_owned()))?;
    if document.len() > DOCUMENT_LIMIT_BYTES {
        document = document::write(&Kept::Base64(STANDARD.encode(message)))?;
    }
    Ok(kept_item(letter, MESSAGE_SORT, document))
}

fn kept_item(letter: &DeadLetter, sort: &str, document: String) -> Item {
    item(partition(letter.org, letter.id), sort, document, letter.failed_at, RETENTION_SECONDS)
}

fn decoded(coded: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(coded).ok()?).ok()
}

fn partition(org: OrgId, id: DeadLetterId) -> String {
    format!("{org}#dead-letter#{id}")
}

fn key(org: OrgId, id: DeadLetterId, sort: &str) -> Key {
    Key::new(Table::Runs, partition(org, id), sort)
}

fn index_partition(org: OrgId, state: LetterState) -> String {
    format!("{org}#dead-letters#{}", state.word())
}

//! What is used once: a mark in the runs table, under the hash of a token.
//!
//! A mark is made before its transaction is durable and settled after, so a post whose answer was lost, or that met a queue
//! that was down, is taken when it comes again, under the id it had at first. Another post with the same token never is.

use domain::{Hook, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::challenge;
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, Store, Table, Unavailable, WriteError},
};

const MARK: &str = "mark";

/// A token in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// SHA-256 of the token.
    ticket: String,
    document: MarkDocument,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MarkDocument {
    /// What tells the post from others.
    post: String,
    /// What it became.
    transaction: TransactionId,
    /// When it came first.
    created_at: Timestamp,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Whether its transaction is durable is not known.
    Open,
    /// Its transaction is durable.
    Taken,
}

/// What a token is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Use {
    /// For this post, which is to be taken now.
    Open(Mark),
    /// For this post, which became this transaction.
    Taken(TransactionId),
    /// For another post.
    ByAnother,
}

impl Mark {
    /// The use of `ticket` for the post `post`, that becomes the transaction `id`.
    pub(crate) fn new(ticket: &str, post: String, id: TransactionId, created_at: Timestamp) -> Self {
        let document = MarkDocument { post, transaction: id, created_at, state: State::Open };
        Self { ticket: hex::encode(Sha256::digest(ticket)), document }
    }

    /// The transaction that the post becomes.
    pub(crate) const fn transaction(&self) -> TransactionId {
        self.document.transaction
    }

    /// When the post came first.
    pub(crate) const fn created_at(&self) -> Timestamp {
        self.document.created_at
    }

    /// A word that is the same for the same post with the same ticket, and for no other.
    pub(crate) fn fingerprint(&self) -> [u8; 16] {
        let whole = Sha256::digest(format!("{}{}", self.ticket, self.document.post));
        let mut half = [0; 16];
        half.iter_mut().zip(whole).for_each(|(byte, hashed)| *byte = hashed);
        half
    }
}

/// How the ticket of `mark` was used before, if it was.
pub(crate) async fn find(store: &dyn Store, hook: &Hook, mark: &Mark) -> Result<Option<Use>, Unavailable> {
    let found = store.find(&key(hook, mark), Freshness::Latest).await?;
    found.map(|item| used(&item, mark)).transpose()
}

/// Marks the ticket as used, or tells how it was used before.
pub(crate) async fn mark(store: &dyn Store, hook: &Hook, mark: Mark) -> Result<Use, Unavailable> {
    match store.write(&[Change::Put(item(hook, &mark, 1)?, Expectation::Absent)]).await {
        Ok(()) => Ok(Use::Open(mark)),
        Err(WriteError::Conflict { found: Some(found), .. }) => used(&found, &mark),
        Err(WriteError::Conflict { found: None, .. }) => match find(store, hook, &mark).await? {
            Some(used) => Ok(used),
            None => Err(Unavailable { port: "store", cause: "a mark was there and is not".to_owned() }),
        },
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}

/// Notes that the transaction of `mark` is durable. *Why it may fail*: the post would only be queued once more when it comes
/// again, and its runs start once.
pub(crate) async fn settle(store: &dyn Store, hook: &Hook, mut mark: Mark) {
    mark.document.state = State::Taken;
    let written = match item(hook, &mark, 2) {
        Ok(item) => store.write(&[Change::Put(item, Expectation::Anything)]).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = written {
        tracing::warn!(hook.id = %hook.id, %error, "a used challenge was not settled");
    }
}

fn used(item: &Item, mark: &Mark) -> Result<Use, Unavailable> {
    let document: MarkDocument = document::read(item)?;
    Ok(match document.state {
        _ if document.post != mark.document.post => Use::ByAnother,
        State::Open => Use::Open(Mark { ticket: mark.ticket.clone(), document }),
        State::Taken => Use::Taken(document.transaction),
    })
}

fn item(hook: &Hook, mark: &Mark, rev: u64) -> Result<Item, Unavailable> {
    // The first try may be as young as its token; the token is gone before its mark.
    let expires_at = mark.created_at().plus_seconds(challenge::LIFE_SECONDS + 60).as_second();
    Ok(Item {
        key: key(hook, mark),
        rev,
        document: document::write(&mark.document)?,
        index: None,
        expires_at: Some(expires_at),
    })
}

fn key(hook: &Hook, mark: &Mark) -> Key {
    Key::new(Table::Runs, format!("{}#used#{}#{}", hook.org, hook.id, mark.ticket), MARK)
}

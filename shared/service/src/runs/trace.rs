//! Transactions as they are stored: with the trace of why which workflow ran.

use domain::{Note, OrgId, RunId, Transaction, TransactionId, WorkflowId};
use serde::{Deserialize, Serialize};

use super::RETENTION_SECONDS;
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, Store, Table, Unavailable, WriteError},
};

/// What came of considering a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It listens and is enabled: a run was started.
    Started,
    /// It listens but is disabled.
    Disabled,
}

/// A workflow that listens to the event, as it was when the transaction was admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Considered {
    /// The workflow.
    pub workflow: WorkflowId,
    /// Its name.
    pub name: String,
    /// Its definition at that moment; the run finishes on it.
    pub hash: String,
    /// What came of it.
    pub verdict: Verdict,
    /// The run, if one was started.
    pub run: Option<RunId>,
}

/// A transaction with its trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredTransaction {
    /// The transaction.
    pub transaction: Transaction,
    /// The event it fired.
    pub event: String,
    /// What its owner should know about the body.
    pub notes: Vec<Note>,
    /// Every workflow that listened; empty when none did.
    pub considered: Vec<Considered>,
}

/// Whether a transaction was new.
#[derive(Debug, Clone, PartialEq)]
pub enum Admitted {
    /// It was stored just now; it has no run yet.
    First,
    /// It had been delivered before; this was decided then, and is still valid.
    Again(Box<StoredTransaction>),
}

/// Stores `stored` unless its transaction is there already.
///
/// *Once it returns*, which workflows run for the transaction is settled for ever, so that a second delivery does what
/// the first one would have done, whatever was changed in between.
pub async fn admit(store: &dyn Store, stored: &StoredTransaction) -> Result<Admitted, Unavailable> {
    let Transaction { org, id, created_at, .. } = stored.transaction;
    let key = transaction_key(org, id);
    let item = Item {
        key: key.clone(),
        rev: 1,
        document: document::write(stored)?,
        index: None,
        expires_at: Some(created_at.plus_seconds(RETENTION_SECONDS).as_second()),
    };
    match store.write(&[Change::Put(item, Expectation::Absent)]).await {
        Ok(()) => Ok(Admitted::First),
        Err(WriteError::Unavailable(error)) => Err(error),
        Err(WriteError::Conflict { found: Some(found), .. }) => Ok(Admitted::Again(Box::new(document::read(&found)?))),
        Err(WriteError::Conflict { found: None, .. }) => match find_transaction(store, org, id).await? {
            Some(found) => Ok(Admitted::Again(Box::new(found))),
            None => Err(Unavailable { port: "store", cause: format!("transaction {id} was there and then was not") }),
        },
    }
}

/// The transaction with this id.
pub async fn find_transaction(
    store: &dyn Store,
    org: OrgId,
    id: TransactionId,
) -> Result<Option<StoredTransaction>, Unavailable> {
    let found = store.find(&transaction_key(org, id), Freshness::Latest).await?;
    found.as_ref().map(document::read).transpose()
}

fn transaction_key(org: OrgId, id: TransactionId) -> Key {
    Key::new(Table::Runs, format!("{org}#transaction#{id}"), "transaction")
}

//! How many runs have followed from one beginning.

use domain::{OrgId, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};

use super::item;
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Key, Store, Table, Unavailable, WriteError},
};

/// For how long they are counted.
const WINDOW_SECONDS: i64 = 60 * 60;

/// How often a count is tried that others make at the same time.
const TRIES_LIMIT: usize = 20;

#[derive(Debug, Serialize, Deserialize)]
struct Count {
    since: Timestamp,
    runs: u32,
}

/// Counts `runs` more that follow from `root`, and gives how many there are since the hour began.
///
/// *Errors*: [`Unavailable`], also where others count at the same time again and again.
pub async fn count_lineage(
    store: &dyn Store,
    org: OrgId,
    root: TransactionId,
    runs: u32,
    now: Timestamp,
) -> Result<u32, Unavailable> {
    let partition = format!("{org}#lineage#{root}");
    let key = Key::new(Table::Runs, partition.clone(), "count");
    for _ in 0..TRIES_LIMIT {
        let found = store.find(&key, Freshness::Latest).await?;
        let (rev, before) = match &found {
            Some(item) => (Some(item.rev), document::read::<Count>(item)?),
            None => (None, Count { since: now, runs: 0 }),
        };
        let counted = before.runs.saturating_add(runs);
        let count = Count { since: before.since, runs: counted };
        let mut item = item(partition.clone(), "count", document::write(&count)?, before.since, WINDOW_SECONDS);
        item.rev = rev.unwrap_or_default() + 1;
        let expectation = Expectation::unchanged(rev);
        match store.write(&[Change::Put(item, expectation)]).await {
            Ok(()) => return Ok(counted),
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error),
        }
    }
    Err(Unavailable { port: "store", cause: format!("runs from {root} were counted by others {TRIES_LIMIT} times") })
}

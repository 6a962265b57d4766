//! Who of the runs of a workflow is next for a key, and which arrivals one of them is for.
//!
//! Everything about a key stands in one partition, and every change of it is written with the run that it concerns, so the run
//! and its line are never of two minds.

use domain::{Line, LineKind, Run, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{RETENTION_SECONDS, RunRef, item};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Key, LIST_LIMIT_ITEMS, Order, Range, Scope, Store, Table, Unavailable},
};

/// How long what stands in a line is kept: longer than a run may wait.
const KEPT_SECONDS: i64 = 400 * 24 * 60 * 60;

/// The one of a line that something is about.
const HEAD: &str = "head";

/// What stands at the head of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LineHead {
    /// Nobody: the turn is free.
    Free,
    /// The run whose turn it is.
    Turn(RunRef),
    /// The run that begins after a quiet time.
    Last(Last),
    /// The run that arrivals are collected for.
    Batch(Batch),
}

/// A run that waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queued {
    /// The run.
    pub member: RunRef,
    /// When its transaction was accepted.
    pub accepted_at: Timestamp,
}

/// The last arrival so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Last {
    /// Its run.
    pub member: RunRef,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When the first of those was accepted that it stands for.
    pub first_at: Timestamp,
}

/// Arrivals that are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    /// The run that is for all of them.
    pub member: RunRef,
    /// When it begins at the latest.
    pub due_at: Timestamp,
    /// How many there are.
    pub count: u32,
    /// How many bytes they have together.
    pub bytes: usize,
}

impl LineHead {
    /// The run that stands there.
    pub const fn member(&self) -> Option<RunRef> {
        match self {
            Self::Free => None,
            Self::Turn(member) => Some(*member),
            Self::Last(last) => Some(last.member),
            Self::Batch(batch) => Some(batch.member),
        }
    }
}

/// A line as it was read, to be written in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredLine {
    partition: String,
    rev: Option<u64>,
    /// What stands at its head.
    pub head: LineHead,
}

/// The line of the runs of `run`'s workflow for its key.
pub async fn find_line(store: &dyn Store, run: &Run, line: &Line) -> Result<StoredLine, Unavailable> {
    let partition = partition(run, line);
    let found = store.find(&Key::new(Table::Runs, partition.clone(), HEAD), Freshness::Latest).await?;
    let head = found.as_ref().map(document::read_one_of).transpose()?.unwrap_or(LineHead::Free);
    Ok(StoredLine { partition, rev: found.map(|item| item.rev), head })
}

impl StoredLine {
    /// The change that puts `head` there, if the line is as it was read.
    pub fn put(&self, head: LineHead, now: Timestamp) -> Result<Change, Unavailable> {
        let mut item = item(self.partition.clone(), HEAD, document::write(&head)?, now, KEPT_SECONDS);
        item.rev = self.rev.unwrap_or_default() + 1;
        Ok(Change::Put(item, Expectation::unchanged(self.rev)))
    }

    /// The change that has a run wait in the line, in the order of when its transaction was accepted.
    pub fn join(&self, queued: Queued, now: Timestamp) -> Result<Change, Unavailable> {
        let item = item(self.partition.clone(), place(&queued), document::write(&queued)?, now, KEPT_SECONDS);
        Ok(Change::Put(item, Expectation::Anything))
    }

    /// The first that waits in the line, and the change that takes it out.
    pub async fn first(&self, store: &dyn Store) -> Result<Option<(Queued, Change)>, Unavailable> {
        let page = store.list(&Range { limit: 1, ..range(self.partition.clone(), "wait#", "wait$") }).await?;
        let Some(item) = page.items.into_iter().next() else { return Ok(None) };
        Ok(Some((document::read(&item)?, Change::Delete(item.key, Expectation::Anything))))
    }

    /// The change that adds an arrival, as step 1 sees it, to those that `batch` is for.
    pub fn collect(
        &self,
        batch: RunId,
        member: RunRef,
        accepted_at: Timestamp,
        seen: &Value,
        now: Timestamp,
    ) -> Result<Change, Unavailable> {
        let sort = format!("item#{batch}#{accepted_at}#{}#{}", member.transaction, member.run);
        let item = item(self.partition.clone(), sort, document::write(seen)?, now, KEPT_SECONDS + RETENTION_SECONDS);
        Ok(Change::Put(item, Expectation::Anything))
    }
}

/// The arrivals that `run` is for, or the one that it replays, in the order in which they were accepted.
pub async fn collected(store: &dyn Store, run: &Run, line: &Line) -> Result<Vec<Value>, Unavailable> {
    let batch = run.replay_of.map_or(run.id, |replay| replay.origin);
    let (from, below) = (format!("item#{batch}#"), format!("item#{batch}$"));
    let mut range = range(partition(run, line), &from, &below);
    let mut collected = Vec::new();
    loop {
        let page = store.list(&range).await?;
        for item in &page.items {
            collected.push(document::read_value(item)?);
        }
        match page.next {
            Some(next) => range.after = Some(next),
            None => return Ok(collected),
        }
    }
}

fn range(partition: String, from: &str, below: &str) -> Range {
    let (table, scope, order, limit) = (Table::Runs, Scope::Own, Order::Ascending, LIST_LIMIT_ITEMS);
    Range { table, scope, partition, from: from.to_owned(), below: below.to_owned(), order, limit, after: None }
}

/// The changes with which a run that is over leaves its line, if it stands at the head of one.
pub async fn leaving_changes(store: &dyn Store, run: &Run, now: Timestamp) -> Result<Vec<Change>, Unavailable> {
    let Some(line) = &run.line else { return Ok(Vec::new()) };
    let stored = find_line(store, run, line).await?;
    match stored.head.member() {
        Some(member) if member.run == run.id => Ok(vec![stored.put(LineHead::Free, now)?]),
        Some(_) | None => Ok(Vec::new()),
    }
}

/// Where a run waits: those of one instant by their ids, which are the same for everybody.
fn place(queued: &Queued) -> String {
    format!("wait#{}#{}#{}", queued.accepted_at, queued.member.transaction, queued.member.run)
}

fn partition(run: &Run, line: &Line) -> String {
    let kind = match line.kind {
        LineKind::Turn => "turn",
        LineKind::Debounce => "debounce",
        LineKind::Collect => "collect",
    };
    format!("{}#line#{}#{kind}#{}", run.org, run.workflow_id, line.digest)
}

//! Runs that wait for events, and what happened lately that they may wait for.
//!
//! Both stand in one partition for each event and what has to stand in it: whoever begins to wait looks for what happened, and
//! whatever happens looks for who waits. Each writes before it looks, so one of them finds the other, whoever was first.

use domain::{OrgId, Timestamp, TransactionId};
use engine::pending::AwaitedEvent;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{RunRef, WaitingStep, item, items};
use crate::{
    document,
    ports::{
        Change, Expectation, Key, LIST_LIMIT_ITEMS, Order, Page, Range, Scope, Store, Table, Unavailable, WriteError,
    },
};

/// How long it is known which places of an event somebody waits at. *Why*: longer than a wait may take.
const SHAPE_SECONDS: i64 = 400 * 24 * 60 * 60;

/// How long it is known that something happened. *Why*: a wait looks back to where it began, which is moments ago.
const HAPPENED_SECONDS: i64 = 24 * 60 * 60;

const RUN: &str = "run#";
const EVENT: &str = "event#";

/// A step of a run that waits for an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiter {
    /// The run.
    #[serde(flatten)]
    pub run: RunRef,
    branch: String,
    step: String,
    visit: u32,
    attempt: u32,
    /// What was accepted before is not waited for.
    pub since: Timestamp,
    /// Nor is what was accepted after.
    pub until: Timestamp,
}

impl Waiter {
    /// The step of a run of `transaction` that waits for what is accepted `since` then and `until` then.
    pub fn new(step: WaitingStep, transaction: TransactionId, since: Timestamp, until: Timestamp) -> Self {
        let WaitingStep { org: _, run, branch, step, visit, attempt } = step;
        let run = RunRef { transaction, run };
        Self { run, branch, step, visit, attempt, since, until }
    }

    /// The step, for which an answer may be given.
    pub fn step(&self, org: OrgId) -> WaitingStep {
        let Self { run, branch, step, visit, attempt, .. } = self.clone();
        WaitingStep { org, run: run.run, branch, step, visit, attempt }
    }

    /// Whether it waits for what the transaction `id` brought, accepted at `at`.
    pub fn is_for(&self, id: TransactionId, at: Timestamp) -> bool {
        id != self.run.transaction && self.since <= at && at <= self.until
    }
}

/// That an event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// The transaction that brought it.
    pub transaction: TransactionId,
    /// Which of the events of the transaction it is; the hook's own where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u32>,
    /// When the transaction was accepted.
    pub at: Timestamp,
}

/// Lets what happens find the waiter of `event`.
pub async fn wait_for(store: &dyn Store, org: OrgId, event: &AwaitedEvent, waiter: &Waiter) -> Result<(), Unavailable> {
    let paths: Vec<&str> = event.matches.iter().map(|place| place.path.as_str()).collect();
    let shape = document::write(&paths)?;
    let sort = hex::encode(Sha256::digest(&shape));
    let shape = item(shapes(org, &event.name), sort, shape, waiter.since, SHAPE_SECONDS);
    let (partition, sort) = (partition(org, event)?, sort_of(waiter)?);
    let kept_seconds = i64::try_from(waiter.since.seconds_until(waiter.until)).unwrap_or(SHAPE_SECONDS);
    let waiting = item(partition, sort, document::write(waiter)?, waiter.since, kept_seconds + HAPPENED_SECONDS);
    write(store, [shape, waiting].map(|item| Change::Put(item, Expectation::Anything)).into()).await
}

/// At which places of the event `name` somebody waits, each as paths in their order.
pub async fn awaited_places(store: &dyn Store, org: OrgId, name: &str) -> Result<Vec<Vec<String>>, Unavailable> {
    let page = items(store, shapes(org, name), String::new(), Order::Ascending, LIST_LIMIT_ITEMS).await?;
    page.items.iter().map(document::read).collect()
}

/// Lets whoever begins to wait find that `event` happened.
pub async fn keep_happened(
    store: &dyn Store,
    org: OrgId,
    event: &AwaitedEvent,
    happened: &Happened,
) -> Result<(), Unavailable> {
    let sort = format!("{EVENT}{}#{}", happened.at, happened.transaction);
    let item = item(partition(org, event)?, sort, document::write(happened)?, happened.at, HAPPENED_SECONDS);
    write(store, vec![Change::Put(item, Expectation::Anything)]).await
}

/// The first that happened since `since` and is what `waiter` waits for.
pub async fn find_happened(
    store: &dyn Store,
    org: OrgId,
    event: &AwaitedEvent,
    waiter: &Waiter,
) -> Result<Option<Happened>, Unavailable> {
    let from = format!("{EVENT}{}", waiter.since);
    let range = range(partition(org, event)?, from, "event$".to_owned(), None);
    let page = store.list(&range).await?;
    let happened = page.items.iter().map(document::read).collect::<Result<Vec<Happened>, Unavailable>>()?;
    Ok(happened.into_iter().find(|happened| waiter.is_for(happened.transaction, happened.at)))
}

/// One page of those who wait for `event`, and where the next one begins.
pub async fn waiters(
    store: &dyn Store,
    org: OrgId,
    event: &AwaitedEvent,
    after: Option<String>,
) -> Result<(Vec<Waiter>, Option<String>), Unavailable> {
    let Page { items, next } =
        store.list(&range(partition(org, event)?, RUN.to_owned(), "run$".to_owned(), after)).await?;
    Ok((items.iter().map(document::read).collect::<Result<_, Unavailable>>()?, next))
}

/// Lets nothing that happens find the waiter any more.
pub async fn forget_waiter(
    store: &dyn Store,
    org: OrgId,
    event: &AwaitedEvent,
    waiter: &Waiter,
) -> Result<(), Unavailable> {
    let key = Key::new(Table::Runs, partition(org, event)?, sort_of(waiter)?);
    write(store, vec![Change::Delete(key, Expectation::Anything)]).await
}

fn range(partition: String, from: String, below: String, after: Option<String>) -> Range {
    let (table, scope, order, limit) = (Table::Runs, Scope::Own, Order::Ascending, LIST_LIMIT_ITEMS);
    Range { table, scope, partition, from, below, order, limit, after }
}

async fn write(store: &dyn Store, changes: Vec<Change>) -> Result<(), Unavailable> {
    match store.write(&changes).await {
        Ok(()) => Ok(()),
        Err(WriteError::Conflict { .. }) => {
            Err(Unavailable { port: "store", cause: "a write that expects nothing was refused".to_owned() })
        }
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}

fn shapes(org: OrgId, name: &str) -> String {
    format!("{org}#awaited-places#{name}")
}

fn partition(org: OrgId, event: &AwaitedEvent) -> Result<String, Unavailable> {
    Ok(format!("{org}#awaited#{}", hex::encode(Sha256::digest(document::write(event)?))))
}

/// *Why a digest*: branches of branches have long paths.
fn sort_of(waiter: &Waiter) -> Result<String, Unavailable> {
    let Waiter { branch, step, visit, attempt, .. } = waiter;
    let place = document::write(&(branch, step, visit, attempt))?;
    Ok(format!("{RUN}{}#{}", waiter.run.run, hex::encode(Sha256::digest(place))))
}

//! Runs and their journals.
//!
//! Every write of a run puts its head with the next `rev`, expecting the one before it: that is the fence between two
//! executors that carry the same run. The entries of the first write stand in the head itself where the run needs only that
//! one, as most do, or they are few; all others come in items of their own, because each write has the whole head in it.

use domain::{OrgId, Run, RunId, Timestamp, TransactionId, WorkflowId};
use engine::journal::Entry;
use serde::{Deserialize, Serialize};

use super::{Answered, RETENTION_SECONDS, Replayed, find_all, listing, trace::transaction_key};
use crate::{
    directory::{Listing, Paging},
    document,
    ports::{
        Change, Expectation, Freshness, IndexKey, Item, Key, LIST_LIMIT_ITEMS, Order, Range, Scope, Store, Table,
        Unavailable, WriteError,
    },
};

const HEAD: &str = "run";

/// How many bytes of entries may stand in the head of a run that goes on. *Why*: it is written again with each of its writes.
const HEAD_LIMIT_BYTES: usize = 2_048;

/// What a step left behind, with its times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalEntry {
    /// What it was given, what came of it, and which transition was taken.
    pub entry: Entry,
    /// How often it was tried.
    pub attempts: u32,
    /// When its first attempt began.
    pub started_at: Timestamp,
    /// When its last attempt ended.
    pub ended_at: Timestamp,
    /// Who said what had come of it, where nobody knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
    /// Who had the run replayed from here, and on what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<Replayed>,
    /// Whether nothing was done, because the run that this one replays has done it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_kept: bool,
}

impl JournalEntry {
    /// What was tried `attempts` times and began and ended at `times`.
    pub fn new(entry: Entry, attempts: u32, times: (Timestamp, Timestamp)) -> Self {
        let (started_at, ended_at) = times;
        Self { entry, attempts, started_at, ended_at, answered: None, replayed: None, is_kept: false }
    }
}

/// The head of a run as it is stored.
#[derive(Debug, Deserialize)]
struct Head {
    run: Run,
    /// The entries of the first write.
    entries: Vec<JournalEntry>,
    #[serde(default)]
    told: Vec<TransactionId>,
}

/// The same, to be written.
#[derive(Debug, Serialize)]
struct HeadOf<'a> {
    run: &'a Run,
    entries: &'a [JournalEntry],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    told: &'a [TransactionId],
}

/// A run with its whole journal.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRun {
    /// Everything but its steps.
    pub run: Run,
    /// How often it was written.
    pub rev: u64,
    /// How many of `entries` stand in the head.
    pub head_entries: usize,
    /// Its journal, in the order the steps ran.
    pub entries: Vec<JournalEntry>,
    /// The events of its last write. Whoever takes it up tells of them, because whoever wrote them may not have.
    pub told: Vec<TransactionId>,
}

/// The changes that write `run` with `new` journal entries behind those of `before`, and the events `told` that are written
/// with it; the first change is the fence.
///
/// *Once they are written* the run and all of `new` are durable.
pub fn run_changes(
    run: &Run,
    before: Option<&StoredRun>,
    new: &[JournalEntry],
    told: &[TransactionId],
) -> Result<Vec<Change>, Unavailable> {
    let until = kept_until(run, before.map(|before| before.entries.as_slice()).unwrap_or_default(), new);
    let Some(before) = before else {
        let (in_head, apart) = new.split_at(entries_in_head(run, new)?);
        let mut changes =
            vec![Change::Put(head_item(HeadOf { run, entries: in_head, told }, 1, until)?, Expectation::Absent)];
        if !apart.is_empty() {
            changes.push(Change::Put(journal_item(run, 0, apart, until)?, Expectation::Absent));
        }
        return Ok(changes);
    };
    let in_head = before.entries.get(..before.head_entries).unwrap_or(&before.entries);
    let head = HeadOf { run, entries: in_head, told };
    let mut changes = vec![Change::Put(head_item(head, before.rev + 1, until)?, Expectation::Rev(before.rev))];
    if !new.is_empty() {
        changes.push(Change::Put(journal_item(run, before.rev, new, until)?, Expectation::Absent));
    }
    Ok(changes)
}

/// Until when what is written now of a run is kept: counted from the last that happened to it, or is to happen.
fn kept_until(run: &Run, before: &[JournalEntry], new: &[JournalEntry]) -> Timestamp {
    let last = new.last().or(before.last()).map(|entry| entry.ended_at);
    let last = [last, run.ended_at, run.resumes_at].into_iter().flatten().max().unwrap_or(run.started_at);
    last.max(run.started_at).plus_seconds(RETENTION_SECONDS)
}

/// Lets what was written before of a run, and the transaction that started it, be kept as long as a run is that goes on at
/// `until`. Costs nothing where they are kept long enough.
pub async fn keep_until(store: &dyn Store, run: &Run, until: Timestamp) -> Result<(), Unavailable> {
    keep(store, run, until, Extent::AllButHead).await
}

/// The same of a run that is over and that another one replays, its head with it.
pub async fn keep_replayed_until(store: &dyn Store, run: &Run, until: Timestamp) -> Result<(), Unavailable> {
    keep(store, run, until, Extent::Whole).await
}

/// How much of a run is kept longer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// Whoever carries the run writes its head.
    AllButHead,
}

async fn keep(store: &dyn Store, run: &Run, until: Timestamp, extent: Extent) -> Result<(), Unavailable> {
    let needed = until.plus_seconds(RETENTION_SECONDS / 3);
    if run.started_at.plus_seconds(RETENTION_SECONDS) >= needed {
        return Ok(());
    }
    let whole = until.plus_seconds(RETENTION_SECONDS).as_second();
    let transaction = transaction_key(run.org, run.transaction_id);
    let mut items: Vec<Item> = store.find(&transaction, Freshness::Latest).await?.into_iter().collect();
    let mut after = None;
    loop {
        let page = store.list(&Range { after, ..all_of(run.org, run.id, "", "") }).await?;
        items.extend(page.items.into_iter().filter(|item| extent == Extent::Whole || item.key.sort != HEAD));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let is_short = |item: &Item| item.expires_at.is_some_and(|expires| expires < needed.as_second());
    for item in items.into_iter().filter(is_short) {
        let rev = item.rev;
        let kept = Item { expires_at: Some(whole), ..item };
        match store.write(&[Change::Put(kept, Expectation::Rev(rev))]).await {
            Ok(()) => {}
            // Whoever writes it may leave it to end when it did before.
            Err(WriteError::Conflict { .. }) => {
                return Err(Unavailable { port: "store", cause: "others write what is to be kept longer".to_owned() });
            }
            Err(WriteError::Unavailable(error)) => return Err(error),
        }
    }
    Ok(())
}

/// The changes that write `run` in the place of `before`, whose journal becomes `entries`: at each place what stands there now,
/// or nothing. The first change is the fence.
///
/// *Once they are written* the run is as if what was cut had never been in its journal.
pub async fn reopening_changes(
    store: &dyn Store,
    run: &Run,
    before: &StoredRun,
    entries: &[Option<JournalEntry>],
) -> Result<Vec<Change>, Unavailable> {
    let kept = |from: usize, count: usize| -> Vec<JournalEntry> {
        entries.iter().skip(from).take(count).flatten().cloned().collect()
    };
    let in_head = kept(0, before.head_entries);
    let until = kept_until(run, &before.entries, &[]);
    let head = HeadOf { run, entries: &in_head, told: &before.told };
    let mut changes = vec![Change::Put(head_item(head, before.rev + 1, until)?, Expectation::Rev(before.rev))];
    let (mut after, mut place) = (None, before.head_entries);
    loop {
        let page = store.list(&Range { after, ..all_of(run.org, run.id, "journal#", "journal$") }).await?;
        for item in page.items {
            let written: Vec<JournalEntry> = document::read(&item)?;
            let now = kept(place, written.len());
            place += written.len();
            if now != written {
                let rev = item.rev;
                let item = Item { rev: rev + 1, document: document::write(&now)?, ..item };
                changes.push(Change::Put(item, Expectation::Rev(rev)));
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(changes),
        }
    }
}

/// How many of the entries of a run's first write stand in its head: all, or only the trigger's.
pub fn entries_in_head(run: &Run, new: &[JournalEntry]) -> Result<usize, Unavailable> {
    let is_light = run.state.is_final() || document::write(&new)?.len() <= HEAD_LIMIT_BYTES;
    Ok(if is_light { new.len() } else { new.len().min(1) })
}

/// The run with its whole journal.
pub async fn find_run(store: &dyn Store, org: OrgId, id: RunId) -> Result<Option<StoredRun>, Unavailable> {
    let Some(item) = store.find(&head_key(org, id), Freshness::Latest).await? else {
        return Ok(None);
    };
    let head: Head = document::read(&item)?;
    let head_entries = head.entries.len();
    let Head { run, entries, told } = head;
    let mut stored = StoredRun { run, rev: item.rev, head_entries, entries, told };
    // Each write but one that was the only one may have left an item more.
    if item.rev > 1 || !stored.run.state.is_final() {
        append_later_entries(store, &mut stored).await?;
    }
    Ok(Some(stored))
}

/// One page of a workflow's runs started in `[from, until)`, newest first; only the heads.
pub async fn list_runs(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    started: (Option<Timestamp>, Option<Timestamp>),
    paging: Paging,
) -> Result<Listing<Run>, Unavailable> {
    let heads: Listing<Head> = listing(store, format!("{org}#workflow#{workflow}"), started, paging).await?;
    Ok(Listing { items: heads.items.into_iter().map(|head| head.run).collect(), next: heads.next })
}

/// The run without its journal.
pub async fn find_run_head(store: &dyn Store, org: OrgId, id: RunId) -> Result<Option<Run>, Unavailable> {
    let found = store.find(&head_key(org, id), Freshness::Latest).await?;
    found.as_ref().map(document::read::<Head>).transpose().map(|head| head.map(|head| head.run))
}

/// The runs `ids` with the first entries of their journals; those that are not there are left out.
pub async fn find_run_heads(
    store: &dyn Store,
    org: OrgId,
    ids: &[RunId],
) -> Result<Vec<(Run, Option<JournalEntry>)>, Unavailable> {
    let mut runs = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(LIST_LIMIT_ITEMS) {
        let keys: Vec<Key> = chunk.iter().map(|id| head_key(org, *id)).collect();
        let heads = find_all::<Head>(store, &keys).await?;
        runs.extend(heads.into_iter().map(|head| (head.run, head.entries.into_iter().next())));
    }
    Ok(runs)
}

async fn append_later_entries(store: &dyn Store, stored: &mut StoredRun) -> Result<(), Unavailable> {
    let mut after = None;
    loop {
        let page =
            store.list(&Range { after, ..all_of(stored.run.org, stored.run.id, "journal#", "journal$") }).await?;
        for item in &page.items {
            stored.entries.extend(document::read::<Vec<JournalEntry>>(item)?);
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

fn all_of(org: OrgId, id: RunId, from: &str, below: &str) -> Range {
    Range {
        table: Table::Runs,
        scope: Scope::Own,
        partition: partition(org, id),
        from: from.to_owned(),
        below: below.to_owned(),
        order: Order::Ascending,
        limit: LIST_LIMIT_ITEMS,
        after: None,
    }
}

fn head_item(head: HeadOf<'_>, rev: u64, until: Timestamp) -> Result<Item, Unavailable> {
    let run = head.run;
    Ok(Item {
        key: head_key(run.org, run.id),
        rev,
        document: document::write(&head)?,
        index: Some(IndexKey {
            partition: format!("{}#workflow#{}", run.org, run.workflow_id),
            sort: format!("{}#{}", run.started_at, run.id),
        }),
        expires_at: Some(until.as_second()),
    })
}

fn journal_item(run: &Run, written: u64, entries: &[JournalEntry], until: Timestamp) -> Result<Item, Unavailable> {
    Ok(Item {
        key: Key::new(Table::Runs, partition(run.org, run.id), format!("journal#{written:06}")),
        rev: 1,
        document: document::write(&entries)?,
        index: None,
        expires_at: Some(until.as_second()),
    })
}

fn head_key(org: OrgId, id: RunId) -> Key {
    Key::new(Table::Runs, partition(org, id), HEAD)
}

fn partition(org: OrgId, id: RunId) -> String {
    format!("{org}#run#{id}")
}

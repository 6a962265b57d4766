//! Recurring schedules, each with the timer of its next occurrence.

use domain::{OrgId, RecurringSchedule, RecurringScheduleId};

use super::{listing, timers};
use crate::{
    directory::{Listing, Paging},
    document::{self, Versioned},
    envelope::{Named, Recurs},
    ports::{Change, Expectation, Freshness, IndexKey, Item, Key, Store, Table, Unavailable},
};

const SORT: &str = "recurring";

/// The changes that write `schedule` in the place of its revision `rev`, or anew, with the timer of its next occurrence.
///
/// Where there is none, an earlier timer may stay; what it sends finds nothing to do.
pub fn recurring_changes(schedule: &RecurringSchedule, rev: Option<u64>) -> Result<Vec<Change>, Unavailable> {
    let item = Item {
        key: key(schedule.org, schedule.id),
        rev: rev.unwrap_or_default() + 1,
        document: document::write(schedule)?,
        index: Some(IndexKey {
            partition: format!("{}#recurring", schedule.org),
            sort: format!("{}#{}", schedule.created_at, schedule.id),
        }),
        expires_at: None,
    };
    let head = Change::Put(item, Expectation::unchanged(rev));
    Ok([Some(head), recurring_timer(schedule)?].into_iter().flatten().collect())
}

/// The timer of the next occurrence, if there is one. Those of one org stand in one shard.
pub(crate) fn recurring_timer(schedule: &RecurringSchedule) -> Result<Option<Change>, Unavailable> {
    let Some(next) = schedule.next_run_at else { return Ok(None) };
    let (partition, shard) = (partition(schedule.org, schedule.id), schedule.org.to_string());
    let listed = timers::Listed { shard: &shard, order: format!("{next}#{}", schedule.id) };
    let sends = Named::Recurs(Recurs { org: schedule.org, schedule: schedule.id });
    timers::put(partition, listed, next, sends).map(Some)
}

/// The recurring schedule with this id.
pub async fn find_recurring(
    store: &dyn Store,
    org: OrgId,
    id: RecurringScheduleId,
) -> Result<Option<Versioned<RecurringSchedule>>, Unavailable> {
    let found = store.find(&key(org, id), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// One page of an org's recurring schedules, the newest first.
pub async fn list_recurring(
    store: &dyn Store,
    org: OrgId,
    paging: Paging,
) -> Result<Listing<RecurringSchedule>, Unavailable> {
    listing(store, format!("{org}#recurring"), (None, None), paging).await
}

/// The change that deletes the schedule of this revision.
pub fn recurring_deletion(schedule: &RecurringSchedule, rev: u64) -> Change {
    Change::Delete(key(schedule.org, schedule.id), Expectation::Rev(rev))
}

fn key(org: OrgId, id: RecurringScheduleId) -> Key {
    Key::new(Table::Runs, partition(org, id), SORT)
}

fn partition(org: OrgId, id: RecurringScheduleId) -> String {
    format!("{org}#recurring#{id}")
}

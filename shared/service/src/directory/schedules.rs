//! Business schedules, by their ids.

use domain::{OrgId, Schedule, ScheduleId};

use super::{Listing, Paging, Versioned, item, key, list as list_collection, list_all};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Key, LIST_LIMIT_ITEMS, Store, Unavailable, WriteError},
};

const COLLECTION: &str = "schedules";

/// The most schedules of one org. *Why*: executors read them all at once.
pub const SCHEDULES_LIMIT: usize = LIST_LIMIT_ITEMS;

/// Creates `schedule`.
pub async fn create(store: &dyn Store, schedule: &Schedule) -> Result<(), WriteError> {
    put(store, schedule, 1, Expectation::Absent).await
}

/// Writes `schedule` in the place of its revision `rev`.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written it since.
pub async fn replace(store: &dyn Store, schedule: &Schedule, rev: u64) -> Result<(), WriteError> {
    put(store, schedule, rev + 1, Expectation::Rev(rev)).await
}

/// Deletes the schedule.
pub async fn delete(store: &dyn Store, org: OrgId, id: ScheduleId) -> Result<(), WriteError> {
    store.write(&[Change::Delete(schedule_key(org, id), Expectation::Anything)]).await
}

/// The schedule with this id.
pub async fn find(store: &dyn Store, org: OrgId, id: ScheduleId) -> Result<Option<Versioned<Schedule>>, Unavailable> {
    let found = store.find(&schedule_key(org, id), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// One page of an org's schedules, oldest first.
pub async fn list(store: &dyn Store, org: OrgId, paging: Paging) -> Result<Listing<Schedule>, Unavailable> {
    document::read_page(&list_collection(store, org, COLLECTION, paging).await?)
}

/// All of an org's schedules.
pub async fn all(store: &dyn Store, org: OrgId) -> Result<Vec<Schedule>, Unavailable> {
    list_all(store, org, COLLECTION).await?.iter().map(document::read).collect()
}

async fn put(store: &dyn Store, schedule: &Schedule, rev: u64, expectation: Expectation) -> Result<(), WriteError> {
    let place = schedule_key(schedule.org, schedule.id);
    store.write(&[Change::Put(item(place, rev, document::write(schedule)?), expectation)]).await
}

fn schedule_key(org: OrgId, id: ScheduleId) -> Key {
    key(org, COLLECTION, id.to_string())
}

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

/// Creates `schedule`, together with `settings` of the org that name it, if there are any.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written the settings since.
pub async fn create(store: &dyn Store, schedule: &Schedule, settings: Option<Change>) -> Result<(), WriteError> {
    put(store, schedule, 1, Expectation::Absent, settings).await
}

/// Writes `schedule` in the place of its revision `rev`, together with `settings` of the org.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written one of them since.
pub async fn replace(
    store: &dyn Store,
    schedule: &Schedule,
    rev: u64,
    settings: Option<Change>,
) -> Result<(), WriteError> {
    put(store, schedule, rev + 1, Expectation::Rev(rev), settings).await
}

/// Deletes the schedule, together with what `settings` of the org say of it.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written the settings since.
pub async fn delete(store: &dyn Store, org: OrgId, id: ScheduleId, settings: Option<Change>) -> Result<(), WriteError> {
    let gone = Change::Delete(schedule_key(org, id), Expectation::Anything);
    let changes: Vec<Change> = [gone].into_iter().chain(settings).collect();
    store.write(&changes).await
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

async fn put(
    store: &dyn Store,
    schedule: &Schedule,
    rev: u64,
    expectation: Expectation,
    settings: Option<Change>,
) -> Result<(), WriteError> {
    let place = schedule_key(schedule.org, schedule.id);
    let put = Change::Put(item(place, rev, document::write(schedule)?), expectation);
    let changes: Vec<Change> = [put].into_iter().chain(settings).collect();
    store.write(&changes).await
}

fn schedule_key(org: OrgId, id: ScheduleId) -> Key {
    key(org, COLLECTION, id.to_string())
}

//! Klasses, under their names.

use domain::{Klass, OrgId};

use super::{Listing, Paging, Versioned, item, key, list as list_collection};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, Store, Unavailable, WriteError},
};

const COLLECTION: &str = "klasses";

/// Where the klass called `name` is.
pub fn klass_key(org: OrgId, name: &str) -> Key {
    key(org, COLLECTION, name)
}

/// Creates `klass`.
///
/// *Errors*: [`WriteError::Conflict`] when the name is taken.
pub async fn create(store: &dyn Store, klass: &Klass) -> Result<(), WriteError> {
    put(store, klass, 1, Expectation::Absent).await
}

/// Writes `klass` in the place of its revision `rev`.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written it since.
pub async fn replace(store: &dyn Store, klass: &Klass, rev: u64) -> Result<(), WriteError> {
    put(store, klass, rev + 1, Expectation::Rev(rev)).await
}

/// Deletes the klass; its instances stay readable.
pub async fn delete(store: &dyn Store, org: OrgId, name: &str) -> Result<(), WriteError> {
    store.write(&[Change::Delete(klass_key(org, name), Expectation::Anything)]).await
}

/// The klass called `name`.
pub async fn find(store: &dyn Store, org: OrgId, name: &str) -> Result<Option<Versioned<Klass>>, Unavailable> {
    let found = store.find(&klass_key(org, name), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// One page of an org's klasses, by name.
pub async fn list(store: &dyn Store, org: OrgId, paging: Paging) -> Result<Listing<Klass>, Unavailable> {
    document::read_page(&list_collection(store, org, COLLECTION, paging).await?)
}

/// The item of `klass`, for a unit of work.
pub(crate) fn klass_item(klass: &Klass) -> Result<Item, Unavailable> {
    Ok(item(klass_key(klass.org, &klass.name), 1, document::write(klass)?))
}

async fn put(store: &dyn Store, klass: &Klass, rev: u64, expectation: Expectation) -> Result<(), WriteError> {
    store.write(&[change(klass, rev, expectation)?]).await
}

/// The change that writes the revision `rev` of `klass` where `expectation` holds.
pub(crate) fn change(klass: &Klass, rev: u64, expectation: Expectation) -> Result<Change, Unavailable> {
    let place = klass_key(klass.org, &klass.name);
    Ok(Change::Put(item(place, rev, document::write(klass)?), expectation))
}

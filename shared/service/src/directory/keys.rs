//! API keys. A token names its org and key, so that one read finds the digest to compare it with.

use domain::{ApiKey, ApiKeyId, OrgId};

use super::{Listing, Paging, item, key, list as list_collection};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Store, Unavailable, WriteError},
};

const COLLECTION: &str = "keys";

/// Creates `api_key`.
pub async fn create(store: &dyn Store, api_key: &ApiKey) -> Result<(), WriteError> {
    let place = key(api_key.org, COLLECTION, api_key.id.to_string());
    store.write(&[Change::Put(item(place, 1, document::write(api_key)?), Expectation::Absent)]).await
}

/// Deletes the key, whether it was there or not.
pub async fn delete(store: &dyn Store, org: OrgId, id: ApiKeyId) -> Result<(), WriteError> {
    store.write(&[Change::Delete(key(org, COLLECTION, id.to_string()), Expectation::Anything)]).await
}

/// The key with this id.
pub async fn find(store: &dyn Store, org: OrgId, id: ApiKeyId) -> Result<Option<ApiKey>, Unavailable> {
    // A key that was deleted must stop working at once, so the read sees every write.
    let found = store.find(&key(org, COLLECTION, id.to_string()), Freshness::Latest).await?;
    found.as_ref().map(document::read).transpose()
}

/// One page of an org's keys, oldest first.
pub async fn list(store: &dyn Store, org: OrgId, paging: Paging) -> Result<Listing<ApiKey>, Unavailable> {
    document::read_page(&list_collection(store, org, COLLECTION, paging).await?)
}

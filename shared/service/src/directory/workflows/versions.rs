//! Versions of workflows, which never change, and drafts, which nothing runs on.

use domain::{ApiKeyId, OrgId, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Origin, Workflow};
use crate::{
    directory::{Listing, Paging, Versioned, item, key, list_in},
    document,
    ports::{Change, Expectation, Freshness, Key, Order, Store, Unavailable, WriteError},
};

const DRAFTS: &str = "drafts";

/// One version of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Counted from 1; it is the `rev` that the workflow had.
    pub number: u64,
    /// Its name then.
    pub name: String,
    /// Whether it was enabled.
    pub enabled: bool,
    /// Its definition.
    pub hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The key that made it.
    pub created_by: ApiKeyId,
    /// The earlier version that it brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<u64>,
}

/// What is to become the next version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// The document, which need not be one that can be saved.
    #[serde(with = "domain::exact")]
    pub document: Value,
    /// The number of the version that was live when the draft was begun.
    pub base: u64,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The key that changed it last.
    pub updated_by: ApiKeyId,
}

/// The version of that number.
pub async fn find_version(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    number: u64,
) -> Result<Option<Version>, Unavailable> {
    let found = store.find(&version_key(org, workflow, number), Freshness::Latest).await?;
    found.as_ref().map(document::read).transpose()
}

/// One page of a workflow's versions, newest first, also of one that was deleted.
pub async fn list_versions(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    paging: Paging,
) -> Result<Listing<Version>, Unavailable> {
    let page = list_in(store, org, &collection(workflow), Order::Descending, paging).await?;
    document::read_page(&page)
}

/// The draft of a workflow.
pub async fn find_draft(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
) -> Result<Option<Versioned<Draft>>, Unavailable> {
    let found = store.find(&draft_key(org, workflow), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// Writes the draft of a workflow in the place of the revision `before`, or where there was none.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written it since.
pub async fn put_draft(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    draft: &Draft,
    before: Option<u64>,
) -> Result<(), WriteError> {
    let item = item(draft_key(org, workflow), before.unwrap_or(0) + 1, document::write(draft)?);
    let expectation = Expectation::unchanged(before);
    store.write(&[Change::Put(item, expectation)]).await
}

/// Deletes the draft of a workflow, if there is one, or only its revision `rev`.
///
/// *Errors*: [`WriteError::Conflict`] when it is another revision.
pub async fn delete_draft(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    rev: Option<u64>,
) -> Result<(), WriteError> {
    let expectation = rev.map_or(Expectation::Anything, Expectation::Rev);
    store.write(&[Change::Delete(draft_key(org, workflow), expectation)]).await
}

/// The change that writes the version `number`, which is what `workflow` is now.
pub(super) fn put_version(workflow: &Workflow, number: u64, origin: Origin) -> Result<Change, Unavailable> {
    let version = Version {
        number,
        name: workflow.name.clone(),
        enabled: workflow.enabled,
        hash: workflow.hash.clone(),
        created_at: workflow.updated_at,
        created_by: origin.by,
        restores: origin.restores,
    };
    let place = version_key(workflow.org, workflow.id, number);
    Ok(Change::Put(item(place, 1, document::write(&version)?), Expectation::Absent))
}

pub(super) fn draft_key(org: OrgId, workflow: WorkflowId) -> Key {
    key(org, DRAFTS, workflow.to_string())
}

fn version_key(org: OrgId, workflow: WorkflowId, number: u64) -> Key {
    key(org, &collection(workflow), format!("{number:010}"))
}

fn collection(workflow: WorkflowId) -> String {
    format!("versions#{workflow}")
}

//! Workflows: a head that changes, definitions that never do, their versions, and who listens to which event.
//!
//! A definition lives under the SHA-256 of its JSON and is not deleted, so a run finishes on the one it began with
//! whatever happens to the workflow meanwhile. Versions stay as well when a workflow is deleted: what ran can be read.

mod head;
mod versions;

use domain::{ApiKeyId, Event, OrgId, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Listing, Paging, Versioned, item, key, list as list_collection, list_all,
    listeners::{self, listeners},
    variables::{self, VARIABLES_LIMIT},
};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Key, Store, Unavailable, WriteError},
};

pub use versions::{Draft, Version, delete_draft, find_draft, find_version, list_versions, put_draft};

const HEADS: &str = "workflows";
const NAMES: &str = "workflow-names";
const DEFINITIONS: &str = "definitions";

/// The changing part of a workflow: which definition it has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workflow {
    /// The workflow.
    pub id: WorkflowId,
    /// Its owner.
    pub org: OrgId,
    /// The name in its definition, unique in the org.
    pub name: String,
    /// The event it listens to.
    pub event_name: String,
    /// Whether it runs.
    pub enabled: bool,
    /// The name or id of the workflow that starts no runs where this one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The SHA-256 of its definition's JSON.
    pub hash: String,
    /// The installed apps whose actions its steps use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<String>,
    /// The events that its steps wait for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaits: Vec<String>,
    /// The app that brought it along, which alone changes and deletes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A workflow that wants to know of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// The workflow.
    pub workflow: WorkflowId,
    /// Its name.
    pub name: String,
    /// Its definition.
    pub hash: String,
    /// The number of the version that is live.
    #[serde(default)]
    pub version: u64,
    /// Whether it runs.
    pub enabled: bool,
    /// The name or id of the workflow that starts no runs where this one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The installed apps whose actions its steps use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<String>,
}

/// Who made a version, and from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The key that made it.
    pub by: ApiKeyId,
    /// The earlier version that it brings back.
    pub restores: Option<u64>,
}

/// The hash under which `document` is kept.
pub fn definition_hash(document: &Value) -> String {
    hex::encode(Sha256::digest(document.to_string()))
}

/// Creates `workflow` with its definition `document`, which is its version 1.
///
/// *Errors*: [`WriteError::Conflict`] at position [`NAME_POSITION`] when the name is taken.
pub async fn create(
    store: &dyn Store,
    workflow: &Workflow,
    document: &Value,
    origin: Origin,
) -> Result<(), WriteError> {
    store.write(&creation(workflow, document, origin)?).await
}

/// The changes of [`create`].
pub(crate) fn creation(workflow: &Workflow, document: &Value, origin: Origin) -> Result<Vec<Change>, Unavailable> {
    let mut changes = vec![
        put_head(workflow, 1, Expectation::Absent)?,
        put_name(workflow, Expectation::Absent),
        put_definition(workflow, document),
        put_trigger(workflow, 1)?,
        versions::put_version(workflow, 1, origin)?,
    ];
    changes.extend(put_awaited(workflow));
    Ok(changes)
}

/// Where in the changes of [`create`] and [`replace`] the name is.
pub const NAME_POSITION: usize = 1;

/// Writes `workflow` in the place of `before`, with its definition `document` as the next version, and takes away the draft
/// that is published so.
///
/// *Errors*: [`WriteError::Conflict`]: at [`NAME_POSITION`] the name is taken, elsewhere somebody else has written it.
pub async fn replace(
    store: &dyn Store,
    before: &Versioned<Workflow>,
    workflow: &Workflow,
    document: &Value,
    origin: Origin,
    published: Option<&Versioned<Draft>>,
) -> Result<(), WriteError> {
    let mut changes = replacement(before, workflow, document, origin)?;
    if let Some(draft) = published {
        let place = versions::draft_key(workflow.org, workflow.id);
        changes.push(Change::Delete(place, Expectation::Rev(draft.rev)));
    }
    store.write(&changes).await
}

/// The changes of [`replace`] without a draft.
pub(crate) fn replacement(
    before: &Versioned<Workflow>,
    workflow: &Workflow,
    document: &Value,
    origin: Origin,
) -> Result<Vec<Change>, Unavailable> {
    let renamed = before.value.name != workflow.name;
    let name_expectation = if renamed { Expectation::Absent } else { Expectation::Anything };
    let mut changes = vec![
        put_head(workflow, before.rev + 1, Expectation::Rev(before.rev))?,
        put_name(workflow, name_expectation),
        put_definition(workflow, document),
        put_trigger(workflow, before.rev + 1)?,
        versions::put_version(workflow, before.rev + 1, origin)?,
    ];
    changes.extend(put_awaited(workflow));
    if renamed {
        changes.push(Change::Delete(name_key(&before.value), Expectation::Anything));
    }
    if before.value.event_name != workflow.event_name {
        changes.push(deafening(&before.value));
    }
    Ok(changes)
}

/// The change after which no event starts runs of the workflow any more.
pub(crate) fn deafening(workflow: &Workflow) -> Change {
    Change::Delete(trigger_key(workflow), Expectation::Anything)
}

/// Deletes the workflow; its definitions, versions and runs stay, its variables until `variables_until`, a second since
/// 1970, for the runs that are under way.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written it since.
pub async fn delete(store: &dyn Store, workflow: &Versioned<Workflow>, variables_until: i64) -> Result<(), WriteError> {
    let Versioned { rev, value } = workflow;
    variables::expire_until(store, value.org, value.id, variables_until, VARIABLES_LIMIT).await?;
    let mut changes = vec![
        Change::Delete(head_key(value.org, value.id), Expectation::Rev(*rev)),
        Change::Delete(name_key(value), Expectation::Anything),
        Change::Delete(trigger_key(value), Expectation::Anything),
        Change::Delete(versions::draft_key(value.org, value.id), Expectation::Anything),
    ];
    changes.extend(variables::expire(store, value.org, value.id, variables_until).await?);
    store.write(&changes).await?;
    // One that was made meanwhile; now that there is no head, no more are.
    variables::expire_until(store, value.org, value.id, variables_until, 0).await
}

/// The change that only makes sure that the workflow is there, as it is.
pub(super) fn unchanged(workflow: &Versioned<Workflow>) -> Result<Change, Unavailable> {
    put_head(&workflow.value, workflow.rev, Expectation::Rev(workflow.rev))
}

/// The workflow of `org` that is called `name`, or has it as its id.
pub async fn find_called(
    store: &dyn Store,
    org: OrgId,
    name: &str,
) -> Result<Option<Versioned<Workflow>>, Unavailable> {
    let by_name = store.find(&key(org, NAMES, name), Freshness::Recent).await?;
    let by_name: Option<WorkflowId> = by_name.as_ref().map(document::read).transpose()?;
    match by_name.or_else(|| WorkflowId::parse(name).ok()) {
        Some(id) => find(store, org, id).await,
        None => Ok(None),
    }
}

/// Whether a workflow is called `name`.
pub async fn is_taken(store: &dyn Store, org: OrgId, name: &str) -> Result<bool, Unavailable> {
    Ok(store.find(&key(org, NAMES, name), Freshness::Latest).await?.is_some())
}

/// The workflow with this id.
pub async fn find(store: &dyn Store, org: OrgId, id: WorkflowId) -> Result<Option<Versioned<Workflow>>, Unavailable> {
    let found = store.find(&head_key(org, id), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// One page of an org's workflows, oldest first.
pub async fn list(store: &dyn Store, org: OrgId, paging: Paging) -> Result<Listing<Versioned<Workflow>>, Unavailable> {
    let page = list_collection(store, org, HEADS, paging).await?;
    let items = page.items.iter().map(document::read_versioned).collect::<Result<_, Unavailable>>()?;
    Ok(Listing { items, next: page.next })
}

/// The definition under `hash`, as it was written.
pub async fn find_definition(store: &dyn Store, org: OrgId, hash: &str) -> Result<Option<Value>, Unavailable> {
    // Nothing under a hash ever changes, so a recent read is as good as the latest once it finds something.
    let key = definition_key(org, hash);
    let found = match store.find(&key, Freshness::Recent).await? {
        Some(found) => Some(found),
        None => store.find(&key, Freshness::Latest).await?,
    };
    found.as_ref().map(document::read_value).transpose()
}

/// The definitions under `hashes`, in that order; those that are not there are left out.
pub async fn find_definitions(
    store: &dyn Store,
    org: OrgId,
    hashes: &[&str],
) -> Result<Vec<(String, Value)>, Unavailable> {
    let keys: Vec<Key> = hashes.iter().map(|hash| definition_key(org, hash)).collect();
    let items = store.find_all(&keys).await?;
    items.iter().map(|item| Ok((item.key.sort.clone(), document::read_value(item)?))).collect()
}

/// Who wants to know of an event.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// Every workflow that listens to it, enabled or not, oldest first.
    pub triggers: Vec<Trigger>,
    /// Whether runs may wait for it.
    pub is_awaited: bool,
}

impl Heard {
    /// Whether nobody does.
    pub fn is_by_nobody(&self) -> bool {
        self.triggers.is_empty() && !self.is_awaited
    }
}

/// Who wants to know of `event_name`.
pub async fn heard(store: &dyn Store, org: OrgId, event_name: &str) -> Result<Heard, Unavailable> {
    if Event::is_of_record(event_name) {
        return Ok(listeners(store, org).await?.heard(event_name));
    }
    let (collection, _) = listeners::place(event_name);
    let items = list_all(store, org, &collection).await?;
    let (marks, triggers): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.key.sort == listeners::AWAITED);
    let triggers = triggers.into_iter().map(document::read).collect::<Result<_, Unavailable>>()?;
    Ok(Heard { triggers, is_awaited: !marks.is_empty() })
}

/// The changes after which the events are known that runs of the workflow may wait for. They stay known whatever becomes of it,
/// because its runs go on.
fn put_awaited(workflow: &Workflow) -> impl Iterator<Item = Change> {
    workflow.awaits.iter().map(|event_name| {
        let (collection, before) = listeners::place(event_name);
        let place = key(workflow.org, &collection, format!("{before}{}", listeners::AWAITED));
        Change::Put(item(place, 1, "true".to_owned()), Expectation::Anything)
    })
}

fn put_head(workflow: &Workflow, rev: u64, expectation: Expectation) -> Result<Change, Unavailable> {
    let place = head_key(workflow.org, workflow.id);
    Ok(Change::Put(item(place, rev, document::write(workflow)?), expectation))
}

fn put_name(workflow: &Workflow, expectation: Expectation) -> Change {
    Change::Put(item(name_key(workflow), 1, format!("\"{}\"", workflow.id)), expectation)
}

fn put_definition(workflow: &Workflow, document: &Value) -> Change {
    let place = definition_key(workflow.org, &workflow.hash);
    Change::Put(item(place, 1, document.to_string()), Expectation::Anything)
}

fn put_trigger(workflow: &Workflow, version: u64) -> Result<Change, Unavailable> {
    let trigger = Trigger {
        workflow: workflow.id,
        name: workflow.name.clone(),
        hash: workflow.hash.clone(),
        version,
        enabled: workflow.enabled,
        replaces: workflow.replaces.clone(),
        apps: workflow.apps.clone(),
    };
    Ok(Change::Put(item(trigger_key(workflow), 1, document::write(&trigger)?), Expectation::Anything))
}

fn head_key(org: OrgId, id: WorkflowId) -> Key {
    key(org, HEADS, id.to_string())
}

/// Where the definition of this hash is.
pub(crate) fn definition_key(org: OrgId, hash: &str) -> Key {
    key(org, DEFINITIONS, hash)
}

fn name_key(workflow: &Workflow) -> Key {
    key(workflow.org, NAMES, workflow.name.as_str())
}

fn trigger_key(workflow: &Workflow) -> Key {
    let (collection, before) = listeners::place(&workflow.event_name);
    key(workflow.org, &collection, format!("{before}{}", workflow.id))
}

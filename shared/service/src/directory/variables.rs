//! Variables of workflows: secrets that expressions name by their id. What is written is never given out again.
//!
//! A value that is changed or deleted is kept as a retired one for as long as runs are, because what steps put out before is
//! masked when it is read, and a run that waits goes on with it.

use domain::{OrgId, Timestamp, VariableId, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Paging, Versioned, item, key, list_all, list_in,
    workflows::{self, Workflow},
};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, LIST_LIMIT_ITEMS, Order, Store, Unavailable, WriteError},
    runs::RETENTION_SECONDS,
};

const OWNERS: &str = "variable-owners";

/// The most variables of one workflow. *Why*: they are deleted with it in one write.
pub const VARIABLES_LIMIT: usize = 40;

/// How many changes let one go.
const CHANGES_EACH: usize = 2;

/// The most bytes of a value.
pub const VALUE_LIMIT_BYTES: usize = 4_096;

/// The most characters of a name.
pub const NAME_LIMIT_CHARS: usize = 128;

/// How many characters of a value are shown at its end, where it has at least four times as many.
const SHOWN_CHARS: usize = 4;

/// A variable of a workflow.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// What expressions call it.
    pub id: VariableId,
    /// What people call it.
    pub name: String,
    /// The secret.
    pub value: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Variable").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Variable {
    /// What is shown of the value: `••••3f2a`, or nothing of a short one.
    pub fn masked_value(&self) -> String {
        masked(&self.value)
    }
}

/// What is shown of a secret: `••••3f2a`, or nothing of a short one.
pub fn masked(secret: &str) -> String {
    let count = secret.chars().count();
    let shown: String = match count >= 4 * SHOWN_CHARS {
        true => secret.chars().skip(count - SHOWN_CHARS).collect(),
        false => String::new(),
    };
    format!("••••{shown}")
}

/// All variables of `workflow`, oldest first.
pub async fn all(store: &dyn Store, org: OrgId, workflow: WorkflowId) -> Result<Vec<Variable>, Unavailable> {
    let items = list_all(store, org, &collection(workflow)).await?;
    items.iter().map(document::read).collect()
}

/// The values that variables of `workflow` had before, the latest hundred.
pub async fn retired(store: &dyn Store, org: OrgId, workflow: WorkflowId) -> Result<Vec<String>, Unavailable> {
    let paging = Paging { limit: LIST_LIMIT_ITEMS, after: None };
    let page = list_in(store, org, &retired_collection(workflow), Order::Descending, paging).await?;
    page.items.iter().map(document::read).collect()
}

/// What expressions find of them: each value by its variable's id.
pub fn values(variables: Vec<Variable>) -> Map<String, Value> {
    variables.into_iter().map(|variable| (variable.id.to_string(), Value::String(variable.value))).collect()
}

/// The variable with this id. Which workflow it belongs to is known by an item of its own.
pub async fn find(
    store: &dyn Store,
    org: OrgId,
    id: VariableId,
) -> Result<Option<(WorkflowId, Versioned<Variable>)>, Unavailable> {
    let Some(owner) = store.find(&owner_key(org, id), Freshness::Latest).await? else { return Ok(None) };
    let workflow: WorkflowId = document::read(&owner)?;
    let found = store.find(&variable_key(org, workflow, id), Freshness::Latest).await?;
    let found: Option<Versioned<Variable>> = found.as_ref().map(document::read_versioned).transpose()?;
    Ok(found.map(|found| (workflow, found)))
}

/// Creates `variable` of `workflow`.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written or deleted the workflow since.
pub async fn create(store: &dyn Store, workflow: &Versioned<Workflow>, variable: &Variable) -> Result<(), WriteError> {
    let (org, id) = (workflow.value.org, workflow.value.id);
    let owner = item(owner_key(org, variable.id), 1, document::write(&id)?);
    let changes = [
        Change::Put(variable_item(org, id, variable, 1)?, Expectation::Absent),
        Change::Put(owner, Expectation::Absent),
        // Nobody would delete the variable of a workflow that is gone.
        workflows::unchanged(workflow)?,
    ];
    store.write(&changes).await
}

/// Writes `variable` in the place of `before`, whose value is retired if it is another one.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written it since, or the workflow is gone.
pub async fn replace(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    before: &Versioned<Variable>,
    variable: &Variable,
) -> Result<(), WriteError> {
    let owner = item(owner_key(org, variable.id), 1, document::write(&workflow)?);
    let mut changes = vec![
        Change::Put(variable_item(org, workflow, variable, before.rev + 1)?, Expectation::Rev(before.rev)),
        Change::Put(owner, Expectation::Rev(1)),
    ];
    if before.value.value != variable.value {
        changes.push(retire(org, workflow, before, variable.updated_at)?);
    }
    store.write(&changes).await
}

/// Deletes the variable and retires its value.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written it since.
pub async fn delete(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    variable: &Versioned<Variable>,
    now: Timestamp,
) -> Result<(), WriteError> {
    let id = variable.value.id;
    let changes = [
        Change::Delete(variable_key(org, workflow, id), Expectation::Rev(variable.rev)),
        Change::Delete(owner_key(org, id), Expectation::Anything),
        retire(org, workflow, variable, now)?,
    ];
    store.write(&changes).await
}

/// Lets the variables of a workflow go at `second`, until at most `left` of them stay. *Why not all at once*: many that are made
/// at the same time may pass the limit, and a write takes so many changes and no more.
pub(super) async fn expire_until(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    second: i64,
    left: usize,
) -> Result<(), WriteError> {
    loop {
        let changes = expire(store, org, workflow, second).await?;
        if changes.len() <= CHANGES_EACH * left {
            return Ok(());
        }
        let first: Vec<Change> = changes.into_iter().take(CHANGES_EACH * VARIABLES_LIMIT).collect();
        store.write(&first).await?;
    }
}

/// The changes that let the variables of a workflow go at `second`, which its runs under way still need:
/// [`CHANGES_EACH`] for each that does not go already.
pub(super) async fn expire(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    second: i64,
) -> Result<Vec<Change>, Unavailable> {
    let mut changes = Vec::new();
    let staying =
        list_all(store, org, &collection(workflow)).await?.into_iter().filter(|item| item.expires_at.is_none());
    for item in staying {
        let (rev, owner) = (item.rev, key(org, OWNERS, item.key.sort.clone()));
        let leaving = Item { rev: rev + 1, expires_at: Some(second), ..item };
        changes.push(Change::Put(leaving, Expectation::Rev(rev)));
        changes.push(Change::Delete(owner, Expectation::Anything));
    }
    Ok(changes)
}

/// The change that keeps a value that is none any more, for as long as runs are kept.
fn retire(
    org: OrgId,
    workflow: WorkflowId,
    Versioned { rev, value: variable }: &Versioned<Variable>,
    now: Timestamp,
) -> Result<Change, Unavailable> {
    let place = key(org, &retired_collection(workflow), format!("{now}#{}#{rev:010}", variable.id));
    let until = now.plus_seconds(RETENTION_SECONDS).as_second();
    let retired = Item { expires_at: Some(until), ..item(place, 1, document::write(&variable.value)?) };
    Ok(Change::Put(retired, Expectation::Anything))
}

fn retired_collection(workflow: WorkflowId) -> String {
    format!("retired-values#{workflow}")
}

fn variable_item(org: OrgId, workflow: WorkflowId, variable: &Variable, rev: u64) -> Result<Item, Unavailable> {
    Ok(item(variable_key(org, workflow, variable.id), rev, document::write(variable)?))
}

fn collection(workflow: WorkflowId) -> String {
    format!("variables#{workflow}")
}

fn variable_key(org: OrgId, workflow: WorkflowId, id: VariableId) -> Key {
    key(org, &collection(workflow), id.to_string())
}

fn owner_key(org: OrgId, id: VariableId) -> Key {
    key(org, OWNERS, id.to_string())
}

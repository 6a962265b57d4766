//! Variables of workflows: secrets that expressions name by their id. What is written is never given out again.

use domain::{OrgId, Timestamp, VariableId, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Paging, Versioned, item, key, list as list_collection};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, LIST_LIMIT_ITEMS, Store, Unavailable, WriteError},
};

/// The most variables of one workflow. *Why*: they are deleted with it in one write.
pub const VARIABLES_LIMIT: usize = 40;

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
        let count = self.value.chars().count();
        let shown: String = if count >= 4 * SHOWN_CHARS {
            self.value.chars().skip(count - SHOWN_CHARS).collect()
        } else {
            String::new()
        };
        format!("••••{shown}")
    }
}

/// All variables of `workflow`, oldest first.
pub async fn all(store: &dyn Store, org: OrgId, workflow: WorkflowId) -> Result<Vec<Variable>, Unavailable> {
    let paging = Paging { limit: LIST_LIMIT_ITEMS, after: None };
    let page = list_collection(store, org, &collection(workflow), paging).await?;
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
pub async fn create(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    variable: &Variable,
) -> Result<(), WriteError> {
    let owner = item(owner_key(org, variable.id), 1, document::write(&workflow)?);
    let changes = [
        Change::Put(variable_item(org, workflow, variable, 1)?, Expectation::Absent),
        Change::Put(owner, Expectation::Absent),
    ];
    store.write(&changes).await
}

/// Writes `variable` in the place of its revision `rev`.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written it since.
pub async fn replace(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    variable: &Variable,
    rev: u64,
) -> Result<(), WriteError> {
    let changes = [Change::Put(variable_item(org, workflow, variable, rev + 1)?, Expectation::Rev(rev))];
    store.write(&changes).await
}

/// Deletes the variable.
pub async fn delete(store: &dyn Store, org: OrgId, workflow: WorkflowId, id: VariableId) -> Result<(), WriteError> {
    let gone = |key| Change::Delete(key, Expectation::Anything);
    store.write(&[gone(variable_key(org, workflow, id)), gone(owner_key(org, id))]).await
}

/// The changes that let the variables of a workflow go at `second`, which its runs under way still need.
pub(super) async fn expire(
    store: &dyn Store,
    org: OrgId,
    workflow: WorkflowId,
    second: i64,
) -> Result<Vec<Change>, Unavailable> {
    let mut changes = Vec::new();
    for variable in all(store, org, workflow).await? {
        let Item { key, rev, document, index, .. } = variable_item(org, workflow, &variable, 1)?;
        changes.push(Change::Put(Item { key, rev, document, index, expires_at: Some(second) }, Expectation::Anything));
        changes.push(Change::Delete(owner_key(org, variable.id), Expectation::Anything));
    }
    Ok(changes)
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
    key(org, "variable-owners", id.to_string())
}

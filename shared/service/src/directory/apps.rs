//! Apps of an org: the versions that it registered, which never change, and what is installed.
//!
//! Whatever installs, upgrades or uninstalls moves the fence of its org on, in the write that decides it. *Why*: an app
//! depends on others and takes names, so what was looked at before the write has to hold in it.

use domain::{HookHash, HookId, HookKind, OrgId, Timestamp, WorkflowId};
use engine::app::Setting;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Versioned, item, key, list_all};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Key, LIST_LIMIT_ITEMS, Store, Unavailable, WriteError},
};

const AVAILABLE: &str = "available-apps";
const INSTALLED: &str = "apps";
const FENCE: &str = "app-fence";

/// The most apps of an org that are registered, and that are installed. *Why*: both are listed at once.
pub const APPS_LIMIT: usize = LIST_LIMIT_ITEMS;

/// The most versions of one app.
pub const VERSIONS_LIMIT: usize = 100;

/// An app that an org registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Available {
    /// Its name.
    pub name: String,
    /// What the newest version calls it.
    pub title: String,
    /// Its versions, the newest last.
    pub versions: Vec<String>,
    /// What the newest version depends on.
    pub dependencies: Vec<String>,
    /// When it was first registered.
    pub created_at: Timestamp,
    /// When its newest version was.
    pub updated_at: Timestamp,
}

/// Whether an app works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppState {
    /// It does.
    Installed,
    /// It is being taken away; doing it again ends it.
    Uninstalling,
}

/// A hook that an app brought along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstalledHook {
    /// The event it fires.
    pub event_name: String,
    /// Form, web or email.
    pub kind: HookKind,
    /// The hook.
    pub id: HookId,
    /// Its address.
    pub hash: HookHash,
}

/// A workflow that an app brought along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstalledWorkflow {
    /// Its name.
    pub name: String,
    /// The workflow.
    pub id: WorkflowId,
}

/// What an app brought along.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parts {
    /// Hooks.
    pub hooks: Vec<InstalledHook>,
    /// Workflows.
    pub workflows: Vec<InstalledWorkflow>,
    /// Names of klasses.
    pub klasses: Vec<String>,
}

impl Parts {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.hooks.is_empty() && self.workflows.is_empty() && self.klasses.is_empty()
    }
}

/// An app that is installed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Installed {
    /// Its name.
    pub name: String,
    /// The version that is.
    pub version: String,
    /// What people call it.
    pub title: String,
    /// Whether it works.
    pub state: AppState,
    /// What it depends on.
    pub dependencies: Vec<String>,
    /// Its settings.
    pub settings: Vec<Setting>,
    /// What it brought along.
    pub parts: Parts,
    /// What the version before brought along and this one does not have, as long as it has not been taken away.
    #[serde(default, skip_serializing_if = "Parts::is_empty")]
    pub leaving: Parts,
    /// When it was installed.
    pub created_at: Timestamp,
    /// When this version was.
    pub updated_at: Timestamp,
}

/// Registers a version of an app, in the place of what was known of it `before`.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has registered one since.
pub async fn register(
    store: &dyn Store,
    org: OrgId,
    before: Option<u64>,
    available: &Available,
    (version, document): (&str, &Value),
) -> Result<(), WriteError> {
    let head = item(available_key(org, &available.name), before.unwrap_or(0) + 1, document::write(available)?);
    let definition = item(version_key(org, &available.name, version), 1, document.to_string());
    let changes = [Change::Put(head, Expectation::unchanged(before)), Change::Put(definition, Expectation::Absent)];
    store.write(&changes).await
}

/// The registered app called `name`.
pub async fn find_available(
    store: &dyn Store,
    org: OrgId,
    name: &str,
) -> Result<Option<Versioned<Available>>, Unavailable> {
    let found = store.find(&available_key(org, name), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// All registered apps, by name.
pub async fn all_available(store: &dyn Store, org: OrgId) -> Result<Vec<Available>, Unavailable> {
    list_all(store, org, AVAILABLE).await?.iter().map(document::read).collect()
}

/// The definition of a version, names whole.
pub async fn find_version(
    store: &dyn Store,
    org: OrgId,
    name: &str,
    version: &str,
) -> Result<Option<Value>, Unavailable> {
    // A version never changes, so a recent read is as good as the latest once it finds something.
    let key = version_key(org, name, version);
    let found = match store.find(&key, Freshness::Recent).await? {
        Some(found) => Some(found),
        None => store.find(&key, Freshness::Latest).await?,
    };
    found.as_ref().map(document::read_value).transpose()
}

/// The installed app called `name`, also while it is being taken away.
pub async fn find_installed(
    store: &dyn Store,
    org: OrgId,
    name: &str,
) -> Result<Option<Versioned<Installed>>, Unavailable> {
    let found = store.find(&installed_key(org, name), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// All installed apps, by name.
pub async fn all_installed(store: &dyn Store, org: OrgId) -> Result<Vec<Installed>, Unavailable> {
    list_all(store, org, INSTALLED).await?.iter().map(document::read).collect()
}

/// Where the fence of an org stands.
pub async fn find_fence(store: &dyn Store, org: OrgId) -> Result<Option<u64>, Unavailable> {
    Ok(store.find(&fence_key(org), Freshness::Latest).await?.map(|fence| fence.rev))
}

/// The change that moves the fence on from where it stood.
pub fn move_fence(org: OrgId, stood: Option<u64>) -> Change {
    let fence = item(fence_key(org), stood.unwrap_or(0) + 1, "null".to_owned());
    Change::Put(fence, Expectation::unchanged(stood))
}

/// The change that writes what is installed in the place of the revision `before`, or where nothing was.
pub fn put_installed(org: OrgId, installed: &Installed, before: Option<u64>) -> Result<Change, Unavailable> {
    let place = installed_key(org, &installed.name);
    let item = item(place, before.unwrap_or(0) + 1, document::write(installed)?);
    Ok(Change::Put(item, Expectation::unchanged(before)))
}

/// The change after which nothing is installed under `name` any more.
pub fn remove_installed(org: OrgId, name: &str, rev: u64) -> Change {
    Change::Delete(installed_key(org, name), Expectation::Rev(rev))
}

fn available_key(org: OrgId, name: &str) -> Key {
    key(org, AVAILABLE, name)
}

fn version_key(org: OrgId, name: &str, version: &str) -> Key {
    key(org, &format!("app-versions#{name}"), version)
}

fn installed_key(org: OrgId, name: &str) -> Key {
    key(org, INSTALLED, name)
}

fn fence_key(org: OrgId) -> Key {
    key(org, FENCE, "fence")
}

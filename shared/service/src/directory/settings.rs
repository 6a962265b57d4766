//! Settings: of an org, and of the apps it uses.

use domain::{OrgId, ScheduleId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Versioned, item, key, list_all};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Key, LIST_LIMIT_ITEMS, Store, Unavailable, WriteError},
};

const APPS: &str = "app-settings";

/// What an org has set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The business schedule that is meant when none is named.
    #[serde(default)]
    pub default_schedule: Option<ScheduleId>,
}

/// The settings of `org`.
pub async fn find(store: &dyn Store, org: OrgId) -> Result<Settings, Unavailable> {
    let found = store.find(&org_key(org), Freshness::Latest).await?;
    Ok(found.as_ref().map(document::read).transpose()?.unwrap_or_default())
}

/// Writes the settings of `org`.
pub async fn put(store: &dyn Store, org: OrgId, settings: &Settings) -> Result<(), WriteError> {
    let item = item(org_key(org), 1, document::write(settings)?);
    store.write(&[Change::Put(item, Expectation::Anything)]).await
}

/// The most apps of an org that have settings. *Why*: executors read them all at once.
pub const APPS_LIMIT: usize = LIST_LIMIT_ITEMS;

/// The settings of an app, as category and name; none where none are set.
pub async fn find_app_settings(
    store: &dyn Store,
    org: OrgId,
    app: &str,
) -> Result<Option<Versioned<Map<String, Value>>>, Unavailable> {
    let Some(found) = store.find(&app_key(org, app), Freshness::Latest).await? else { return Ok(None) };
    match document::read_value(&found)? {
        Value::Object(value) => Ok(Some(Versioned { rev: found.rev, value })),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Ok(None),
    }
}

/// Writes the settings of an app in the place of the revision `before`, or where there were none. Without any, there is
/// nothing of the app any more.
///
/// *Errors*: [`WriteError::Conflict`] when somebody else has written them since.
pub async fn put_app_settings(
    store: &dyn Store,
    org: OrgId,
    app: &str,
    settings: &Map<String, Value>,
    before: Option<u64>,
) -> Result<(), WriteError> {
    let (place, expectation) = (app_key(org, app), before.map_or(Expectation::Absent, Expectation::Rev));
    let change = if settings.is_empty() {
        Change::Delete(place, expectation)
    } else {
        Change::Put(item(place, before.unwrap_or(0) + 1, document::write(settings)?), expectation)
    };
    store.write(&[change]).await
}

/// The settings of all apps, by app.
pub async fn all_app_settings(store: &dyn Store, org: OrgId) -> Result<Map<String, Value>, Unavailable> {
    let items = list_all(store, org, APPS).await?;
    items.iter().map(|item| Ok((item.key.sort.clone(), document::read_value(item)?))).collect()
}

fn org_key(org: OrgId) -> Key {
    key(org, "settings", "org")
}

fn app_key(org: OrgId, app: &str) -> Key {
    key(org, APPS, app)
}

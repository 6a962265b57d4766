//! Settings: of an org, and of the apps it uses.

use domain::{Limit, OrgId, ScheduleId, Timestamp};
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
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// What people call the org.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The IANA name of the time zone that is meant where none is named; UTC without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The business schedule that is meant when none is named.
    pub default_schedule: Option<ScheduleId>,
    /// How many arrivals all hooks together let in, in the place of what the deployment says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// How many a hook lets in that has no limit of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_limit: Option<Limit>,
    /// When they were last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// The settings of `org`; of revision 0 where nothing was ever set.
pub async fn find(store: &dyn Store, org: OrgId, freshness: Freshness) -> Result<Versioned<Settings>, Unavailable> {
    let found = store.find(&org_key(org), freshness).await?;
    let found = found.as_ref().map(document::read_versioned).transpose()?;
    Ok(found.unwrap_or(Versioned { rev: 0, value: Settings::default() }))
}

/// The change that writes `settings` in the place of the revision `before`, to be part of a write.
pub fn change(org: OrgId, settings: &Settings, before: u64) -> Result<Change, Unavailable> {
    let expectation = if before == 0 { Expectation::Absent } else { Expectation::Rev(before) };
    Ok(Change::Put(item(org_key(org), before + 1, document::write(settings)?), expectation))
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

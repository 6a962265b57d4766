//! Settings: of an org, and of the apps it uses.

use domain::{OrgId, ScheduleId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Paging, item, key, list as list_collection};
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

/// The settings of an app, as category and name; empty where none are set.
pub async fn find_app_settings(store: &dyn Store, org: OrgId, app: &str) -> Result<Map<String, Value>, Unavailable> {
    let found = store.find(&app_key(org, app), Freshness::Latest).await?;
    match found.as_ref().map(document::read_value).transpose()? {
        Some(Value::Object(settings)) => Ok(settings),
        Some(_) | None => Ok(Map::new()),
    }
}

/// Writes the settings of an app.
pub async fn put_app_settings(
    store: &dyn Store,
    org: OrgId,
    app: &str,
    settings: &Map<String, Value>,
) -> Result<(), WriteError> {
    let item = item(app_key(org, app), 1, document::write(settings)?);
    store.write(&[Change::Put(item, Expectation::Anything)]).await
}

/// The settings of all apps, by app.
pub async fn all_app_settings(store: &dyn Store, org: OrgId) -> Result<Map<String, Value>, Unavailable> {
    let paging = Paging { limit: LIST_LIMIT_ITEMS, after: None };
    let page = list_collection(store, org, APPS, paging).await?;
    page.items.iter().map(|item| Ok((item.key.sort.clone(), document::read_value(item)?))).collect()
}

fn org_key(org: OrgId) -> Key {
    key(org, "settings", "org")
}

fn app_key(org: OrgId, app: &str) -> Key {
    key(org, APPS, app)
}

//! Settings: of an org, and of the apps it uses.

use domain::{OrgId, ScheduleId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Paging, Versioned, item, key, list_all, list_in};
use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, LIST_LIMIT_ITEMS, Order, Store, Unavailable, WriteError},
    runs::RETENTION_SECONDS,
};

const APPS: &str = "app-settings";
const RETIRED: &str = "retired-settings";

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
    store.write(&[app_settings_change(org, app, settings, before)?]).await
}

/// The change of [`put_app_settings`].
pub(crate) fn app_settings_change(
    org: OrgId,
    app: &str,
    settings: &Map<String, Value>,
    before: Option<u64>,
) -> Result<Change, Unavailable> {
    let (place, expectation) = (app_key(org, app), before.map_or(Expectation::Absent, Expectation::Rev));
    if settings.is_empty() {
        return Ok(Change::Delete(place, expectation));
    }
    Ok(Change::Put(item(place, before.unwrap_or(0) + 1, document::write(settings)?), expectation))
}

/// The change that keeps secrets which are settings of `app` no more, for as long as runs are: what steps put out before is
/// masked when it is read. `rev` is that of the settings they were in.
pub(crate) fn retire_secrets(
    org: OrgId,
    (app, rev): (&str, u64),
    secrets: &[String],
    now: Timestamp,
) -> Result<Change, Unavailable> {
    let place = key(org, RETIRED, format!("{now}#{app}#{rev:010}"));
    let until = now.plus_seconds(RETENTION_SECONDS).as_second();
    let retired = Item { expires_at: Some(until), ..item(place, 1, document::write(&secrets)?) };
    Ok(Change::Put(retired, Expectation::Anything))
}

/// The secrets that settings of apps were before, of the latest hundred changes.
pub async fn retired_secrets(store: &dyn Store, org: OrgId) -> Result<Vec<String>, Unavailable> {
    let paging = Paging { limit: LIST_LIMIT_ITEMS, after: None };
    let page = list_in(store, org, RETIRED, Order::Descending, paging).await?;
    let secrets = page.items.iter().map(document::read).collect::<Result<Vec<Vec<String>>, Unavailable>>()?;
    Ok(secrets.into_iter().flatten().collect())
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

//! Settings: of an org, and of the apps it uses.

use domain::{Limit, OrgId, ScheduleId, Timestamp};
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

/// How many messages of an org are executed at the same time where it has not set that.
pub const IN_FLIGHT_LIMIT_UNSET: u32 = 100;

/// The most that can be set. *Source*: the concurrency that an AWS account has at first.
pub const IN_FLIGHT_LIMIT_MOST: u32 = 1_000;

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
    /// How many of its messages are executed at the same time; [`IN_FLIGHT_LIMIT_UNSET`] without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight_limit: Option<u32>,
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
    store.write(&[app_settings_change(org, app, settings, before)?]).await
}

/// The change of [`put_app_settings`].
pub(crate) fn app_settings_change(
    org: OrgId,
    app: &str,
    settings: &Map<String, Value>,
    before: Option<u64>,
) -> Result<Change, Unavailable> {
    let (place, expectation) = (app_key(org, app), Expectation::unchanged(before));
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

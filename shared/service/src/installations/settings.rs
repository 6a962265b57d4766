//! What settings of apps are worth: those that are set and fit, else what the definition says; and which are secrets.

use std::collections::HashSet;

use domain::{OrgId, Timestamp};
use engine::app::{Setting, SettingKind};
use futures_util::future::try_join3;
use serde_json::{Map, Value};

use crate::{
    directory::{
        apps::{self, Installed},
        settings,
        variables::masked,
    },
    ports::{Change, Store, Unavailable},
};

/// The fewest and the most bytes of a secret. *Why the fewest*: shorter ones are not masked in texts, as half of all texts
/// would hold them.
pub const SECRET_LEAST_BYTES: usize = 4;
/// See [`SECRET_LEAST_BYTES`].
pub const SECRET_LIMIT_BYTES: usize = 4_096;

/// The settings of all apps of an org, as its workflows find them.
#[derive(Debug, Clone, Default)]
pub struct AppSettings {
    /// By app, category and name.
    pub values: Map<String, Value>,
    /// Those that are secrets, and those that were.
    pub secrets: Vec<String>,
}

/// Reads the settings of all apps of an org.
pub async fn of_org(store: &dyn Store, org: OrgId) -> Result<AppSettings, Unavailable> {
    let (installed, mut values, mut secrets) = try_join3(
        apps::all_installed(store, org),
        settings::all_app_settings(store, org),
        settings::retired_secrets(store, org),
    )
    .await?;
    for app in &installed {
        let set = values.get(&app.name).and_then(Value::as_object).cloned().unwrap_or_default();
        secrets.extend(secrets_in(&app.settings, &set));
        values.insert(app.name.clone(), Value::Object(effective(&app.settings, &set)));
    }
    Ok(AppSettings { values, secrets })
}

/// What holds of what is `set`.
pub fn effective(defined: &[Setting], set: &Map<String, Value>) -> Map<String, Value> {
    let mut values = Map::new();
    for setting in defined {
        let value = value_of(setting, set).or(setting.default_value.as_ref());
        let category = values.entry(setting.category.as_str()).or_insert_with(|| Value::Object(Map::new()));
        if let (Some(value), Some(category)) = (value, category.as_object_mut()) {
            category.insert(setting.name.clone(), value.clone());
        }
    }
    values
}

/// The same as it may be shown: secrets masked.
pub fn shown(defined: &[Setting], set: &Map<String, Value>) -> Map<String, Value> {
    let mut values = effective(defined, set);
    for setting in defined.iter().filter(|setting| setting.kind == SettingKind::Secret) {
        let place = values.get_mut(&setting.category).and_then(|category| category.get_mut(&setting.name));
        if let Some(Value::String(value)) = place {
            *value = masked(value);
        }
    }
    values
}

/// The settings that the app needs and that nobody has set, as `{category}.{name}`.
pub fn missing(defined: &[Setting], set: &Map<String, Value>) -> Vec<String> {
    let is_missing =
        |setting: &&Setting| setting.required && setting.default_value.is_none() && value_of(setting, set).is_none();
    defined.iter().filter(is_missing).map(Setting::path).collect()
}

/// The secrets among what is set.
pub fn secrets_in(defined: &[Setting], set: &Map<String, Value>) -> Vec<String> {
    let secrets = defined.iter().filter(|setting| setting.kind == SettingKind::Secret);
    secrets.filter_map(|setting| value_of(setting, set)?.as_str()).map(str::to_owned).collect()
}

/// The changes that put `after` in the place of what is set, and keep the secrets that are none any more.
pub(crate) fn changes(
    org: OrgId,
    app: &str,
    (defined, before, rev): (&[Setting], &Map<String, Value>, Option<u64>),
    (redefined, after): (&[Setting], &Map<String, Value>),
    now: Timestamp,
) -> Result<Vec<Change>, Unavailable> {
    let mut changes = vec![settings::app_settings_change(org, app, after, rev)?];
    let staying: HashSet<String> = secrets_in(redefined, after).into_iter().collect();
    let gone: Vec<String> =
        secrets_in(defined, before).into_iter().filter(|secret| !staying.contains(secret)).collect();
    if !gone.is_empty() {
        changes.push(settings::retire_secrets(org, (app, rev.unwrap_or_default()), &gone, now)?);
    }
    Ok(changes)
}

/// Of what is set, what is `redefined`. What was a secret and is to be shown from now on has to be set again.
pub(super) fn carried_over(defined: &[Setting], redefined: &[Setting], set: &Map<String, Value>) -> Map<String, Value> {
    let was_secret = |setting: &Setting| {
        let of_old = defined.iter().find(|old| old.category == setting.category && old.name == setting.name);
        of_old.is_some_and(|old| old.kind == SettingKind::Secret)
    };
    let mut kept = Map::new();
    for setting in redefined.iter().filter(|setting| setting.kind == SettingKind::Secret || !was_secret(setting)) {
        if let Some(value) = value_of(setting, set) {
            let category = kept.entry(setting.category.as_str()).or_insert_with(|| Value::Object(Map::new()));
            if let Some(category) = category.as_object_mut() {
                category.insert(setting.name.clone(), value.clone());
            }
        }
    }
    kept
}

fn value_of<'s>(setting: &Setting, set: &'s Map<String, Value>) -> Option<&'s Value> {
    set.get(&setting.category)?.get(&setting.name).filter(|value| setting.kind.takes(value))
}

/// What is set of an app that is installed.
pub(super) async fn set_of(
    store: &dyn Store,
    org: OrgId,
    installed: &Installed,
) -> Result<(Map<String, Value>, Option<u64>), Unavailable> {
    let found = settings::find_app_settings(store, org, &installed.name).await?;
    Ok(found.map_or((Map::new(), None), |found| (found.value, Some(found.rev))))
}

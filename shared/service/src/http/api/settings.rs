//! Settings of apps, which workflows read with `getAppSetting`.
//!
//! Those of an installed app are the ones that its definition names, each of its type; its secrets go in and are not given out
//! again. Of any other app everything may be set, and nothing is a secret: secrets are variables then.

use domain::{Rejected, Rejection};
use engine::app::{Setting, SettingKind};
use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, not_found},
    resource::{one, org_relationship, resource},
};
use crate::{
    directory::{
        Versioned, apps,
        settings::{self, APPS_LIMIT},
        variables::masked,
    },
    http::answer::Problem,
    installations::settings::{SECRET_LEAST_BYTES, SECRET_LIMIT_BYTES, changes, effective, shown},
};

/// The most characters of an app's name, a category's and a setting's.
const NAME_LIMIT_CHARS: usize = 128;

/// The most bytes of all settings of one app as JSON.
const SETTINGS_LIMIT_BYTES: usize = 65_536;

pub(super) async fn get_app(call: &Call<'_>) -> Result<Response, Refused> {
    let app = app(call)?;
    let settings = settings::find_app_settings(call.management.store.as_ref(), call.caller.org, app).await?;
    let set = settings.map(|settings| settings.value).unwrap_or_default();
    Ok(answer(call, app, defined(call, app).await?.as_deref(), set))
}

pub(super) async fn update_app(call: &Call<'_>) -> Result<Response, Refused> {
    let app = app(call)?;
    let mut sent = call.attributes()?;
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let before = settings::find_app_settings(store, org, app).await?;
    if before.is_none() && settings::all_app_settings(store, org).await?.len() >= APPS_LIMIT {
        let detail = format!("At most {APPS_LIMIT} apps of an org have settings; take those of another app away.");
        return Err(Rejected::new(Rejection::Taken, "too_many_apps", detail).into());
    }
    let (rev, before) = before.map_or((None, Map::new()), |Versioned { rev, value }| (Some(rev), value));
    let defined = defined(call, app).await?;
    if let Some(defined) = &defined {
        check_against(defined, &before, &mut sent)?;
    }
    let mut after = before.clone();
    for (category, changes) in sent {
        merge(&mut after, &category, changes)?;
    }
    after.retain(|_, category| category.as_object().is_some_and(|category| !category.is_empty()));
    if Value::Object(after.clone()).to_string().len() > SETTINGS_LIMIT_BYTES {
        let detail = format!("The settings of an app have at most {SETTINGS_LIMIT_BYTES} bytes as JSON.");
        return Err(Rejected::new(Rejection::Malformed, "settings_too_large", detail).into());
    }
    match &defined {
        Some(defined) => {
            let now = call.management.world.now();
            store.write(&changes(org, app, (defined, &before, rev), (defined, &after), now)?).await?;
        }
        None => settings::put_app_settings(store, org, app, &after, rev).await?,
    }
    Ok(answer(call, app, defined.as_deref(), after))
}

/// The settings that the definition names, where the app is installed.
async fn defined(call: &Call<'_>, app: &str) -> Result<Option<Vec<Setting>>, Refused> {
    let found = apps::find_installed(call.management.store.as_ref(), call.caller.org, app).await?;
    Ok(found.map(|found| found.value.settings))
}

/// Holds what was sent against the definition, every part of it. A secret that comes back as it was shown is left as it is.
fn check_against(
    defined: &[Setting],
    before: &Map<String, Value>,
    sent: &mut Map<String, Value>,
) -> Result<(), Refused> {
    let mut problems = Vec::new();
    let values = effective(defined, before);
    for (category, changes) in sent.iter_mut() {
        let Value::Object(changes) = changes else { continue };
        changes.retain(|name, value| {
            let known = defined.iter().find(|setting| setting.category == *category && setting.name == *name);
            let path = format!("$.{category}.{name}");
            let Some(setting) = known else {
                problems.push(unknown(defined, path, &format!("{category}.{name}")));
                return true;
            };
            let is_unchanged = setting.kind == SettingKind::Secret
                && values
                    .get(category)
                    .and_then(|known| known.get(name))
                    .and_then(Value::as_str)
                    .map(masked)
                    .as_deref()
                    == value.as_str()
                && value.is_string();
            problems.extend((!is_unchanged).then(|| misfit(setting, value, path)).flatten());
            !is_unchanged
        });
    }
    if problems.is_empty() { Ok(()) } else { Err(Refused::Problems(problems)) }
}

fn unknown(defined: &[Setting], path: String, named: &str) -> Problem {
    let known: Vec<String> = defined.iter().map(Setting::path).collect();
    let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let detail = format!("The app has no setting {}; there are {there}.", domain::shortened(named, NAME_LIMIT_CHARS));
    Problem { path, code: "unknown_setting".to_owned(), detail, suggestion: None }
}

/// What is wrong with a value of a setting; `null` takes it away. The value is not told: it may be a secret.
fn misfit(setting: &Setting, value: &Value, path: String) -> Option<Problem> {
    let is_secret = setting.kind == SettingKind::Secret;
    let bytes = value.as_str().map_or(0, str::len);
    let detail = if value.is_null() {
        return None;
    } else if !setting.kind.takes(value) {
        format!("The setting has to be {}.", setting.kind.wanted())
    } else if is_secret && !(SECRET_LEAST_BYTES..=SECRET_LIMIT_BYTES).contains(&bytes) {
        format!("A secret has {SECRET_LEAST_BYTES} to {SECRET_LIMIT_BYTES} bytes.")
    } else {
        return None;
    };
    Some(Problem { path, code: "bad_attribute".to_owned(), detail, suggestion: None })
}
/// The settings of one category, put over those there are; `null` takes one away, or the whole category.
fn merge(settings: &mut Map<String, Value>, category: &str, changes: Value) -> Result<(), Refused> {
    if !is_name(category) {
        return Err(bad_attribute(category, bad_name()));
    }
    let changes = match changes {
        Value::Null => {
            settings.shift_remove(category);
            return Ok(());
        }
        Value::Object(changes) => changes,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            let detail = "Settings stand in categories: {\"default\": {\"region\": \"eu\"}}.";
            return Err(bad_attribute(category, detail));
        }
    };
    let kept = settings.entry(category).or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(kept) = kept else { return Ok(()) };
    for (name, value) in changes {
        let path = format!("{category}.{name}");
        match value {
            _ if !is_name(&name) => return Err(bad_attribute(&path, bad_name())),
            Value::Null => {
                kept.shift_remove(&name);
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                kept.insert(name, value);
            }
            Value::Array(_) | Value::Object(_) => {
                return Err(bad_attribute(&path, "A setting is a text, a number, true or false."));
            }
        }
    }
    Ok(())
}

/// What can be named in `app.category.name`.
fn is_name(name: &str) -> bool {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    !name.is_empty() && name.len() <= NAME_LIMIT_CHARS && name.chars().all(is_plain)
}

fn bad_name() -> String {
    format!("A category or setting is named with 1 to {NAME_LIMIT_CHARS} letters, digits, `-` and `_`.")
}

fn app<'c>(call: &'c Call<'_>) -> Result<&'c str, Refused> {
    let name = call.param("name");
    let is_app = !name.is_empty() && name.split('.').all(is_name) && name.len() <= NAME_LIMIT_CHARS;
    if is_app { Ok(name) } else { Err(not_found().into()) }
}

fn answer(call: &Call<'_>, app: &str, defined: Option<&[Setting]>, set: Map<String, Value>) -> Response {
    let path = format!("/v1/apps/{app}/settings");
    let settings = match defined {
        Some(defined) => shown(defined, &set),
        None => set,
    };
    one(StatusCode::OK, resource("app_settings", app, &path, Value::Object(settings), org_relationship(call)))
}

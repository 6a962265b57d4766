//! Settings of apps, which workflows read with `getAppSetting`. They are no secrets: secrets are variables.

use domain::{Rejected, Rejection};
use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, not_found},
    resource::{one, org_relationship, resource},
};
use crate::directory::settings::{self, APPS_LIMIT};

/// The most characters of an app's name, a category's and a setting's.
const NAME_LIMIT_CHARS: usize = 128;

/// The most bytes of all settings of one app as JSON.
const SETTINGS_LIMIT_BYTES: usize = 65_536;

pub(super) async fn get_app(call: &Call<'_>) -> Result<Response, Refused> {
    let app = app(call)?;
    let settings = settings::find_app_settings(call.management.store.as_ref(), call.caller.org, app).await?;
    Ok(shown(call, app, settings.map(|settings| settings.value).unwrap_or_default()))
}

pub(super) async fn update_app(call: &Call<'_>) -> Result<Response, Refused> {
    let app = app(call)?;
    let changes = call.attributes()?;
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let before = settings::find_app_settings(store, org, app).await?;
    if before.is_none() && settings::all_app_settings(store, org).await?.len() >= APPS_LIMIT {
        let detail = format!("At most {APPS_LIMIT} apps of an org have settings; take those of another app away.");
        return Err(Rejected::new(Rejection::Taken, "too_many_apps", detail).into());
    }
    let (before, mut settings) = before.map_or((None, Map::new()), |before| (Some(before.rev), before.value));
    for (category, changes) in changes {
        merge(&mut settings, &category, changes)?;
    }
    settings.retain(|_, category| category.as_object().is_some_and(|category| !category.is_empty()));
    if Value::Object(settings.clone()).to_string().len() > SETTINGS_LIMIT_BYTES {
        let detail = format!("The settings of an app have at most {SETTINGS_LIMIT_BYTES} bytes as JSON.");
        return Err(Rejected::new(Rejection::Malformed, "settings_too_large", detail).into());
    }
    settings::put_app_settings(store, org, app, &settings, before).await?;
    Ok(shown(call, app, settings))
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

fn shown(call: &Call<'_>, app: &str, settings: Map<String, Value>) -> Response {
    let path = format!("/v1/apps/{app}/settings");
    one(StatusCode::OK, resource("app_settings", app, &path, Value::Object(settings), org_relationship(call)))
}

//! Apps: those that are built in and those that an org has installed in one list, and what is done with the latter.

pub(super) mod available;
mod shown;

use ::apps::{all, find};
use domain::{Rejected, Rejection};
use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, not_found},
    resource::{many, one, text},
};
use crate::{
    directory::{
        apps::{self, Installed},
        settings,
    },
    http::answer::{Problem, empty_response},
    installations::{self, MailIs, Refusal, Site},
};

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejected(rejected) => Self::Rejected(rejected),
            Refusal::Problems(problems) => Self::Problems(problems.into_iter().map(Problem::from).collect()),
            Refusal::Write(error) => error.into(),
        }
    }
}

/// The installed ones first: the others are the same everywhere.
pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let settings = settings::all_app_settings(store, org).await?;
    let set = |app: &Installed| settings.get(&app.name).and_then(Value::as_object).cloned().unwrap_or_default();
    let installed = apps::all_installed(store, org).await?;
    let mut resources: Vec<Value> = installed.iter().map(|app| shown::installed(call, app, &set(app))).collect();
    resources.extend(all().iter().map(shown::built_in));
    let count = resources.len();
    Ok(many(call, resources, count, None))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let name = call.param("name");
    if let Some(app) = find(name) {
        return Ok(one(StatusCode::OK, shown::built_in(app)));
    }
    let found = apps::find_installed(call.management.store.as_ref(), call.caller.org, name).await?;
    answer(call, StatusCode::OK, &found.ok_or_else(not_found)?.value).await
}

pub(super) async fn install(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = checked(call.attributes()?, &["app", "version"])?;
    let name = text(&attributes, "app")?.ok_or_else(|| {
        bad_attribute("app", "Name the `app` to install, and its `version` where it is not the newest.")
    })?;
    let version = text(&attributes, "version")?;
    let installed = installations::install(&site(call), &name, version.as_deref(), mail(call)).await?;
    answer(call, StatusCode::CREATED, &installed).await
}

pub(super) async fn upgrade(call: &Call<'_>) -> Result<Response, Refused> {
    check_installable(call)?;
    let attributes = checked(call.optional_attributes()?, &["version"])?;
    let version = text(&attributes, "version")?;
    let installed = installations::upgrade(&site(call), call.param("name"), version.as_deref(), mail(call)).await?;
    answer(call, StatusCode::OK, &installed).await
}

pub(super) async fn uninstall(call: &Call<'_>) -> Result<Response, Refused> {
    check_installable(call)?;
    installations::uninstall(&site(call), call.param("name")).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

/// A misspelt `version` would install another one.
fn checked(attributes: Map<String, Value>, known: &[&str]) -> Result<Map<String, Value>, Refused> {
    match attributes.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(bad_attribute(key, format!("There is no `{key}` here; there are {}.", known.join(", ")))),
        None => Ok(attributes),
    }
}

fn check_installable(call: &Call<'_>) -> Result<(), Refused> {
    if find(call.param("name")).is_some() {
        let detail = "This app is built in: it is the same in every org, and changes with the program.";
        return Err(Rejected::new(Rejection::Taken, "built_in", detail).into());
    }
    Ok(())
}

pub(super) fn site<'c>(call: &'c Call<'_>) -> Site<'c> {
    Site {
        store: call.management.store.as_ref(),
        world: &call.management.world,
        org: call.caller.org,
        by: call.caller.key,
        addresses: &call.management.addresses,
    }
}

fn mail(call: &Call<'_>) -> MailIs {
    match call.management.mail {
        Some(_) => MailIs::SetUp,
        None => MailIs::Missing,
    }
}

async fn answer(call: &Call<'_>, status: StatusCode, installed: &Installed) -> Result<Response, Refused> {
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let set = settings::find_app_settings(store, org, &installed.name).await?;
    let set = set.map(|set| set.value).unwrap_or_default();
    Ok(one(status, shown::installed(call, installed, &set)))
}

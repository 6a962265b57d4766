//! The explainer over HTTP, with what the caller's org has set up.

use engine::Setup;
use http::StatusCode;
use serde_json::Value;

use super::{Refused, Response, call::Call};
use crate::{
    directory::{schedules, settings},
    explainer,
    http::answer::{Problem, json_response},
    installations,
    ports::{Freshness, Unavailable},
};

pub(super) async fn evaluate(call: &Call<'_>) -> Result<Response, Refused> {
    let request = call.attributes()?;
    let setup = setup(call).await?;
    match explainer::evaluate(request, setup, call.management.world.now()) {
        Ok(answer) => Ok(json_response(StatusCode::OK, &answer)),
        Err(problems) => Err(Refused::Problems(problems.into_iter().map(Problem::from).collect())),
    }
}

/// What the caller's org has set up, as far as the caller may read it. Variables are not read, and secrets of apps are masks:
/// whoever may evaluate could read them all.
async fn setup(call: &Call<'_>) -> Result<Setup, Unavailable> {
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let settings = settings::find(store, org, Freshness::Latest).await?.value;
    let mut setup = Setup { time_zone: settings.time_zone, ..Setup::default() };
    if call.caller.may("org.permission.app_setting.read") {
        let apps = installations::settings::of_org(store, org).await?;
        setup = Setup { app_settings: Value::Object(apps.values), app_secrets: apps.secrets, ..setup }.masked();
    }
    if call.caller.may("org.permission.schedule.read") {
        setup.schedules = schedules::all(store, org).await?;
        setup.default_schedule = settings.default_schedule;
    }
    Ok(setup)
}

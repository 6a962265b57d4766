//! The explainer over HTTP, with what the caller's org has set up.

use domain::OrgId;
use engine::Setup;
use http::StatusCode;
use serde_json::{Map, Value};

use super::{Refused, Response, call::Call};
use crate::{
    directory::{schedules, settings},
    explainer,
    http::answer::{Problem, json_response},
    ports::{Store, Unavailable},
};

pub(super) async fn evaluate(call: &Call<'_>) -> Result<Response, Refused> {
    let request = call.attributes()?;
    let setup = setup(call.management.store.as_ref(), call.caller.org).await?;
    match explainer::evaluate(request, setup, call.management.world.now()) {
        Ok(answer) => Ok(json_response(StatusCode::OK, &answer)),
        Err(problems) => Err(Refused::Problems(problems.into_iter().map(Problem::from).collect())),
    }
}

/// What the caller's org has set up. Variables are not read: whoever may evaluate could read them all.
async fn setup(store: &dyn Store, org: OrgId) -> Result<Setup, Unavailable> {
    Ok(Setup {
        variables: Map::new(),
        app_settings: Value::Object(settings::all_app_settings(store, org).await?),
        schedules: schedules::all(store, org).await?,
        default_schedule: settings::find(store, org).await?.default_schedule,
    })
}

//! Actions of installed apps: a call of a service that the app's author wrote, made of a step's params and of settings.

use std::sync::Arc;

use domain::Failure;
use engine::{
    Surroundings,
    app::{ActionPart, AppDefinition, AppRange, Visit, app_of},
    run::Params,
};
use serde_json::Value;

use super::{super::Executor, Journey, unknown_action};
use crate::ports::Unavailable;

/// An action of an app, in the version that the run is bound to.
pub(super) struct AppAction {
    definition: Arc<AppDefinition>,
    name: String,
}

impl AppAction {
    /// The call that it makes of the step's params.
    ///
    /// *Errors*: the params are none that it takes.
    pub(super) fn request(&self, visit: Visit<'_>, params: &Params) -> Result<Params, Failure> {
        let action = self.part()?;
        let app = &self.definition.name;
        let input = action.request(app, &params.input, visit)?;
        let setup = visit.surroundings.setup;
        if !setup.has_secrets() {
            return Ok(Params::of(input, None));
        }
        // The same made of masks tells which parts of the call are secret.
        let masked = setup.masked();
        let masks = Visit { surroundings: Surroundings { setup: &masked, ..visit.surroundings }, ..visit };
        let shown = action.request(app, params.shown(), masks).unwrap_or_else(|_| {
            let mut shown = input.clone();
            setup.mask(&mut shown);
            shown
        });
        Ok(Params::of(input, Some(shown)))
    }

    /// What the step leaves of what was answered.
    ///
    /// *Errors*: it is not what the app promises.
    pub(super) fn output(&self, visit: Visit<'_>, answer: Value) -> Result<Value, Failure> {
        self.part()?.output(&self.definition.name, answer, visit)
    }

    /// Whether its author wrote the names of headers, and not the step's.
    pub(super) fn writes_headers(&self) -> bool {
        self.part().is_ok_and(ActionPart::has_template)
    }

    fn part(&self) -> Result<&ActionPart, Failure> {
        self.definition.action(&self.name).ok_or_else(|| unknown_action(&self.name))
    }
}

impl Executor {
    /// The action called `name`, as the app has it that was installed when the run began.
    ///
    /// *Errors*: a failure where there is none, or the step asks for another version.
    pub(super) async fn app_action(
        &self,
        journey: &Journey<'_>,
        step: &str,
        name: &str,
    ) -> Result<Result<AppAction, Failure>, Unavailable> {
        let Some(app) = app_of(name) else { return Ok(Err(unknown_action(name))) };
        let Some(version) = journey.apps.get(app) else { return Ok(Err(not_installed(app))) };
        let place = (journey.transaction.org, app, version.as_str());
        let definition = self.installed.definition(self.store.as_ref(), self.world.now(), place).await?;
        let Some(definition) = definition.filter(|definition| definition.action(name).is_some()) else {
            let message =
                format!("Version {version} of the app {app}, with which this run began, has no action `{name}`.");
            return Ok(Err(Failure::new("unknown_action", message)));
        };
        let range = journey.definition.app_version(step).and_then(AppRange::parse);
        if let Some(range) = range.filter(|range| range.app == app && !range.takes(&definition.version)) {
            return Ok(Err(unmet_version(&range, version)));
        }
        Ok(Ok(AppAction { definition, name: name.to_owned() }))
    }
}

fn not_installed(app: &str) -> Failure {
    let message =
        format!("The app {app} was not installed when this run began. Install it; what arrives from then on finds it.");
    Failure::new("app_not_installed", message)
}

fn unmet_version(range: &AppRange, version: &str) -> Failure {
    let message = format!(
        "The step asks for {}, and version {version} of {} was installed when this run began. Change the step's appVersion \
         once its params suit that version.",
        range.text, range.app
    );
    Failure::new("app_version_unmet", message)
}

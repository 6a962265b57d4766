//! The checks of a document before it is saved: the engine's, and those that need the store.

use std::collections::HashMap;

use domain::WorkflowId;
use engine::{
    Catalogue, Definition,
    app::{AppRange, app_of},
    check::Checked,
    problem::Severity,
};
use semver::Version;
use serde_json::Value;

use super::super::{Call, Refused};
use crate::{
    actions::{Action, catalogue},
    directory::{apps::APPS_LIMIT, variables, workflows},
    http::answer::Problem,
    installations,
};

/// So many workflows are followed that replace one another.
const REPLACED_LIMIT: usize = 16;

/// A document that can be saved.
pub(super) struct Sound {
    /// The workflow it is.
    pub(super) definition: Definition,
    /// What its author should know.
    pub(super) warnings: Vec<Problem>,
}

/// What was found out about a document.
pub(super) struct Findings {
    /// The workflow it is; none when there are errors.
    pub(super) definition: Option<Definition>,
    /// What keeps it from being saved.
    pub(super) errors: Vec<Problem>,
    /// What its author should know.
    pub(super) warnings: Vec<Problem>,
}

/// The document as a workflow that may be saved under `id`.
///
/// *Errors*: every problem that keeps it from that.
pub(super) async fn checked(call: &Call<'_>, id: Option<WorkflowId>, document: &Value) -> Result<Sound, Refused> {
    let Findings { definition, errors, warnings } = findings(call, id, document).await?;
    match definition {
        Some(definition) if errors.is_empty() => Ok(Sound { definition, warnings }),
        Some(_) | None => Err(Refused::Problems(errors)),
    }
}

/// Everything that is to be said about a document.
pub(super) async fn findings(call: &Call<'_>, id: Option<WorkflowId>, document: &Value) -> Result<Findings, Refused> {
    let checked = check_with_apps(call, document).await?;
    let (errors, warnings): (Vec<_>, Vec<_>) =
        checked.problems.into_iter().partition(|problem| problem.severity == Severity::Error);
    let mut warnings: Vec<Problem> = warnings.into_iter().map(Problem::from).collect();
    warnings.extend(unknown_variables(call, id, &checked.variables).await?);
    if let Some(definition) = &checked.definition {
        warnings.extend(doubtful_replacement(call, id, definition).await?);
    }
    Ok(Findings { definition: checked.definition, errors: errors.into_iter().map(Problem::from).collect(), warnings })
}

/// The engine's checks, with the actions of those installed apps that the document names.
async fn check_with_apps(call: &Call<'_>, document: &Value) -> Result<Checked, Refused> {
    let steps = document.get("steps").and_then(Value::as_array).into_iter().flatten();
    let mut named: Vec<String> = steps
        .filter_map(|step| step.get("action").and_then(Value::as_str))
        .filter(|action| Action::parse(action).is_none())
        .filter_map(|action| app_of(action).map(str::to_owned))
        .collect();
    named.sort_unstable();
    named.dedup();
    if named.is_empty() || named.len() > APPS_LIMIT {
        return Ok(engine::check(document, catalogue()));
    }
    let (actions, versions) =
        installations::actions_of(call.management.store.as_ref(), call.caller.org, &named).await?;
    let mut checked = match Catalogue::over(catalogue(), actions) {
        Ok(catalogue) => engine::check(document, &catalogue),
        Err(_) => engine::check(document, catalogue()),
    };
    checked.problems.extend(unmet_versions(document, &versions));
    Ok(checked)
}

/// Steps that ask for another version of an app than the one that is installed; they would fail.
fn unmet_versions(document: &Value, versions: &HashMap<String, String>) -> Vec<engine::Problem> {
    let steps = document.get("steps").and_then(Value::as_array).into_iter().flatten().enumerate();
    let unmet = steps.filter_map(|(index, step)| {
        let app = app_of(step.get("action")?.as_str()?)?;
        let range = AppRange::parse(step.get("appVersion")?.as_str()?).filter(|range| range.app == app)?;
        let installed = versions.get(app)?;
        let is_met = Version::parse(installed).is_ok_and(|installed| range.takes(&installed));
        let message = format!(
            "Version {installed} of {app} is installed, which {} does not take: this step will fail.",
            range.text
        );
        let path = format!("$.steps[{index}].appVersion");
        let (severity, code) = (Severity::Warning, "app_version_unmet");
        (!is_met).then_some(engine::Problem { severity, path, code, message, suggestion: None })
    });
    unmet.collect()
}

/// An import names the variables of where it comes from, so that one is not there is no error.
async fn unknown_variables(
    call: &Call<'_>,
    id: Option<WorkflowId>,
    named: &[(String, String)],
) -> Result<Vec<Problem>, Refused> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let known = match id {
        Some(id) => variables::all(call.management.store.as_ref(), call.caller.org, id).await?,
        None => Vec::new(),
    };
    let is_known = |name: &String| known.iter().any(|variable| variable.id.to_string() == *name);
    let unknown = named.iter().filter(|(_, name)| !is_known(name)).map(|(path, name)| {
        let by_name = known.iter().find(|variable| variable.name == *name).map(|variable| variable.id.to_string());
        let meant = by_name.as_ref().map(|id| format!(" The one of this name is \"{id}\".")).unwrap_or_default();
        let detail =
            format!("The workflow has no variable with the id \"{name}\"; until it has, this is missing.{meant}");
        Problem { path: path.clone(), code: "unknown_variable".to_owned(), detail, suggestion: by_name }
    });
    Ok(unknown.collect())
}

/// A workflow to replace that is not there, or that replaces this one in the end.
async fn doubtful_replacement(
    call: &Call<'_>,
    id: Option<WorkflowId>,
    definition: &Definition,
) -> Result<Option<Problem>, Refused> {
    let mut replaced = definition.replaces().map(str::to_owned);
    let mut names: Vec<String> = Vec::new();
    while let Some(name) = replaced.filter(|_| names.len() < REPLACED_LIMIT) {
        let found = workflows::find_called(call.management.store.as_ref(), call.caller.org, &name).await?;
        let (code, detail) = match found {
            None if names.is_empty() => {
                ("unknown_workflow", format!("There is no workflow \"{name}\" to replace, neither by name nor by id."))
            }
            None => return Ok(None),
            Some(found) if Some(found.value.id) == id => {
                let ring = names.join("\", which replaces \"");
                (
                    "replaced_in_turn",
                    format!("This replaces \"{ring}\", which replaces this one. The oldest of them runs."),
                )
            }
            Some(found) => {
                names.push(found.value.name);
                replaced = found.value.replaces;
                continue;
            }
        };
        let (path, code) = ("$.replaces".to_owned(), code.to_owned());
        return Ok(Some(Problem { path, code, detail, suggestion: None }));
    }
    Ok(None)
}

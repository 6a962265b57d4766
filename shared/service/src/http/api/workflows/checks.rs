//! The checks of a document before it is saved: the engine's, and those that need the store.

use domain::WorkflowId;
use engine::{Definition, problem::Severity};
use serde_json::Value;

use super::super::{Call, Refused};
use crate::{
    actions::catalogue,
    directory::{variables, workflows},
    http::answer::Problem,
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
    let checked = engine::check(document, catalogue());
    let (errors, warnings): (Vec<_>, Vec<_>) =
        checked.problems.into_iter().partition(|problem| problem.severity == Severity::Error);
    let mut warnings: Vec<Problem> = warnings.into_iter().map(Problem::from).collect();
    warnings.extend(unknown_variables(call, id, &checked.variables).await?);
    if let Some(definition) = &checked.definition {
        warnings.extend(doubtful_replacement(call, id, definition).await?);
    }
    Ok(Findings { definition: checked.definition, errors: errors.into_iter().map(Problem::from).collect(), warnings })
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

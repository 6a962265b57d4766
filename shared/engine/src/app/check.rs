//! What is asked of a definition before it is registered: everything its parts say, and that its workflows can be saved.

use serde_json::Value;

use super::{AppDefinition, format, names::prefixed};
use crate::check::{Catalogue, check as check_workflow};
use crate::problem::{Problem, Severity};

/// A definition that was checked.
#[derive(Debug)]
pub struct Checked {
    /// The app it is, with whole names; none when there are errors.
    pub definition: Option<AppDefinition>,
    /// Every error, then every warning.
    pub problems: Vec<Problem>,
}

/// Checks a definition as it was written. Its workflows may use the actions of `base`, the actions `others` of apps that it
/// depends on, each with the JSON Schema of its params, and its own.
pub fn check(document: &Value, base: &'static Catalogue, others: Vec<(String, Value)>) -> Checked {
    let whole = prefixed(document);
    let read = format::read(&whole);
    let mut problems = read.problems.into_vec();
    let actions = named_actions(&whole);
    match Catalogue::over(base, others.into_iter().chain(actions)) {
        Ok(catalogue) => check_workflows(&whole, &catalogue, &mut problems),
        // A schema that is none was told where it stands.
        Err(_) => check_workflows(&whole, base, &mut problems),
    }
    problems.sort_by_key(|problem| problem.severity);
    let is_sound = problems.iter().all(|problem| problem.severity != Severity::Error);
    Checked { definition: read.definition.filter(|_| is_sound), problems }
}

/// The app's own actions, whatever else is wrong with them: a step that names one must not be told that it is not there.
fn named_actions(document: &Value) -> Vec<(String, Value)> {
    let actions = document.get("actions").and_then(Value::as_array).into_iter().flatten();
    let named = actions.filter_map(|action| {
        let name = action.get("name").and_then(Value::as_str)?;
        let schema = action.get("inputSchema").filter(|schema| super::schema::Schema::compile(schema).is_ok());
        Some((name.to_owned(), schema.cloned().unwrap_or(Value::Bool(true))))
    });
    named.collect()
}

fn check_workflows(document: &Value, catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    let workflows = document.get("workflows").and_then(Value::as_array).into_iter().flatten();
    for (index, workflow) in workflows.enumerate().filter(|(_, workflow)| workflow.get("name").is_some()) {
        for problem in check_workflow(workflow, catalogue).problems {
            let path = problem.path.replacen('$', &format!("$.workflows[{index}]"), 1);
            problems.push(Problem { path, ..problem });
        }
    }
}

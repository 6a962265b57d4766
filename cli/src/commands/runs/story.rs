//! A run told in sentences.

use serde_json::Value;

use crate::{output::text_at, why};

/// A run in sentences: what each step did, where it went and why, and how it ended.
pub(crate) fn story(run: &Value) -> Vec<String> {
    let attributes = run.get("attributes").unwrap_or(&Value::Null);
    let mut sentences = Vec::new();
    for step in attributes.get("steps").and_then(Value::as_array).into_iter().flatten() {
        if let (false, Some(action)) = (has_failed(step), step.get("action").and_then(Value::as_str)) {
            let did = if waits(step) { "is at" } else { "did" };
            sentences.push(format!("{} {did} {action}.", name(step)));
        }
        sentences.extend(reasons(step));
    }
    sentences.push(match text_at(attributes, "/state").as_str() {
        "failed" => format!("The run failed: {}", failure(attributes)),
        "waiting" if is_in_line(attributes) && text_at(attributes, "/resumesAt") == "-" => {
            format!("The run waits for its turn: one at a time goes for the key {}.", text_at(attributes, "/key"))
        }
        "waiting" if attributes.get("resumesAt").is_none_or(Value::is_null) => {
            "The run waits for another one that it has called.".to_owned()
        }
        "waiting" => format!("The run waits and goes on at {}.", text_at(attributes, "/resumesAt")),
        "held" => "The run is held until somebody resumes it.".to_owned(),
        "succeeded" if text_at(attributes, "/collectedInto") != "-" => {
            format!("The run {} is for this arrival and others.", text_at(attributes, "/collectedInto"))
        }
        "succeeded" => "The run succeeded.".to_owned(),
        "cancelled" if text_at(attributes, "/error") != "-" => {
            format!("The run was cancelled: {}", failure(attributes))
        }
        "cancelled" => "The run was cancelled.".to_owned(),
        state => format!("The run is {state}."),
    });
    sentences
}

/// Whether it has not begun, because the flow of its workflow is controlled by a key.
fn is_in_line(attributes: &Value) -> bool {
    let has_begun = attributes.get("steps").and_then(Value::as_array).is_some_and(|steps| !steps.is_empty());
    !has_begun && text_at(attributes, "/key") != "-"
}

/// What there is to say of a step beside what it did: what was missing, how it failed, and where the run went then and why.
pub(crate) fn reasons(step: &Value) -> Vec<String> {
    let missing = step.get("missing").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut sentences: Vec<String> =
        missing.map(|missing| format!("In the params of {}, {missing}", name(step))).collect();
    let is_retried = step.get("retries").is_some_and(|retries| !retries.is_null());
    if has_failed(step) {
        let attempts = step.get("attempts").and_then(Value::as_u64).filter(|attempts| *attempts > 1 || is_retried);
        let attempt = attempts.map(|attempts| format!(" at attempt {attempts}")).unwrap_or_default();
        sentences.push(format!("{} failed{attempt}: {}", name(step), failure(step)));
    }
    if let Some(error_case) = step.get("errorCase") {
        sentences.extend(why::error_case(&name(step), error_case));
    }
    match step.get("retries").and_then(Value::as_str) {
        Some("workflow") => sentences.push("The run begins again.".to_owned()),
        Some(_) => sentences.push(format!("{} is tried again.", name(step))),
        None => match step.pointer("/errorCase/action").and_then(Value::as_str) {
            Some("retry-action") => sentences.push(format!("{} was tried as often as it may be.", name(step))),
            Some("retry-workflow") => sentences.push("The run has begun as often as it may.".to_owned()),
            Some(_) | None => {}
        },
    }
    if let Some(transition) = step.get("transition").filter(|transition| transition.is_object()) {
        sentences.extend(why::transition(&name(step), transition));
    }
    sentences
}

/// The step's id; from its second visit on with the number of the visit.
pub(super) fn name(step: &Value) -> String {
    match step.get("visit").and_then(Value::as_u64) {
        Some(visit) if visit > 1 => format!("{} (visit {visit})", text_at(step, "/id")),
        Some(_) | None => text_at(step, "/id"),
    }
}

pub(super) fn has_failed(step: &Value) -> bool {
    step.get("error").is_some_and(|error| !error.is_null())
}

/// The sentence and code of the error of a run or step; nothing when it has none.
pub(super) fn failure(document: &Value) -> String {
    match document.get("error").filter(|error| !error.is_null()) {
        Some(error) => format!("{} ({})", text_at(error, "/message"), text_at(error, "/code")),
        None => String::new(),
    }
}

/// Whether the step has begun and is not over.
pub(super) fn waits(step: &Value) -> bool {
    step.get("waitsFor").is_some()
}

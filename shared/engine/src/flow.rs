//! Actions of the `flow.` namespace, as far as they are about the run alone: what their params ask for.
//!
//! A wait or a loop does not end here: it leaves the step [`Pending`], and a later entry of the same visit says what came
//! of it. `flow.call` needs to know more than the run and is performed by whoever carries it.

mod awaited;
mod duration;
mod forks;
mod wait;

use domain::{Failure, Timestamp};
use serde_json::{Map, Value, json};

use crate::journal::{Outcome, Stop};

pub(crate) use awaited::name_of;
pub use awaited::{AWAITED_EVENTS_LIMIT, MATCHES_LIMIT, is_path, values_at};
pub use duration::{DURATION_LIMIT_SECONDS, duration_seconds};
pub(crate) use forks::starts_of;
pub use forks::{CONCURRENCY_LIMIT, ITEMS_LIMIT, NESTING_LIMIT, TOTAL_ITEMS_LIMIT};
pub use wait::instant;

/// Where in a run a flow action is come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Here {
    /// When.
    pub(crate) now: Timestamp,
    /// In how many loops and parallel steps it stands.
    pub(crate) depth: usize,
    /// How often the branch it stands in is run at the most, by the items of the loops around it.
    pub(crate) width: usize,
    /// Whether the run has given its answer already.
    pub(crate) has_responded: bool,
}

/// What comes of `action` where nothing but the run is needed for it; none for every other action.
pub(crate) fn settle(action: &str, input: &Value, here: Here) -> Option<Outcome> {
    let settle = match action {
        "flow.wait" => wait::begin,
        "flow.for-each" => forks::for_each,
        "flow.parallel" => forks::parallel,
        RESPOND => respond,
        "flow.stop" => stop,
        _ => return None,
    };
    let outcome = match input {
        Value::Object(params) => settle(params, here),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Failure::new("wrong_params", "The step's params are an object with one key for each param."))
        }
    };
    Some(outcome.unwrap_or_else(Outcome::Failed))
}

/// The action whose output is the answer of the run.
pub(crate) const RESPOND: &str = "flow.respond";

/// Gives whoever called the answer; the run goes on.
fn respond(params: &Map<String, Value>, here: Here) -> Result<Outcome, Failure> {
    if here.has_responded {
        let message = "The run has given its answer already, and whoever called has got it. Let each way come to one flow.respond.";
        return Err(Failure::new("already_responded", message));
    }
    let body = value(params, "output").cloned().unwrap_or(Value::Null);
    if body.to_string().len() > RESPONSE_LIMIT_BYTES {
        let message = format!(
            "An answer has at most {RESPONSE_LIMIT_BYTES} bytes as JSON. Answer with less, or with where it can be read."
        );
        return Err(Failure::new("response_too_large", message));
    }
    let status = match value(params, "status") {
        None => 200,
        Some(status) => status
            .as_u64()
            .filter(|status| (200..=599).contains(status))
            .ok_or_else(|| wrong("status", "a status of HTTP from 200 to 599"))?,
    };
    Ok(Outcome::Output(domain::exact::object([("status", json!(status)), ("output", body)])))
}

/// Ends the run.
fn stop(params: &Map<String, Value>, _: Here) -> Result<Outcome, Failure> {
    let as_failed = match value(params, "as").map(Value::as_str) {
        None | Some(Some("succeeded")) => false,
        Some(Some("failed")) => true,
        Some(Some(_) | None) => return Err(wrong("as", "\"succeeded\" or \"failed\"")),
    };
    if !as_failed {
        return Ok(Outcome::Stopped(Stop { failure: None }));
    }
    let text = |name: &str, otherwise: &str| match value(params, name) {
        None => Ok(otherwise.to_owned()),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(domain::shortened(text, STOP_LIMIT_CHARACTERS)),
        Some(_) => Err(wrong(name, "a text that is not empty")),
    };
    let failure = Failure::new(text("code", "stopped")?, text("message", "The workflow ended itself as failed.")?);
    Ok(Outcome::Stopped(Stop { failure: Some(failure) }))
}

/// The most bytes of the answer of a run. *Why* — it stands in the head of the run, which is written again and again.
const RESPONSE_LIMIT_BYTES: usize = 100_000;

/// How much of what an author says why a run failed is kept.
const STOP_LIMIT_CHARACTERS: usize = 1_000;

/// The param, `null` counting as left out.
pub fn value<'p>(params: &'p Map<String, Value>, name: &str) -> Option<&'p Value> {
    params.get(name).filter(|value| !value.is_null())
}

/// The failure of a step whose param `name` is not there and has to be.
pub fn missing(name: &str) -> Failure {
    let message =
        format!("The param `{name}` is missing. If it is a reference, what it points to was not there in this run.");
    Failure::new("missing_param", message)
}

/// The failure of a step whose param `name` is not `wanted`.
pub fn wrong(name: &str, wanted: &str) -> Failure {
    Failure::new("wrong_param", format!("The param `{name}` has to be {wanted}."))
}

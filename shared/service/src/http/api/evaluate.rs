//! The explainer: what an expression or a condition gives for data that is sent along, and why.

use domain::{OrgId, Timestamp, exact};
use engine::{
    Problem, Setup, Surroundings,
    condition::Condition,
    explain::{self, Explained},
    expression::{Asker, Context, Expression},
};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_attribute},
};
use crate::{
    directory::{schedules, settings},
    http::answer::{self, json_response},
    ports::{Store, Unavailable},
};

/// What chance is drawn from here; the same question gives the same ids.
const SEED: &str = "evaluate";

/// The keys of a request.
const KEYS: [&str; 6] = ["expression", "condition", "steps", "error", "variables", "now"];

pub(super) async fn evaluate(call: &Call<'_>) -> Result<Response, Refused> {
    let mut request = call.attributes()?;
    if let Some(key) = request.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(bad_attribute(key, format!("There is no `{key}` here; a request has {}.", KEYS.join(", "))));
    }
    let steps = object(&mut request, "steps")?;
    let error = request.shift_remove("error").filter(|error| !error.is_null());
    let variables = object(&mut request, "variables")?.as_object().cloned().unwrap_or_default();
    let now = now(&request)?.unwrap_or_else(|| call.management.world.now());
    let setup = Setup { variables, ..setup(call.management.store.as_ref(), call.caller.org).await? };
    let context = Context {
        steps: &steps,
        error: error.as_ref(),
        surroundings: Surroundings { setup: &setup, now, seed: SEED },
        asker: Asker::default(),
    };
    let explained = match (request.get("expression"), request.get("condition")) {
        (Some(expression), None) => explain_expression(expression, context)?,
        (None, Some(condition)) => {
            let condition = Condition::parse(condition).map_err(|problems| refused("condition", problems))?;
            explain::condition(&condition, context)
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(bad_attribute("expression", "Send either an `expression` or a `condition`."));
        }
    };
    Ok(answered(explained))
}

fn explain_expression(expression: &Value, context: Context<'_>) -> Result<Explained, Refused> {
    let parsed = Expression::parse(expression).map_err(|problems| refused("expression", problems))?;
    explain::expression(&parsed, context).map_err(|fault| {
        let (path, code, detail) = ("$.expression".to_owned(), fault.code().to_owned(), fault.to_string());
        Refused::Problems(vec![answer::Problem { path, code, detail, suggestion: None }])
    })
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

fn object(request: &mut Map<String, Value>, key: &str) -> Result<Value, Refused> {
    match request.shift_remove(key) {
        None | Some(Value::Null) => Ok(Value::Object(Map::new())),
        Some(value @ Value::Object(_)) => Ok(value),
        Some(_) => Err(bad_attribute(key, format!("`{key}` is an object."))),
    }
}

fn now(request: &Map<String, Value>) -> Result<Option<Timestamp>, Refused> {
    match request.get("now") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if Timestamp::parse(text).is_some() => Ok(Timestamp::parse(text)),
        Some(_) => Err(bad_attribute("now", "`now` is an instant such as 2026-11-28T12:00:00Z.")),
    }
}

fn refused(key: &str, problems: Vec<Problem>) -> Refused {
    let told = |problem: Problem| answer::Problem {
        path: problem.path.replacen('$', &format!("$.{key}"), 1),
        code: problem.code.to_owned(),
        detail: problem.message,
        suggestion: problem.suggestion,
    };
    Refused::Problems(problems.into_iter().map(told).collect())
}

fn answered(explained: Explained) -> Response {
    let Explained { value, value_type, explanation } = explained;
    let attributes = exact::object([
        ("value", value.unwrap_or(Value::Null)),
        ("valueType", json!(value_type)),
        ("explanation", json!(explanation)),
    ]);
    let data = exact::object([("type", json!("evaluation")), ("attributes", attributes)]);
    json_response(StatusCode::OK, &exact::object([("data", data)]))
}

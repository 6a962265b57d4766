//! The explainer: what an expression or a condition gives for data that is sent along, and why. A server answers with it,
//! and the command line without one.

use domain::{Timestamp, exact};
use engine::{
    Problem, Setup, Surroundings,
    condition::Condition,
    explain::{self, Explained},
    expression::{Asker, Context, Expression},
    problem::Severity,
};
use serde_json::{Map, Value, json};

use crate::directory::variables::VARIABLES_LIMIT;

/// What chance is drawn from here; the same question gives the same ids.
const SEED: &str = "evaluate";

/// The keys of a request.
const KEYS: [&str; 6] = ["expression", "condition", "steps", "error", "variables", "now"];

/// The answer to `request`, in an org with `setup` whose variables are those of the request. `now` is the present where the
/// request names no other.
///
/// *Shape*: `{"data":{"type":"evaluation","attributes":{"value":…,"valueType":"string","explanation":[…]}}}`.
/// *Errors*: what is wrong with the request, with paths into it; a limit that was passed.
pub fn evaluate(mut request: Map<String, Value>, setup: Setup, now: Timestamp) -> Result<Value, Vec<Problem>> {
    if let Some(key) = request.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(bad(key, format!("There is no `{key}` here; a request has {}.", KEYS.join(", "))));
    }
    let steps = Value::Object(object(&mut request, "steps")?);
    let error = request.shift_remove("error").filter(|error| !error.is_null());
    let variables = object(&mut request, "variables")?;
    if variables.len() > VARIABLES_LIMIT {
        return Err(bad("variables", format!("A workflow has at most {VARIABLES_LIMIT} variables.")));
    }
    let setup = Setup { variables, ..setup };
    let context = Context {
        steps: &steps,
        outer: &[],
        error: error.as_ref(),
        surroundings: Surroundings { setup: &setup, now: told_now(&request)?.unwrap_or(now), seed: SEED },
        asker: Asker::default(),
        scope: None,
    };
    let condition = request.get("condition").filter(|condition| !condition.is_null());
    match (request.get("expression"), condition) {
        (Some(expression), None) => explain_expression(expression, context).map(answer),
        (None, Some(condition)) => {
            let condition = Condition::parse(condition).map_err(|problems| below("condition", problems))?;
            Ok(answer(explain::condition(&condition, context)))
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(bad("expression", "Send either an `expression` or a `condition`.".to_owned()))
        }
    }
}

fn explain_expression(expression: &Value, context: Context<'_>) -> Result<Explained, Vec<Problem>> {
    let parsed = Expression::parse(expression).map_err(|problems| below("expression", problems))?;
    explain::expression(&parsed, context).map_err(|fault| one("$.expression", fault.code(), fault.to_string()))
}

fn answer(explained: Explained) -> Value {
    let Explained { value, value_type, explanation } = explained;
    let attributes = exact::object([
        ("value", value.unwrap_or(Value::Null)),
        ("valueType", json!(value_type)),
        ("explanation", json!(explanation)),
    ]);
    exact::object([("data", exact::object([("type", json!("evaluation")), ("attributes", attributes)]))])
}

fn object(request: &mut Map<String, Value>, key: &str) -> Result<Map<String, Value>, Vec<Problem>> {
    match request.shift_remove(key) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(bad(key, format!("`{key}` is an object."))),
    }
}

fn told_now(request: &Map<String, Value>) -> Result<Option<Timestamp>, Vec<Problem>> {
    match request.get("now") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if Timestamp::parse(text).is_some() => Ok(Timestamp::parse(text)),
        Some(_) => Err(bad("now", "`now` is an instant such as 2026-11-28T12:00:00Z.".to_owned())),
    }
}

fn below(key: &str, problems: Vec<Problem>) -> Vec<Problem> {
    let moved = |problem: Problem| Problem { path: problem.path.replacen('$', &format!("$.{key}"), 1), ..problem };
    problems.into_iter().map(moved).collect()
}

fn bad(key: &str, message: String) -> Vec<Problem> {
    one(&format!("$.{key}"), "bad_attribute", message)
}

fn one(path: &str, code: &'static str, message: String) -> Vec<Problem> {
    vec![Problem { severity: Severity::Error, path: path.to_owned(), code, message, suggestion: None }]
}

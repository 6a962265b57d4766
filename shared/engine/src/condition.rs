//! A test on what a run has left so far, `{"op":"eq","values":["/#steps.1.status","done"]}`, and its explained answer.
//!
//! Judging never fails: what is missing or of the wrong type makes a condition false (or true, for `dne`, `neq` and
//! `not-contains`), and the verdict says what was missing.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use crate::operator::Operator;

use crate::expression::{Context, Expression, NESTING_LIMIT_LEVELS};
use crate::problem::{Place, Problem, Problems};

/// A value in a verdict is shortened beyond this, so that an explanation never outgrows what it explains.
const EXPLAINED_LIMIT_BYTES: usize = 1024;

/// A parsed condition.
#[derive(Debug, Clone)]
pub struct Condition {
    operator: Operator,
    operands: Operands,
}

#[derive(Debug, Clone)]
enum Operands {
    /// Of `and` and `or`.
    Conditions(Vec<Condition>),
    /// Of all others.
    Values(Vec<Expression>),
}

/// A condition's answer and why, as it is kept in the journal.
///
/// *Shape* — `{"op":"eq","values":[null,"done"],"result":false,"missing":["/#steps.1.status"]}`; for `and` and `or`
/// there are `conditions`, up to the one that decided. Lists that are empty are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The operator.
    pub op: Operator,
    /// What the values were, `null` for what is missing. Texts over 1 KiB are cut, larger lists and objects named.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "domain::exact")]
    pub values: Vec<Value>,
    /// Whether the condition holds.
    #[serde(rename = "result")]
    pub holds: bool,
    /// The verdicts inside an `and` or `or`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Verdict>,
    /// The references that led nowhere, as written, and templates that could not be rendered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl Condition {
    /// Parses a condition.
    ///
    /// *Errors* — every problem in it, with paths that start at the condition itself.
    pub fn parse(value: &Value) -> Result<Condition, Vec<Problem>> {
        let mut problems = Problems::default();
        let condition = Condition::read(value, &Place::ROOT, 0, &mut problems);
        match condition {
            Some(condition) if problems.count() == 0 => Ok(condition),
            Some(_) | None => Err(problems.into_vec()),
        }
    }

    /// Parses the condition at a place of a document; `None` when it has no usable operator.
    pub(crate) fn read(value: &Value, place: &Place<'_>, depth: usize, problems: &mut Problems) -> Option<Condition> {
        if depth >= NESTING_LIMIT_LEVELS {
            let message = format!("Nest conditions at most {NESTING_LIMIT_LEVELS} levels deep; this one is deeper.");
            problems.add(place, "nested_too_deep", message);
            return None;
        }
        let Some(object) = value.as_object() else {
            problems.add(place, "wrong_type", "Write a condition as an object with \"op\" and \"values\".");
            return None;
        };
        let operator = read_operator(object, place, problems);
        let values = read_values(object, place, problems)?;
        let operator = operator?;
        let operands = match operator {
            Operator::And | Operator::Or => Operands::Conditions(read_conditions(values, place, depth, problems)),
            Operator::Exists
            | Operator::Dne
            | Operator::True
            | Operator::False
            | Operator::Eq
            | Operator::Neq
            | Operator::Gt
            | Operator::Gte
            | Operator::Lt
            | Operator::Lte
            | Operator::LtDate
            | Operator::GtDate
            | Operator::Contains
            | Operator::NotContains => Operands::Values(read_expressions(operator, values, place, problems)),
        };
        Some(Condition { operator, operands })
    }

    /// Judges the condition.
    pub fn judge(&self, context: &Context<'_>) -> Verdict {
        match &self.operands {
            Operands::Conditions(conditions) => judge_all(self.operator, conditions, context),
            Operands::Values(expressions) => judge_values(self.operator, expressions, context),
        }
    }

    /// The answer when it can be known from the document alone.
    pub(crate) fn constant(&self) -> Option<bool> {
        match &self.operands {
            Operands::Conditions(conditions) => constant_of_all(self.operator, conditions),
            Operands::Values(expressions) => {
                let values: Option<Vec<Option<&Value>>> =
                    expressions.iter().map(|expression| expression.literal().map(Some)).collect();
                values.map(|values| self.operator.judge(&values))
            }
        }
    }
}

fn read_operator(object: &Map<String, Value>, place: &Place<'_>, problems: &mut Problems) -> Option<Operator> {
    let place = place.key("op");
    let Some(value) = object.get("op") else {
        problems.add(&place, "missing_field", "Add \"op\", the name of an operator such as \"eq\".");
        return None;
    };
    let Some(name) = value.as_str() else {
        problems.add(&place, "wrong_type", "Make \"op\" a text, the name of an operator such as \"eq\".");
        return None;
    };
    let operator = Operator::find(name);
    if operator.is_none() {
        let known = Operator::ALL.map(Operator::name);
        let message = format!("There is no operator \"{name}\"; use one of {}.", known.join(", "));
        problems.add_unknown(&place, "unknown_operator", message, name, &known);
    }
    operator
}

fn read_values<'v>(
    object: &'v Map<String, Value>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<&'v Vec<Value>> {
    let place = place.key("values");
    match object.get("values") {
        Some(Value::Array(values)) => Some(values),
        Some(_) => {
            problems.add(&place, "wrong_type", "Make \"values\" a list.");
            None
        }
        None => {
            problems.add(&place, "missing_field", "Add \"values\", the list of what the operator compares.");
            None
        }
    }
}

fn read_conditions(values: &[Value], place: &Place<'_>, depth: usize, problems: &mut Problems) -> Vec<Condition> {
    let place = place.key("values");
    let read = |(index, value): (usize, &Value)| Condition::read(value, &place.index(index), depth + 1, problems);
    values.iter().enumerate().filter_map(read).collect()
}

fn read_expressions(
    operator: Operator,
    values: &[Value],
    place: &Place<'_>,
    problems: &mut Problems,
) -> Vec<Expression> {
    let place = place.key("values");
    let arity = operator.arity();
    if !arity.contains(&values.len()) {
        let (least, most) = (arity.start(), arity.end());
        let wanted = if least == most { least.to_string() } else { format!("{least} or {most}") };
        let message = format!("Give \"{}\" {wanted} values; it has {}.", operator.name(), values.len());
        problems.add(&place, "wrong_value_count", message);
    }
    let mut expressions = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let place = place.index(index);
        let expression = Expression::read(value, &place, problems);
        if operator.compares_scalars() && expression.is_compound() {
            let message = format!("\"{}\" cannot compare a list or an object; give it one value.", operator.name());
            problems.add(&place, "wrong_value_type", message);
        }
        expressions.push(expression);
    }
    expressions
}

/// What `and` or `or` goes on after: `and` stops at the first false, `or` at the first true.
fn goes_on_after(operator: Operator) -> bool {
    operator == Operator::And
}

fn judge_all(operator: Operator, conditions: &[Condition], context: &Context<'_>) -> Verdict {
    let goes_on = goes_on_after(operator);
    let mut verdicts = Vec::with_capacity(conditions.len());
    let mut holds = goes_on;
    for condition in conditions {
        let verdict = condition.judge(context);
        holds = verdict.holds;
        verdicts.push(verdict);
        if holds != goes_on {
            break;
        }
    }
    Verdict { op: operator, values: Vec::new(), holds, conditions: verdicts, missing: Vec::new() }
}

fn judge_values(operator: Operator, expressions: &[Expression], context: &Context<'_>) -> Verdict {
    let mut missing = Vec::new();
    let resolved: Vec<Option<Cow<'_, Value>>> =
        expressions.iter().map(|expression| resolve(expression, context, &mut missing)).collect();
    let values: Vec<Option<&Value>> = resolved.iter().map(Option::as_deref).collect();
    Verdict {
        op: operator,
        holds: operator.judge(&values),
        values: values.iter().map(|value| value.map_or(Value::Null, explained)).collect(),
        conditions: Vec::new(),
        missing,
    }
}

fn resolve<'a>(expression: &'a Expression, context: &Context<'a>, missing: &mut Vec<String>) -> Option<Cow<'a, Value>> {
    match expression.resolve(context) {
        Ok(Some(value)) => Some(value),
        Ok(None) => {
            missing.extend(expression.reference().map(|path| format!("/#{path}")));
            None
        }
        Err(fault) => {
            missing.push(fault.to_string());
            None
        }
    }
}

fn constant_of_all(operator: Operator, conditions: &[Condition]) -> Option<bool> {
    let goes_on = goes_on_after(operator);
    let constants = || conditions.iter().map(Condition::constant);
    if constants().any(|constant| constant == Some(!goes_on)) {
        return Some(!goes_on);
    }
    constants().all(|constant| constant == Some(goes_on)).then_some(goes_on)
}

/// A value short enough to be kept beside the answer.
fn explained(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(number) if number.as_str().len() <= EXPLAINED_LIMIT_BYTES => value.clone(),
        Value::Number(number) => Value::String(cut(number.as_str())),
        Value::String(text) if text.len() <= EXPLAINED_LIMIT_BYTES => value.clone(),
        Value::String(text) => Value::String(cut(text)),
        Value::Array(_) | Value::Object(_) if is_small(value, &mut EXPLAINED_LIMIT_BYTES.clone()) => value.clone(),
        Value::Array(elements) => Value::String(format!("a list of {}", elements.len())),
        Value::Object(object) => Value::String(format!("an object of {} keys", object.len())),
    }
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(EXPLAINED_LIMIT_BYTES);
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// Counts roughly the bytes a value takes, and stops as soon as they are too many.
fn is_small(value: &Value, bytes_left: &mut usize) -> bool {
    let own_bytes = match value {
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => 4,
        Value::Number(number) => number.as_str().len() + 1,
        Value::String(text) => text.len() + 2,
    };
    let Some(left) = bytes_left.checked_sub(own_bytes) else {
        return false;
    };
    *bytes_left = left;
    match value {
        Value::Array(elements) => elements.iter().all(|element| is_small(element, bytes_left)),
        Value::Object(object) => object.iter().all(|(key, inner)| {
            let left = bytes_left.checked_sub(key.len() + 3);
            *bytes_left = left.unwrap_or_default();
            left.is_some() && is_small(inner, bytes_left)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

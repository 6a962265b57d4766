//! A test on what a run has left so far, `{"op":"eq","values":["/#steps.1.status","done"]}`, and its explained answer.
//!
//! Judging never fails: what is missing or of the wrong type makes a condition false (or true, for `dne`, `neq` and
//! `not-contains`), and the verdict says what was missing. A limit that is passed makes it false.

use std::borrow::Cow;

use serde_json::{Map, Value};

pub use crate::operator::Operator;
pub use crate::verdict::{Cast, Kind, Verdict};

use crate::evaluation::{Context, Evaluation};
use crate::explanation::{Explanation, Telling};
use crate::expression::{Expression, Use};
use crate::limits::NESTING_LIMIT_LEVELS;
use crate::naming::quoted;
use crate::problem::{Place, Problem, Problems};
use crate::surroundings::MASK;

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

/// What was judged in order, up to the one that decided.
#[derive(Debug)]
pub(crate) struct Judged {
    /// The places and verdicts that are told; the one that decided is the last.
    pub(crate) told: Vec<(usize, Verdict)>,
    /// How many are not.
    pub(crate) left_out: usize,
    /// The place of the one that decided.
    pub(crate) decided: Option<usize>,
    /// Why one of them could not be worked out, told or not: the first such.
    pub(crate) fault: Option<String>,
}

/// Judges conditions in order up to the first whose answer is `decisive`, as long as there is room telling about them.
pub(crate) fn judge_until<'c>(
    decisive: bool,
    conditions: impl Iterator<Item = &'c Condition>,
    evaluation: &Evaluation<'c>,
    explanation: &mut Explanation,
    depth: usize,
) -> Judged {
    let mut judged = Judged { told: Vec::new(), left_out: 0, decided: None, fault: None };
    for (place, condition) in conditions.enumerate() {
        let telling = explanation.telling(depth);
        let before = *explanation;
        let verdict = condition.judge_within(evaluation, explanation, depth);
        let decides = verdict.holds == decisive;
        judged.fault = judged.fault.take().or_else(|| verdict.faults.first().cloned());
        if telling == Telling::Told || (telling == Telling::IfDecisive && decides) {
            judged.told.push((place, verdict));
        } else {
            // What is not told takes no room from what is.
            *explanation = before;
            judged.left_out += 1;
        }
        if decides {
            judged.decided = Some(place);
            break;
        }
    }
    judged
}

impl Condition {
    /// Parses a condition.
    ///
    /// *Errors* — every problem in it, with paths that start at the condition itself.
    pub fn parse(value: &Value) -> Result<Condition, Vec<Problem>> {
        let mut problems = Problems::default();
        let condition = Condition::read(value, &Place::ROOT, 0, &mut problems);
        match condition {
            Some(condition) if !problems.has_errors() => Ok(condition),
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
        self.judge_within(&Evaluation::new(*context), &mut Explanation::new(), 0)
    }

    /// Goes through every path into the run and every call in it, with its place in the document.
    pub(crate) fn for_each_use(&self, place: &Place<'_>, see: &mut impl FnMut(Use<'_>, &Place<'_>)) {
        let place = place.key("values");
        match &self.operands {
            Operands::Conditions(conditions) => {
                for (index, condition) in conditions.iter().enumerate() {
                    condition.for_each_use(&place.index(index), see);
                }
            }
            Operands::Values(expressions) => {
                for (index, expression) in expressions.iter().enumerate() {
                    expression.for_each_use(&place.index(index), see);
                }
            }
        }
    }

    /// One that is not well formed, so that nothing is known of its answer.
    fn broken() -> Condition {
        Condition { operator: Operator::True, operands: Operands::Values(vec![Expression::broken()]) }
    }

    /// Judges the condition, which stands inside `depth` others.
    pub(crate) fn judge_within<'c>(
        &'c self,
        evaluation: &Evaluation<'c>,
        explanation: &mut Explanation,
        depth: usize,
    ) -> Verdict {
        match &self.operands {
            Operands::Conditions(conditions) => judge_all(self.operator, conditions, evaluation, explanation, depth),
            Operands::Values(expressions) => judge_values(self.operator, expressions, evaluation, explanation),
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
        let message = format!("There is no operator {}; use one of {}.", quoted(name), known.join(", "));
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
    let read = |(index, value): (usize, &Value)| {
        Condition::read(value, &place.index(index), depth + 1, problems).unwrap_or_else(Condition::broken)
    };
    values.iter().enumerate().map(read).collect()
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

fn judge_all<'c>(
    operator: Operator,
    conditions: &'c [Condition],
    evaluation: &Evaluation<'c>,
    explanation: &mut Explanation,
    depth: usize,
) -> Verdict {
    let goes_on = goes_on_after(operator);
    let judged = judge_until(!goes_on, conditions.iter(), evaluation, explanation, depth + 1);
    let holds = if judged.decided.is_some() { !goes_on } else { goes_on };
    Verdict {
        conditions: judged.told.into_iter().map(|(_, verdict)| verdict).collect(),
        left_out: judged.left_out,
        // Where it holds all the same, what could not be worked out did not matter.
        faults: judged.fault.into_iter().filter(|_| !holds).collect(),
        ..Verdict::of(operator, holds)
    }
}

fn judge_values<'c>(
    operator: Operator,
    expressions: &'c [Expression],
    evaluation: &Evaluation<'c>,
    explanation: &mut Explanation,
) -> Verdict {
    let mut unresolved = Unresolved::default();
    let resolved: Vec<Option<Cow<'_, Value>>> =
        expressions.iter().map(|expression| resolve(expression, evaluation, explanation, &mut unresolved)).collect();
    let values: Vec<Option<&Value>> = resolved.iter().map(Option::as_deref).collect();
    // What the document alone decides is no work of the run, and holds whatever is left to pay with.
    let is_constant = expressions.iter().all(|expression| expression.literal().is_some());
    // First one operation, because to weigh is work as well.
    let pay = || evaluation.pay(1).and_then(|()| evaluation.pay_for_bytes(operator.work(&values)));
    if let Err(fault) = if is_constant { Ok(()) } else { pay() } {
        unresolved.faults.push(explanation.fault(&fault));
    }
    let mut told = |(expression, value): (&Expression, &Option<&Value>)| match value {
        None => Value::Null,
        // Whatever was made of a secret may tell it.
        Some(_) if expression.may_tell_a_secret(evaluation) => Value::from(MASK),
        Some(value) => explanation.value(value, evaluation),
    };
    // Nothing follows from what could not be worked out, not even that it is missing.
    let holds = unresolved.faults.is_empty() && operator.judge(&values);
    Verdict {
        values: expressions.iter().zip(&values).map(&mut told).collect(),
        from: from(expressions, explanation),
        casts: operator.casts(&values),
        missing: unresolved.missing,
        faults: unresolved.faults,
        ..Verdict::of(operator, holds)
    }
}

/// What has no value, and why.
#[derive(Debug, Default)]
struct Unresolved {
    /// As written: it leads nowhere, or could not be worked out.
    missing: Vec<String>,
    /// Why it could not be worked out.
    faults: Vec<String>,
}

/// How the values are written, where one of them is more than a literal.
fn from(expressions: &[Expression], explanation: &mut Explanation) -> Vec<Option<String>> {
    if expressions.iter().all(|expression| expression.literal().is_some()) {
        return Vec::new();
    }
    let written = |expression: &Expression| explanation.written(expression.as_written()?);
    expressions.iter().map(written).collect()
}

fn resolve<'c>(
    expression: &'c Expression,
    evaluation: &Evaluation<'c>,
    explanation: &mut Explanation,
    unresolved: &mut Unresolved,
) -> Option<Cow<'c, Value>> {
    let found = expression.looked_at(evaluation);
    if let Ok(Some(value)) = found {
        return Some(value);
    }
    unresolved.missing.extend(expression.as_written().map(|written| explanation.missing(written)));
    unresolved.faults.extend(found.err().map(|fault| explanation.fault(&fault)));
    None
}

/// One look at each condition: two would double with every level of nesting.
fn constant_of_all(operator: Operator, conditions: &[Condition]) -> Option<bool> {
    let goes_on = goes_on_after(operator);
    let mut all_known = true;
    for condition in conditions {
        match condition.constant() {
            Some(constant) if constant != goes_on => return Some(constant),
            Some(_) => {}
            None => all_known = false,
        }
    }
    all_known.then_some(goes_on)
}

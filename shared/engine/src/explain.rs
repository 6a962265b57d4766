//! What an expression or a condition gives for data that somebody has at hand, and why.

use serde_json::Value;

use crate::condition::Condition;
use crate::evaluation::{Context, Evaluation};
use crate::explanation::Explanation;
use crate::expression::Expression;
use crate::fault::Fault;
use crate::naming::type_of;

/// A value and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The value; none when it is missing.
    pub value: Option<Value>,
    /// `string`, `number`, `boolean`, `array`, `object`, `null` or `missing`.
    pub value_type: &'static str,
    /// Sentences: what every path led to or where it stopped, what was called, and what was read as another type.
    ///
    /// *Limits* — the first 200.
    pub explanation: Vec<String>,
}

impl Explained {
    fn of(value: Option<Value>, explanation: Vec<String>) -> Explained {
        Explained { value_type: type_of(value.as_ref()), value, explanation }
    }
}

/// Works out an expression of any depth.
///
/// *Errors* — [`Fault`], when a limit is passed.
pub fn expression(expression: &Expression, context: Context<'_>) -> Result<Explained, Fault> {
    let evaluation = Evaluation::explained(context);
    let value = expression.copied(&evaluation)?;
    if evaluation.is_silent() {
        evaluation.tell(|| match &value {
            Some(value) if expression.as_written().is_some() => format!("It gives {}.", evaluation.name(value)),
            Some(value) => format!("It is a literal: {}.", evaluation.name(value)),
            None => "It gives nothing.".to_owned(),
        });
    }
    Ok(Explained::of(value, evaluation.into_told()))
}

/// Judges a condition.
pub fn condition(condition: &Condition, context: Context<'_>) -> Explained {
    let evaluation = Evaluation::explained(context);
    let verdict = condition.judge_within(&evaluation, &mut Explanation::new(), 0);
    let mut told = evaluation.into_told();
    told.extend(verdict.sentences());
    Explained::of(Some(Value::Bool(verdict.holds)), told)
}

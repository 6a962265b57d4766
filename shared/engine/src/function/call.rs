//! A call as a value is written, `/#fn:dateFormat,steps.1.createdAt,MMM D, YYYY`.
//!
//! The parts stand between commas, without spaces: the name, then the arguments. No argument can hold a comma, except
//! the last one of a function that takes the rest.

use std::borrow::Cow;

use serde_json::Value;

use super::{ARGUMENTS_LIMIT, Argument, Function, Presence, Spelling, find, suggestion};
use crate::evaluation::Evaluation;
use crate::fault::Fault;
use crate::naming::quoted;
use crate::path::{Path, ROOTS};
use crate::problem::Flaw;

/// A parsed call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    text: String,
    function: &'static Function,
    operands: Vec<Operand>,
}

#[derive(Debug, Clone)]
enum Operand {
    Absent,
    Path(Path),
    Literal(Value),
}

impl Call {
    /// Parses what follows `/#fn:`.
    ///
    /// *Errors* — [`Flaw`]: a function that is not known, or arguments that it does not take.
    pub(crate) fn parse(text: &str) -> Result<Call, Flaw> {
        let (name, arguments) = match text.split_once(',') {
            Some((name, arguments)) => (name, Some(arguments)),
            None => (text, None),
        };
        let function = find(name.trim()).ok_or_else(|| unknown_function(name))?;
        let mut operands = Vec::new();
        let mut left = arguments;
        while let Some(text) = left {
            let place = operands.len();
            let Some(parameter) = parameter_at(function, place) else {
                return Err(wrong_arguments(function, "has more arguments than it takes"));
            };
            let (argument, after) = match parameter {
                Spelling::Rest => (text, None),
                Spelling::Path | Spelling::Literal | Spelling::Either => match text.split_once(',') {
                    Some((argument, after)) => (argument, Some(after)),
                    None => (text, None),
                },
            };
            operands.push(operand(function, place, parameter, argument)?);
            left = after;
        }
        let is_given = |place| operands.get(place).is_some_and(|operand| !matches!(operand, Operand::Absent));
        if !(0..function.required()).all(is_given) {
            return Err(wrong_arguments(function, "has fewer arguments than it needs"));
        }
        Ok(Call { text: text.to_owned(), function, operands })
    }

    /// What it gives; `None` when that is nothing.
    ///
    /// *Errors* — [`Fault`], when a limit is passed.
    pub(crate) fn evaluate(&self, evaluation: &Evaluation<'_>) -> Result<Option<Value>, Fault> {
        let argument = |operand| match operand {
            &Operand::Absent => Argument::Absent,
            Operand::Path(path) if self.function.is_for_missing() => {
                Argument::of(evaluation.find_optional(path, || path.text().to_owned()))
            }
            Operand::Path(path) => Argument::of(evaluation.find(path, || path.text().to_owned())),
            Operand::Literal(value) => Argument::Value(Cow::Borrowed(value)),
        };
        let given: Vec<Argument<'_>> = self.operands.iter().map(argument).collect();
        self.function.call(&given, evaluation)
    }

    /// As the author wrote it.
    pub(crate) fn as_written(&self) -> String {
        format!("/#fn:{}", self.text)
    }

    /// The function's name.
    pub(crate) fn name(&self) -> &'static str {
        self.function.name
    }

    /// The paths it reads.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.operands.iter().filter_map(|operand| match operand {
            Operand::Path(path) => Some(path),
            Operand::Absent | Operand::Literal(_) => None,
        })
    }
}

fn parameter_at(function: &Function, place: usize) -> Option<Spelling> {
    let last = function.parameters.last()?;
    match function.parameters.get(place) {
        Some(parameter) => Some(parameter.spelling),
        None if last.presence == Presence::Repeated && place < ARGUMENTS_LIMIT => Some(last.spelling),
        None => None,
    }
}

fn operand(function: &Function, place: usize, spelling: Spelling, text: &str) -> Result<Operand, Flaw> {
    let spelled = text.trim();
    let is_path = match spelling {
        Spelling::Path => !spelled.is_empty(),
        Spelling::Either => begins_like_a_path(spelled),
        Spelling::Literal | Spelling::Rest => false,
    };
    if is_path {
        let path = Path::parse(spelled.strip_prefix("/#").unwrap_or(spelled));
        return path.map(Operand::Path).map_err(|reason| {
            let spelled = quoted(spelled);
            let message = format!("Mend the path {spelled} in the call of {}: {reason}.", function.name);
            Flaw { code: "bad_reference", message, suggestion: None }
        });
    }
    if text.is_empty() {
        return Ok(Operand::Absent);
    }
    function.check_literal(place, text)?;
    Ok(Operand::Literal(Value::String(text.to_owned())))
}

/// Only with something behind its root: `error` alone is a word.
fn begins_like_a_path(text: &str) -> bool {
    let is_root = |root: &&str| text.strip_prefix(*root).is_some_and(|rest| rest.starts_with(['.', '[']));
    text.starts_with("/#") || ROOTS.iter().any(is_root)
}

pub(super) fn unknown_function(name: &str) -> Flaw {
    let suggestion = suggestion(name);
    let meant = suggestion.as_ref().map(|close| format!(" Did you mean \"{close}\"?"));
    let shown = quoted(name);
    let message =
        format!("There is no function {shown}; docs/expressions.md lists them all.{}", meant.unwrap_or_default());
    Flaw { code: "unknown_function", message, suggestion }
}

/// Says what is wrong and how the function is called.
pub(crate) fn wrong_arguments(function: &Function, wrong: &str) -> Flaw {
    let parameters: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| match parameter.presence {
            Presence::Required => parameter.name.to_owned(),
            Presence::Optional => format!("[{}]", parameter.name),
            Presence::Repeated => format!("[{}…]", parameter.name),
        })
        .collect();
    let takes = if parameters.is_empty() { "nothing".to_owned() } else { parameters.join(", ") };
    let message = format!("A call of {} {wrong}; it takes {takes}.", function.name);
    Flaw { code: "wrong_arguments", message, suggestion: None }
}

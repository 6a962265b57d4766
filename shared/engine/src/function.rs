//! The functions of the language: a name, the arguments it takes, and what it gives.
//!
//! The same table serves calls (`/#fn:toLower,steps.1.name`), where the result keeps its type, and helpers in templates
//! (`{{{toLower steps.1.name}}}`), where it becomes text. What cannot be computed is missing, never an error; the only
//! faults are limits, and a link for which nobody has set an address. Whatever a function reads or makes is paid for, so no document can make an executor work long.

mod call;

mod checks;
mod collections;
mod comparisons;
mod dates;
mod encodings;
mod links;
mod markdown;
mod moment;
mod numbers;
mod texts;
mod units;

use std::borrow::Cow;
use std::sync::LazyLock;

use domain::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

pub(crate) use call::{Call, wrong_arguments};
pub(crate) use texts::work_of_64_bytes;
pub use texts::{NoSearch, pattern_for};

use crate::allowance::{Allowance, weight};
use crate::cast;
use crate::evaluation::Evaluation;
use crate::fault::Fault;
use crate::limits::{INPUT_LIMIT_BYTES, INPUT_LIMIT_LEVELS};
use crate::naming::quoted;
use crate::problem::{Flaw, closest};

/// A function.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its name, as the documentation spells it; found without regard to case.
    pub(crate) name: &'static str,
    /// Other names it has.
    pub(crate) aliases: &'static [&'static str],
    /// What it takes, in this order.
    pub(crate) parameters: &'static [Parameter],
    body: Body,
}

type Body = fn(&Arguments<'_, '_>) -> Result<Option<Value>, Fault>;

/// An argument that a function takes. In a template it may also be given by its name, `format='LL'`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) presence: Presence,
    pub(crate) spelling: Spelling,
    /// What an author's own literal is held against before a document is saved.
    pub(crate) check: Option<LiteralCheck>,
}

/// Says what is wrong with a literal.
type LiteralCheck = fn(&str) -> Result<(), Flaw>;

/// A word that is none of those an argument may be.
fn unknown_word(what: &str, word: &str, known: &[&str]) -> Flaw {
    let message = format!("There is no {what} {}; use one of {}.", quoted(word), known.join(", "));
    Flaw { code: "bad_argument", message, suggestion: closest(word, known) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
    /// The last one, which may be repeated.
    Repeated,
}

/// How a call, `/#fn:…`, spells an argument; templates tell paths from texts by quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// A path, with or without `/#`.
    Path,
    /// A text.
    Literal,
    /// A path if it begins like one, else a text.
    Either,
    /// All that is left, commas included.
    Rest,
}

const fn path(name: &'static str) -> Parameter {
    Parameter { name, presence: Presence::Required, spelling: Spelling::Path, check: None }
}

const fn literal(name: &'static str) -> Parameter {
    Parameter { name, presence: Presence::Required, spelling: Spelling::Literal, check: None }
}

const fn either(name: &'static str) -> Parameter {
    Parameter { name, presence: Presence::Required, spelling: Spelling::Either, check: None }
}

const fn rest(name: &'static str) -> Parameter {
    Parameter { name, presence: Presence::Required, spelling: Spelling::Rest, check: None }
}

const fn pattern(name: &'static str) -> Parameter {
    checked(Parameter { spelling: Spelling::Rest, ..literal(name) }, texts::check_pattern)
}

const fn checked(parameter: Parameter, check: LiteralCheck) -> Parameter {
    Parameter { check: Some(check), ..parameter }
}

const fn optional(parameter: Parameter) -> Parameter {
    Parameter { presence: Presence::Optional, ..parameter }
}

const fn repeated(parameter: Parameter) -> Parameter {
    Parameter { presence: Presence::Repeated, ..parameter }
}

/// Every function, by chapter of `docs/expressions.md`.
static CHAPTERS: [&[Function]; 7] = [
    dates::FUNCTIONS,
    numbers::FUNCTIONS,
    texts::FUNCTIONS,
    collections::FUNCTIONS,
    comparisons::FUNCTIONS,
    checks::FUNCTIONS,
    encodings::FUNCTIONS,
];

/// The names of all functions, aliases left out.
pub(crate) static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| all().map(|function| function.name).collect());

fn all() -> impl Iterator<Item = &'static Function> {
    CHAPTERS.iter().flat_map(|chapter| chapter.iter())
}

/// A function as authors know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// What it is called.
    pub name: &'static str,
    /// What else it may be called.
    pub other_names: &'static [&'static str],
    /// How a call, `/#fn:…`, reads each argument: `path`, `text`, `path or text`, or `rest`, all that is left.
    pub arguments: Vec<&'static str>,
}

pub(crate) fn signatures() -> Vec<Signature> {
    let spelling = |parameter: &Parameter| match parameter.spelling {
        Spelling::Path => "path",
        Spelling::Literal => "text",
        Spelling::Either => "path or text",
        Spelling::Rest => "rest",
    };
    let signature = |function: &Function| Signature {
        name: function.name,
        other_names: function.aliases,
        arguments: function.parameters.iter().map(spelling).collect(),
    };
    all().map(signature).collect()
}

/// The function of that name, or of that other name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| {
        function.name.eq_ignore_ascii_case(name)
            || function.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    })
}

/// The name that was probably meant.
pub(crate) fn suggestion(name: &str) -> Option<String> {
    closest(name, &NAMES)
}

/// One argument of a call.
#[derive(Debug, Clone)]
pub(crate) enum Argument<'v> {
    /// Not given.
    Absent,
    /// Given, but nothing is there.
    Missing,
    Value(Cow<'v, Value>),
}

impl<'v> Argument<'v> {
    pub(crate) fn of(found: Option<&'v Value>) -> Argument<'v> {
        found.map_or(Argument::Missing, |value| Argument::Value(Cow::Borrowed(value)))
    }
}

/// The arguments of one call, as its function reads them.
pub(crate) struct Arguments<'e, 'a> {
    given: &'e [Argument<'e>],
    pub(crate) evaluation: &'e Evaluation<'a>,
}

impl Arguments<'_, '_> {
    /// The argument; `None` when it was not given or nothing is there.
    fn value(&self, place: usize) -> Option<&Value> {
        match self.given.get(place) {
            Some(Argument::Value(value)) => Some(value),
            Some(Argument::Absent | Argument::Missing) | None => None,
        }
    }

    /// Whether it was given, even if nothing is there.
    fn is_given(&self, place: usize) -> bool {
        matches!(self.given.get(place), Some(Argument::Missing | Argument::Value(_)))
    }

    /// All from `place` on, for a parameter that is repeated.
    fn all_from(&self, place: usize) -> impl Iterator<Item = Option<&Value>> {
        (place..self.given.len()).map(|place| self.value(place))
    }

    /// The argument as text: nothing for `null`, the digits of a number, compact JSON for lists and objects.
    fn text(&self, place: usize) -> Option<Cow<'_, str>> {
        let value = self.value(place).filter(|value| !value.is_null())?;
        if !value.is_string() {
            self.evaluation.tell(|| format!("For that, {} is read as text.", self.evaluation.name(value)));
        }
        Some(cast::to_text(value))
    }

    /// The argument as a number of at most 28 digits.
    fn number(&self, place: usize) -> Option<Decimal> {
        let value = self.value(place)?;
        let number = units::as_decimal(value);
        if !value.is_number() {
            self.tell_cast(value, "a number", number.is_some());
        }
        number
    }

    /// Tells that the argument was read as what it is not.
    fn tell_cast(&self, value: &Value, kind: &str, is_read: bool) {
        let name = || self.evaluation.name(value);
        self.evaluation.tell(|| match is_read {
            true => format!("For that, {} is read as {kind}.", name()),
            false => format!("But {} cannot be read as {kind}.", name()),
        });
    }

    /// The argument as a whole number.
    fn whole(&self, place: usize) -> Option<i64> {
        let number = self.number(place)?;
        number.is_integer().then(|| number.try_into().ok()).flatten()
    }

    /// Whether the argument is given and truthy.
    fn flag(&self, place: usize) -> bool {
        cast::is_truthy(self.value(place)) && self.value(place) != Some(&Value::String("false".to_owned()))
    }

    /// The argument as an instant; the present one when it was not given.
    fn instant_or_now(&self, place: usize) -> Option<Timestamp> {
        if !self.is_given(place) {
            return Some(self.evaluation.now());
        }
        self.value(place).and_then(|value| self.instant(value))
    }

    /// A value as an instant, which JSON has no type for.
    fn instant(&self, value: &Value) -> Option<Timestamp> {
        let instant = units::as_timestamp(value, &self.evaluation.setup().zone());
        self.tell_cast(value, "a date", instant.is_some());
        instant
    }
}

impl Function {
    /// What is wrong with the author's own literal at `place`, if anything is.
    pub(crate) fn check_literal(&self, place: usize, literal: &str) -> Result<(), Flaw> {
        let parameter = self.parameters.get(place).or(self.parameters.last());
        parameter.and_then(|parameter| parameter.check).map_or(Ok(()), |check| check(literal))
    }

    /// How many arguments it must be given.
    pub(crate) fn required(&self) -> usize {
        self.parameters.iter().filter(|parameter| parameter.presence == Presence::Required).count()
    }

    /// How many arguments it may be given.
    pub(crate) fn most(&self) -> usize {
        let is_repeated = self.parameters.last().is_some_and(|last| last.presence == Presence::Repeated);
        if is_repeated { ARGUMENTS_LIMIT } else { self.parameters.len() }
    }

    /// Whether it is called to find out what there is, so that what is missing is no surprise.
    pub(crate) fn is_for_missing(&self) -> bool {
        matches!(self.name, "default" | "ifExists" | "and" | "or" | "not")
    }

    /// Whether it can be called with each element of a list alone. A link is no matter of data.
    fn is_for_elements(&self) -> bool {
        self.required() == 1 && self.name != "answerLink"
    }

    /// Where the argument of that name goes.
    pub(crate) fn place_of(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }

    /// Calls it.
    ///
    /// *Errors* — [`Fault`], when its work or its result passes a limit.
    pub(crate) fn call(&self, given: &[Argument<'_>], evaluation: &Evaluation<'_>) -> Result<Option<Value>, Fault> {
        // First, because to weigh is work as well.
        evaluation.pay(1)?;
        for argument in given {
            if let Argument::Value(value) = argument {
                evaluation.pay_for_bytes(weight(value))?;
            }
        }
        let result = (self.body)(&Arguments { given, evaluation })?;
        if let Some(value) = &result {
            Allowance::new(INPUT_LIMIT_BYTES, INPUT_LIMIT_LEVELS).take(value, 0)?;
            evaluation.pay_for_bytes(weight(value))?;
        }
        evaluation.tell(|| self.told(given, result.as_ref(), evaluation));
        Ok(result)
    }

    fn told(&self, given: &[Argument<'_>], result: Option<&Value>, evaluation: &Evaluation<'_>) -> String {
        let arguments = given.iter().filter_map(|argument| match argument {
            Argument::Absent => None,
            Argument::Missing => Some("nothing".to_owned()),
            Argument::Value(value) => Some(evaluation.name(value)),
        });
        let arguments: Vec<String> = arguments.collect();
        let of = if arguments.is_empty() { String::new() } else { format!(" of {}", arguments.join(", ")) };
        let result = result.map_or("nothing".to_owned(), |value| evaluation.name(value));
        format!("`{}`{of} gives {result}.", self.name)
    }
}

/// The most arguments of one call.
pub(crate) const ARGUMENTS_LIMIT: usize = 32;

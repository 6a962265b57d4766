//! The sixteen condition operators: their names, how many values each takes, and one function that judges each.
//!
//! `and` and `or` take conditions and are judged where conditions are; the other fourteen are a table of functions
//! over values. A missing value is `None`, and no operator ever fails.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::allowance::weight;
use crate::cast::{as_instant, as_number, is_truthy, loosely_equal, to_text};
use crate::decimal::Decimal;
use crate::membership::holds_any;
use crate::verdict::{Cast, Kind};

/// A condition operator, written in documents as in the comment of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// `and`: all of the conditions hold; none at all is true.
    And,
    /// `or`: one of the conditions holds; none at all is false.
    Or,
    /// `exists`: the value is there and not `null`.
    Exists,
    /// `dne`: does not exist, the opposite of `exists`.
    Dne,
    /// `true`: the value is truthy; without a value, always true.
    True,
    /// `false`: the value is falsy; without a value, always false.
    False,
    /// `eq`: both are equal, see `docs/workflow-format.md` for values of different types.
    Eq,
    /// `neq`: the opposite of `eq`.
    Neq,
    /// `gt`: both are numbers and the first is greater.
    Gt,
    /// `gte`: both are numbers and the first is not less.
    Gte,
    /// `lt`: both are numbers and the first is less.
    Lt,
    /// `lte`: both are numbers and the first is not greater.
    Lte,
    /// `lt-date`: both are dates and the first is earlier.
    LtDate,
    /// `gt-date`: both are dates and the first is later.
    GtDate,
    /// `contains`: the text or array holds the second value, or any of it when it is an array.
    Contains,
    /// `not-contains`: the opposite of `contains`.
    NotContains,
}

impl Operator {
    /// Every operator, in the order Kustomer lists them.
    pub const ALL: [Operator; 16] = [
        Operator::And,
        Operator::Or,
        Operator::Exists,
        Operator::Dne,
        Operator::True,
        Operator::False,
        Operator::Eq,
        Operator::Neq,
        Operator::Gt,
        Operator::Gte,
        Operator::Lt,
        Operator::Lte,
        Operator::LtDate,
        Operator::GtDate,
        Operator::Contains,
        Operator::NotContains,
    ];

    /// The operator of that name.
    pub fn find(name: &str) -> Option<Operator> {
        Operator::ALL.into_iter().find(|operator| operator.name() == name)
    }

    /// How it is written in a document.
    pub fn name(self) -> &'static str {
        match self {
            Operator::And => "and",
            Operator::Or => "or",
            Operator::Exists => "exists",
            Operator::Dne => "dne",
            Operator::True => "true",
            Operator::False => "false",
            Operator::Eq => "eq",
            Operator::Neq => "neq",
            Operator::Gt => "gt",
            Operator::Gte => "gte",
            Operator::Lt => "lt",
            Operator::Lte => "lte",
            Operator::LtDate => "lt-date",
            Operator::GtDate => "gt-date",
            Operator::Contains => "contains",
            Operator::NotContains => "not-contains",
        }
    }

    /// How many values it takes.
    pub(crate) fn arity(self) -> RangeInclusive<usize> {
        match self {
            Operator::And | Operator::Or => 0..=usize::MAX,
            // Exports hold `exists [ref, ""]` and `dne [ref, true]`; the second is ignored.
            Operator::Exists | Operator::Dne => 1..=2,
            Operator::True | Operator::False => 0..=1,
            Operator::Eq
            | Operator::Neq
            | Operator::Gt
            | Operator::Gte
            | Operator::Lt
            | Operator::Lte
            | Operator::LtDate
            | Operator::GtDate
            | Operator::Contains
            | Operator::NotContains => 2..=2,
        }
    }

    /// Whether a list or an object as written could never be what it compares.
    pub(crate) fn compares_scalars(self) -> bool {
        match self {
            Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte | Operator::LtDate | Operator::GtDate => true,
            Operator::And
            | Operator::Or
            | Operator::Exists
            | Operator::Dne
            | Operator::True
            | Operator::False
            | Operator::Eq
            | Operator::Neq
            | Operator::Contains
            | Operator::NotContains => false,
        }
    }

    /// Judges the values of any operator but `and` and `or`, for which it gives what no conditions at all give.
    pub(crate) fn judge(self, values: &[Option<&Value>]) -> bool {
        let first = values.first().copied().flatten();
        let second = values.get(1).copied().flatten();
        match self {
            Operator::And => true,
            Operator::Or => false,
            Operator::Exists => exists(first),
            Operator::Dne => !exists(first),
            Operator::True => values.is_empty() || is_truthy(first),
            Operator::False => !values.is_empty() && !is_truthy(first),
            Operator::Eq => loosely_equal(first, second),
            Operator::Neq => !loosely_equal(first, second),
            Operator::Gt => compare_numbers(first, second).is_some_and(Ordering::is_gt),
            Operator::Gte => compare_numbers(first, second).is_some_and(Ordering::is_ge),
            Operator::Lt => compare_numbers(first, second).is_some_and(Ordering::is_lt),
            Operator::Lte => compare_numbers(first, second).is_some_and(Ordering::is_le),
            Operator::LtDate => compare_instants(first, second).is_some_and(Ordering::is_lt),
            Operator::GtDate => compare_instants(first, second).is_some_and(Ordering::is_gt),
            Operator::Contains => contains(first, second),
            Operator::NotContains => !contains(first, second),
        }
    }
}

impl Operator {
    /// How many bytes it may have to look at to judge the values.
    pub(crate) fn work(self, values: &[Option<&Value>]) -> usize {
        let all = || values.iter().flatten().map(|value| weight(value)).fold(0, usize::saturating_add);
        match self {
            Operator::Contains | Operator::NotContains => match values {
                // The text is searched once for each.
                [Some(Value::String(text)), Some(Value::Array(any))] => text.len().saturating_mul(any.len().max(1)),
                // The text is read as a number for each that is one.
                [Some(Value::Array(elements)), Some(Value::String(text))] => {
                    all().saturating_add(text.len().saturating_mul(elements.len()))
                }
                _ => all(),
            },
            Operator::Eq | Operator::Neq => all(),
            // They look whether there is something, and not at it.
            Operator::And | Operator::Or | Operator::Exists | Operator::Dne | Operator::True | Operator::False => 0,
            Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte | Operator::LtDate | Operator::GtDate => {
                let scalars = values.iter().flatten().filter(|value| !(value.is_array() || value.is_object()));
                scalars.map(|value| weight(value)).fold(0, usize::saturating_add)
            }
        }
    }

    /// Which of the values had to be read as another type than they have; of most there is none.
    pub(crate) fn casts(self, values: &[Option<&Value>]) -> Vec<Cast> {
        let first = values.first().copied().flatten();
        let second = values.get(1).copied().flatten();
        match self {
            Operator::And | Operator::Or | Operator::Exists | Operator::Dne => Vec::new(),
            Operator::True | Operator::False => cast(0, Kind::Boolean, first, |value| {
                let needs_none = value.is_boolean();
                (!needs_none).then_some(true)
            }),
            Operator::Eq | Operator::Neq => equality_cast(first, second),
            Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte => {
                let read = |value: &Value| (!value.is_number()).then(|| as_number(value).is_some());
                [cast(0, Kind::Number, first, read), cast(1, Kind::Number, second, read)].concat()
            }
            Operator::LtDate | Operator::GtDate => {
                let read = |value: &Value| Some(as_instant(value).is_some());
                [cast(0, Kind::Date, first, read), cast(1, Kind::Date, second, read)].concat()
            }
            Operator::Contains | Operator::NotContains => match (first, second) {
                (Some(Value::String(_)), Some(Value::Number(_) | Value::Bool(_))) => {
                    vec![Cast { value: 1, kind: Kind::Text, read: true }]
                }
                _ => Vec::new(),
            },
        }
    }
}

/// The cast of one value, if `read` says that it needs one and whether it could be made.
fn cast(place: usize, kind: Kind, value: Option<&Value>, read: impl Fn(&Value) -> Option<bool>) -> Vec<Cast> {
    value.and_then(read).map(|read| Cast { value: place, kind, read }).into_iter().collect()
}

/// A text beside a number or a boolean is read as that.
fn equality_cast(first: Option<&Value>, second: Option<&Value>) -> Vec<Cast> {
    let (place, text, other) = match (first, second) {
        (Some(Value::String(text)), Some(other)) => (0, text, other),
        (Some(other), Some(Value::String(text))) => (1, text, other),
        _ => return Vec::new(),
    };
    match other {
        Value::Number(_) => {
            vec![Cast { value: place, kind: Kind::Number, read: Decimal::parse(text).is_some() }]
        }
        Value::Bool(_) => {
            vec![Cast { value: place, kind: Kind::Boolean, read: matches!(text.as_str(), "true" | "false") }]
        }
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => Vec::new(),
    }
}

fn exists(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !value.is_null())
}

fn compare_numbers(left: Option<&Value>, right: Option<&Value>) -> Option<Ordering> {
    Some(as_number(left?)?.compare(&as_number(right?)?))
}

fn compare_instants(left: Option<&Value>, right: Option<&Value>) -> Option<Ordering> {
    Some(as_instant(left?)?.cmp(&as_instant(right?)?))
}

fn contains(holder: Option<&Value>, sought: Option<&Value>) -> bool {
    let (Some(holder), Some(sought)) = (holder, sought) else {
        return false;
    };
    match (holder, sought) {
        (Value::Array(elements), Value::Array(any)) => holds_any(elements, any),
        (holder, Value::Array(any)) => any.iter().any(|one| holds(holder, one)),
        (holder, one) => holds(holder, one),
    }
}

fn holds(holder: &Value, sought: &Value) -> bool {
    match holder {
        Value::String(text) => text_holds(text, sought),
        Value::Array(elements) => elements.iter().any(|element| loosely_equal(Some(element), Some(sought))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn text_holds(text: &str, sought: &Value) -> bool {
    match sought {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => text.contains(to_text(sought).as_ref()),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

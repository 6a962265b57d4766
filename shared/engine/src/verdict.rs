//! A condition's answer and why, as it is kept in the journal and told in sentences.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::naming::named;
use crate::operator::Operator;

/// A condition's answer and why.
///
/// *Shape* — `{"op":"gt","values":["150",100],"from":["/#steps.1.total",null],"casts":[{"value":0,"as":"number","read":true}],"result":true}`;
/// for `and` and `or` there are `conditions`, up to the one that decided. Lists that are empty are left out.
///
/// *Limits* — those of `docs/workflow-format.md`: where many conditions were judged, `leftOut` says how many are not told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The operator.
    pub op: Operator,
    /// What the values were, `null` for what is missing; what is long is cut or named.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "domain::exact")]
    pub values: Vec<Value>,
    /// How each value is written, where it is more than a literal; empty when all are literals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<Option<String>>,
    /// The values that had to be read as another type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub casts: Vec<Cast>,
    /// Whether the condition holds.
    #[serde(rename = "result")]
    pub holds: bool,
    /// The verdicts inside an `and` or `or`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Verdict>,
    /// How many verdicts are not among `conditions`; the one that decided is the last there, unless it stands too deep.
    #[serde(default, rename = "leftOut", skip_serializing_if = "is_none_left_out")]
    pub left_out: usize,
    /// What led nowhere or could not be worked out, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Why something could not be worked out: the limits that were passed, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

/// A value that was read as another type than it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cast {
    /// Which of the values, from 0.
    pub value: usize,
    /// What it was read as.
    #[serde(rename = "as")]
    pub kind: Kind,
    /// Whether it could be.
    pub read: bool,
}

/// A type that a value can be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An exact decimal number.
    Number,
    /// True or false.
    Boolean,
    /// An instant.
    Date,
    /// Text.
    Text,
}

/// For `leftOut`, which is only written when there is something to say.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
pub(crate) fn is_none_left_out(left_out: &usize) -> bool {
    *left_out == 0
}

impl Verdict {
    /// The bare answer.
    pub(crate) const fn of(op: Operator, holds: bool) -> Verdict {
        Verdict {
            op,
            values: Vec::new(),
            from: Vec::new(),
            casts: Vec::new(),
            holds,
            conditions: Vec::new(),
            left_out: 0,
            missing: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The answer in sentences: what was compared, what was read as another type, and what was missing.
    ///
    /// *Shape* — `/#steps.1.total (the text "150") is greater than the number 100.`, then `For that, the text "150" was
    /// read as a number.`
    pub fn sentences(&self) -> Vec<String> {
        let is_compound = matches!(self.op, Operator::And | Operator::Or);
        let mut sentences = match self.faults.is_empty() || is_compound {
            true => vec![capitalized(self.sentence())],
            false => vec![self.undecided()],
        };
        // Those of `and` and `or` are the ones of a condition inside.
        sentences.extend(self.faults.iter().filter(|_| !is_compound).cloned());
        sentences.extend(self.casts.iter().map(|cast| self.told_cast(*cast)));
        sentences.extend(self.conditions.iter().flat_map(Verdict::sentences));
        if self.left_out > 0 {
            sentences.push(format!("{} more conditions are not told.", self.left_out));
        }
        sentences
    }

    fn sentence(&self) -> String {
        let (first, second) = (self.operand(0), self.operand(1));
        let holds = self.holds;
        let compared = |yes: &str, no: &str| format!("{first} {} {second}.", if holds { yes } else { no });
        let alone = |yes: &str, no: &str| format!("{first} {}.", if holds { yes } else { no });
        match self.op {
            Operator::And if self.is_empty() && holds => "No condition is asked for, so it holds.".to_owned(),
            Operator::And if holds => "All of these conditions hold:".to_owned(),
            Operator::And => "All conditions have to hold, and the last of these does not:".to_owned(),
            Operator::Or if self.is_empty() && !holds => "No condition is given, so none holds.".to_owned(),
            Operator::Or if holds => "One condition has to hold, and the last of these does:".to_owned(),
            Operator::Or => "None of these conditions holds:".to_owned(),
            Operator::True if self.values.is_empty() => "It always holds.".to_owned(),
            Operator::False if self.values.is_empty() => "It never holds.".to_owned(),
            Operator::True => alone("counts as true", "does not count as true"),
            Operator::False => alone("counts as false", "does not count as false"),
            Operator::Exists => alone("exists", "does not exist"),
            Operator::Dne => alone("does not exist", "exists"),
            Operator::Eq => compared("equals", "does not equal"),
            Operator::Neq => compared("does not equal", "equals"),
            Operator::Gt => compared("is greater than", "is not greater than"),
            Operator::Gte => compared("is at least", "is not at least"),
            Operator::Lt => compared("is less than", "is not less than"),
            Operator::Lte => compared("is at most", "is not at most"),
            Operator::LtDate => compared("is earlier than", "is not earlier than"),
            Operator::GtDate => compared("is later than", "is not later than"),
            Operator::Contains => compared("contains", "does not contain"),
            Operator::NotContains => compared("does not contain", "contains"),
        }
    }

    fn undecided(&self) -> String {
        let operands: Vec<String> = (0..self.values.len()).map(|place| self.operand(place)).collect();
        format!("Whether `{}` holds for {} could not be worked out.", self.op.name(), operands.join(" and "))
    }

    /// Whether no condition stands in it, told or not.
    fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.left_out == 0
    }

    fn operand(&self, place: usize) -> String {
        let value = self.values.get(place).unwrap_or(&Value::Null);
        match self.from.get(place).and_then(Option::as_ref) {
            None => told(value),
            Some(written) if self.missing.contains(written) => format!("{written} (missing)"),
            Some(written) => format!("{written} ({})", told(value)),
        }
    }

    fn told_cast(&self, cast: Cast) -> String {
        let value = told(self.values.get(cast.value).unwrap_or(&Value::Null));
        let kind = match cast.kind {
            Kind::Number => "a number",
            Kind::Boolean => "true or false",
            Kind::Date => "a date",
            Kind::Text => "text",
        };
        if cast.read {
            format!("For that, {value} was read as {kind}.")
        } else {
            format!("But {value} cannot be read as {kind}.")
        }
    }
}

fn capitalized(sentence: String) -> String {
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) if first.is_ascii_lowercase() => format!("{}{}", first.to_ascii_uppercase(), characters.as_str()),
        Some(_) | None => sentence,
    }
}

/// A value in a few words. One that the journal names already, `"a list of 1000"`, is not quoted.
fn told(value: &Value) -> String {
    let is_name = value.as_str().filter(|text| is_name(text));
    is_name.map_or_else(|| named(value), str::to_owned)
}

fn is_name(text: &str) -> bool {
    ["a list of ", "an object of ", "a text of ", "a number of "].iter().any(|start| {
        text.strip_prefix(start).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    })
}

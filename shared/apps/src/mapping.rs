//! The mapping language: JSON that says what becomes of an arrival. Pure and total: whatever does not fit is missing, never an error.
//!
//! Missing is not `null`: a member whose mapping is missing is left out, a `null` of the sender stays a `null`.
//! The operators are listed in `docs/apps.md`; each is a function in one of the modules below.

mod amount;
mod context;
mod list;
mod logic;
mod object;
mod operator;
mod path;
mod text;
mod time;

use std::borrow::Cow;

use serde_json::{Map, Value};

pub use context::{Context, Lets};

use operator::Operator;
use path::Path;

/// How deep a mapping may nest.
pub const DEPTH_LIMIT_LEVELS: usize = 32;

/// What a mapping reads: one arrival.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The data of the body.
    pub body: &'a Value,
    /// The kept headers by lower-case name.
    pub headers: &'a Map<String, Value>,
    /// The query parameters.
    pub query: &'a Map<String, Value>,
    /// The HTTP method, in upper case.
    pub method: &'a str,
}

/// A mapping that can be evaluated.
#[derive(Debug, Clone)]
pub struct Mapping(Node);

#[derive(Debug, Clone)]
enum Node {
    Literal(Value),
    Path(Path),
    List(Vec<Mapping>),
    Object(Vec<(String, Mapping)>),
    Operator(Box<Operator>),
}

/// Where a mapping is evaluated: the arrival, and inside a list the element.
#[derive(Debug, Clone, Copy)]
struct Scope<'s> {
    context: &'s Context<'s>,
    item: Option<&'s Value>,
}

impl Mapping {
    /// Reads a mapping that may use `lets`.
    ///
    /// *Errors*: a sentence that names the operator or path that is wrong.
    pub fn parse(json: &Value, lets: &Lets) -> Result<Self, String> {
        Reader { lets, depth: 0 }.mapping(json)
    }

    /// What it gives; `None` is missing.
    pub fn value(&self, context: &Context<'_>) -> Option<Value> {
        self.owned(Scope { context, item: None })
    }

    /// What it gives where `$.item` is `item`.
    pub fn value_for(&self, context: &Context<'_>, item: &Value) -> Option<Value> {
        self.owned(Scope { context, item: Some(item) })
    }

    /// Whether it gives `true`.
    pub fn holds(&self, context: &Context<'_>) -> bool {
        self.holds_at(Scope { context, item: None })
    }

    /// Whether it gives `true` where `$.item` is `item`.
    pub fn holds_for(&self, context: &Context<'_>, item: &Value) -> bool {
        self.holds_at(Scope { context, item: Some(item) })
    }

    fn holds_at(&self, scope: Scope<'_>) -> bool {
        self.at(scope).as_deref() == Some(&Value::Bool(true))
    }

    fn at<'s>(&'s self, scope: Scope<'s>) -> Option<Cow<'s, Value>> {
        match &self.0 {
            Node::Literal(value) => Some(Cow::Borrowed(value)),
            Node::Path(path) => path.value(scope),
            Node::List(elements) => {
                Some(Cow::Owned(elements.iter().filter_map(|element| element.owned(scope)).collect()))
            }
            Node::Object(members) => {
                let member = |(key, mapping): &(String, Self)| Some((key.clone(), mapping.owned(scope)?));
                Some(Cow::Owned(Value::Object(members.iter().filter_map(member).collect())))
            }
            Node::Operator(operator) => operator.value(scope),
        }
    }

    fn owned(&self, scope: Scope<'_>) -> Option<Value> {
        self.at(scope).map(Cow::into_owned)
    }
}

/// Reads mappings out of JSON, and knows how deep it is.
#[derive(Clone, Copy)]
struct Reader<'l> {
    lets: &'l Lets,
    depth: usize,
}

impl Reader<'_> {
    fn mapping(self, json: &Value) -> Result<Mapping, String> {
        if self.depth > DEPTH_LIMIT_LEVELS {
            return Err(format!("a mapping nests at most {DEPTH_LIMIT_LEVELS} levels"));
        }
        let inner = Self { depth: self.depth + 1, ..self };
        Ok(Mapping(match json {
            Value::Null | Value::Bool(_) | Value::Number(_) => Node::Literal(json.clone()),
            Value::String(text) => self.text(text)?,
            Value::Array(elements) => Node::List(inner.mappings(elements)?),
            Value::Object(members) => inner.object(members)?,
        }))
    }

    fn mappings(self, elements: &[Value]) -> Result<Vec<Mapping>, String> {
        elements.iter().map(|element| self.mapping(element)).collect()
    }

    fn text(self, text: &str) -> Result<Node, String> {
        if text.starts_with("$.") {
            return Ok(Node::Path(Path::parse(text, self.lets)?));
        }
        let literal = if text.starts_with("$$") { text.get(1..).unwrap_or_default() } else { text };
        Ok(Node::Literal(Value::String(literal.to_owned())))
    }

    fn object(self, members: &Map<String, Value>) -> Result<Node, String> {
        let mut operators = members.iter().filter(|(key, _)| key.starts_with('$'));
        match (operators.next(), members.len()) {
            (None, _) => {
                let member = |(key, json): (&String, &Value)| Ok((key.clone(), self.mapping(json)?));
                Ok(Node::Object(members.iter().map(member).collect::<Result<_, String>>()?))
            }
            (Some((name, operand)), 1) => Ok(Node::Operator(Box::new(Operator::read(name, operand, self)?))),
            (Some((name, _)), _) => Err(format!("the operator {name} stands alone in its object")),
        }
    }
}

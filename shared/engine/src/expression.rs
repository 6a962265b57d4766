//! What an author writes where a value is wanted: a literal, a reference (`/#steps.1.id`) or a template (`{{…}}`).
//!
//! A text is a reference only when its *whole* text starts with `/#`; `"Order /#steps.1.id"` is a literal. What a
//! reference or a template yields is data and is never looked at again for expressions.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::allowance::{Allowance, Exceeded};
use crate::path::Path;
use crate::problem::{Place, Problem, Problems};
use crate::template::Template;

/// How deep params may nest, and conditions inside conditions.
///
/// *Why* — arrivals are held to the same depth, and no walk over a document can then exhaust the stack.
pub const NESTING_LIMIT_LEVELS: usize = 64;

/// How many bytes the params of a step may come to as compact JSON, and any other value put together: 1 MiB.
///
/// *Why* — a list may name the same large value thousands of times.
pub const INPUT_LIMIT_BYTES: usize = 1_048_576;

/// How many lists and objects may stand inside each other in it, the params themselves counted.
///
/// *Why* — journals are read with `serde_json`, which ends at 127, and a value stands inside of an entry there.
pub const INPUT_LIMIT_LEVELS: usize = 100;

/// What marks a text as a reference.
const REFERENCE_PREFIX: &str = "/#";

/// What marks a reference as the call of a function.
const FUNCTION_PREFIX: &str = "fn:";

/// What expressions may read, borrowed from the run.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// An object: what each step left, by step id; `"1"` is the trigger.
    pub steps: &'a Value,
    /// An object: the workflow's variables by their id.
    pub variables: Option<&'a Value>,
    /// The last failure, `{"code","message"}`.
    pub error: Option<&'a Value>,
}

/// An expression could not be worked out. The step it belongs to fails with this code and sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A value put together is over [`INPUT_LIMIT_BYTES`].
    #[error("The params came to more than {INPUT_LIMIT_BYTES} bytes of JSON; pass on less, such as single fields.")]
    InputTooLarge,
    /// A value put together nests deeper than [`INPUT_LIMIT_LEVELS`].
    #[error("The params nested more than {INPUT_LIMIT_LEVELS} levels deep; pass on an inner value, not the whole.")]
    InputTooDeep,
    /// The text a template makes is over [`crate::expression::TEMPLATE_LIMIT_BYTES`].
    #[error("A template made more than {TEMPLATE_LIMIT_BYTES} bytes of text; make it shorter.")]
    TemplateTooLarge,
    /// A template goes round its loops too often.
    #[error("A template took more than {TEMPLATE_LIMIT_OPERATIONS} operations; loop over fewer items.")]
    TemplateTooLong,
    /// The values a template with blocks names are over [`crate::expression::TEMPLATE_LIMIT_READ_BYTES`].
    #[error("A template reads more than {TEMPLATE_LIMIT_READ_BYTES} bytes of values; name smaller ones.")]
    TemplateReadsTooMuch,
    /// A template compiled but cannot be rendered with this data.
    #[error("A template could not be rendered: {0}.")]
    TemplateFailed(String),
    /// An expression that was never checked is not well formed.
    #[error("{0}")]
    Malformed(String),
}

/// The limits of one template; one operation is one element rendered once.
pub use crate::template::{TEMPLATE_LIMIT_BYTES, TEMPLATE_LIMIT_OPERATIONS, TEMPLATE_LIMIT_READ_BYTES};

impl Fault {
    /// The stable name of the fault, as it appears in a run's error.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::InputTooLarge => "input_too_large",
            Fault::InputTooDeep => "input_too_deep",
            Fault::TemplateTooLarge => "template_too_large",
            Fault::TemplateTooLong => "template_too_long",
            Fault::TemplateReadsTooMuch => "template_reads_too_much",
            Fault::TemplateFailed(_) => "template_failed",
            Fault::Malformed(_) => "malformed_expression",
        }
    }
}

impl From<Exceeded> for Fault {
    fn from(exceeded: Exceeded) -> Fault {
        match exceeded {
            Exceeded::Bytes => Fault::InputTooLarge,
            Exceeded::Levels => Fault::InputTooDeep,
        }
    }
}

/// A value as written, with everything in it that is an expression parsed.
#[derive(Debug, Clone)]
pub struct Expression(Node);

#[derive(Debug, Clone)]
enum Node {
    Literal(Value),
    Reference(Path),
    Template(Box<Template>),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Resolves params that were not parsed before; a [`crate::Definition`] keeps its own parsed.
///
/// Gives `None` when all of `params` is one reference that leads nowhere. Inside an array a missing reference becomes
/// `null`, as the value of a key it takes the key with it.
///
/// *Errors* — [`Fault`]; [`Fault::Malformed`] when `params` holds an expression that does not parse.
pub fn resolve(params: &Value, context: &Context<'_>) -> Result<Option<Value>, Fault> {
    let expression = Expression::parse(params).map_err(|problems| {
        let sentences: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
        Fault::Malformed(sentences.join(" "))
    })?;
    expression.input(context)
}

impl Expression {
    /// Parses a value of any depth.
    ///
    /// *Errors* — every problem in it, with paths that start at the value itself.
    pub fn parse(value: &Value) -> Result<Expression, Vec<Problem>> {
        let mut problems = Problems::default();
        let expression = Expression::read(value, &Place::ROOT, &mut problems);
        if problems.count() > 0 {
            return Err(problems.into_vec());
        }
        Ok(expression)
    }

    /// Parses the value at a place of a document; what is not well formed is added to `problems`.
    pub(crate) fn read(value: &Value, place: &Place<'_>, problems: &mut Problems) -> Expression {
        Expression(read_node(value, place, 0, problems))
    }

    /// Works the expression out to be looked at: a literal or a reference is lent, not copied, and may have any size.
    ///
    /// *Errors* — [`Fault`], from templates and from what is put together of several values.
    pub fn resolve<'a>(&'a self, context: &Context<'a>) -> Result<Option<Cow<'a, Value>>, Fault> {
        match &self.0 {
            Node::Literal(value) => Ok(Some(Cow::Borrowed(value))),
            Node::Reference(path) => Ok(path.find(context).map(Cow::Borrowed)),
            Node::Template(template) => Ok(Some(Cow::Owned(Value::String(template.render(context)?)))),
            Node::Array(_) | Node::Object(_) => self.input(context).map(|found| found.map(Cow::Owned)),
        }
    }

    /// Works the expression out to be kept and handed on; nothing is copied before it is known to be within the limits.
    ///
    /// *Errors* — [`Fault`], from templates and from values over [`INPUT_LIMIT_BYTES`] or [`INPUT_LIMIT_LEVELS`].
    pub fn input(&self, context: &Context<'_>) -> Result<Option<Value>, Fault> {
        copy_node(&self.0, context, &mut Allowance::new(INPUT_LIMIT_BYTES, INPUT_LIMIT_LEVELS), 0)
    }

    /// The expression's value when it depends on nothing.
    pub(crate) fn literal(&self) -> Option<&Value> {
        match &self.0 {
            Node::Literal(value) => Some(value),
            Node::Reference(_) | Node::Template(_) | Node::Array(_) | Node::Object(_) => None,
        }
    }

    /// The path as written, when the whole expression is one reference.
    pub(crate) fn reference(&self) -> Option<&str> {
        match &self.0 {
            Node::Reference(path) => Some(path.text()),
            Node::Literal(_) | Node::Template(_) | Node::Array(_) | Node::Object(_) => None,
        }
    }

    /// Whether it is a list or an object, whatever is inside.
    pub(crate) fn is_compound(&self) -> bool {
        match &self.0 {
            Node::Array(_) | Node::Object(_) => true,
            Node::Literal(value) => value.is_array() || value.is_object(),
            Node::Reference(_) | Node::Template(_) => false,
        }
    }
}

fn read_node(value: &Value, place: &Place<'_>, depth: usize, problems: &mut Problems) -> Node {
    if depth >= NESTING_LIMIT_LEVELS && (value.is_array() || value.is_object()) {
        problems.add(
            place,
            "nested_too_deep",
            format!("Nest values at most {NESTING_LIMIT_LEVELS} levels deep; this one is deeper."),
        );
        return Node::Literal(Value::Null);
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Node::Literal(value.clone()),
        Value::String(text) => read_text(text, place, problems),
        Value::Array(elements) => read_array(value, elements, place, depth, problems),
        Value::Object(object) => read_object(value, object, place, depth, problems),
    }
}

fn read_text(text: &str, place: &Place<'_>, problems: &mut Problems) -> Node {
    let parsed = match text.strip_prefix(REFERENCE_PREFIX) {
        Some(reference) => read_reference(reference, place, problems),
        None if text.contains("{{") => read_template(text, place, problems),
        None => None,
    };
    parsed.unwrap_or_else(|| Node::Literal(Value::String(text.to_owned())))
}

fn read_reference(reference: &str, place: &Place<'_>, problems: &mut Problems) -> Option<Node> {
    if let Some(call) = reference.strip_prefix(FUNCTION_PREFIX) {
        let name = call.split(',').next().unwrap_or(call);
        let message = format!("The function \"{name}\" is not known here; use a reference or a template instead.");
        problems.add(place, "unknown_function", message);
        return None;
    }
    match Path::parse(reference) {
        Ok(path) => Some(Node::Reference(path)),
        Err(reason) => {
            let message = format!("Mend the reference \"/#{reference}\": {reason}. Write it like /#steps.1.id.");
            problems.add(place, "bad_reference", message);
            None
        }
    }
}

fn read_template(text: &str, place: &Place<'_>, problems: &mut Problems) -> Option<Node> {
    match Template::parse(text) {
        Ok(template) => Some(Node::Template(Box::new(template))),
        Err(flaw) => {
            problems.add(place, flaw.code, flaw.message);
            None
        }
    }
}

fn read_array(value: &Value, elements: &[Value], place: &Place<'_>, depth: usize, problems: &mut Problems) -> Node {
    let nodes: Vec<Node> = elements
        .iter()
        .enumerate()
        .map(|(index, element)| read_node(element, &place.index(index), depth + 1, problems))
        .collect();
    let is_literal = nodes.iter().all(|node| matches!(node, Node::Literal(_)));
    if is_literal { Node::Literal(value.clone()) } else { Node::Array(nodes) }
}

fn read_object(
    value: &Value,
    object: &Map<String, Value>,
    place: &Place<'_>,
    depth: usize,
    problems: &mut Problems,
) -> Node {
    let nodes: Vec<(String, Node)> = object
        .iter()
        .map(|(key, inner)| (key.clone(), read_node(inner, &place.key(key), depth + 1, problems)))
        .collect();
    let is_literal = nodes.iter().all(|(_, node)| matches!(node, Node::Literal(_)));
    if is_literal { Node::Literal(value.clone()) } else { Node::Object(nodes) }
}

fn copy_node(
    node: &Node,
    context: &Context<'_>,
    allowance: &mut Allowance,
    depth: usize,
) -> Result<Option<Value>, Fault> {
    match node {
        Node::Literal(value) => copy_value(value, allowance, depth).map(Some),
        Node::Reference(path) => path.find(context).map(|value| copy_value(value, allowance, depth)).transpose(),
        Node::Template(template) => {
            let text = template.render(context)?;
            allowance.take_text(&text)?;
            Ok(Some(Value::String(text)))
        }
        Node::Array(nodes) => copy_array(nodes, context, allowance, depth).map(Some),
        Node::Object(nodes) => copy_object(nodes, context, allowance, depth).map(Some),
    }
}

fn copy_value(value: &Value, allowance: &mut Allowance, depth: usize) -> Result<Value, Fault> {
    allowance.take(value, depth)?;
    Ok(value.clone())
}

fn copy_array(nodes: &[Node], context: &Context<'_>, allowance: &mut Allowance, depth: usize) -> Result<Value, Fault> {
    allowance.take_brackets(depth)?;
    allowance.take_bytes(nodes.len().saturating_sub(1))?;
    let mut elements = Vec::with_capacity(nodes.len());
    for node in nodes {
        // An element keeps its place, so what is missing leaves a null behind.
        elements.push(match copy_node(node, context, allowance, depth + 1)? {
            Some(element) => element,
            None => copy_value(&Value::Null, allowance, depth + 1)?,
        });
    }
    Ok(Value::Array(elements))
}

fn copy_object(
    nodes: &[(String, Node)],
    context: &Context<'_>,
    allowance: &mut Allowance,
    depth: usize,
) -> Result<Value, Fault> {
    allowance.take_brackets(depth)?;
    let mut object = Map::with_capacity(nodes.len());
    for (key, node) in nodes {
        if let Some(value) = copy_node(node, context, allowance, depth + 1)? {
            allowance.take_key(key)?;
            allowance.take_bytes(usize::from(!object.is_empty()))?;
            object.insert(key.clone(), value);
        }
    }
    Ok(Value::Object(object))
}

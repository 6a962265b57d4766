//! What an author writes where a value is wanted: a literal, a reference (`/#steps.1.id`), a call of a function
//! (`/#fn:toLower,steps.1.name`) or a template (`{{…}}`).
//!
//! A text is a reference or a call only when its *whole* text starts with `/#`; `"Order /#steps.1.id"` is a literal. What
//! any of them yields is data and is never looked at again for expressions.

mod copied;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::allowance::Allowance;
use crate::evaluation::Evaluation;
use crate::function::Call;
use crate::naming::quoted;
use crate::path::Path;
use crate::problem::{Place, Problem, Problems};
use crate::template::Template;

use copied::{copy_node, tell_of_literal};

pub use crate::evaluation::{Asker, Context};
pub use crate::fault::Fault;
pub use crate::function::Signature;
pub use crate::limits::{
    EVALUATION_LIMIT_OPERATIONS, INPUT_LIMIT_BYTES, INPUT_LIMIT_LEVELS, NESTING_LIMIT_LEVELS, TEMPLATE_LIMIT_BYTES,
    TEMPLATE_LIMIT_READ_BYTES,
};

/// Every function, by chapter of `docs/expressions.md`.
pub fn functions() -> Vec<Signature> {
    crate::function::signatures()
}

/// What marks a text as a reference.
const REFERENCE_PREFIX: &str = "/#";

/// What marks a reference as the call of a function.
const FUNCTION_PREFIX: &str = "fn:";

/// A value as written, with everything in it that is an expression parsed.
#[derive(Debug, Clone)]
pub struct Expression(Node);

#[derive(Debug, Clone)]
enum Node {
    Literal(Value),
    /// What is not well formed, which was told. *Why no literal* — nobody may conclude anything from it.
    Broken,
    Reference(Path),
    Call(Box<Call>),
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
        if problems.has_errors() {
            return Err(problems.into_vec());
        }
        Ok(expression)
    }

    /// Parses the value at a place of a document; what is not well formed is added to `problems`.
    pub(crate) fn read(value: &Value, place: &Place<'_>, problems: &mut Problems) -> Expression {
        Expression(read_node(value, place, 0, problems))
    }

    /// Works the expression out to be kept and handed on; nothing is copied before it is known to be within the limits.
    ///
    /// *Errors* — [`Fault`], from functions and templates and from values over [`INPUT_LIMIT_BYTES`] or
    /// [`INPUT_LIMIT_LEVELS`].
    pub fn input(&self, context: &Context<'_>) -> Result<Option<Value>, Fault> {
        self.copied(&Evaluation::new(*context))
    }

    /// The same as a part of an evaluation.
    pub(crate) fn copied(&self, evaluation: &Evaluation<'_>) -> Result<Option<Value>, Fault> {
        copy_node(&self.0, evaluation, &mut Allowance::new(INPUT_LIMIT_BYTES, INPUT_LIMIT_LEVELS), 0)
    }

    /// Works the expression out to be looked at: a literal or a reference is lent, not copied, and may have any size.
    ///
    /// *Errors* — [`Fault`], from functions and templates and from what is put together of several values.
    pub(crate) fn looked_at<'a>(&'a self, evaluation: &Evaluation<'a>) -> Result<Option<Cow<'a, Value>>, Fault> {
        match &self.0 {
            Node::Literal(value) => {
                tell_of_literal(value, evaluation);
                Ok(Some(Cow::Borrowed(value)))
            }
            Node::Broken => Ok(None),
            Node::Reference(path) => Ok(evaluation.find(path, || reference(path)).map(Cow::Borrowed)),
            Node::Call(call) => Ok(call.evaluate(evaluation)?.map(Cow::Owned)),
            Node::Template(template) => Ok(Some(Cow::Owned(Value::String(template.render(evaluation)?)))),
            Node::Array(_) | Node::Object(_) => self.copied(evaluation).map(|found| found.map(Cow::Owned)),
        }
    }

    /// Goes through every path into the run and every call in it, with its place in the document.
    pub(crate) fn for_each_use(&self, place: &Place<'_>, see: &mut impl FnMut(Use<'_>, &Place<'_>)) {
        see_uses(&self.0, place, see);
    }

    /// Whether its value may tell something of a secret in a way that cannot be masked: it reads a variable, or makes
    /// something of a value in which a secret stands.
    pub(crate) fn may_tell_a_secret(&self, evaluation: &Evaluation<'_>) -> bool {
        let is_made = matches!(self.0, Node::Call(_) | Node::Template(_));
        let mut tells = false;
        // A setting by itself is masked as a text is; what is made of it cannot be.
        let is_setting = matches!(&self.0, Node::Call(call) if call.name() == "getAppSetting");
        let makes_of_settings = !is_setting && !evaluation.setup().app_secrets.is_empty();
        self.for_each_use(&Place::ROOT, &mut |used, _| match used {
            Use::Path(path) => tells |= path.root() == "variables" || (is_made && evaluation.holds_secret(path)),
            Use::Function("answerLink") => tells = true,
            // What `transform` calls is named in a text that may come from data.
            Use::Function(name) => tells |= makes_of_settings && matches!(name, "getAppSetting" | "transform"),
        });
        tells
    }

    /// Whether what it has under `key` is written out as a value of its own, with expressions in it at the most.
    pub(crate) fn has_written_keys(&self, key: &str) -> bool {
        match &self.0 {
            Node::Literal(_) => true,
            Node::Object(members) => {
                let found = members.iter().find(|(name, _)| name == key);
                found.is_none_or(|(_, node)| matches!(node, Node::Literal(_) | Node::Object(_)))
            }
            Node::Broken | Node::Reference(_) | Node::Call(_) | Node::Template(_) | Node::Array(_) => false,
        }
    }

    /// One that is not well formed, so that nothing is known of it.
    pub(crate) const fn broken() -> Expression {
        Expression(Node::Broken)
    }

    /// The expression's value when it depends on nothing.
    pub(crate) fn literal(&self) -> Option<&Value> {
        match &self.0 {
            Node::Literal(value) => Some(value),
            Node::Broken
            | Node::Reference(_)
            | Node::Call(_)
            | Node::Template(_)
            | Node::Array(_)
            | Node::Object(_) => None,
        }
    }

    /// As the author wrote it, when it is a reference, a call or a template.
    pub(crate) fn as_written(&self) -> Option<String> {
        match &self.0 {
            Node::Reference(path) => Some(reference(path)),
            Node::Call(call) => Some(call.as_written()),
            Node::Template(template) => Some(template.as_written().to_owned()),
            Node::Literal(_) | Node::Broken | Node::Array(_) | Node::Object(_) => None,
        }
    }

    /// The kinds of values that may come out of it, as far as the document tells: of a template, text.
    pub(crate) fn outline(&self) -> Outline<'_> {
        outline(&self.0)
    }

    /// Whether it is a list or an object, whatever is inside.
    pub(crate) fn is_compound(&self) -> bool {
        match &self.0 {
            Node::Array(_) | Node::Object(_) => true,
            Node::Literal(value) => value.is_array() || value.is_object(),
            Node::Broken | Node::Reference(_) | Node::Call(_) | Node::Template(_) => false,
        }
    }
}

/// What an expression reads or calls.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Use<'s> {
    Path(&'s Path),
    Function(&'static str),
}

/// What is known of an expression's value before any run.
#[derive(Debug)]
pub(crate) enum Outline<'s> {
    /// All of it.
    Literal(&'s Value),
    /// That it is a text.
    Text,
    /// Nothing; it may even be missing.
    Unknown,
    /// Its elements, or what is known of them.
    Array(Vec<Outline<'s>>),
    /// Its keys, and what is known of their values.
    Object(Vec<(&'s str, Outline<'s>)>),
}

fn outline(node: &Node) -> Outline<'_> {
    match node {
        Node::Literal(value) => Outline::Literal(value),
        Node::Broken | Node::Reference(_) | Node::Call(_) => Outline::Unknown,
        Node::Template(_) => Outline::Text,
        Node::Array(nodes) => Outline::Array(nodes.iter().map(outline).collect()),
        Node::Object(nodes) => Outline::Object(nodes.iter().map(|(key, node)| (key.as_str(), outline(node))).collect()),
    }
}

fn see_uses(node: &Node, place: &Place<'_>, see: &mut impl FnMut(Use<'_>, &Place<'_>)) {
    match node {
        Node::Literal(_) | Node::Broken => {}
        Node::Reference(path) => see(Use::Path(path), place),
        Node::Call(call) => {
            see(Use::Function(call.name()), place);
            call.paths().for_each(|path| see(Use::Path(path), place));
        }
        Node::Template(template) => {
            template.functions().for_each(|name| see(Use::Function(name), place));
            template.paths().for_each(|path| see(Use::Path(path), place));
        }
        Node::Array(nodes) => {
            nodes.iter().enumerate().for_each(|(index, node)| see_uses(node, &place.index(index), see));
        }
        Node::Object(nodes) => nodes.iter().for_each(|(key, node)| see_uses(node, &place.key(key), see)),
    }
}

fn reference(path: &Path) -> String {
    format!("{REFERENCE_PREFIX}{}", path.text())
}

fn read_node(value: &Value, place: &Place<'_>, depth: usize, problems: &mut Problems) -> Node {
    if depth >= NESTING_LIMIT_LEVELS && (value.is_array() || value.is_object()) {
        problems.add(
            place,
            "nested_too_deep",
            format!("Nest values at most {NESTING_LIMIT_LEVELS} levels deep; this one is deeper."),
        );
        return Node::Broken;
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
        None => Some(Node::Literal(Value::String(text.to_owned()))),
    };
    parsed.unwrap_or(Node::Broken)
}

fn read_reference(reference: &str, place: &Place<'_>, problems: &mut Problems) -> Option<Node> {
    if let Some(call) = reference.strip_prefix(FUNCTION_PREFIX) {
        return match Call::parse(call) {
            Ok(call) => Some(Node::Call(Box::new(call))),
            Err(flaw) => {
                problems.add_flaw(place, flaw);
                None
            }
        };
    }
    match Path::parse(reference) {
        Ok(path) => Some(Node::Reference(path)),
        Err(reason) => {
            let shown = quoted(&format!("/#{reference}"));
            let message = format!("Mend the reference {shown}: {reason}. Write it like /#steps.1.id.");
            problems.add(place, "bad_reference", message);
            None
        }
    }
}

fn read_template(text: &str, place: &Place<'_>, problems: &mut Problems) -> Option<Node> {
    match Template::parse(text) {
        Ok(template) => Some(Node::Template(Box::new(template))),
        Err(flaw) => {
            problems.add_flaw(place, flaw);
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

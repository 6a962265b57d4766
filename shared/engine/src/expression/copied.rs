//! Works expressions out to values of their own, within an allowance.

use serde_json::{Map, Value};

use super::{Node, REFERENCE_PREFIX, reference};
use crate::allowance::Allowance;
use crate::evaluation::Evaluation;
use crate::fault::Fault;

pub(super) fn copy_node(
    node: &Node,
    evaluation: &Evaluation<'_>,
    allowance: &mut Allowance,
    depth: usize,
) -> Result<Option<Value>, Fault> {
    match node {
        Node::Literal(value) => {
            tell_of_literal(value, evaluation);
            copy_value(value, allowance, depth).map(Some)
        }
        Node::Broken => Ok(None),
        Node::Reference(path) => {
            let found = evaluation.find(path, || reference(path));
            found.map(|value| copy_value(value, allowance, depth)).transpose()
        }
        Node::Call(call) => match call.evaluate(evaluation)? {
            Some(value) => {
                allowance.take(&value, depth)?;
                Ok(Some(value))
            }
            None => Ok(None),
        },
        Node::Template(template) => {
            let text = template.render(evaluation)?;
            allowance.take_text(&text)?;
            Ok(Some(Value::String(text)))
        }
        Node::Array(nodes) => copy_array(nodes, evaluation, allowance, depth).map(Some),
        Node::Object(nodes) => copy_object(nodes, evaluation, allowance, depth).map(Some),
    }
}

/// Whoever asks what a text gives may have meant the reference in it.
pub(super) fn tell_of_literal(value: &Value, evaluation: &Evaluation<'_>) {
    if let Value::String(text) = value
        && text.contains(REFERENCE_PREFIX)
    {
        let quoted = crate::naming::quoted(text);
        evaluation.tell(|| {
            format!("{quoted} stays text: a reference is only read where the whole text is one. Write {{{{{{steps.1.id}}}}}} inside of texts.")
        });
    }
}

fn copy_value(value: &Value, allowance: &mut Allowance, depth: usize) -> Result<Value, Fault> {
    allowance.take(value, depth)?;
    Ok(value.clone())
}

fn copy_array(
    nodes: &[Node],
    evaluation: &Evaluation<'_>,
    allowance: &mut Allowance,
    depth: usize,
) -> Result<Value, Fault> {
    allowance.take_brackets(depth)?;
    allowance.take_bytes(nodes.len().saturating_sub(1))?;
    let mut elements = Vec::with_capacity(nodes.len());
    for (place, node) in nodes.iter().enumerate() {
        // An element keeps its place, so what is missing leaves a null behind.
        elements.push(match copy_node(node, evaluation, allowance, depth + 1)? {
            Some(element) => element,
            None => {
                evaluation.tell(|| format!("Element {place} of the list is null, because what it names is missing."));
                copy_value(&Value::Null, allowance, depth + 1)?
            }
        });
    }
    Ok(Value::Array(elements))
}

fn copy_object(
    nodes: &[(String, Node)],
    evaluation: &Evaluation<'_>,
    allowance: &mut Allowance,
    depth: usize,
) -> Result<Value, Fault> {
    allowance.take_brackets(depth)?;
    let mut object = Map::with_capacity(nodes.len());
    for (key, node) in nodes {
        let Some(value) = copy_node(node, evaluation, allowance, depth + 1)? else {
            evaluation.tell(|| format!("The key `{key}` is left out, because what it names is missing."));
            continue;
        };
        allowance.take_key(key)?;
        allowance.take_bytes(usize::from(!object.is_empty()))?;
        object.insert(key.clone(), value);
    }
    Ok(Value::Object(object))
}

//! Form fields and their names: `a[b][c]`, `a[]`, `a[0]` become objects and arrays. No value is ever dropped for another.
//!
//! A name that does not follow the grammar (`a[b`, `[a]`, `a[b]c`) is no error: it is a plain key, as it is written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::notes::{Notes, path_of};
use crate::refusal::{Refusal, malformed, not_reserved, shown};

/// Fields one form may have.
pub(crate) const FIELDS_LIMIT: usize = 1_000;

/// Brackets one name may have.
pub(crate) const BRACKETS_LIMIT: usize = 5;

/// The key that keeps the plain values of a field that also has named parts (`a=1&a[b]=2`).
const PLAIN_VALUES_KEY: &str = "";

/// A form while it is read.
#[derive(Default)]
pub(crate) struct Fields {
    root: Node,
    count: usize,
}

impl Fields {
    /// Adds the next field. Its values come out in the order they are added.
    pub(crate) fn add(&mut self, name: &str, value: Value) -> Result<(), Refusal> {
        self.count += 1;
        if self.count > FIELDS_LIMIT {
            return Err(malformed(
                "too_many_fields",
                format!("A form may have {FIELDS_LIMIT} fields; send less in one request, or send JSON."),
            ));
        }

        let segments = segments(name)?;
        self.root.insert(&segments, value);
        Ok(())
    }

    /// The form as an object.
    pub(crate) fn into_data(self, notes: &mut Notes) -> Value {
        let mut data = Map::new();
        for (name, node) in in_order(self.root.children) {
            let value = node.into_value(&name, notes);
            data.insert(name, value);
        }
        Value::Object(data)
    }
}

/// A part of a field's name.
enum Segment<'n> {
    Key(&'n str),
    /// `[]`: one more element.
    Push,
}

/// Takes a name apart, `a[b][]` into `a`, `b` and a push.
fn segments(name: &str) -> Result<Vec<Segment<'_>>, Refusal> {
    let Some((base, brackets)) = split_brackets(name) else {
        not_reserved(name)?;
        return Ok(vec![Segment::Key(name)]);
    };
    if brackets.len() > BRACKETS_LIMIT {
        return Err(malformed(
            "field_too_deep",
            format!(
                "The field {} has more than {BRACKETS_LIMIT} brackets; use flatter names, or send JSON.",
                shown(name)
            ),
        ));
    }

    not_reserved(base)?;
    let mut segments = vec![Segment::Key(base)];
    for key in brackets {
        not_reserved(key)?;
        segments.push(if key.is_empty() { Segment::Push } else { Segment::Key(key) });
    }
    Ok(segments)
}

/// `a[b][c]` as `a` and `[b, c]`; `None` when the name is not of this form.
fn split_brackets(name: &str) -> Option<(&str, Vec<&str>)> {
    let (base, brackets) = name.split_at_checked(name.find('[')?)?;
    if base.is_empty() {
        return None;
    }

    let inner = brackets.strip_prefix('[')?.strip_suffix(']')?;
    let keys: Vec<&str> = inner.split("][").collect();
    let is_key = |key: &&str| !key.contains(['[', ']']);
    keys.iter().all(is_key).then_some((base, keys))
}

/// One name, or one part of it, with all that was sent under it.
#[derive(Default)]
struct Node {
    elements: Vec<Element>,
    shape: Shape,
    children: BTreeMap<String, Child>,
}

struct Child {
    /// Its place among its siblings, by first appearance.
    place: usize,
    node: Node,
}

enum Element {
    Value(Value),
    Node(Node),
}

/// What one single element becomes.
#[derive(Default)]
enum Shape {
    #[default]
    Plain,
    Array,
}

impl Node {
    fn insert(&mut self, segments: &[Segment<'_>], value: Value) {
        match segments {
            [] => self.elements.push(Element::Value(value)),
            [Segment::Key(key), rest @ ..] => self.child(key).insert(rest, value),
            [Segment::Push] => {
                self.shape = Shape::Array;
                self.elements.push(Element::Value(value));
            }
            [Segment::Push, rest @ ..] => {
                let mut node = Node::default();
                node.insert(rest, value);
                self.shape = Shape::Array;
                self.elements.push(Element::Node(node));
            }
        }
    }

    fn child(&mut self, key: &str) -> &mut Node {
        let place = self.children.len();
        let child = self.children.entry(key.to_owned()).or_insert_with(|| Child { place, node: Node::default() });
        &mut child.node
    }

    fn into_value(self, field: &str, notes: &mut Notes) -> Value {
        let elements = elements_value(self.elements, &self.shape, field, notes);
        if self.children.is_empty() {
            return elements.unwrap_or(Value::Null);
        }

        let is_list = elements.is_none() && is_dense(&self.children);
        let children = in_order(self.children).map(|(key, node)| {
            let value = node.into_value(field, notes);
            (key, value)
        });
        if is_list {
            return list(children);
        }

        let mut object: Map<String, Value> = children.collect();
        if let Some(elements) = elements {
            object.insert(PLAIN_VALUES_KEY.to_owned(), elements);
            notes.add(
                "mixed_field",
                path_of(field),
                "The field came with and without names in brackets; the values without are under the key \"\".",
            );
        }
        Value::Object(object)
    }
}

fn elements_value(elements: Vec<Element>, shape: &Shape, field: &str, notes: &mut Notes) -> Option<Value> {
    let mut values: Vec<Value> = elements
        .into_iter()
        .map(|element| match element {
            Element::Value(value) => value,
            Element::Node(node) => node.into_value(field, notes),
        })
        .collect();

    match (values.len(), shape) {
        (0, _) => None,
        (1, Shape::Plain) => values.pop(),
        (_, Shape::Plain | Shape::Array) => Some(Value::Array(values)),
    }
}

/// Whether the keys are the indices 0, 1, … n-1, in any order.
fn is_dense(children: &BTreeMap<String, Child>) -> bool {
    (0..children.len()).all(|index| children.contains_key(&index.to_string()))
}

fn in_order(children: BTreeMap<String, Child>) -> impl Iterator<Item = (String, Node)> {
    let mut children: Vec<(String, Child)> = children.into_iter().collect();
    children.sort_by_key(|(_, child)| child.place);
    children.into_iter().map(|(key, child)| (key, child.node))
}

/// The values in the order of their keys, which are indices.
fn list(children: impl Iterator<Item = (String, Value)>) -> Value {
    let by_index: BTreeMap<usize, Value> =
        children.filter_map(|(key, value)| Some((key.parse().ok()?, value))).collect();
    Value::Array(by_index.into_values().collect())
}

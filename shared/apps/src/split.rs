//! Batches cut into single bodies, so that each of them is a transaction of its own.
//!
//! A piece keeps the shape of the batch with every array cut down to one element; mappings therefore read `$.body.entry.0` of both.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Most values (scalars, lists and objects) that cutting one level may copy, 100,000, long texts counting for more; a level that needs more stays whole.
///
/// *Why*: what stands beside an array is copied into every piece, so a long array beside a big object would fill the memory.
pub(crate) const COPIES_LIMIT_NODES: usize = 100_000;

/// The arrays to cut, from the outside in: each the keys that lead to it, none where the value is the array itself.
#[derive(Debug)]
pub(crate) struct Levels(Vec<Vec<String>>);

/// `split` as `app.json` has it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum SplitDocument {
    Level(String),
    Levels(Vec<String>),
    Alternatives(Vec<Vec<String>>),
}

impl Levels {
    /// The ways to cut, the first that reaches its innermost array counts.
    ///
    /// *Errors*: a level that does not end in `[]`.
    pub(crate) fn alternatives(document: SplitDocument) -> Result<Vec<Self>, String> {
        let alternatives = match document {
            SplitDocument::Level(level) => vec![vec![level]],
            SplitDocument::Levels(levels) => vec![levels],
            SplitDocument::Alternatives(alternatives) => alternatives,
        };
        let keys = |level: String| match level.strip_suffix("[]") {
            Some("") => Ok(Vec::new()),
            Some(path) => Ok(path.split('.').map(str::to_owned).collect()),
            None => Err(format!("split: {level:?} does not end in []")),
        };
        alternatives
            .into_iter()
            .map(|levels| levels.into_iter().map(keys).collect::<Result<_, _>>().map(Self))
            .collect()
    }
}

/// The single bodies of `body`; `None` where nothing has to be cut.
pub(crate) fn pieces(body: &Value, alternatives: &[Levels]) -> Option<Vec<Value>> {
    if alternatives.is_empty() {
        return None;
    }
    let pieces = by_first_that_fits(body, alternatives);
    // A list of one differs from its element, an object around a list of one does not differ from its piece.
    let is_batch = pieces.len() > 1 || pieces.first().is_some_and(|piece| piece != body);
    is_batch.then_some(pieces)
}

fn by_first_that_fits(body: &Value, alternatives: &[Levels]) -> Vec<Value> {
    let Some((levels, others)) = alternatives.split_first() else { return vec![body.clone()] };
    let pieces = cut(body, &levels.0).into_iter();
    pieces
        .flat_map(|piece| match piece {
            Piece::Cut(body) => vec![body],
            Piece::Left(body) => by_first_that_fits(&body, others),
        })
        .collect()
}

enum Piece {
    /// Cut at every level.
    Cut(Value),
    /// A level was absent, empty or too big.
    Left(Value),
}

impl Piece {
    fn map(self, change: impl FnOnce(Value) -> Value) -> Self {
        match self {
            Self::Cut(value) => Self::Cut(change(value)),
            Self::Left(value) => Self::Left(change(value)),
        }
    }
}

fn cut(value: &Value, levels: &[Vec<String>]) -> Vec<Piece> {
    match levels.split_first() {
        Some((path, inner)) => cut_at(value, path, inner),
        None => vec![Piece::Cut(value.clone())],
    }
}

fn cut_at(value: &Value, path: &[String], inner: &[Vec<String>]) -> Vec<Piece> {
    let left = || vec![Piece::Left(value.clone())];
    let Some((key, path)) = path.split_first() else {
        return match value {
            Value::Array(list) if !list.is_empty() => list.iter().flat_map(|element| cut(element, inner)).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                left()
            }
        };
    };
    let Value::Object(object) = value else { return left() };
    let Some(member) = object.get(key) else { return left() };

    let singles = cut_at(member, path, inner);
    if copies(object, key, singles.len()) > COPIES_LIMIT_NODES {
        return left();
    }
    let is_array = path.is_empty() && member.as_array().is_some_and(|list| !list.is_empty());
    let around = |single: Value| with_only(object, key, if is_array { Value::Array(vec![single]) } else { single });
    singles.into_iter().map(|single| single.map(around)).collect()
}

/// How many values cutting `object` into this many pieces copies.
fn copies(object: &Map<String, Value>, key: &str, pieces: usize) -> usize {
    let beside: usize = object.iter().filter(|(name, _)| *name != key).map(|(_, member)| nodes(member)).sum();
    beside.saturating_mul(pieces.saturating_sub(1))
}

/// A long text counts as the many values it is as big as.
fn nodes(value: &Value) -> usize {
    const TEXT_BYTES_PER_NODE: usize = 32;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => 1 + text.len() / TEXT_BYTES_PER_NODE,
        Value::Array(list) => 1 + list.iter().map(nodes).sum::<usize>(),
        Value::Object(object) => 1 + object.values().map(nodes).sum::<usize>(),
    }
}

fn with_only(object: &Map<String, Value>, key: &str, single: Value) -> Value {
    let mut single = Some(single);
    let member = |(name, member): (&String, &Value)| {
        let value = if name == key { single.take().unwrap_or_default() } else { member.clone() };
        (name.clone(), value)
    };
    Value::Object(object.iter().map(member).collect())
}

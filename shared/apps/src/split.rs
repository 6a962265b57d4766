//! Batches cut into single bodies, so that each of them is a transaction of its own.
//!
//! A piece keeps the shape of the batch with every array cut down to one element; mappings therefore read `$.body.entry.0` of both.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Most values (scalars, lists and objects) that cutting one level may copy, 100,000, long texts counting for more; a level that needs more stays whole.
///
/// *Why*: what stands beside an array is copied into every piece, so a long array beside a big object would fill the memory.
pub(crate) const COPIES_LIMIT_NODES: usize = 100_000;

/// The arrays to cut, from the outside in. An empty key means the value itself.
#[derive(Debug)]
pub(crate) struct Levels(Vec<String>);

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
        let key = |level: String| match level.strip_suffix("[]") {
            Some(key) => Ok(key.to_owned()),
            None => Err(format!("split: {level:?} does not end in []")),
        };
        alternatives.into_iter().map(|levels| levels.into_iter().map(key).collect::<Result<_, _>>().map(Self)).collect()
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

fn cut(value: &Value, levels: &[String]) -> Vec<Piece> {
    let Some((key, inner)) = levels.split_first() else { return vec![Piece::Cut(value.clone())] };
    let list = if key.is_empty() { Some(value) } else { value.get(key) };
    let Some(Value::Array(list)) = list else { return vec![Piece::Left(value.clone())] };

    let singles: Vec<Piece> = list.iter().flat_map(|element| cut(element, inner)).collect();
    match value {
        Value::Object(object) if singles.is_empty() || copies(object, key, singles.len()) > COPIES_LIMIT_NODES => {
            vec![Piece::Left(value.clone())]
        }
        Value::Object(object) => singles.into_iter().map(|single| single.map(|one| with_only(object, key, one))).collect(),
        Value::Array(_) if singles.is_empty() => vec![Piece::Left(value.clone())],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => singles,
    }
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
        let value = if name == key { Value::Array(single.take().into_iter().collect()) } else { member.clone() };
        (name.clone(), value)
    };
    Value::Object(object.iter().map(member).collect())
}

//! A path into what a run has left behind, `steps.1.attributes.data.emails[0].email`, parsed once and walked often.
//!
//! A key that holds dots is reached either as `['a.b']` or plainly: where an object has no key for one segment, the
//! segments that follow are joined to it until a key fits. The plain reading always comes first.

use serde_json::{Map, Value};

use crate::expression::Context;

/// More parts than any document nests; it bounds the work of one look-up.
const PATH_LIMIT_SEGMENTS: usize = 128;

/// A parsed path; it always has at least one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    key: String,
    /// The key read as a place in an array, when it is one.
    index: Option<usize>,
    spelling: Spelling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// `.key`, which can be joined with its neighbours.
    Dotted,
    /// `[key]`, which stands for itself.
    Bracketed,
}

impl Path {
    /// Parses a path.
    ///
    /// *Errors* — a sentence saying what is wrong with its spelling. Whether it leads anywhere is not asked.
    pub(crate) fn parse(text: &str) -> Result<Path, String> {
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            rest = if rest.starts_with('[') {
                parse_bracket(rest, &mut segments)?
            } else {
                parse_dotted(rest, &mut segments)?
            };
            rest = match rest.chars().next() {
                None => break,
                Some(_) if segments.len() >= PATH_LIMIT_SEGMENTS => {
                    return Err(format!("a path may have at most {PATH_LIMIT_SEGMENTS} parts"));
                }
                Some('[') => rest,
                Some('.') => rest.get(1..).unwrap_or_default(),
                Some(other) => return Err(format!("a \"]\" must be followed by \".\" or \"[\", not \"{other}\"")),
            };
        }
        Ok(Path { text: text.to_owned(), segments })
    }

    /// The path as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What is there; `None` when any part of the way is missing.
    pub(crate) fn find<'a>(&self, context: &Context<'a>) -> Option<&'a Value> {
        let (root, rest) = self.segments.split_first()?;
        let root = match root.key.as_str() {
            "steps" => Some(context.steps),
            "variables" => context.variables,
            "error" => context.error,
            _ => None,
        };
        walk(root?, rest)
    }

    /// What is there when the path starts at `value` and not at the run.
    pub(crate) fn find_below<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        walk(value, &self.segments)
    }
}

/// Takes `['a.b']`, `["a.b"]`, `[0]` or `[any key]` off the front.
fn parse_bracket<'t>(text: &'t str, segments: &mut Vec<Segment>) -> Result<&'t str, String> {
    let inner = text.strip_prefix('[').unwrap_or(text);
    let quote = inner.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let (key, rest) = match quote {
        Some(quote) => {
            let quoted = inner.get(1..).unwrap_or_default();
            quoted.split_once(&format!("{quote}]")).ok_or_else(|| format!("a \"[{quote}\" is not closed"))?
        }
        None => inner.split_once(']').ok_or("a \"[\" is not closed")?,
    };
    if key.is_empty() && quote.is_none() {
        return Err("there is nothing between \"[\" and \"]\"".to_owned());
    }
    segments.push(segment(key, Spelling::Bracketed));
    Ok(rest)
}

fn parse_dotted<'t>(text: &'t str, segments: &mut Vec<Segment>) -> Result<&'t str, String> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    if key.is_empty() {
        return Err("a part between two dots is empty".to_owned());
    }
    segments.push(segment(key, Spelling::Dotted));
    Ok(rest)
}

fn segment(key: &str, spelling: Spelling) -> Segment {
    Segment { key: key.to_owned(), index: array_index(key), spelling }
}

/// `0`, `1`, `42`: digits without a sign or a needless zero in front.
fn array_index(key: &str) -> Option<usize> {
    let plain = key.bytes().all(|byte| byte.is_ascii_digit()) && (key == "0" || !key.starts_with('0'));
    if plain { key.parse().ok() } else { None }
}

fn walk<'a>(value: &'a Value, segments: &[Segment]) -> Option<&'a Value> {
    let Some((first, rest)) = segments.split_first() else {
        return Some(value);
    };
    match value {
        Value::Object(object) => {
            let plainly = object.get(&first.key).and_then(|inner| walk(inner, rest));
            plainly.or_else(|| walk_joined(object, first, rest))
        }
        Value::Array(elements) => walk(elements.get(first.index?)?, rest),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Tries `a.b`, then `a.b.c` … as one key. Each try ends in a different place of the data, so the work is bounded by it.
fn walk_joined<'a>(object: &'a Map<String, Value>, first: &Segment, mut rest: &[Segment]) -> Option<&'a Value> {
    if first.spelling == Spelling::Bracketed {
        return None;
    }
    let mut key = first.key.clone();
    while let Some((next, after)) = rest.split_first() {
        if next.spelling == Spelling::Bracketed {
            return None;
        }
        key.push('.');
        key.push_str(&next.key);
        rest = after;
        if let Some(found) = object.get(&key).and_then(|inner| walk(inner, rest)) {
            return Some(found);
        }
    }
    None
}

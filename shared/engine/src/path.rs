//! A path into what a run has left behind, `steps.1.attributes.data.emails[0].email`, parsed once and walked often.
//!
//! A key that holds dots is reached either as `['a.b']` or plainly: where an object has no key for one segment, the
//! segments that follow are joined to it until a key fits. The plain reading always comes first.

use serde_json::{Map, Value};

use crate::evaluation::Context;
use crate::naming::{listed, named, shortened};
use crate::problem::closest;

/// More parts than any document nests; it bounds the work of one look-up.
const PATH_LIMIT_SEGMENTS: usize = 128;

/// What a path into a run may begin with.
pub(crate) const ROOTS: [&str; 3] = ["steps", "variables", "error"];

/// How many keys of an object a sentence names.
const NAMED_LIMIT_KEYS: usize = 8;

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

    /// The root it starts at, `steps` of `steps.1.id`.
    pub(crate) fn root(&self) -> &str {
        self.segments.first().map_or("", |segment| segment.key.as_str())
    }

    /// The keys behind the root that may be the id of a step: `a` and `a.b` of `steps.a.b`, the shorter first.
    pub(crate) fn step_candidates(&self) -> Vec<String> {
        let mut candidates: Vec<String> = Vec::new();
        for segment in self.segments.iter().skip(1) {
            match candidates.last() {
                None => candidates.push(segment.key.clone()),
                Some(shorter) if segment.spelling == Spelling::Dotted => {
                    candidates.push(format!("{shorter}.{}", segment.key));
                }
                Some(_) => break,
            }
            if segment.spelling == Spelling::Bracketed {
                break;
            }
        }
        candidates
    }

    /// What is there; `None` when any part of the way is missing.
    pub(crate) fn find<'a>(&self, context: &Context<'a>) -> Option<&'a Value> {
        if let Some(scope) = context.scope {
            return self.find_below(scope);
        }
        let (root, rest) = self.segments.split_first()?;
        if root.key == "variables" {
            let mut left = WALK_LIMIT_KEYS;
            return walk_object(&context.surroundings.setup.variables, rest.split_first()?, &mut left);
        }
        match root.key.as_str() {
            "steps" => self.find_step(context, rest),
            "error" => walk(context.error?, rest),
            _ => None,
        }
    }

    /// What is there of a step: of the innermost branch that has something of it.
    fn find_step<'a>(&self, context: &Context<'a>, rest: &[Segment]) -> Option<&'a Value> {
        let found = walk(context.steps, rest);
        if found.is_some() || context.outer.is_empty() {
            return found;
        }
        let has_step = |layer: &&Value| self.step_candidates().iter().any(|step| layer.get(step).is_some());
        walk(layers(context).find(has_step)?, rest)
    }

    /// Why nothing is there: how far the way goes, and what could have been meant.
    pub(crate) fn explain_missing(&self, context: &Context<'_>) -> String {
        if let Some(scope) = context.scope {
            return self.explain_missing_below(scope);
        }
        let Some((root, rest)) = self.segments.split_first() else { return String::new() };
        match root.key.as_str() {
            "steps" => explain_steps(context, root, rest),
            "error" => match context.error {
                None => "no step has failed.".to_owned(),
                Some(error) => explain_below(error, root.spelled(), rest),
            },
            "variables" => {
                "the workflow has no variable with this id. Variables are named by their id, never by their name."
                    .to_owned()
            }
            other => {
                let suggestion = closest(other, &ROOTS).map(|close| format!(" Did you mean `{close}`?"));
                format!(
                    "nothing is called `{other}`; a path begins with {}.{}",
                    ROOTS.join(", "),
                    suggestion.unwrap_or_default()
                )
            }
        }
    }

    /// Why nothing is there when the path starts at `value`.
    pub(crate) fn explain_missing_below(&self, value: &Value) -> String {
        explain_below(value, String::new(), &self.segments)
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

/// How many keys are looked for on the way of one path. *Why* — a dot may part two keys or stand in one, so that a path of a
/// hundred dots has more ways than anybody means.
const WALK_LIMIT_KEYS: u32 = 1_000;

fn walk<'a>(value: &'a Value, segments: &[Segment]) -> Option<&'a Value> {
    let mut left = WALK_LIMIT_KEYS;
    walk_on(value, segments, &mut left)
}

fn walk_on<'a>(value: &'a Value, segments: &[Segment], left: &mut u32) -> Option<&'a Value> {
    let Some((first, rest)) = segments.split_first() else {
        return Some(value);
    };
    match value {
        Value::Object(object) => walk_object(object, (first, rest), left),
        Value::Array(elements) => walk_on(elements.get(first.index?)?, rest, left),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn walk_object<'a>(
    object: &'a Map<String, Value>,
    (first, rest): (&Segment, &[Segment]),
    left: &mut u32,
) -> Option<&'a Value> {
    *left = left.checked_sub(1)?;
    let plainly = object.get(&first.key).and_then(|inner| walk_on(inner, rest, left));
    plainly.or_else(|| walk_joined(object, first, rest, left))
}

/// Tries `a.b`, then `a.b.c` … as one key.
fn walk_joined<'a>(
    object: &'a Map<String, Value>,
    first: &Segment,
    mut rest: &[Segment],
    left: &mut u32,
) -> Option<&'a Value> {
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
        *left = left.checked_sub(1)?;
        if let Some(found) = object.get(&key).and_then(|inner| walk_on(inner, rest, left)) {
            return Some(found);
        }
    }
    None
}

impl Segment {
    /// As it stands in a path behind another.
    fn spelled(&self) -> String {
        match self.spelling {
            Spelling::Dotted => self.key.clone(),
            Spelling::Bracketed if self.index.is_some() => format!("[{}]", self.key),
            Spelling::Bracketed => format!("['{}']", self.key),
        }
    }
}

/// What steps left, by branch, the one that asks first.
fn layers<'a>(context: &Context<'a>) -> impl Iterator<Item = &'a Value> {
    std::iter::once(context.steps).chain(context.outer.iter().copied())
}

fn explain_steps(context: &Context<'_>, root: &Segment, rest: &[Segment]) -> String {
    let known: Vec<&str> = layers(context).filter_map(Value::as_object).flatten().map(|(id, _)| id.as_str()).collect();
    let Some(step) = rest.first() else { return explain_below(context.steps, root.spelled(), rest) };
    if let Some(steps) = layers(context).find(|layer| layer.get(&step.key).is_some()) {
        return explain_below(steps, root.spelled(), rest);
    }
    let hint = match (closest(&step.key, &known), known.as_slice()) {
        (Some(close), _) => format!(" Did you mean `{close}`?"),
        (None, []) => " No step has left anything yet.".to_owned(),
        (None, known) => format!(" What is there: {}.", keys(known)),
    };
    format!("`steps` has no `{}`; that step has not run, has failed, or leaves nothing.{hint}", step.key)
}

/// Walks plainly, as the author most likely meant it, up to where nothing is.
fn explain_below(value: &Value, mut way: String, segments: &[Segment]) -> String {
    let mut here = value;
    for segment in segments {
        let next = match here {
            Value::Object(object) => object.get(&segment.key),
            Value::Array(elements) => segment.index.and_then(|index| elements.get(index)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        match next {
            Some(next) => here = next,
            None => return explain_stop(here, &way, segment),
        }
        if !way.is_empty() && segment.spelling == Spelling::Dotted {
            way.push('.');
        }
        way.push_str(&segment.spelled());
    }
    "nothing is there.".to_owned()
}

fn explain_stop(here: &Value, way: &str, segment: &Segment) -> String {
    let place = if way.is_empty() { "the item".to_owned() } else { format!("`{way}`") };
    let key = &segment.key;
    match here {
        Value::Object(object) => {
            let known: Vec<&str> = object.keys().map(String::as_str).collect();
            match (closest(key, &known), known.as_slice()) {
                (Some(close), _) => format!("{place} has no `{key}`. Did you mean `{close}`?"),
                (None, []) => format!("{place} is an object without keys."),
                (None, known) => format!("{place} has no `{key}`. What is there: {}.", keys(known)),
            }
        }
        Value::Array(elements) if segment.index.is_some() => {
            format!("{place} is a list of {} and has no element {key}; the first one is 0.", elements.len())
        }
        Value::Array(elements) => {
            format!("{place} is a list of {}; name an element of it first, as in [0].{key}.", elements.len())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            format!("{place} is {}, and nothing is inside of it.", named(here))
        }
    }
}

fn keys(known: &[&str]) -> String {
    let shown: Vec<String> = known.iter().take(NAMED_LIMIT_KEYS).map(|key| format!("`{}`", shortened(key))).collect();
    match known.len().checked_sub(NAMED_LIMIT_KEYS) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        Some(_) | None => listed(&shown.iter().map(String::as_str).collect::<Vec<_>>()),
    }
}

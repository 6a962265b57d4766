//! Actions that only work something out.

use engine::{NoSearch, pattern_for};
use serde_json::{Map, Value, json};

use super::{NotDone, Params, params::missing};

/// The first place of `testString` where `regex` matches: `match`, the whole of it; `groups`, what the parts in parentheses
/// matched; `index`, where it begins, in characters. Only `matched`, which is false, where it matches nowhere.
pub(super) fn match_regex(params: &Params<'_>) -> Result<Value, NotDone> {
    let text = params.text("testString")?.unwrap_or_default();
    let (body, flags) = with_flags(params.required_text("regex")?);
    let pattern = if flags.is_empty() { body } else { format!("(?{flags}){body}") };
    let regex = pattern_for(&pattern, &text).map_err(|refused| match refused {
        NoSearch::Pattern(sentence) => NotDone::wrong("regex", "wrong_pattern", sentence),
        NoSearch::Work(sentence) => NotDone::failed("too_many_operations", sentence),
    })?;
    let Some(found) = regex.captures(&text) else { return Ok(json!({ "matched": false })) };
    let whole = found.get(0).map(|whole| (whole.as_str(), whole.start())).unwrap_or_default();
    let groups: Vec<Option<&str>> = found.iter().skip(1).map(|group| group.map(|group| group.as_str())).collect();
    let index = text.get(..whole.1).map_or(0, |before| before.chars().count());
    Ok(json!({ "matched": true, "match": whole.0, "groups": groups, "index": index }))
}

/// What a pattern as `/…/flags` has between its slashes, and those of its flags that say how to look; without slashes the
/// pattern as it is.
fn with_flags(pattern: String) -> (String, String) {
    const FLAGS: [char; 3] = ['i', 'm', 's'];
    let written = pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    match written.filter(|(body, flags)| !body.is_empty() && flags.chars().all(|flag| "gimsuy".contains(flag))) {
        Some((body, flags)) => (body.to_owned(), FLAGS.into_iter().filter(|flag| flags.contains(*flag)).collect()),
        None => (pattern, String::new()),
    }
}

/// `input` as it was worked out, so that later steps find it under `output`.
pub(super) fn transform(params: &Params<'_>) -> Result<Value, NotDone> {
    params.value("input").ok_or_else(|| missing("input"))?;
    let input = params.object("input")?;
    Ok(Value::Object(Map::from_iter([("output".to_owned(), Value::Object(input))])))
}

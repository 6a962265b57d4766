//! `flow.for-each` and `flow.parallel`: which branches they open.

use std::collections::HashSet;

use domain::Failure;
use serde_json::{Map, Value};

use super::{Here, missing, value, wrong};
use crate::journal::Outcome;
use crate::pending::{ForEach, Join, OnItemFailure, Parallel, Pending};

/// The most items of one loop.
pub const ITEMS_LIMIT: usize = 1_000;

/// The most branches of one step that are under way at the same time.
pub const CONCURRENCY_LIMIT: usize = 50;

/// In how many loops and parallel steps a step may stand.
pub const NESTING_LIMIT: usize = 5;

/// The most items that the loops of a run may come to where one stands in another, all together. *Why* — a run has at most as
/// many steps.
pub const TOTAL_ITEMS_LIMIT: usize = 10_000;

/// How many branches go on at the same time where the author does not say.
const CONCURRENCY_DEFAULT: usize = 10;

/// The most branches of a parallel step.
const BRANCHES_LIMIT: usize = 50;

pub(super) fn for_each(params: &Map<String, Value>, here: Here) -> Result<Outcome, Failure> {
    let items = match value(params, "items") {
        Some(Value::Array(items)) => items,
        Some(_) => return Err(wrong("items", "a list")),
        None => return Err(missing("items")),
    };
    if items.len() > ITEMS_LIMIT {
        let message = format!(
            "A loop goes over at most {ITEMS_LIMIT} items, and this list has {}. Split it, and call a workflow for each part.",
            items.len()
        );
        return Err(Failure::new("too_many_items", message));
    }
    check_room(items.len(), here)?;
    let concurrency = match value(params, "concurrency") {
        None => CONCURRENCY_DEFAULT,
        Some(count) => count
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| (1..=CONCURRENCY_LIMIT).contains(count))
            .ok_or_else(|| wrong("concurrency", &format!("a whole number from 1 to {CONCURRENCY_LIMIT}")))?,
    };
    let on_item_failure = match value(params, "onItemFailure").map(Value::as_str) {
        None | Some(Some("fail")) => OnItemFailure::Fail,
        Some(Some("continue")) => OnItemFailure::Continue,
        Some(Some(_) | None) => return Err(wrong("onItemFailure", "\"fail\" or \"continue\"")),
    };
    let start = value(params, "do").and_then(Value::as_str).ok_or_else(|| missing("do"))?.to_owned();
    Ok(Outcome::Pending(Pending::ForEach(ForEach { items: items.clone(), start, concurrency, on_item_failure })))
}

pub(super) fn parallel(params: &Map<String, Value>, here: Here) -> Result<Outcome, Failure> {
    let Some(Value::Array(named)) = value(params, "do") else { return Err(missing("do")) };
    let start: Option<Vec<String>> = named.iter().map(|step| step.as_str().map(str::to_owned)).collect();
    let start = start
        .filter(|start| (1..=BRANCHES_LIMIT).contains(&start.len()) && is_without_repeats(start))
        .ok_or_else(|| wrong("do", &format!("a list of 1 to {BRANCHES_LIMIT} ids of different steps")))?;
    check_room(start.len(), here)?;
    let join = match value(params, "join").map(Value::as_str) {
        None | Some(Some("all")) => Join::All,
        Some(Some("any")) => Join::Any,
        Some(Some(_) | None) => return Err(wrong("join", "\"all\" or \"any\"")),
    };
    Ok(Outcome::Pending(Pending::Parallel(Parallel { start, join })))
}

/// Refuses what would multiply, before the first of it begins.
fn check_room(branches: usize, here: Here) -> Result<(), Failure> {
    if here.depth >= NESTING_LIMIT {
        let message = format!(
            "At most {NESTING_LIMIT} loops and parallel steps stand in each other, and this would be one more."
        );
        return Err(Failure::new("nested_too_deep", message));
    }
    if here.width.saturating_mul(branches) > TOTAL_ITEMS_LIMIT {
        let message = format!(
            "Loops inside of loops come to at most {TOTAL_ITEMS_LIMIT} items together: this one has {branches}, and those around \
             it have {}. Call a workflow for each item instead.",
            here.width
        );
        return Err(Failure::new("too_many_items", message));
    }
    Ok(())
}

fn is_without_repeats(names: &[String]) -> bool {
    names.iter().collect::<HashSet<_>>().len() == names.len()
}

/// The steps that the branches of `action` begin at, as its params name them: literals, because a definition has to know its
/// ways. None for every other action.
pub(crate) fn starts_of<'d>(action: &str, params: &'d Map<String, Value>) -> Option<Vec<Option<&'d str>>> {
    let named = params.get("do");
    match action {
        "flow.for-each" => Some(vec![named.and_then(Value::as_str)]),
        "flow.parallel" => {
            let list = named.and_then(Value::as_array);
            Some(list.map_or_else(|| vec![None], |list| list.iter().map(Value::as_str).collect()))
        }
        _ => None,
    }
}

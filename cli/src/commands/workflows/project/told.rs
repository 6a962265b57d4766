//! What people and programs are told of a plan and of what was done.

use engine::diff;
use serde_json::{Value, json};

use super::{
    super::versions::change_line,
    plan::{Act, Item, Plan},
};
use crate::output::Page;

/// Whether differences are told with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// What is done.
    Acts,
    /// And what is different.
    Changes,
}

/// The plan in sentences.
pub(super) fn page(plan: &Plan<'_>, detail: Detail) -> Page {
    let mut page = Page::default();
    for item in plan.items.iter().filter(|item| item.act != Act::Nothing) {
        page.line(line(item));
        if detail == Detail::Changes {
            page.append(changes(&item.changes));
        }
    }
    let count = |act: Act| plan.items.iter().filter(|item| item.act == act).count();
    let (same, left) = (count(Act::Nothing), count(Act::Leave));
    page.line(match plan.pending() {
        0 => format!("Nothing to do; {same} unchanged."),
        _ => format!(
            "{} to create, {} to change, {} to delete; {same} unchanged.",
            count(Act::Create),
            count(Act::Update),
            count(Act::Delete)
        ),
    });
    if left > 0 {
        page.line(format!("{left} in the org and not in the project; `--prune` deletes what is not in it."));
    }
    page
}

/// The plan for programs.
///
/// *Shape*: `{"data": {"type": "project_plan", "attributes": {"pending": 1, "items": [{"part", "name", "file", "id", "action", "note"}]}}}`
pub(super) fn document(plan: &Plan<'_>, detail: Detail) -> Value {
    let items: Vec<Value> = plan
        .items
        .iter()
        .map(|item| {
            let mut told = resource(item);
            if let (Detail::Changes, Some(told)) = (detail, told.as_object_mut()) {
                told.insert("changes".to_owned(), json!(item.changes.told));
                told.insert("leftOut".to_owned(), json!(item.changes.left_out));
            }
            told
        })
        .collect();
    json!({ "data": { "type": "project_plan", "attributes": { "pending": plan.pending(), "items": items } } })
}

/// A thing and what is done with it.
pub(super) fn resource(item: &Item<'_>) -> Value {
    json!({
        "part": item.part.folder(),
        "name": item.name(),
        "file": item.entry.map(|entry| &entry.file),
        "id": item.standing.map(|standing| &standing.id),
        "action": item.act.word(),
        "note": item.note,
    })
}

/// The same on a line.
pub(super) fn line(item: &Item<'_>) -> String {
    let sign = match item.act {
        Act::Create => '+',
        Act::Update => '~',
        Act::Delete => '-',
        Act::Nothing => '=',
        Act::Leave => '?',
    };
    let id = item.standing.filter(|standing| standing.id != item.name());
    let id = id.map(|standing| format!(" ({})", standing.id)).unwrap_or_default();
    let note = item.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    format!("{sign} {} {}{id}{note}", item.part.noun(), item.name())
}

fn changes(changes: &diff::Changes) -> Page {
    let mut page = Page::default();
    for change in &changes.told {
        page.line(format!("    {}", change_line(&json!(change))));
    }
    if changes.left_out > 0 {
        page.line(format!("    and {} more", changes.left_out));
    }
    page
}

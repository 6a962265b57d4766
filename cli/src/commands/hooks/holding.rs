//! What became of arrivals that were neither run nor refused, on a terminal: those that a hook holds, and repeats.

use serde_json::Value;

use super::KINDS;
use crate::output::{Page, text_at};

/// What a paused hook holds, one on a line.
pub(super) fn held(id: &str, kind: &str, document: &Value) -> Page {
    let items = document.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_paused = document.pointer("/meta/paused") == Some(&Value::Bool(true));
    if items.is_empty() {
        return Page::of_line(match is_paused {
            true => "The hook is paused, and nothing has arrived since.",
            false => "The hook is not paused and holds nothing.",
        });
    }
    let mut page = Page::default();
    let count = counted(document, "/meta/count", "/meta/countsMore");
    let oldest = text_at(document, "/meta/oldestAt");
    page.line(match is_paused {
        true => format!("Held since {oldest}: {count}. `{}` lets them go on.", resume(id, kind)),
        false => format!("Held since {oldest}, and going on: {count}."),
    });
    let rows = items.iter().map(|item| {
        let at = |pointer| text_at(item, pointer);
        [at("/attributes/createdAt"), at("/id"), at("/attributes/bytes")]
    });
    page.table(["ARRIVED", "ID", "BYTES"], rows.collect());
    page
}

/// How many repeats a hook had, and the last of them.
pub(super) fn duplicates(document: &Value) -> Page {
    let items = document.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        return Page::of_line("Nothing came again.");
    }
    let mut page = Page::default();
    let count = text_at(document, "/meta/count");
    page.line(format!("Repeats so far: {count}. The newest first:"));
    let rows = items.iter().map(|item| {
        let at = |pointer| text_at(item, pointer);
        let told = at("/attributes/rule").replace('_', " ");
        [at("/attributes/createdAt"), at("/attributes/transactionId"), told, at("/attributes/firstAt")]
    });
    page.table(["CAME AGAIN", "TRANSACTION", "SAME", "FIRST CAME"], rows.collect());
    page
}

/// What the doctor says beside the refusals; nothing where nothing is held and nothing came again.
pub(super) fn diagnosis(id: &str, kind: &str, document: &Value) -> Page {
    let mut page = Page::default();
    let is_paused = document.pointer("/meta/paused") == Some(&Value::Bool(true));
    let held = counted(document, "/meta/held", "/meta/holdsMore");
    match (is_paused, held.as_str()) {
        (true, held) => page.line(format!(
            "The hook is paused. It holds what arrives and loses none of it: {held} so far. `{}` lets them go on.",
            resume(id, kind)
        )),
        (false, "-" | "0") => {}
        (false, held) => page.line(format!("The hook goes on after a pause. On their way to the queue: {held}.")),
    }
    let repeats = text_at(document, "/meta/duplicates");
    if !matches!(repeats.as_str(), "-" | "0") {
        page.line(format!(
            "Repeats that started nothing: {repeats}. `hookwright hooks duplicates {id}{}` shows the last.",
            of_kind(kind)
        ));
    }
    page
}

fn counted(document: &Value, count: &str, has_more: &str) -> String {
    let more = document.pointer(has_more) == Some(&Value::Bool(true));
    format!("{}{}", if more { "more than " } else { "" }, text_at(document, count))
}

fn resume(id: &str, kind: &str) -> String {
    format!("hookwright hooks resume {id}{}", of_kind(kind))
}

fn of_kind(kind: &str) -> String {
    if kind == KINDS[0] { String::new() } else { format!(" --kind {kind}") }
}

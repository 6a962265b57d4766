//! In which order workflows that name one another's ids are written.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Entry,
    placeholders::{self, Thing},
};

/// One thing to do with a workflow, which is told by its place among the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// Make one that is disabled and does nothing, so that it has an id. *Why*: it and others name each other in a ring, or it
    /// names itself.
    Reserve(usize),
    /// Write its document; every id that it names is there by then.
    Write(usize),
}

/// Every workflow is written once, after those whose ids it names; by name where there is a choice.
pub(crate) fn moves(workflows: &[Entry], has_id: impl Fn(&str) -> bool) -> Vec<Move> {
    let mut known: BTreeSet<&str> =
        workflows.iter().map(|entry| entry.handle.as_str()).filter(|handle| has_id(handle)).collect();
    let mut waiting: BTreeMap<usize, Vec<String>> =
        workflows.iter().enumerate().map(|(place, entry)| (place, names(entry))).collect();
    let mut moves = Vec::new();
    while let Some(first) = waiting.keys().next().copied() {
        let ready = waiting.iter().find(|(_, names)| names.iter().all(|name| known.contains(name.as_str())));
        let (place, step) = match ready.map(|(place, _)| *place) {
            Some(place) => (place, Move::Write(place)),
            None => {
                let place = in_a_ring(&waiting, workflows, &known).unwrap_or(first);
                (place, Move::Reserve(place))
            }
        };
        known.extend(workflows.get(place).map(|entry| entry.handle.as_str()));
        moves.push(step);
        if step == Move::Write(place) {
            waiting.remove(&place);
        }
        // Every round makes one known that was not, or takes one away: this ends.
    }
    moves
}

/// The handles of the workflows whose ids a workflow names.
fn names(entry: &Entry) -> Vec<String> {
    let named = placeholders::named(&entry.document).into_iter().filter_map(|(_, named)| named.ok());
    named.filter(|named| named.thing == Thing::WorkflowId).map(|named| named.handle).collect()
}

/// One without an id that is on a way back to itself. Nothing else has to be made in two steps.
fn in_a_ring(waiting: &BTreeMap<usize, Vec<String>>, workflows: &[Entry], known: &BTreeSet<&str>) -> Option<usize> {
    let place_of = |handle: &str| workflows.iter().position(|entry| entry.handle == handle);
    let unknown = |place: &usize| {
        let names = waiting.get(place).into_iter().flatten();
        names.filter(|name| !known.contains(name.as_str())).filter_map(|name| place_of(name)).collect::<Vec<_>>()
    };
    waiting.keys().copied().find(|start| {
        let mut seen = BTreeSet::new();
        let mut next = unknown(start);
        while let Some(place) = next.pop() {
            if place == *start {
                return true;
            }
            if seen.insert(place) {
                next.extend(unknown(&place));
            }
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Workflows `a`, `b`, … that name those in the text, and the moves as words.
    fn told(rows: &[&str], with_ids: &str) -> String {
        let names = ["a", "b", "c", "d"];
        let entry = |(name, text): (&&str, &&str)| {
            let steps: Vec<String> = text.chars().map(|named| format!("${{workflows.{named}.id}}")).collect();
            let document = json!({ "steps": steps }).as_object().cloned().unwrap();
            Entry { handle: (*name).to_owned(), file: String::new(), document }
        };
        let entries: Vec<Entry> = names.iter().zip(rows).map(entry).collect();
        let words = moves(&entries, |handle| with_ids.contains(handle)).into_iter().map(|step| match step {
            Move::Reserve(place) => format!("({})", names[place]),
            Move::Write(place) => names[place].to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_workflow_comes_after_those_that_it_names_and_rings_are_opened() {
        for (rows, with_ids, order) in [
            (&["", "", ""][..], "", "a b c"),
            (&["b", "c", ""], "", "c b a"),
            (&["a"], "", "(a) a"),
            (&["b", "a"], "", "(a) b a"),
            (&["b", "a"], "a", "b a"),
            (&["b", "c", "b"], "", "(b) a c b"),
            (&["d", "a", "b", "c"], "", "(a) b c d a"),
            (&["aa", "ab", "c", "cd"], "", "(a) a (b) b (c) c (d) d"),
        ] {
            assert_eq!(told(rows, with_ids), order, "{rows:?}");
        }
    }
}

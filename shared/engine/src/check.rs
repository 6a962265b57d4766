//! What is asked of a workflow document before it is saved: everything that would go wrong in a run and can be known.
//!
//! Reading a document ([`crate::document`]) says whether it is one; this says whether it is a sensible one. All problems
//! are told at once. Errors refuse the document; warnings are told and it is saved, because exported workflows have them.

mod catalogue;
mod cycles;
mod literals;
mod params;
mod references;
mod ways;

use std::collections::BTreeSet;

use domain::Event;
use serde_json::Value;

pub use catalogue::Catalogue;

use crate::definition::{Definition, Step};
use crate::document::{self, Draft};
use crate::flow::AWAITED_EVENTS_LIMIT;
use crate::problem::{Place, Problem, Problems};
use ways::Ways;

/// The most bytes of a document as compact JSON: 1 MiB.
pub const DOCUMENT_LIMIT_BYTES: usize = 1_048_576;

/// A document that was checked.
#[derive(Debug)]
pub struct Checked {
    /// The workflow it is; none when there are errors.
    pub definition: Option<Definition>,
    /// Every error, then every warning, each in the order of the checks.
    pub problems: Vec<Problem>,
    /// The variables that its expressions name, with the path of each place.
    pub variables: Vec<(String, String)>,
}

/// Checks a document whose steps may use the actions of `catalogue`.
pub fn check(document: &Value, catalogue: &Catalogue) -> Checked {
    let mut draft = document::read(document);
    check_size(document, &mut draft.problems);
    check_actions(&mut draft, catalogue);
    check_awaited(&mut draft);
    let mut variables = Vec::new();
    if draft.steps.len() <= document::STEPS_LIMIT {
        let ways = Ways::of(document, &draft);
        ways.check_reach(&mut draft);
        cycles::check(&draft.steps, &ways, &draft.ids, &mut draft.problems);
        variables = references::check(&mut draft, &ways);
        ways::check_all_transitions(&mut draft);
    }
    literals::check(document, &mut draft.problems);

    let mut problems = draft.problems.to_vec();
    problems.sort_by_key(|problem| problem.severity);
    Checked { definition: draft.into_definition().ok(), problems, variables }
}

fn check_size(document: &Value, problems: &mut Problems) {
    let bytes = document.to_string().len();
    if bytes > DOCUMENT_LIMIT_BYTES {
        let message = format!(
            "A document has at most {DOCUMENT_LIMIT_BYTES} bytes; this one has {bytes}. Make several workflows of it."
        );
        problems.add(&Place::ROOT, "document_too_large", message);
    }
}

fn check_awaited(draft: &mut Draft<'_>) {
    let awaited: BTreeSet<&str> = draft.steps.iter().flatten().filter_map(|step| step.awaits.as_deref()).collect();
    if awaited.len() > AWAITED_EVENTS_LIMIT {
        let message = format!(
            "The steps wait for {} different events, and those of a workflow wait for at most {AWAITED_EVENTS_LIMIT}. Make several workflows of it.",
            awaited.len()
        );
        draft.problems.add(&Place::ROOT.key("steps"), "too_many_awaited_events", message);
    }
}

fn check_actions(draft: &mut Draft<'_>, catalogue: &Catalogue) {
    let Draft { steps, problems, .. } = draft;
    let steps_place = Place::ROOT.key("steps");
    for (index, step) in steps.iter().enumerate() {
        let Some(Step { action: Some(action), params, .. }) = step else { continue };
        let place = steps_place.index(index);
        match catalogue.find(action) {
            Some(known) => params::check(known, params.as_ref(), &place.key("params"), problems),
            // Whether the workflow is there is only known when it is called.
            None if Event::called_by_name(action).is_some() => {}
            None if catalogue.is_elsewhere(action) => {
                let message = format!(
                    "{} is an action of Kustomer that there is not here yet; docs/actions.md lists those there are.",
                    crate::naming::quoted(action)
                );
                problems.add(&place.key("action"), "unknown_action", message);
            }
            None => {
                let message = format!("There is no action {}.", crate::naming::quoted(action));
                problems.add_unknown(&place.key("action"), "unknown_action", message, action, &catalogue.names());
            }
        }
    }
}

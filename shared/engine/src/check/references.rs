//! Whether what expressions refer to can be there: a step that has run before, a root that exists.

use std::collections::HashMap;

use super::ways::Ways;
use crate::document::Draft;
use crate::expression::Use;
use crate::naming::quoted;
use crate::path::{Path, ROOTS};
use crate::problem::{Place, Problems};

/// Who refers to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Referrer {
    /// The trigger's transitions, before any step has run.
    Trigger,
    /// The params of the step at this place, before it has run.
    Params(usize),
    /// The transitions and error cases of the step at this place, after it has run.
    Judging(usize),
}

/// Adds every problem, and gives the variables that are named, with the path of each place.
pub(super) fn check(draft: &mut Draft<'_>, ways: &Ways) -> Vec<(String, String)> {
    let Draft { trigger, steps, ids, places, problems, .. } = draft;
    let Some(trigger) = trigger else { return Vec::new() };
    let mut checker =
        Checker { trigger: &trigger.id, ids, places, ways, after: HashMap::new(), variables: Vec::new(), problems };
    let place = Place::ROOT.key("trigger");
    let place = place.key("transitions");
    for (index, transition) in trigger.transitions.iter().enumerate() {
        let place = place.index(index);
        let mut see = |used: Use<'_>, place: &Place<'_>| checker.see(used, Referrer::Trigger, place);
        transition.condition.for_each_use(&place.key("condition"), &mut see);
    }
    let steps_place = Place::ROOT.key("steps");
    for (index, step) in steps.iter().enumerate() {
        let Some(step) = step else { continue };
        let place = steps_place.index(index);
        if let Some(params) = &step.params {
            let mut see = |used: Use<'_>, place: &Place<'_>| checker.see(used, Referrer::Params(index), place);
            params.for_each_use(&place.key("params"), &mut see);
        }
        let (transitions, cases) = (place.key("transitions"), place.key("errorCases"));
        let mut see = |used: Use<'_>, place: &Place<'_>| checker.see(used, Referrer::Judging(index), place);
        for (at, transition) in step.transitions.iter().enumerate() {
            transition.condition.for_each_use(&transitions.index(at).key("condition"), &mut see);
        }
        for (at, case) in step.error_cases.iter().enumerate() {
            case.condition.for_each_use(&cases.index(at).key("condition"), &mut see);
        }
    }
    checker.variables
}

struct Checker<'c> {
    trigger: &'c str,
    ids: &'c [&'c str],
    places: &'c HashMap<&'c str, usize>,
    ways: &'c Ways,
    /// Which steps can come after the one at a place, worked out once for each that is referred to.
    after: HashMap<usize, Vec<bool>>,
    variables: Vec<(String, String)>,
    problems: &'c mut Problems,
}

impl<'c> Checker<'c> {
    fn see(&mut self, used: Use<'_>, referrer: Referrer, place: &Place<'_>) {
        let Use::Path(path) = used else { return };
        match path.root() {
            "steps" => self.see_step(path, referrer, place),
            "variables" => {
                let id = path.step_candidates().into_iter().next().unwrap_or_default();
                self.variables.push((place.to_string(), id));
            }
            "error" => {}
            root => {
                let message =
                    format!("Nothing is called {}, so {} is always missing.", quoted(root), quoted(path.text()));
                self.problems.warn_unknown(place, "unknown_root", message, root, &ROOTS);
            }
        }
    }

    fn see_step(&mut self, path: &Path, referrer: Referrer, place: &Place<'_>) {
        let candidates = path.step_candidates();
        let Some(first) = candidates.first() else { return };
        if candidates.iter().any(|id| id == self.trigger) {
            return;
        }
        let Some((id, step)) = candidates.iter().find_map(|id| Some((id, *self.places.get(id.as_str())?))) else {
            let message = format!("There is no step {}, so {} is always missing.", quoted(first), quoted(path.text()));
            let known = self.known();
            self.problems.add_unknown(place, "unknown_step", message, first, &known);
            return;
        };
        if !self.can_have_run(step, referrer) {
            let message =
                format!("Step {} can never have run here, so {} is always missing.", quoted(id), quoted(path.text()));
            self.problems.add(place, "step_not_run", message);
        }
    }

    fn can_have_run(&mut self, step: usize, referrer: Referrer) -> bool {
        let here = match referrer {
            Referrer::Trigger => return false,
            Referrer::Judging(here) if here == step => return true,
            Referrer::Params(here) | Referrer::Judging(here) => here,
        };
        let ways = self.ways;
        let after = self.after.entry(step).or_insert_with(|| ways.after_step(step));
        after.get(here).copied().unwrap_or_default()
    }

    fn known(&self) -> Vec<&'c str> {
        std::iter::once(self.trigger).chain(self.ids.iter().copied()).collect()
    }
}

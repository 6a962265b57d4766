//! The ways between the steps of a document, also of one that could not be read whole.
//!
//! A target that is not there counts as the step that was probably meant, so that one misspelt id is told once and not
//! again for every step behind it.

use serde_json::Value;

use crate::definition::{Step, Transition};
use crate::document::Draft;
use crate::flow::starts_of;
use crate::naming::quoted;
use crate::problem::{Place, Problems, closest};

/// For how many targets that are not there the step that was meant is looked for.
const MEANT_LIMIT: usize = 100;

/// Where the trigger and each step may lead, as places of steps; targets that nobody can guess are left out.
#[derive(Debug)]
pub(super) struct Ways {
    from_trigger: Vec<usize>,
    from_steps: Vec<Vec<usize>>,
}

impl Ways {
    pub(super) fn of(document: &Value, draft: &Draft<'_>) -> Ways {
        let mut guesses = 0;
        let mut targets = |owner: Option<&Value>| {
            let transitions = owner.and_then(|owner| owner.get("transitions")).and_then(Value::as_array);
            let named = transitions.into_iter().flatten().filter_map(|transition| transition.get("target")?.as_str());
            let named = named.chain(owner.map(begun_by).into_iter().flatten());
            named.filter_map(|target| place_of(target, draft, &mut guesses)).collect::<Vec<usize>>()
        };
        let from_trigger = targets(document.get("trigger"));
        let steps = document.get("steps").and_then(Value::as_array).into_iter().flatten();
        Ways { from_trigger, from_steps: steps.map(|step| targets(Some(step))).collect() }
    }

    /// Where the step may lead.
    pub(super) fn targets_of(&self, place: usize) -> &[usize] {
        self.from_steps.get(place).map_or(&[], Vec::as_slice)
    }

    /// Which steps can come at some time after those at `starts`, which are among them only if a way leads back.
    fn after(&self, starts: &[usize]) -> Vec<bool> {
        reached(starts.to_vec(), &self.from_steps)
    }

    /// Which steps can come after the one at `place` has run.
    pub(super) fn after_step(&self, place: usize) -> Vec<bool> {
        self.after(self.targets_of(place))
    }

    /// Adds a problem for every step that no run can come to.
    pub(super) fn check_reach(&self, draft: &mut Draft<'_>) {
        let Draft { ids, places, problems, .. } = draft;
        let is_reached = self.after(&self.from_trigger);
        let steps_place = Place::ROOT.key("steps");
        for (place, name) in ids.iter().enumerate() {
            // Nothing can lead to a step whose id is another's, and that is told already.
            if places.get(name) == Some(&place) && is_reached.get(place) == Some(&false) {
                let message =
                    format!("No way leads from the trigger to step {}; lead one to it, or take it out.", quoted(name));
                problems.add(&steps_place.index(place).key("id"), "unreachable_step", message);
            }
        }
    }
}

/// The steps that the branches of a step begin at.
fn begun_by(step: &Value) -> Vec<&str> {
    let action = step.get("action").and_then(Value::as_str);
    let params = step.get("params").and_then(Value::as_object);
    let starts = action.zip(params).and_then(|(action, params)| starts_of(action, params));
    starts.into_iter().flatten().flatten().collect()
}

/// Which places can be come to from those at `starts`, themselves included; `ways` are where each leads.
pub(super) fn reached(starts: Vec<usize>, ways: &[Vec<usize>]) -> Vec<bool> {
    let mut is_reached = vec![false; ways.len()];
    let mut waiting = starts;
    while let Some(place) = waiting.pop() {
        if let Some(mark) = is_reached.get_mut(place)
            && !std::mem::replace(mark, true)
        {
            waiting.extend(ways.get(place).into_iter().flatten());
        }
    }
    is_reached
}

fn place_of(target: &str, draft: &Draft<'_>, guesses: &mut usize) -> Option<usize> {
    if let Some(place) = draft.places.get(target) {
        return Some(*place);
    }
    if *guesses >= MEANT_LIMIT {
        return None;
    }
    *guesses += 1;
    closest(target, &draft.ids).and_then(|meant| draft.places.get(meant.as_str()).copied())
}

/// Warns of transitions that can never be taken: those behind one that always holds, and those that never hold.
pub(super) fn check_all_transitions(draft: &mut Draft<'_>) {
    let Draft { trigger, steps, problems, .. } = draft;
    if let Some(trigger) = trigger {
        check_transitions(&Place::ROOT.key("trigger"), &trigger.transitions, problems);
    }
    let steps_place = Place::ROOT.key("steps");
    for (index, step) in steps.iter().enumerate() {
        let transitions = step.as_ref().map_or(&[][..], |step: &Step| step.transitions.as_slice());
        check_transitions(&steps_place.index(index), transitions, problems);
    }
}

fn check_transitions(owner: &Place<'_>, transitions: &[Transition], problems: &mut Problems) {
    let place = owner.key("transitions");
    let mut certain: Option<usize> = None;
    for (index, transition) in transitions.iter().enumerate() {
        let place = place.index(index);
        if let Some(certain) = certain {
            let message = format!("This is never taken: transitions[{certain}] before it always holds.");
            problems.warn(&place, "never_taken", message);
            continue;
        }
        match transition.condition.constant() {
            Some(true) => certain = Some(index),
            Some(false) => problems.warn(&place, "never_taken", "This is never taken: its condition never holds."),
            None => {}
        }
    }
}

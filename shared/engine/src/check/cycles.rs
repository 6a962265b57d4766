//! The check that no run of a workflow could go round for ever.
//!
//! A cycle is fine as long as some step can be reached from it where a run may end: one that has no transition which
//! always holds, or one whose action is in the `flow.` namespace. That loops end in practice is seen to by the limits
//! of a run.

use super::ways::Ways;
use crate::definition::Step;
use crate::problem::{Place, Problems};

/// Actions of this namespace decide for themselves when they are over.
const FLOW_NAMESPACE: &str = "flow.";

/// What matters of a step here; its place among the outlines is its place in the document.
#[derive(Debug)]
struct Outline {
    /// Where it may lead.
    targets: Vec<usize>,
    /// The transition that always holds, and where it leads; without one, a run may end here.
    certain: Option<(usize, usize)>,
}

impl Outline {
    /// The outline of a step; of one that could not be read, nothing is said here. Transitions after one that always
    /// holds can never be taken.
    fn of(step: Option<&Step>) -> Outline {
        let mut outline = Outline { targets: Vec::new(), certain: None };
        let Some(step) = step else { return outline };
        for (index, transition) in step.transitions.iter().enumerate() {
            let constant = transition.condition.constant();
            if constant == Some(false) {
                continue;
            }
            outline.targets.push(transition.place);
            if constant == Some(true) {
                let is_flow = step.action.as_deref().is_some_and(|action| action.starts_with(FLOW_NAMESPACE));
                outline.certain = (!is_flow).then_some((index, transition.place));
                break;
            }
        }
        outline
    }
}

/// Adds a problem for every cycle that can never be left. Steps whose transitions could not all be read are taken for ends.
pub(super) fn check(steps: &[Option<Step>], ways: &Ways, names: &[&str], problems: &mut Problems) {
    let steps_place = &Place::ROOT.key("steps");
    let is_whole = |place: usize, step: &Step| ways.targets_of(place).len() == step.transitions.len();
    let outline =
        |(place, step): (usize, &Option<Step>)| Outline::of(step.as_ref().filter(|step| is_whole(place, step)));
    let outlines: Vec<Outline> = steps.iter().enumerate().map(outline).collect();
    let outlines = outlines.as_slice();
    let mut is_settled = ending(outlines);
    for start in 0..outlines.len() {
        let walk = walk(start, outlines, &mut is_settled);
        // Every step of a walk leads to the next for certain; where it comes back to itself is the cycle.
        let Some((last, target)) = walk.last().and_then(|last| Some((*last, certain(outlines, *last)?))) else {
            continue;
        };
        let Some(first) = walk.iter().position(|place| *place == target.1) else {
            continue;
        };
        let members = walk.get(first..).unwrap_or_default();
        if leads_elsewhere(members, outlines) {
            continue;
        }
        let ring: Vec<&str> =
            walk.iter().skip(first).chain([&target.1]).filter_map(|place| names.get(*place).copied()).collect();
        let message = format!(
            "These steps go round for ever: {}. Give one of their transitions a condition that can be false.",
            ring.join(" → ")
        );
        let place = steps_place.index(last);
        let place = place.key("transitions");
        let place = place.index(target.0);
        problems.add(&place.key("target"), "endless_cycle", message);
    }
}

/// Whether some way leads from the ring to steps from which none leads back: the fault is there then.
fn leads_elsewhere(ring: &[usize], outlines: &[Outline]) -> bool {
    let targets = |place: &usize| outlines.get(*place).map(|outline| outline.targets.as_slice()).unwrap_or_default();
    let mut is_reached = vec![false; outlines.len()];
    let mut waiting = ring.to_vec();
    while let Some(place) = waiting.pop() {
        if settle(&mut is_reached, place) {
            waiting.extend(targets(&place));
        }
    }
    let mut leads_back = vec![false; outlines.len()];
    let sources = sources(outlines);
    waiting.extend(ring);
    while let Some(place) = waiting.pop() {
        if settle(&mut leads_back, place) {
            waiting.extend(sources.get(place).into_iter().flatten());
        }
    }
    is_reached.iter().zip(&leads_back).any(|(is_reached, leads_back)| *is_reached && !leads_back)
}

/// Which steps lead to each.
fn sources(outlines: &[Outline]) -> Vec<Vec<usize>> {
    let mut sources: Vec<Vec<usize>> = vec![Vec::new(); outlines.len()];
    for (place, outline) in outlines.iter().enumerate() {
        for target in &outline.targets {
            if let Some(into) = sources.get_mut(*target) {
                into.push(place);
            }
        }
    }
    sources
}

/// Which steps a run may end at or come to an end from.
fn ending(outlines: &[Outline]) -> Vec<bool> {
    let sources = sources(outlines);
    let mut is_ending = vec![false; outlines.len()];
    let mut waiting: Vec<usize> = (0..outlines.len()).filter(|place| certain(outlines, *place).is_none()).collect();
    while let Some(place) = waiting.pop() {
        if settle(&mut is_ending, place) {
            waiting.extend(sources.get(place).into_iter().flatten());
        }
    }
    is_ending
}

/// Follows certain transitions over steps not yet settled, settling them.
fn walk(start: usize, outlines: &[Outline], is_settled: &mut [bool]) -> Vec<usize> {
    let mut walk = Vec::new();
    let mut place = start;
    while settle(is_settled, place) {
        walk.push(place);
        match certain(outlines, place) {
            Some((_, target)) => place = target,
            None => break,
        }
    }
    walk
}

fn certain(outlines: &[Outline], place: usize) -> Option<(usize, usize)> {
    outlines.get(place).and_then(|outline| outline.certain)
}

/// Marks a place; false when it was marked before.
fn settle(marks: &mut [bool], place: usize) -> bool {
    match marks.get_mut(place) {
        Some(mark) => !std::mem::replace(mark, true),
        None => false,
    }
}

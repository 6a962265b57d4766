//! The check that no run of a workflow could go round for ever.
//!
//! A cycle is fine as long as some step can be reached from it where a run may end: one that has no transition which
//! always holds, or one whose action is in the `flow.` namespace. That loops end in practice is seen to by the limits
//! of a run.

use super::ways::{Ways, reached};
use crate::definition::Step;
use crate::problem::{Place, Problems};

/// Actions of this namespace decide for themselves when they are over.
const FLOW_NAMESPACE: &str = "flow.";

/// The transition that always holds, and where it leads.
type Certain = Option<(usize, usize)>;

/// What matters of a step here; its place among the outlines is its place in the document.
#[derive(Debug)]
struct Outline {
    /// Where it may lead.
    targets: Vec<usize>,
    /// The transition that always holds, and where it leads; without one, a run may end here.
    certain: Certain,
}

impl Outline {
    /// The outline of a step; of one that could not be read, nothing is said here. Transitions after one that always
    /// holds can never be taken.
    fn of(step: Option<&Step>) -> Outline {
        let mut outline = Outline { targets: Vec::new(), certain: None };
        let Some(step) = step else { return outline };
        outline.targets.extend(&step.starts);
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
    let is_whole =
        |place: usize, step: &Step| ways.targets_of(place).len() == step.transitions.len() + step.starts.len();
    let outline =
        |(place, step): (usize, &Option<Step>)| Outline::of(step.as_ref().filter(|step| is_whole(place, step)));
    let outlines: Vec<Outline> = steps.iter().enumerate().map(outline).collect();
    let (targets, certain): (Vec<Vec<usize>>, Vec<Certain>) =
        outlines.into_iter().map(|outline| (outline.targets, outline.certain)).unzip();
    let sources = sources(&targets);
    // A run may end at these, or come to an end from what leads to them.
    let ends = (0..certain.len()).filter(|place| certain_at(&certain, *place).is_none()).collect();
    let mut is_settled = reached(ends, &sources);
    for start in 0..certain.len() {
        let walk = walk(start, &certain, &mut is_settled);
        // Every step of a walk leads to the next for certain; where it comes back to itself is the cycle.
        let Some((last, target)) = walk.last().and_then(|last| Some((*last, certain_at(&certain, *last)?))) else {
            continue;
        };
        let Some(first) = walk.iter().position(|place| *place == target.1) else {
            continue;
        };
        let members = walk.get(first..).unwrap_or_default();
        if leads_elsewhere(members, &targets, &sources) {
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
fn leads_elsewhere(ring: &[usize], targets: &[Vec<usize>], sources: &[Vec<usize>]) -> bool {
    let (is_reached, leads_back) = (reached(ring.to_vec(), targets), reached(ring.to_vec(), sources));
    is_reached.iter().zip(&leads_back).any(|(is_reached, leads_back)| *is_reached && !leads_back)
}

/// Which steps lead to each.
fn sources(targets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut sources: Vec<Vec<usize>> = vec![Vec::new(); targets.len()];
    for (place, targets) in targets.iter().enumerate() {
        for target in targets {
            if let Some(into) = sources.get_mut(*target) {
                into.push(place);
            }
        }
    }
    sources
}

/// Follows certain transitions over steps not yet settled, settling them.
fn walk(start: usize, certain: &[Certain], is_settled: &mut [bool]) -> Vec<usize> {
    let mut walk = Vec::new();
    let mut place = start;
    while settle(is_settled, place) {
        walk.push(place);
        match certain_at(certain, place) {
            Some((_, target)) => place = target,
            None => break,
        }
    }
    walk
}

fn certain_at(certain: &[Certain], place: usize) -> Certain {
    certain.get(place).copied().flatten()
}

/// Marks a place; false when it was marked before.
fn settle(marks: &mut [bool], place: usize) -> bool {
    match marks.get_mut(place) {
        Some(mark) => !std::mem::replace(mark, true),
        None => false,
    }
}

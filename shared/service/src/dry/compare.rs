//! How a walk differs from what a run has done: which way its steps went, and what they did outside and to records.

use std::collections::BTreeMap;

use engine::journal::{Outcome, TransitionTaken};
use serde_json::Value;

use super::{Decision, Walked};
use crate::{actions, runs::JournalEntry};

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    Appears,
    Vanishes,
    Changes,
}

impl Change {
    /// The word in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Appears => "appears",
            Self::Vanishes => "vanishes",
            Self::Changes => "changes",
        }
    }
}

/// One thing that is different.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    pub(crate) step: String,
    pub(crate) branch: String,
    pub(crate) visit: u32,
    pub(crate) change: Change,
    /// The action, of an effect.
    pub(crate) action: Option<String>,
    /// Of a decision the step that it went to, of an effect its input; `null` where there is nothing.
    pub(crate) was: Value,
    pub(crate) becomes: Value,
}

/// What is different.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Differences {
    pub(crate) decisions: Vec<Difference>,
    pub(crate) effects: Vec<Difference>,
    /// How many steps of the run the walk did not come to because it had stopped.
    pub(crate) not_reached: usize,
}

type At = (String, String, u32);

/// What was or would be done at one visit.
struct Done {
    target: Value,
    /// The action and its input, of an effect.
    effect: Option<(String, Value)>,
}

/// How `walked` differs from `entries`.
pub(crate) fn compare(entries: &[JournalEntry], walked: &Walked) -> Differences {
    let (was, becomes) = (done(entries), would_be_done(walked));
    let is_whole = walked.stops.is_empty();
    let mut differences = Differences::default();
    for (at, before) in &was {
        match becomes.get(at) {
            Some(after) => {
                if before.target != after.target {
                    let (was, becomes) = (before.target.clone(), after.target.clone());
                    differences.decisions.push(difference(at, Change::Changes, None, (was, becomes)));
                }
                differences.effects.extend(effect_difference(at, before, after));
            }
            // It may well come to it, behind what it does not know.
            None if !is_whole => differences.not_reached += 1,
            None => {
                let was = (before.target.clone(), Value::Null);
                differences.decisions.push(difference(at, Change::Vanishes, None, was));
                if let Some((action, input)) = &before.effect {
                    let was = (input.clone(), Value::Null);
                    differences.effects.push(difference(at, Change::Vanishes, Some(action), was));
                }
            }
        }
    }
    for (at, after) in becomes.iter().filter(|(at, _)| !was.contains_key(*at)) {
        let becomes = (Value::Null, after.target.clone());
        differences.decisions.push(difference(at, Change::Appears, None, becomes));
        if let Some((action, input)) = &after.effect {
            let becomes = (Value::Null, input.clone());
            differences.effects.push(difference(at, Change::Appears, Some(action), becomes));
        }
    }
    differences
}

fn effect_difference(at: &At, before: &Done, after: &Done) -> Option<Difference> {
    match (&before.effect, &after.effect) {
        (None, None) => None,
        (Some(was), Some(becomes)) if was == becomes => None,
        (Some((_, was)), Some((action, becomes))) => {
            Some(difference(at, Change::Changes, Some(action), (was.clone(), becomes.clone())))
        }
        (Some((action, was)), None) => Some(difference(at, Change::Vanishes, Some(action), (was.clone(), Value::Null))),
        (None, Some((action, becomes))) => {
            Some(difference(at, Change::Appears, Some(action), (Value::Null, becomes.clone())))
        }
    }
}

fn difference(at: &At, change: Change, action: Option<&String>, (was, becomes): (Value, Value)) -> Difference {
    let (branch, step, visit) = at.clone();
    Difference { step, branch, visit, change, action: action.cloned(), was, becomes }
}

/// What the run has done, the last attempt of each visit.
fn done(entries: &[JournalEntry]) -> BTreeMap<At, Done> {
    let mut done: BTreeMap<At, Done> = BTreeMap::new();
    for JournalEntry { entry, .. } in entries {
        if entry.retries.is_some() || matches!(entry.outcome, Outcome::Pending(_)) {
            continue;
        }
        let at = (entry.branch.clone(), entry.step.clone(), entry.visit);
        let effect = effect_of(entry.action.as_ref(), begun_input(entries, &at).or(entry.input.as_ref()));
        done.insert(at, Done { target: target_of(entry.transition.as_ref()), effect });
    }
    done
}

/// What a step was given that has two entries, one when it began.
fn begun_input<'e>(entries: &'e [JournalEntry], (branch, step, visit): &At) -> Option<&'e Value> {
    let begun = entries.iter().map(|entry| &entry.entry).find(|entry| {
        matches!(entry.outcome, Outcome::Pending(_))
            && (&entry.branch, &entry.step, entry.visit) == (branch, step, *visit)
    });
    begun?.input.as_ref()
}

fn would_be_done(walked: &Walked) -> BTreeMap<At, Done> {
    let mut done: BTreeMap<At, Done> = BTreeMap::new();
    if let Some(opening) = &walked.opening {
        let at = (String::new(), walked.trigger.clone(), 1);
        done.insert(at, Done { target: target_of(Some(opening)), effect: None });
    }
    for decision in walked.decisions.iter().filter(|decision| !decision.is_tried_again) {
        let Decision { step, branch, visit, action, input, transition, .. } = decision;
        let effect = effect_of(action.as_ref(), input.as_ref());
        done.insert((branch.clone(), step.clone(), *visit), Done { target: target_of(transition.as_ref()), effect });
    }
    done
}

fn effect_of(action: Option<&String>, input: Option<&Value>) -> Option<(String, Value)> {
    let action = action.filter(|action| actions::has_effect(action))?;
    Some((action.clone(), input.cloned().unwrap_or_default()))
}

fn target_of(taken: Option<&TransitionTaken>) -> Value {
    taken.and_then(|taken| taken.target.clone()).map_or(Value::Null, Value::String)
}

//! What a run has recorded of its steps, to be found again by a walk.

use std::collections::HashMap;

use domain::Timestamp;
use engine::journal::{Entry, Outcome};
use serde_json::Value;

use crate::runs::JournalEntry;

/// One attempt as it was recorded.
#[derive(Debug, Clone)]
struct Attempt {
    action: Option<String>,
    input: Option<Value>,
    outcome: Outcome,
    at: Timestamp,
}

/// The outcomes of a run's steps, by branch, step and visit.
#[derive(Debug, Default)]
pub(crate) struct Recorded(HashMap<(String, String, u32), Vec<Attempt>>);

/// Which visit of which step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) branch: &'a str,
    pub(super) step: &'a str,
    pub(super) visit: u32,
}

impl Recorded {
    /// What `entries` say.
    pub(crate) fn of(entries: &[JournalEntry]) -> Self {
        let mut recorded = Self::default();
        for JournalEntry { entry, ended_at, .. } in entries {
            let Entry { step, branch, visit, action, input, outcome, .. } = entry;
            // A step that had only begun says what it was given; how it ended comes later.
            let (action, input) = (action.clone(), input.clone());
            let attempts = recorded.0.entry((branch.clone(), step.clone(), *visit)).or_default();
            let begun = attempts.pop_if(|attempt| matches!(attempt.outcome, Outcome::Pending(_)));
            let input = input.or_else(|| begun?.input);
            attempts.push(Attempt { action, input, outcome: outcome.clone(), at: *ended_at });
        }
        recorded
    }

    /// What the attempt came to, and when; the last one where there were fewer. Nothing where the step did something else then.
    pub(super) fn attempt(&self, at: Visit<'_>, attempt: u32, action: &str) -> Option<(&Outcome, Timestamp)> {
        let attempts = self.find(at)?;
        let place = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1);
        let found = attempts.get(place).or(attempts.last())?;
        let is_over = match &found.outcome {
            Outcome::Output(_) | Outcome::Failed(_) => true,
            Outcome::Pending(_) | Outcome::Stopped(_) => false,
        };
        (is_over && found.action.as_deref() == Some(action)).then_some((&found.outcome, found.at))
    }

    /// What the visit left, if it was finished.
    pub(super) fn output(&self, at: Visit<'_>, action: &str) -> Option<(&Value, Timestamp)> {
        let last = self.find(at)?.last().filter(|last| last.action.as_deref() == Some(action))?;
        match &last.outcome {
            Outcome::Output(output) => Some((output, last.at)),
            Outcome::Failed(_) | Outcome::Pending(_) | Outcome::Stopped(_) => None,
        }
    }

    /// What the last attempt was given, as people may read it.
    pub(super) fn input(&self, at: Visit<'_>) -> Option<&Value> {
        self.find(at)?.last()?.input.as_ref()
    }

    fn find(&self, at: Visit<'_>) -> Option<&Vec<Attempt>> {
        self.0.get(&(at.branch.to_owned(), at.step.to_owned(), at.visit))
    }
}

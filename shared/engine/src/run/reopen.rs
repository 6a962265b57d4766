//! Taking a run that failed up at the step that failed: what of its journal stays, what is cut, and what is tried again.
//!
//! An item that fails ends its loop, and the loop the run; each of these ends has an entry. They followed from the failure
//! alone, so they are cut with it, down to the step that failed by itself. That one is tried again, at the same visit.

use std::collections::BTreeSet;

use super::fork::prefix;
use crate::definition::{Definition, ErrorAction, Transition};
use crate::journal::{Entry, Outcome, Retry};
use crate::naming::quoted;
use crate::pending::Pending;

/// What becomes of the entries of a journal whose run is taken up again, by their place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reopening {
    /// Those that are cut.
    pub cut: BTreeSet<usize>,
    /// Those whose step is tried again: their [`Entry::retries`] is [`Retry::Replay`] from then on.
    pub again: BTreeSet<usize>,
}

/// Why a run cannot be taken up where it failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReopened {
    /// No step failed: a limit was passed, or a transition could not be worked out.
    #[error("No step of this run failed: it was ended as a whole.")]
    NoStep,
    /// A loop or a parallel step failed by itself, and would be run as a whole.
    #[error(
        "Step {0} failed when its branches were over, not because one of them failed; to try it again would be to do all of them again."
    )]
    Whole(String),
}

impl Reopening {
    /// What has to be done so that the run goes on from the step that failed; `entries` are all of its journal.
    ///
    /// *Errors* — [`NotReopened`] where the run did not fail by a step, or one that cannot be tried again by itself.
    pub fn of(entries: &[&Entry]) -> Result<Reopening, NotReopened> {
        let mut reopening = Reopening::default();
        let last = entries.len().checked_sub(1).ok_or(NotReopened::NoStep)?;
        reopening.open(entries, last)?;
        Ok(reopening)
    }

    fn open(&mut self, entries: &[&Entry], place: usize) -> Result<(), NotReopened> {
        let entry = entries.get(place).ok_or(NotReopened::NoStep)?;
        match &entry.outcome {
            Outcome::Stopped(stop) if stop.failure.is_some() => {
                self.cut.insert(place);
                Ok(())
            }
            Outcome::Failed(_) if is_fork(entries, place) => self.open_branches(entries, place, entry),
            Outcome::Failed(_) => {
                self.again.insert(place);
                Ok(())
            }
            Outcome::Output(_) | Outcome::Pending(_) | Outcome::Stopped(_) => Err(NotReopened::NoStep),
        }
    }

    fn open_branches(&mut self, entries: &[&Entry], place: usize, end: &Entry) -> Result<(), NotReopened> {
        let by_branch = match &end.outcome {
            Outcome::Failed(failure) => matches!(failure.code.as_str(), "item_failed" | "branch_failed"),
            Outcome::Output(_) | Outcome::Pending(_) | Outcome::Stopped(_) => false,
        };
        let prefix = prefix(&end.branch, end);
        let of_branch = |entry: &Entry| {
            entry.branch.strip_prefix(prefix.as_str()).is_some_and(|rest| !rest.contains('/')) && ends_its_branch(entry)
        };
        let before = entries.iter().enumerate().take(place);
        let culprits: Vec<usize> = before.filter(|(_, entry)| of_branch(entry)).map(|(place, _)| place).collect();
        if !by_branch || culprits.is_empty() {
            return Err(NotReopened::Whole(quoted(&end.step)));
        }
        self.cut.insert(place);
        culprits.into_iter().try_for_each(|culprit| self.open(entries, culprit))
    }
}

/// Whether the entry at `place` is the end of a step that had opened branches.
fn is_fork(entries: &[&Entry], place: usize) -> bool {
    let Some(end) = entries.get(place) else { return false };
    let opened = |entry: &&Entry| match &entry.outcome {
        Outcome::Pending(Pending::ForEach(_) | Pending::Parallel(_)) => {
            (entry.visit, entry.attempt, &entry.step, &entry.branch) == (end.visit, end.attempt, &end.step, &end.branch)
        }
        Outcome::Pending(Pending::Wait(_) | Pending::Call(_))
        | Outcome::Output(_)
        | Outcome::Failed(_)
        | Outcome::Stopped(_) => false,
    };
    entries.iter().take(place).any(opened)
}

/// Whether the branch of the entry failed by it.
fn ends_its_branch(entry: &Entry) -> bool {
    let answer = entry.error_case.as_ref().and_then(|taken| taken.action);
    let is_answered = matches!(answer, Some(ErrorAction::Continue | ErrorAction::StopProcessing));
    matches!(entry.outcome, Outcome::Failed(_)) && entry.retries.is_none() && !is_answered
}

/// Where a run whose journal is `entries` departs from `definition`, in a sentence; nothing where it may go on with it.
///
/// Steps that failed may do something else there: they are to be tried again, or nothing depends on what they did.
pub fn departure<'e>(definition: &Definition, entries: impl IntoIterator<Item = &'e Entry>) -> Option<String> {
    entries.into_iter().find_map(|entry| departure_at(definition, entry))
}

fn departure_at(definition: &Definition, entry: &Entry) -> Option<String> {
    let target = entry.transition.as_ref().and_then(|taken| taken.target.as_deref());
    let leads = |transitions: &[Transition]| {
        target.is_none_or(|target| transitions.iter().any(|transition| transition.target == target))
    };
    let id = quoted(&entry.step);
    let nowhere = || {
        let target = quoted(target.unwrap_or_default());
        format!("The run went from step {id} to step {target}, and no transition leads there in this version.")
    };
    if entry.step == definition.trigger.id {
        return (!leads(&definition.trigger.transitions)).then(nowhere);
    }
    let Some(step) = definition.step(&entry.step) else {
        return Some(format!("The run has done step {id}, which this version does not have."));
    };
    if step.action != entry.action && !matches!(entry.outcome, Outcome::Failed(_)) {
        let [was, is] = [&entry.action, &step.action].map(|action| action.as_deref().unwrap_or("no action"));
        return Some(format!("Step {id} was {was} when the run did it, and is {is} in this version."));
    }
    (!leads(&step.transitions)).then(nowhere)
}

impl Entry {
    /// The same, whose step is tried again because a person said so.
    #[must_use]
    pub fn tried_again(self) -> Entry {
        Entry { retries: Some(Retry::Replay), resumes_at: None, transition: None, ..self }
    }
}

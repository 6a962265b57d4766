//! Effects that the run which this one replays has finished: their outputs are kept, and nothing is done.

use std::collections::HashMap;

use domain::{Effects, Failure, Timestamp};
use engine::journal::Outcome;
use serde_json::Value;

use super::{super::Executor, Journey};
use crate::{
    actions,
    ports::Unavailable,
    runs::{self, StoredRun},
};

/// What the steps with an effect have left, by branch, step and visit.
#[derive(Default)]
pub(super) struct Kept(HashMap<(String, String, u32), Value>);

impl Kept {
    /// What the visit has left, if `action` has an effect and it was finished.
    pub(super) fn find(&self, (branch, step, visit): (&str, &str, u32), action: &str) -> Option<&Value> {
        if self.0.is_empty() || !actions::has_effect(action) {
            return None;
        }
        self.0.get(&(branch.to_owned(), step.to_owned(), visit))
    }
}

impl Executor {
    /// What the run keeps of the one that it replays.
    ///
    /// *Errors*: a failure where that is not there any more, because nobody could say what it has done.
    pub(super) async fn kept_for(&self, stored: Option<&StoredRun>) -> Result<Result<Kept, Failure>, Unavailable> {
        let replay = stored.and_then(|stored| Some((stored, stored.run.replay_of?)));
        let Some((stored, replay)) = replay.filter(|(_, replay)| replay.effects == Effects::Keep) else {
            return Ok(Ok(Kept::default()));
        };
        let Some(replayed) = runs::find_run(self.store.as_ref(), stored.run.org, replay.run).await? else {
            let message = format!(
                "The run {} that this one replays is not kept any more, so nobody can say which of its effects are done. Replay it \
                 with \"effects\": \"repeat\" if all of them may happen again.",
                replay.run
            );
            return Ok(Err(Failure::new("replayed_run_gone", message)));
        };
        let outputs = replayed.entries.into_iter().filter_map(|entry| match entry.entry.outcome {
            Outcome::Output(output) => Some(((entry.entry.branch, entry.entry.step, entry.entry.visit), output)),
            Outcome::Failed(_) | Outcome::Pending(_) | Outcome::Stopped(_) => None,
        });
        Ok(Ok(Kept(outputs.collect())))
    }

    /// Lets the run that this one keeps effects of be there as long as this one waits.
    pub(super) async fn keep_replayed_until(&self, journey: &Journey<'_>, until: Timestamp) -> Result<(), Unavailable> {
        let Some(replay) = journey.run.replay_of else { return Ok(()) };
        match runs::find_run_head(self.store.as_ref(), journey.run.org, replay.run).await? {
            Some(replayed) => runs::keep_replayed_until(self.store.as_ref(), &replayed, until).await,
            None => Ok(()),
        }
    }
}

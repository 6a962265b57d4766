//! Steps outside of which nobody knows what came, and whose author wants a person asked: the run is held for them.
//!
//! ```text
//! unknown ─→ write `held`, and for which steps ─→ a person says what came of each ─→ the run is woken and takes it
//! ```
//!
//! The answer stands in the store before the run goes on, so whoever takes the run up reads the same one.

use domain::{Failure, RunState, Timestamp, UnknownOutcome};
use engine::journal::Outcome;

use super::{super::Executor, Journey, outside::OutsideStep};
use crate::{
    actions::Prepared,
    document::Versioned,
    ports::{Unavailable, WriteError},
    records::Unit,
    runs::{self, Answered, Intent, OutcomeAnswer, OutcomeWord},
};

/// A step that a person is asked about.
pub(super) struct Asked {
    pub(super) branch: String,
    instance: String,
    step: String,
    visit: u32,
    tries: u32,
    key: String,
    message_id: Option<String>,
    started_at: Timestamp,
    /// The claim of whoever asks, who is done with it.
    claim: Option<Versioned<Intent>>,
}

/// What a person has said.
pub(super) enum Said {
    /// This came of it.
    Outcome(Outcome, Answered),
    /// Nothing did, so that it is to be tried again.
    NotDone(Answered),
}

impl Asked {
    pub(super) fn about(
        step: &OutsideStep,
        prepared: &Prepared,
        tries: u32,
        started_at: Timestamp,
        claim: Option<Versioned<Intent>>,
    ) -> Self {
        let (key, message_id) = prepared.names();
        Self {
            branch: step.branch.clone(),
            instance: step.instance().into_owned(),
            step: step.step.clone(),
            visit: step.visit,
            tries,
            key: key.to_owned(),
            message_id: message_id.map(str::to_owned),
            started_at,
            claim,
        }
    }
}

/// What comes of a step by what a person said.
pub(super) fn outcome_of(answer: OutcomeAnswer) -> Said {
    let answered = answer.answered();
    match answer.outcome {
        OutcomeWord::Done => Said::Outcome(Outcome::Output(answer.output), answered),
        OutcomeWord::NotDone => Said::NotDone(answered),
        OutcomeWord::Failed => {
            let message = answer.message.unwrap_or_else(|| {
                "It was not known whether this was done, and a person said that the step has failed.".to_owned()
            });
            Said::Outcome(Outcome::Failed(Failure::new("unknown_outcome", message)), answered)
        }
    }
}

impl Executor {
    /// What a person said of this try of the step.
    pub(super) async fn answer_about(
        &self,
        journey: &Journey<'_>,
        step: &OutsideStep,
        tries: u32,
    ) -> Result<Option<OutcomeAnswer>, Unavailable> {
        let place = (step.branch.as_str(), step.step.as_str());
        runs::find_outcome(self.store.as_ref(), &journey.run, place, step.visit, tries).await
    }

    /// Writes that the run is held, with all that is pending.
    ///
    /// *Once it returns* nothing wakes the run but a person.
    pub(super) async fn hold_for_person(
        &self,
        mut journey: Journey<'_>,
        unit: Unit<'_>,
        unknown: Vec<Asked>,
    ) -> Result<(), WriteError> {
        let now = self.world.now();
        let mut changes = Vec::new();
        for asked in unknown {
            if let Some(Versioned { rev, value }) = asked.claim {
                let given_up = value.given_up(now);
                changes.push(runs::intent_change(&journey.run, &asked.instance, asked.visit, &given_up, Some(rev))?);
            }
            journey.run.held_for.push(UnknownOutcome {
                step: asked.step,
                branch: asked.branch,
                visit: asked.visit,
                tries: asked.tries,
                key: asked.key,
                message_id: asked.message_id,
                started_at: asked.started_at,
                held_at: now,
                answered_at: None,
            });
        }
        journey.run.state = RunState::Held;
        self.write(&mut journey, unit.into_work(), changes).await?;
        tracing::warn!(run.id = %journey.run.id, "a run is held: the outcome of a step is unknown");
        Ok(())
    }
}

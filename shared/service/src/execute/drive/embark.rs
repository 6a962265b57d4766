//! Taking a run up: from its beginning, or from where its journal ends.

use std::{collections::HashSet, sync::Arc};

use domain::{Failure, Run, RunId, RunState, Timestamp, Transaction};
use engine::{Definition, Setup, Surroundings, run};

use super::{
    super::Executor,
    Carried, Journey, Place,
    control::{Admission, Entering, with_collected},
    journey,
    keeping::Kept,
};
use crate::{
    ports::WriteError,
    runs::{Considered, JournalEntry, StoredRun},
};

impl Executor {
    /// Begins the run, if it may, or goes on with it.
    pub(super) async fn take_up(
        &self,
        place: Place<'_>,
        definition: Arc<Definition>,
        setup: Arc<Setup>,
        stored: Option<StoredRun>,
    ) -> Result<Carried, WriteError> {
        let Place { transaction, trigger_output, considered, id } = place;
        let begun = stored.as_ref().filter(|stored| !stored.entries.is_empty() && !stored.run.is_queued);
        let admission = match begun {
            Some(stored) => {
                let collected = self.collected(&stored.run).await?;
                Ok(Entering { collected, ..Entering::default() }.admitted())
            }
            None => {
                let seed = id.to_string();
                let surroundings = Surroundings { setup: &setup, now: self.world.now(), seed: &seed };
                self.admit(place, &definition, &surroundings, stored.as_ref()).await?
            }
        };
        let mut entering = match admission {
            Ok(Admission::Begins(entering)) => entering,
            Ok(Admission::Waits) => return Ok(Carried::AsFarAsItGoes),
            Ok(Admission::Over) => return Ok(Carried::ToItsEnd),
            Err(failure) => {
                return self.fail(transaction, considered, id, stored, failure).await.map(|()| Carried::ToItsEnd);
            }
        };
        let kept = match self.kept_for(stored.as_ref()).await? {
            Ok(kept) => kept,
            Err(failure) => {
                return self.fail(transaction, considered, id, stored, failure).await.map(|()| Carried::ToItsEnd);
            }
        };
        let seen = entering.collected.take().map(|collected| with_collected(trigger_output, collected));
        let place = Place { trigger_output: seen.as_ref().unwrap_or(trigger_output), ..place };
        match self.embark(place, definition, setup, stored.clone(), *entering) {
            Ok(journey) => self.carry(Journey { kept, ..journey }).await,
            Err(failure) => self.fail(transaction, considered, id, stored, failure).await.map(|()| Carried::ToItsEnd),
        }
    }

    /// The run from its beginning, or from where its journal ends.
    ///
    /// *Errors*: its journal is not one of this definition.
    fn embark<'a>(
        &self,
        place: Place<'a>,
        definition: Arc<Definition>,
        setup: Arc<Setup>,
        stored: Option<StoredRun>,
        entering: Entering,
    ) -> Result<Journey<'a>, Failure> {
        let Place { transaction, trigger_output, considered, id } = place;
        let apps = &considered.apps;
        let now = self.world.now();
        let seed = id.to_string();
        let surroundings = Surroundings { setup: &setup, now, seed: &seed };
        let going_on = |stored: &StoredRun| Run {
            state: RunState::Running,
            resumes_at: None,
            held_for: Vec::new(),
            is_queued: false,
            ..stored.run.clone()
        };
        let (progress, run, new) = match &stored {
            Some(stored) if !stored.entries.is_empty() => {
                let entries = stored.entries.iter().map(|entry| (&entry.entry, entry.ended_at));
                let replayed = run::replay(&definition, trigger_output.clone(), entries, &surroundings);
                let progress = replayed.map_err(|error| {
                    let message = format!("The journal of this run cannot be followed any more: {error}.");
                    Failure::new("journal_unusable", message)
                })?;
                (progress, going_on(stored), Vec::new())
            }
            not_begun => {
                let progress = run::start(&definition, trigger_output.clone(), &surroundings);
                let opening = journey::opening_entry(&definition, &progress);
                let run = match not_begun {
                    // It has waited for its turn, or somebody has it replay another one.
                    Some(stored) => going_on(stored),
                    None => new_run(transaction, considered, id, now),
                };
                let new = vec![JournalEntry::new(opening, 1, (now, now))];
                (progress, run, new)
            }
        };
        let (rested, is_as_found) = (HashSet::new(), true);
        Ok(Journey {
            transaction,
            apps,
            definition,
            setup,
            seed,
            progress,
            run,
            stored,
            new,
            rested,
            entering,
            is_as_found,
            kept: Kept::default(),
        })
    }
}

pub(super) fn new_run(transaction: &Transaction, considered: &Considered, id: RunId, now: Timestamp) -> Run {
    Run::begun(id, transaction.org, considered.workflow, considered.hash.clone(), transaction.id, now)
}

//! Carrying one run to its end, or to where it has to wait.
//!
//! ```text
//! load ─→ replay ─→ ┌ next ─→ perform on the unit ─→ record ┐ ─→ write head, journal and records at once ─→ …
//!                   └───── again, in each branch ───────────┘
//! ```
//!
//! Steps outside end such a stretch ([`advance`]): what is pending is written together with their intents, and their outcomes
//! at once after them ([`outside`]). So does a run in which nothing can be done now ([`suspension`]).

mod advance;
mod app_action;
mod arrivals;
mod awaiting;
mod callee;
mod control;
mod embark;
mod journey;
mod keeping;
mod outside;
mod scheduling;
mod suspension;
mod unknown;

use domain::{Failure, OrgId, Run, RunId, RunState, Timestamp, Transaction, TransactionId};
use engine::{journal::Outcome, run::Ending};
use serde_json::Value;

use super::{Executor, definitions::NoDefinition};
use crate::{
    actions::{Actor, RecordAction},
    announce::{self, Author},
    ports::{Change, Unavailable, WriteError},
    records::{Unit, Work},
    runs::{self, Considered, StoredRun},
    waking::wake,
};

pub(crate) use control::with_collected;

use advance::Pause;
use control::Entering;
use embark::new_run;
use journey::Journey;

/// How often a run that somebody else has moved, or whose records have, is taken up again in one delivery.
const ROUNDS_LIMIT: usize = 10;

/// How many steps one write may journal; a loop is written down every so often, and a crash repeats no more than these.
const WRITE_STEPS: usize = 100;

/// How many bytes of inputs and outputs one write may journal. *Why*: a transaction of the store takes 4 MiB in all.
const WRITE_BYTES: usize = 512 * 1024;

/// Whether a run of this transaction may exist already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The transaction was admitted just now.
    First,
    /// It was delivered before.
    Again,
    /// The same, and something has come that the run waits for.
    Answered,
}

/// How far a run was carried.
enum Carried {
    /// It is over.
    ToItsEnd,
    /// It waits.
    AsFarAsItGoes,
}

/// Which run is carried.
#[derive(Clone, Copy)]
struct Place<'a> {
    transaction: &'a Transaction,
    trigger_output: &'a Value,
    considered: &'a Considered,
    id: RunId,
}

impl Executor {
    /// Carries the run to its final state, or to where it waits.
    ///
    /// *Once it returns* `Ok`, a run that waits has a message that wakes it.
    /// *Errors*: [`Unavailable`]; what was written stays, and the next delivery goes on from there.
    pub(super) async fn drive(
        &self,
        transaction: &Transaction,
        trigger_output: &Value,
        considered: &Considered,
        id: RunId,
        delivery: Delivery,
    ) -> Result<(), Unavailable> {
        let is_answered = delivery == Delivery::Answered;
        let mut delivery = delivery;
        for _ in 0..ROUNDS_LIMIT {
            let stored = match delivery {
                Delivery::First => None,
                Delivery::Again | Delivery::Answered => {
                    runs::find_run(self.store.as_ref(), transaction.org, id).await?
                }
            };
            delivery = Delivery::Again;
            if let Some(stored) = &stored {
                announce::tell(self.queue.as_ref(), transaction.org, stored.told.iter().copied(), 0).await?;
            }
            if let Some(over) = stored.as_ref().map(|stored| &stored.run).filter(|run| run.state.is_final()) {
                self.leave_line(over).await?;
                return self.wake_caller(transaction.org, considered).await;
            }
            if stored.as_ref().is_some_and(|stored| stored.run.state == RunState::Held) {
                return Ok(());
            }
            if let Some(until) = stored.as_ref().and_then(|stored| self.still_waiting(&stored.run))
                && !is_answered
            {
                return self.wake_later(transaction, id, until).await;
            }
            let followed = stored.as_ref().map(|stored| considered.followed_by(&stored.run));
            let considered = followed.as_ref().unwrap_or(considered);
            let carried = match self.definitions.get(self.store.as_ref(), transaction.org, &considered.hash).await {
                Ok(definition) => {
                    let setup = self.setup_for(transaction.org, considered, &definition).await?;
                    let place = Place { transaction, trigger_output, considered, id };
                    self.take_up(place, definition, setup, stored).await
                }
                Err(NoDefinition::Unusable(failure)) => {
                    self.fail(transaction, considered, id, stored, failure).await.map(|()| Carried::ToItsEnd)
                }
                Err(NoDefinition::Unavailable(error)) => return Err(error),
            };
            match carried {
                Ok(Carried::ToItsEnd) => return self.wake_caller(transaction.org, considered).await,
                Ok(Carried::AsFarAsItGoes) => return Ok(()),
                // Somebody else has written the run or one of its records: what is true now decides.
                Err(WriteError::Conflict { .. }) => tracing::debug!(run.id = %id, "overtaken; taking the run up again"),
                Err(WriteError::Unavailable(error)) => return Err(error),
            }
        }
        Err(Unavailable { port: "store", cause: format!("run {id} was overtaken {ROUNDS_LIMIT} times") })
    }

    /// Has the run that waits for the end of this one woken, if one does.
    pub(super) async fn wake_caller(&self, org: OrgId, considered: &Considered) -> Result<(), Unavailable> {
        match considered.caller {
            Some(caller) => wake(self.queue.as_ref(), org, caller, 0).await,
            None => Ok(()),
        }
    }

    async fn carry(&self, mut journey: Journey<'_>) -> Result<Carried, WriteError> {
        let mut is_taken_up = journey.stored.is_some();
        loop {
            let mut unit = Unit::new(self.store.as_ref(), journey.transaction.org, self.world.now());
            if std::mem::take(&mut is_taken_up) {
                self.take_arrivals(&mut journey, &mut unit).await?;
            }
            let ending = match self.advance(&mut journey, &mut unit).await? {
                Pause::Full => None,
                Pause::Ended(ending) => Some(ending),
                Pause::Waiting => return self.suspend(journey, unit).await.map(|()| Carried::AsFarAsItGoes),
                Pause::Outside(steps) => {
                    let (after, unknown) = self.perform_outside(&mut journey, unit, steps).await?;
                    let ending = journey.ending();
                    if ending.is_none() && !unknown.is_empty() {
                        return self.hold_for_person(journey, after, unknown).await.map(|()| Carried::AsFarAsItGoes);
                    }
                    unit = after;
                    ending
                }
            };
            if let Some(ending) = &ending {
                settle(&mut journey.run, ending, self.world.now());
            }
            self.write(&mut journey, unit.into_work(), Vec::new()).await?;
            if ending.is_some() {
                tracing::info!(
                    run.id = %journey.run.id,
                    workflow.id = %journey.run.workflow_id,
                    state = journey.run.state.word(),
                    "a run came to its end",
                );
                self.leave_line(&journey.run).await?;
                return Ok(Carried::ToItsEnd);
            }
        }
    }

    /// Writes what is new of the run together with `work` and `more`, the fence first, and tells whoever listens.
    async fn write(&self, journey: &mut Journey<'_>, work: Work, more: Vec<Change>) -> Result<(), WriteError> {
        let (org, store) = (journey.transaction.org, self.store.as_ref());
        let author = Author::step(journey.transaction, journey.run.id);
        journey.run.response = journey.progress.response().cloned();
        let events = announce::transactions(store, org, &work, &author).await?;
        let told: Vec<TransactionId> = events.iter().map(|stored| stored.transaction.id).collect();
        let mut changes = runs::run_changes(&journey.run, journey.stored.as_ref(), &journey.new, &told)?;
        changes.extend(work.changes);
        changes.extend(announce::changes(&events)?);
        changes.extend(more);
        changes.extend(self.line_changes(journey).await?);
        store.write(&changes).await?;
        journey.entering = Entering::default();
        journey.is_as_found = false;
        let new = std::mem::take(&mut journey.new);
        match &mut journey.stored {
            Some(stored) => {
                stored.rev += 1;
                stored.run = journey.run.clone();
                stored.entries.extend(new);
                stored.told.clone_from(&told);
            }
            None => {
                let (run, head_entries) = (journey.run.clone(), runs::entries_in_head(&journey.run, &new)?);
                journey.stored = Some(StoredRun { run, rev: 1, head_entries, entries: new, told: told.clone() });
            }
        }
        Ok(announce::tell(self.queue.as_ref(), org, told, 0).await?)
    }

    /// Ends a run that cannot be carried on.
    pub(super) async fn fail(
        &self,
        transaction: &Transaction,
        considered: &Considered,
        id: RunId,
        stored: Option<StoredRun>,
        failure: Failure,
    ) -> Result<(), WriteError> {
        let now = self.world.now();
        let mut run = match &stored {
            Some(stored) => stored.run.clone(),
            None => new_run(transaction, considered, id, now),
        };
        settle(&mut run, &Ending::Failed(failure.into()), now);
        let mut changes = runs::run_changes(&run, stored.as_ref(), &[], &[])?;
        changes.extend(runs::leaving_changes(self.store.as_ref(), &run, now).await?);
        self.store.write(&changes).await?;
        Ok(self.leave_line(&run).await?)
    }
}

/// One attempt; a failed one leaves nothing in the unit.
async fn perform(
    action: RecordAction,
    unit: &mut Unit<'_>,
    actor: Actor<'_>,
    input: &Value,
) -> Result<Outcome, Unavailable> {
    let before = unit.mark();
    match action.perform(unit, actor, input).await {
        Ok(output) => Ok(Outcome::Output(output)),
        Err(not_done) => {
            let failure = not_done.into_failure()?;
            unit.undo_to(before);
            Ok(Outcome::Failed(failure))
        }
    }
}

fn unknown_action(action: &str) -> Failure {
    Failure::new("unknown_action", format!("This program does not know the action `{action}`."))
}

fn settle(run: &mut Run, ending: &Ending, now: Timestamp) {
    run.ended_at = Some(now);
    run.resumes_at = None;
    run.held_for.clear();
    match ending {
        Ending::Succeeded => run.state = RunState::Succeeded,
        Ending::Failed(failure) => {
            run.state = RunState::Failed;
            run.error = Some(failure.clone());
        }
    }
}

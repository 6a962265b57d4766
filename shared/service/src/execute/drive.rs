//! Carrying one run to its end.
//!
//! ```text
//! load ─→ replay ─→ ┌ next ─→ perform on the unit ─→ record ┐ ─→ write head, journal and records at once ─→ …
//!                   └───────────────── again ───────────────┘
//! ```
//!
//! A step outside ends such a stretch: what is pending is written together with the step's intent, and its outcome at
//! once after it ([`outside`]).

mod outside;

use std::{io, sync::Arc};

use domain::{Failure, Run, RunId, RunState, Timestamp, Transaction};
use engine::{
    Definition,
    journal::{Entry, Outcome},
    run::{self, Decision, Ending, Progress},
};
use serde_json::Value;

use super::{Executor, definitions::NoDefinition};
use crate::{
    actions::{Action, Actor, NotDone, RecordAction},
    ports::{Change, Unavailable, WriteError},
    records::Unit,
    runs::{self, Considered, JournalEntry, StoredRun},
};

use outside::OutsideStep;

/// How often a run that somebody else has moved, or whose records have, is taken up again in one delivery.
const ROUNDS_LIMIT: usize = 10;

/// How many records one write may change, so that with the journal it stays under the store's limit of changes, even
/// if the last step adds as many as a step can.
const WRITE_RECORDS: usize = 50;

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
}

/// Why there is something to write.
enum Pause {
    /// It is enough for one write.
    Full,
    /// The run is at its end.
    Ended(Ending),
    /// The next step is one outside.
    Outside(OutsideStep),
}

/// The run as it is carried.
struct Journey<'a> {
    transaction: &'a Transaction,
    definition: Arc<Definition>,
    progress: Progress,
    run: Run,
    /// What the store has of it.
    stored: Option<StoredRun>,
    /// What the store does not have yet.
    new: Vec<JournalEntry>,
}

impl Executor {
    /// Carries the run to its final state.
    ///
    /// *Errors*: [`Unavailable`]; what was written stays, and the next delivery goes on from there.
    pub(super) async fn drive(
        &self,
        transaction: &Transaction,
        trigger_output: &Value,
        considered: &Considered,
        id: RunId,
        delivery: Delivery,
    ) -> Result<(), Unavailable> {
        let mut delivery = delivery;
        for _ in 0..ROUNDS_LIMIT {
            let stored = match delivery {
                Delivery::First => None,
                Delivery::Again => runs::find_run(self.store.as_ref(), transaction.org, id).await?,
            };
            delivery = Delivery::Again;
            if stored.as_ref().is_some_and(|stored| stored.run.state.is_final()) {
                return Ok(());
            }
            let carried = match self.definitions.get(self.store.as_ref(), transaction.org, &considered.hash).await {
                Ok(definition) => {
                    match self.embark(transaction, trigger_output, considered, id, definition, stored.clone()) {
                        Ok(journey) => self.carry(journey).await,
                        Err(failure) => self.fail(transaction, considered, id, stored, failure).await,
                    }
                }
                Err(NoDefinition::Unusable(failure)) => self.fail(transaction, considered, id, stored, failure).await,
                Err(NoDefinition::Unavailable(error)) => return Err(error),
            };
            match carried {
                Ok(()) => return Ok(()),
                // Somebody else has written the run or one of its records: what is true now decides.
                Err(WriteError::Conflict { .. }) => tracing::debug!(run.id = %id, "overtaken; taking the run up again"),
                Err(WriteError::Unavailable(error)) => return Err(error),
            }
        }
        Err(Unavailable { port: "store", cause: format!("run {id} was overtaken {ROUNDS_LIMIT} times") })
    }

    /// The run where its journal ends, or at its beginning.
    ///
    /// *Errors*: its journal is not one of this definition.
    fn embark<'a>(
        &self,
        transaction: &'a Transaction,
        trigger_output: &Value,
        considered: &Considered,
        id: RunId,
        definition: Arc<Definition>,
        stored: Option<StoredRun>,
    ) -> Result<Journey<'a>, Failure> {
        let now = self.world.now();
        let Some(stored) = stored else {
            let progress = run::start(&definition, trigger_output.clone());
            let opening = JournalEntry {
                entry: opening_entry(&definition, &progress),
                attempts: 1,
                started_at: now,
                ended_at: now,
            };
            let run = new_run(transaction, considered, id, now);
            return Ok(Journey { transaction, definition, progress, run, stored: None, new: vec![opening] });
        };
        let entries = stored.entries.iter().map(|entry| entry.entry.clone()).collect::<Vec<_>>();
        let progress = run::replay(&definition, trigger_output.clone(), &entries).map_err(|error| {
            let message = format!("The journal of this run cannot be followed any more: {error}.");
            Failure::new("journal_unusable", message)
        })?;
        Ok(Journey {
            transaction,
            definition,
            progress,
            run: stored.run.clone(),
            stored: Some(stored),
            new: Vec::new(),
        })
    }

    async fn carry(&self, mut journey: Journey<'_>) -> Result<(), WriteError> {
        loop {
            let mut unit = Unit::new(self.store.as_ref(), journey.transaction.org, self.world.now());
            let ending = match self.advance(&mut journey, &mut unit).await? {
                Pause::Full => None,
                Pause::Ended(ending) => Some(ending),
                Pause::Outside(step) => {
                    unit = self.perform_outside(&mut journey, unit, step).await?;
                    journey.ending()
                }
            };
            if let Some(ending) = &ending {
                settle(&mut journey.run, ending, self.world.now());
            }
            self.write(&mut journey, unit.into_changes()).await?;
            if ending.is_some() {
                tracing::info!(
                    run.id = %journey.run.id,
                    workflow.id = %journey.run.workflow_id,
                    state = journey.run.state.word(),
                    "a run came to its end",
                );
                return Ok(());
            }
        }
    }

    /// Performs steps on the unit until the run ends, comes to a step outside, or there is enough to write.
    async fn advance(&self, journey: &mut Journey<'_>, unit: &mut Unit<'_>) -> Result<Pause, Unavailable> {
        let mut bytes = 0;
        while unit.change_count() < WRITE_RECORDS && journey.new.len() < WRITE_STEPS && bytes < WRITE_BYTES {
            let started_at = self.world.now();
            let (input, outcome, attempts) = match run::next(&journey.definition, &journey.progress) {
                Decision::Finished(ending) => return Ok(Pause::Ended(ending)),
                Decision::Settled { outcome, .. } => (None, outcome, 1),
                Decision::Perform { step, visit, action, input } => {
                    let outcome = match Action::parse(&action) {
                        Some(Action::Outside(action)) => {
                            return Ok(Pause::Outside(OutsideStep { step, visit, action, input }));
                        }
                        Some(Action::Record(action)) => {
                            let actor = Actor { run: journey.run.id, step: &step, visit };
                            perform(action, unit, actor, &input).await?
                        }
                        None => Outcome::Failed(unknown_action(&action)),
                    };
                    (Some(input), outcome, 1 + journey.attempts_so_far(&step, visit))
                }
            };
            bytes += journey.record(input, outcome, attempts, (started_at, self.world.now()))?;
        }
        Ok(Pause::Full)
    }

    /// Writes what is new of the run together with `others`, the fence first.
    async fn write(&self, journey: &mut Journey<'_>, others: Vec<Change>) -> Result<(), WriteError> {
        let mut changes = runs::run_changes(&journey.run, journey.stored.as_ref(), &journey.new)?;
        changes.extend(others);
        self.store.write(&changes).await?;
        let new = std::mem::take(&mut journey.new);
        match &mut journey.stored {
            Some(stored) => {
                stored.rev += 1;
                stored.run = journey.run.clone();
                stored.entries.extend(new);
            }
            None => {
                let head_entries = new.len();
                journey.stored = Some(StoredRun { run: journey.run.clone(), rev: 1, head_entries, entries: new });
            }
        }
        Ok(())
    }

    /// Ends a run that cannot be carried on.
    async fn fail(
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
        settle(&mut run, &Ending::Failed(failure), now);
        self.store.write(&runs::run_changes(&run, stored.as_ref(), &[])?).await
    }
}

impl Journey<'_> {
    /// Records what came of the step the run is at, and gives how many bytes its entry takes.
    fn record(
        &mut self,
        input: Option<Value>,
        outcome: Outcome,
        attempts: u32,
        (started_at, ended_at): (Timestamp, Timestamp),
    ) -> Result<usize, Unavailable> {
        let entry = run::record(&self.definition, &mut self.progress, input, outcome)
            .map_err(|error| Unavailable { port: "engine", cause: error.to_string() })?;
        let bytes = size_of(&entry);
        self.new.push(JournalEntry { entry, attempts, started_at, ended_at });
        Ok(bytes)
    }

    /// How the run ends, if it does so here.
    fn ending(&self) -> Option<Ending> {
        match run::next(&self.definition, &self.progress) {
            Decision::Finished(ending) => Some(ending),
            Decision::Perform { .. } | Decision::Settled { .. } => None,
        }
    }

    /// How often the visit was tried before.
    fn attempts_so_far(&self, step: &str, visit: u32) -> u32 {
        let stored = self.stored.iter().flat_map(|stored| &stored.entries);
        let earlier =
            stored.chain(&self.new).rev().take_while(|entry| entry.entry.step == step && entry.entry.visit == visit);
        u32::try_from(earlier.count()).unwrap_or(u32::MAX)
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
        Err(NotDone::Failed(failure)) => {
            unit.undo_to(before);
            Ok(Outcome::Failed(failure))
        }
        Err(NotDone::Unavailable(error)) => Err(error),
    }
}

fn unknown_action(action: &str) -> Failure {
    Failure::new("unknown_action", format!("This program does not know the action `{action}`."))
}

/// The trigger's entry. Its output is the transaction, which is stored already.
fn opening_entry(definition: &Definition, progress: &Progress) -> Entry {
    Entry { outcome: Outcome::Output(Value::Null), ..progress.trigger_entry(definition) }
}

fn new_run(transaction: &Transaction, considered: &Considered, id: RunId, now: Timestamp) -> Run {
    Run {
        id,
        org: transaction.org,
        state: RunState::Running,
        workflow_id: considered.workflow,
        workflow_hash: considered.hash.clone(),
        transaction_id: transaction.id,
        started_at: now,
        ended_at: None,
        error: None,
    }
}

fn settle(run: &mut Run, ending: &Ending, now: Timestamp) {
    run.ended_at = Some(now);
    match ending {
        Ending::Succeeded => run.state = RunState::Succeeded,
        Ending::Failed(failure) => {
            run.state = RunState::Failed;
            run.error = Some(failure.clone());
        }
    }
}

/// How many bytes an entry takes in the journal, verdicts included.
fn size_of(entry: &Entry) -> usize {
    struct Counter(usize);

    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    // Counting does not fail, and an entry that cannot be written fails when it is.
    match serde_json::to_writer(&mut counter, entry) {
        Ok(()) => counter.0,
        Err(_) => WRITE_BYTES,
    }
}

//! A run as it is carried: where it is, and what the store does not have of it yet.

use std::{collections::BTreeMap, io, sync::Arc};

use domain::{Failure, Run, Timestamp, Transaction};
use engine::{
    Definition, Setup, Surroundings,
    app::Visit,
    expression::Asker,
    journal::{Entry, Outcome, Retry},
    run::{self, Decision, Ending, Given, Progress},
};

use serde_json::Value;

use super::WRITE_BYTES;
use crate::{
    ports::Unavailable,
    runs::{JournalEntry, StoredRun},
};

/// The run as it is carried.
pub(super) struct Journey<'a> {
    pub(super) transaction: &'a Transaction,
    /// The version of each app whose actions its steps use.
    pub(super) apps: &'a BTreeMap<String, String>,
    pub(super) definition: Arc<Definition>,
    pub(super) setup: Arc<Setup>,
    /// What the run draws its chance from.
    pub(super) seed: String,
    pub(super) progress: Progress,
    pub(super) run: Run,
    /// What the store has of it.
    pub(super) stored: Option<StoredRun>,
    /// What the store does not have yet.
    pub(super) new: Vec<JournalEntry>,
}

impl Journey<'_> {
    /// What the run does next. However often a visit is come to, also after a crash, its params are the same.
    pub(super) fn next(&self) -> Decision {
        run::next(&self.definition, &self.progress, &self.surroundings(self.came_at()))
    }

    /// Records what came of the step the run is at, and gives how many bytes its entry takes.
    pub(super) fn record(
        &mut self,
        given: Given,
        outcome: Outcome,
        attempts: u32,
        (started_at, ended_at): (Timestamp, Timestamp),
    ) -> Result<usize, Unavailable> {
        let (given, outcome) = self.without_secrets(given, outcome);
        let surroundings = Surroundings { setup: &self.setup, now: ended_at, seed: &self.seed };
        let entry = run::record(&self.definition, &mut self.progress, given, outcome, &surroundings)
            .map_err(|error| Unavailable { port: "engine", cause: error.to_string() })?;
        let bytes = size_of(&entry);
        self.new.push(JournalEntry { entry, attempts, started_at, ended_at });
        Ok(bytes)
    }

    /// How the run ends, if it does so here.
    pub(super) fn ending(&self) -> Option<Ending> {
        match self.next() {
            Decision::Finished(ending) => Some(ending),
            Decision::Perform { .. } | Decision::Settled { .. } => None,
        }
    }

    /// What is tried again because of the last entry, if that is not written yet.
    pub(super) fn retries(&self) -> Option<Retry> {
        self.new.last().and_then(|entry| entry.entry.retries)
    }

    /// How often the visit was tried before.
    pub(super) fn attempts_so_far(&self, step: &str, visit: u32) -> u32 {
        let earlier = self.entries().rev().take_while(|entry| entry.entry.step == step && entry.entry.visit == visit);
        u32::try_from(earlier.count()).unwrap_or(u32::MAX)
    }

    fn entries(&self) -> impl DoubleEndedIterator<Item = &JournalEntry> {
        self.stored.iter().flat_map(|stored| &stored.entries).chain(&self.new)
    }

    /// When the run came to the visit it is at: at the end of the one before, whatever was tried since.
    fn came_at(&self) -> Timestamp {
        let before = self.entries().rev().find(|entry| entry.entry.retries != Some(Retry::Action));
        before.map_or(self.run.started_at, |entry| entry.ended_at)
    }

    /// The visit that the run is at, as the templates of an app's action see it.
    pub(super) fn at<'s>(&'s self, step: &'s str, visit: u32) -> Visit<'s> {
        let asker = Asker { step, visit, part: "params" };
        Visit { surroundings: self.surroundings(self.came_at()), asker }
    }

    fn surroundings(&self, now: Timestamp) -> Surroundings<'_> {
        Surroundings { setup: &self.setup, now, seed: &self.seed }
    }

    /// What people may read of a step's input and failure. An output is data that later steps go on with, so it stays as it
    /// is and is masked when a run is shown.
    fn without_secrets(&self, mut given: Given, outcome: Outcome) -> (Given, Outcome) {
        if !self.setup.has_secrets() {
            return (given, outcome);
        }
        if let Some(input) = &mut given.input {
            self.setup.mask(input);
        }
        let outcome = match outcome {
            Outcome::Failed(failure) => {
                let message = self.setup.mask_text(&failure.message);
                Outcome::Failed(Failure { message, ..failure })
            }
            output @ Outcome::Output(_) => output,
        };
        (given, outcome)
    }
}

/// The trigger's entry. Its output is the transaction, which is stored already.
pub(super) fn opening_entry(definition: &Definition, progress: &Progress) -> Entry {
    Entry { outcome: Outcome::Output(Value::Null), ..progress.trigger_entry(definition) }
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

//! A run as it is carried: where it is, and what the store does not have of it yet.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    sync::Arc,
};

use domain::{Failure, Run, Timestamp, Transaction};
use engine::{
    Definition, Setup, Surroundings,
    app::Visit,
    expression::Asker,
    journal::{Entry, Outcome, Retry},
    run::{self, Decision, Ending, Given, Progress, TRUNK, retry_delay_seconds},
};

use serde_json::Value;

use super::{WRITE_BYTES, control::Entering, keeping::Kept, outside::OutsideStep};
use crate::{
    ports::{Unavailable, World},
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
    /// What is written with its beginning.
    pub(super) entering: Entering,
    /// The branches that try again what has failed, once the run is taken up again.
    pub(super) rested: HashSet<String>,
    /// Whether nothing was written of it since it was taken up.
    pub(super) is_as_found: bool,
    /// What the run that it replays has done.
    pub(super) kept: Kept,
}

impl Journey<'_> {
    /// The first branch in which something can be done at `now`, and which is none of `taken`.
    pub(super) fn ready(&self, now: Timestamp, taken: &[OutsideStep]) -> Option<String> {
        let is_free = |branch: &str| !self.rested.contains(branch) && taken.iter().all(|step| step.branch != branch);
        self.progress.ready(now).into_iter().find(|branch| is_free(branch)).map(str::to_owned)
    }

    /// What the run does next in a branch. However often a visit is come to, also after a crash, its params are the same.
    pub(super) fn next(&self, branch: &str) -> Decision {
        run::next(&self.definition, &self.progress, branch, &self.surroundings(self.came_at(branch)))
    }

    /// Records what came of the step that the branch is at, and gives how many bytes its entry takes. `random` says how long
    /// is rested before what failed is tried again.
    pub(super) fn record(
        &mut self,
        branch: &str,
        (given, outcome): (Given, Outcome),
        attempts: u32,
        times: (Timestamp, Timestamp),
        world: &dyn World,
    ) -> Result<usize, Unavailable> {
        let (_, ended_at) = times;
        let (given, outcome) = self.without_secrets(given, outcome);
        let surroundings = Surroundings { setup: &self.setup, now: ended_at, seed: &self.seed };
        let mut entry = run::record(&self.definition, &mut self.progress, branch, given, outcome, &surroundings)
            .map_err(|error| Unavailable { port: "engine", cause: error.to_string() })?;
        if let Some(retry) = entry.retries {
            self.rest(&mut entry, retry, world)?;
        }
        let bytes = size_of(&entry);
        self.new.push(JournalEntry::new(entry, attempts, times));
        Ok(bytes)
    }

    /// Whether the store has all that came before the visit that `branch` is at, so that somebody may have been at it.
    pub(super) fn may_be_begun(&self, branch: &str) -> bool {
        let leads_here = |new: &JournalEntry| {
            let around = new.entry.branch.as_str();
            around == TRUNK || branch.strip_prefix(around).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.is_as_found && self.stored.is_some() && !self.new.iter().any(leads_here)
    }

    /// Lets the branch rest before what failed is tried again, and not go on before what is new is written.
    fn rest(&mut self, entry: &mut Entry, retry: Retry, world: &dyn World) -> Result<(), Unavailable> {
        let (branch, tries) = match retry {
            Retry::Action | Retry::Replay => (entry.branch.clone(), entry.attempt),
            Retry::Workflow => (TRUNK.to_owned(), self.progress.beginnings().saturating_sub(1)),
        };
        let mut random = [0; 4];
        world.fill(&mut random)?;
        let seconds = retry_delay_seconds(entry, tries, u32::from_be_bytes(random));
        let until = world.now().plus_seconds(i64::from(seconds));
        entry.resumes_at = Some(until);
        self.progress.rest(&branch, until);
        self.rested.insert(branch);
        Ok(())
    }

    /// How the run ends, if it does so here.
    pub(super) fn ending(&self) -> Option<Ending> {
        match self.next(TRUNK) {
            Decision::Finished(ending) => Some(ending),
            Decision::Perform { .. } | Decision::Settled { .. } | Decision::Waiting => None,
        }
    }

    /// How often the visit of `branch` was tried before.
    pub(super) fn attempts_so_far(&self, branch: &str) -> u32 {
        self.progress.attempt(branch).saturating_sub(1)
    }

    /// When the branch came to the visit it is at: at the end of the one before, whatever was tried since.
    pub(super) fn came_at(&self, branch: &str) -> Timestamp {
        self.progress.came_at(branch).unwrap_or(self.run.started_at)
    }

    /// The visit that a branch is at, as the templates of an app's action see it.
    pub(super) fn at<'s>(&'s self, branch: &'s str, step: &'s str, visit: u32) -> Visit<'s> {
        let asker = Asker { branch, step, visit, part: "params" };
        Visit { surroundings: self.surroundings(self.came_at(branch)), asker }
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
            output @ (Outcome::Output(_) | Outcome::Pending(_) | Outcome::Stopped(_)) => output,
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

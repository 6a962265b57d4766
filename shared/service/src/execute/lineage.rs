//! Workflows that set each other off: how far that may go.
//!
//! What a run changes fires events, which start runs, which change something. Each such event knows what it all began with
//! and how many runs lie between; past [`LINEAGE_LIMIT_DEPTH`] of them, or [`RUNS_LIMIT`] runs within an hour from one beginning, the
//! runs fail before their first step and say why. Nothing that was written is taken back. What a run calls, and what a webhook
//! is told, says in a header of which generation it is, and our own doors read it.

use domain::{Failure, GENERATION_HEADER, LINEAGE_LIMIT_DEPTH, RunId, Transaction};

use super::{Executor, drive};
use crate::{
    ports::{Unavailable, WriteError},
    runs::{self, StoredTransaction},
};

/// How many runs of the second generation and later may follow from one beginning within an hour. *Why*: a workflow may well
/// change 1,000 records, and each of them start a run; runs that multiply come past this in their fourth generation.
pub(crate) const RUNS_LIMIT: u32 = 1_000;

impl Executor {
    /// Why the runs of an event, or of an arrival that a run's call brought, are not to begin.
    pub(super) async fn lineage_problem(&self, stored: &StoredTransaction) -> Result<Option<Failure>, Unavailable> {
        let Some(event) = &stored.transaction.fired else {
            let is_late = stored.transaction.generation > LINEAGE_LIMIT_DEPTH;
            return Ok(is_late.then(|| called_too_often(stored)));
        };
        let lineage = &event.lineage;
        if lineage.depth > LINEAGE_LIMIT_DEPTH {
            return Ok(Some(too_deep(stored)));
        }
        let runs: Vec<RunId> = stored.considered.iter().filter_map(|considered| considered.run).collect();
        // Of the first generation there are no more than one run has steps.
        if lineage.depth < 2 || runs.is_empty() {
            return Ok(None);
        }
        let starting = self.not_begun(&stored.transaction, &runs).await?;
        if starting == 0 {
            return Ok(None);
        }
        let org = stored.transaction.org;
        let counted = runs::count_lineage(self.store.as_ref(), org, lineage.root, starting, self.world.now()).await?;
        Ok((counted > RUNS_LIMIT).then(|| too_many(stored)))
    }

    async fn not_begun(&self, transaction: &Transaction, runs: &[RunId]) -> Result<u32, Unavailable> {
        let begun = runs::find_run_heads(self.store.as_ref(), transaction.org, runs).await?;
        Ok(u32::try_from(runs.len().saturating_sub(begun.len())).unwrap_or(u32::MAX))
    }

    /// Ends every run of an event before its first step; those that have begun go on.
    pub(super) async fn fail_all(&self, stored: &StoredTransaction, failure: &Failure) -> Result<(), Unavailable> {
        for considered in &stored.considered {
            let Some(run) = considered.run else { continue };
            match self.fail(&stored.transaction, considered, run, None, failure.clone()).await {
                Ok(()) => {
                    tracing::warn!(run.id = %run, code = failure.code, "a run was ended before its first step");
                    self.wake_caller(stored.transaction.org, considered).await?;
                }
                // It began when there was still room for it.
                Err(WriteError::Conflict { .. }) => {
                    let trigger_output = stored.trigger_output(considered);
                    let again = drive::Delivery::Again;
                    self.drive(&stored.transaction, &trigger_output, considered, run, again).await?;
                }
                Err(WriteError::Unavailable(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

fn too_deep(stored: &StoredTransaction) -> Failure {
    let message = format!(
        "At most {LINEAGE_LIMIT_DEPTH} generations of changes that follow from one beginning start workflows, and {}, which \
         starts this run, is of the {}th. {} Let the workflow start only where the attribute it cares for has changed, with a \
         condition on /#steps.1.changes.attributes.",
        stored.event,
        LINEAGE_LIMIT_DEPTH + 1,
        began(stored)
    );
    Failure::new("lineage_too_deep", message)
}

fn called_too_often(stored: &StoredTransaction) -> Failure {
    let message = format!(
        "At most {LINEAGE_LIMIT_DEPTH} generations of runs follow from one beginning, and {}, which starts this run, came by a call \
         of one of the {LINEAGE_LIMIT_DEPTH}th ({GENERATION_HEADER}). A workflow that calls the hook it listens to, straight or by \
         others, calls it for ever; end that with a condition.",
        stored.event,
    );
    Failure::new("lineage_too_deep", message)
}

fn too_many(stored: &StoredTransaction) -> Failure {
    let message = format!(
        "More than {RUNS_LIMIT} runs have followed from one beginning within an hour, this one by {}. {} Let the workflow start \
         only where the attribute it cares for has changed, with a condition on /#steps.1.changes.attributes.",
        stored.event,
        began(stored)
    );
    Failure::new("lineage_too_wide", message)
}

fn began(stored: &StoredTransaction) -> String {
    let Some(event) = &stored.transaction.fired else { return String::new() };
    let by = event.lineage.run.map(|run| format!(", and the run {run} fired this event")).unwrap_or_default();
    format!("It began with the transaction {}{by}.", event.lineage.root)
}

//! Taking a run up at the step that failed: the same run, under the same keys; what it has finished stays.

use domain::{LineKind, Rejected, Rejection, Run, RunId, RunState};
use engine::{
    Setup, Surroundings,
    journal::Entry,
    run::{self, NotReopened, Reopening},
};
use serde_json::Value;

use super::{
    super::{
        Refused,
        answering::wake,
        flow::{TRIES_LIMIT, always_overtaken},
    },
    Asked, Call, Chosen, On, chosen, not_over, stored_run, transaction_of, write_and_wake,
};
use crate::{
    ports::{Change, Unavailable, WriteError},
    runs::{self, JournalEntry, Queued, Replayed, RunRef, StoredRun},
};

/// What a run fails with that is ended as a whole, and may go on from where it is.
const OF_DEFINITION: [&str; 3] = ["definition_missing", "definition_unusable", "journal_unusable"];

/// A run as it is to go on.
pub(in super::super) struct Reopened {
    pub(in super::super) run: Run,
    /// At each place of the journal what stands there then, or nothing.
    pub(in super::super) entries: Vec<Option<JournalEntry>>,
    pub(in super::super) chosen: Chosen,
}

/// Has the run go on from the step that failed, `seconds` from now.
///
/// *Errors*: `409`, with why it cannot.
pub(super) async fn replay(call: &Call<'_>, id: RunId, asked: &Asked, seconds: u32) -> Result<(), Refused> {
    for _ in 0..TRIES_LIMIT {
        let stored = stored_run(call, id).await?;
        if is_done(&stored, asked) {
            wake(call.management, &stored).await?;
            return Ok(());
        }
        let reopened = reopened(call, &stored, asked).await?;
        runs::keep_until(call.management.store.as_ref(), &stored.run, call.management.world.now()).await?;
        let changes = changes_of(call, &stored, &reopened).await?;
        match write_and_wake(call, &reopened.run, &changes, seconds).await {
            Ok(()) => return Ok(()),
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(always_overtaken(id))
}

/// Whether this very request has been done before.
fn is_done(stored: &StoredRun, asked: &Asked) -> bool {
    let requests = stored.entries.iter().filter_map(|entry| entry.replayed.as_ref()?.request.as_ref());
    asked.request.as_ref().is_some_and(|request| requests.into_iter().any(|done| done == request))
}

/// The run as it goes on from the step that failed.
///
/// *Errors*: `409`, with why it cannot.
pub(in super::super) async fn reopened(
    call: &Call<'_>,
    stored: &StoredRun,
    asked: &Asked,
) -> Result<Reopened, Refused> {
    let run = &stored.run;
    match run.state {
        RunState::Failed => {}
        RunState::Running | RunState::Waiting | RunState::Held => return Err(not_over(run)),
        RunState::Succeeded | RunState::Cancelled => {
            let detail = format!("The run has not failed: it is {}. Replay it from the start.", run.state.word());
            return Err(Rejected::new(Rejection::Taken, "not_failed", detail).into());
        }
    }
    let reopening = reopening(stored)?;
    transaction_of(call, run).await?;
    let chosen = chosen(call, run, asked.on).await?;
    let entries = entries_after(call, stored, &reopening, asked, &chosen);
    let kept: Vec<&JournalEntry> = entries.iter().flatten().collect();
    if let (On::Latest, Some(departure)) =
        (asked.on, run::departure(&chosen.definition, kept.iter().map(|entry| &entry.entry)))
    {
        return Err(departs(&departure));
    }
    let (setup, seed) = (Setup::default(), run.id.to_string());
    let surroundings = Surroundings { setup: &setup, now: run.started_at, seed: &seed };
    let followed = kept.iter().map(|entry| (&entry.entry, entry.ended_at));
    run::replay(&chosen.definition, Value::Null, followed, &surroundings)
        .map_err(|illegal| departs(&format!("Its journal cannot be followed: {illegal}.")))?;
    let run = Run {
        state: RunState::Waiting,
        workflow_hash: chosen.hash.clone(),
        apps: chosen.apps.clone(),
        ended_at: None,
        resumes_at: None,
        error: None,
        is_queued: run.line.as_ref().is_some_and(|line| line.kind == LineKind::Turn),
        ..run.clone()
    };
    Ok(Reopened { run, entries, chosen })
}

/// What is to be done to the journal.
fn reopening(stored: &StoredRun) -> Result<Reopening, Refused> {
    let error = stored.run.error.as_ref();
    let message = error.map_or("", |error| error.message.as_str());
    if stored.entries.is_empty() {
        let detail = format!("The run was ended before its first step: {message} Replay it from the start.");
        return Err(Rejected::new(Rejection::Taken, "not_begun", detail).into());
    }
    if error.is_some_and(|error| error.step.is_none() && OF_DEFINITION.contains(&error.code.as_str())) {
        return Ok(Reopening::default());
    }
    let entries: Vec<&Entry> = stored.entries.iter().map(|entry| &entry.entry).collect();
    let reopening = match error.is_some_and(|error| error.step.is_some()) {
        true => Reopening::of(&entries),
        false => Err(NotReopened::NoStep),
    };
    reopening.map_err(|why| {
        let detail = format!("{why} {message} Replay it from the start.");
        Rejected::new(Rejection::Taken, "no_failed_step", detail).into()
    })
}

fn entries_after(
    call: &Call<'_>,
    stored: &StoredRun,
    reopening: &Reopening,
    asked: &Asked,
    chosen: &Chosen,
) -> Vec<Option<JournalEntry>> {
    let replayed = Replayed {
        at: call.management.world.now(),
        key: call.caller.key,
        from_hash: stored.run.workflow_hash.clone(),
        to_hash: chosen.hash.clone(),
        request: asked.request.clone(),
    };
    let mut entries: Vec<Option<JournalEntry>> = Vec::with_capacity(stored.entries.len());
    for (place, entry) in stored.entries.iter().enumerate() {
        let entry = entry.clone();
        entries.push(match (reopening.cut.contains(&place), reopening.again.contains(&place)) {
            (true, _) => None,
            (false, true) => {
                let again = entry.entry.clone().tried_again();
                Some(JournalEntry { entry: again, replayed: Some(replayed.clone()), ..entry })
            }
            (false, false) => Some(entry),
        });
    }
    // Where none is tried again, the last that stays tells.
    if reopening.again.is_empty()
        && let Some(last) = entries.iter_mut().flatten().last()
    {
        last.replayed = Some(replayed);
    }
    entries
}

fn departs(why: &str) -> Refused {
    let detail = format!("{why} Replay the run on the pinned definition, or from the start.");
    Rejected::new(Rejection::Taken, "definition_departs", detail).into()
}

/// The changes that have the run go on. Where its workflow does one at a time for a key, it stands in its line once more.
async fn changes_of(call: &Call<'_>, stored: &StoredRun, reopened: &Reopened) -> Result<Vec<Change>, Unavailable> {
    let (store, now) = (call.management.store.as_ref(), call.management.world.now());
    let run = &reopened.run;
    let mut changes = runs::reopening_changes(store, run, stored, &reopened.entries).await?;
    if let Some(line) = run.line.as_ref().filter(|_| run.is_queued) {
        let member = RunRef { transaction: run.transaction_id, run: run.id };
        let stored = runs::find_line(store, run, line).await?;
        changes.push(stored.join(Queued { member, accepted_at: now }, now)?);
    }
    Ok(changes)
}

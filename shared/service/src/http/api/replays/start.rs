//! Replaying a run from its start: a run of its own, for the same transaction.

use domain::{LineKind, Rejected, Rejection, ReplayOf, Run, RunId, RunState};

use super::{
    super::{
        Refused,
        answering::wake,
        flow::{TRIES_LIMIT, always_overtaken},
    },
    Asked, Call, chosen, not_over, stored_run, transaction_of, write_and_wake,
};
use crate::{
    ports::WriteError,
    runs::{self, StoredRun},
};

/// How often one run is replayed from its start at the most. *Why*: its head names them all.
const REPLAYS_LIMIT: usize = 100;

/// Begins a run that does what the run `id` did, `seconds` from now, and gives its id. One that the same request has begun before is
/// given again.
///
/// *Errors*: `409`, with why it cannot.
pub(super) async fn replay(call: &Call<'_>, id: RunId, asked: &Asked, seconds: u32) -> Result<RunId, Refused> {
    let store = call.management.store.as_ref();
    let new = match &asked.request {
        Some(request) => RunId::for_replay(id, request.as_bytes()),
        None => RunId::for_replay(id, &call.random::<16>()?),
    };
    for _ in 0..TRIES_LIMIT {
        let stored = stored_run(call, id).await?;
        if stored.run.replayed_as.contains(&new) {
            if let Some(begun) = runs::find_run(store, call.caller.org, new).await? {
                wake(call.management, &begun).await?;
            }
            return Ok(new);
        }
        is_replayable(&stored.run)?;
        transaction_of(call, &stored.run).await?;
        let chosen = chosen(call, &stored.run, asked.on).await?;
        runs::keep_replayed_until(store, &stored.run, call.management.world.now()).await?;
        let replay = ReplayOf {
            run: id,
            origin: stored.run.replay_of.map_or(id, |replay| replay.origin),
            effects: asked.effects,
            key: call.caller.key,
        };
        let Run { org, workflow_id, transaction_id, .. } = stored.run;
        let now = call.management.world.now();
        let run = Run {
            state: RunState::Waiting,
            // What was collected stands in the line. A turn is taken once its time has come.
            line: stored.run.line.clone().filter(|line| line.kind == LineKind::Collect),
            apps: chosen.apps,
            replay_of: Some(replay),
            ..Run::begun(new, org, workflow_id, chosen.hash, transaction_id, now)
        };
        let mut changes = runs::run_changes(&replayed(&stored, new), Some(&stored), &[], &stored.told)?;
        changes.extend(runs::run_changes(&run, None, &[], &[])?);
        match write_and_wake(call, &run, &changes, seconds).await {
            Ok(()) => return Ok(new),
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(always_overtaken(id))
}

fn replayed(stored: &StoredRun, by: RunId) -> Run {
    let mut run = stored.run.clone();
    run.replayed_as.push(by);
    run
}

/// *Errors*: `409` where the run is under way, or was replayed too often.
pub(in super::super) fn is_replayable(run: &Run) -> Result<(), Refused> {
    if !run.state.is_final() {
        return Err(not_over(run));
    }
    if run.replayed_as.len() >= REPLAYS_LIMIT {
        let detail = format!(
            "This run was replayed {REPLAYS_LIMIT} times, and is no more; replay the newest of the runs in its `replayedAs` instead."
        );
        return Err(Rejected::new(Rejection::Taken, "replayed_too_often", detail).into());
    }
    Ok(())
}

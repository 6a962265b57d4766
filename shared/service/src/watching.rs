//! Watching a run for a while, for somebody who waits for its answer.

use domain::{OrgId, Run, RunId, TransactionId};
use serde_json::Value;

use crate::{
    ports::{Store, Unavailable, World},
    runs,
};

/// The longest that somebody can wait. *Why*: an HTTP API on AWS answers within 30 s.
pub(crate) const WATCH_LIMIT_SECONDS: u32 = 25;

/// How long is waited before the first look, and before each further one at the most.
const FIRST_LOOK_MS: u32 = 40;
const LONGEST_LOOK_MS: u32 = 500;

/// The answer that the first of the runs of `transaction` gives, `{"status":200,"output":…}`; nothing where none gives one within
/// `seconds`, none will, or no workflow listens.
pub(crate) async fn watch_transaction(
    store: &dyn Store,
    world: &dyn World,
    org: OrgId,
    transaction: TransactionId,
    seconds: u32,
) -> Result<Option<Value>, Unavailable> {
    let mut looks = Looks::within(seconds);
    let mut runs: Option<Vec<RunId>> = None;
    while looks.pause(world).await {
        let ids = match &runs {
            Some(ids) => ids,
            None => match runs::find_transaction(store, org, transaction).await? {
                None => continue,
                Some(stored) => runs.insert(stored.considered.iter().filter_map(|one| one.run).collect()),
            },
        };
        let mut are_over = true;
        for id in ids {
            match runs::find_run_head(store, org, *id).await? {
                Some(Run { response: Some(response), .. }) => return Ok(Some(response)),
                Some(run) => are_over &= run.state.is_final(),
                None => are_over = false,
            }
        }
        if are_over {
            return Ok(None);
        }
    }
    Ok(None)
}

/// When to look: often at first, then less so.
struct Looks {
    left_ms: u32,
    next_ms: u32,
}

impl Looks {
    fn within(seconds: u32) -> Self {
        Self { left_ms: seconds.min(WATCH_LIMIT_SECONDS) * 1_000, next_ms: FIRST_LOOK_MS }
    }

    /// Lets the time pass to the next look; false where there is none left.
    async fn pause(&mut self, world: &dyn World) -> bool {
        let pause = self.next_ms.min(self.left_ms);
        if pause == 0 {
            return false;
        }
        world.pause(pause).await;
        self.left_ms -= pause;
        self.next_ms = (self.next_ms * 3 / 2).min(LONGEST_LOOK_MS);
        true
    }
}

/// The run once it has given its answer, or is over; nothing where `seconds` pass before.
pub(crate) async fn watch(
    store: &dyn Store,
    world: &dyn World,
    org: OrgId,
    run: RunId,
    seconds: u32,
) -> Result<Option<Run>, Unavailable> {
    let mut looks = Looks::within(seconds);
    while looks.pause(world).await {
        let seen = runs::find_run_head(store, org, run).await?;
        if let Some(run) = seen.filter(|run| run.response.is_some() || run.state.is_final()) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

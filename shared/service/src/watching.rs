//! Watching a run for a while, for somebody who waits for its answer.

use domain::{OrgId, Run, RunId};

use crate::{
    ports::{Store, Unavailable, World},
    runs,
};

/// The longest that somebody can wait. *Why*: an HTTP API on AWS answers within 30 s.
pub(crate) const WATCH_LIMIT_SECONDS: u32 = 25;

/// How long is waited before the first look, and before each further one at the most.
const FIRST_LOOK_MS: u32 = 40;
const LONGEST_LOOK_MS: u32 = 500;

/// The run once it has given its answer, or is over; nothing where `seconds` pass before.
pub(crate) async fn watch(
    store: &dyn Store,
    world: &dyn World,
    org: OrgId,
    run: RunId,
    seconds: u32,
) -> Result<Option<Run>, Unavailable> {
    let (mut left_ms, mut look_ms) = (seconds.min(WATCH_LIMIT_SECONDS) * 1_000, FIRST_LOOK_MS);
    while left_ms > 0 {
        let pause = look_ms.min(left_ms);
        world.pause(pause).await;
        left_ms -= pause;
        look_ms = (look_ms * 3 / 2).min(LONGEST_LOOK_MS);
        let heads = runs::find_run_heads(store, org, &[run]).await?;
        let seen = heads.into_iter().next().map(|(run, _)| run);
        if let Some(run) = seen.filter(|run| run.response.is_some() || run.state.is_final()) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

//! Runs that wait to be tried again: written down as waiting, woken by a message that the queue holds back.
//!
//! ```text
//! write the failed attempt and `waiting until` ─→ send the message that wakes it ─→ done with this one
//! ```
//!
//! A crash between the two leaves the message that carried the run here; delivered again it finds the run waiting and
//! sends the other. A message that comes early, as all do after a restart of a local queue, is sent once more for the
//! rest of the time; one that comes twice finds the run moved on.

use domain::{Run, RunId, RunState, Timestamp, Transaction};
use engine::{journal::Retry, run::retry_delay_seconds};

use super::{super::Executor, Journey};
use crate::{
    envelope::{Named, Woken},
    ports::{Unavailable, WriteError},
    records::Unit,
};

impl Executor {
    /// Writes that the run waits, with all that is pending, and has it woken.
    ///
    /// *Errors*: [`WriteError`]; if the run was written already, whoever finds it so has it woken.
    pub(super) async fn suspend(&self, mut journey: Journey<'_>, unit: Unit<'_>) -> Result<(), WriteError> {
        let until = self.world.now().plus_seconds(i64::from(self.delay_seconds(&journey)?));
        journey.run.state = RunState::Waiting;
        journey.run.resumes_at = Some(until);
        self.write(&mut journey, unit.into_work(), None).await?;
        tracing::info!(run.id = %journey.run.id, until = %until, "a step is to be tried again; the run waits");
        Ok(self.wake_later(journey.transaction, journey.run.id, until).await?)
    }

    /// Until when the run waits, if it still does.
    pub(super) fn still_waiting(&self, run: &Run) -> Option<Timestamp> {
        run.resumes_at.filter(|until| run.state == RunState::Waiting && *until > self.world.now())
    }

    /// Has the run woken at `until`.
    pub(super) async fn wake_later(
        &self,
        transaction: &Transaction,
        run: RunId,
        until: Timestamp,
    ) -> Result<(), Unavailable> {
        let woken = Woken { org: transaction.org, transaction: transaction.id, run };
        let message = Named::Wake(woken).message()?;
        self.queue.send_later(message, self.delay_seconds_until(until)).await
    }

    fn delay_seconds(&self, journey: &Journey<'_>) -> Result<u32, Unavailable> {
        let Some(last) = journey.new.last() else { return Ok(0) };
        let tries = match last.entry.retries {
            Some(Retry::Workflow) => journey.progress.beginnings().saturating_sub(1),
            Some(Retry::Action) | None => last.entry.attempt,
        };
        let mut random = [0; 4];
        self.world.fill(&mut random)?;
        Ok(retry_delay_seconds(&last.entry, tries, u32::from_be_bytes(random)))
    }
}

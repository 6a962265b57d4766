//! Runs in which nothing can be done now: written down as waiting, woken by a message that the queue holds back, or by a timer
//! where that would be too long.
//!
//! ```text
//! write `waiting until`, and the timer ─→ send the message that wakes it, without a timer ─→ done with this one
//! ```
//!
//! A crash between the two leaves the message that carried the run here; delivered again it finds the run waiting and
//! sends the other. A message that comes early, as all do after a restart of a local queue, is sent once more for the
//! rest of the time; one that comes twice finds the run moved on.

use domain::{Run, RunId, RunState, Timestamp, Transaction};

use super::{super::Executor, Journey};
use crate::{
    announce::INSURANCE_SECONDS,
    envelope::{Named, Woken},
    ports::{Unavailable, WriteError},
    records::Unit,
    runs::{self, RunRef},
    waking::wake,
};

impl Executor {
    /// Writes that the run waits, with all that is pending, and has it woken.
    ///
    /// *Errors*: [`WriteError`]; if the run was written already, whoever finds it so has it woken.
    pub(super) async fn suspend(&self, mut journey: Journey<'_>, unit: Unit<'_>) -> Result<(), WriteError> {
        let until = journey.progress.due_at();
        journey.run.state = RunState::Waiting;
        journey.run.resumes_at = until;
        if let Some(until) = until {
            runs::keep_until(self.store.as_ref(), &journey.run, until).await?;
            self.keep_replayed_until(&journey, until).await?;
        }
        let is_known = journey.new.is_empty() && unit.change_count() == 0;
        if !is_known || journey.stored.as_ref().is_none_or(|stored| stored.run != journey.run) {
            let is_answered = self.await_events(&journey).await?;
            let (org, run) = (journey.run.org, RunRef { transaction: journey.transaction.id, run: journey.run.id });
            if is_answered {
                wake(self.queue.as_ref(), org, run, INSURANCE_SECONDS).await?;
            }
            let timer = until.map(|until| runs::timer_change(&journey.run, until, self.world.now())).transpose()?;
            self.write(&mut journey, unit.into_work(), timer.flatten().into_iter().collect()).await?;
            if is_answered {
                wake(self.queue.as_ref(), org, run, 0).await?;
            }
        }
        tracing::info!(run.id = %journey.run.id, until = ?until.map(|until| until.to_string()), "the run waits");
        match until {
            Some(until) => Ok(self.wake_later(journey.transaction, journey.run.id, until).await?),
            None => Ok(()),
        }
    }

    /// Until when the run waits, if it still does.
    pub(super) fn still_waiting(&self, run: &Run) -> Option<Timestamp> {
        run.resumes_at.filter(|until| run.state == RunState::Waiting && *until > self.world.now())
    }

    /// Has the run woken at `until`; what is further away has a timer.
    pub(super) async fn wake_later(
        &self,
        transaction: &Transaction,
        run: RunId,
        until: Timestamp,
    ) -> Result<(), Unavailable> {
        if runs::needs_timer(until, self.world.now()) {
            return Ok(());
        }
        let woken = Woken { org: transaction.org, transaction: transaction.id, run, answered: false };
        let message = Named::Wake(woken).message()?;
        self.queue.send_later(transaction.org, message, self.delay_seconds_until(until)).await
    }
}

//! Making what recurs: each occurrence once, as a scheduled run of its own.

use domain::{RecurringSchedule, ScheduledRun, ScheduledRunId, ScheduledState, Timestamp};

use super::Executor;
use crate::{
    document::Versioned,
    envelope::{Named, Recurs, Scheduled},
    ports::{Unavailable, WriteError},
    runs,
};

/// How many occurrences one message makes at the most; another one goes on.
const OCCURRENCES_LIMIT: usize = 20;

impl Executor {
    /// Makes the occurrences of a schedule whose time has come, and has it woken for the next.
    ///
    /// The occurrence and the schedule that goes on behind it are one write, so whoever comes second finds it made; the run
    /// that it is has a timer of its own, should it not be started here. Whoever is overtaken looks again: somebody else has
    /// made it, or was there at the same moment and has not.
    pub(super) async fn recur(&self, named: Recurs) -> Result<(), Unavailable> {
        let mut is_any_made = false;
        for _ in 0..OCCURRENCES_LIMIT {
            let Some(found) = runs::find_recurring(self.store.as_ref(), named.org, named.schedule).await? else {
                tracing::debug!(schedule.id = %named.schedule, "a recurring schedule was deleted");
                return Ok(());
            };
            let now = self.world.now();
            let Some((due, after)) = found.value.take_due(now) else {
                if is_any_made {
                    return Ok(());
                }
                match self.recur_later(&found.value).await {
                    Ok(()) => return Ok(()),
                    Err(WriteError::Conflict { .. }) => continue,
                    Err(WriteError::Unavailable(error)) => return Err(error),
                }
            };
            if let Some(skipped) = after.skipped.filter(|_| due.is_none()) {
                tracing::warn!(schedule.id = %named.schedule, from = %skipped.from, "occurrences were too late to be made up for");
            }
            let run = due.map(|due| occurrence(&after, due, now));
            match self.write_occurrence(&found, &after, run.as_ref()).await {
                Ok(()) => is_any_made = true,
                Err(WriteError::Conflict { .. }) => continue,
                Err(WriteError::Unavailable(error)) => return Err(error),
            }
            if let Some(run) = run {
                let scheduled = Scheduled { org: run.org, scheduled: run.id };
                self.start_scheduled(&Named::Scheduled(scheduled).message()?, scheduled).await?;
            }
        }
        self.queue.send(named.org, Named::Recurs(named).message()?).await
    }

    async fn write_occurrence(
        &self,
        found: &Versioned<RecurringSchedule>,
        after: &RecurringSchedule,
        run: Option<&ScheduledRun>,
    ) -> Result<(), WriteError> {
        let mut changes = runs::recurring_changes(after, Some(found.rev))?;
        if let Some(run) = run {
            changes.extend(runs::scheduled_changes(run)?);
        }
        self.store.write(&changes).await
    }

    /// A message that came too early, or another time. What sent it may have been the timer, which is gone then.
    async fn recur_later(&self, schedule: &RecurringSchedule) -> Result<(), WriteError> {
        let Some(timer) = runs::recurring_timer(schedule)? else { return Ok(()) };
        self.store.write(&[timer]).await
    }
}

fn occurrence(schedule: &RecurringSchedule, planned: Timestamp, now: Timestamp) -> ScheduledRun {
    ScheduledRun {
        id: ScheduledRunId::for_occurrence(schedule.id, planned),
        org: schedule.org,
        workflow: schedule.workflow,
        inputs: schedule.inputs.clone(),
        run_at: planned,
        state: ScheduledState::Waiting,
        lineage: None,
        schedule: Some(schedule.id),
        created_at: now,
        delayed_until: None,
        run: None,
        error: None,
    }
}

//! Starting what was scheduled: once, in turn, or with the reason why not.

use domain::{EventId, Failure, ScheduledRun, ScheduledState};

use super::Executor;
use crate::{
    announce::{self, Author},
    calling::{self, NewCall},
    document::Versioned,
    envelope::Scheduled,
    ports::{DELAY_LIMIT_SECONDS, Unavailable, WriteError},
    records::Work,
    runs::{self, StoredTransaction},
    scheduling::TURNS_LIMIT,
};

/// How often it is looked again where others were writing at the same moment.
const TRIES_LIMIT: usize = 5;

impl Executor {
    /// Makes the call that was scheduled, if its time has come and nobody has made it or taken it back.
    ///
    /// Whoever is overtaken looks again: somebody else has done it, or was there at the same moment and has not.
    pub(super) async fn start_scheduled(&self, message: &str, named: Scheduled) -> Result<(), Unavailable> {
        for _ in 0..TRIES_LIMIT {
            match self.try_to_start(message, named).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Unavailable(error)) => return Err(error),
            }
        }
        let cause = format!("scheduled run {} was overtaken {TRIES_LIMIT} times", named.scheduled);
        Err(Unavailable { port: "store", cause })
    }

    async fn try_to_start(&self, message: &str, named: Scheduled) -> Result<(), WriteError> {
        let (store, now) = (self.store.as_ref(), self.world.now());
        let Some(found) = runs::find_scheduled(store, named.org, named.scheduled).await? else {
            tracing::debug!(scheduled.id = %named.scheduled, "what was scheduled is not kept any more");
            return Ok(());
        };
        let run = &found.value;
        if run.state != ScheduledState::Waiting {
            return Ok(());
        }
        if run.run_at > now {
            return self.start_later(message, run).await;
        }
        let called = match self.call_of(run).await? {
            Ok(called) => called,
            Err(failure) => return self.give_up(&found, failure).await,
        };
        if let Err(next) = runs::take_turn(store, named.org, TURNS_LIMIT, now).await? {
            tracing::info!(scheduled.id = %run.id, until = %next, "the org has had its turns; a scheduled run waits");
            let delayed = ScheduledRun { delayed_until: Some(next), ..run.clone() };
            let changes = [runs::scheduled_change(&delayed, found.rev)?, runs::scheduled_timer(run, next)?];
            return store.write(&changes).await;
        }
        let (transaction, started) = called;
        let after = ScheduledRun { state: ScheduledState::Started, run: Some(started), ..run.clone() };
        let work = Work {
            changes: vec![runs::scheduled_change(&after, found.rev)?],
            calls: vec![transaction],
            ..Work::default()
        };
        announce::write(store, self.queue.as_ref(), (run.org, &Author::Hookwright), work).await
    }

    /// A message that came too early: the clock has been set back, or a queue has forgotten how long to hold it.
    async fn start_later(&self, message: &str, run: &ScheduledRun) -> Result<(), WriteError> {
        if self.world.now().seconds_until(run.run_at) <= u64::from(DELAY_LIMIT_SECONDS) {
            let seconds = self.delay_seconds_until(run.run_at);
            return Ok(self.queue.send_later(run.org, message.to_owned(), seconds).await?);
        }
        self.store.write(&[runs::scheduled_timer(run, run.run_at)?]).await
    }

    async fn call_of(
        &self,
        run: &ScheduledRun,
    ) -> Result<Result<(StoredTransaction, domain::RunId), Failure>, Unavailable> {
        let store = self.store.as_ref();
        let callable = self.definitions.callable(store, run.org, &run.workflow.to_string()).await?;
        let (workflow, definition) = match callable {
            Ok(callable) => callable,
            Err(failure) => return Ok(Err(failure)),
        };
        let author = run.lineage.clone().map_or(Author::Hookwright, Author::Step);
        let new = NewCall { id: EventId::for_scheduled(run.id), author: &author, caller: None, now: self.world.now() };
        calling::call(store, &workflow, &definition, run.inputs.clone(), new).await
    }

    async fn give_up(&self, found: &Versioned<ScheduledRun>, failure: Failure) -> Result<(), WriteError> {
        tracing::warn!(scheduled.id = %found.value.id, code = failure.code, "a scheduled run could not be started");
        let after = ScheduledRun { state: ScheduledState::Failed, error: Some(failure), ..found.value.clone() };
        self.store.write(&[runs::scheduled_change(&after, found.rev)?]).await
    }
}

//! Events for which runs wait: the answer of the step that waits is what happened.

use domain::{OrgId, Transaction, exact};
use engine::{flow::values_at, pending::AwaitedEvent};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::Executor;
use crate::{
    ports::Unavailable,
    runs::{self, Answer, Happened, StoredTransaction, Waiter},
    waking::wake,
};

/// How many runs are told at the same time.
const AT_ONCE: usize = 20;

impl Executor {
    /// Gives what happened to every run that waits for it, and has it woken.
    ///
    /// *Errors*: [`Unavailable`]; told again it tells those that were not told.
    pub(super) async fn tell_waiting_runs(&self, stored: &StoredTransaction) -> Result<(), Unavailable> {
        let Transaction { id, org, created_at, .. } = stored.transaction;
        for awaited in &stored.awaited {
            let seen = stored.output(awaited.event);
            for paths in runs::awaited_places(self.store.as_ref(), org, &awaited.name).await? {
                let Some(matches) = values_at(&paths, &seen) else { continue };
                let event = AwaitedEvent { name: awaited.name.clone(), matches };
                let happened = Happened { transaction: id, event: awaited.event, at: created_at };
                runs::keep_happened(self.store.as_ref(), org, &event, &happened).await?;
                self.tell_waiters(org, &event, &happened, &seen).await?;
            }
        }
        Ok(())
    }

    async fn tell_waiters(
        &self,
        org: OrgId,
        event: &AwaitedEvent,
        happened: &Happened,
        seen: &Value,
    ) -> Result<(), Unavailable> {
        let mut after = None;
        loop {
            let (waiters, next) = runs::waiters(self.store.as_ref(), org, event, after).await?;
            let waiting: Vec<&Waiter> =
                waiters.iter().filter(|waiter| waiter.is_for(happened.transaction, happened.at)).collect();
            for some in waiting.chunks(AT_ONCE) {
                try_join_all(some.iter().map(|waiter| self.tell_waiter(org, event, happened, seen, waiter))).await?;
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn tell_waiter(
        &self,
        org: OrgId,
        event: &AwaitedEvent,
        happened: &Happened,
        seen: &Value,
        waiter: &Waiter,
    ) -> Result<(), Unavailable> {
        let answer = Answer { at: self.world.now(), outcome: Some(outcome(event, happened, seen)) };
        // Where something else was first, the run may still have to be woken for it.
        runs::give_answer(self.store.as_ref(), &waiter.step(org), &answer).await?;
        wake(self.queue.as_ref(), org, waiter.run, 0).await?;
        runs::forget_waiter(self.store.as_ref(), org, event, waiter).await
    }
}

/// What the step that waited leaves.
pub(super) fn outcome(event: &AwaitedEvent, happened: &Happened, seen: &Value) -> Value {
    exact::object([
        ("reason", json!("event")),
        ("event", json!(event.name)),
        ("transaction", json!(happened.transaction)),
        ("data", seen.clone()),
    ])
}

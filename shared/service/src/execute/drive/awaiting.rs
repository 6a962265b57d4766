//! Steps that begin to wait for an event.

use engine::{
    journal::Outcome,
    pending::{AwaitedEvent, Pending},
    run::WaitsFor,
};

use super::{
    super::{Executor, awaited::outcome},
    Journey,
};
use crate::{
    ports::Unavailable,
    runs::{self, Answer, Waiter, WaitingStep},
};

impl Executor {
    /// Lets what happens find the steps of the run that have just begun to wait for it, and gives them what happened between
    /// their beginning and now; whether anything did.
    pub(super) async fn await_events(&self, journey: &Journey<'_>) -> Result<bool, Unavailable> {
        let (store, org) = (self.store.as_ref(), journey.transaction.org);
        let mut is_answered = false;
        for (event, waiter) in beginning(journey) {
            runs::wait_for(store, org, &event, &waiter).await?;
            let Some(happened) = runs::find_happened(store, org, &event, &waiter).await? else { continue };
            let Some(stored) = runs::find_transaction(store, org, happened.transaction).await? else { continue };
            let outcome = outcome(&event, &happened, &stored.output(happened.event));
            let answer = Answer { at: self.world.now(), outcome: Some(outcome) };
            runs::give_answer(store, &waiter.step(org), &answer).await?;
            is_answered = true;
        }
        Ok(is_answered)
    }
}

/// The steps that wait for an event and are not written yet.
fn beginning(journey: &Journey<'_>) -> Vec<(AwaitedEvent, Waiter)> {
    let is_new = |branch: &str| {
        journey
            .new
            .iter()
            .any(|new| new.entry.branch == branch && matches!(new.entry.outcome, Outcome::Pending(Pending::Wait(_))))
    };
    let waiting = journey.progress.waiting(&journey.definition);
    let events = waiting.into_iter().filter(|waiting| is_new(waiting.branch)).filter_map(|waiting| {
        let WaitsFor::Wait(wait) = waiting.for_what else { return None };
        let event = wait.event.clone()?;
        let step = WaitingStep::of(&journey.run, &waiting);
        Some((event, Waiter::new(step, journey.transaction.id, journey.came_at(waiting.branch), wait.until)))
    });
    events.collect()
}

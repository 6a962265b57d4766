//! What has come for the steps of a run that wait: ends of runs that they called, and answers.

use domain::RunId;
use engine::{
    journal::Outcome,
    run::{self, Given, Waiting, WaitsFor},
};

use super::{super::Executor, Journey, callee};
use crate::{
    document,
    ports::Unavailable,
    records::Unit,
    runs::{self, Answer, WaitingStep},
};

impl Executor {
    /// Records all that has come.
    pub(super) async fn take_arrivals(
        &self,
        journey: &mut Journey<'_>,
        unit: &mut Unit<'_>,
    ) -> Result<(), Unavailable> {
        let mut come = self.ends_of_calls(journey).await?;
        for (branch, step) in answerable(journey) {
            if let Some(Answer { outcome: Some(outcome), .. }) = find_answer(unit, &step).await? {
                come.push((branch, Outcome::Output(outcome)));
            }
        }
        for (branch, outcome) in come {
            // What came for one branch may have been the end of another.
            if journey.progress.came_at(&branch).is_some() {
                let now = self.world.now();
                journey.record(&branch, (Given::default(), outcome), 1, (now, now), self.world.as_ref())?;
            }
        }
        Ok(())
    }

    async fn ends_of_calls(&self, journey: &Journey<'_>) -> Result<Vec<(String, Outcome)>, Unavailable> {
        let waiting = journey.progress.waiting(&journey.definition);
        let calls: Vec<(String, RunId)> = waiting
            .into_iter()
            .filter_map(|waiting| match waiting.for_what {
                WaitsFor::Call(call) => Some((waiting.branch.to_owned(), call.run)),
                WaitsFor::Wait(_) => None,
            })
            .collect();
        let ids: Vec<RunId> = calls.iter().map(|(_, run)| *run).collect();
        let heads = runs::find_run_heads(self.store.as_ref(), journey.transaction.org, &ids).await?;
        let end = |id: RunId| heads.iter().find(|(run, _)| run.id == id).and_then(|(run, _)| callee::outcome_of(run));
        Ok(calls.into_iter().filter_map(|(branch, run)| Some((branch, end(run)?))).collect())
    }

    /// What becomes of a wait whose time is up: what came for it at the last moment, or nothing. Nothing is taken for it from
    /// then on.
    pub(super) async fn end_wait(
        &self,
        journey: &Journey<'_>,
        unit: &mut Unit<'_>,
        branch: &str,
    ) -> Result<Option<Outcome>, Unavailable> {
        if let Some((_, step)) = answerable(journey).into_iter().find(|(of, _)| of == branch) {
            if let Some(Answer { outcome: Some(outcome), .. }) = find_answer(unit, &step).await? {
                return Ok(Some(Outcome::Output(outcome)));
            }
            unit.put_item(step.item(&Answer { at: self.world.now(), outcome: None })?);
        }
        Ok(run::waited(&journey.progress, branch))
    }
}

/// The steps that wait for an answer or an event, by branch.
fn answerable(journey: &Journey<'_>) -> Vec<(String, WaitingStep)> {
    let waiting = journey.progress.waiting(&journey.definition).into_iter();
    let takes_answers = |waiting: &Waiting<'_>| match waiting.for_what {
        WaitsFor::Wait(wait) => wait.answer.is_some() || wait.event.is_some(),
        WaitsFor::Call(_) => false,
    };
    waiting
        .filter(takes_answers)
        .map(|waiting| (waiting.branch.to_owned(), WaitingStep::of(&journey.run, &waiting)))
        .collect()
}

async fn find_answer(unit: &mut Unit<'_>, step: &WaitingStep) -> Result<Option<Answer>, Unavailable> {
    unit.find(&step.key()).await?.as_ref().map(document::read).transpose()
}

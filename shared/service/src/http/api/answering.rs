//! Which step of a run waits for a person, and giving it the answer once, whichever door that came by.

use domain::{OrgId, Rejected, Rejection, Run, RunId, RunState, exact};
use engine::{
    Definition,
    pending::Question,
    run::{self, WaitsFor},
};
use serde_json::{Value, json};

use super::{
    Management, Refused,
    call::{Call, bad_attribute, not_found},
};
use crate::{
    directory::workflows,
    ports::{Store, Unavailable},
    runs::{self, Answer, AnswerGiven, RunRef, StoredRun, WaitingStep},
    waking,
};

/// A step that waits for a person.
pub(super) struct Asked {
    /// Where its answer goes.
    pub(super) place: WaitingStep,
    /// What is asked.
    pub(super) question: Question,
}

/// An answer.
pub(super) struct Given {
    pub(super) choice: Option<String>,
    pub(super) data: Value,
    /// Who gave it: `{"key":"…"}`, or `{"link":true}`.
    pub(super) by: Value,
}

/// The definition under `hash`.
pub(super) async fn definition(store: &dyn Store, org: OrgId, hash: &str) -> Result<Definition, Refused> {
    let document = workflows::find_definition(store, org, hash).await?.unwrap_or_default();
    Definition::parse(&document).map_err(|_| unusable())
}

fn unusable() -> Refused {
    Rejected::new(
        Rejection::Taken,
        "definition_unusable",
        "This program cannot run the workflow's definition; lint it.",
    )
    .into()
}

/// That nothing can be done to a run any more.
pub(super) fn is_over(run: &Run) -> Refused {
    let detail = format!(
        "The run is over: it {}. Nothing more can be done to it.",
        match run.state {
            RunState::Failed => "failed",
            RunState::Cancelled => "was cancelled",
            RunState::Succeeded | RunState::Running | RunState::Waiting | RunState::Held => "succeeded",
        }
    );
    Rejected::new(Rejection::Taken, "run_over", detail).into()
}

/// That another answer was first.
pub(super) fn answered_before() -> Rejected {
    let detail = "The step was answered before, or does not wait any more; this answer was not taken.";
    Rejected::new(Rejection::Taken, "answered_before", detail)
}

/// The steps of the run that wait for a person.
pub(super) fn all_asked(definition: &Definition, stored: &StoredRun) -> Result<Vec<Asked>, Refused> {
    let run = &stored.run;
    let entries = stored.entries.iter().map(|entry| (&entry.entry, entry.ended_at));
    let (setup, seed) = (engine::Setup::default(), run.id.to_string());
    let surroundings = engine::Surroundings { setup: &setup, now: run.started_at, seed: &seed };
    let progress = run::replay(definition, Value::Null, entries, &surroundings).map_err(|_| unusable())?;
    let asked = progress.waiting(definition).into_iter().filter_map(|waiting| {
        let WaitsFor::Wait(wait) = waiting.for_what else { return None };
        let question = wait.answer.clone()?;
        Some(Asked { place: WaitingStep::of(run, &waiting), question })
    });
    Ok(asked.collect())
}

/// The run of the caller's org, and the step of it that waits for a person: the one that is named, or the only one.
pub(super) async fn asked_of_run(
    call: &Call<'_>,
    id: RunId,
    step: Option<&str>,
    branch: Option<&str>,
) -> Result<(StoredRun, Asked), Refused> {
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let stored = runs::find_run(store, org, id).await?.ok_or_else(not_found)?;
    if stored.run.state.is_final() {
        return Err(is_over(&stored.run));
    }
    let definition = definition(store, org, &stored.run.workflow_hash).await?;
    let is_meant = |asked: &Asked| {
        step.is_none_or(|step| step == asked.place.step) && branch.is_none_or(|branch| branch == asked.place.branch)
    };
    let mut meant = all_asked(&definition, &stored)?.into_iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(only), None) => Ok((stored, only)),
        (Some(_), Some(_)) => {
            let detail = "Several steps of the run wait for an answer; name one by `step`, and by `branch` where it is in a loop.";
            Err(Rejected::at("$.step", "which_step", detail).into())
        }
        (None, _) => {
            let detail = "No such step of the run waits for an answer now: it was answered, its time is up, or the run has not come to it.";
            Err(Rejected::new(Rejection::Taken, "not_waiting", detail).into())
        }
    }
}

/// *Errors*: the question has choices, and this is none of them.
pub(super) fn check_choice(question: &Question, choice: Option<&str>) -> Result<(), Refused> {
    let choices = &question.choices;
    if choices.is_empty() || choice.is_some_and(|choice| choices.iter().any(|known| known == choice)) {
        return Ok(());
    }
    Err(bad_attribute("choice", format!("`choice` is one of: {}.", choices.join(", "))))
}

/// Gives the answer, if none was given before, and has the run woken.
pub(super) async fn give(
    management: &Management,
    stored: &StoredRun,
    place: &WaitingStep,
    Given { choice, data, by }: Given,
) -> Result<AnswerGiven, Unavailable> {
    let now = management.world.now();
    let outcome = exact::object([
        ("reason", json!("answer")),
        ("choice", json!(choice)),
        ("data", data),
        ("by", by),
        ("at", json!(now)),
    ]);
    let answer = Answer { at: now, outcome: Some(outcome) };
    let given = runs::give_answer(management.store.as_ref(), place, &answer).await?;
    // Also where it is too late: whoever gave the first answer may not have come to wake the run.
    wake(management, stored).await?;
    Ok(given)
}

/// Has the run look at what came for it.
pub(super) async fn wake(management: &Management, stored: &StoredRun) -> Result<(), Unavailable> {
    let Run { org, id, transaction_id, .. } = stored.run;
    waking::wake(management.queue.as_ref(), org, RunRef { transaction: transaction_id, run: id }, 0).await
}

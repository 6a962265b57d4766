//! What is asked of runs from outside: a workflow is called, a waiting step is answered, a run is cancelled, held and let go on.

use domain::{EventId, Failure, Rejected, Rejection, Run, RunId, RunState, WorkflowId, exact};
use engine::{
    Definition,
    pending::Question,
    run::{self, WaitsFor},
};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, bad_query, check_names, not_found},
    resource::text,
    runs::run_response,
};
use crate::{
    announce,
    calling::{self, NewCall},
    directory::workflows::{self, Workflow},
    document::Versioned,
    envelope::{Named, Woken},
    ports::{Unavailable, WriteError},
    records::Unit,
    runs::{self, Answer, AnswerGiven, StoredRun, WaitingStep},
    watching::{WATCH_LIMIT_SECONDS, watch},
};

/// How often a change of a run is tried that its executor writes at the same time.
const TRIES_LIMIT: usize = 20;

/// How long a call waits for the answer where the caller does not say.
const WAIT_SECONDS: u32 = 10;

/// The most bytes of data that may come with an answer.
const ANSWER_DATA_LIMIT_BYTES: usize = 65_536;

/// `POST /v1/workflows/{id}/call`: `{"inputs":{…}}`.
///
/// *Once it is answered* the call is durable; `200` where the run has answered or is over, `202` where it is still under way.
pub(super) async fn call_workflow(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.optional_attributes()?;
    check_names(&attributes, &["inputs", "responseMeta"])?;
    let inputs = inputs_of(&attributes)?;
    let seconds = wait_seconds(call)?;
    let (store, org, now) = (call.management.store.as_ref(), call.caller.org, call.management.world.now());
    let id = call.id("id", WorkflowId::parse)?;
    if workflows::find(store, org, id).await?.is_none() {
        return Err(not_found().into());
    }
    let (workflow, definition) = callable(call, &id.to_string()).await?;
    let author = call.author();
    let new = NewCall { id: EventId::fresh(now, call.random()?), author: &author, caller: None, now };
    let called = calling::call(store, &workflow, &definition, inputs, new).await?;
    let (stored, run) = called.map_err(refused)?;
    let transaction = stored.transaction.id;
    let mut unit = Unit::new(store, org, now);
    unit.call(stored);
    announce::write(store, call.management.queue.as_ref(), (org, &author), unit.into_work()).await?;
    let seen = watch(store, call.management.world.as_ref(), org, run, seconds).await?;
    match seen {
        Some(seen) => Ok(run_response(call, StatusCode::OK, seen.id).await?),
        None => {
            let document = json!({ "type": "run", "id": run, "attributes": { "state": "running", "workflowId": id, "transactionId": transaction },
                "links": { "self": format!("/v1/runs/{run}") } });
            Ok(super::resource::one(StatusCode::ACCEPTED, document))
        }
    }
}

fn wait_seconds(call: &Call<'_>) -> Result<u32, Refused> {
    let Some(text) = call.query("wait") else { return Ok(WAIT_SECONDS) };
    let seconds = text.parse().ok().filter(|seconds| *seconds <= WATCH_LIMIT_SECONDS);
    seconds.ok_or_else(|| bad_query("wait", &format!("a whole number of seconds up to {WATCH_LIMIT_SECONDS}")))
}

/// The inputs of a call; none where it does not say.
pub(super) fn inputs_of(attributes: &Map<String, Value>) -> Result<Value, Refused> {
    match attributes.get("inputs") {
        None | Some(Value::Null) => Ok(Value::Object(Map::new())),
        Some(inputs @ Value::Object(_)) => Ok(inputs.clone()),
        Some(_) => Err(bad_attribute("inputs", "`inputs` is an object, which step 1 of the workflow sees.")),
    }
}

/// The workflow that `name` names, by name or id, if it can be called, and its definition.
pub(super) async fn callable(call: &Call<'_>, name: &str) -> Result<(Versioned<Workflow>, Definition), Refused> {
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let workflow = calling::find_callable(store, org, name).await?.map_err(refused)?;
    let definition = definition(call, &workflow.value.hash).await?;
    Ok((workflow, definition))
}

/// The definition under `hash`.
async fn definition(call: &Call<'_>, hash: &str) -> Result<Definition, Refused> {
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let document = workflows::find_definition(store, org, hash).await?.unwrap_or_default();
    Definition::parse(&document).map_err(|_| unusable())
}

/// Why a workflow is not called, as an error of the API.
pub(super) fn refused(failure: Failure) -> Refused {
    let message = failure.message;
    match failure.code.as_str() {
        "unknown_workflow" => Rejected::new(Rejection::NotFound, "not_found", message),
        "workflow_disabled" => Rejected::new(Rejection::Taken, "workflow_disabled", message),
        "not_callable" => Rejected::new(Rejection::Taken, "not_callable", message),
        "inputs_too_large" => Rejected::at("$.inputs", "inputs_too_large", message),
        _ => Rejected::at("$.inputs", "wrong_inputs", message),
    }
    .into()
}

fn unusable() -> Refused {
    Rejected::new(
        Rejection::Taken,
        "definition_unusable",
        "This program cannot run the workflow's definition; lint it.",
    )
    .into()
}

/// `POST /v1/runs/{id}/cancel`: ends a run that is not over. What it has done stays done.
pub(super) async fn cancel(call: &Call<'_>) -> Result<Response, Refused> {
    let id = change_state(call, |run| {
        if run.state.is_final() {
            return Err(is_over(run));
        }
        let now = call.management.world.now();
        Ok(Some(Run { state: RunState::Cancelled, ended_at: Some(now), resumes_at: None, ..run.clone() }))
    })
    .await?;
    run_response(call, StatusCode::OK, id).await
}

/// `POST /v1/runs/{id}/pause`: holds a run until it is resumed.
pub(super) async fn pause(call: &Call<'_>) -> Result<Response, Refused> {
    let id = change_state(call, |run| match run.state {
        RunState::Held => Ok(None),
        RunState::Running | RunState::Waiting => Ok(Some(Run { state: RunState::Held, ..run.clone() })),
        RunState::Succeeded | RunState::Failed | RunState::Cancelled => Err(is_over(run)),
    })
    .await?;
    run_response(call, StatusCode::OK, id).await
}

/// `POST /v1/runs/{id}/resume`: lets a run that is held go on; what came for it meanwhile is taken.
pub(super) async fn resume(call: &Call<'_>) -> Result<Response, Refused> {
    let id = change_state(call, |run| match run.state {
        RunState::Running | RunState::Waiting => Ok(None),
        RunState::Held => Ok(Some(Run { state: RunState::Waiting, ..run.clone() })),
        RunState::Succeeded | RunState::Failed | RunState::Cancelled => Err(is_over(run)),
    })
    .await?;
    run_response(call, StatusCode::OK, id).await
}

fn is_over(run: &Run) -> Refused {
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

/// Writes the run as `change` has it, and has it, and whoever waits for it, woken to see that.
async fn change_state(
    call: &Call<'_>,
    change: impl Fn(&Run) -> Result<Option<Run>, Refused>,
) -> Result<RunId, Refused> {
    let id = call.id("id", RunId::parse)?;
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    for _ in 0..TRIES_LIMIT {
        let stored = runs::find_run(store, org, id).await?.ok_or_else(not_found)?;
        let Some(run) = change(&stored.run)? else { return Ok(id) };
        // Before the write: a message that finds nothing to do does no harm, and one that is missing would.
        wake(call, &stored).await?;
        let mut changes = runs::run_changes(&run, Some(&stored), &[], &stored.told)?;
        if run.state.is_final() {
            changes.extend(runs::leaving_changes(store, &run, call.management.world.now()).await?);
        }
        match store.write(&changes).await {
            Ok(()) => {
                wake(call, &stored).await?;
                return Ok(id);
            }
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
    }
    let cause = format!("the run {id} was written by others {TRIES_LIMIT} times");
    Err(Unavailable { port: "store", cause }.into())
}

async fn wake(call: &Call<'_>, stored: &StoredRun) -> Result<(), Unavailable> {
    let Run { org, id, transaction_id, .. } = stored.run;
    let woken = Woken { org, transaction: transaction_id, run: id, answered: true };
    call.management.queue.send(org, Named::Wake(woken).message()?).await
}

/// `POST /v1/runs/{id}/answers`: `{"step":"approval","choice":"approve","data":{…}}`.
///
/// *Errors*: `409` where the step does not wait, or was answered before.
pub(super) async fn answer(call: &Call<'_>) -> Result<Response, Refused> {
    let id = call.id("id", RunId::parse)?;
    let attributes = call.attributes()?;
    check_names(&attributes, &["step", "branch", "choice", "data"])?;
    let (step, branch) = (text(&attributes, "step")?, text(&attributes, "branch")?);
    let choice = text(&attributes, "choice")?;
    let data = attributes.get("data").cloned().unwrap_or_default();
    if data.to_string().len() > ANSWER_DATA_LIMIT_BYTES {
        let detail = format!("`data` has at most {ANSWER_DATA_LIMIT_BYTES} bytes as JSON.");
        return Err(bad_attribute("data", detail));
    }
    let (store, org, now) = (call.management.store.as_ref(), call.caller.org, call.management.world.now());
    let stored = runs::find_run(store, org, id).await?.ok_or_else(not_found)?;
    if stored.run.state.is_final() {
        return Err(is_over(&stored.run));
    }
    let (waiting, question) = waiting_step(call, &stored, step.as_deref(), branch.as_deref()).await?;
    check_choice(&question, choice.as_deref())?;
    let outcome = exact::object([
        ("reason", json!("answer")),
        ("choice", json!(choice)),
        ("data", data),
        ("by", json!({ "key": call.caller.key })),
        ("at", json!(now)),
    ]);
    let given = runs::give_answer(store, &waiting, &Answer { at: now, outcome: Some(outcome) }).await?;
    // Also where it is too late: whoever gave the first answer may not have come to wake the run.
    wake(call, &stored).await?;
    match given {
        AnswerGiven::First => run_response(call, StatusCode::OK, id).await,
        AnswerGiven::TooLate => {
            let detail = "The step was answered before, or does not wait any more; this answer was not taken.";
            Err(Rejected::new(Rejection::Taken, "answered_before", detail).into())
        }
    }
}

fn check_choice(question: &Question, choice: Option<&str>) -> Result<(), Refused> {
    let choices = &question.choices;
    if choices.is_empty() || choice.is_some_and(|choice| choices.iter().any(|known| known == choice)) {
        return Ok(());
    }
    Err(bad_attribute("choice", format!("`choice` is one of: {}.", choices.join(", "))))
}

/// The step of the run that waits for an answer: the one that is named, or the only one.
async fn waiting_step(
    call: &Call<'_>,
    stored: &StoredRun,
    step: Option<&str>,
    branch: Option<&str>,
) -> Result<(WaitingStep, Question), Refused> {
    let run = &stored.run;
    let definition = definition(call, &run.workflow_hash).await?;
    let entries = stored.entries.iter().map(|entry| (&entry.entry, entry.ended_at));
    let (setup, seed) = (engine::Setup::default(), run.id.to_string());
    let surroundings = engine::Surroundings { setup: &setup, now: run.started_at, seed: &seed };
    let progress = run::replay(&definition, Value::Null, entries, &surroundings).map_err(|_| unusable())?;
    let mut found = progress.waiting(&definition).into_iter().filter_map(|waiting| {
        let WaitsFor::Wait(wait) = waiting.for_what else { return None };
        let question = wait.answer.clone()?;
        let is_meant =
            step.is_none_or(|step| step == waiting.step) && branch.is_none_or(|branch| branch == waiting.branch);
        let place = WaitingStep {
            org: run.org,
            run: run.id,
            branch: waiting.branch.to_owned(),
            step: waiting.step.to_owned(),
            visit: waiting.visit,
            attempt: waiting.attempt,
        };
        is_meant.then_some((place, question))
    });
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
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

//! What is asked of runs from outside: a workflow is called, a waiting step is answered, a run is cancelled, held and let go on.

use domain::{EventId, Failure, Rejected, Rejection, Run, RunId, RunState, WorkflowId};
use engine::Definition;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    answering::{Given, answered_before, asked_of_run, check_choice, definition, give, is_over, wake},
    call::{Call, bad_attribute, bad_query, check_names, not_found},
    outcomes,
    resource::text,
    runs::run_response,
};
use crate::{
    announce,
    calling::{self, NewCall},
    directory::workflows::{self, Workflow},
    document::Versioned,
    ports::{Unavailable, WriteError},
    records::Unit,
    runs::{self, AnswerGiven},
    watching::{WATCH_LIMIT_SECONDS, watch},
};

/// How often a change of a run is tried that its executor writes at the same time.
pub(super) const TRIES_LIMIT: usize = 20;

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
    let definition = definition(store, org, &workflow.value.hash).await?;
    Ok((workflow, definition))
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

/// `POST /v1/runs/{id}/cancel`: ends a run that is not over. What it has done stays done.
pub(super) async fn cancel(call: &Call<'_>) -> Result<Response, Refused> {
    let id = change_state(call, |run| {
        if run.state.is_final() {
            return Err(is_over(run));
        }
        let now = call.management.world.now();
        Ok(Some(Run {
            state: RunState::Cancelled,
            ended_at: Some(now),
            resumes_at: None,
            held_for: Vec::new(),
            ..run.clone()
        }))
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
        RunState::Held => match outcomes::next_asked(run) {
            Some(asked) => Err(outcomes::is_asked(asked)),
            None => Ok(Some(Run { state: RunState::Waiting, ..run.clone() })),
        },
        RunState::Succeeded | RunState::Failed | RunState::Cancelled => Err(is_over(run)),
    })
    .await?;
    run_response(call, StatusCode::OK, id).await
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
        let Some(run) = change(&stored.run)? else {
            // Whoever made the change may not have come to wake the run.
            wake(call.management, &stored).await?;
            return Ok(id);
        };
        // Before the write: a message that finds nothing to do does no harm, and one that is missing would.
        wake(call.management, &stored).await?;
        let mut changes = runs::run_changes(&run, Some(&stored), &[], &stored.told)?;
        if run.state.is_final() {
            changes.extend(runs::leaving_changes(store, &run, call.management.world.now()).await?);
        }
        match store.write(&changes).await {
            Ok(()) => {
                wake(call.management, &stored).await?;
                return Ok(id);
            }
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(always_overtaken(id))
}

/// That others wrote the run at the same time again and again.
pub(super) fn always_overtaken(id: RunId) -> Refused {
    let cause = format!("the run {id} was written by others {TRIES_LIMIT} times");
    Unavailable { port: "store", cause }.into()
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
    let (stored, asked) = asked_of_run(call, id, step.as_deref(), branch.as_deref()).await?;
    check_choice(&asked.question, choice.as_deref())?;
    let by = json!({ "key": call.caller.key });
    match give(call.management, &stored, &asked.place, Given { choice, data, by }).await? {
        AnswerGiven::First => run_response(call, StatusCode::OK, id).await,
        AnswerGiven::TooLate => Err(answered_before().into()),
    }
}

//! Saying what came of a step of which nobody knows, so that the run that is held for it goes on.

use domain::{Rejected, Rejection, Run, RunId, RunState, UnknownOutcome};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    answering::{is_over, wake},
    call::{Call, bad_attribute, check_names, not_found},
    flow::{TRIES_LIMIT, always_overtaken},
    resource::text,
    runs::run_response,
};
use crate::{
    announce::INSURANCE_SECONDS,
    ports::WriteError,
    runs::{self, OutcomeAnswer, OutcomeWord, RunRef},
    waking,
};

/// The most bytes of an output that a person gives, as JSON.
const OUTPUT_LIMIT_BYTES: usize = 65_536;

/// The longest sentence about a failure.
const MESSAGE_LIMIT_CHARS: usize = 1_000;

/// Which of the steps that a run is held for is meant.
struct Which {
    step: Option<String>,
    branch: Option<String>,
    visit: Option<u64>,
}

impl Which {
    fn is_meant(&self, asked: &UnknownOutcome) -> bool {
        self.step.as_ref().is_none_or(|step| *step == asked.step)
            && self.branch.as_ref().is_none_or(|branch| *branch == asked.branch)
            && self.visit.is_none_or(|visit| visit == u64::from(asked.visit))
    }
}

/// `POST /v1/runs/{id}/outcomes`: `{"step":"charge","outcome":"done","output":{…}}`.
///
/// *Once it is answered* what was said is durable, and the run goes on once all that it is held for is answered.
/// *Errors*: `409` where the run is not held for such a step, or somebody has answered before.
pub(super) async fn give(call: &Call<'_>) -> Result<Response, Refused> {
    let id = call.id("id", RunId::parse)?;
    let attributes = call.attributes()?;
    check_names(&attributes, &["step", "branch", "visit", "outcome", "output", "message"])?;
    let which =
        Which { step: text(&attributes, "step")?, branch: text(&attributes, "branch")?, visit: visit_of(&attributes)? };
    let said = read(call, &attributes)?;
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    for _ in 0..TRIES_LIMIT {
        let stored = runs::find_run(store, org, id).await?.ok_or_else(not_found)?;
        if stored.run.state.is_final() {
            return Err(is_over(&stored.run));
        }
        let place = match meant(&stored.run, &which) {
            Ok(place) => place,
            Err(refused) => {
                // Whoever was first may not have come to wake the run.
                wake(call.management, &stored).await?;
                return Err(refused);
            }
        };
        let mut run = stored.run.clone();
        let Some(asked) = run.held_for.get_mut(place) else { return Err(not_asked()) };
        asked.answered_at = Some(said.at);
        let answer = runs::outcome_change(&stored.run, asked, &said)?;
        if next_asked(&run).is_none() {
            run.state = RunState::Waiting;
        }
        let mut changes = runs::run_changes(&run, Some(&stored), &[], &stored.told)?;
        changes.push(answer);
        // In case this ends before the run is woken below.
        wake_later(call, &stored.run).await?;
        match store.write(&changes).await {
            Ok(()) => {
                wake(call.management, &stored).await?;
                return run_response(call, StatusCode::OK, id).await;
            }
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(always_overtaken(id))
}

async fn wake_later(call: &Call<'_>, run: &Run) -> Result<(), Refused> {
    let run_ref = RunRef { transaction: run.transaction_id, run: run.id };
    Ok(waking::wake(call.management.queue.as_ref(), run.org, run_ref, INSURANCE_SECONDS).await?)
}

/// What a run is held for, as it is shown; `null` where it is for nothing.
pub(super) fn held_for(run: &Run) -> Value {
    if run.held_for.is_empty() {
        return Value::Null;
    }
    let shown = run.held_for.iter().map(|asked| {
        let mut shown = json!({
            "reason": "unknown_outcome",
            "message": sentence(asked),
            "step": asked.step,
            "branch": asked.branch,
            "visit": asked.visit,
            "tries": asked.tries,
            "key": asked.key,
            "startedAt": asked.started_at,
            "heldAt": asked.held_at,
            "answeredAt": asked.answered_at,
        });
        if let (Some(id), Some(shown)) = (&asked.message_id, shown.as_object_mut()) {
            shown.insert("messageId".to_owned(), json!(id));
        }
        shown
    });
    Value::Array(shown.collect())
}

/// The first step that the run is held for and nobody has answered.
pub(super) fn next_asked(run: &Run) -> Option<&UnknownOutcome> {
    run.held_for.iter().find(|asked| asked.answered_at.is_none())
}

/// That a run cannot just go on.
pub(super) fn is_asked(asked: &UnknownOutcome) -> Refused {
    let detail =
        format!("{} Say what came of it: POST …/outcomes with `outcome` done, not_done or failed.", sentence(asked));
    Rejected::new(Rejection::Taken, "outcome_needed", detail).into()
}

fn sentence(asked: &UnknownOutcome) -> String {
    let at = if asked.branch.is_empty() { String::new() } else { format!(" in branch {}", asked.branch) };
    let UnknownOutcome { step, visit, key, started_at, .. } = asked;
    let mail = asked.message_id.as_ref().map(|id| format!(" as the mail {id}")).unwrap_or_default();
    format!(
        "It is not known whether visit {visit} of step \"{step}\"{at}, begun at {started_at}, did what it does outside; look for it \
         there under the key {key}{mail}."
    )
}

/// The place of the only step that is meant and not answered.
fn meant(run: &Run, which: &Which) -> Result<usize, Refused> {
    let all = run.held_for.iter().enumerate().filter(|(_, asked)| which.is_meant(asked));
    let (open, answered): (Vec<_>, Vec<_>) = all.partition(|(_, asked)| asked.answered_at.is_none());
    match (open.as_slice(), answered.is_empty()) {
        ([(place, _)], _) => Ok(*place),
        ([], true) => Err(not_asked()),
        ([], false) => {
            let detail = "Somebody has said before what came of this step; that counts, and this was not taken.";
            Err(Rejected::new(Rejection::Taken, "answered_before", detail).into())
        }
        (_, _) => {
            let detail = "The run is held for several steps; name one by `step`, and by `branch` and `visit` where that says too little.";
            Err(Rejected::at("$.step", "which_step", detail).into())
        }
    }
}

fn not_asked() -> Refused {
    let detail = "The run is not held for the outcome of such a step: somebody has answered before, or it is known what came of it.";
    Rejected::new(Rejection::Taken, "not_asked", detail).into()
}

fn visit_of(attributes: &Map<String, Value>) -> Result<Option<u64>, Refused> {
    match attributes.get("visit") {
        None | Some(Value::Null) => Ok(None),
        Some(visit) => match visit.as_u64().filter(|visit| *visit > 0) {
            Some(visit) => Ok(Some(visit)),
            None => Err(bad_attribute("visit", "`visit` is a whole number from 1 on.")),
        },
    }
}

fn read(call: &Call<'_>, attributes: &Map<String, Value>) -> Result<OutcomeAnswer, Refused> {
    let word = text(attributes, "outcome")?;
    let outcome = word
        .as_deref()
        .and_then(OutcomeWord::parse)
        .ok_or_else(|| bad_attribute("outcome", "`outcome` is one of: done, not_done, failed."))?;
    let output = attributes.get("output").filter(|output| !output.is_null());
    if output.is_some() && outcome != OutcomeWord::Done {
        return Err(bad_attribute("output", "Only a step that was done has an `output`."));
    }
    if output.is_some_and(|output| output.to_string().len() > OUTPUT_LIMIT_BYTES) {
        return Err(bad_attribute("output", format!("`output` has at most {OUTPUT_LIMIT_BYTES} bytes as JSON.")));
    }
    let message = text(attributes, "message")?;
    if message.is_some() && outcome != OutcomeWord::Failed {
        return Err(bad_attribute("message", "Only a step that failed has a `message`."));
    }
    if message.as_ref().is_some_and(|message| message.chars().count() > MESSAGE_LIMIT_CHARS) {
        return Err(bad_attribute("message", format!("`message` has at most {MESSAGE_LIMIT_CHARS} characters.")));
    }
    let output = match outcome {
        OutcomeWord::Done => output.cloned().unwrap_or_else(|| json!({})),
        OutcomeWord::NotDone | OutcomeWord::Failed => Value::Null,
    };
    Ok(OutcomeAnswer { outcome, key: call.caller.key, at: call.management.world.now(), output, message })
}

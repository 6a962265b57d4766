//! Replays that are only told of, and what a new version would make of runs that have been.

mod what_if;

use domain::{Effects, LineKind, Run, RunId, exact};
use engine::{Setup, run::Ending, surroundings::AnswerLinks};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Refused, Response,
    call::Call,
    replays::{self, Asked, From},
    resource::{leave_large_values_out, one},
};
use crate::{
    dry::{Decision, Purpose, Recorded, Source, Walk, Walked, walk},
    execute,
    http::ANSWER_LIMIT_BYTES,
    runs::{self, StoredTransaction},
};

pub(super) use what_if::what_if;

/// `POST /v1/runs/{id}/replays` with `"dry": true`: what the replay would do. Nothing is written.
pub(super) async fn replay(call: &Call<'_>, id: RunId, asked: &Asked) -> Result<Response, Refused> {
    let stored = replays::stored_run(call, id).await?;
    let (store, now) = (call.management.store.as_ref(), call.management.world.now());
    let (chosen, entries, purpose) = match asked.from {
        From::Failed => {
            let replays::Reopened { entries, chosen, .. } = replays::reopened(call, &stored, asked).await?;
            let entries = entries.into_iter().flatten().map(|entry| (entry.entry, entry.ended_at)).collect();
            (chosen, entries, Purpose::Keep)
        }
        From::Start => {
            replays::is_replayable(&stored.run)?;
            let purpose = match asked.effects {
                Effects::Keep => Purpose::Keep,
                Effects::Repeat => Purpose::Repeat,
            };
            (replays::chosen(call, &stored.run, asked.on).await?, Vec::new(), purpose)
        }
    };
    let transaction = replays::transaction_of(call, &stored.run).await?;
    let setup = setup_of(call, &stored.run).await?;
    let recorded = match asked.from {
        // What it has finished stands in its journal, and a later visit has not been.
        From::Failed => Recorded::default(),
        From::Start => Recorded::of(&stored.entries),
    };
    let walked = walk(&Walk {
        definition: &chosen.definition,
        setup: &setup,
        store,
        org: call.caller.org,
        transaction: &transaction.transaction,
        run: id,
        trigger_output: trigger_output(call, &transaction, &stored.run).await?,
        entries,
        recorded: &recorded,
        purpose,
        now,
    })
    .await?;
    let mut steps: Vec<Value> = walked.decisions.iter().map(|decision| shown(decision, &setup)).collect();
    let document = |steps: &[Value]| {
        let attributes = exact::object([
            ("run", json!(id)),
            ("workflowHash", json!(chosen.hash)),
            ("opening", written(&walked.opening)),
            ("steps", json!(steps)),
            ("ending", ending_of(&walked)),
            ("stops", stops_of(&walked)),
        ]);
        exact::object([("type", json!("dry_run")), ("attributes", attributes)])
    };
    let whole = one(StatusCode::OK, document(&steps));
    if whole.body().len() <= ANSWER_LIMIT_BYTES {
        return Ok(whole);
    }
    steps.iter_mut().for_each(|step| leave_large_values_out(step, &["input", "output", "transition"]));
    Ok(one(StatusCode::OK, document(&steps)))
}

/// What the expressions of the run's workflow find. Links are masks: nobody is to answer a run that is not there.
async fn setup_of(call: &Call<'_>, run: &Run) -> Result<Setup, Refused> {
    let setup = execute::setup_of(call.management.store.as_ref(), run.org, run.workflow_id).await?;
    Ok(Setup { answer_links: AnswerLinks::Masked, ..setup })
}

/// What step 1 of the run sees.
async fn trigger_output(call: &Call<'_>, transaction: &StoredTransaction, run: &Run) -> Result<Value, Refused> {
    let Some(considered) = transaction.considered_for(run) else { return Ok(transaction.transaction.document()) };
    let output = transaction.trigger_output(considered);
    match run.line.as_ref().filter(|line| line.kind == LineKind::Collect) {
        Some(line) => {
            let collected = runs::collected(call.management.store.as_ref(), run, line).await?;
            Ok(execute::with_collected(&output, collected))
        }
        None => Ok(output),
    }
}

/// A step of a walk, without secrets.
fn shown(decision: &Decision, setup: &Setup) -> Value {
    let Decision { step, branch, visit, attempt, action, input, unknown_in_input, source, output, failure, .. } =
        decision;
    let mut output = output.clone();
    output.iter_mut().for_each(|output| setup.mask(output));
    let failure = failure.as_ref().map(|failure| {
        json!({ "code": failure.code, "message": setup.mask_text(&failure.message), "retryable": failure.retryable })
    });
    exact::object([
        ("id", json!(step)),
        ("branch", json!(branch)),
        ("visit", json!(visit)),
        ("attempt", json!(attempt)),
        ("action", json!(action)),
        ("input", input.clone().unwrap_or_default()),
        ("unknownInInput", json!(unknown_in_input)),
        ("source", json!(source.word())),
        ("wouldBePerformed", json!(matches!(source, Source::WouldBePerformed | Source::Assumed))),
        ("output", output.unwrap_or_default()),
        ("error", failure.unwrap_or_default()),
        ("triedAgain", json!(decision.is_tried_again)),
        ("transition", written(&decision.transition)),
    ])
}

fn ending_of(walked: &Walked) -> Value {
    match &walked.ending {
        None => Value::Null,
        Some(Ending::Succeeded) => json!({ "state": "succeeded" }),
        Some(Ending::Failed(failure)) => {
            json!({ "state": "failed", "error": { "code": failure.code, "message": failure.message } })
        }
    }
}

fn stops_of(walked: &Walked) -> Value {
    let stops = walked.stops.iter();
    let stops = stops.map(|stop| json!({ "branch": stop.branch, "step": stop.step, "why": stop.why }));
    Value::Array(stops.collect())
}

fn written<T: Serialize>(part: &T) -> Value {
    exact::value_of(part).unwrap_or_default()
}

//! Having a run replayed: from the step that failed, or from the start as a run of its own; for real, or dry.

mod failed;
mod many;
mod start;

use std::collections::BTreeMap;

use domain::{Effects, Rejected, Rejection, Run, RunId, RunState};
use engine::Definition;
use http::StatusCode;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    Refused, Response,
    attributes::flag,
    call::{Call, bad_attribute, check_names, not_found},
    dry,
    resource::text,
    runs::run_response,
};
use crate::{
    announce::INSURANCE_SECONDS,
    directory::workflows,
    document::Versioned,
    ports::{Change, WriteError},
    runs::{self, RunRef, StoredRun, StoredTransaction},
    waking,
};

pub(super) use many::replay_many;

/// How long an `Idempotency-Key` may be.
const KEY_LIMIT_BYTES: usize = 256;

/// Where a replay begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// At the step that failed; it is the same run.
    Failed,
    /// At the trigger; it is a run of its own.
    Start,
}

/// On which definition it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// The one that the run began with.
    Pinned,
    /// The newest of the workflow.
    Latest,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) from: From,
    pub(super) on: On,
    pub(super) effects: Effects,
    /// What the request is known by, where its sender says so.
    pub(super) request: Option<String>,
}

/// The definition that a run is to go on with.
pub(super) struct Chosen {
    pub(super) hash: String,
    pub(super) definition: Definition,
    /// The versions of its apps, where they are not those that were settled with the transaction.
    pub(super) apps: Option<BTreeMap<String, String>>,
}

/// `POST /v1/runs/{id}/replays`: `{"from":"failed","definition":"latest"}`.
///
/// *Once it is answered* the run will be carried on, or a new one begun; dry, nothing was written.
pub(super) async fn replay(call: &Call<'_>) -> Result<Response, Refused> {
    let id = call.id("id", RunId::parse)?;
    let attributes = call.attributes()?;
    check_names(&attributes, &["from", "definition", "effects", "dry"])?;
    let asked = read(call, &attributes)?;
    if flag(&attributes, "dry")? {
        return dry::replay(call, id, &asked).await;
    }
    let replayed = one(call, id, &asked, 0).await?;
    run_response(call, StatusCode::OK, replayed).await
}

/// Replays one run `seconds` from now, and gives the run that does it.
async fn one(call: &Call<'_>, id: RunId, asked: &Asked, seconds: u32) -> Result<RunId, Refused> {
    match asked.from {
        From::Failed => failed::replay(call, id, asked, seconds).await.map(|()| id),
        From::Start => start::replay(call, id, asked, seconds).await,
    }
}

pub(super) use failed::{Reopened, reopened};
pub(super) use start::is_replayable;

/// What the attributes ask for.
pub(super) fn read(call: &Call<'_>, attributes: &Map<String, Value>) -> Result<Asked, Refused> {
    let from = match text(attributes, "from")?.as_deref() {
        None | Some("failed") => From::Failed,
        Some("start") => From::Start,
        Some(_) => return Err(bad_attribute("from", "`from` is one of: failed, start.")),
    };
    let on = match text(attributes, "definition")?.as_deref() {
        None | Some("pinned") => On::Pinned,
        Some("latest") => On::Latest,
        Some(_) => return Err(bad_attribute("definition", "`definition` is one of: pinned, latest.")),
    };
    let effects = match (text(attributes, "effects")?.as_deref(), from) {
        (None | Some("keep"), _) => Effects::Keep,
        (Some("repeat"), From::Start) => Effects::Repeat,
        (Some("repeat"), From::Failed) => {
            let detail =
                "From the step that failed, what was done before stays done; only a replay from the start repeats it.";
            return Err(bad_attribute("effects", detail));
        }
        (Some(_), _) => return Err(bad_attribute("effects", "`effects` is one of: keep, repeat.")),
    };
    Ok(Asked { from, on, effects, request: request_of(call)? })
}

/// What the request is known by: a digest of its `Idempotency-Key`, if it has one.
fn request_of(call: &Call<'_>) -> Result<Option<String>, Refused> {
    let Some(key) = call.request.headers().get("idempotency-key") else { return Ok(None) };
    if key.is_empty() || key.len() > KEY_LIMIT_BYTES {
        let detail = format!("The header Idempotency-Key has 1 to {KEY_LIMIT_BYTES} bytes.");
        return Err(Rejected::at("Idempotency-Key", "bad_idempotency_key", detail).into());
    }
    Ok(Some(hex::encode(Sha256::digest(key.as_bytes()))))
}

/// The definition that `stored` is to go on with.
///
/// *Errors*: `409` where it is not there any more, or this program cannot run it.
pub(super) async fn chosen(call: &Call<'_>, run: &Run, on: On) -> Result<Chosen, Refused> {
    let (store, org) = (call.management.store.as_ref(), run.org);
    let (hash, apps) = match on {
        On::Pinned => (run.workflow_hash.clone(), run.apps.clone()),
        On::Latest => match workflows::find(store, org, run.workflow_id).await? {
            Some(Versioned { value: head, .. }) => {
                let installed = runs::installed_versions(store, org, &head.apps).await?;
                (head.hash, Some(installed))
            }
            None => {
                let detail = "The workflow of this run was deleted, so it has no latest definition; replay it on the pinned one.";
                return Err(Rejected::new(Rejection::Taken, "workflow_deleted", detail).into());
            }
        },
    };
    let Some(document) = workflows::find_definition(store, org, &hash).await? else {
        let detail =
            format!("The definition {hash} is not kept any more; replay the run from the start on the latest one.");
        return Err(Rejected::new(Rejection::Taken, "definition_missing", detail).into());
    };
    let definition = Definition::parse(&document).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(|problem| problem.message.clone()).collect();
        let detail = format!("This program cannot run the definition: {}", told.join(" "));
        Refused::from(Rejected::new(Rejection::Taken, "definition_unusable", detail))
    })?;
    Ok(Chosen { hash, definition, apps })
}

/// The run of the caller's org.
pub(super) async fn stored_run(call: &Call<'_>, id: RunId) -> Result<StoredRun, Refused> {
    let found = runs::find_run(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

/// The transaction of the run.
///
/// *Errors*: `409` where it is not kept any more.
pub(super) async fn transaction_of(call: &Call<'_>, run: &Run) -> Result<StoredTransaction, Refused> {
    let found = runs::find_transaction(call.management.store.as_ref(), run.org, run.transaction_id).await?;
    let kept = found.filter(|stored| stored.considered_for(run).is_some());
    kept.ok_or_else(|| {
        let detail = "The transaction of this run is not kept any more, so nobody knows what the run was for.";
        Rejected::new(Rejection::Taken, "transaction_gone", detail).into()
    })
}

/// That the run is still under way.
pub(super) fn not_over(run: &Run) -> Refused {
    let what = match run.state {
        RunState::Held => "held; answer what it is held for, resume it, or cancel it first",
        RunState::Waiting => "waiting; it goes on by itself, or cancel it first",
        RunState::Running | RunState::Succeeded | RunState::Failed | RunState::Cancelled => {
            "under way; wait for its end, or cancel it first"
        }
    };
    let detail = format!("The run is not over, and cannot be replayed: it is {what}.");
    Rejected::new(Rejection::Taken, "run_not_over", detail).into()
}

/// Writes the changes, and has the run woken `seconds` from now, whatever ends in between.
async fn write_and_wake(call: &Call<'_>, run: &Run, changes: &[Change], seconds: u32) -> Result<(), WriteError> {
    let (store, queue) = (call.management.store.as_ref(), call.management.queue.as_ref());
    let run_ref = RunRef { transaction: run.transaction_id, run: run.id };
    // In case this ends before the run is woken below.
    waking::wake(queue, run.org, run_ref, seconds + INSURANCE_SECONDS).await?;
    store.write(changes).await?;
    Ok(waking::wake(queue, run.org, run_ref, seconds).await?)
}

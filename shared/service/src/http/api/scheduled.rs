//! Scheduled runs: schedule one, list, read, take back.

use domain::{Rejected, Rejection, ScheduledRun, ScheduledRunId, ScheduledState};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, check_names, not_found},
    flow::{callable, inputs_of, refused},
    resource::{many, one, org_relationship, resource, text},
};
use crate::{
    calling,
    document::Versioned,
    envelope::{Named, Scheduled},
    ports::WriteError,
    runs,
    scheduling::{read_run_at, remind},
};

/// How often taking one back is tried that is started at the same time.
const TRIES_LIMIT: usize = 20;

/// `POST /v1/scheduled-runs`: `{"workflow":"reminder","inputs":{…},"runAt":{"type":"relative","value":600000}}`.
pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    check_names(&attributes, &["workflow", "inputs", "runAt"])?;
    let Some(name) = text(&attributes, "workflow")? else {
        return Err(bad_attribute("workflow", "`workflow` is the name or the id of the workflow to call."));
    };
    let inputs = inputs_of(&attributes)?;
    let (store, org, now) = (call.management.store.as_ref(), call.caller.org, call.management.world.now());
    let run_at =
        read_run_at(attributes.get("runAt"), now).map_err(|failure| bad_attribute("runAt", failure.message))?;
    let (workflow, definition) = callable(call, &name).await?;
    if let Some(failure) = calling::refusal(&workflow.value, &definition, &inputs) {
        return Err(refused(failure));
    }
    let run = ScheduledRun {
        id: ScheduledRunId::fresh(now, call.random()?),
        org,
        workflow: workflow.value.id,
        inputs,
        run_at,
        state: ScheduledState::Waiting,
        lineage: None,
        schedule: None,
        created_at: now,
        delayed_until: None,
        run: None,
        error: None,
    };
    store.write(&runs::scheduled_changes(&run)?).await?;
    if let Err(error) =
        remind(call.management.queue.as_ref(), Named::Scheduled(Scheduled { org, scheduled: run.id }), run_at, now)
            .await
    {
        tracing::warn!(%error, "what is scheduled begins by the next tick after its time");
    }
    Ok(one(StatusCode::CREATED, scheduled_resource(call, &run)))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = runs::list_scheduled(call.management.store.as_ref(), call.caller.org, paging).await?;
    let shown = listing.items.iter().map(|run| scheduled_resource(call, run)).collect();
    Ok(many(call, shown, size, listing.next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    Ok(one(StatusCode::OK, scheduled_resource(call, &found(call).await?.value)))
}

/// `POST /v1/scheduled-runs/{id}/cancel`: takes it back; it stays readable.
pub(super) async fn cancel(call: &Call<'_>) -> Result<Response, Refused> {
    for _ in 0..TRIES_LIMIT {
        let Versioned { rev, value } = found(call).await?;
        match value.state {
            ScheduledState::Waiting => {}
            ScheduledState::Cancelled => return Ok(one(StatusCode::OK, scheduled_resource(call, &value))),
            ScheduledState::Started | ScheduledState::Failed => {
                let detail = "It was started already, or could not be; cancel its run instead, which it names.";
                return Err(Rejected::new(Rejection::Taken, "scheduled_run_over", detail).into());
            }
        }
        let cancelled = ScheduledRun { state: ScheduledState::Cancelled, ..value };
        match call.management.store.write(&[runs::scheduled_change(&cancelled, rev)?]).await {
            Ok(()) => return Ok(one(StatusCode::OK, scheduled_resource(call, &cancelled))),
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(crate::ports::Unavailable {
        port: "store",
        cause: "a scheduled run was written by others all the while".to_owned(),
    }
    .into())
}

async fn found(call: &Call<'_>) -> Result<Versioned<ScheduledRun>, Refused> {
    let id = call.id("id", ScheduledRunId::parse)?;
    let found = runs::find_scheduled(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

fn scheduled_resource(call: &Call<'_>, run: &ScheduledRun) -> Value {
    let attributes = domain::exact::object([
        ("state", json!(run.state)),
        ("workflowId", json!(run.workflow)),
        ("inputs", run.inputs.clone()),
        ("runAt", json!(run.run_at)),
        ("delayedUntil", json!(run.delayed_until)),
        ("runId", json!(run.run)),
        ("error", json!(run.error)),
        ("scheduledBy", json!(run.lineage.as_ref().and_then(|lineage| lineage.run))),
        ("recurringScheduleId", json!(run.schedule)),
        ("createdAt", json!(run.created_at)),
    ]);
    let path = format!("/v1/scheduled-runs/{}", run.id);
    resource("scheduled_run", &run.id.to_string(), &path, attributes, org_relationship(call))
}

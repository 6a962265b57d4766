//! Recurring schedules: create, list, read, change, delete, and try out.

use domain::{Recurrence, RecurringSchedule, RecurringScheduleId, Rejected, Timestamp, exact};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    attributes::switch,
    call::{Call, bad_attribute, check_names, not_found},
    flow::{callable, inputs_of, refused},
    resource::{many, one, org_relationship, resource, text},
};
use crate::{
    calling,
    document::Versioned,
    envelope::{Named, Recurs},
    http::answer::empty_response,
    ports::{Unavailable, WriteError},
    runs,
    scheduling::remind,
};

const ATTRIBUTES: [&str; 5] = ["title", "workflow", "inputs", "recurrence", "enabled"];

const TITLE_LIMIT_CHARS: usize = 256;

/// How many occurrences are shown of a schedule.
const SHOWN_OCCURRENCES: usize = 5;

/// How many occurrences are shown at the most of a recurrence that is tried out.
const PREVIEW_LIMIT: u64 = 100;

/// How often a change of a schedule is tried that makes an occurrence at the same time.
const TRIES_LIMIT: usize = 20;

/// `POST /v1/recurring-schedules`: `{"title":"Daily report","workflow":"report","recurrence":{"cron":"0 9 * * MON-FRI","timeZone":"Europe/Berlin"}}`.
pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    check_names(&attributes, &ATTRIBUTES)?;
    let Some(workflow) = text(&attributes, "workflow")? else {
        return Err(bad_attribute("workflow", "`workflow` is the name or the id of the workflow to call."));
    };
    let inputs = inputs_of(&attributes)?;
    let recurrence = recurrence(attributes.get("recurrence").unwrap_or(&Value::Null))?;
    let workflow = taking(call, &workflow, &inputs).await?;
    let now = call.management.world.now();
    let mut schedule = RecurringSchedule {
        id: RecurringScheduleId::fresh(now, call.random()?),
        org: call.caller.org,
        title: title(&attributes)?.unwrap_or_default(),
        enabled: switch(&attributes, "enabled")?.unwrap_or(true),
        workflow,
        inputs,
        recurrence,
        next_run_at: None,
        settled_until: None,
        last_run: None,
        skipped: None,
        created_at: now,
        updated_at: now,
    };
    if schedule.title.is_empty() {
        return Err(bad_attribute("title", "A recurring schedule needs a `title`."));
    }
    schedule.plan(now);
    call.management.store.write(&runs::recurring_changes(&schedule, None)?).await?;
    wake(call, &schedule, now).await;
    Ok(one(StatusCode::CREATED, schedule_resource(call, &schedule)))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = runs::list_recurring(call.management.store.as_ref(), call.caller.org, paging).await?;
    let shown = listing.items.iter().map(|schedule| schedule_resource(call, schedule)).collect();
    Ok(many(call, shown, size, listing.next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    Ok(one(StatusCode::OK, schedule_resource(call, &found(call).await?.value)))
}

/// `PUT` and `PATCH /v1/recurring-schedules/{id}`: what is not named stays.
pub(super) async fn update(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    check_names(&attributes, &ATTRIBUTES)?;
    for _ in 0..TRIES_LIMIT {
        let Versioned { rev, value } = found(call).await?;
        let schedule = changed(call, value, &attributes).await?;
        match call.management.store.write(&runs::recurring_changes(&schedule, Some(rev))?).await {
            Ok(()) => {
                wake(call, &schedule, schedule.updated_at).await;
                return Ok(one(StatusCode::OK, schedule_resource(call, &schedule)));
            }
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(written_by_others())
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    for _ in 0..TRIES_LIMIT {
        let Versioned { rev, value } = found(call).await?;
        match call.management.store.write(&[runs::recurring_deletion(&value, rev)]).await {
            Ok(()) => return Ok(empty_response(StatusCode::NO_CONTENT)),
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(written_by_others())
}

/// `POST /v1/recurring-schedules/preview`: `{"recurrence":{…},"from":"2026-03-28T00:00:00Z","count":10}`. Nothing is made.
pub(super) async fn preview(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    check_names(&attributes, &["recurrence", "from", "count"])?;
    let recurrence = recurrence(attributes.get("recurrence").unwrap_or(&Value::Null))?;
    let from = match text(&attributes, "from")? {
        None => call.management.world.now(),
        Some(from) => Timestamp::parse(&from)
            .ok_or_else(|| bad_attribute("from", "`from` is an instant such as 2026-03-28T00:00:00Z."))?,
    };
    let count = match attributes.get("count") {
        None | Some(Value::Null) => Some(SHOWN_OCCURRENCES),
        Some(count) => {
            count.as_u64().filter(|count| (1..=PREVIEW_LIMIT).contains(count)).and_then(|count| count.try_into().ok())
        }
    };
    let count =
        count.ok_or_else(|| bad_attribute("count", format!("`count` is a whole number from 1 to {PREVIEW_LIMIT}.")))?;
    let attributes = json!({ "recurrence": recurrence, "upcoming": recurrence.upcoming(from, count) });
    Ok(one(StatusCode::OK, json!({ "type": "recurrence_preview", "attributes": attributes })))
}

async fn changed(
    call: &Call<'_>,
    mut schedule: RecurringSchedule,
    attributes: &Map<String, Value>,
) -> Result<RecurringSchedule, Refused> {
    if let Some(title) = title(attributes)? {
        schedule.title = title;
    }
    if attributes.contains_key("inputs") {
        schedule.inputs = inputs_of(attributes)?;
    }
    let workflow = text(attributes, "workflow")?;
    if workflow.is_some() || attributes.contains_key("inputs") {
        let name = workflow.unwrap_or_else(|| schedule.workflow.to_string());
        schedule.workflow = taking(call, &name, &schedule.inputs).await?;
    }
    if let Some(value) = attributes.get("recurrence") {
        schedule.recurrence = recurrence(value)?;
    }
    schedule.enabled = switch(attributes, "enabled")?.unwrap_or(schedule.enabled);
    let now = call.management.world.now();
    schedule.plan(now);
    schedule.updated_at = now;
    Ok(schedule)
}

/// The workflow that `name` names, if it can be called with these inputs.
async fn taking(call: &Call<'_>, name: &str, inputs: &Value) -> Result<domain::WorkflowId, Refused> {
    let (workflow, definition) = callable(call, name).await?;
    match calling::refusal(&workflow.value, &definition, inputs) {
        Some(failure) => Err(refused(failure)),
        None => Ok(workflow.value.id),
    }
}

fn title(attributes: &Map<String, Value>) -> Result<Option<String>, Refused> {
    let Some(title) = text(attributes, "title")? else { return Ok(None) };
    let title = title.trim().to_owned();
    match title.chars().count() {
        1..=TITLE_LIMIT_CHARS => Ok(Some(title)),
        _ => Err(bad_attribute("title", format!("`title` is a text of 1 to {TITLE_LIMIT_CHARS} characters."))),
    }
}

/// *Errors*: the refusal of the recurrence, at its place in the body.
fn recurrence(document: &Value) -> Result<Recurrence, Refused> {
    Recurrence::parse(document).map_err(|rejected| {
        let path = rejected.path.replacen('$', "$.recurrence", 1);
        Rejected { path, ..rejected }.into()
    })
}

/// Has an occurrence that is near made to the second, which the ticker alone would be too late for.
async fn wake(call: &Call<'_>, schedule: &RecurringSchedule, now: Timestamp) {
    let Some(next) = schedule.next_run_at else { return };
    let named = Named::Recurs(Recurs { org: schedule.org, schedule: schedule.id });
    if let Err(error) = remind(call.management.queue.as_ref(), named, next, now).await {
        tracing::warn!(%error, "what recurs begins by the next tick after its time");
    }
}

async fn found(call: &Call<'_>) -> Result<Versioned<RecurringSchedule>, Refused> {
    let id = call.id("id", RecurringScheduleId::parse)?;
    let found = runs::find_recurring(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

fn written_by_others() -> Refused {
    Unavailable { port: "store", cause: "a recurring schedule was written by others all the while".to_owned() }.into()
}

fn schedule_resource(call: &Call<'_>, schedule: &RecurringSchedule) -> Value {
    // What comes is counted from the next one, which may be due already.
    let upcoming: Vec<Timestamp> = schedule.next_run_at.map_or_else(Vec::new, |next| {
        std::iter::once(next).chain(schedule.recurrence.upcoming(next, SHOWN_OCCURRENCES - 1)).collect()
    });
    let attributes = exact::object([
        ("title", json!(schedule.title)),
        ("enabled", json!(schedule.enabled)),
        ("workflowId", json!(schedule.workflow)),
        ("inputs", schedule.inputs.clone()),
        ("recurrence", json!(schedule.recurrence)),
        ("nextRunAt", json!(schedule.next_run_at)),
        ("upcoming", json!(upcoming)),
        ("lastScheduledRunId", json!(schedule.last_run)),
        ("skipped", json!(schedule.skipped)),
        ("createdAt", json!(schedule.created_at)),
        ("updatedAt", json!(schedule.updated_at)),
    ]);
    let path = format!("/v1/recurring-schedules/{}", schedule.id);
    resource("recurring_schedule", &schedule.id.to_string(), &path, attributes, org_relationship(call))
}

//! Business schedules: create, list, read, change, delete. One of an org's is its default, which stands in the org's settings
//! and is written together with it.

use domain::{Rejected, Rejection, Schedule, ScheduleId};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    attributes::switch,
    call::{Call, bad_attribute, not_found},
    resource::{many, one, org_relationship, resource, text},
};
use crate::{
    directory::{
        Versioned,
        schedules::{self, SCHEDULES_LIMIT},
        settings::{self, Settings},
    },
    http::answer::{Problem, empty_response},
    ports::{Change, Freshness},
};

pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    let (store, org, now) = (call.management.store.as_ref(), call.caller.org, call.management.world.now());
    let others = schedules::all(store, org).await?;
    if others.len() >= SCHEDULES_LIMIT {
        let detail = format!("An org has at most {SCHEDULES_LIMIT} business schedules.");
        return Err(Rejected::new(Rejection::Taken, "too_many_schedules", detail).into());
    }
    let settings = settings(call).await?;
    let mut schedule = Schedule {
        id: ScheduleId::fresh(now, call.random()?),
        org,
        name: String::new(),
        time_zone: settings.value.time_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        hours: Default::default(),
        holidays: Vec::new(),
        created_at: now,
        updated_at: now,
    };
    apply(&mut schedule, &attributes)?;
    let is_default = switch(&attributes, "isDefault")?.unwrap_or(others.is_empty());
    let change = if is_default { Some(with_default(call, &settings, Some(schedule.id))?) } else { None };
    schedules::create(store, &schedule, change).await?;
    Ok(one(StatusCode::CREATED, schedule_resource(call, &schedule, is_default)))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let paging = call.paging()?;
    let size = paging.limit;
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let default = settings(call).await?.value.default_schedule;
    let listing = schedules::list(store, org, paging).await?;
    let shown = |schedule: &Schedule| schedule_resource(call, schedule, default == Some(schedule.id));
    Ok(many(call, listing.items.iter().map(shown).collect(), size, listing.next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let schedule = found(call).await?.value;
    let is_default = settings(call).await?.value.default_schedule == Some(schedule.id);
    Ok(one(StatusCode::OK, schedule_resource(call, &schedule, is_default)))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response, Refused> {
    let Versioned { rev, value: mut schedule } = found(call).await?;
    let attributes = call.attributes()?;
    let wants_default = switch(&attributes, "isDefault")?;
    apply(&mut schedule, &attributes)?;
    schedule.updated_at = call.management.world.now();
    let settings = settings(call).await?;
    let was_default = settings.value.default_schedule == Some(schedule.id);
    let is_default = wants_default.unwrap_or(was_default);
    let change = match (was_default, is_default) {
        (false, true) => Some(with_default(call, &settings, Some(schedule.id))?),
        (true, false) => Some(with_default(call, &settings, None)?),
        (true, true) | (false, false) => None,
    };
    schedules::replace(call.management.store.as_ref(), &schedule, rev, change).await?;
    Ok(one(StatusCode::OK, schedule_resource(call, &schedule, is_default)))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    let schedule = found(call).await?.value;
    let settings = settings(call).await?;
    let was_default = settings.value.default_schedule == Some(schedule.id);
    let change = if was_default { Some(with_default(call, &settings, None)?) } else { None };
    schedules::delete(call.management.store.as_ref(), schedule.org, schedule.id, change).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

async fn found(call: &Call<'_>) -> Result<Versioned<Schedule>, Refused> {
    let id = call.id("id", ScheduleId::parse)?;
    let found = schedules::find(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

async fn settings(call: &Call<'_>) -> Result<Versioned<Settings>, Refused> {
    Ok(settings::find(call.management.store.as_ref(), call.caller.org, Freshness::Latest).await?)
}

/// The change that makes `default` the default of the org.
fn with_default(call: &Call<'_>, before: &Versioned<Settings>, default: Option<ScheduleId>) -> Result<Change, Refused> {
    let now = call.management.world.now();
    let settings = Settings { default_schedule: default, updated_at: Some(now), ..before.value.clone() };
    Ok(settings::change(call.caller.org, &settings, before.rev)?)
}

fn apply(schedule: &mut Schedule, attributes: &Map<String, Value>) -> Result<(), Refused> {
    if let Some(name) = text(attributes, "name")? {
        schedule.name = name;
    }
    if let Some(time_zone) = text(attributes, "timeZone")? {
        schedule.time_zone = time_zone;
    }
    let hours = "`hours` has a list of spans for each day: {\"monday\": [{\"from\": \"09:00\", \"to\": \"17:30\"}]}.";
    if let Some(read) = read(attributes, "hours", hours)? {
        schedule.hours = read;
    }
    let holidays = "`holidays` is a list such as [{\"date\": \"2026-12-25\", \"name\": \"Christmas\"}].";
    if let Some(read) = read(attributes, "holidays", holidays)? {
        schedule.holidays = read;
    }
    let problems = schedule.problems();
    if problems.is_empty() {
        return Ok(());
    }
    let told = |(path, detail)| Problem { path, code: "bad_attribute".to_owned(), detail, suggestion: None };
    Err(Refused::Problems(problems.into_iter().map(told).collect()))
}

fn read<T: DeserializeOwned>(attributes: &Map<String, Value>, name: &str, example: &str) -> Result<Option<T>, Refused> {
    match attributes.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value.clone()).map(Some).map_err(|_| bad_attribute(name, example)),
    }
}

fn schedule_resource(call: &Call<'_>, schedule: &Schedule, is_default: bool) -> Value {
    let mut attributes = schedule.attributes();
    attributes.insert("isDefault".to_owned(), json!(is_default));
    let path = format!("/v1/schedules/{}", schedule.id);
    resource("schedule", &schedule.id.to_string(), &path, Value::Object(attributes), org_relationship(call))
}

//! Settings of the org: its name, its time zone, its default schedule and its limits.

use domain::{ScheduleId, is_time_zone, no_time_zone};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_attribute},
    changed_meanwhile,
    hooks::read_limit,
    resource::{one, resource, text},
};
use crate::{
    directory::{
        Versioned, schedules,
        settings::{self, IN_FLIGHT_LIMIT_MOST, IN_FLIGHT_LIMIT_UNSET, Settings},
    },
    ports::Freshness,
};

const NAME_LIMIT_CHARS: usize = 128;

/// What can be set.
const KEYS: [&str; 6] = ["name", "timeZone", "defaultSchedule", "limit", "hookLimit", "inFlightLimit"];

/// What is shown beside it, and may be sent back as it was.
const SHOWN: [&str; 3] = ["mailDomain", "rev", "updatedAt"];

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let settings = found(call).await?;
    Ok(one(StatusCode::OK, org_resource(call, &settings)))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    let Versioned { rev, value: mut settings } = found(call).await?;
    check_keys(call, &attributes)?;
    if let Some(sent) = attributes.get("rev")
        && sent.as_u64().ok_or_else(|| bad_attribute("rev", "`rev` is the number that a GET has shown."))? != rev
    {
        return Err(changed_meanwhile().into());
    }
    apply(&mut settings, &attributes)?;
    if attributes.contains_key("defaultSchedule") {
        settings.default_schedule = default_schedule(call, &attributes).await?;
    }
    settings.updated_at = Some(call.management.world.now());
    call.management.store.write(&[settings::change(call.caller.org, &settings, rev)?]).await?;
    Ok(one(StatusCode::OK, org_resource(call, &Versioned { rev: rev + 1, value: settings })))
}

async fn found(call: &Call<'_>) -> Result<Versioned<Settings>, Refused> {
    Ok(settings::find(call.management.store.as_ref(), call.caller.org, Freshness::Latest).await?)
}

/// A setting that is spelled wrong must not be taken for one that was made.
fn check_keys(call: &Call<'_>, attributes: &Map<String, Value>) -> Result<(), Refused> {
    if let Some(domain) = attributes.get("mailDomain")
        && *domain != json!(mail_domain(call))
    {
        let detail = "The mail domain belongs to the deployment: deploy with the parameter MailDomain, or run `hookwright dev --mail-domain`.";
        return Err(bad_attribute("mailDomain", detail));
    }
    match attributes.keys().find(|key| !KEYS.contains(&key.as_str()) && !SHOWN.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(bad_attribute(key, format!("There is no such setting; an org has {}.", KEYS.join(", ")))),
    }
}

fn apply(settings: &mut Settings, attributes: &Map<String, Value>) -> Result<(), Refused> {
    if attributes.contains_key("name") {
        settings.name = text(attributes, "name")?.map(|name| name.trim().to_owned());
        let is_name = |name: &String| !name.is_empty() && name.chars().count() <= NAME_LIMIT_CHARS;
        if !settings.name.as_ref().is_none_or(is_name) {
            return Err(bad_attribute("name", format!("A name has 1 to {NAME_LIMIT_CHARS} characters.")));
        }
    }
    if attributes.contains_key("timeZone") {
        settings.time_zone = text(attributes, "timeZone")?;
        if let Some(name) = settings.time_zone.as_ref().filter(|name| !is_time_zone(name)) {
            return Err(bad_attribute("timeZone", no_time_zone(name)));
        }
    }
    for (key, place) in [("limit", &mut settings.limit), ("hookLimit", &mut settings.hook_limit)] {
        if let Some(value) = attributes.get(key) {
            *place = read_limit(key, value)?;
        }
    }
    if let Some(value) = attributes.get("inFlightLimit") {
        settings.in_flight_limit = read_in_flight_limit(value)?;
    }
    Ok(())
}

fn read_in_flight_limit(value: &Value) -> Result<Option<u32>, Refused> {
    if value.is_null() {
        return Ok(None);
    }
    let limit = value.as_u64().and_then(|limit| u32::try_from(limit).ok());
    limit.filter(|limit| (1..=IN_FLIGHT_LIMIT_MOST).contains(limit)).map(Some).ok_or_else(|| {
        let detail = format!(
            "`inFlightLimit` is a number from 1 to {IN_FLIGHT_LIMIT_MOST}, or null for {IN_FLIGHT_LIMIT_UNSET}."
        );
        bad_attribute("inFlightLimit", detail)
    })
}

/// The schedule that is named, which has to be there.
async fn default_schedule(call: &Call<'_>, attributes: &Map<String, Value>) -> Result<Option<ScheduleId>, Refused> {
    let Some(named) = text(attributes, "defaultSchedule")? else { return Ok(None) };
    let missing = || {
        let detail = "There is no business schedule of this id in your org; `hookwright schedules ls` lists them.";
        bad_attribute("defaultSchedule", detail)
    };
    let id = ScheduleId::parse(&named).map_err(|_| missing())?;
    let found = schedules::find(call.management.store.as_ref(), call.caller.org, id).await?;
    found.map(|_| Some(id)).ok_or_else(missing)
}

fn mail_domain(call: &Call<'_>) -> Option<String> {
    call.management.mail.as_ref().map(|mail| mail.door.domain.clone())
}

fn org_resource(call: &Call<'_>, Versioned { rev, value: settings }: &Versioned<Settings>) -> Value {
    let attributes = json!({
        "name": settings.name,
        "timeZone": settings.time_zone.as_deref().unwrap_or("UTC"),
        "defaultSchedule": settings.default_schedule,
        "limit": settings.limit,
        "hookLimit": settings.hook_limit,
        "inFlightLimit": settings.in_flight_limit.unwrap_or(IN_FLIGHT_LIMIT_UNSET),
        "mailDomain": mail_domain(call),
        "rev": rev,
        "updatedAt": settings.updated_at,
    });
    resource("org", &call.caller.org.to_string(), "/v1/org", attributes, json!({}))
}

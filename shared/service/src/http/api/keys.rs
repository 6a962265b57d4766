//! API keys: create, rotate, list, read, delete. A key's roles are fixed for its life.

use std::net::IpAddr;

use domain::{ApiKey, ApiKeyId, ApiKeySecret, Caller, Rejected, Rejection, Role, Timestamp};
use http::StatusCode;
use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, not_found},
    resource::{many, one, org_relationship, resource, text},
};
use crate::{
    directory::{Versioned, keys},
    http::answer::empty_response,
};

const NAME_LIMIT_CHARS: usize = 128;
const ROLES_LIMIT: usize = 50;
const CIDRS_LIMIT: usize = 50;

/// For how long a key that was rotated works on, where nothing else is asked for.
const OVERLAP_SECONDS: i64 = 24 * 60 * 60;
const OVERLAP_LIMIT_SECONDS: i64 = 30 * 24 * 60 * 60;

pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    let now = call.management.world.now();
    let (id, secret) = fresh(call)?;
    let roles = roles(&call.caller, &attributes)?;
    let mut key = ApiKey::new(id, call.caller.org, name(&attributes)?, roles, &secret, now);
    key.expires_at = expires_at(&attributes, now)?;
    key.cidrs = cidrs(&attributes)?;
    keys::create(call.management.store.as_ref(), &key).await?;
    Ok(one(StatusCode::CREATED, with_token(call, &key, &secret)))
}

/// A key takes the place of another, which goes on working for a while, so that its holders need not change at once.
pub(super) async fn rotate(call: &Call<'_>) -> Result<Response, Refused> {
    let Versioned { rev, value: mut before } = found(call).await?;
    let now = call.management.world.now();
    let overlap_seconds = overlap_seconds(&call.optional_attributes()?)?;
    if before.rotated_to.is_some() {
        let detail = "This key was rotated before. Rotate the key that took its place.";
        return Err(Rejected::new(Rejection::Taken, "already_rotated", detail).into());
    }
    if before.expires_at.is_some_and(|expires_at| expires_at <= now) {
        let detail = "This key has expired, and so would its successor. Create a new key.";
        return Err(Rejected::new(Rejection::Taken, "key_expired", detail).into());
    }
    may_hand_out(&call.caller, &before.roles)?;
    let (id, secret) = fresh(call)?;
    let mut successor = ApiKey::new(id, before.org, before.name.clone(), before.roles.clone(), &secret, now);
    (successor.expires_at, successor.cidrs) = (before.expires_at, before.cidrs.clone());
    let ends_at = now.plus_seconds(overlap_seconds);
    before.expires_at = Some(before.expires_at.map_or(ends_at, |expires_at| expires_at.min(ends_at)));
    before.rotated_to = Some(successor.id);
    keys::rotate(call.management.store.as_ref(), &before, rev, &successor).await?;
    call.management.keys.forget(before.org, before.id);
    Ok(one(StatusCode::CREATED, with_token(call, &successor, &secret)))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = keys::list(call.management.store.as_ref(), call.caller.org, paging).await?;
    let ids: Vec<ApiKeyId> = listing.items.iter().map(|key| key.id).collect();
    let uses = keys::last_uses(call.management.store.as_ref(), call.caller.org, &ids).await?;
    let used_at = |key: &ApiKey| uses.get(&key.id.to_string()).copied();
    let resources = listing.items.iter().map(|key| key_resource(call, key, used_at(key))).collect();
    Ok(many(call, resources, size, listing.next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let key = found(call).await?.value;
    let uses = keys::last_uses(call.management.store.as_ref(), key.org, &[key.id]).await?;
    Ok(one(StatusCode::OK, key_resource(call, &key, uses.get(&key.id.to_string()).copied())))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    let key = found(call).await?.value;
    keys::delete(call.management.store.as_ref(), key.org, key.id).await?;
    call.management.keys.forget(key.org, key.id);
    Ok(empty_response(StatusCode::NO_CONTENT))
}

async fn found(call: &Call<'_>) -> Result<Versioned<ApiKey>, Refused> {
    let id = call.id("id", ApiKeyId::parse)?;
    let found = keys::find(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

fn fresh(call: &Call<'_>) -> Result<(ApiKeyId, ApiKeySecret), Refused> {
    let id = ApiKeyId::fresh(call.management.world.now(), call.random()?);
    Ok((id, ApiKeySecret::from_random(call.random()?)))
}

fn name(attributes: &Map<String, Value>) -> Result<String, Refused> {
    match text(attributes, "name")?.map(|name| name.trim().to_owned()) {
        Some(name) if !name.is_empty() && name.chars().count() <= NAME_LIMIT_CHARS => Ok(name),
        Some(_) | None => {
            Err(bad_attribute("name", format!("A key needs a `name` of at most {NAME_LIMIT_CHARS} characters.")))
        }
    }
}

fn roles(caller: &Caller, attributes: &Map<String, Value>) -> Result<Vec<Role>, Refused> {
    let wrong = || {
        bad_attribute(
            "roles",
            format!("`roles` is a list of 1 to {ROLES_LIMIT} roles, such as [\"org.permission.hook.read\"]."),
        )
    };
    let list = attributes.get("roles").and_then(Value::as_array).filter(|list| (1..=ROLES_LIMIT).contains(&list.len()));
    let parse = |role: &Value| {
        Role::parse(role.as_str().ok_or_else(wrong)?).map_err(|sentence| bad_attribute("roles", format!("{sentence}.")))
    };
    let roles = list.ok_or_else(wrong)?.iter().map(parse).collect::<Result<Vec<Role>, Refused>>()?;
    may_hand_out(caller, &roles)?;
    Ok(roles)
}

/// Nobody hands out more than they have; `org.admin` hands out everything.
fn may_hand_out(caller: &Caller, roles: &[Role]) -> Result<(), Refused> {
    let is_admin = caller.roles.iter().any(|role| role.as_str() == "org.admin");
    let is_held = |role: &&Role| caller.roles.iter().any(|own| own.covers(role.as_str()));
    match roles.iter().find(|role| !is_admin && !is_held(role)) {
        None => Ok(()),
        Some(role) => {
            let detail = format!("A key cannot hand out the role {}, which it does not have itself.", role.as_str());
            Err(Rejected::new(Rejection::Forbidden, "role_missing", detail).into())
        }
    }
}

fn cidrs(attributes: &Map<String, Value>) -> Result<Vec<IpNet>, Refused> {
    let wrong = || {
        let detail = format!(
            "`cidrs` is a list of at most {CIDRS_LIMIT} networks, such as [\"192.0.2.0/24\", \"2001:db8::/32\"]."
        );
        bad_attribute("cidrs", detail)
    };
    match attributes.get("cidrs") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= CIDRS_LIMIT => {
            list.iter().map(|text| text.as_str().and_then(network).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// A network, or one address for itself.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn overlap_seconds(attributes: &Map<String, Value>) -> Result<i64, Refused> {
    let wrong = || {
        let detail = format!("`overlapSeconds` is a whole number from 0 to {OVERLAP_LIMIT_SECONDS} (30 days).");
        bad_attribute("overlapSeconds", detail)
    };
    match attributes.get("overlapSeconds") {
        None | Some(Value::Null) => Ok(OVERLAP_SECONDS),
        Some(value) => value.as_i64().filter(|seconds| (0..=OVERLAP_LIMIT_SECONDS).contains(seconds)).ok_or_else(wrong),
    }
}

fn expires_at(attributes: &Map<String, Value>, now: Timestamp) -> Result<Option<Timestamp>, Refused> {
    let Some(text) = text(attributes, "expiresAt")? else { return Ok(None) };
    match Timestamp::parse(&text) {
        Some(instant) if instant > now => Ok(Some(instant)),
        Some(_) | None => {
            Err(bad_attribute("expiresAt", "`expiresAt` is an instant in the future, such as 2030-01-31T00:00:00Z."))
        }
    }
}

fn key_resource(call: &Call<'_>, key: &ApiKey, last_used_at: Option<Timestamp>) -> Value {
    let attributes = json!({
        "name": key.name,
        "roles": key.roles,
        "expiresAt": key.expires_at,
        "cidrs": key.cidrs,
        "lastUsedAt": last_used_at,
        "rotatedTo": key.rotated_to,
        "createdAt": key.created_at,
    });
    resource("api_key", &key.id.to_string(), &format!("/v1/api-keys/{}", key.id), attributes, org_relationship(call))
}

/// The one answer that has the token in it.
fn with_token(call: &Call<'_>, key: &ApiKey, secret: &ApiKeySecret) -> Value {
    let mut resource = key_resource(call, key, None);
    if let Some(Value::Object(attributes)) = resource.get_mut("attributes") {
        attributes.insert("token".to_owned(), json!(secret.token(key.org, key.id)));
    }
    resource
}

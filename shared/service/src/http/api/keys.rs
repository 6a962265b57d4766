//! API keys: create, list, read, delete. A key's roles are fixed for its life.

use domain::{ApiKey, ApiKeyId, ApiKeySecret, Caller, Rejected, Rejection, Role, Timestamp};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, not_found},
    resource::{many, one, org_relationship, resource, text},
};
use crate::{directory::keys, http::answer::empty_response};

const NAME_LIMIT_CHARS: usize = 128;
const ROLES_LIMIT: usize = 50;

pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    if attributes.get("cidrs").is_some_and(|cidrs| !cidrs.is_null()) {
        // Taken and not obeyed, it would give a key that works from everywhere.
        return Err(bad_attribute("cidrs", "This version cannot bind a key to networks. Leave `cidrs` out."));
    }
    let now = call.management.world.now();
    let (mut id, mut secret) = ([0; 8], [0; 32]);
    call.management.world.fill(&mut id)?;
    call.management.world.fill(&mut secret)?;
    let secret = ApiKeySecret::from_random(secret);
    let key = ApiKey {
        id: ApiKeyId::fresh(now, id),
        org: call.caller.org,
        name: name(&attributes)?,
        roles: roles(&call.caller, &attributes)?,
        digest: secret.digest(),
        expires_at: expires_at(&attributes, now)?,
        created_at: now,
    };
    keys::create(call.management.store.as_ref(), &key).await?;
    let mut resource = key_resource(call, &key);
    if let Some(Value::Object(attributes)) = resource.get_mut("attributes") {
        attributes.insert("token".to_owned(), json!(secret.token(key.org, key.id)));
    }
    Ok(one(StatusCode::CREATED, resource))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = keys::list(call.management.store.as_ref(), call.caller.org, paging).await?;
    let resources = listing.items.iter().map(|key| key_resource(call, key)).collect();
    Ok(many(call, resources, size, listing.next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    Ok(one(StatusCode::OK, key_resource(call, &found(call).await?)))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    let key = found(call).await?;
    keys::delete(call.management.store.as_ref(), key.org, key.id).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

async fn found(call: &Call<'_>) -> Result<ApiKey, Refused> {
    let id = call.id("id", ApiKeyId::parse)?;
    let found = keys::find(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

fn name(attributes: &Map<String, Value>) -> Result<String, Refused> {
    match text(attributes, "name")?.map(|name| name.trim().to_owned()) {
        Some(name) if !name.is_empty() && name.chars().count() <= NAME_LIMIT_CHARS => Ok(name),
        Some(_) | None => {
            Err(bad_attribute("name", format!("A key needs a `name` of at most {NAME_LIMIT_CHARS} characters.")))
        }
    }
}

/// Nobody hands out more than they have; `org.admin` hands out everything.
fn roles(caller: &Caller, attributes: &Map<String, Value>) -> Result<Vec<Role>, Refused> {
    let wrong = || {
        bad_attribute(
            "roles",
            format!("`roles` is a list of 1 to {ROLES_LIMIT} roles, such as [\"org.permission.hook.read\"]."),
        )
    };
    let list = attributes.get("roles").and_then(Value::as_array).filter(|list| (1..=ROLES_LIMIT).contains(&list.len()));
    let is_admin = caller.roles.iter().any(|role| role.as_str() == "org.admin");
    list.ok_or_else(wrong)?
        .iter()
        .map(|role| {
            let role = Role::parse(role.as_str().ok_or_else(wrong)?)
                .map_err(|sentence| bad_attribute("roles", format!("{sentence}.")))?;
            if is_admin || caller.roles.iter().any(|own| own.covers(role.as_str())) {
                return Ok(role);
            }
            let detail = format!("A key cannot hand out the role {}, which it does not have itself.", role.as_str());
            Err(Rejected::new(Rejection::Forbidden, "role_missing", detail).into())
        })
        .collect()
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

fn key_resource(call: &Call<'_>, key: &ApiKey) -> Value {
    let attributes = json!({
        "name": key.name,
        "roles": key.roles,
        "expiresAt": key.expires_at,
        "createdAt": key.created_at,
    });
    resource("api_key", &key.id.to_string(), &format!("/v1/api-keys/{}", key.id), attributes, org_relationship(call))
}

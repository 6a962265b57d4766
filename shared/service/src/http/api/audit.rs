//! The audit log, to be read.

use domain::{ApiKeyId, AuditEntryId};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_query, not_found},
    resource::{many, one, org_relationship, resource},
};
use crate::audit::{self, Entry, Filter};

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let filter = filter(call)?;
    let paging = call.paging()?;
    let size = paging.limit;
    let (store, now) = (call.management.store.as_ref(), call.management.world.now());
    let listing = audit::list(store, call.caller.org, &filter, paging, now).await?;
    let listing = listing.ok_or_else(|| bad_query("after", "taken from the `links.next` of this same list"))?;
    let resources = listing.items.iter().map(|entry| entry_resource(call, entry)).collect();
    Ok(many(call, resources, size, listing.next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let id = call.id("id", AuditEntryId::parse)?;
    let found = audit::find(call.management.store.as_ref(), call.caller.org, id).await?;
    Ok(one(StatusCode::OK, entry_resource(call, &found.ok_or_else(not_found)?)))
}

fn filter(call: &Call<'_>) -> Result<Filter, Refused> {
    let object_type = call.query("objectType").filter(|name| !name.is_empty());
    if object_type.as_deref().is_some_and(|name| !audit::is_type(name)) {
        let wanted = "the type of something that can be changed, such as form_hook, workflow, api_key, customer or kobject.order";
        return Err(bad_query("objectType", wanted));
    }
    let key = call.query("key").filter(|id| !id.is_empty());
    let key = key.map(|id| ApiKeyId::parse(&id)).transpose();
    Ok(Filter {
        object_type,
        object_id: call.query("objectId").filter(|id| !id.is_empty()),
        key: key.map_err(|_| bad_query("key", "the id of an API key, 24 hex digits"))?,
        from: call.instant("from")?,
        until: call.instant("until")?,
    })
}

/// *Source*: the names of Kustomer's audit log, as far as they fit (reference, section 9).
fn entry_resource(call: &Call<'_>, entry: &Entry) -> Value {
    let mut attributes = json!({
        "eventName": format!("kustomer.{}.{}", entry.target.kind, entry.verb.word()),
        "eventVerb": entry.verb,
        "operation": entry.operation,
        "userId": entry.user_id,
        "userName": entry.user_name,
        "userType": "api_key",
        "objectType": entry.target.kind,
        "objectId": entry.target.id,
        "objectName": entry.object_name,
        "changes": null,
        "leftOut": entry.left_out,
        "others": entry.others,
        "client": entry.client,
        "ip": entry.ip,
        "createdAt": entry.created_at,
        "expiresAt": entry.expires_at(),
    });
    if let Some(attributes) = attributes.as_object_mut() {
        // Put in as they are, so that numbers stay as they are spelled.
        attributes.insert("changes".to_owned(), Value::Array(entry.changes.clone()));
    }
    let path = format!("/v1/audit-log/{}", entry.id);
    resource("audit_entry", &entry.id.to_string(), &path, attributes, org_relationship(call))
}

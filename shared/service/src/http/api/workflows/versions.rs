//! Versions of workflows: their history, what is different between two, and the way back.

use domain::{Rejected, Rejection, WorkflowId};
use engine::diff;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Refused, Response,
        call::{Call, bad_attribute, bad_query, not_found},
        resource::{leave_large_values_out, many, one, org_relationship, resource},
    },
    Becomes, document_of, found, make_live,
};
use crate::{
    directory::workflows::{self, Version},
    http::ANSWER_LIMIT_BYTES,
};

/// Which document is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Number(u64),
    Live,
    Draft,
}

pub(in super::super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let id = call.id("id", WorkflowId::parse)?;
    let paging = call.paging()?;
    let size = paging.limit;
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let live = workflows::find(store, org, id).await?.map(|workflow| workflow.rev);
    let listing = workflows::list_versions(store, org, id, paging).await?;
    if live.is_none() && listing.items.is_empty() {
        return Err(not_found().into());
    }
    let resources = listing.items.iter().map(|version| version_resource(call, id, version, live)).collect();
    Ok(many(call, resources, size, listing.next.as_deref()))
}

pub(in super::super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let id = call.id("id", WorkflowId::parse)?;
    let number = call.id("version", str::parse::<u64>)?;
    let version = version(call, id, number).await?;
    let live = workflows::find(call.management.store.as_ref(), call.caller.org, id).await?;
    let mut resource = version_resource(call, id, &version, live.map(|workflow| workflow.rev));
    let document = document_of(call, &version.hash).await?;
    if let Some(attributes) = resource.get_mut("attributes").and_then(Value::as_object_mut) {
        attributes.insert("document".to_owned(), document);
    }
    Ok(one(StatusCode::OK, resource))
}

pub(in super::super) async fn diff(call: &Call<'_>) -> Result<Response, Refused> {
    let id = call.id("id", WorkflowId::parse)?;
    let draft = workflows::find_draft(call.management.store.as_ref(), call.caller.org, id).await?;
    let from = which(call, "from")?.unwrap_or(Which::Live);
    let to = which(call, "to")?.unwrap_or(if draft.is_some() { Which::Draft } else { Which::Live });
    if draft.is_none() && call.query("from").is_none() && call.query("to").is_none() {
        found(call).await?;
        let detail = "There is no draft to compare with what is live; name a version, as in ?from=1.";
        return Err(Rejected::new(Rejection::NotFound, "no_draft", detail).into());
    }
    let (before, after) = (document(call, id, from).await?, document(call, id, to).await?);
    let changes = diff::changes(&before, &after);
    let left_out = changes.left_out;
    let mut changes: Vec<Value> = changes
        .told
        .into_iter()
        .map(|change| {
            // Value by value, so that numbers stay as they are spelled.
            let mut told = Map::new();
            told.insert("op".to_owned(), json!(change.op));
            told.insert("path".to_owned(), json!(change.path));
            told.extend(change.before.map(|before| ("before".to_owned(), before)));
            told.extend(change.after.map(|after| ("after".to_owned(), after)));
            Value::Object(told)
        })
        .collect();
    if changes.iter().map(|change| change.to_string().len()).sum::<usize>() > ANSWER_LIMIT_BYTES {
        changes.iter_mut().for_each(|change| leave_large_values_out(change, &["before", "after"]));
    }
    let attributes = domain::exact::object([
        ("from", json!(from.to_string())),
        ("to", json!(to.to_string())),
        ("changes", Value::Array(changes)),
        ("leftOut", json!(left_out)),
    ]);
    let path = format!("/v1/workflows/{id}/diff?from={from}&to={to}");
    Ok(one(StatusCode::OK, resource("workflow_diff", &id.to_string(), &path, attributes, org_relationship(call))))
}

pub(in super::super) async fn roll_back(call: &Call<'_>) -> Result<Response, Refused> {
    let before = found(call).await?;
    let attributes = call.attributes()?;
    let number = attributes.get("version").and_then(Value::as_u64).filter(|number| *number > 0);
    let number = number.ok_or_else(|| bad_attribute("version", "`version` is the number of an earlier version."))?;
    let version = version(call, before.value.id, number).await?;
    let mut document = document_of(call, &version.hash).await?;
    if let Some(document) = document.as_object_mut()
        && version.enabled != before.value.enabled
    {
        // Whoever stopped a workflow does not start it by going back.
        document.insert("enabled".to_owned(), json!(before.value.enabled));
    }
    let becomes = Becomes { document, restores: Some(number), published: None };
    make_live(call, &before, becomes).await
}

fn which(call: &Call<'_>, name: &str) -> Result<Option<Which>, Refused> {
    let Some(text) = call.query(name) else { return Ok(None) };
    match text.as_str() {
        "live" => Ok(Some(Which::Live)),
        "draft" => Ok(Some(Which::Draft)),
        number => match number.parse() {
            Ok(number) => Ok(Some(Which::Number(number))),
            Err(_) => Err(bad_query(name, "the number of a version, `live` or `draft`")),
        },
    }
}

async fn document(call: &Call<'_>, id: WorkflowId, which: Which) -> Result<Value, Refused> {
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    match which {
        Which::Live => document_of(call, &found(call).await?.value.hash).await,
        Which::Number(number) => document_of(call, &version(call, id, number).await?.hash).await,
        Which::Draft => {
            let draft = workflows::find_draft(store, org, id).await?;
            Ok(draft.ok_or_else(no_draft)?.value.document)
        }
    }
}

async fn version(call: &Call<'_>, id: WorkflowId, number: u64) -> Result<Version, Refused> {
    let found = workflows::find_version(call.management.store.as_ref(), call.caller.org, id, number).await?;
    let detail = format!("There is no version {number} of a workflow with this id in your org.");
    found.ok_or_else(|| Rejected::new(Rejection::NotFound, "not_found", detail).into())
}

/// The workflow has no draft.
pub(super) fn no_draft() -> Rejected {
    let detail = "There is no draft of a workflow with this id in your org. A PUT to its …/draft (`hookwright workflows draft put`) begins one.";
    Rejected::new(Rejection::NotFound, "no_draft", detail)
}

fn version_resource(call: &Call<'_>, id: WorkflowId, version: &Version, live: Option<u64>) -> Value {
    let attributes = json!({
        "number": version.number,
        "name": version.name,
        "enabled": version.enabled,
        "hash": version.hash,
        "live": live == Some(version.number),
        "restores": version.restores,
        "createdAt": version.created_at,
        "createdBy": version.created_by,
    });
    let path = format!("/v1/workflows/{id}/versions/{}", version.number);
    let name = format!("{id}-{}", version.number);
    resource("workflow_version", &name, &path, attributes, org_relationship(call))
}

impl std::fmt::Display for Which {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Live => f.write_str("live"),
            Self::Draft => f.write_str("draft"),
        }
    }
}

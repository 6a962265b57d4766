//! Workflows: import, list, read, change, delete, export.
//!
//! The body is the workflow document itself. What comes back has `id`, `rev`, `createdAt` and `updatedAt` added;
//! `export` is the document as it was imported.

use domain::{Rejected, Rejection, WorkflowId};
use engine::Definition;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, not_found},
    resource::{many, one, org_relationship, resource},
};
use crate::{
    actions::Action,
    directory::{
        Versioned,
        workflows::{self, NAME_POSITION, Workflow},
    },
    http::answer::{Problem, empty_response, json_response},
    ports::{Unavailable, WriteError},
};

/// Keys that this server adds to what it gives out. An update that sends them back does not change the document by it.
const OWN_KEYS: [&str; 4] = ["id", "rev", "createdAt", "updatedAt"];

pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let document = Value::Object(call.attributes()?);
    let definition = checked(&document)?;
    let now = call.management.world.now();
    let mut id = [0; 8];
    call.management.world.fill(&mut id)?;
    let workflow = Workflow {
        id: WorkflowId::fresh(now, id),
        org: call.caller.org,
        name: definition.name().to_owned(),
        event_name: definition.event_name().to_owned(),
        enabled: definition.is_enabled(),
        hash: workflows::definition_hash(&document),
        created_at: now,
        updated_at: now,
    };
    workflows::create(call.management.store.as_ref(), &workflow, &document)
        .await
        .map_err(|error| refused(error, &workflow))?;
    Ok(one(StatusCode::CREATED, workflow_resource(call, &Versioned { rev: 1, value: workflow }, &document)))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let paging = call.paging()?;
    let (size, store, org) = (paging.limit, call.management.store.as_ref(), call.caller.org);
    let listing = workflows::list(store, org, paging).await?;
    let mut hashes: Vec<&str> = listing.items.iter().map(|workflow| workflow.value.hash.as_str()).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let documents =
        if hashes.is_empty() { Vec::new() } else { workflows::find_definitions(store, org, &hashes).await? };
    let resources = listing
        .items
        .iter()
        .map(|workflow| {
            let document =
                documents.iter().find(|(hash, _)| *hash == workflow.value.hash).map(|(_, document)| document);
            workflow_resource(call, workflow, document.unwrap_or(&Value::Null))
        })
        .collect();
    Ok(many(call, resources, size, listing.next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let workflow = found(call).await?;
    let document = document_of(call, &workflow.value).await?;
    Ok(one(StatusCode::OK, workflow_resource(call, &workflow, &document)))
}

pub(super) async fn export(call: &Call<'_>) -> Result<Response, Refused> {
    let workflow = found(call).await?;
    Ok(json_response(StatusCode::OK, &document_of(call, &workflow.value).await?))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response, Refused> {
    let before = found(call).await?;
    let changes = call.attributes()?;
    let document = merged(document_of(call, &before.value).await?, changes);
    let definition = checked(&document)?;
    let workflow = Workflow {
        name: definition.name().to_owned(),
        event_name: definition.event_name().to_owned(),
        enabled: definition.is_enabled(),
        hash: workflows::definition_hash(&document),
        updated_at: call.management.world.now(),
        ..before.value.clone()
    };
    let written = workflows::replace(call.management.store.as_ref(), &before, &workflow, &document).await;
    written.map_err(|error| refused(error, &workflow))?;
    Ok(one(StatusCode::OK, workflow_resource(call, &Versioned { rev: before.rev + 1, value: workflow }, &document)))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    let workflow = found(call).await?;
    workflows::delete(call.management.store.as_ref(), &workflow).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

async fn found(call: &Call<'_>) -> Result<Versioned<Workflow>, Refused> {
    let id = call.id("id", WorkflowId::parse)?;
    let found = workflows::find(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

async fn document_of(call: &Call<'_>, workflow: &Workflow) -> Result<Value, Refused> {
    let found = workflows::find_definition(call.management.store.as_ref(), workflow.org, &workflow.hash).await?;
    found.ok_or_else(|| {
        let cause = format!("the definition {} of workflow {} is not there", workflow.hash, workflow.id);
        Refused::Unavailable(Unavailable { port: "store", cause })
    })
}

fn checked(document: &Value) -> Result<Definition, Refused> {
    Definition::parse(document, &Action::names()).map_err(|problems| {
        let told = problems.into_iter().map(|problem| Problem {
            path: problem.path,
            code: problem.code.to_owned(),
            detail: problem.message,
            suggestion: problem.suggestion,
        });
        Refused::Problems(told.collect())
    })
}

/// The document with the keys of `changes` in place of its own.
fn merged(document: Value, changes: Map<String, Value>) -> Value {
    let Value::Object(mut document) = document else { return Value::Object(changes) };
    for (key, value) in changes {
        if !OWN_KEYS.contains(&key.as_str()) {
            document.insert(key, value);
        }
    }
    Value::Object(document)
}

fn refused(error: WriteError, workflow: &Workflow) -> Refused {
    match error {
        WriteError::Conflict { position: NAME_POSITION, .. } => {
            let detail = format!(
                "There is a workflow called `{}` already. Names are unique in an org; choose another.",
                workflow.name
            );
            Rejected { path: "$.name".to_owned(), ..Rejected::new(Rejection::Taken, "name_taken", detail) }.into()
        }
        error @ (WriteError::Conflict { .. } | WriteError::Unavailable(_)) => error.into(),
    }
}

fn workflow_resource(call: &Call<'_>, workflow: &Versioned<Workflow>, document: &Value) -> Value {
    let Versioned { rev, value: workflow } = workflow;
    let mut attributes = document.as_object().cloned().unwrap_or_default();
    for (key, value) in [
        ("id", json!(workflow.id)),
        ("rev", json!(rev)),
        ("createdAt", json!(workflow.created_at)),
        ("updatedAt", json!(workflow.updated_at)),
    ] {
        attributes.insert(key.to_owned(), value);
    }
    let path = format!("/v1/workflows/{}", workflow.id);
    resource("workflow", &workflow.id.to_string(), &path, Value::Object(attributes), org_relationship(call))
}

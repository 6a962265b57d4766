//! Workflows: import, list, read, change, delete, export.
//!
//! The body is the workflow document itself. What comes back has `id`, `rev`, `createdAt` and `updatedAt` added;
//! `export` is the document as it was imported.

pub(super) mod checks;
pub(super) mod drafts;
pub(super) mod versions;

use domain::{Rejected, Rejection, WorkflowId};
use engine::Definition;
use http::StatusCode;
use serde_json::{Map, Value, json};

use checks::Sound;

use super::{
    Refused, Response,
    call::{Call, not_found, owned_by_nobody},
    resource::{many, one, owned_relationships, resource},
};
use crate::{
    directory::{
        Versioned,
        workflows::{self, Draft, NAME_POSITION, Origin, Workflow},
    },
    http::answer::{self, Problem, empty_response, json_response},
    ports::{Unavailable, WriteError},
    runs::RETENTION_SECONDS,
};

/// Keys that this server adds to what it gives out. An update that sends them back does not change the document by it.
const OWN_KEYS: [&str; 4] = ["id", "rev", "createdAt", "updatedAt"];

/// The document as a workflow that might be saved under `id`.
///
/// *Errors*: every problem that keeps it from that.
pub(super) async fn sound(call: &Call<'_>, id: WorkflowId, document: &Value) -> Result<Definition, Refused> {
    Ok(checks::checked(call, Some(id), document).await?.definition)
}

/// The draft of the workflow.
pub(super) async fn draft_document(call: &Call<'_>, id: WorkflowId) -> Result<Value, Refused> {
    let draft = workflows::find_draft(call.management.store.as_ref(), call.caller.org, id).await?;
    Ok(draft.ok_or_else(versions::no_draft)?.value.document)
}

pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let document = Value::Object(call.attributes()?);
    let now = call.management.world.now();
    let id = WorkflowId::fresh(now, call.random()?);
    let checked = checks::checked(call, Some(id), &document).await?;
    let workflow = Workflow::of(&checked.definition, &document, (call.caller.org, id), now);
    workflows::create(call.management.store.as_ref(), &workflow, &document, origin(call, None))
        .await
        .map_err(|error| refused(error, &workflow))?;
    let created = Versioned { rev: 1, value: workflow };
    Ok(saved(call, StatusCode::CREATED, &created, &document, &checked.warnings))
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
    let document = document_of(call, &workflow.value.hash).await?;
    Ok(one(StatusCode::OK, workflow_resource(call, &workflow, &document)))
}

pub(super) async fn export(call: &Call<'_>) -> Result<Response, Refused> {
    let workflow = found(call).await?;
    Ok(json_response(StatusCode::OK, &document_of(call, &workflow.value.hash).await?))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response, Refused> {
    let before = found(call).await?;
    let changes = call.attributes()?;
    let document = merged(document_of(call, &before.value.hash).await?, changes);
    make_live(call, &before, Becomes { document, restores: None, published: None }).await
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    let workflow = found(call).await?;
    owned_by_nobody("workflow", workflow.value.installed_by.as_deref())?;
    let until = call.management.world.now().plus_seconds(RETENTION_SECONDS).as_second();
    workflows::delete(call.management.store.as_ref(), &workflow, until).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

/// What is to become live, and where it comes from.
struct Becomes<'d> {
    document: Value,
    /// The earlier version that it brings back.
    restores: Option<u64>,
    /// The draft that it was.
    published: Option<&'d Versioned<Draft>>,
}

/// Makes the document the next version of the workflow, if it differs from what is live.
async fn make_live(
    call: &Call<'_>,
    before: &Versioned<Workflow>,
    Becomes { document, restores, published }: Becomes<'_>,
) -> Result<Response, Refused> {
    let (store, document) = (call.management.store.as_ref(), &document);
    if before.value.installed_by.is_some() {
        check_only_switched(call, before, document).await?;
    }
    let (head, warnings) = match checks::checked(call, Some(before.value.id), document).await {
        Ok(Sound { definition, warnings }) => (before.value.clone().saying(&definition), warnings),
        Err(Refused::Problems(problems)) if is_switched_off(call, before, document).await? => {
            (Workflow { enabled: false, ..before.value.clone() }, problems)
        }
        Err(refused) => return Err(refused),
    };
    let hash = workflows::definition_hash(document);
    if hash == before.value.hash {
        if let Some(draft) = published {
            workflows::delete_draft(store, call.caller.org, before.value.id, Some(draft.rev)).await?;
        }
        return Ok(saved(call, StatusCode::OK, before, document, &warnings));
    }
    let workflow = Workflow { hash, updated_at: call.management.world.now(), ..head };
    let written = workflows::replace(store, before, &workflow, document, origin(call, restores), published).await;
    written.map_err(|error| refused(error, &workflow))?;
    let changed = Versioned { rev: before.rev + 1, value: workflow };
    Ok(saved(call, StatusCode::OK, &changed, document, &warnings))
}

/// Whether nothing is changed but that the workflow is disabled now, which may be done whatever is wrong with it: it was saved
/// under other checks, and whoever has to stop it cannot mend it first.
async fn is_switched_off(call: &Call<'_>, before: &Versioned<Workflow>, document: &Value) -> Result<bool, Refused> {
    let mut stopped = document_of(call, &before.value.hash).await?;
    if let Some(stopped) = stopped.as_object_mut() {
        stopped.insert("enabled".to_owned(), json!(false));
    }
    Ok(stopped == *document)
}

fn origin(call: &Call<'_>, restores: Option<u64>) -> Origin {
    Origin { by: call.caller.key, restores }
}

/// What an app brought along is the app's; it may be switched on and off.
async fn check_only_switched(call: &Call<'_>, before: &Versioned<Workflow>, document: &Value) -> Result<(), Refused> {
    let live = document_of(call, &before.value.hash).await?;
    let without_switch = |document: &Value| {
        let mut document = document.as_object().cloned().unwrap_or_default();
        document.shift_remove("enabled");
        document
    };
    match without_switch(&live) == without_switch(document) {
        true => Ok(()),
        false => owned_by_nobody("workflow", before.value.installed_by.as_deref()),
    }
}

async fn found(call: &Call<'_>) -> Result<Versioned<Workflow>, Refused> {
    let id = call.id("id", WorkflowId::parse)?;
    let found = workflows::find(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

async fn document_of(call: &Call<'_>, hash: &str) -> Result<Value, Refused> {
    let found = workflows::find_definition(call.management.store.as_ref(), call.caller.org, hash).await?;
    found.ok_or_else(|| {
        let cause = format!("the definition {hash} is not there");
        Refused::Unavailable(Unavailable { port: "store", cause })
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
        WriteError::Conflict { position: NAME_POSITION, found: Some(_) } => {
            let detail = format!(
                "There is a workflow called `{}` already. Names are unique in an org; choose another.",
                workflow.name
            );
            Rejected { path: "$.name".to_owned(), ..Rejected::new(Rejection::Taken, "name_taken", detail) }.into()
        }
        error @ (WriteError::Conflict { .. } | WriteError::Unavailable(_)) => error.into(),
    }
}

/// The workflow, with what its author should know in `meta.warnings`.
fn saved(
    call: &Call<'_>,
    status: StatusCode,
    workflow: &Versioned<Workflow>,
    document: &Value,
    warnings: &[Problem],
) -> Response {
    let resource = workflow_resource(call, workflow, document);
    if warnings.is_empty() {
        return one(status, resource);
    }
    let meta = json!({ "warnings": answer::warnings(warnings) });
    json_response(status, &domain::exact::object([("data", resource), ("meta", meta)]))
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
    let relationships = owned_relationships(call, workflow.installed_by.as_deref());
    resource("workflow", &workflow.id.to_string(), &path, Value::Object(attributes), relationships)
}

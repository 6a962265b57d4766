//! Variables of workflows. A value goes in and is never given out again.

use domain::{Rejected, Rejection, VariableId, WorkflowId};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, not_found},
    resource::{many, one, org_relationship, resource, text},
};
use crate::{
    directory::{
        Versioned,
        variables::{self, NAME_LIMIT_CHARS, VALUE_LIMIT_BYTES, VARIABLES_LIMIT, Variable},
        workflows::{self, Workflow},
    },
    http::answer::empty_response,
};

pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let workflow = workflow(call).await?;
    let id = workflow.value.id;
    let attributes = call.attributes()?;
    let (store, org, now) = (call.management.store.as_ref(), call.caller.org, call.management.world.now());
    if variables::all(store, org, id).await?.len() >= VARIABLES_LIMIT {
        let detail = format!("A workflow has at most {VARIABLES_LIMIT} variables.");
        return Err(Rejected::new(Rejection::Taken, "too_many_variables", detail).into());
    }
    let name = name(&attributes)?.ok_or_else(|| bad_attribute("name", "A variable needs a `name`."))?;
    let value = value(&attributes)?.ok_or_else(|| bad_attribute("value", "A variable needs a `value`, a text."))?;
    let variable =
        Variable { id: VariableId::fresh(now, call.random()?), name, value, created_at: now, updated_at: now };
    variables::create(store, &workflow, &variable).await?;
    Ok(one(StatusCode::CREATED, variable_resource(call, id, &variable)))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let workflow = workflow(call).await?.value.id;
    let all = variables::all(call.management.store.as_ref(), call.caller.org, workflow).await?;
    let resources = all.iter().map(|variable| variable_resource(call, workflow, variable)).collect();
    Ok(many(call, resources, VARIABLES_LIMIT, None))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let (workflow, variable) = found(call).await?;
    Ok(one(StatusCode::OK, variable_resource(call, workflow, &variable.value)))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response, Refused> {
    let (workflow, before) = found(call).await?;
    let attributes = call.attributes()?;
    let mut variable = Variable { updated_at: call.management.world.now(), ..before.value.clone() };
    if let Some(name) = name(&attributes)? {
        variable.name = name;
    }
    if let Some(value) = value(&attributes)? {
        variable.value = value;
    }
    variables::replace(call.management.store.as_ref(), call.caller.org, workflow, &before, &variable).await?;
    Ok(one(StatusCode::OK, variable_resource(call, workflow, &variable)))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    let (workflow, variable) = found(call).await?;
    let now = call.management.world.now();
    variables::delete(call.management.store.as_ref(), call.caller.org, workflow, &variable, now).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

async fn workflow(call: &Call<'_>) -> Result<Versioned<Workflow>, Refused> {
    let id = call.id("id", WorkflowId::parse)?;
    let found = workflows::find(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

async fn found(call: &Call<'_>) -> Result<(WorkflowId, Versioned<Variable>), Refused> {
    let id = call.id("id", VariableId::parse)?;
    let found = variables::find(call.management.store.as_ref(), call.caller.org, id).await?;
    found.ok_or_else(|| not_found().into())
}

fn name(attributes: &Map<String, Value>) -> Result<Option<String>, Refused> {
    let Some(name) = text(attributes, "name")? else { return Ok(None) };
    if name.is_empty() || name.chars().count() > NAME_LIMIT_CHARS {
        return Err(bad_attribute("name", format!("A name has 1 to {NAME_LIMIT_CHARS} characters.")));
    }
    Ok(Some(name))
}

fn value(attributes: &Map<String, Value>) -> Result<Option<String>, Refused> {
    let Some(value) = text(attributes, "value")? else { return Ok(None) };
    if value.is_empty() || value.len() > VALUE_LIMIT_BYTES {
        return Err(bad_attribute("value", format!("A value has 1 to {VALUE_LIMIT_BYTES} bytes.")));
    }
    Ok(Some(value))
}

fn variable_resource(call: &Call<'_>, workflow: WorkflowId, variable: &Variable) -> Value {
    let attributes = json!({
        "name": variable.name,
        "type": "string",
        "maskedValue": variable.masked_value(),
        "reference": format!("/#variables.{}", variable.id),
        "createdAt": variable.created_at,
        "updatedAt": variable.updated_at,
    });
    let mut relationships = org_relationship(call);
    if let Some(relationships) = relationships.as_object_mut() {
        let data = json!({ "data": { "type": "workflow", "id": workflow } });
        relationships.insert("workflow".to_owned(), data);
    }
    let path = format!("/v1/workflow-variables/{}", variable.id);
    resource("workflow_variable", &variable.id.to_string(), &path, attributes, relationships)
}

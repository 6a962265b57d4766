//! Apps that an org has registered: a version comes in as its definition, and can be installed from then on.

use domain::exact;
use engine::Problem as Found;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::{
        Refused, Response,
        call::{Call, not_found},
        resource::{many, org_relationship, resource},
    },
    site,
};
use crate::{
    directory::apps::{self, Available},
    http::answer::{self, Problem, json_response},
    installations::{self, Registered},
};

pub(in super::super) async fn register(call: &Call<'_>) -> Result<Response, Refused> {
    let document = Value::Object(call.attributes()?);
    let Registered { available, definition, warnings } = installations::register(&site(call), &document).await?;
    let resource = app_resource(call, &available, Some((&definition.version.to_string(), &definition.document)));
    Ok(json_response(StatusCode::CREATED, &exact::object([("data", resource), ("meta", meta(warnings))])))
}

pub(in super::super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let all = apps::all_available(call.management.store.as_ref(), call.caller.org).await?;
    let resources: Vec<Value> = all.iter().map(|app| app_resource(call, app, None)).collect();
    let count = resources.len();
    Ok(many(call, resources, count, None))
}

/// The newest version, or the one that `version` names.
pub(in super::super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let (store, org, name) = (call.management.store.as_ref(), call.caller.org, call.param("name"));
    let app = apps::find_available(store, org, name).await?.ok_or_else(not_found)?.value;
    let newest = app.versions.last().cloned().unwrap_or_default();
    let version = call.query("version").unwrap_or(newest);
    let document = apps::find_version(store, org, name, &version).await?.ok_or_else(not_found)?;
    let resource = app_resource(call, &app, Some((&version, &document)));
    Ok(json_response(StatusCode::OK, &exact::object([("data", resource)])))
}

fn meta(warnings: Vec<Found>) -> Value {
    let warnings: Vec<Problem> = warnings.into_iter().map(Problem::from).collect();
    json!({ "warnings": answer::warnings(&warnings) })
}

/// *Shape*: `{"name","title","version","versions":["0.0.1"],"definition":{…},"createdAt","updatedAt"}`.
fn app_resource(call: &Call<'_>, app: &Available, version: Option<(&str, &Value)>) -> Value {
    let newest = app.versions.last().map(String::as_str).unwrap_or_default();
    let (version, definition) = version.map_or((newest, None), |(version, document)| (version, Some(document)));
    let mut attributes = exact::object([
        ("name", json!(app.name)),
        ("title", json!(app.title)),
        ("version", json!(version)),
        ("versions", json!(app.versions)),
        ("dependencies", json!(app.dependencies)),
        ("createdAt", json!(app.created_at)),
        ("updatedAt", json!(app.updated_at)),
    ]);
    if let (Some(definition), Some(attributes)) = (definition, attributes.as_object_mut()) {
        attributes.insert("definition".to_owned(), definition.clone());
    }
    let path = format!("/v1/apps/available/{}", app.name);
    resource("available_app", &app.name, &path, attributes, org_relationship(call))
}

//! Klasses: create, list, read, change, delete.

use domain::{Klass, KlassId, Rejected, Rejection};
use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, not_found, owned_by_nobody},
    resource::{many, one, owned_relationships, resource, text},
};
use crate::{
    directory::{Versioned, klasses},
    http::answer::{Problem, empty_response},
    installations,
    ports::WriteError,
};

pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    let now = call.management.world.now();
    let name =
        text(&attributes, "name")?.ok_or_else(|| bad_attribute("name", "A klass needs a `name`, such as `order`."))?;
    Klass::check_name(&name).map_err(|sentence| bad_attribute("name", format!("{sentence}.")))?;
    let mut klass = Klass {
        id: KlassId::fresh(now, call.random()?),
        org: call.caller.org,
        name,
        display_name: None,
        icon: None,
        color: None,
        metadata: Map::new(),
        installed_by: None,
        created_at: now,
        updated_at: now,
    };
    apply(&mut klass, &attributes)?;
    match klasses::create(call.management.store.as_ref(), &klass).await {
        Ok(()) => Ok(one(StatusCode::CREATED, klass_resource(call, &klass))),
        Err(WriteError::Conflict { .. }) => {
            let detail = format!("There is a klass `{}` already.", klass.name);
            Err(Rejected { path: "$.name".to_owned(), ..Rejected::new(Rejection::Taken, "name_taken", detail) }.into())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = klasses::list(call.management.store.as_ref(), call.caller.org, paging).await?;
    let resources = listing.items.iter().map(|klass| klass_resource(call, klass)).collect();
    Ok(many(call, resources, size, listing.next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    Ok(one(StatusCode::OK, klass_resource(call, &found(call).await?.value)))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response, Refused> {
    let Versioned { rev, value: mut klass } = found(call).await?;
    let attributes = call.attributes()?;
    if attributes.get("name").is_some_and(|name| name.as_str() != Some(&klass.name)) {
        return Err(bad_attribute("name", "A klass's name cannot change, because its instances stand under it."));
    }
    let before = klass.clone();
    apply(&mut klass, &attributes)?;
    check_attributes_of_app(call, &before, &klass).await?;
    klass.updated_at = call.management.world.now();
    klasses::replace(call.management.store.as_ref(), &klass, rev).await?;
    Ok(one(StatusCode::OK, klass_resource(call, &klass)))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    let klass = found(call).await?.value;
    owned_by_nobody("klass", klass.installed_by.as_deref())?;
    klasses::delete(call.management.store.as_ref(), klass.org, &klass.name).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

/// What an app's klass needs stays: its steps write those attributes.
async fn check_attributes_of_app(call: &Call<'_>, before: &Klass, after: &Klass) -> Result<(), Refused> {
    let Some(app) = &before.installed_by else { return Ok(()) };
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let needed = installations::attributes_of(store, org, app, &before.name).await?;
    let properties = after.metadata.get("properties").and_then(Value::as_object);
    let has = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
    let missing: Vec<&str> = needed.iter().map(String::as_str).filter(|name| !has(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "The app {app} needs these attributes of the klass `{}`: {}. Send them back with yours.",
        before.name,
        missing.join(", ")
    );
    Err(Rejected {
        path: "$.metadata.properties".to_owned(),
        ..Rejected::new(Rejection::Taken, "owned_by_app", detail)
    }
    .into())
}

async fn found(call: &Call<'_>) -> Result<Versioned<Klass>, Refused> {
    let name = call.param("name");
    Klass::check_name(name).map_err(|_| not_found())?;
    let found = klasses::find(call.management.store.as_ref(), call.caller.org, name).await?;
    found.ok_or_else(|| not_found().into())
}

fn apply(klass: &mut Klass, attributes: &Map<String, Value>) -> Result<(), Refused> {
    for (name, place) in
        [("displayName", &mut klass.display_name), ("icon", &mut klass.icon), ("color", &mut klass.color)]
    {
        if attributes.contains_key(name) {
            *place = text(attributes, name)?;
        }
    }
    match attributes.get("metadata") {
        None => Ok(()),
        Some(Value::Object(metadata)) => {
            let problems = Klass::check_metadata(metadata);
            if !problems.is_empty() {
                return Err(Refused::Problems(problems.into_iter().map(problem).collect()));
            }
            klass.metadata = metadata.clone();
            Ok(())
        }
        Some(_) => Err(bad_attribute(
            "metadata",
            "`metadata` is an object such as {\"properties\": {\"orderIDStr\": {\"displayName\": \"Order ID\"}}}.",
        )),
    }
}

fn problem((path, sentence): (String, String)) -> Problem {
    Problem { path, code: "bad_attribute".to_owned(), detail: format!("{sentence}."), suggestion: None }
}

fn klass_resource(call: &Call<'_>, klass: &Klass) -> Value {
    let attributes = Value::Object(klass.attributes());
    let relationships = owned_relationships(call, klass.installed_by.as_deref());
    resource("klass", &klass.id.to_string(), &format!("/v1/klasses/{}", klass.name), attributes, relationships)
}

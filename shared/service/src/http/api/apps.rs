//! The built-in apps: which providers there are, and which events each of them tells.

use ::apps::{App, all, find};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Refused, Response,
    call::{Call, not_found},
    resource::{many, one},
};

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let resources: Vec<Value> = all().iter().map(app_resource).collect();
    let count = resources.len();
    Ok(many(call, resources, count, None))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let app = find(call.param("name")).ok_or_else(not_found)?;
    Ok(one(StatusCode::OK, app_resource(app)))
}

fn app_resource(app: &App) -> Value {
    let events: Vec<Value> = app
        .event_specs()
        .iter()
        .map(|event| {
            json!({
                "name": event.name,
                "aliases": event.aliases,
                "displayName": event.display_name,
                "topic": event.topic,
            })
        })
        .collect();
    let methods = if app.methods().is_empty() { json!(["POST"]) } else { json!(app.methods()) };
    json!({
        "type": "app",
        "id": app.name(),
        "attributes": {
            "name": app.name(),
            "displayName": app.display_name(),
            "docs": app.docs(),
            "scheme": app.auth().map(|_| app.name()),
            "methods": methods,
            "replyWithinSeconds": app.reply_within_seconds(),
            "reply": app.reply(),
            "events": events,
        },
        "links": { "self": format!("/v1/apps/{}", app.name()) },
    })
}

//! Apps as they are shown.

use ::apps::App;
use domain::HookKind;
use serde_json::{Map, Value, json};

use super::super::{
    call::Call,
    hooks::{address_of, mail_address},
    resource::{org_relationship, resource},
};
use crate::{
    directory::apps::{Installed, InstalledHook},
    installations::settings,
};

/// A provider that is built in, with its events.
pub(super) fn built_in(app: &App) -> Value {
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
            "source": "built-in",
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

/// An app that the org has installed, with what it brought along; `set` are its settings.
pub(super) fn installed(call: &Call<'_>, app: &Installed, set: &Map<String, Value>) -> Value {
    let event = |hook: &InstalledHook| json!({ "name": hook.event_name, "aliases": [], "displayName": hook.event_name, "topic": Value::Null });
    let settings: Vec<Value> = app.settings.iter().map(|setting| setting.shown()).collect();
    let attributes = domain::exact::object([
        ("name", json!(app.name)),
        ("displayName", json!(app.title)),
        ("source", json!("installed")),
        ("version", json!(app.version)),
        ("state", json!(app.state)),
        ("dependencies", json!(app.dependencies)),
        ("events", Value::Array(app.parts.hooks.iter().map(event).collect())),
        ("hooks", Value::Array(app.parts.hooks.iter().map(|hook| hook_shown(call, hook)).collect())),
        ("workflows", json!(app.parts.workflows)),
        ("klasses", json!(app.parts.klasses)),
        ("settings", Value::Array(settings)),
        ("missingSettings", json!(settings::missing(&app.settings, set))),
        ("createdAt", json!(app.created_at)),
        ("updatedAt", json!(app.updated_at)),
    ]);
    resource("app", &app.name, &format!("/v1/apps/{}", app.name), attributes, org_relationship(call))
}

/// *Shape*: `{"id","type":"form_hook","eventName","url"}`; an email hook has `email` in the place of `url`.
fn hook_shown(call: &Call<'_>, hook: &InstalledHook) -> Value {
    let InstalledHook { event_name, kind, id, hash } = hook;
    let mut shown = json!({ "id": id, "type": kind.type_name(), "eventName": event_name });
    let (key, address) = match kind {
        HookKind::Form | HookKind::Web => ("url", json!(address_of(call, *kind, *hash))),
        HookKind::Email => ("email", json!(mail_address(call, &hash.to_string()))),
    };
    if let Some(shown) = shown.as_object_mut() {
        shown.insert(key.to_owned(), address);
    }
    shown
}

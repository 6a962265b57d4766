//! Hooks: create, list, read, change, delete, and what happened at them.

mod auth;
mod held;
mod history;
mod mail;
mod settings;

use domain::{Hook, HookHash, HookId, HookKind, Rejected, Rejection, Reply};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, mail_not_set_up, not_found, owned_by_nobody},
    resource::{many, one, owned_relationships, resource, text},
};
use crate::{
    directory::{Versioned, hooks},
    hook_settings,
    http::answer::empty_response,
    ports::Unavailable,
};

pub(super) use held::held;
pub(super) use history::{arrivals, duplicates, refusals, transactions};
pub(super) use mail::address_at as mail_address;
pub(super) use settings::read_limit;

const TITLE_LIMIT_CHARS: usize = 256;
const DESCRIPTION_LIMIT_CHARS: usize = 4_096;
const EVENT_NAME_LIMIT_BYTES: usize = 256;

pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let kind = kind(call)?;
    if kind == HookKind::Email && call.management.mail.is_none() {
        return Err(mail_not_set_up().into());
    }
    let attributes = call.attributes()?;
    let now = call.management.world.now();
    let id = HookId::fresh(now, call.random()?);
    let mut hook = Hook::new(id, call.caller.org, kind, HookHash::from_random(call.random()?), now);
    if let Some(event_name) = text(&attributes, "eventName")? {
        hook.event_name = checked_event_name(event_name)?;
    }
    apply(call, &mut hook, &attributes)?;
    if hook.title.is_empty() {
        return Err(bad_attribute("title", "A hook needs a `title`."));
    }
    hooks::create(call.management.store.as_ref(), &hook).await?;
    Ok(one(StatusCode::CREATED, hook_resource(call, &hook)))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = hooks::list(call.management.store.as_ref(), call.caller.org, kind(call)?, paging).await?;
    let resources = listing.items.iter().map(|hook| hook_resource(call, hook)).collect();
    Ok(many(call, resources, size, listing.next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found(call).await?;
    Ok(one(StatusCode::OK, hook_resource(call, &hook.value)))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response, Refused> {
    let before = found(call).await?;
    let mut hook = before.value.clone();
    let attributes = call.attributes()?;
    if text(&attributes, "eventName")?.is_some_and(|name| name != hook.event_name) {
        return Err(bad_attribute(
            "eventName",
            "A hook's event cannot change, because workflows listen to it. Make another hook.",
        ));
    }
    apply(call, &mut hook, &attributes)?;
    hook.updated_at = call.management.world.now();
    hooks::replace(call.management.store.as_ref(), &hook, &before).await?;
    call.management.addresses.forget(hook.hash);
    Ok(one(StatusCode::OK, hook_resource(call, &hook)))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    let Versioned { rev, value: hook } = found(call).await?;
    owned_by_nobody("hook", hook.installed_by.as_deref())?;
    held::none_is_held(call, &hook).await?;
    hooks::delete(call.management.store.as_ref(), &hook, rev, call.management.world.now()).await?;
    call.management.addresses.forget(hook.hash);
    Ok(empty_response(StatusCode::NO_CONTENT))
}

fn kind(call: &Call<'_>) -> Result<HookKind, Refused> {
    match call.param("kind") {
        "form" => Ok(HookKind::Form),
        "web" => Ok(HookKind::Web),
        "email" => Ok(HookKind::Email),
        _ => {
            let detail = "Hooks are of the kinds `form`, `web` and `email`.";
            Err(Rejected::new(Rejection::NotFound, "unknown_kind", detail).into())
        }
    }
}

pub(super) async fn found(call: &Call<'_>) -> Result<Versioned<Hook>, Refused> {
    found_of(call, kind(call)?).await
}

/// The hook of `kind` that the path names, where only one kind of hooks has such a path.
pub(super) async fn found_of(call: &Call<'_>, kind: HookKind) -> Result<Versioned<Hook>, Refused> {
    let id = call.id("id", HookId::parse)?;
    let found: Result<Option<Versioned<Hook>>, Unavailable> =
        hooks::find(call.management.store.as_ref(), call.caller.org, kind, id).await;
    found?.ok_or_else(|| not_found().into())
}

/// The keys that may change in a hook's life.
fn apply(call: &Call<'_>, hook: &mut Hook, attributes: &Map<String, Value>) -> Result<(), Refused> {
    mail::apply(hook, attributes)?;
    if let Some(title) = text(attributes, "title")? {
        hook.title = limited("title", title.trim().to_owned(), TITLE_LIMIT_CHARS)?;
        if hook.title.is_empty() {
            return Err(bad_attribute("title", "A hook needs a `title`."));
        }
    }
    if attributes.contains_key("description") {
        hook.description = match text(attributes, "description")? {
            Some(text) => Some(limited("description", text, DESCRIPTION_LIMIT_CHARS)?),
            None => None,
        };
    }
    match attributes.get("debug") {
        None => {}
        Some(Value::Bool(true)) => hook.start_debugging(call.management.world.now()),
        Some(Value::Bool(false)) => hook.stop_debugging(),
        Some(_) => return Err(bad_attribute("debug", "`debug` is true or false.")),
    }
    if let Some(reply) = attributes.get("reply") {
        hook.reply = checked_reply(reply)?;
    }
    if let Some(value) = attributes.get("auth") {
        auth::apply(hook, value, call.management.world.now())?;
    }
    settings::apply(call, hook, attributes)
}

fn checked_reply(reply: &Value) -> Result<Option<Reply>, Refused> {
    const SENTENCE: &str = "`reply` is an object such as {\"status\": 303, \"location\": \"https://shop.example/thanks\"}, with status, body, contentType, location and waitSeconds.";
    let Some(reply) = settings::read::<Reply>("reply", &hook_settings::REPLY, reply, SENTENCE)? else {
        return Ok(None);
    };
    reply.check().map_err(|sentence| bad_attribute("reply", format!("{sentence}.")))?;
    Ok(Some(reply))
}

fn checked_event_name(event_name: String) -> Result<String, Refused> {
    let words = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if event_name.starts_with("kustomer.")
        && event_name.len() <= EVENT_NAME_LIMIT_BYTES
        && event_name.chars().all(words)
    {
        Ok(event_name)
    } else {
        Err(bad_attribute(
            "eventName",
            format!(
                "An event name begins with `kustomer.`, goes on with letters, digits, `.`, `-` and `_`, and has at most {EVENT_NAME_LIMIT_BYTES} characters."
            ),
        ))
    }
}

fn limited(name: &str, text: String, limit_chars: usize) -> Result<String, Refused> {
    if text.chars().count() > limit_chars {
        return Err(bad_attribute(name, format!("`{name}` has at most {limit_chars} characters.")));
    }
    Ok(text)
}

/// The address a sender uses. *Source*: the shapes of the product's interfaces: a webhook's has no org in it.
pub(super) fn address(call: &Call<'_>, hook: &Hook) -> String {
    address_of(call, hook.kind, hook.hash)
}

/// The same of a hook of the caller's org that is known by its kind and hash.
pub(super) fn address_of(call: &Call<'_>, kind: HookKind, hash: HookHash) -> String {
    let (base, org) = (call.base_url(), call.caller.org);
    match kind {
        HookKind::Web => format!("{base}/v1/hooks/web/{hash}"),
        HookKind::Form | HookKind::Email => format!("{base}/v1/hooks/{}/{org}/{hash}", kind.word()),
    }
}

fn hook_resource(call: &Call<'_>, hook: &Hook) -> Value {
    let path = format!("/v1/hooks/{}/{}", hook.kind.word(), hook.id);
    let mut attributes = json!({
        "title": hook.title,
        "description": hook.description,
        "eventName": hook.event_name,
        "hash": hook.hash,
        "debug": hook.is_debugging(call.management.world.now()),
        "createdAt": hook.created_at,
        "updatedAt": hook.updated_at,
    });
    if let Some(attributes) = attributes.as_object_mut() {
        match hook.kind {
            HookKind::Email => mail::show(call, hook, attributes),
            HookKind::Form | HookKind::Web => {
                attributes.insert("url".to_owned(), json!(address(call, hook)));
            }
        }
        if let Some(reply) = &hook.reply {
            attributes.insert("reply".to_owned(), json!(reply));
        }
        settings::show(hook, attributes);
    }
    let relationships = owned_relationships(call, hook.installed_by.as_deref());
    resource(hook.kind.type_name(), &hook.id.to_string(), &path, attributes, relationships)
}

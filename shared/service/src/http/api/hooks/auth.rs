//! The `auth` attribute of a webhook: how it is written, and what of it is shown.
//!
//! Secrets go in and never come out. A change names what changes; a new scheme begins with nothing.

use domain::{Auth, BEARER, Hook, HookKind, SECRETS_LIMIT, Secret, Timestamp};
use serde_json::{Map, Value, json};

use super::super::{Refused, call::bad_attribute};
use crate::{
    hook_settings,
    senders::{SCHEMES, check_auth},
};

/// The most bytes of a secret. *Why*: longer than any provider's, and five of them stay far below an item of the store.
const SECRET_LIMIT_BYTES: usize = 4_096;

/// The most bytes of any other text.
const TEXT_LIMIT_BYTES: usize = 8_192;

/// The most public keys or topics.
const LIST_LIMIT: usize = 10;

/// What may be sent back as it is shown, and changes nothing.
const SHOWN: [&str; 2] = ["secretCount", "hasVerifyToken"];

/// Puts what `value` says into the hook.
///
/// *Errors*: what is wrong with it, at its path.
pub(super) fn apply(hook: &mut Hook, value: &Value, now: Timestamp) -> Result<(), Refused> {
    if hook.kind != HookKind::Web {
        return Err(bad_attribute("auth", "Only webhooks have `auth`; a form hook has a `guard`."));
    }
    let Value::Object(given) = value else {
        if value.is_null() {
            set(hook, None);
            return Ok(());
        }
        return Err(bad_attribute(
            "auth",
            "`auth` is an object such as {\"scheme\": \"shopify\", \"secrets\": [\"…\"]}.",
        ));
    };
    let known = hook_settings::AUTH;
    if let Some(unknown) = given.keys().find(|key| !known.contains(&key.as_str()) && !SHOWN.contains(&key.as_str())) {
        return Err(bad(unknown, &format!("`auth` has no `{unknown}`; it has {}.", known.join(", "))));
    }
    let before = hook.auth.clone();
    let named = text(given, "scheme")?;
    let scheme = named.unwrap_or_else(|| before.as_ref().map_or(BEARER, |auth| auth.scheme.as_str()).to_owned());
    if !SCHEMES.contains(&scheme) {
        return Err(bad("scheme", &format!("The scheme is one of {}.", SCHEMES.join(", "))));
    }
    let mut auth = before.filter(|before| before.scheme == scheme).unwrap_or_else(|| Auth::of(&scheme));
    apply_secrets(&mut auth, given, now)?;
    apply_rest(&mut auth, given)?;
    if ["none", BEARER].contains(&auth.scheme.as_str()) && !auth.secrets.is_empty() {
        // Kept, they would look as if they protected something.
        return Err(bad("secrets", &format!("The scheme `{}` has no secrets.", auth.scheme)));
    }
    check_auth(&auth).map_err(|(setting, sentence)| bad(setting, &sentence))?;
    set(hook, Some(auth));
    Ok(())
}

/// What is shown of it.
pub(super) fn shown(auth: Option<&Auth>) -> Value {
    let bearer = Auth::of(BEARER);
    let auth = auth.unwrap_or(&bearer);
    let mut shown = Map::new();
    let mut show = |key: &str, value: Value| {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            shown.insert(key.to_owned(), value);
        }
    };
    show("scheme", json!(auth.scheme));
    if auth.scheme != BEARER {
        show("secretCount", json!(auth.secrets.len()));
    }
    show("toleranceSeconds", json!(auth.tolerance_seconds));
    show("header", json!(auth.header));
    show("publicKeys", json!(auth.public_keys));
    show("url", json!(auth.url));
    show("issuer", json!(auth.issuer));
    show("audience", json!(auth.audience));
    show("jwksUrl", json!(auth.jwks_url));
    show("email", json!(auth.email));
    show("subject", json!(auth.subject));
    show("topicArns", json!(auth.topic_arns));
    if auth.verify_token.is_some() {
        show("hasVerifyToken", json!(true));
    }
    Value::Object(shown)
}

/// Sets the scheme, and with it the app that the hook has by its scheme.
fn set(hook: &mut Hook, auth: Option<Auth>) {
    let app_of =
        |auth: &Option<Auth>| auth.as_ref().and_then(|auth| apps::find(&auth.scheme)).map(|app| app.name().to_owned());
    if hook.app == app_of(&hook.auth) {
        hook.app = app_of(&auth);
    }
    hook.auth = auth;
}

fn apply_secrets(auth: &mut Auth, given: &Map<String, Value>, now: Timestamp) -> Result<(), Refused> {
    let has = |key: &str| given.get(key).is_some_and(|value| !value.is_null());
    if has("secrets") && has("addSecrets") {
        return Err(bad("addSecrets", "Give `secrets` to replace the present ones, or `addSecrets` to add to them."));
    }
    if has("secrets") {
        auth.replace_secrets(secrets(given, "secrets")?, now);
    }
    if has("addSecrets") {
        let mut all = secrets(given, "addSecrets")?;
        all.extend(auth.secrets.iter().filter(|old| !all.contains(old)).cloned().collect::<Vec<_>>());
        all.truncate(SECRETS_LIMIT);
        auth.replace_secrets(all, now);
    }
    if let Some(value) = given.get("verifyToken") {
        auth.verify_token = secret(value);
        if auth.verify_token.is_none() && !value.is_null() {
            return Err(bad("verifyToken", &secret_sentence("verifyToken")));
        }
    }
    Ok(())
}

fn apply_rest(auth: &mut Auth, given: &Map<String, Value>) -> Result<(), Refused> {
    match given.get("toleranceSeconds") {
        None => {}
        Some(Value::Null) => auth.tolerance_seconds = None,
        Some(value) => {
            let wrong = || bad("toleranceSeconds", "`toleranceSeconds` is a whole number from 1 to 86400.");
            auth.tolerance_seconds = Some(value.as_i64().filter(|s| (1..=86_400).contains(s)).ok_or_else(wrong)?);
        }
    }
    for (key, place) in [
        ("header", &mut auth.header),
        ("url", &mut auth.url),
        ("issuer", &mut auth.issuer),
        ("audience", &mut auth.audience),
        ("jwksUrl", &mut auth.jwks_url),
        ("email", &mut auth.email),
        ("subject", &mut auth.subject),
    ] {
        if given.contains_key(key) {
            *place = text(given, key)?;
        }
    }
    for (key, url) in [("url", &auth.url), ("jwksUrl", &auth.jwks_url)] {
        let is_url = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if url.as_deref().is_some_and(|url| !is_url(url)) {
            return Err(bad(key, &format!("`{key}` is an address that begins with https://.")));
        }
    }
    for (key, url) in [("issuer", &auth.issuer), ("jwksUrl", &auth.jwks_url)] {
        let is_plain = url.as_deref().is_some_and(|url| url.starts_with("http://") && !is_on_this_machine(url));
        if is_plain {
            return Err(bad(key, &format!("Keys are fetched over https only: let `{key}` begin with https://.")));
        }
    }
    if let Some(key) = text(given, "publicKey")? {
        auth.public_keys = vec![key];
    }
    for (key, place) in [("publicKeys", &mut auth.public_keys), ("topicArns", &mut auth.topic_arns)] {
        if let Some(value) = given.get(key) {
            *place = texts(key, value)?;
        }
    }
    Ok(())
}

/// As local mode has them.
fn is_on_this_machine(url: &str) -> bool {
    let rest = url.strip_prefix("http://").unwrap_or_default();
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

fn secrets(given: &Map<String, Value>, key: &str) -> Result<Vec<Secret>, Refused> {
    let wrong = || bad(key, &secret_sentence(key));
    let list = given.get(key).and_then(Value::as_array).ok_or_else(wrong)?;
    if list.len() > SECRETS_LIMIT {
        return Err(wrong());
    }
    list.iter().map(|value| secret(value).ok_or_else(wrong)).collect()
}

fn secret(value: &Value) -> Option<Secret> {
    let text = value.as_str().filter(|text| !text.is_empty() && text.len() <= SECRET_LIMIT_BYTES)?;
    Some(Secret::new(text.to_owned()))
}

/// It never quotes what was sent.
fn secret_sentence(key: &str) -> String {
    match key {
        "verifyToken" => format!("`verifyToken` is a text of 1 to {SECRET_LIMIT_BYTES} bytes."),
        _ => format!("`{key}` is a list of at most {SECRETS_LIMIT} texts of 1 to {SECRET_LIMIT_BYTES} bytes each."),
    }
}

fn text(given: &Map<String, Value>, key: &str) -> Result<Option<String>, Refused> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= TEXT_LIMIT_BYTES => Ok(Some(text.clone())),
        Some(_) => Err(bad(key, &format!("`{key}` is a text of 1 to {TEXT_LIMIT_BYTES} bytes."))),
    }
}

fn texts(key: &str, value: &Value) -> Result<Vec<String>, Refused> {
    let wrong = || bad(key, &format!("`{key}` is a list of at most {LIST_LIMIT} texts."));
    match value.as_array() {
        None if value.is_null() => Ok(Vec::new()),
        Some(list) if list.len() <= LIST_LIMIT => {
            let text = |value: &Value| {
                value.as_str().filter(|text| !text.is_empty() && text.len() <= TEXT_LIMIT_BYTES).map(str::to_owned)
            };
            list.iter().map(|value| text(value).ok_or_else(wrong)).collect()
        }
        Some(_) | None => Err(wrong()),
    }
}

fn bad(key: &str, sentence: &str) -> Refused {
    bad_attribute(&format!("auth.{key}"), sentence)
}

//! Hooks of a project beside those of an org: both as the settings that they have, without what is so anyway.
//!
//! | said in a file | the same as |
//! | --- | --- |
//! | nothing, `null`, `[]` | what a hook has without the setting |
//! | `auth` `{"scheme": "bearer"}` | no `auth` |
//! | `app` and `methods` of the scheme | no `app`, no `methods` |
//! | `reply` without `status` | `status` 202 |
//! | `tape` `false`, members of `mail` as every hook has them | nothing |
//!
//! Secrets are in no file, and an update leaves those that a hook has.

use domain::{BEARER, Hook, HookId, HookKind, MailRule};
use serde_json::{Map, Value, json};

/// What the API shows in the place of secrets.
const SHOWN_ONLY: [&str; 4] = ["secretCount", "hasVerifyToken", "hasTurnstileSecret", "hasRecaptchaSecret"];

/// Settings that are sent as they are.
const PLAIN: [&str; 5] = ["limit", "addressLimit", "duplicates", "reply", "uploads"];

/// The kind that `word` names.
pub(crate) fn kind_of(word: &str) -> Option<HookKind> {
    [HookKind::Form, HookKind::Web, HookKind::Email].into_iter().find(|kind| kind.word() == word)
}

/// The settings that a document has, be it a file's or what an API shows of a hook of `kind`.
pub(crate) fn settings(kind: HookKind, given: &Map<String, Value>) -> Map<String, Value> {
    let mut settings = Map::new();
    let mut put = |key: &str, value: Option<Value>| settings.extend(value.map(|value| (key.to_owned(), value)));
    let pruned_at = |key: &str| given.get(key).and_then(pruned);
    put("kind", Some(json!(kind.word())));
    put("title", given.get("title").and_then(Value::as_str).map(|title| json!(title.trim())));
    for key in ["description", "eventName"] {
        put(key, given.get(key).filter(|value| !value.is_null()).cloned());
    }
    if kind == HookKind::Web {
        let auth = auth(given);
        let scheme = auth.get("scheme").and_then(Value::as_str).unwrap_or(BEARER).to_owned();
        let of_scheme = json!(apps::find(&scheme).map(apps::App::name));
        let app = given.get("app").unwrap_or(&of_scheme);
        put("app", (*app != of_scheme).then(|| app.clone()));
        put("methods", methods(given.get("methods"), app.as_str(), &scheme));
        put("auth", (Value::Object(auth.clone()) != json!({ "scheme": BEARER })).then_some(Value::Object(auth)));
    }
    for key in PLAIN {
        put(key, pruned_at(key));
    }
    put("guard", guard(given.get("guard")));
    put("tape", given.get("tape").filter(|tape| **tape == json!(true)).cloned());
    put("mail", mail(given.get("mail")));
    if let Some(Value::Object(reply)) = settings.get_mut("reply") {
        reply.entry("status").or_insert(json!(202));
    }
    settings
}

/// The settings of the hook that an API shows; the event that every hook has by its id is none of them.
pub(crate) fn settings_shown(kind: HookKind, id: &str, shown: &Map<String, Value>) -> Map<String, Value> {
    let mut settings = settings(kind, shown);
    let standard = HookId::parse(id).map(|id| Hook::standard_event_name(kind, id));
    if standard.is_ok_and(|standard| settings.get("eventName") == Some(&json!(standard))) {
        settings.shift_remove("eventName");
    }
    settings
}

/// What an API is sent for a new hook.
pub(crate) fn draft(settings: &Map<String, Value>, secrets: Option<&Map<String, Value>>) -> Map<String, Value> {
    let mut draft = settings.clone();
    draft.shift_remove("kind");
    for (key, value) in secrets.into_iter().flatten() {
        let place = match key.as_str() {
            "secrets" | "verifyToken" => draft.entry("auth").or_insert_with(|| json!({})),
            "turnstileSecret" | "recaptchaSecret" => draft.entry("guard").or_insert_with(|| json!({})),
            _ => {
                draft.insert(key.clone(), value.clone());
                continue;
            }
        };
        if let Some(place) = place.as_object_mut() {
            place.insert(key.clone(), value.clone());
        }
    }
    draft
}

/// What an API is sent to make `after` of `before`, the settings of a hook that it shows as `shown`. The event is not
/// among it, since no hook's event changes.
pub(crate) fn change(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    shown: &Map<String, Value>,
    secrets: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    let is_other = |key: &str| before.get(key) != after.get(key);
    let mut change = Map::new();
    for key in ["title", "description", "methods"].into_iter().chain(PLAIN).filter(|key| is_other(key)) {
        change.insert(key.to_owned(), after.get(key).cloned().unwrap_or_default());
    }
    if is_other("auth") || is_other("app") {
        let (old, new) = (auth(before), auth(after));
        let scheme = new.get("scheme").and_then(Value::as_str).unwrap_or(BEARER).to_owned();
        let of_scheme = json!(apps::find(&scheme).map(apps::App::name));
        change.insert("auth".to_owned(), Value::Object(auth_change(&old, new, secrets)));
        change.insert("app".to_owned(), after.get("app").cloned().unwrap_or(of_scheme));
    }
    if is_other("guard") {
        // An empty guard keeps the secrets that the hook has; without any there is none.
        let keeps = SHOWN_ONLY.iter().any(|key| shown.get("guard").is_some_and(|guard| guard.get(key).is_some()));
        let nothing = if keeps { json!({}) } else { Value::Null };
        change.insert("guard".to_owned(), after.get("guard").cloned().unwrap_or(nothing));
    }
    if is_other("tape") {
        change.insert("tape".to_owned(), json!(after.contains_key("tape")));
    }
    if is_other("mail") {
        change.insert("mail".to_owned(), Value::Object(whole_mail(after.get("mail"))));
    }
    change
}

/// Whether another scheme, or a first one, asks for secrets that only the owner of the hook has.
pub(crate) fn has_new_scheme(before: Option<&Map<String, Value>>, after: &Map<String, Value>) -> bool {
    before.is_none_or(|before| auth(before).get("scheme") != auth(after).get("scheme"))
}

fn auth_change(
    before: &Map<String, Value>,
    after: Map<String, Value>,
    secrets: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    let mut change = after;
    if before.get("scheme") == change.get("scheme") {
        let gone: Vec<String> = before.keys().filter(|key| !change.contains_key(*key)).cloned().collect();
        change.extend(gone.into_iter().map(|key| (key, Value::Null)));
    } else {
        change.extend(secrets.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    }
    change
}

/// The `auth` of the document, with its scheme and without what is only shown.
fn auth(given: &Map<String, Value>) -> Map<String, Value> {
    let mut auth = given.get("auth").and_then(pruned).and_then(|auth| auth.as_object().cloned()).unwrap_or_default();
    if let Some(key) = auth.shift_remove("publicKey") {
        auth.insert("publicKeys".to_owned(), json!([key]));
    }
    auth.entry("scheme").or_insert_with(|| json!(BEARER));
    auth
}

/// The methods, unless they are those that a hook of this app and scheme has anyway.
fn methods(given: Option<&Value>, app: Option<&str>, scheme: &str) -> Option<Value> {
    let takes_query = service::senders::scheme(scheme).is_none_or(|scheme| scheme.vouches_for_query());
    let of_app = app.and_then(apps::find).map_or(&[][..], apps::App::methods);
    let standard = of_app.iter().map(String::as_str).chain(of_app.is_empty().then_some("POST"));
    let mut standard: Vec<&str> = standard.filter(|method| takes_query || *method != "GET").collect();
    let list = given.and_then(pruned)?;
    let mut methods: Vec<&str> = list.as_array()?.iter().filter_map(Value::as_str).collect();
    methods.sort_unstable();
    standard.sort_unstable();
    (methods != standard).then(|| json!(methods))
}

fn guard(given: Option<&Value>) -> Option<Value> {
    let mut guard = pruned(given?)?;
    if let Some(score) = guard.get_mut("recaptchaMinimumScore")
        && let Some(number) = score.as_f64()
    {
        // As a server keeps it, which is in hundredths.
        *score = json!((number * 100.0).round() / 100.0);
    }
    Some(guard)
}

/// The members of `mail` that are not as every email hook has them.
fn mail(given: Option<&Value>) -> Option<Value> {
    let standard = standard_mail();
    let mut mail = given?.as_object()?.clone();
    if let Some(Value::Object(policy)) = mail.get_mut("policy") {
        policy.retain(|key, value| standard.get("policy").and_then(|policy| policy.get(key)) != Some(value));
    }
    mail.retain(|key, value| standard.get(key) != Some(value) && !value.as_object().is_some_and(Map::is_empty));
    (!mail.is_empty()).then_some(Value::Object(mail))
}

/// All members of `mail`.
fn whole_mail(named: Option<&Value>) -> Map<String, Value> {
    let mut whole = standard_mail();
    for (key, value) in named.and_then(Value::as_object).into_iter().flatten() {
        match (whole.get_mut(key), value) {
            (Some(Value::Object(policy)), Value::Object(named)) => policy.extend(named.clone()),
            (_, value) => {
                whole.insert(key.clone(), value.clone());
            }
        }
    }
    whole
}

fn standard_mail() -> Map<String, Value> {
    json!(MailRule::default()).as_object().cloned().unwrap_or_default()
}

/// The value without members that say nothing; nothing where none is left.
fn pruned(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(list) => (!list.is_empty()).then(|| value.clone()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
        Value::Object(map) => {
            let says = |key: &str, value: &Value| !SHOWN_ONLY.contains(&key) && *value != json!(false);
            let members = map.iter().filter(|(key, value)| says(key, value));
            let kept: Map<String, Value> =
                members.filter_map(|(key, value)| Some((key.clone(), pruned(value)?))).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6a1f2e3d4c5b6a7980a1b2c3";

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn shown(kind: HookKind, value: Value) -> Map<String, Value> {
        settings_shown(kind, ID, &map(value))
    }

    #[test]
    fn what_a_hook_has_anyway_is_no_setting() {
        let event = format!("kustomer.hooks.web.{ID}.receive");
        let web = json!({"title": "Shop", "description": null, "eventName": event, "hash": "x", "debug": false, "url": "u",
            "auth": {"scheme": "bearer"}, "app": null, "methods": ["POST"], "createdAt": "t", "updatedAt": "t"});
        assert_eq!(Value::Object(shown(HookKind::Web, web)), json!({"kind": "web", "title": "Shop"}));
        let shopify = json!({"title": "Shop", "eventName": "kustomer.app.a.b", "app": "shopify", "methods": ["POST"],
            "auth": {"scheme": "shopify", "secretCount": 2, "hasVerifyToken": true}});
        let told =
            json!({"kind": "web", "title": "Shop", "eventName": "kustomer.app.a.b", "auth": {"scheme": "shopify"}});
        assert_eq!(Value::Object(shown(HookKind::Web, shopify)), told);
        let email = json!({"title": "Mails", "key": "secret-key-of-16", "email": "a@b", "mail": {"bodies": [], "senders": ["a.example"],
            "policy": {"spam": "quarantine", "dmarc": "drop", "unauthenticated": "quarantine"}, "decodeEntities": false, "attachments": true}});
        let told =
            json!({"kind": "email", "title": "Mails", "mail": {"senders": ["a.example"], "policy": {"dmarc": "drop"}}});
        assert_eq!(Value::Object(shown(HookKind::Email, email)), told);
        let form = json!({"title": " F ", "guard": {"hasTurnstileSecret": true, "recaptchaMinimumScore": 0.57, "originLock": false},
            "duplicates": false, "tape": true, "limit": {"requests": 1, "seconds": 2}});
        let told = json!({"kind": "form", "title": "F", "limit": {"requests": 1, "seconds": 2}, "duplicates": false,
            "guard": {"recaptchaMinimumScore": 0.57}, "tape": true});
        assert_eq!(Value::Object(shown(HookKind::Form, form)), told);
    }

    #[test]
    fn a_change_names_what_changes_and_takes_back_what_is_gone() {
        let settings = |value: Value| settings(HookKind::Web, &map(value));
        let auth = |issuer: Value| json!({"scheme": "jwt", "issuer": issuer, "audience": "a"});
        let before = settings(
            json!({"title": "A", "tape": true, "auth": auth(json!("https://i.example")), "limit": {"requests": 1, "seconds": 2}}),
        );
        let after = settings(json!({"title": "A", "auth": auth(Value::Null), "description": "d"}));
        let sent = Value::Object(change(&before, &after, &Map::new(), None));
        assert_eq!(
            sent,
            json!({"description": "d", "limit": null, "app": null, "tape": false,
            "auth": {"scheme": "jwt", "audience": "a", "issuer": null}})
        );
        assert!(change(&after, &after, &Map::new(), None).is_empty());

        let shopify = settings(json!({"title": "A", "auth": {"scheme": "shopify"}}));
        let secrets = map(json!({"secrets": ["s3cret"]}));
        let sent = Value::Object(change(&before, &shopify, &Map::new(), Some(&secrets)));
        assert_eq!(
            (&sent["auth"], &sent["app"]),
            (&json!({"scheme": "shopify", "secrets": ["s3cret"]}), &json!("shopify"))
        );
    }

    #[test]
    fn a_guard_that_goes_leaves_the_secrets_that_the_hook_has() {
        let settings = |value: Value| settings(HookKind::Form, &map(value));
        let before = settings(json!({"title": "A", "guard": {"honeypot": "h"}}));
        let after = settings(json!({"title": "A"}));
        for (guard, sent) in
            [(json!({"honeypot": "h", "hasTurnstileSecret": true}), json!({})), (json!({"honeypot": "h"}), Value::Null)]
        {
            let sent_guard = change(&before, &after, &map(json!({"guard": guard})), None);
            assert_eq!(Value::Object(sent_guard), json!({ "guard": sent }));
        }
    }

    #[test]
    fn secrets_go_where_the_api_takes_them() {
        let form = map(json!({"kind": "form", "title": "A", "guard": {"honeypot": "h"}}));
        let secrets = map(json!({"turnstileSecret": "t"}));
        assert_eq!(
            Value::Object(draft(&form, Some(&secrets))),
            json!({"title": "A", "guard": {"honeypot": "h", "turnstileSecret": "t"}})
        );
        let email = map(json!({"kind": "email", "title": "A"}));
        assert_eq!(Value::Object(draft(&email, Some(&map(json!({"key": "k"}))))), json!({"title": "A", "key": "k"}));
    }
}

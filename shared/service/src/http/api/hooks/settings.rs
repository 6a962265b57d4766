//! What guards a hook's address beside `auth`: limits, repeats, methods, the guard of a form, uploads; the tape and the pause.

use domain::{DuplicateRule, Duplicates, Guard, Hook, HookKind, Limit, UPLOAD_LIMIT_BYTES, UploadRule};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::{
    Refused,
    call::{Call, bad_attribute},
    resource::text,
};
use crate::{guard, hook_settings, http::web, senders::may_take_query};

const METHODS: [&str; 3] = ["GET", "POST", "PUT"];

/// The score of reCAPTCHA as it is kept.
const KEPT_SCORE: &str = "recaptchaMinimumPercent";

/// Puts what `attributes` say into the hook; what they do not name stays.
pub(super) fn apply(call: &Call<'_>, hook: &mut Hook, attributes: &Map<String, Value>) -> Result<(), Refused> {
    apply_web(hook, attributes)?;
    for (key, place) in [("limit", &mut hook.limit), ("addressLimit", &mut hook.address_limit)] {
        if let Some(value) = attributes.get(key) {
            *place = read_limit(key, value)?;
        }
    }
    if let Some(value) = attributes.get("duplicates") {
        hook.duplicates = duplicates(value)?;
    }
    for (key, place) in [("tape", &mut hook.tape), ("paused", &mut hook.paused)] {
        match attributes.get(key) {
            None => {}
            Some(Value::Bool(is_on)) => *place = *is_on,
            Some(_) => return Err(bad_attribute(key, format!("`{key}` is true or false."))),
        }
    }
    apply_form(call, hook, attributes)
}

/// What is shown of it, in the attributes of the hook.
pub(super) fn show(hook: &Hook, attributes: &mut Map<String, Value>) {
    let mut put = |key: &str, value: Value| {
        attributes.insert(key.to_owned(), value);
    };
    if hook.kind == HookKind::Web {
        put("auth", super::auth::shown(hook.auth.as_ref()));
        put("app", json!(hook.app));
        let app = hook.app.as_deref().and_then(apps::find);
        put("methods", json!(web::methods(hook, app).collect::<Vec<_>>()));
    }
    if let Some(limit) = &hook.limit {
        put("limit", json!(limit));
    }
    if let Some(limit) = &hook.address_limit {
        put("addressLimit", json!(limit));
    }
    match &hook.duplicates {
        None => {}
        Some(DuplicateRule::Taken) => put("duplicates", json!(false)),
        Some(DuplicateRule::Suppressed(duplicates)) => put("duplicates", json!(duplicates)),
    }
    if hook.tape {
        put("tape", json!(true));
    }
    if hook.paused {
        put("paused", json!(true));
    }
    if let Some(guard) = &hook.guard {
        put("guard", shown_guard(guard));
    }
    if let Some(uploads) = &hook.uploads {
        put("uploads", json!(uploads));
    }
}

fn apply_web(hook: &mut Hook, attributes: &Map<String, Value>) -> Result<(), Refused> {
    let named: Vec<&str> = ["app", "methods"].into_iter().filter(|key| attributes.contains_key(*key)).collect();
    if let (Some(key), true) = (named.first(), hook.kind != HookKind::Web) {
        return Err(bad_attribute(key, format!("Only webhooks have `{key}`.")));
    }
    if attributes.contains_key("app") {
        hook.app = text(attributes, "app")?;
        if hook.app.as_deref().is_some_and(|name| apps::find(name).is_none()) {
            let names: Vec<&str> = apps::all().iter().map(apps::App::name).collect();
            return Err(bad_attribute("app", format!("The app is one of {}.", names.join(", "))));
        }
    }
    if let Some(value) = attributes.get("methods") {
        let wrong = || bad_attribute("methods", "`methods` is a list out of \"GET\", \"POST\" and \"PUT\".");
        let list = match value.as_array() {
            None if value.is_null() => &[][..],
            list => list.filter(|list| list.len() <= METHODS.len()).ok_or_else(wrong)?,
        };
        let known = |value: &Value| METHODS.iter().find(|method| value == **method).map(|m| (*m).to_owned());
        hook.methods = list.iter().map(|value| known(value).ok_or_else(wrong)).collect::<Result<_, Refused>>()?;
    }
    if hook.methods.iter().any(|method| method == "GET") && !may_take_query(hook) {
        let detail = "A `GET` brings its data in the query, and this hook's scheme signs bodies only. Take \"POST\" or \"PUT\"; handshakes need no method.";
        return Err(bad_attribute("methods", detail));
    }
    Ok(())
}

fn apply_form(call: &Call<'_>, hook: &mut Hook, attributes: &Map<String, Value>) -> Result<(), Refused> {
    let named: Vec<&str> = ["guard", "uploads"].into_iter().filter(|key| attributes.contains_key(*key)).collect();
    if let (Some(key), true) = (named.first(), hook.kind != HookKind::Form) {
        return Err(bad_attribute(key, format!("Only form hooks have `{key}`.")));
    }
    if let Some(value) = attributes.get("guard") {
        hook.guard = match guard(value, hook.guard.as_ref())? {
            None => None,
            Some(guard) => {
                let world = call.management.world.as_ref();
                Some(guard::with_challenge_key(guard, hook.guard.as_ref(), world)?)
            }
        };
    }
    if let Some(value) = attributes.get("uploads") {
        let sentence = format!(
            "`uploads` is an object such as {{\"limitBytes\": 26214400}}, at most {UPLOAD_LIMIT_BYTES}, or null."
        );
        hook.uploads = read::<UploadRule>("uploads", &hook_settings::UPLOADS, value, &sentence)?;
        if hook.uploads.is_some_and(|rule| !(1..=UPLOAD_LIMIT_BYTES).contains(&rule.limit_bytes)) {
            return Err(bad_attribute("uploads.limitBytes", sentence));
        }
    }
    Ok(())
}

fn duplicates(value: &Value) -> Result<Option<DuplicateRule>, Refused> {
    const SENTENCE: &str = "`duplicates` is an object such as {\"windowSeconds\": 86400, \"fields\": [\"orderId\"]}, or false to take every arrival.";
    if *value == Value::Bool(false) {
        return Ok(Some(DuplicateRule::Taken));
    }
    let Some(rule) = read::<Duplicates>("duplicates", &hook_settings::DUPLICATES, value, SENTENCE)? else {
        return Ok(None);
    };
    rule.check().map_err(|sentence| bad_attribute("duplicates", format!("{sentence}.")))?;
    Ok(Some(DuplicateRule::Suppressed(rule)))
}

/// The guard as it is written: the score of reCAPTCHA is a number from 0 to 1, secrets that are not named stay.
fn guard(value: &Value, before: Option<&Guard>) -> Result<Option<Guard>, Refused> {
    const SENTENCE: &str = "`guard` is an object with any of origins, originLock, honeypot, minimumFillSeconds, proofOfWorkBits, turnstileSecret, recaptchaSecret, recaptchaMinimumScore, or null.";
    let mut value = value.clone();
    let Value::Object(map) = &mut value else {
        return if value.is_null() { Ok(None) } else { Err(bad_attribute("guard", SENTENCE)) };
    };
    for shown in ["hasTurnstileSecret", "hasRecaptchaSecret"] {
        map.remove(shown);
    }
    if map.contains_key(KEPT_SCORE) {
        return Err(bad_attribute("guard", SENTENCE));
    }
    let keeps = |map: &Map<String, Value>, key: &str| !map.contains_key(key);
    let (keeps_turnstile, keeps_recaptcha) = (keeps(map, "turnstileSecret"), keeps(map, "recaptchaSecret"));
    if let Some(score) = map.remove("recaptchaMinimumScore").filter(|score| !score.is_null()) {
        let wrong = || bad_attribute("guard.recaptchaMinimumScore", "`recaptchaMinimumScore` is a number from 0 to 1.");
        let percent = score.as_f64().filter(|score| (0.0..=1.0).contains(score)).map(|score| (score * 100.0).round());
        let percent = percent.ok_or_else(wrong)?;
        map.insert(KEPT_SCORE.to_owned(), json!(format!("{percent}").parse::<u8>().unwrap_or(100)));
    }
    let keys: Vec<&str> = hook_settings::GUARD.into_iter().chain([KEPT_SCORE]).collect();
    let Some(mut read) = read::<Guard>("guard", &keys, &value, SENTENCE)? else { return Ok(None) };
    if let Some(before) = before {
        if keeps_turnstile {
            read.turnstile_secret.clone_from(&before.turnstile_secret);
        }
        if keeps_recaptcha {
            read.recaptcha_secret.clone_from(&before.recaptcha_secret);
        }
    }
    guard::check_settings(&read).map_err(|sentence| bad_attribute("guard", format!("{sentence}.")))?;
    Ok(Some(read))
}

fn shown_guard(guard: &Guard) -> Value {
    let mut shown = json!(guard);
    if let Some(map) = shown.as_object_mut() {
        for (secret, has) in [("turnstileSecret", "hasTurnstileSecret"), ("recaptchaSecret", "hasRecaptchaSecret")] {
            if map.remove(secret).is_some() {
                map.insert(has.to_owned(), json!(true));
            }
        }
        map.remove("challengeKey");
        if map.remove(KEPT_SCORE).is_some() {
            let score = f64::from(guard.recaptcha_minimum_percent.unwrap_or_default()) / 100.0;
            map.insert("recaptchaMinimumScore".to_owned(), json!(score));
        }
    }
    shown
}

/// A limit as it is written; `null` is none.
pub(in super::super) fn read_limit(key: &str, value: &Value) -> Result<Option<Limit>, Refused> {
    let example = format!("`{key}` is an object such as {{\"requests\": 100, \"seconds\": 60}}, or null.");
    let limit = read::<Limit>(key, &hook_settings::LIMIT, value, &example)?;
    if let Some(limit) = &limit {
        limit.check().map_err(|sentence| bad_attribute(key, format!("{sentence}.")))?;
    }
    Ok(limit)
}

/// `null` is nothing; anything that does not fit is told with `sentence`, which never quotes what was sent.
///
/// A key that is none of `keys` is a mistake here and nowhere else: what is stored may have been written by a later version.
pub(super) fn read<T: DeserializeOwned>(
    key: &str,
    keys: &[&str],
    value: &Value,
    sentence: &str,
) -> Result<Option<T>, Refused> {
    if value.is_null() {
        return Ok(None);
    }
    let wrong = || bad_attribute(key, sentence);
    // Without this a list would be read as well, its items in the order of the fields.
    if value.as_object().is_none_or(|map| map.keys().any(|key| !keys.contains(&key.as_str()))) {
        return Err(wrong());
    }
    serde_json::from_value(value.clone()).map(Some).map_err(|_| wrong())
}

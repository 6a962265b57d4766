//! Samples: what a provider would send to a hook, signed as the provider would sign it.
//!
//! The answer is a request for its caller to send; nothing is sent from here, so that it takes the way of a real one.

use apps::samples::{self, Sample};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use domain::{BEARER, Hook, HookKind, Rejected, Rejection};
use http::StatusCode;
use serde_json::{Map, Value, json};
use verify::{
    SignedWith,
    sign::{Signed, Unsigned, sign},
};

use super::{
    Refused, Response,
    call::{Call, bad_attribute},
    hooks::{address, found},
    resource::{one, text},
};
use crate::senders::{scheme, settings};

/// The most values of a sample that are set.
const CHANGES_LIMIT: usize = 100;

/// `POST …/samples`: `{"event": "shopify.order.update", "set": {"total_price": "12.00"}}`.
pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found(call).await?.value;
    if hook.kind == HookKind::Email {
        let detail = "Samples are requests, and this hook takes mail: `hookwright mail sample` makes some.";
        return Err(Rejected::at("$.event", "no_sample", detail).into());
    }
    let attributes = call.attributes()?;
    let sample = chosen(&hook, &attributes)?;
    let sample = sample.with(&changes(&attributes)?).map_err(|sentence| bad_attribute("set", sentence))?;
    let delivery = hex::encode(call.random::<12>()?);
    let sample = sample.as_new_delivery(&delivery);
    let request = unsigned(call, &hook, &sample);
    let (method, headers) = (request.method.clone(), request.headers.clone());
    let signed = signed(call, &hook, request, &delivery)?;
    // What the signature brings goes before what the sample shows in its place.
    let is_signed = |name: &str| signed.headers.iter().any(|(signed, _)| signed == name);
    let mut headers: Vec<(String, String)> = headers.into_iter().filter(|(name, _)| !is_signed(name)).collect();
    headers.extend(signed.headers);
    let document = json!({
        "type": "signed_request",
        "id": delivery,
        "attributes": {
            "event": sample.event,
            "app": sample.app,
            "method": method,
            "url": signed.url,
            "headers": headers,
            "bodyBase64": BASE64.encode(&signed.body),
        },
    });
    Ok(one(StatusCode::OK, document))
}

/// The sample of the event that is asked for, if the hook's app is the one that sends it.
fn chosen(hook: &Hook, attributes: &Map<String, Value>) -> Result<&'static Sample, Refused> {
    let event = text(attributes, "event")?
        .ok_or_else(|| bad_attribute("event", "Name the `event` of the sample, such as shopify.order.update."))?;
    let of_app = match &hook.app {
        Some(app) => samples::find_of(app, &event),
        None => samples::find(&event),
    };
    if let Some(sample) = of_app {
        return Ok(sample);
    }
    let detail = match (samples::find(&event), &hook.app) {
        (Some(other), Some(app)) => format!("{event} comes from {}, and this hook takes what {app} sends.", other.app),
        (_, _) => "There is no sample of this event. GET /v1/apps lists the apps, GET /v1/apps/{name} their events."
            .to_owned(),
    };
    Err(bad_attribute("event", detail))
}

fn changes(attributes: &Map<String, Value>) -> Result<Vec<(String, Value)>, Refused> {
    match attributes.get("set") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(set)) if set.len() <= CHANGES_LIMIT => {
            Ok(set.iter().map(|(path, value)| (path.clone(), value.clone())).collect())
        }
        Some(_) => Err(bad_attribute(
            "set",
            format!(
                "`set` is an object of at most {CHANGES_LIMIT} paths with their values, such as {{\"customer.email\": \"a@example.com\"}}."
            ),
        )),
    }
}

fn unsigned(call: &Call<'_>, hook: &Hook, sample: &Sample) -> Unsigned {
    let (url, headers) = (sample.url_at(&address(call, hook)), sample.sent_headers());
    Unsigned { method: sample.method.clone(), url, headers, body: sample.body.bytes() }
}

/// *Errors*: only the sender has what the hook's scheme signs with.
fn signed(call: &Call<'_>, hook: &Hook, request: Unsigned, delivery: &str) -> Result<Signed, Refused> {
    let not_signed = |request: Unsigned| Signed { headers: Vec::new(), url: request.url, body: request.body };
    if hook.kind == HookKind::Form {
        return Ok(not_signed(request));
    }
    let Some(auth) = hook.auth.as_ref().filter(|auth| auth.scheme != BEARER) else {
        let detail = "This hook takes an API key with the role org.hooks, which only its holder can send.";
        return Err(Rejected::at("$.event", "needs_key", detail).into());
    };
    let unusable = || Rejected::new(Rejection::Malformed, "unusable_scheme", "This hook's scheme cannot be used.");
    let scheme = scheme(&auth.scheme).ok_or_else(unusable)?;
    if scheme.signed_with() == SignedWith::Credentials {
        let detail =
            "This hook's senders send a secret itself, which is never shown. Send the sample with the secret you have.";
        return Err(Rejected::at("$.event", "needs_key", detail).into());
    }
    if scheme.signed_with() == SignedWith::PrivateKey {
        let detail = "This hook's sender signs with a private key, which only it has. Sign with a key of your own whose public half is among the hook's publicKeys.";
        return Err(Rejected::at("$.event", "needs_private_key", detail).into());
    }
    let now_seconds = call.management.world.now().as_second();
    sign(&scheme, &settings(auth), None, request, delivery, now_seconds)
        .map_err(|sentence| Rejected::at("$.event", "not_signed", sentence).into())
}

//! What an endpoint is told: the event, signed.
//!
//! | header | what it is |
//! | --- | --- |
//! | `webhook-id` | the delivery, the same for every attempt |
//! | `webhook-timestamp` | the attempt's own second |
//! | `webhook-signature` | `v1,…` for each secret that signs, with a blank between |
//! | `x-kustomer-webhook-event` | the event's name |
//! | `hookwright-generation` | how many runs lie between the beginning and this event |
//! | `x-kustomer-webhook-signature` | HMAC-SHA256 of the body in hex; the key is the text of the newest secret, `whsec_` and all |
//!
//! *Source*: Standard Webhooks; for Kustomer's the app `kustomer`, so that a hook of ours can be told by a webhook of ours.

use std::time::Duration;

use domain::{GENERATION_HEADER, Secret, Timestamp, Webhook};
use verify::{
    Settings,
    sign::{Unsigned, sign},
};

use super::{super::Executor, Outcome};
use crate::{
    ports::{CallBody, CallHeader, Method, OutgoingCall, Redirects, Secrecy, Web},
    runs::Delivery,
    senders,
};

/// How long an endpoint may take. *Source*: Standard Webhooks, which asks for 15 to 30 seconds.
pub(super) const DEADLINE_SECONDS: u64 = 15;

/// What an endpoint is told.
pub(super) struct Told {
    /// The event's envelope.
    pub(super) body: String,
    /// Of which generation the event is.
    pub(super) generation: u32,
}

impl Executor {
    /// Posts `told` to the webhook's endpoint.
    pub(super) async fn post(&self, webhook: &Webhook, delivery: &Delivery, told: Told) -> Outcome {
        let now = self.world.now();
        let secrets = webhook.secrets(now);
        let Some(calls) = &self.ways.calls else {
            return Outcome::failed("No calls can be made from here.");
        };
        match call(webhook, &secrets, delivery, told, now) {
            Ok(call) => Outcome::of(calls.call(&call).await, &secrets, self.world.now()),
            Err(sentence) => Outcome::failed(sentence),
        }
    }
}

fn call(
    webhook: &Webhook,
    secrets: &[&Secret],
    delivery: &Delivery,
    Told { body, generation }: Told,
    now: Timestamp,
) -> Result<OutgoingCall, String> {
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-kustomer-webhook-event".to_owned(), delivery.event_name.clone()),
        (GENERATION_HEADER.to_owned(), generation.to_string()),
    ];
    let signing = Signing { webhook, delivery, body: &body, now };
    headers.extend(signing.standard(secrets)?);
    headers.extend(signing.by("kustomer", &webhook.secret)?);
    let header = |(name, value): &(String, String)| {
        CallHeader::new(name, value, Secrecy::Open)
            .map_err(|wrong| format!("The header {name} cannot be sent: {wrong}."))
    };
    Ok(OutgoingCall {
        method: Method::Post,
        url: webhook.url.clone(),
        headers: headers.iter().map(header).collect::<Result<_, String>>()?,
        body: Some(CallBody { bytes: body.into(), secrecy: Secrecy::Open }),
        deadline: Duration::from_secs(DEADLINE_SECONDS),
        redirects: Redirects::Keep,
        web: Web::Https,
    })
}

/// What is signed.
struct Signing<'a> {
    webhook: &'a Webhook,
    delivery: &'a Delivery,
    body: &'a str,
    now: Timestamp,
}

impl Signing<'_> {
    /// The headers of Standard Webhooks, with a signature by each secret.
    fn standard(&self, secrets: &[&Secret]) -> Result<Vec<(String, String)>, String> {
        const SIGNATURE: &str = "webhook-signature";
        let mut headers: Vec<(String, String)> = Vec::new();
        for secret in secrets {
            let made = self.by("standard-webhooks", secret)?;
            let another = made.iter().find(|(name, _)| name == SIGNATURE).map(|(_, value)| value.clone());
            match (headers.iter_mut().find(|(name, _)| name == SIGNATURE), another) {
                (Some((_, signatures)), Some(another)) => *signatures = format!("{signatures} {another}"),
                (Some(_) | None, _) => headers = made,
            }
        }
        Ok(headers)
    }

    /// The headers by which a hook of ours with the scheme `scheme` would know us.
    fn by(&self, scheme: &str, secret: &Secret) -> Result<Vec<(String, String)>, String> {
        let scheme = senders::scheme(scheme).ok_or("The signature's scheme is not known here.")?;
        let settings = Settings { secrets: vec![secret.reveal().to_owned()], ..Settings::default() };
        let (method, url, body) = ("POST".to_owned(), self.webhook.url.clone(), self.body.as_bytes().to_vec());
        let unsigned = Unsigned { method, url, headers: Vec::new(), body };
        let id = self.delivery.id.to_string();
        Ok(sign(&scheme, &settings, None, unsigned, &id, self.now.as_second())?.headers)
    }
}

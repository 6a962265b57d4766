//! Webhooks and their providers: a hook that is set to one, and its samples, signed as the provider signs them.
//!
//! A sample is sent at the instant and under the id that its expected data names, because a signature covers both.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use apps::{App, samples::Sample};
use async_trait::async_trait;
use domain::{OrgId, Timestamp};
use serde_json::{Value, json};
use service::ports::{Change, Freshness, Item, Key, Page, Queue, Range, Store, Unavailable, World as _, WriteError};
use verify::{
    Scheme, Settings,
    sign::{PrivateKey, Unsigned, sign},
};

use crate::world::{Answer, World};

/// The shared secret of every hook of these stories whose provider has one.
pub const SECRET: &str = "test-only-secret";

/// Where the addresses of a world begin.
pub const BASE: &str = "http://hooks.test";

pub const RSA_PEM: &str = include_str!("../../shared/verify/tests/fixtures/test-only-rsa.private.pem");
pub const ED25519_PEM: &str = include_str!("../../shared/verify/tests/fixtures/test-only-ed25519.private.pem");
pub const ED25519_PUBLIC_PEM: &str = include_str!("../../shared/verify/tests/fixtures/test-only-ed25519.public.pem");
pub const KEY_SET: &str = include_str!("../../shared/verify/tests/fixtures/test-only-jwks.json");
const CERTIFICATE: &str = include_str!("../../shared/verify/tests/fixtures/test-only-rsa.certificate.pem");
const GOOGLE_KEYS_URL: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// Where the certificate of every signed SNS message of these stories is.
pub const CERTIFICATE_URL: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-test.pem";

/// A webhook that a story has made.
#[derive(Debug, Clone)]
pub struct WebHook {
    pub id: String,
    pub event: String,
    /// The path of its address.
    pub path: String,
    pub hash: String,
}

impl WebHook {
    pub async fn new(world: &World, mut attributes: Value) -> Self {
        attributes["title"] = json!("Webhook");
        let answer = world.api("POST", "/v1/hooks/web", attributes).await.expect(201);
        let text = |name: &str| answer.attribute(name).as_str().unwrap().to_owned();
        let path = text("url").strip_prefix(BASE).unwrap().to_owned();
        Self { id: answer.id(), event: text("eventName"), path, hash: text("hash") }
    }

    /// Changes the hook.
    pub async fn set(&self, world: &World, attributes: Value) -> Answer {
        world.api("PATCH", &self.resource(), attributes).await
    }

    /// The path of the hook in the management API.
    pub fn resource(&self) -> String {
        format!("/v1/hooks/web/{}", self.id)
    }

    /// What its owner is told of refused requests, newest first.
    pub async fn refusals(&self, world: &World) -> Vec<Value> {
        let answer = world.get(&format!("{}/refusals?pageSize=100", self.resource())).await.expect(200);
        answer.body["data"].as_array().unwrap().iter().map(|refusal| refusal["attributes"].clone()).collect()
    }
}

/// A request, ready to be sent or to be spoilt first.
#[derive(Debug, Clone)]
pub struct Letter {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Which of the headers prove the sender.
    pub proofs: Vec<String>,
}

impl Letter {
    /// A JSON body without any proof of its sender.
    pub fn unsigned(path: &str, body: &str) -> Self {
        Self {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.as_bytes().to_vec(),
            proofs: Vec::new(),
        }
    }

    pub async fn send(&self, world: &World) -> Answer {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        world.send(&self.method, &self.path, &headers, self.body.clone()).await
    }

    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut letter = self.clone();
        letter.headers.retain(|(own, _)| own != name);
        letter
    }

    #[must_use]
    pub fn and(&self, name: &str, value: &str) -> Self {
        let mut letter = self.clone();
        letter.headers.push((name.to_owned(), value.to_owned()));
        letter
    }

    /// The same with other bytes in the body.
    #[must_use]
    pub fn saying(&self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self.clone() }
    }

    /// The value of its header.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// Whoever knows what a hook's sender knows.
pub struct Sender {
    pub scheme: Scheme,
    pub settings: Settings,
    pub key: Option<PrivateKey>,
}

impl Sender {
    /// The sender of a scheme that has a shared secret.
    pub fn with_secret(scheme: &str, secret: &str) -> Self {
        let scheme = service::senders::scheme(scheme).unwrap().as_ref().clone();
        Self { scheme, settings: Settings { secrets: vec![secret.to_owned()], ..Settings::default() }, key: None }
    }

    /// The provider that sends the sample.
    fn of(app: &App, sample: &Sample) -> Self {
        let mut sender = Self::with_secret(app.name(), SECRET);
        let settings = &mut sender.settings;
        match app.name() {
            "postmark" => settings.secrets = vec![format!("postmark:{SECRET}")],
            "standard-webhooks" => settings.secrets = vec!["whsec_dGVzdC1vbmx5LXNlY3JldC10ZXN0LW9ubHk=".to_owned()],
            "sns" => {
                sender.key = Some(PrivateKey::parse(RSA_PEM).unwrap());
                let topic = body_of(sample)["TopicArn"].as_str().unwrap_or_default().to_owned();
                *settings = Settings { topic_arns: vec![topic], ..Settings::default() };
            }
            "gmail" => {
                sender.key = Some(PrivateKey::parse(RSA_PEM).unwrap().named("test-only-rsa"));
                let (audience, email) = (Some(format!("{BASE}/push")), Some("push@example.com".to_owned()));
                *settings = Settings { audience, email, ..Settings::default() };
            }
            "gohighlevel" => {
                sender.key = Some(PrivateKey::parse(ED25519_PEM).unwrap());
                *settings = Settings { public_keys: vec![ED25519_PUBLIC_PEM.to_owned()], ..Settings::default() };
            }
            _ => {}
        }
        sender
    }

    fn auth(&self, scheme: &str) -> Value {
        let Settings { secrets, public_keys, audience, email, topic_arns, .. } = &self.settings;
        json!({
            "scheme": scheme, "secrets": secrets, "publicKeys": public_keys, "audience": audience, "email": email,
            "topicArns": topic_arns,
        })
    }

    /// `letter` with the proofs of its sender.
    pub fn sign(&self, letter: &Letter, id: &str, now_seconds: i64) -> Letter {
        let Letter { method, path, headers, body, .. } = letter.clone();
        let request = Unsigned { method: method.clone(), url: format!("{BASE}{path}"), headers, body };
        let headers = request.headers.clone();
        let signed = sign(&self.scheme, &self.settings, self.key.as_ref(), request, id, now_seconds).unwrap();
        let is_replaced = |name: &String| signed.headers.iter().any(|(added, _)| added == name);
        let mut headers: Vec<(String, String)> = headers.into_iter().filter(|(name, _)| !is_replaced(name)).collect();
        let proofs = signed.headers.iter().map(|(name, _)| name.clone()).collect();
        headers.extend(signed.headers);
        let path = signed.url.strip_prefix(BASE).unwrap().to_owned();
        Letter { method, path, headers, body: signed.body, proofs }
    }
}

/// A hook that is set to the provider of a sample, and the sample signed for it.
pub struct Connected {
    pub hook: WebHook,
    pub letter: Letter,
    pub sender: Sender,
}

impl Connected {
    /// Makes it the instant of the sample, so that what was signed is fresh.
    pub async fn new(world: &World, sample: &Sample) -> Self {
        let app = apps::find(sample.app).unwrap();
        let sender = Sender::of(app, sample);
        if let Some(instant) = instant_of(sample) {
            world.clock.set(instant);
        }
        world.web.put(GOOGLE_KEYS_URL, 200, KEY_SET);
        world.web.put(CERTIFICATE_URL, 200, CERTIFICATE);
        let hook = WebHook::new(world, json!({ "auth": sender.auth(app.name()) })).await;
        let unsigned = unsigned(&hook, sample);
        let letter = sender.sign(&unsigned, &id_of(sample), world.clock.now().as_second());
        // SNS messages are no secret's business but a key's: their headers prove nothing.
        let proofs = if app.name() == "sns" { Vec::new() } else { letter.proofs.clone() };
        Self { hook, letter: Letter { proofs, ..letter }, sender }
    }
}

/// `provider/event~variant`, for messages.
pub fn name_of(sample: &Sample) -> String {
    let variant = sample.variant.as_ref().map(|variant| format!("~{variant}")).unwrap_or_default();
    format!("{}/{}{variant}", sample.app, sample.event)
}

/// What the sample's JSON body says; null for another body.
fn body_of(sample: &Sample) -> Value {
    serde_json::from_slice(&sample.body.bytes()).unwrap_or_default()
}

fn instant_of(sample: &Sample) -> Option<Timestamp> {
    match sample.app {
        "sns" => Timestamp::parse(body_of(sample)["Timestamp"].as_str()?),
        "standard-webhooks" => {
            let seconds: i64 = sample.headers["webhook-timestamp"].as_str()?.parse().ok()?;
            Some(Timestamp::from_millisecond(seconds * 1_000))
        }
        _ => None,
    }
}

fn id_of(sample: &Sample) -> String {
    let id = match sample.app {
        "sns" => body_of(sample)["MessageId"].as_str().map(str::to_owned),
        "standard-webhooks" => sample.headers["webhook-id"].as_str().map(str::to_owned),
        _ => None,
    };
    id.unwrap_or_else(|| "delivery-1".to_owned())
}

fn unsigned(hook: &WebHook, sample: &Sample) -> Letter {
    let mut headers: Vec<(String, String)> =
        sample.headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
    if !sample.headers.contains_key("content-type") {
        headers.extend(sample.content_type().map(|value| ("content-type".to_owned(), value.to_owned())));
    }
    let escaped =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = sample
        .query
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value.as_str().unwrap())))
        .collect();
    let path = if pairs.is_empty() { hook.path.clone() } else { format!("{}?{}", hook.path, pairs.join("&")) };
    let mut body = sample.body.bytes();
    if sample.app == "sns" {
        let mut message = body_of(sample);
        message["SigningCertURL"] = json!(CERTIFICATE_URL);
        body = message.to_string().into_bytes();
    }
    Letter { method: sample.method.clone(), path, headers, body, proofs: Vec::new() }
}

/// A store that lets everybody else go first at each call, so that requests sent at once meet in the middle.
pub struct PoliteStore(pub Arc<dyn Store>);

#[async_trait]
impl Store for PoliteStore {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        tokio::task::yield_now().await;
        self.0.find(key, freshness).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        tokio::task::yield_now().await;
        self.0.find_all(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        tokio::task::yield_now().await;
        self.0.list(range).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        tokio::task::yield_now().await;
        self.0.write(changes).await
    }
}

/// A queue that takes so many messages and then none.
pub struct TiringQueue {
    left: AtomicUsize,
    inner: Arc<dyn Queue>,
}

impl TiringQueue {
    pub fn after(count: usize, inner: Arc<dyn Queue>) -> Self {
        Self { left: AtomicUsize::new(count), inner }
    }
}

#[async_trait]
impl Queue for TiringQueue {
    async fn send_later(&self, org: OrgId, message: String, seconds: u32) -> Result<(), Unavailable> {
        let took = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match took {
            Ok(_) => self.inner.send_later(org, message, seconds).await,
            Err(_) => Err(Unavailable { port: "queue", cause: "it was told to fail".to_owned() }),
        }
    }
}

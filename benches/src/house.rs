//! A Hookwright in this process over any store, with the tutorial set up; its queue keeps messages for the bench to execute.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws::SystemWorld;
use bytes::Bytes;
use domain::{ApiKeyId, ApiKeySecret, OrgId, Timestamp};
use serde_json::{Value, json};
use service::{
    Door, Executor, Limits, Management, Senders,
    http::{Front, Request, api::FirstKey, form, web},
    memory::{MemoryBlobs, MemoryCalls, MemoryWeb},
    ports::{Queue, Store, Unavailable},
};

use crate::{Outcome, tutorial, webhook::Scheme};

/// The house, with a form hook and the tutorial's workflow.
pub struct House {
    door: Door,
    path: String,
    webhooks: Vec<String>,
    key: String,
    queue: Arc<Kept>,
    management: Management,
    token: String,
    /// What executes [`House::accept`]'s messages.
    pub executor: Arc<Executor>,
}

/// A service of others that answers every call with `201`.
pub const SERVICE: &str = "https://pay.example/charges";

/// The messages that nobody has taken yet.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

#[async_trait]
impl Queue for Kept {
    async fn send_later(&self, _org: OrgId, message: String, _seconds: u32) -> Result<(), Unavailable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        Ok(())
    }
}

impl House {
    /// The house over `store`, which has nothing of an org yet.
    pub async fn over(store: Arc<dyn Store>) -> Outcome<Self> {
        let now = Timestamp::from_millisecond(1_700_000_000_000);
        let (org, secret) = (OrgId::fresh(now, [1; 8]), ApiKeySecret::from_random([2; 32]));
        let token = secret.token(org, ApiKeyId::fresh(now, [3; 8]));
        let queue = Arc::new(Kept::default());
        let management = Management {
            store: store.clone(),
            queue: queue.clone(),
            destinations: Arc::new(MemoryCalls::default()),
            world: Arc::new(SystemWorld),
            addresses: Arc::default(),
            keys: Arc::default(),
            public_url: None,
            mail: None,
            outbox: None,
            first_key: Some(FirstKey { org, digest: secret.digest() }),
        };
        create(&management, &token, "/v1/klasses", &tutorial::klass()).await?;
        let hook = create(&management, &token, "/v1/hooks/form", &json!({ "title": "Orders" })).await?;
        let attribute = |name: &str| hook["data"]["attributes"][name].as_str().unwrap_or_default().to_owned();
        create(&management, &token, "/v1/workflows", &tutorial::workflow(&attribute("eventName"))).await?;

        let blobs = Arc::new(MemoryBlobs::default());
        let door = Door {
            store: store.clone(),
            queue: queue.clone(),
            blobs: blobs.clone(),
            uploads: blobs,
            web: Arc::new(MemoryWeb::default()),
            world: Arc::new(SystemWorld),
            addresses: Arc::default(),
            limits: Limits::default(),
            senders: Senders::default(),
            public_url: None,
        };
        let path = format!("/v1/hooks/form/{}", attribute("hash"));
        let key = json!({ "name": "bench", "roles": ["org.hooks"] });
        let key = create(&management, &token, "/v1/api-keys", &key).await?;
        let key = key["data"]["attributes"]["token"].as_str().unwrap_or_default().to_owned();
        let mut webhooks = Vec::new();
        for scheme in Scheme::ALL {
            let auth =
                json!({ "title": scheme.name(), "auth": { "scheme": scheme.name(), "secrets": scheme.secrets() } });
            let hook = create(&management, &token, "/v1/hooks/web", &auth).await?;
            webhooks.push(format!("/v1/hooks/web/{}", hook["data"]["attributes"]["hash"].as_str().unwrap_or_default()));
        }
        let services = MemoryCalls::default();
        services.answer(SERVICE, 201, &[("content-type", "application/json")], "{\"id\":\"ch_1\"}");
        let executor = Executor::new(store, queue.clone(), Arc::new(SystemWorld)).with_calls(Arc::new(services));
        let executor = Arc::new(executor);
        Ok(Self { door, path, webhooks, key, queue, management, token, executor })
    }

    /// A request with `body` to the form hook, or to a webhook as its sender makes it.
    pub fn request(&self, scheme: Option<Scheme>, body: String, delivery: usize) -> Outcome<Request> {
        let path = match scheme {
            None => &self.path,
            Some(scheme) => self.webhooks.get(scheme as usize).ok_or("no such webhook")?,
        };
        let mut request = http::Request::post(path).header("content-type", "application/json");
        for (name, value) in scheme.iter().flat_map(|scheme| scheme.headers(&self.key, body.as_bytes(), delivery)) {
            request = request.header(name, value);
        }
        Ok(request.body(Bytes::from(body))?)
    }

    /// Hands the request to its door and gives the message that went on the queue.
    pub async fn deliver(&self, request: &Request) -> Outcome<String> {
        let response = match Front::of(request.method(), request.uri().path()) {
            Front::Form => form::receive(&self.door, request).await,
            Front::Web => web::receive(&self.door, request).await,
            Front::Management => return Err("the request is for no hook".into()),
        };
        if !response.status().is_success() {
            return Err(format!("answered {}", response.status()).into());
        }
        let message = self.queue.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        message.ok_or_else(|| "nothing came on the queue".into())
    }

    /// The org that everything is of.
    pub fn org(&self) -> Option<OrgId> {
        ApiKeySecret::read_token(&self.token).map(|(org, _, _)| org)
    }

    /// Sends `body` to the management API, and gives the status of the answer.
    pub async fn manage(&self, method: http::Method, path: &str, body: &Value) -> Outcome<http::StatusCode> {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Bytes::from(body.to_string()))?;
        Ok(self.management.answer(&request).await.status())
    }

    /// Makes what `body` says through the management API, and gives its id.
    pub async fn create(&self, path: &str, body: &Value) -> Outcome<String> {
        let made = create(&self.management, &self.token, path, body).await?;
        Ok(made["data"]["id"].as_str().unwrap_or_default().to_owned())
    }

    /// What the management API has at `path`.
    pub async fn read(&self, path: &str) -> Outcome<Value> {
        let request = http::Request::get(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("host", "localhost")
            .body(Bytes::new())?;
        Ok(serde_json::from_slice(self.management.answer(&request).await.body())?)
    }

    /// Executes whatever is on the queue, and what comes there meanwhile.
    pub async fn work(&self) -> Outcome<()> {
        loop {
            let Some(message) = self.queue.0.lock().unwrap_or_else(PoisonError::into_inner).pop() else {
                return Ok(());
            };
            self.executor.execute(&message).await?;
        }
    }

    /// Posts `body` to the form hook and gives the message that went on the queue.
    pub async fn accept(&self, body: String) -> Outcome<String> {
        self.deliver(&self.request(None, body, 0)?).await
    }
}

async fn create(management: &Management, token: &str, path: &str, body: &Value) -> Outcome<Value> {
    let request: Request = http::Request::post(path)
        .header("authorization", format!("Bearer {token}"))
        .header("host", "localhost")
        .body(Bytes::from(body.to_string()))?;
    let response = management.answer(&request).await;
    match response.status() {
        http::StatusCode::CREATED => Ok(serde_json::from_slice(response.body())?),
        status => Err(format!("{path} answered {status}: {}", String::from_utf8_lossy(response.body())).into()),
    }
}

//! A Hookwright in this process over any store, with the tutorial set up; its queue keeps messages for the bench to execute.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws::SystemWorld;
use bytes::Bytes;
use domain::{ApiKeyId, ApiKeySecret, OrgId, Timestamp};
use serde_json::{Value, json};
use service::{
    Door, Executor, Management,
    http::{Request, api::FirstKey, form},
    memory::MemoryBlobs,
    ports::{Queue, Store, Unavailable},
};

use crate::{Outcome, tutorial};

/// The house, with a form hook and the tutorial's workflow.
pub struct House {
    door: Door,
    path: String,
    queue: Arc<Kept>,
    /// What executes [`House::accept`]'s messages.
    pub executor: Arc<Executor>,
}

/// The messages that nobody has taken yet.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

#[async_trait]
impl Queue for Kept {
    async fn send(&self, message: String) -> Result<(), Unavailable> {
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
        let management = Management {
            store: store.clone(),
            world: Arc::new(SystemWorld),
            addresses: Arc::default(),
            public_url: None,
            first_key: Some(FirstKey { org, digest: secret.digest() }),
        };
        create(&management, &token, "/v1/klasses", &tutorial::klass()).await?;
        let hook = create(&management, &token, "/v1/hooks/form", &json!({ "title": "Orders" })).await?;
        let attribute = |name: &str| hook["data"]["attributes"][name].as_str().unwrap_or_default().to_owned();
        create(&management, &token, "/v1/workflows", &tutorial::workflow(&attribute("eventName"))).await?;

        let queue = Arc::new(Kept::default());
        let door = Door {
            store: store.clone(),
            queue: queue.clone(),
            blobs: Arc::new(MemoryBlobs::default()),
            world: Arc::new(SystemWorld),
            addresses: Arc::default(),
        };
        let path = format!("/v1/hooks/form/{}", attribute("hash"));
        let executor = Arc::new(Executor::new(store, Arc::new(SystemWorld)));
        Ok(Self { door, path, queue, executor })
    }

    /// Posts `body` to the hook and gives the message that went on the queue.
    pub async fn accept(&self, body: String) -> Outcome<String> {
        let request = http::Request::post(&self.path).header("content-type", "application/json");
        let response = form::receive(&self.door, &request.body(Bytes::from(body))?).await;
        if response.status() != http::StatusCode::ACCEPTED {
            return Err(format!("answered {}", response.status()).into());
        }
        let message = self.queue.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        message.ok_or_else(|| "nothing came on the queue".into())
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

//! Senders that come again until they are answered, each time under the same key.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use benches::{
    Outcome,
    load::{self, Client},
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// How long a sender rests between two orders, and before it comes again.
const REST: Duration = Duration::from_millis(10);

/// How long it waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many customers there are, so that they are met again.
const CUSTOMERS: u64 = 40;

pub(crate) struct Poster {
    path: String,
    address: Mutex<SocketAddr>,
    next: AtomicU64,
    accepted: Mutex<BTreeMap<u64, String>>,
    /// Set when no further order is to be posted.
    pub(crate) stop: AtomicBool,
    /// How many answers never came.
    pub(crate) lost: AtomicU64,
}

impl Poster {
    pub(crate) fn new(path: String, address: SocketAddr) -> Self {
        let (next, accepted, stop, lost) = Default::default();
        Self { path, address: Mutex::new(address), next, accepted, stop, lost }
    }

    /// Posts at another address from here on.
    pub(crate) fn go_on_at(&self, address: SocketAddr) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// The orders that were accepted, by number, with the id of the transaction.
    pub(crate) fn accepted(&self) -> BTreeMap<u64, String> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Posts one order after another; one that was begun is posted until it is accepted.
    pub(crate) async fn post_until_stopped(self: Arc<Self>) {
        while !self.stop.load(Ordering::SeqCst) {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            loop {
                match timeout(PATIENCE, self.post(number)).await {
                    Ok(Ok(id)) => {
                        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).insert(number, id);
                        break;
                    }
                    Ok(Err(_)) | Err(_) => {
                        self.lost.fetch_add(1, Ordering::SeqCst);
                        sleep(REST).await;
                    }
                }
            }
            sleep(REST).await;
        }
    }

    async fn post(&self, number: u64) -> Outcome<String> {
        let address = *self.address.lock().unwrap_or_else(PoisonError::into_inner);
        let body =
            json!({ "orderId": format!("o-{number}"), "email": format!("c{}@shop.example", number % CUSTOMERS) });
        let key = [("idempotency-key", format!("soak-{number}"))];
        let request = load::request_with("POST", &self.path, &key, &body.to_string());
        let answer = Client::connect(address).await?.exchange(&request).await?;
        if answer.status != 202 {
            return Err(format!("answered {}: {}", answer.status, answer.body).into());
        }
        let body: Value = serde_json::from_str(&answer.body)?;
        Ok(body["data"]["id"].as_str().ok_or("a 202 without an id")?.to_owned())
    }
}

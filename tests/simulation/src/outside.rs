//! What is outside: services that are called and mail that goes out, with a ledger of each.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use service::ports::{
    CallAnswer, Calls, Method, NotCalled, NotPosted, OutgoingCall, OutgoingMail, Post, Posted, Unavailable,
};

/// Every call and mail that arrived, by its key.
#[derive(Default)]
pub struct Outside {
    inner: Mutex<Ledger>,
}

/// What arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// What arrived under each key.
    pub(crate) entries: BTreeMap<String, Arrived>,
    /// The keys in the order in which something arrived, repeats too.
    pub(crate) order: Vec<String>,
    is_gone: bool,
}

/// What arrived under one key.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// Where it went; empty for a mail.
    pub(crate) url: String,
    /// What it said, the first time.
    pub(crate) body: String,
    /// How often it came.
    pub(crate) times: usize,
    /// Whether it came with something else one time.
    pub(crate) differs: bool,
    /// Its place among the keys, from 1.
    place: usize,
}

impl Outside {
    /// Takes it away, or brings it back.
    pub(crate) fn set_gone(&self, is_gone: bool) {
        self.lock().is_gone = is_gone;
    }

    /// Everything that arrived.
    pub(crate) fn ledger(&self) -> Ledger {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// Writes it down, and gives the place of its key.
    fn note(&mut self, key: &str, url: &str, body: String) -> usize {
        self.order.push(key.to_owned());
        let next = self.entries.len() + 1;
        match self.entries.get_mut(key) {
            Some(arrived) => {
                let place = arrived.place;
                arrived.times += 1;
                arrived.differs |= arrived.body != body || arrived.url != url;
                place
            }
            None => {
                let arrived = Arrived { url: url.to_owned(), body, times: 1, differs: false, place: next };
                self.entries.insert(key.to_owned(), arrived);
                next
            }
        }
    }
}

#[async_trait]
impl Calls for Outside {
    async fn call(&self, call: &OutgoingCall) -> Result<CallAnswer, NotCalled> {
        let mut ledger = self.lock();
        if ledger.is_gone {
            return Err(NotCalled::NotSent(gone()));
        }
        let key = call.headers.iter().find(|header| header.name() == "idempotency-key");
        let key = key.map_or_else(|| format!("no key: {}", call.url), |header| header.value().to_owned());
        let body = call.body.as_ref().map(|body| String::from_utf8_lossy(&body.bytes).into_owned());
        ledger.note(&key, &call.url, body.unwrap_or_default());
        let answer = json!({ "id": key, "url": call.url, "status": "open" });
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let status = if call.method == Method::Get { 200 } else { 201 };
        Ok(CallAnswer { status, headers, body: answer.to_string().into() })
    }
}

#[async_trait]
impl Post for Outside {
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        let mut ledger = self.lock();
        if ledger.is_gone {
            return Err(NotPosted::NotSent(gone()));
        }
        let place = ledger.note(&mail.key, "", format!("{:?}", mail.content));
        Ok(Posted { id: format!("mail-{place}") })
    }
}

fn gone() -> Unavailable {
    Unavailable { port: "outside", cause: "it was taken away".to_owned() }
}

/// What a call says as JSON; nothing where it says something else.
pub(crate) fn said(arrived: &Arrived) -> Value {
    serde_json::from_str(&arrived.body).unwrap_or_default()
}

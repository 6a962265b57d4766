//! A web of a few pages.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::{Fetch, FetchRequest, Fetched, Unavailable};

/// Pages by address. What is not there cannot be reached.
#[derive(Debug, Default)]
pub struct MemoryWeb {
    pages: Mutex<HashMap<String, Fetched>>,
    asked: Mutex<Vec<FetchRequest>>,
}

impl MemoryWeb {
    /// Puts a page at `url`.
    pub fn put(&self, url: &str, status: u16, body: impl Into<Bytes>) {
        let page = Fetched { status, body: body.into() };
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(url.to_owned(), page);
    }

    /// Every request so far, in order.
    pub fn asked(&self) -> Vec<FetchRequest> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Fetch for MemoryWeb {
    async fn fetch(&self, request: FetchRequest) -> Result<Fetched, Unavailable> {
        let found = self.pages.lock().unwrap_or_else(PoisonError::into_inner).get(&request.url).cloned();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        found.ok_or_else(|| Unavailable { port: "web", cause: "there is no such page".to_owned() })
    }
}

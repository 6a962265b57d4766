//! Mail in memory: the bucket that mails lie in, and the outbox.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::{Mails, NotPosted, OutgoingMail, Post, Posted, Unavailable};

/// Mails under their keys, gone with the process.
#[derive(Debug, Default)]
pub struct MemoryMails {
    mails: Mutex<HashMap<String, Bytes>>,
}

impl MemoryMails {
    /// Lays `mail` down under `key`, as SES does before it tells anybody.
    pub fn put(&self, key: impl Into<String>, mail: impl Into<Bytes>) {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).insert(key.into(), mail.into());
    }

    /// Removes the mail under `key`, as the rules of a bucket do with old ones.
    pub fn remove(&self, key: &str) {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[async_trait]
impl Mails for MemoryMails {
    async fn read(&self, key: &str) -> Result<Option<Bytes>, Unavailable> {
        Ok(self.mails.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }
}

/// An outbox that nobody empties.
#[derive(Debug, Default)]
pub struct MemoryPost {
    sent: Mutex<Vec<OutgoingMail>>,
}

impl MemoryPost {
    /// Every mail that was handed over, in order, repeats too.
    pub fn sent(&self) -> Vec<OutgoingMail> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Post for MemoryPost {
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(mail.clone());
        Ok(Posted { id: format!("memory-{}", sent.len()) })
    }
}

//! The way out for mail: local mode's outbox, and in which order it was filled.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use local::Outbox;
use service::ports::{NotPosted, OutgoingMail, Post, Posted};

/// An outbox that nobody empties.
pub(crate) struct Mailbox {
    outbox: Arc<Outbox>,
    ids: Mutex<Vec<String>>,
}

impl Mailbox {
    /// One over `outbox`, which keeps what the mails say.
    pub(crate) fn over(outbox: Arc<Outbox>) -> Self {
        Self { outbox, ids: Mutex::default() }
    }

    /// The ids of the mails, in the order they were sent.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Post for Mailbox {
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        let posted = self.outbox.send(mail).await?;
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if !ids.contains(&posted.id) {
            ids.push(posted.id.clone());
        }
        Ok(posted)
    }
}

//! The queue, whose messages the scheduler delivers as it likes: in any order, late, and more than once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{OrgId, Timestamp};
use service::{
    memory::FixedWorld,
    ports::{Queue, Unavailable, World},
};

/// How often a message is received before it is a dead letter. *Source*: `template.yaml`.
const RECEIVES_LIMIT: u32 = 5;

/// How long a message is invisible once it was received. *Source*: `template.yaml`.
const VISIBILITY_SECONDS: i64 = 360;

/// Messages that were sent and not deleted.
pub(crate) struct Shelf {
    world: Arc<FixedWorld>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sent: u64,
    messages: BTreeMap<u64, Message>,
    dead: Vec<Message>,
    dead_ever: usize,
}

#[derive(Clone)]
struct Message {
    body: String,
    receives: u32,
    visible_at: Timestamp,
}

/// A message that was received.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Which one.
    pub(crate) message: u64,
    /// What it says.
    pub(crate) body: String,
    receives: u32,
}

impl Shelf {
    pub(crate) fn new(world: &Arc<FixedWorld>) -> Arc<Self> {
        Arc::new(Self { world: Arc::clone(world), inner: Mutex::default() })
    }

    /// The messages that are visible, oldest first.
    pub(crate) fn visible(&self) -> Vec<u64> {
        let now = self.world.now();
        let inner = self.lock();
        inner.messages.iter().filter(|(_, message)| message.visible_at <= now).map(|(id, _)| *id).collect()
    }

    /// Receives a message, visible or not; one that was received too often is a dead letter from here on.
    pub(crate) fn receive(&self, id: u64) -> Option<Received> {
        let visible_at = self.world.now().plus_seconds(VISIBILITY_SECONDS);
        let mut inner = self.lock();
        let message = inner.messages.get_mut(&id)?;
        if message.receives >= RECEIVES_LIMIT {
            let dead = inner.messages.remove(&id);
            inner.dead_ever += dead.iter().len();
            inner.dead.extend(dead);
            return None;
        }
        message.receives += 1;
        message.visible_at = visible_at;
        Some(Received { message: id, body: message.body.clone(), receives: message.receives })
    }

    /// Deletes a message; one that was received again meanwhile stays.
    pub(crate) fn delete(&self, received: &Received) {
        let mut inner = self.lock();
        if inner.messages.get(&received.message).is_some_and(|message| message.receives == received.receives) {
            inner.messages.remove(&received.message);
        }
    }

    /// Makes a message visible in `seconds`, if it was not received again meanwhile.
    pub(crate) fn release(&self, received: &Received, seconds: i64) {
        let visible_at = self.world.now().plus_seconds(seconds);
        let mut inner = self.lock();
        if let Some(message) = inner.messages.get_mut(&received.message)
            && message.receives == received.receives
        {
            message.visible_at = visible_at;
        }
    }

    /// The messages that were received and not deleted.
    pub(crate) fn in_flight(&self) -> Vec<u64> {
        let inner = self.lock();
        inner.messages.iter().filter(|(_, message)| message.receives > 0).map(|(id, _)| *id).collect()
    }

    /// Holds a message back for so long.
    pub(crate) fn delay(&self, id: u64, seconds: i64) {
        let now = self.world.now();
        if let Some(message) = self.lock().messages.get_mut(&id) {
            message.visible_at = message.visible_at.max(now.plus_seconds(seconds));
        }
    }

    /// When the next message is visible.
    pub(crate) fn next_visible_at(&self) -> Option<Timestamp> {
        self.lock().messages.values().map(|message| message.visible_at).min()
    }

    /// Puts the dead letters back, and gives how many there were.
    pub(crate) fn redrive(&self) -> usize {
        let now = self.world.now();
        let mut inner = self.lock();
        let dead = std::mem::take(&mut inner.dead);
        let count = dead.len();
        for message in dead {
            inner.add(Message { receives: 0, visible_at: now, ..message });
        }
        count
    }

    /// How many messages ever became dead letters.
    pub(crate) fn dead_ever(&self) -> usize {
        self.lock().dead_ever
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, message: Message) {
        self.sent += 1;
        self.messages.insert(self.sent, message);
    }
}

#[async_trait]
impl Queue for Shelf {
    async fn send_later(&self, _: OrgId, message: String, seconds: u32) -> Result<(), Unavailable> {
        let visible_at = self.world.now().plus_seconds(i64::from(seconds));
        self.lock().add(Message { body: message, receives: 0, visible_at });
        Ok(())
    }
}

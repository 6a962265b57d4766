//! The queue, whose messages the scheduler delivers as it likes: in any order, late, and more than once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{OrgId, Timestamp};
use service::{
    Delivered, RECEIVES_LIMIT,
    memory::FixedWorld,
    ports::{Queue, Unavailable, World},
};

/// How long a message is invisible once it was received: the 60 seconds of the executor's time, and the 15 after which it says
/// that messages come again. *Source*: `template.yaml`, `functions/executor`.
const VISIBILITY_SECONDS: i64 = 75;

/// Messages that were sent and not deleted.
pub(crate) struct Shelf {
    world: Arc<FixedWorld>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sent: u64,
    messages: BTreeMap<u64, Message>,
    dead: BTreeMap<u64, Message>,
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

impl Received {
    /// The same as whoever executes it has it.
    pub(crate) fn delivered(&self) -> Delivered {
        delivered(self.message, &self.body, self.receives)
    }
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
            if let Some(dead) = inner.messages.remove(&id) {
                inner.dead.insert(id, dead);
            }
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

    /// What was given up and kept by nobody.
    pub(crate) fn dead(&self) -> Vec<Delivered> {
        self.lock().dead.iter().map(|(id, message)| delivered(*id, &message.body, message.receives)).collect()
    }

    /// Takes away what was given up, because it is kept now.
    pub(crate) fn bury(&self) {
        self.lock().dead.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn delivered(id: u64, body: &str, receive_count: u32) -> Delivered {
    Delivered { name: id.to_string(), body: body.into(), org: None, receive_count, first_received_at: None }
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

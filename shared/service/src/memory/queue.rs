//! SQS's rules in memory: a message stays until it is deleted, and comes again when its visibility timeout is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::Timestamp;

use crate::ports::{DELAY_LIMIT_SECONDS, MESSAGE_LIMIT_BYTES, Queue, Unavailable, World};

/// A queue whose visibility timeouts run by a given clock.
pub struct MemoryQueue {
    world: Arc<dyn World>,
    shelf: Mutex<Shelf>,
}

/// One message as one receive handed it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What deletes it, until it is received again.
    pub receipt: String,
    /// What was sent.
    pub body: String,
    /// How many receives have handed it out, this one included.
    pub receive_count: u32,
}

#[derive(Default)]
struct Shelf {
    sent: u64,
    messages: BTreeMap<u64, Message>,
}

struct Message {
    body: String,
    receive_count: u32,
    visible_at: Timestamp,
}

impl MemoryQueue {
    /// An empty queue that tells the time by `world`.
    pub fn new(world: Arc<dyn World>) -> Self {
        Self { world, shelf: Mutex::default() }
    }

    /// At most `max` messages that are visible now, oldest first; each is invisible for `visibility_seconds` from here on.
    pub fn receive(&self, max: usize, visibility_seconds: i64) -> Vec<Delivery> {
        let now = self.world.now();
        let mut shelf = self.shelf();
        let visible = shelf.messages.iter_mut().filter(|(_, message)| message.visible_at <= now);
        visible
            .take(max)
            .map(|(id, message)| {
                message.receive_count = message.receive_count.saturating_add(1);
                message.visible_at = now.plus_seconds(visibility_seconds);
                let receipt = receipt(*id, message.receive_count);
                Delivery { receipt, body: message.body.clone(), receive_count: message.receive_count }
            })
            .collect()
    }

    /// Removes the message that `receipt` stands for; a receipt older than the last receive removes nothing.
    pub fn delete(&self, receipt_of_last: &str) {
        self.shelf().messages.retain(|id, message| receipt(*id, message.receive_count) != receipt_of_last);
    }

    /// How many messages have not been deleted, visible or not.
    pub fn depth(&self) -> usize {
        self.shelf().messages.len()
    }

    /// When the next message is visible, also one that was received and not deleted.
    pub fn next_visible_at(&self) -> Option<Timestamp> {
        self.shelf().messages.values().map(|message| message.visible_at).min()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send_later(&self, message: String, seconds: u32) -> Result<(), Unavailable> {
        if message.len() > MESSAGE_LIMIT_BYTES {
            let cause = format!("a message of {} bytes is over the limit of {MESSAGE_LIMIT_BYTES}", message.len());
            return Err(Unavailable { port: "queue", cause });
        }

        let visible_at = self.world.now().plus_seconds(i64::from(seconds.min(DELAY_LIMIT_SECONDS)));
        let mut shelf = self.shelf();
        shelf.sent = shelf.sent.saturating_add(1);
        let id = shelf.sent;
        shelf.messages.insert(id, Message { body: message, receive_count: 0, visible_at });
        Ok(())
    }
}

fn receipt(id: u64, receive_count: u32) -> String {
    format!("{id}.{receive_count}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::FixedWorld;

    #[tokio::test]
    async fn a_message_comes_again_when_its_visibility_timeout_is_over() {
        let world = Arc::new(FixedWorld::at(Timestamp::from_millisecond(0)));
        let queue = MemoryQueue::new(world.clone());
        queue.send("one".to_owned()).await.unwrap();

        let first = queue.receive(10, 30);
        assert_eq!((first.len(), first[0].receive_count), (1, 1));
        world.pass_seconds(29);
        assert!(queue.receive(10, 30).is_empty());
        world.pass_seconds(1);
        let again = queue.receive(10, 30);
        assert_eq!((again[0].body.as_str(), again[0].receive_count), ("one", 2));

        queue.delete(&first[0].receipt);
        assert_eq!(queue.depth(), 1, "the receipt of the first receive is stale");
        queue.delete(&again[0].receipt);
        assert_eq!(queue.depth(), 0);
    }

    #[tokio::test]
    async fn a_message_that_is_held_back_is_not_received_before_its_time() {
        let world = Arc::new(FixedWorld::at(Timestamp::from_millisecond(0)));
        let queue = MemoryQueue::new(world.clone());
        queue.send_later("later".to_owned(), 60).await.unwrap();
        queue.send_later("much later".to_owned(), 86_400).await.unwrap();
        world.pass_seconds(59);
        assert!(queue.receive(10, 30).is_empty());
        world.pass_seconds(1);
        assert_eq!(queue.receive(10, 1_000_000)[0].body, "later");
        assert_eq!(queue.next_visible_at(), Some(Timestamp::from_millisecond(900_000)), "no longer than SQS would");
    }

    #[tokio::test]
    async fn a_message_of_one_mebibyte_is_taken_and_one_byte_more_is_not() {
        let queue = MemoryQueue::new(Arc::new(FixedWorld::at(Timestamp::from_millisecond(0))));
        assert!(queue.send("m".repeat(MESSAGE_LIMIT_BYTES)).await.is_ok());
        assert!(queue.send("m".repeat(MESSAGE_LIMIT_BYTES + 1)).await.is_err());
        assert_eq!(queue.depth(), 1);
    }
}

//! SQS's rules in memory: a message stays until it is deleted, and comes again when its visibility timeout is over.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{OrgId, Timestamp};

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
    /// The orgs that have messages.
    orgs: HashMap<OrgId, Standing>,
    turns: u64,
}

/// Where an org stands.
struct Standing {
    messages: usize,
    /// When it had its last turn, or came with its first message: those who wait already are before it.
    turn: u64,
}

struct Message {
    org: OrgId,
    body: String,
    receive_count: u32,
    visible_at: Timestamp,
}

/// The messages of an org as one receive finds them.
#[derive(Default)]
struct Line {
    in_flight: usize,
    turn: u64,
    visible: VecDeque<u64>,
}

impl MemoryQueue {
    /// An empty queue that tells the time by `world`.
    pub fn new(world: Arc<dyn World>) -> Self {
        Self { world, shelf: Mutex::default() }
    }

    /// At most `max` messages that are visible now; each is invisible for `visibility_seconds` from here on.
    ///
    /// Each next one is the oldest of the org with the fewest in flight, and of several such orgs, of the one whose turn was
    /// longest ago. In flight is what was received and is neither deleted nor visible again.
    pub fn receive(&self, max: usize, visibility_seconds: i64) -> Vec<Delivery> {
        let now = self.world.now();
        let mut shelf = self.shelf();
        let mut lines = shelf.lines(now);
        let mut deliveries = Vec::new();
        while deliveries.len() < max {
            let waiting = lines.iter_mut().filter(|(_, line)| !line.visible.is_empty());
            let Some((org, line)) = waiting.min_by_key(|(_, line)| (line.in_flight, line.turn)) else { break };
            let Some(id) = line.visible.pop_front() else { break };
            line.in_flight += 1;
            line.turn = shelf.next_turn(*org);
            let Some(message) = shelf.messages.get_mut(&id) else { break };
            message.receive_count = message.receive_count.saturating_add(1);
            message.visible_at = now.plus_seconds(visibility_seconds);
            let receipt = receipt(id, message.receive_count);
            deliveries.push(Delivery { receipt, body: message.body.clone(), receive_count: message.receive_count });
        }
        deliveries
    }

    /// Removes the message that `receipt` stands for; a receipt older than the last receive removes nothing.
    pub fn delete(&self, receipt_of_last: &str) {
        let mut shelf = self.shelf();
        let id = receipt_of_last.split_once('.').and_then(|(id, _)| id.parse().ok());
        let current = |shelf: &Shelf, id: &u64| {
            shelf.messages.get(id).is_some_and(|message| receipt(*id, message.receive_count) == receipt_of_last)
        };
        if let Some(id) = id.filter(|id| current(&shelf, id)) {
            shelf.remove(id);
        }
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

impl Shelf {
    fn add(&mut self, message: Message) {
        self.sent = self.sent.saturating_add(1);
        self.turns += 1;
        let turn = self.turns;
        self.orgs.entry(message.org).or_insert(Standing { messages: 0, turn }).messages += 1;
        self.messages.insert(self.sent, message);
    }

    fn remove(&mut self, id: u64) {
        let Some(message) = self.messages.remove(&id) else { return };
        let Some(standing) = self.orgs.get_mut(&message.org) else { return };
        standing.messages -= 1;
        if standing.messages == 0 {
            self.orgs.remove(&message.org);
        }
    }

    fn lines(&self, now: Timestamp) -> HashMap<OrgId, Line> {
        let turn = |standing: &Standing| Line { turn: standing.turn, ..Line::default() };
        let mut lines: HashMap<OrgId, Line> = self.orgs.iter().map(|(org, standing)| (*org, turn(standing))).collect();
        for (id, message) in &self.messages {
            let line = lines.entry(message.org).or_default();
            if message.visible_at <= now {
                line.visible.push_back(*id);
            } else if message.receive_count > 0 {
                line.in_flight += 1;
            }
        }
        lines
    }

    /// Notes that it is the turn of `org` now, and gives the number of the turn.
    fn next_turn(&mut self, org: OrgId) -> u64 {
        self.turns += 1;
        if let Some(standing) = self.orgs.get_mut(&org) {
            standing.turn = self.turns;
        }
        self.turns
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send_later(&self, org: OrgId, message: String, seconds: u32) -> Result<(), Unavailable> {
        if message.len() > MESSAGE_LIMIT_BYTES {
            let cause = format!("a message of {} bytes is over the limit of {MESSAGE_LIMIT_BYTES}", message.len());
            return Err(Unavailable { port: "queue", cause });
        }

        let visible_at = self.world.now().plus_seconds(i64::from(seconds.min(DELAY_LIMIT_SECONDS)));
        self.shelf().add(Message { org, body: message, receive_count: 0, visible_at });
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

    fn org() -> OrgId {
        OrgId::fresh(Timestamp::from_millisecond(0), [1; 8])
    }

    #[tokio::test]
    async fn a_message_comes_again_when_its_visibility_timeout_is_over() {
        let world = Arc::new(FixedWorld::at(Timestamp::from_millisecond(0)));
        let queue = MemoryQueue::new(world.clone());
        queue.send(org(), "one".to_owned()).await.unwrap();

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
        queue.send_later(org(), "later".to_owned(), 60).await.unwrap();
        queue.send_later(org(), "much later".to_owned(), 86_400).await.unwrap();
        world.pass_seconds(59);
        assert!(queue.receive(10, 30).is_empty());
        world.pass_seconds(1);
        assert_eq!(queue.receive(10, 1_000_000)[0].body, "later");
        assert_eq!(queue.next_visible_at(), Some(Timestamp::from_millisecond(900_000)), "no longer than SQS would");
    }

    #[tokio::test]
    async fn a_message_of_one_mebibyte_is_taken_and_one_byte_more_is_not() {
        let queue = MemoryQueue::new(Arc::new(FixedWorld::at(Timestamp::from_millisecond(0))));
        assert!(queue.send(org(), "m".repeat(MESSAGE_LIMIT_BYTES)).await.is_ok());
        assert!(queue.send(org(), "m".repeat(MESSAGE_LIMIT_BYTES + 1)).await.is_err());
        assert_eq!(queue.depth(), 1);
    }
}

//! What of the queue is in memory: the messages that are ready, and those in flight.
//!
//! Every message in the file is here, or has an id behind `loaded_up_to` and waits for its turn to be loaded.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::file::Stored;
use super::{Delivery, Receipt};

/// How many ready messages are kept in memory; at 1 KB each that is 10 MB.
const READY_LIMIT: usize = 10_000;

/// How many messages are loaded at once.
pub(super) const LOAD_LIMIT: usize = READY_LIMIT;

#[derive(Default)]
pub(super) struct Shelf {
    ready: VecDeque<Stored>,
    in_flight: HashMap<i64, Flight>,
    /// Those in flight by when they are visible again.
    returns: BTreeSet<(Instant, i64)>,
    /// The last message that was ever here.
    loaded_up_to: i64,
    backlog: Backlog,
}

/// Whether the file has messages that are not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Backlog {
    #[default]
    None,
    InFile,
    /// The writer was told to load some.
    Coming,
}

struct Flight {
    body: Arc<str>,
    receive_count: u32,
    visible_at: Instant,
}

/// What one receive found.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) deliveries: Vec<Delivery>,
    /// The last receipts of messages that were received too often; they are on the shelf no more.
    pub(super) dead: Vec<Receipt>,
    /// The file has more, and nobody was told yet to load it.
    pub(super) wants_load: bool,
    /// Another receive would find something right now.
    pub(super) leaves_more: bool,
    /// When the next message in flight is visible again.
    pub(super) next_visible_at: Option<Instant>,
}

impl Shelf {
    /// Takes in a message that has just been written.
    pub(super) fn add(&mut self, message: Stored) {
        if self.backlog == Backlog::None && self.ready.len() < READY_LIMIT {
            self.loaded_up_to = message.id;
            self.ready.push_back(message);
        } else if self.backlog == Backlog::None {
            self.backlog = Backlog::InFile;
        }
    }

    /// Takes in a message that has just been written and is not visible before `visible_at`. Where the file has messages
    /// that are not here, it is loaded with them, and seen earlier.
    pub(super) fn hold_back(&mut self, message: Stored, visible_at: Instant) {
        if self.backlog != Backlog::None {
            return;
        }
        self.loaded_up_to = message.id;
        let Stored { id, body, receive_count } = message;
        self.in_flight.insert(id, Flight { body, receive_count, visible_at });
        self.returns.insert((visible_at, id));
    }

    /// Takes in what was read from the file when `wanted` messages were asked for.
    pub(super) fn load(&mut self, messages: Vec<Stored>, wanted: usize) {
        self.backlog = if messages.len() < wanted { Backlog::None } else { Backlog::InFile };
        self.loaded_up_to = messages.last().map_or(self.loaded_up_to, |message| message.id);
        self.ready.extend(messages);
    }

    /// The file could not be read; the next receive asks for it again.
    pub(super) const fn load_failed(&mut self) {
        self.backlog = Backlog::InFile;
    }

    /// Behind which message the file has to be read.
    pub(super) const fn loaded_up_to(&self) -> i64 {
        self.loaded_up_to
    }

    /// Hands out at most `max` messages: first those that come back, then the ready ones, oldest first.
    pub(super) fn take(&mut self, max: usize, visibility: Duration, max_receives: u32, now: Instant) -> Taken {
        let mut taken = Taken::default();
        while taken.deliveries.len() < max {
            let Some(message) = self.next_visible(now) else { break };
            if message.receive_count >= max_receives {
                taken.dead.push(Receipt { id: message.id, receive_count: message.receive_count });
                continue;
            }
            let receive_count = message.receive_count.saturating_add(1);
            let receipt = Receipt { id: message.id, receive_count };
            taken.deliveries.push(Delivery { id: message.id, receipt, body: message.body, receive_count });
        }

        // Only now, so that a visibility of no time does not hand one message out twice in one receive.
        taken.leaves_more = self.is_any_visible(now);
        for delivery in &taken.deliveries {
            self.fly(delivery, now + visibility);
        }
        taken.next_visible_at = self.returns.first().map(|(visible_at, _)| *visible_at);
        if self.ready.is_empty() && self.backlog == Backlog::InFile {
            self.backlog = Backlog::Coming;
            taken.wants_load = true;
        }
        taken
    }

    /// Whether `receipt` is of the last receive of a message that is still here.
    pub(super) fn is_current(&self, receipt: Receipt) -> bool {
        self.in_flight.get(&receipt.id).is_some_and(|flight| flight.receive_count == receipt.receive_count)
    }

    /// Makes the message visible at `at`, if `receipt` is current.
    pub(super) fn release(&mut self, receipt: Receipt, at: Instant) {
        let current =
            self.in_flight.get_mut(&receipt.id).filter(|flight| flight.receive_count == receipt.receive_count);
        if let Some(flight) = current {
            self.returns.remove(&(flight.visible_at, receipt.id));
            flight.visible_at = at;
            self.returns.insert((at, receipt.id));
        }
    }

    /// Lets go of a message that was deleted from the file.
    pub(super) fn forget(&mut self, id: i64) {
        if let Some(flight) = self.in_flight.remove(&id) {
            self.returns.remove(&(flight.visible_at, id));
        }
    }

    fn next_visible(&mut self, now: Instant) -> Option<Stored> {
        let back = self.returns.first().filter(|(visible_at, _)| *visible_at <= now).copied();
        let Some((visible_at, id)) = back else { return self.ready.pop_front() };
        self.returns.remove(&(visible_at, id));
        let flight = self.in_flight.remove(&id)?;
        Some(Stored { id, body: flight.body, receive_count: flight.receive_count })
    }

    fn is_any_visible(&self, now: Instant) -> bool {
        !self.ready.is_empty() || self.returns.first().is_some_and(|(visible_at, _)| *visible_at <= now)
    }

    fn fly(&mut self, delivery: &Delivery, visible_at: Instant) {
        let flight = Flight { body: Arc::clone(&delivery.body), receive_count: delivery.receive_count, visible_at };
        self.in_flight.insert(delivery.id, flight);
        self.returns.insert((visible_at, delivery.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_held_back_is_visible_when_its_time_has_come_and_not_before() {
        let mut shelf = Shelf::default();
        shelf.load(Vec::new(), 1);
        let (now, held_for) = (Instant::now(), Duration::from_secs(900));
        shelf.hold_back(Stored { id: 1, body: "wake".into(), receive_count: 0 }, now + held_for);
        let mut taken = |at: Instant| shelf.take(10, Duration::ZERO, 5, at).deliveries.len();
        assert_eq!(taken(now + held_for - Duration::from_millis(1)), 0);
        assert_eq!(taken(now + held_for), 1);
    }
}

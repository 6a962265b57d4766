//! The ticker: puts what is due on the queue.
//!
//! It decides nothing. Whoever takes the message looks at what is true then, so a message that comes twice, because two
//! tickers ran or one ended between sending and removing, does no harm; and one that is late because nothing ticked for a
//! while is sent by the next tick.

use std::sync::Arc;

use domain::Timestamp;
use futures_util::future::try_join_all;

use crate::{
    execute::delay_seconds,
    ports::{Queue, Store, Unavailable, World},
    runs::{self, TIMER_SHARDS, Timer},
};

/// How often it ticks on AWS. What is due before the next tick is sent by this one and held back by the queue until it is.
pub const TICK_SECONDS: i64 = 60;

/// How many timers one tick sends at the most, so that it ends in time; the next one goes on.
pub const TICK_LIMIT_TIMERS: usize = 10_000;

/// What sends that for which the time has come.
pub struct Ticker {
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
    world: Arc<dyn World>,
}

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticked {
    /// How many timers it sent.
    pub sent: usize,
    /// Whether more are due.
    pub has_more: bool,
}

impl Ticker {
    /// A ticker over `store` that sends to `queue`.
    pub fn new(store: Arc<dyn Store>, queue: Arc<dyn Queue>, world: Arc<dyn World>) -> Self {
        Self { store, queue, world }
    }

    /// Sends every timer that is due before the next tick, at most about `limit` of them.
    ///
    /// *Once it returns* `Ok`, what it sent is on the queue.
    /// *Errors*: [`Unavailable`]; what was not sent keeps its timer.
    pub async fn tick(&self, limit: usize) -> Result<Ticked, Unavailable> {
        let until = self.world.now().plus_seconds(TICK_SECONDS);
        let mut ticked = Ticked { sent: 0, has_more: false };
        let mut shards: Vec<u8> = (0..TIMER_SHARDS).collect();
        // Page by page, so that no shard waits for another one to be empty.
        while !shards.is_empty() {
            if ticked.sent >= limit {
                return Ok(Ticked { has_more: true, ..ticked });
            }
            let mut unfinished = Vec::new();
            for shard in shards {
                let (timers, has_more) = runs::due_timers(self.store.as_ref(), shard, until).await?;
                ticked.sent += timers.len();
                // What an index still names and is not there any more would be read for ever.
                if has_more && !timers.is_empty() {
                    unfinished.push(shard);
                }
                try_join_all(timers.iter().map(|timer| self.send(timer))).await?;
            }
            shards = unfinished;
        }
        Ok(ticked)
    }

    /// When the next timer is due, whenever that is.
    pub async fn next_due_at(&self) -> Result<Option<Timestamp>, Unavailable> {
        runs::next_timer_at(self.store.as_ref()).await
    }

    async fn send(&self, timer: &Timer) -> Result<(), Unavailable> {
        let seconds = delay_seconds(self.world.now(), timer.due_at);
        self.queue.send_later(timer.sends.org(), timer.sends.message()?, seconds).await?;
        runs::remove_timer(self.store.as_ref(), timer).await
    }
}

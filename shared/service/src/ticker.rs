//! The ticker: puts what is due on the queue: timers, arrivals that the queue did not take when they came, and what a hook
//! held that goes on.
//!
//! It decides nothing. Whoever takes the message looks at what is true then, so a message that comes twice, because two
//! tickers ran or one ended between sending and removing, does no harm; and one that is late because nothing ticked for a
//! while is sent by the next tick.

use std::sync::Arc;

use domain::Timestamp;
use futures_util::future::try_join_all;

use crate::{
    execute::delay_seconds,
    ports::{Key, LIST_LIMIT_ITEMS, Queue, Store, Unavailable, World},
    runs::{self, Due, Release, TIMER_SHARDS, Timer},
};

/// How often it ticks on AWS. What is due before the next tick is sent by this one and held back by the queue until it is.
pub const TICK_SECONDS: i64 = 60;

/// How many messages one tick sends at the most, so that it ends in time; the next one goes on.
pub const TICK_LIMIT_TIMERS: usize = 10_000;

/// How many arrivals are in memory, and on their way to the queue, at the same time. *Why*: each may have a mebibyte.
const ARRIVALS_AT_ONCE: usize = 10;

/// What sends that for which the time has come.
pub struct Ticker {
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
    world: Arc<dyn World>,
}

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticked {
    /// How many messages it sent.
    pub sent: usize,
    /// Whether more are due.
    pub has_more: bool,
}

impl Ticker {
    /// A ticker over `store` that sends to `queue`.
    pub fn new(store: Arc<dyn Store>, queue: Arc<dyn Queue>, world: Arc<dyn World>) -> Self {
        Self { store, queue, world }
    }

    /// Sends every timer that is due before the next tick and every arrival that waits for the queue, at most about `limit`
    /// of them.
    ///
    /// *Once it returns* `Ok`, what it sent is on the queue.
    /// *Errors*: [`Unavailable`]; what was not sent keeps its place.
    pub async fn tick(&self, limit: usize) -> Result<Ticked, Unavailable> {
        let until = self.world.now().plus_seconds(TICK_SECONDS);
        let (mut sent, mut releases) = (0, Vec::new());
        let mut shards: Vec<(u8, Option<String>)> = (0..TIMER_SHARDS).map(|shard| (shard, None)).collect();
        // Page by page, so that no shard waits for another one to be empty.
        while !shards.is_empty() {
            let mut unfinished = Vec::new();
            for (shard, after) in shards {
                if sent >= limit {
                    return Ok(Ticked { sent, has_more: true });
                }
                let due = runs::due(self.store.as_ref(), shard, until, after).await?;
                sent += self.send_due(&due).await?;
                releases.extend(due.releases);
                unfinished.extend(due.next.map(|next| (shard, Some(next))));
            }
            shards = unfinished;
        }
        self.release_all(&releases, sent, limit).await
    }

    /// When the next timer is due, whenever that is.
    pub async fn next_due_at(&self) -> Result<Option<Timestamp>, Unavailable> {
        runs::next_timer_at(self.store.as_ref()).await
    }

    async fn send_due(&self, due: &Due) -> Result<usize, Unavailable> {
        try_join_all(due.timers.iter().map(|timer| self.send(timer))).await?;
        let mut sent = due.timers.len();
        for keys in due.unsent.chunks(ARRIVALS_AT_ONCE) {
            sent += self.send_unsent(keys).await?;
        }
        Ok(sent)
    }

    async fn send(&self, timer: &Timer) -> Result<(), Unavailable> {
        let seconds = delay_seconds(self.world.now(), timer.due_at);
        self.queue.send_later(timer.sends.org(), timer.sends.message()?, seconds).await?;
        runs::remove_timer(self.store.as_ref(), timer).await
    }

    async fn send_unsent(&self, keys: &[Key]) -> Result<usize, Unavailable> {
        let store = self.store.as_ref();
        let unsent = runs::find_unsent(store, keys).await?;
        let sends = unsent.iter().map(|unsent| async move {
            self.queue.send(unsent.org, unsent.message.clone()).await?;
            runs::remove_unsent(store, unsent).await
        });
        Ok(try_join_all(sends).await?.len())
    }

    /// Has what hooks hold that were resumed go on, a page of each in turn.
    async fn release_all(&self, keys: &[Key], mut sent: usize, limit: usize) -> Result<Ticked, Unavailable> {
        let mut releases: Vec<(Release, Option<String>)> = Vec::new();
        for keys in keys.chunks(LIST_LIMIT_ITEMS) {
            let found = runs::find_releases(self.store.as_ref(), keys).await?;
            releases.extend(found.into_iter().map(|release| (release, None)));
        }
        while !releases.is_empty() {
            let mut unfinished = Vec::new();
            for (release, after) in releases {
                if sent >= limit {
                    return Ok(Ticked { sent, has_more: true });
                }
                let (released, next) = self.release(&release, after).await?;
                sent += released;
                unfinished.extend(next.map(|next| (release, Some(next))));
            }
            releases = unfinished;
        }
        Ok(Ticked { sent, has_more: false })
    }

    /// Puts the next page of what a hook holds on the queue, in the order in which it came, unless the hook was paused again.
    async fn release(&self, release: &Release, after: Option<String>) -> Result<(usize, Option<String>), Unavailable> {
        let store = self.store.as_ref();
        if !release.holds(store).await? {
            return Ok((0, None));
        }
        let (keys, next) = release.next(store, after).await?;
        if keys.is_empty() {
            release.end(store, self.world.now()).await?;
        }
        let mut sent = 0;
        for keys in keys.chunks(ARRIVALS_AT_ONCE) {
            let items = runs::find_held(store, keys).await?;
            let sends = items.iter().map(|item| async move {
                self.queue.send(item.held.org, item.held.message.clone()).await?;
                runs::remove_held(store, item).await
            });
            sent += try_join_all(sends).await?.len();
        }
        Ok((sent, next))
    }
}

//! How many messages of an org are executed at the same time, over all processes.
//!
//! Processes share the org's slots by leases in the store. One takes as many as it has used lately, spends them on any number
//! of messages, and asks again after a minute, or when it needs more:
//!
//! | slots | are |
//! | --- | --- |
//! | leased by this process | its own for a minute, taken from the others for two |
//! | leased and not used | leased no more the next time; at once where few are left for others, when the process has nothing in flight |
//! | of a process that died | free when its lease has run out |
//!
//! So a message that is taken up in the last moment of a lease has its slot until it ends, if it takes no longer than a minute,
//! which is all that a function has. One that takes longer keeps it where its process takes up another message of the org.

mod lease;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use domain::{OrgId, Timestamp};
use futures_util::lock::Mutex as Queued;

use crate::{
    directory::settings::{self, IN_FLIGHT_LIMIT_UNSET},
    ports::{Freshness, Store, Unavailable, World, WriteError},
};

use lease::Place;

/// For how long a lease is spent. *Why*: it is what a busy process pays one write for.
const SPENT_MS: i64 = 60_000;

/// For how long it is believed that an org has no slot left.
const FULL_MS: i64 = 1_000;

/// How many more slots than it needs a process takes at the most.
const MORE_LIMIT: u32 = 10;

/// How often a lease is tried for when other processes write theirs at the same moment.
const TRIES: usize = 5;

/// Of how many orgs a process remembers its leases; past it those without a message in flight are forgotten.
const ORGS_LIMIT: usize = 10_000;

/// How long a message is held back at the least that finds no slot, and how much longer by chance.
const HOLD_SECONDS: u32 = 2;
const HOLD_JITTER_SECONDS: u32 = 4;

/// How many messages are turned away in a row for each second that the next one is held back longer, and how long at the most.
/// *Why*: a long backlog behind slow runs need not go round every few seconds.
const TURNED_AWAY_PER_SECOND: u32 = 10;
const HOLD_LIMIT_SECONDS: u32 = 60;

/// The slots of this process.
pub struct InFlight {
    store: Arc<dyn Store>,
    world: Arc<dyn World>,
    orgs: Mutex<HashMap<OrgId, Held>>,
    /// Held while the store is asked, so that tasks of one process are no rivals.
    asking: Queued<()>,
    process: OnceLock<String>,
}

/// What this process has of an org's slots.
#[derive(Debug, Default)]
struct Held {
    /// How many messages it executes now.
    busy: u32,
    /// The most since the lease was renewed.
    peak: u32,
    lease: Option<Lease>,
    /// When the store said that there is no slot left.
    full_at: Option<Timestamp>,
    /// How many messages found no slot since the last one that did.
    turned_away: u32,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    slots: u32,
    at: Timestamp,
    /// Whether others may be waiting for what is leased here.
    is_scarce: bool,
}

/// What a message is told that asks for a slot.
pub(crate) enum Answer<'a> {
    /// It has one.
    Slot(Slot<'a>),
    /// There is none; it should come again in so many seconds.
    ComeAgain(u32),
}

/// A message in flight, for as long as this exists.
pub(crate) struct Slot<'a> {
    of: &'a InFlight,
    org: OrgId,
}

impl InFlight {
    /// A process with no slots yet.
    pub fn new(store: Arc<dyn Store>, world: Arc<dyn World>) -> Self {
        Self { store, world, orgs: Mutex::default(), asking: Queued::new(()), process: OnceLock::new() }
    }

    /// A slot of `org`, if it has one left.
    ///
    /// Where the store does not say, there is one: a cap must not be what stops the work.
    pub(crate) async fn take(&self, org: OrgId) -> Answer<'_> {
        if let Some(answer) = self.take_leased(org) {
            return answer;
        }
        let _asking = self.asking.lock().await;
        // Whoever asked before may have leased for this message as well.
        if let Some(answer) = self.take_leased(org) {
            return answer;
        }
        for _ in 0..TRIES {
            match self.lease(org).await {
                Ok(()) => match self.take_leased(org) {
                    Some(answer) => return answer,
                    // A lease that is too old by now: the store took longer than it lasts.
                    None => continue,
                },
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Unavailable(error)) => {
                    tracing::error!(org.id = %org, %error, "the messages in flight of an org were not counted");
                    self.held(org, Held::begin);
                    return Answer::Slot(Slot { of: self, org });
                }
            }
        }
        tracing::debug!(org.id = %org, "too many processes lease slots at once; a message waits");
        self.held(org, |held| self.turn_away(held))
    }

    /// What is known without asking the store.
    fn take_leased(&self, org: OrgId) -> Option<Answer<'_>> {
        let now = self.world.now();
        self.held(org, |held| {
            if held.lease.is_some_and(|lease| is_within(lease.at, now, SPENT_MS) && held.busy < lease.slots) {
                held.begin();
                return Some(Answer::Slot(Slot { of: self, org }));
            }
            let is_full = held.full_at.is_some_and(|at| is_within(at, now, FULL_MS));
            is_full.then(|| self.turn_away(held))
        })
    }

    /// Leases what the process needs, or notes that there is none left. Call it while nobody else asks.
    async fn lease(&self, org: OrgId) -> Result<(), WriteError> {
        let set = settings::find(self.store.as_ref(), org, Freshness::Recent).await?.value;
        let limit = set.in_flight_limit.unwrap_or(IN_FLIGHT_LIMIT_UNSET);
        let now = self.world.now();
        let place = Place::find(self.store.as_ref(), org, self.process()?, now).await?;
        let left = limit.saturating_sub(place.leased_by_others());
        let (slots, is_needed) = self.held(org, |held| {
            let slots = held.wanted(now).min(left);
            let is_spent = !held.lease.is_some_and(|lease| is_within(lease.at, now, SPENT_MS));
            (slots, slots > held.busy || is_spent && slots > 0)
        });
        if is_needed {
            place.put(self.store.as_ref(), slots, now).await?;
        }
        self.held(org, |held| {
            if is_needed {
                let is_scarce = left - slots <= (limit / 10).max(1);
                held.lease = Some(Lease { slots, at: now, is_scarce });
                held.peak = held.busy;
            }
            held.full_at = (slots <= held.busy).then_some(now);
            if held.full_at.is_some() {
                tracing::info!(org.id = %org, limit, "the org has as many messages in flight as it may; others wait");
            }
        });
        Ok(())
    }

    /// Gives the lease back where others may wait for it and nothing of the org is in flight here.
    async fn give_back(&self, org: OrgId) {
        let is_idle = |held: &mut Held| held.busy == 0 && held.lease.is_some_and(|lease| lease.is_scarce);
        if !self.held(org, is_idle) {
            return;
        }
        let _asking = self.asking.lock().await;
        if !self.held(org, |held| is_idle(held) && held.lease.take().is_some()) {
            return;
        }
        for _ in 0..TRIES {
            match self.clear(org).await {
                Ok(()) => return,
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Unavailable(error)) => {
                    tracing::debug!(org.id = %org, %error, "a lease of slots was not given back and runs out");
                    return;
                }
            }
        }
    }

    async fn clear(&self, org: OrgId) -> Result<(), WriteError> {
        let now = self.world.now();
        let place = Place::find(self.store.as_ref(), org, self.process()?, now).await?;
        place.put(self.store.as_ref(), 0, now).await
    }

    /// Notes that a message found no slot, and says when it should come again.
    fn turn_away(&self, held: &mut Held) -> Answer<'_> {
        let mut chance = [0];
        // Without chance they come together, which costs no more than time.
        let _ = self.world.fill(&mut chance);
        let jitter = u32::from(chance[0]) % HOLD_JITTER_SECONDS;
        let longer = held.turned_away / TURNED_AWAY_PER_SECOND;
        held.turned_away = held.turned_away.saturating_add(1);
        Answer::ComeAgain((HOLD_SECONDS + jitter + longer).min(HOLD_LIMIT_SECONDS))
    }

    /// What this process is called among the others.
    fn process(&self) -> Result<&str, Unavailable> {
        if let Some(process) = self.process.get() {
            return Ok(process);
        }
        let mut random = [0; 8];
        self.world.fill(&mut random)?;
        Ok(self.process.get_or_init(|| hex::encode(random)))
    }

    fn held<T>(&self, org: OrgId, work: impl FnOnce(&mut Held) -> T) -> T {
        let mut orgs = self.orgs();
        if orgs.len() >= ORGS_LIMIT && !orgs.contains_key(&org) {
            orgs.retain(|_, held| held.busy > 0);
        }
        work(orgs.entry(org).or_default())
    }

    fn orgs(&self) -> MutexGuard<'_, HashMap<OrgId, Held>> {
        self.orgs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn begin(&mut self) {
        self.busy = self.busy.saturating_add(1);
        self.peak = self.peak.max(self.busy);
        self.turned_away = 0;
    }

    /// How many slots to ask for: twice as many as were too few, or as many as were used in the minute that is over.
    fn wanted(&self, now: Timestamp) -> u32 {
        let least = self.busy.saturating_add(1);
        match self.lease {
            Some(lease) if is_within(lease.at, now, SPENT_MS) => {
                least.max(lease.slots.saturating_mul(2)).min(self.busy.saturating_add(MORE_LIMIT))
            }
            Some(_) | None => least.max(self.peak),
        }
    }
}

impl Slot<'_> {
    /// The message has been executed.
    pub(crate) async fn give_back(self) {
        let (of, org) = (self.of, self.org);
        drop(self);
        of.give_back(org).await;
    }
}

impl Drop for Slot<'_> {
    /// Also where the message was given up half-way.
    fn drop(&mut self) {
        self.of.held(self.org, |held| held.busy = held.busy.saturating_sub(1));
    }
}

/// Whether `at` is less than `age_ms` ago; a clock that was set back makes it none.
fn is_within(at: Timestamp, now: Timestamp, age_ms: i64) -> bool {
    (0..age_ms).contains(&(now.as_millisecond() - at.as_millisecond()))
}

#[cfg(test)]
mod tests;

//! How many arrivals are let in: token buckets for a hook, an org and a source address.
//!
//! A bucket is one instant, the "theoretical arrival time" of the generic cell rate algorithm, so that two processes
//! need to agree on one number only. Hooks and orgs have theirs in the store, and a process leases a few tokens at a
//! time, which keeps the price of a limit at one write per ten arrivals of it. Source addresses are counted per process:
//! a flood from many of them must not become a flood of writes. What an org has set is looked up every few seconds.

mod bucket;
mod lease;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use domain::{Hook, HookId, Limit, OrgId, Timestamp};

use crate::{
    directory::settings,
    ports::{Freshness, Store},
    remembered::Remembered,
};

use bucket::Buckets;
use lease::{Leases, Owner};

/// How often one source address may ask for addresses that do not exist, before its questions cost nothing any more.
const MISSES: Limit = Limit { requests: 1_000, seconds: 100 };

/// How many uploads one source address may begin at a hook that has no limit for addresses.
const UPLOADS: Limit = Limit { requests: 20, seconds: 60 };

/// How often a hook's refusals are explained and kept; the work of explaining is more than that of refusing.
const REFUSALS: Limit = Limit { requests: 20, seconds: 20 };

/// How long the limits that an org has set are believed.
const SETTINGS_AGE_MS: i64 = 5_000;

/// Of how many orgs they are remembered; past it all are forgotten.
const SETTINGS_LIMIT: usize = 10_000;

/// Of how many hooks the last place is remembered; past it all are forgotten.
const SLOTS_LIMIT: usize = 10_000;

/// Where a sender stands with the tightest limit that applies to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many are let in at once.
    pub limit: u32,
    /// How many more are let in now.
    pub remaining: u32,
    /// When all of them are again, in epoch seconds.
    pub reset_at: i64,
    /// How long to wait for the next one; 0 while one is let in.
    pub retry_after_seconds: i64,
}

impl Standing {
    /// The one with the fewest left, which is the one to tell a sender.
    pub(crate) fn tightest(standings: [Option<Self>; 2]) -> Option<Self> {
        standings.into_iter().flatten().min_by_key(|standing| standing.remaining)
    }
}

/// What an org says of its limits.
#[derive(Debug, Clone, Copy, Default)]
struct OrgLimits {
    /// Of all its hooks together.
    all: Option<Limit>,
    /// Of each hook that says nothing itself.
    each: Option<Limit>,
}

/// The limits of this process.
pub struct Limits {
    org: Option<Limit>,
    set: Remembered<OrgId, OrgLimits>,
    leases: Leases,
    addresses: Buckets<(HookId, IpAddr)>,
    misses: Buckets<IpAddr>,
    refusals: Buckets<HookId>,
    slots: Mutex<HashMap<HookId, usize>>,
    duplicate_slots: Mutex<HashMap<HookId, usize>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self::for_each_org(None)
    }
}

impl Limits {
    /// Limits where every org is let in `org` times unless it has set that itself, beside what each hook is set to.
    pub fn for_each_org(org: Option<Limit>) -> Self {
        Self {
            org,
            set: Remembered::at_most(SETTINGS_LIMIT),
            leases: Leases::default(),
            addresses: Buckets::default(),
            misses: Buckets::default(),
            refusals: Buckets::default(),
            slots: Mutex::default(),
            duplicate_slots: Mutex::default(),
        }
    }

    /// Takes one token of the bucket that `source` has at `hook`, before anybody looks at who it is.
    ///
    /// *Errors*: where the sender stands, when it is empty.
    pub fn admit_source(
        &self,
        hook: &Hook,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<Standing>, Standing> {
        match (hook.address_limit, source) {
            (Some(limit), Some(source)) => self.addresses.take((hook.id, one_source(source)), limit, now).map(Some),
            (None, _) | (_, None) => Ok(None),
        }
    }

    /// The same for the beginning of an upload, which is limited where the hook says nothing, too: what is granted is kept.
    pub fn admit_upload(
        &self,
        hook: &Hook,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<Standing>, Standing> {
        let limit = hook.address_limit.unwrap_or(UPLOADS);
        source.map(|source| self.addresses.take((hook.id, one_source(source)), limit, now)).transpose()
    }

    /// Takes one token of the hook's own bucket and one of its org's. Where senders have to prove who they are, this comes
    /// after it: nobody else uses up what is theirs.
    ///
    /// *Errors*: where the sender stands, when one of them is empty. A store that does not answer lets everybody in:
    /// a limit protects what is behind it and must not become the reason that an arrival is lost.
    pub async fn admit(&self, store: &dyn Store, hook: &Hook, now: Timestamp) -> Result<Option<Standing>, Standing> {
        let set = self.set_by(store, hook.org, now).await;
        let (each, all) = (hook.limit.or(set.each), set.all.or(self.org));
        let mut tightest = None;
        for (owner, limit) in [(Owner::Hook(hook.org, hook.id), each), (Owner::Org(hook.org), all)] {
            if let Some(limit) = limit {
                tightest = Standing::tightest([tightest, self.leases.take(store, owner, limit, now).await?]);
            }
        }
        Ok(tightest)
    }

    /// What the org has set, as it was some seconds ago at most. Where the store does not answer, what was known
    /// before goes on, or the limit of the deployment.
    async fn set_by(&self, store: &dyn Store, org: OrgId, now: Timestamp) -> OrgLimits {
        if let Some(known) = self.set.find(&org, now, SETTINGS_AGE_MS) {
            return known;
        }
        let limits = match settings::find(store, org, Freshness::Recent).await {
            Ok(found) => OrgLimits { all: found.value.limit, each: found.value.hook_limit },
            Err(error) => {
                tracing::error!(org.id = %org, %error, "the limits of an org were not read");
                self.set.find_any(&org).unwrap_or_default()
            }
        };
        // Also after an error: not every arrival has to wait until the store has failed again.
        self.set.put(org, limits, now);
        limits
    }

    /// Whether `source` may still ask for an address that nobody here remembers.
    pub fn may_look_up(&self, source: Option<IpAddr>, now: Timestamp) -> Result<(), Standing> {
        source.map_or(Ok(()), |source| self.misses.look(one_source(source), MISSES, now))
    }

    /// Counts an address that does not exist.
    pub fn count_miss(&self, source: Option<IpAddr>, now: Timestamp) {
        if let Some(source) = source {
            // Whether it was the last one is asked at the next look-up.
            let _standing = self.misses.take(one_source(source), MISSES, now);
        }
    }

    /// The place in which the next refusal of the hook is kept; nothing in a flood of them.
    pub fn refusal_slot(&self, hook: HookId, now: Timestamp) -> Option<usize> {
        self.refusals.take(hook, REFUSALS, now).ok()?;
        Some(next_slot(&self.slots, hook, now))
    }

    /// The place in which the next repeat at the hook is counted.
    pub fn duplicate_slot(&self, hook: HookId, now: Timestamp) -> usize {
        next_slot(&self.duplicate_slots, hook, now)
    }
}

fn next_slot(slots: &Mutex<HashMap<HookId, usize>>, hook: HookId, now: Timestamp) -> usize {
    let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
    if slots.len() >= SLOTS_LIMIT {
        slots.clear();
    }
    // Another process has its own count: begun at the present second, the two seldom write over one another.
    let slot = slots.entry(hook).or_insert_with(|| usize::try_from(now.as_second()).unwrap_or(0));
    *slot = slot.wrapping_add(1);
    *slot
}

/// What counts as one source: an IPv4 address, or an IPv6 network of 64 bits, all of whose addresses one machine has.
fn one_source(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// Names of buckets in the store begin with their org.
fn owner_partition(owner: Owner) -> String {
    match owner {
        Owner::Hook(org, hook) => format!("{org}#limit#{hook}"),
        Owner::Org(org) => format!("{org}#limit"),
    }
}

/// The org a bucket belongs to, for the log.
const fn owner_org(owner: Owner) -> OrgId {
    match owner {
        Owner::Hook(org, _) | Owner::Org(org) => org,
    }
}

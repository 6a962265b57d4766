//! One process: everything that a function or `hookwright dev` has in memory, and its own view of the ports.

use std::sync::Arc;

use domain::OrgId;
use service::{
    Door, Executor, InFlight, Limits, Management, Senders, Ticker,
    actions::Mailing,
    memory::{FixedWorld, MemoryBlobs, MemoryStore, MemoryWeb},
    ports::World,
};

use crate::{build::Build, gate::Gate, outside::Outside, ports::Gated, ports::OwnClock, shelf::Shelf};

/// Where addresses begin.
pub(crate) const PUBLIC_URL: &str = "http://hooks.test";

const MAIL_DOMAIN: &str = "hooks.test";

/// The org of every simulation.
pub(crate) const ORG: &str = "581392b55ac7a2110099d9c8";

/// What outlives every process.
pub(crate) struct Durable {
    pub(crate) world: Arc<FixedWorld>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) blobs: Arc<MemoryBlobs>,
    pub(crate) outside: Arc<Outside>,
    pub(crate) org: OrgId,
}

/// What a process has. Whoever kills it drops it, and all tasks that hold it.
pub(crate) struct Process {
    pub(crate) build: Build,
    pub(crate) clock: Arc<OwnClock>,
    pub(crate) door: Door,
    pub(crate) executor: Executor,
    pub(crate) ticker: Ticker,
    pub(crate) management: Management,
}

impl Process {
    /// A process that has just started.
    pub(crate) fn start(durable: &Durable, gate: &Arc<Gate>, build: Build) -> Arc<Self> {
        let clock = OwnClock::over(&durable.world);
        let world: Arc<dyn World> = Arc::<OwnClock>::clone(&clock);
        let store = Gated::new(&durable.store, gate, build);
        let queue = Gated::new(&durable.shelf, gate, build);
        let blobs = Gated::new(&durable.blobs, gate, build);
        let outside = Gated::new(&durable.outside, gate, build);
        let (addresses, keys) = (Arc::default(), Arc::default());
        let public_url = Some(PUBLIC_URL.to_owned());
        let door = Door {
            store: store.clone(),
            queue: queue.clone(),
            blobs: blobs.clone(),
            uploads: blobs.clone(),
            web: Arc::new(MemoryWeb::default()),
            world: Arc::clone(&world),
            addresses: Arc::clone(&addresses),
            limits: Limits::default(),
            senders: Senders::with_keys(Arc::clone(&keys)),
            public_url: public_url.clone(),
        };
        let executor = Executor::new(store.clone(), queue.clone(), Arc::clone(&world))
            .with_cap(InFlight::new(store.clone(), Arc::clone(&world)))
            .with_calls(outside.clone())
            .with_address(Some(PUBLIC_URL))
            .with_post(Mailing {
                post: outside.clone(),
                blobs,
                domain: Some(MAIL_DOMAIN.to_owned()),
                from: Some(format!("workflows@{MAIL_DOMAIN}")),
            });
        let ticker = Ticker::new(store.clone(), queue.clone(), Arc::clone(&world));
        let (mail, outbox, first_key) = (None, None, None);
        let management = Management {
            store,
            queue,
            destinations: outside,
            world,
            addresses,
            keys,
            public_url,
            mail,
            outbox,
            first_key,
        };
        Arc::new(Self { build, clock, door, executor, ticker, management })
    }
}

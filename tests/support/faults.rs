//! Ports that fail: one that dies or lies at a chosen call, a queue that takes nothing.
//!
//! Ports that share a [`Fuse`] are counted together, so that a story can fail each call of a whole way in turn.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::OrgId;
use service::Executor;
use service::ports::{
    Blobs, CallAnswer, Calls, Change, Freshness, Item, Key, Mails, NotCalled, OutgoingCall, Page, Pieces, Queue, Range,
    Store, Unavailable, WriteError,
};

use crate::world::World;

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call does nothing and fails.
    Refuses,
    /// The call does what it should, and fails all the same.
    DoesAndFails,
    /// A write meets another one and does nothing; any other call does what it should.
    MeetsAnother,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Refuses, Self::DoesAndFails, Self::MeetsAnother];
}

/// Counts calls and fails one of them.
pub struct Fuse {
    calls: AtomicUsize,
    fault: Fault,
    fails_at: AtomicUsize,
    is_out: AtomicBool,
}

/// A port whose calls are counted and one of them fails.
pub struct Faulty<P: ?Sized> {
    inner: Arc<P>,
    fuse: Arc<Fuse>,
}

/// A store that counts its calls and fails one of them.
pub type FaultyStore = Faulty<dyn Store>;

const NEVER: usize = usize::MAX;

/// An executor over the store and the queue of `world`, of whose calls the one fails that is `place` calls from now; and what
/// counts them.
pub fn failing_executor(world: &World, fault: Fault, place: usize) -> (Executor, Arc<Fuse>) {
    let fuse = Arc::new(Fuse::new(fault));
    let store: Arc<FaultyStore> = Arc::new(Faulty::sharing(world.store.clone(), fuse.clone()));
    let queue: Arc<Faulty<dyn Queue>> = Arc::new(Faulty::sharing(world.queue.clone() as Arc<dyn Queue>, fuse.clone()));
    fuse.fail_in(place);
    (Executor::new(store as Arc<dyn Store>, queue, world.clock.clone()), fuse)
}

impl Fuse {
    pub fn new(fault: Fault) -> Self {
        Self { calls: AtomicUsize::new(0), fault, fails_at: AtomicUsize::new(NEVER), is_out: AtomicBool::new(false) }
    }

    /// Lets the call `offset` calls from now fail, and no other.
    pub fn fail_in(&self, offset: usize) {
        self.fails_at.store(self.calls() + offset, Ordering::SeqCst);
    }

    /// Lets every call fail from now on.
    pub fn cut(&self) {
        self.is_out.store(true, Ordering::SeqCst);
    }

    /// Lets no call fail.
    pub fn heal(&self) {
        self.is_out.store(false, Ordering::SeqCst);
        self.fails_at.store(NEVER, Ordering::SeqCst);
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn is_failing(&self) -> bool {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        self.is_out.load(Ordering::SeqCst) || call == self.fails_at.load(Ordering::SeqCst)
    }
}

impl<P: ?Sized> Faulty<P> {
    pub fn new(inner: Arc<P>, fault: Fault) -> Self {
        Self::sharing(inner, Arc::new(Fuse::new(fault)))
    }

    /// A port that is counted together with all others of this fuse.
    pub fn sharing(inner: Arc<P>, fuse: Arc<Fuse>) -> Self {
        Self { inner, fuse }
    }

    /// [`Fuse::fail_in`].
    pub fn fail_in(&self, offset: usize) {
        self.fuse.fail_in(offset);
    }

    /// [`Fuse::heal`].
    pub fn heal(&self) {
        self.fuse.heal();
    }

    /// [`Fuse::calls`].
    pub fn calls(&self) -> usize {
        self.fuse.calls()
    }

    async fn read<T>(
        &self,
        port: &'static str,
        call: impl Future<Output = Result<T, Unavailable>>,
    ) -> Result<T, Unavailable> {
        let is_failing = self.fuse.is_failing() && self.fuse.fault != Fault::MeetsAnother;
        if is_failing { Err(down(port)) } else { call.await }
    }

    async fn write<E: From<Unavailable>>(
        &self,
        port: &'static str,
        call: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        if !self.fuse.is_failing() {
            return call.await;
        }
        match self.fuse.fault {
            Fault::Refuses => {}
            Fault::DoesAndFails => call.await?,
            Fault::MeetsAnother => return call.await,
        }
        Err(down(port).into())
    }
}

fn down(port: &'static str) -> Unavailable {
    Unavailable { port, cause: "it was told to fail".to_owned() }
}

#[async_trait]
impl Store for Faulty<dyn Store> {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        self.read("store", self.inner.find(key, freshness)).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        self.read("store", self.inner.find_all(keys)).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        self.read("store", self.inner.list(range)).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        if self.fuse.fault != Fault::MeetsAnother {
            return Faulty::write(self, "store", self.inner.write(changes)).await;
        }
        match self.fuse.is_failing() {
            true => Err(WriteError::Conflict { position: 0, found: None }),
            false => self.inner.write(changes).await,
        }
    }
}

#[async_trait]
impl Queue for Faulty<dyn Queue> {
    async fn send_later(&self, org: OrgId, message: String, seconds: u32) -> Result<(), Unavailable> {
        self.write("queue", self.inner.send_later(org, message, seconds)).await
    }
}

#[async_trait]
impl Blobs for Faulty<dyn Blobs> {
    async fn put(&self, sha256: &str, bytes: Bytes) -> Result<(), Unavailable> {
        self.write("blobs", self.inner.put(sha256, bytes)).await
    }

    async fn put_pieces(&self, sha256: &str, length: u64, pieces: Pieces) -> Result<(), Unavailable> {
        self.write("blobs", self.inner.put_pieces(sha256, length, pieces)).await
    }

    async fn find(&self, sha256: &str) -> Result<Option<Bytes>, Unavailable> {
        self.read("blobs", self.inner.find(sha256)).await
    }
}

#[async_trait]
impl Mails for Faulty<dyn Mails> {
    async fn read(&self, key: &str) -> Result<Option<Bytes>, Unavailable> {
        Faulty::read(self, "mails", self.inner.read(key)).await
    }
}

#[async_trait]
impl Calls for Faulty<dyn Calls> {
    async fn call(&self, call: &OutgoingCall) -> Result<CallAnswer, NotCalled> {
        if !self.fuse.is_failing() {
            return self.inner.call(call).await;
        }
        if self.fuse.fault == Fault::Refuses {
            return Err(NotCalled::NotSent(down("calls")));
        }
        self.inner.call(call).await?;
        Err(NotCalled::Broken(down("calls")))
    }
}

/// A store with a place at which its program panics.
pub struct Minefield {
    inner: Arc<dyn Store>,
    mine: Mutex<Option<String>>,
}

impl Minefield {
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, mine: Mutex::default() }
    }

    /// Lets whoever touches a partition with this word in it panic; nobody, where there is none.
    pub fn lay(&self, word: Option<&str>) {
        *self.mine.lock().unwrap() = word.map(str::to_owned);
    }

    fn step(&self, partition: &str) {
        let mine = self.mine.lock().unwrap().clone();
        if mine.is_some_and(|word| partition.contains(&word)) {
            panic!("{partition} is mined");
        }
    }
}

#[async_trait]
impl Store for Minefield {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        self.step(&key.partition);
        self.inner.find(key, freshness).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        keys.iter().for_each(|key| self.step(&key.partition));
        self.inner.find_all(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        self.step(&range.partition);
        self.inner.list(range).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        changes.iter().for_each(|change| self.step(&change.key().partition));
        self.inner.write(changes).await
    }
}

/// A queue that takes nothing.
pub struct DownQueue;

#[async_trait]
impl Queue for DownQueue {
    async fn send_later(&self, _org: OrgId, _message: String, _seconds: u32) -> Result<(), Unavailable> {
        Err(down("queue"))
    }
}

/// A store that keeps no arrival in the place of the queue, and does everything else.
pub struct NoStandIn(pub Arc<dyn Store>);

/// Lets the queue of the door that is posted to take nothing, and the store nothing in its place.
pub fn stop_taking(world: &mut World) {
    world.door.queue = Arc::new(DownQueue);
    world.door.store = Arc::new(NoStandIn(world.store.clone()));
}

/// Puts it right again.
pub fn go_on_taking(world: &mut World) {
    (world.door.queue, world.door.store) = (world.queue.clone(), world.store.clone());
}

#[async_trait]
impl Store for NoStandIn {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        self.0.find(key, freshness).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        self.0.find_all(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        self.0.list(range).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        if changes.iter().any(|change| change.key().sort == "unsent") {
            return Err(down("store").into());
        }
        self.0.write(changes).await
    }
}

//! Ports that fail: a store that dies or lies at a chosen call, a queue that takes nothing.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use service::ports::{Change, Freshness, Item, Key, Page, Queue, Range, Store, Unavailable, WriteError};

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call does nothing and fails.
    Refuses,
    /// The call does what it should, and fails all the same.
    DoesAndFails,
}

/// A store that counts its calls and fails one of them.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    calls: AtomicUsize,
    fault: Fault,
    fails_at: AtomicUsize,
}

const NEVER: usize = usize::MAX;

impl FaultyStore {
    pub fn new(inner: Arc<dyn Store>, fault: Fault) -> Self {
        Self { inner, calls: AtomicUsize::new(0), fault, fails_at: AtomicUsize::new(NEVER) }
    }

    /// Lets the call `offset` calls from now fail, and no other.
    pub fn fail_in(&self, offset: usize) {
        self.fails_at.store(self.calls() + offset, Ordering::SeqCst);
    }

    /// Lets no call fail.
    pub fn heal(&self) {
        self.fails_at.store(NEVER, Ordering::SeqCst);
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn is_failing(&self) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst) == self.fails_at.load(Ordering::SeqCst)
    }

    fn down() -> Unavailable {
        Unavailable { port: "store", cause: "it was told to fail".to_owned() }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        if self.is_failing() { Err(Self::down()) } else { self.inner.find(key, freshness).await }
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        if self.is_failing() { Err(Self::down()) } else { self.inner.find_all(keys).await }
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        if self.is_failing() { Err(Self::down()) } else { self.inner.list(range).await }
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        if !self.is_failing() {
            return self.inner.write(changes).await;
        }
        if self.fault == Fault::DoesAndFails {
            self.inner.write(changes).await?;
        }
        Err(Self::down().into())
    }
}

/// A queue that takes nothing.
pub struct DownQueue;

#[async_trait]
impl Queue for DownQueue {
    async fn send(&self, _message: String) -> Result<(), Unavailable> {
        Err(Unavailable { port: "queue", cause: "it was told to fail".to_owned() })
    }
}

//! The ports of one process: each call waits at the gate, and then does what the verdict says to the one real port behind.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Failure, OrgId, Timestamp};
use service::{
    memory::{FixedWorld, MemoryBlobs, MemoryStore},
    ports::{
        Blobs, CallAnswer, Calls, Change, Destinations, Freshness, Grant, Item, Key, NotCalled, NotPosted,
        OutgoingCall, OutgoingMail, Page, Pieces, Post, Posted, Queue, Range, Store, Unavailable, Upload, Uploads,
        World, WriteError,
    },
};

use crate::{
    build::Build,
    gate::{Gate, Port, Verdict},
    outside::Outside,
    shelf::Shelf,
};

/// A port behind the gate.
pub(crate) struct Gated<P> {
    inner: Arc<P>,
    gate: Arc<Gate>,
    build: Build,
}

impl<P> Gated<P> {
    pub(crate) fn new(inner: &Arc<P>, gate: &Arc<Gate>, build: Build) -> Arc<Self> {
        Arc::new(Self { inner: Arc::clone(inner), gate: Arc::clone(gate), build })
    }

    async fn read<T>(
        &self,
        port: Port,
        about: String,
        call: impl Future<Output = Result<T, Unavailable>>,
    ) -> Result<T, Unavailable> {
        match self.gate.pass(port, about).await {
            Verdict::Proceeds | Verdict::Contended => call.await,
            Verdict::Refused | Verdict::Lost | Verdict::AppliedUnseen => Err(down()),
        }
    }

    async fn change<E: From<Unavailable>>(
        &self,
        port: Port,
        about: String,
        call: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        match self.gate.pass(port, about).await {
            Verdict::Proceeds | Verdict::Contended => call.await,
            Verdict::Refused | Verdict::Lost => Err(down().into()),
            Verdict::AppliedUnseen => {
                call.await?;
                Err(down().into())
            }
        }
    }
}

fn down() -> Unavailable {
    Unavailable { port: "simulated", cause: "the scheduler had it fail".to_owned() }
}

#[async_trait]
impl Store for Gated<MemoryStore> {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        self.read(Port::Read, about(key), self.inner.find(key, freshness)).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        let all = keys.first().map(about).unwrap_or_default();
        self.read(Port::Read, all, self.inner.find_all(keys)).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        self.read(Port::Read, format!("{} {}", range.partition, range.from), self.inner.list(range)).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        let all = changes.first().map(|change| about(change.key())).unwrap_or_default();
        let changes = &self.build.written(changes);
        match self.gate.pass(Port::Write, all).await {
            Verdict::Proceeds => self.inner.write(changes).await,
            Verdict::Refused | Verdict::Lost => Err(down().into()),
            Verdict::Contended => Err(WriteError::Conflict { position: 0, found: None }),
            // As the adapter does it: a single change whose answer was lost is "it may have happened", and never a conflict.
            Verdict::AppliedUnseen => match self.inner.write(changes).await {
                Ok(()) | Err(WriteError::Conflict { .. }) => Err(down().into()),
                Err(error) => Err(error),
            },
        }
    }
}

fn about(key: &Key) -> String {
    format!("{} {}", key.partition, key.sort)
}

#[async_trait]
impl Queue for Gated<Shelf> {
    async fn send_later(&self, org: OrgId, message: String, seconds: u32) -> Result<(), Unavailable> {
        let message = self.build.said(message);
        self.change(Port::Queue, message.clone(), self.inner.send_later(org, message, seconds)).await
    }
}

#[async_trait]
impl Blobs for Gated<MemoryBlobs> {
    async fn put(&self, sha256: &str, bytes: Bytes) -> Result<(), Unavailable> {
        self.change(Port::Blobs, sha256.to_owned(), self.inner.put(sha256, bytes)).await
    }

    async fn put_pieces(&self, sha256: &str, length: u64, pieces: Pieces) -> Result<(), Unavailable> {
        self.change(Port::Blobs, sha256.to_owned(), self.inner.put_pieces(sha256, length, pieces)).await
    }

    async fn find(&self, sha256: &str) -> Result<Option<Bytes>, Unavailable> {
        self.read(Port::Blobs, sha256.to_owned(), self.inner.find(sha256)).await
    }
}

#[async_trait]
impl Uploads for Gated<MemoryBlobs> {
    async fn grant(&self, upload: &Upload) -> Result<Grant, Unavailable> {
        self.read(Port::Blobs, upload.sha256.clone(), self.inner.grant(upload)).await
    }

    async fn size(&self, sha256: &str) -> Result<Option<u64>, Unavailable> {
        self.read(Port::Blobs, sha256.to_owned(), self.inner.size(sha256)).await
    }
}

#[async_trait]
impl Calls for Gated<Outside> {
    async fn call(&self, call: &OutgoingCall) -> Result<CallAnswer, NotCalled> {
        match self.gate.pass(Port::Outside, call.url.clone()).await {
            Verdict::Proceeds | Verdict::Contended => self.inner.call(call).await,
            Verdict::Refused => Err(NotCalled::NotSent(down())),
            Verdict::Lost => Err(NotCalled::TimedOut(down())),
            Verdict::AppliedUnseen => {
                self.inner.call(call).await?;
                Err(NotCalled::Broken(down()))
            }
        }
    }
}

#[async_trait]
impl Post for Gated<Outside> {
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        match self.gate.pass(Port::Outside, mail.key.clone()).await {
            Verdict::Proceeds | Verdict::Contended => self.inner.send(mail).await,
            Verdict::Refused => Err(NotPosted::NotSent(down())),
            Verdict::Lost => Err(NotPosted::Unknown(down())),
            Verdict::AppliedUnseen => {
                self.inner.send(mail).await?;
                Err(NotPosted::Unknown(down()))
            }
        }
    }
}

impl Destinations for Gated<Outside> {
    fn judge(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }
}

/// The clock of one process, which may be wrong.
pub(crate) struct OwnClock {
    world: Arc<FixedWorld>,
    ahead_ms: AtomicI64,
}

impl OwnClock {
    pub(crate) fn over(world: &Arc<FixedWorld>) -> Arc<Self> {
        Arc::new(Self { world: Arc::clone(world), ahead_ms: AtomicI64::new(0) })
    }

    /// Makes it so much wrong.
    pub(crate) fn set_ahead(&self, ahead_ms: i64) {
        self.ahead_ms.store(ahead_ms, Ordering::SeqCst);
    }
}

#[async_trait]
impl World for OwnClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.world.now().as_millisecond() + self.ahead_ms.load(Ordering::SeqCst))
    }

    async fn pause(&self, _: u32) {}

    fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        self.world.fill(bytes)
    }
}

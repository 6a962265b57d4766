//! Ports whose calls end as chaos has it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::OrgId;
use service::ports::{
    CallAnswer, Calls, Change, Freshness, Item, Key, NotCalled, NotPosted, OutgoingCall, OutgoingMail, Page, Post,
    Posted, Queue, Range, Store, Unavailable, WriteError,
};

use super::{Chaos, Fate};

/// A port that fails now and then.
pub(in crate::dev) struct Chaotic<P: ?Sized> {
    inner: Arc<P>,
    chaos: Arc<Chaos>,
}

impl<P: ?Sized> Chaotic<P> {
    pub(in crate::dev) fn new(inner: Arc<P>, chaos: &Arc<Chaos>) -> Arc<Self> {
        Arc::new(Self { inner, chaos: Arc::clone(chaos) })
    }

    /// How the next call ends; not at all where whoever makes it is killed.
    async fn fate(&self) -> Fate {
        let fate = self.chaos.fate();
        if fate == Fate::Killed {
            self.chaos.die().await;
        }
        fate
    }

    async fn read<T>(&self, call: impl Future<Output = Result<T, Unavailable>>) -> Result<T, Unavailable> {
        match self.fate().await {
            Fate::Proceeds | Fate::Killed | Fate::AppliedUnseen => call.await,
            Fate::Refused | Fate::Lost => Err(failed()),
        }
    }

    async fn change<E: From<Unavailable>>(&self, call: impl Future<Output = Result<(), E>>) -> Result<(), E> {
        match self.fate().await {
            Fate::Proceeds | Fate::Killed => call.await,
            Fate::Refused | Fate::Lost => Err(failed().into()),
            Fate::AppliedUnseen => {
                call.await?;
                Err(failed().into())
            }
        }
    }
}

fn failed() -> Unavailable {
    Unavailable { port: "chaos", cause: "it was asked for with --chaos".to_owned() }
}

#[async_trait]
impl Store for Chaotic<dyn Store> {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        self.read(self.inner.find(key, freshness)).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        self.read(self.inner.find_all(keys)).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        self.read(self.inner.list(range)).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        self.change(self.inner.write(changes)).await
    }
}

#[async_trait]
impl Queue for Chaotic<dyn Queue> {
    async fn send_later(&self, org: OrgId, message: String, seconds: u32) -> Result<(), Unavailable> {
        self.change(self.inner.send_later(org, message, seconds)).await
    }
}

#[async_trait]
impl Calls for Chaotic<dyn Calls> {
    async fn call(&self, call: &OutgoingCall) -> Result<CallAnswer, NotCalled> {
        match self.fate().await {
            Fate::Proceeds | Fate::Killed => self.inner.call(call).await,
            Fate::Refused => Err(NotCalled::NotSent(failed())),
            Fate::Lost => Err(NotCalled::TimedOut(failed())),
            Fate::AppliedUnseen => {
                self.inner.call(call).await?;
                Err(NotCalled::Broken(failed()))
            }
        }
    }
}

#[async_trait]
impl Post for Chaotic<dyn Post> {
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        match self.fate().await {
            Fate::Proceeds | Fate::Killed => self.inner.send(mail).await,
            Fate::Refused => Err(NotPosted::NotSent(failed())),
            Fate::Lost => Err(NotPosted::Unknown(failed())),
            Fate::AppliedUnseen => {
                self.inner.send(mail).await?;
                Err(NotPosted::Unknown(failed()))
            }
        }
    }
}

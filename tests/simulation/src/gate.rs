//! Where every call of a port waits until the scheduler says how it ends.

use std::{
    collections::{BTreeMap, HashMap},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it should.
    Proceeds,
    /// It does nothing and says so.
    Refused,
    /// It does nothing, and nobody knows.
    Lost,
    /// It does what it should, and nobody knows.
    AppliedUnseen,
    /// It meets another writer, and does nothing.
    Contended,
}

/// Which port is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Port {
    /// A read of the store.
    Read,
    /// A write of the store.
    Write,
    /// The queue.
    Queue,
    /// The blobs.
    Blobs,
    /// A call of a service, or a mail.
    Outside,
}

/// A call that waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiting {
    /// Whose it is.
    pub(crate) task: u64,
    /// What is called.
    pub(crate) port: Port,
    /// With what, told apart from other calls.
    pub(crate) about: String,
    /// Its number.
    pub(crate) call: u64,
}

/// All calls that wait. Shared by the ports of all processes.
#[derive(Default)]
pub(crate) struct Gate {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The task that is being polled.
    current: u64,
    calls: u64,
    waiting: BTreeMap<u64, (Waiting, Waker)>,
    verdicts: HashMap<u64, Verdict>,
}

impl Gate {
    /// Lets calls from here on be those of `task`.
    pub(crate) fn enter(&self, task: u64) {
        self.lock().current = task;
    }

    /// Waits until the scheduler has said how the call ends.
    pub(crate) fn pass(self: &Arc<Self>, port: Port, about: String) -> Pass {
        Pass { gate: Arc::clone(self), call: None, port, about }
    }

    /// The calls that wait, in an order that does not depend on in which they came.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let mut waiting: Vec<Waiting> = self.lock().waiting.values().map(|(waiting, _)| waiting.clone()).collect();
        waiting.sort();
        waiting
    }

    /// Lets a call end so.
    pub(crate) fn decide(&self, call: u64, verdict: Verdict) {
        let mut inner = self.lock();
        if let Some((_, waker)) = inner.waiting.remove(&call) {
            inner.verdicts.insert(call, verdict);
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call on its way through the gate.
pub(crate) struct Pass {
    gate: Arc<Gate>,
    call: Option<u64>,
    port: Port,
    about: String,
}

impl Future for Pass {
    type Output = Verdict;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Verdict> {
        let gate = Arc::clone(&self.gate);
        let mut inner = gate.lock();
        let Some(call) = self.call else {
            inner.calls += 1;
            let (call, task) = (inner.calls, inner.current);
            let waiting = Waiting { task, port: self.port, about: std::mem::take(&mut self.about), call };
            inner.waiting.insert(call, (waiting, context.waker().clone()));
            self.call = Some(call);
            return Poll::Pending;
        };
        if let Some(verdict) = inner.verdicts.remove(&call) {
            return Poll::Ready(verdict);
        }
        if let Some((_, waker)) = inner.waiting.get_mut(&call) {
            waker.clone_from(context.waker());
        }
        Poll::Pending
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            let mut inner = self.gate.lock();
            inner.waiting.remove(&call);
            inner.verdicts.remove(&call);
        }
    }
}

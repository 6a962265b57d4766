//! What is under way: futures that are polled by hand, one step of one of them at a time.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use service::http::Response;

use crate::{gate::Gate, shelf::Received};

/// What came of a task.
pub(crate) enum Done {
    /// A message was executed, or was not.
    Executed(Received, bool),
    /// A sender was answered.
    Answered(usize, Response),
    /// Whoever asked for a replay was answered.
    Replayed(usize, Response),
    /// Nobody waits for it.
    Nothing,
}

/// A future of a process.
pub(crate) struct Task {
    pub(crate) id: u64,
    /// The process whose memory it is in.
    pub(crate) process: usize,
    /// Whether it executes a message.
    pub(crate) is_message: bool,
    /// The arrival that it answers.
    pub(crate) arrival: Option<usize>,
    /// The replay that it is to begin.
    pub(crate) replay: Option<usize>,
    future: Pin<Box<dyn Future<Output = Done>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Task {
    pub(crate) fn new(id: u64, process: usize, future: impl Future<Output = Done> + 'static) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { id, process, is_message: false, arrival: None, replay: None, future: Box::pin(future), woken }
    }

    /// Polls it for as long as it has been woken, and gives what came of it once it is over.
    pub(crate) fn go_on(&mut self, gate: &Gate) -> Option<Done> {
        let waker = Waker::from(Arc::clone(&self.woken));
        while self.woken.0.swap(false, Ordering::SeqCst) {
            gate.enter(self.id);
            if let Poll::Ready(done) = self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(done);
            }
        }
        None
    }
}

//! A durable queue with SQS's rules: at least once, visibility timeouts, receive counts, a dead-letter queue.
//!
//! Messages are received from memory; the file is written by one thread, which commits everything that is waiting at
//! once, and is read only to catch up with a long backlog or after a restart.

mod file;
mod line;
mod shelf;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_trait::async_trait;
use domain::OrgId;
use service::RECEIVES_LIMIT;
use service::ports::{DELAY_LIMIT_SECONDS, MESSAGE_LIMIT_BYTES, Queue, Unavailable};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use file::QueueFile;
use shelf::{Load, Shelf, Taken};
use writer::{Answer, Order};

/// What a queue is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueRules {
    /// How often a message is received before it is dead.
    pub max_receives: u32,
}

/// What deletes a message, until it is received again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receipt {
    id: i64,
    org: OrgId,
    receive_count: u32,
}

/// One message as one receive handed it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Names the message for as long as it is on the queue; for logs.
    pub id: i64,
    /// What deletes or releases it.
    pub receipt: Receipt,
    /// Whose it is; unknown where it is older than the queue's knowledge of that.
    pub org: Option<OrgId>,
    /// What was sent.
    pub body: Arc<str>,
    /// How many receives have handed it out, this one included.
    pub receive_count: u32,
}

/// A message that was received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What it was called on the queue.
    pub id: i64,
    /// Whose it is; unknown where it is older than the queue's knowledge of that.
    pub org: Option<OrgId>,
    /// What was sent.
    pub body: String,
    /// How many receives have handed it out.
    pub receive_count: u32,
}

/// The queue, both ends of it.
///
/// *Durability*: WAL with `synchronous=NORMAL`: what was acknowledged survives `kill -9`, a power cut can lose the last
/// moments. A receive count is written right after its delivery and not waited for.
pub struct LocalQueue {
    /// `None` only while the queue is dropped.
    orders: Option<mpsc::Sender<Order>>,
    writer: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    rules: QueueRules,
}

/// What the writer and the receivers share.
struct Shared {
    shelf: Mutex<Shelf>,
    arrived: Notify,
    died: Notify,
}

impl Default for QueueRules {
    fn default() -> Self {
        Self { max_receives: RECEIVES_LIMIT }
    }
}

impl LocalQueue {
    /// The queue in the SQLite file at `path`, which is made if it is not there.
    ///
    /// *Once it returns* all messages in it are visible, also those that were in flight: the only consumer has died.
    pub fn open(path: &Path, rules: QueueRules) -> Result<Self, Unavailable> {
        QueueFile::open(path).and_then(|file| Self::over(file, rules)).map_err(|error| unavailable(&error))
    }

    /// A queue that is gone with the process.
    pub fn memory(rules: QueueRules) -> Result<Self, Unavailable> {
        QueueFile::memory().and_then(|file| Self::over(file, rules)).map_err(|error| unavailable(&error))
    }

    /// At least one and at most `max` messages, each invisible to other receives for `visibility` from now on.
    ///
    /// Orgs take turns: each next message is the oldest of the org with the fewest in flight, and of several such orgs, of the
    /// one whose turn was longest ago. One that was given back to rest is not in flight.
    ///
    /// Waits until there is one. A message that was received as often as the rules allow is moved to the dead letters
    /// instead.
    pub async fn receive(&self, max: usize, visibility: Duration) -> Vec<Delivery> {
        loop {
            let taken = self.take(max, visibility);
            if !taken.deliveries.is_empty() {
                return taken.deliveries;
            }
            match taken.next_visible_at {
                // Whether it was an arrival or the time, the shelf tells.
                Some(at) => drop(timeout_at(at, self.shared.arrived.notified()).await),
                None => self.shared.arrived.notified().await,
            }
        }
    }

    /// As [`LocalQueue::receive`], but gives nothing when there is nothing in memory right now.
    pub fn receive_now(&self, max: usize, visibility: Duration) -> Vec<Delivery> {
        self.take(max, visibility).deliveries
    }

    /// Removes the message. A receipt older than its last receive removes nothing, and that is no error.
    ///
    /// *Once it returns* the message will not come again.
    pub async fn delete(&self, receipt: Receipt) -> Result<(), Unavailable> {
        if !self.shared.shelf().is_current(receipt) {
            return Ok(());
        }
        self.ask(|answer| Order::Delete { receipt, answer }).await
    }

    /// Makes the message visible again `after` some time, which may be none; an older receipt does nothing.
    pub fn release(&self, receipt: Receipt, after: Duration) {
        self.shared.shelf().release(receipt, Instant::now() + after);
        self.shared.arrived.notify_one();
    }

    /// At most `limit` dead letters behind the one called `after`, oldest first; 0 is before all.
    pub async fn dead_letters(&self, after: i64, limit: usize) -> Result<Vec<DeadLetter>, Unavailable> {
        self.ask(|answer| Order::DeadLetters { after, limit, answer }).await
    }

    /// Waits until messages have become dead letters since the last call.
    pub async fn next_death(&self) {
        self.shared.died.notified().await;
    }

    /// Removes the dead letter called `id`, if it is there.
    ///
    /// *Once it returns* it will not come again.
    pub async fn delete_dead_letter(&self, id: i64) -> Result<(), Unavailable> {
        self.ask(|answer| Order::Forget { id, answer }).await
    }

    fn over(mut file: QueueFile, rules: QueueRules) -> rusqlite::Result<Self> {
        let mut shelf = Shelf::default();
        let orgs = file.orgs()?;
        let limit = shelf::first_load_limit(orgs.len());
        for org in orgs {
            let load = Load { org, after: 0, limit };
            shelf.load(&load, file.load(&load)?);
        }
        let shared = Arc::new(Shared { shelf: Mutex::new(shelf), arrived: Notify::new(), died: Notify::new() });
        let (orders, incoming) = mpsc::channel();
        let writers = Arc::clone(&shared);
        let writer = thread::spawn(move || writer::run(&mut file, &incoming, &writers));
        Ok(Self { orders: Some(orders), writer: Some(writer), shared, rules })
    }

    fn take(&self, max: usize, visibility: Duration) -> Taken {
        let taken = self.shared.shelf().take(max.max(1), visibility, self.rules.max_receives, Instant::now());
        for receipt in taken.deliveries.iter().map(|delivery| delivery.receipt) {
            self.order(Order::Count { id: receipt.id, receive_count: receipt.receive_count });
        }
        for Receipt { id, org, receive_count } in &taken.dead {
            tracing::error!(
                message.id = id,
                org.id = %org,
                message.receive_count = receive_count,
                "a message was received too often and is a dead letter now",
            );
            self.order(Order::Bury { id: *id });
        }
        for load in &taken.loads {
            self.order(Order::Load(*load));
        }
        if taken.leaves_more {
            self.shared.arrived.notify_one();
        }
        taken
    }

    /// An order nobody waits for; when the writer has ended, the next one that somebody waits for says so.
    fn order(&self, order: Order) {
        drop(self.orders.as_ref().map(|orders| orders.send(order)));
    }

    async fn ask<T>(&self, order: impl FnOnce(Answer<T>) -> Order) -> Result<T, Unavailable> {
        let (answer, answered) = oneshot::channel();
        self.order(order(answer));
        answered.await.unwrap_or_else(|_| Err(unavailable(&"its writer has ended")))
    }
}

#[async_trait]
impl Queue for LocalQueue {
    async fn send_later(&self, org: OrgId, message: String, seconds: u32) -> Result<(), Unavailable> {
        if message.len() > MESSAGE_LIMIT_BYTES {
            let bytes = message.len();
            return Err(unavailable(&format_args!(
                "a message of {bytes} bytes is over the limit of {MESSAGE_LIMIT_BYTES}"
            )));
        }
        let held_for = Duration::from_secs(u64::from(seconds.min(DELAY_LIMIT_SECONDS)));
        self.ask(|answer| Order::Send { org, body: message.into(), held_for, answer }).await
    }
}

impl Drop for LocalQueue {
    /// Lets the writer finish what it was told, so that the file can be opened again right away.
    fn drop(&mut self) {
        self.orders = None;
        drop(self.writer.take().map(JoinHandle::join));
    }
}

impl Shared {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(cause: &dyn std::fmt::Display) -> Unavailable {
    Unavailable { port: "queue", cause: cause.to_string() }
}

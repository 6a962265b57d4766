//! The executor's side of the queue: what SQS and Lambda do between them on AWS.
//!
//! It has a thread of its own, because the embedded store works on the thread that calls it: whoever posts must not
//! wait for runs, and one thread keeps the store's one writer busy.

use std::{future::pending, sync::Arc, time::Duration};

use local::{Delivery, LocalQueue};
use service::{Delivered, Executor};
use tokio::{
    runtime,
    sync::{Semaphore, watch},
    task::{JoinSet, spawn_blocking},
};

use super::chaos::{Chaos, Delivering};

/// As in `template.yaml`: six times the time a message may take.
const VISIBILITY: Duration = Duration::from_secs(360);

/// How many messages are in work at a time. *Why so few*: all but the commits of the queue is done one after another.
const IN_WORK_LIMIT: usize = 16;

/// How long a failed message rests before its first repetition; each further one doubles it. *Why so long*: of the five
/// that are allowed, the last has to come after the claim of a process that was killed has run out, which takes a minute.
const REST: Duration = Duration::from_secs(5);

/// What executes messages.
#[derive(Clone)]
pub(super) struct Consumer {
    pub(super) queue: Arc<LocalQueue>,
    pub(super) executor: Arc<Executor>,
    /// What happens to them on the way, where that was asked for.
    pub(super) chaos: Option<Arc<Chaos>>,
}

/// Executes messages until `stopping` is dropped, then ends once those in work are done.
pub(super) async fn consume(consumer: Consumer, stopping: watch::Receiver<()>) {
    let thread = spawn_blocking(move || match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(own) => own.block_on(consume_here(consumer, stopping)),
        Err(error) => tracing::error!(%error, "the executor cannot start; messages stay on the queue"),
    });
    if let Err(error) = thread.await {
        tracing::error!(%error, "the executor has ended; messages stay on the queue");
    }
}

async fn consume_here(consumer: Consumer, mut stopping: watch::Receiver<()>) {
    let places = Arc::new(Semaphore::new(IN_WORK_LIMIT));
    let mut in_work = JoinSet::new();
    loop {
        let free = places.available_permits().max(1);
        let deliveries = tokio::select! {
            _ = stopping.changed() => break,
            deliveries = consumer.queue.receive(free, VISIBILITY) => deliveries,
        };
        for delivery in deliveries {
            // The semaphore is never closed.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let consumer = consumer.clone();
            in_work.spawn(async move {
                consumer.take(delivery).await;
                drop(place);
            });
        }
        while in_work.try_join_next().is_some() {}
    }
    in_work.join_all().await;
}

impl Consumer {
    /// One message, once unless chaos has it otherwise.
    async fn take(&self, delivery: Delivery) {
        let Some(chaos) = &self.chaos else { return self.execute(delivery).await };
        match chaos.delivering() {
            Delivering::Once => {
                let (receipt, receive_count) = (delivery.receipt, delivery.receive_count);
                if Chaos::endanger(self.execute(delivery)).await.is_none() {
                    self.queue.release(receipt, rest(receive_count));
                }
            }
            Delivering::Twice => {
                let twin = delivery.clone();
                tokio::join!(self.execute(delivery), self.execute(twin));
            }
            Delivering::Later(seconds) => self.queue.release(delivery.receipt, Duration::from_secs(seconds)),
        }
    }

    /// What fails at its last delivery is kept as a dead letter, and done with that.
    async fn execute(&self, delivery: Delivery) {
        let delivered = Delivered {
            name: delivery.id.to_string(),
            body: Arc::clone(&delivery.body),
            org: delivery.org,
            receive_count: delivery.receive_count,
            first_received_at: None,
        };
        // Nothing here has an end of its time.
        let Err(error) = self.executor.execute_delivered(&delivered, pending()).await else {
            if let Err(error) = self.queue.delete(delivery.receipt).await {
                tracing::error!(message.id = delivery.id, %error, "a finished message was not deleted and comes again");
            }
            return;
        };
        tracing::error!(
            message.id = delivery.id,
            message.receive_count = delivery.receive_count,
            cause = %error,
            "a message was not executed and will be delivered again",
        );
        self.queue.release(delivery.receipt, rest(delivery.receive_count));
    }
}

/// How long a message rests that was received so often.
fn rest(receive_count: u32) -> Duration {
    REST.saturating_mul(1 << receive_count.saturating_sub(1).min(10))
}

//! The ticker in local mode: what a rule of events does once a minute on AWS.

use std::{sync::Arc, time::Duration};

use service::ticker::{TICK_LIMIT_TIMERS, Ticker};
use tokio::{sync::watch, time::interval};

/// How often it ticks. *Why not once a minute*: whoever tries something out, or has stopped the program for a while, does not
/// wait for the first tick.
const TICK_EVERY: Duration = Duration::from_secs(20);

/// Ticks until `stopping` is dropped.
pub(super) async fn tick(ticker: Arc<Ticker>, mut stopping: watch::Receiver<()>) {
    let mut ticks = interval(TICK_EVERY);
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            _ = ticks.tick() => {
                if let Err(error) = ticker.tick(TICK_LIMIT_TIMERS).await {
                    tracing::error!(%error, "not all that is due was put on the queue; the next tick goes on");
                }
            }
        }
    }
}

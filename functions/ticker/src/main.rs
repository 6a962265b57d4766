//! The ticker on Lambda: once a minute what is due goes on the queue.

use std::time::{Duration, SystemTime};

use aws::{Clients, config};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};
use service::ticker::{TICK_LIMIT_TIMERS, Ticker};

/// What is kept of an invocation's time; with less left, the next tick goes on.
const SPARE: Duration = Duration::from_secs(15);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let config = config::read(|reader| reader.ticker())?;
    let ticker = &aws::open_ticker(&Clients::from_env().await, config);
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let until = event.context.deadline();
        tick(ticker, || until.duration_since(SystemTime::now() + SPARE).is_ok()).await
    }))
    .await
}

/// Ticks until nothing more is due, or there is no time for more.
async fn tick(ticker: &Ticker, has_time: impl Fn() -> bool) -> Result<Value, Error> {
    let mut sent = 0;
    loop {
        let ticked = ticker.tick(TICK_LIMIT_TIMERS).await.inspect_err(|error| {
            tracing::error!(%error, sent, "not all that is due was sent; the next tick goes on");
        })?;
        sent += ticked.sent;
        if !ticked.has_more || !has_time() {
            tracing::info!(sent, has_more = ticked.has_more, "ticked");
            return Ok(json!({ "sent": sent, "hasMore": ticked.has_more }));
        }
    }
}

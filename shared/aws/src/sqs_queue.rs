//! The queue on SQS.

use std::sync::Arc;

use async_trait::async_trait;
use service::ports::{DELAY_LIMIT_SECONDS, MESSAGE_LIMIT_BYTES, Queue, Unavailable, World};

use crate::attempts;

/// One standard queue.
///
/// SQS takes text only; what XML 1.0 forbids (control characters, unpaired surrogates) is refused. Messages of ours are
/// JSON, which escapes them.
pub struct SqsQueue {
    client: aws_sdk_sqs::Client,
    url: String,
    world: Arc<dyn World>,
}

impl SqsQueue {
    /// The queue at `url`.
    pub fn new(client: aws_sdk_sqs::Client, url: impl Into<String>, world: Arc<dyn World>) -> Self {
        Self { client, url: url.into(), world }
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send_later(&self, message: String, seconds: u32) -> Result<(), Unavailable> {
        if message.len() > MESSAGE_LIMIT_BYTES {
            return Err(unavailable(format!(
                "a message of {} bytes is over the limit of {MESSAGE_LIMIT_BYTES}",
                message.len()
            )));
        }

        let delay = (seconds > 0).then(|| i32::try_from(seconds.min(DELAY_LIMIT_SECONDS)).unwrap_or_default());
        let request = self.client.send_message().queue_url(&self.url).message_body(message).set_delay_seconds(delay);
        attempts::within_budget(&*self.world, attempts::trouble, || request.clone().send())
            .await
            .map_err(|defeat| unavailable(attempts::cause(&defeat.last)))?;
        Ok(())
    }
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "queue", cause }
}

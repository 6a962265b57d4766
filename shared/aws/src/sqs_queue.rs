//! The queue on SQS.

use std::sync::Arc;

use async_trait::async_trait;
use domain::OrgId;
use service::ports::{DELAY_LIMIT_SECONDS, MESSAGE_LIMIT_BYTES, Queue, Unavailable, World};

use crate::attempts;

/// One standard queue.
///
/// Each message has its org for a message group, which makes the queue a fair one: SQS delivers the messages of quiet groups
/// first while another one has more than its share in flight. A group keeps no order on a standard queue, and whoever
/// receives needs to know nothing of it.
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
    async fn send_later(&self, org: OrgId, message: String, seconds: u32) -> Result<(), Unavailable> {
        if message.len() > MESSAGE_LIMIT_BYTES {
            return Err(unavailable(format!(
                "a message of {} bytes is over the limit of {MESSAGE_LIMIT_BYTES}",
                message.len()
            )));
        }

        let delay = (seconds > 0).then(|| i32::try_from(seconds.min(DELAY_LIMIT_SECONDS)).unwrap_or_default());
        let request = self.client.send_message().queue_url(&self.url).message_body(message).set_delay_seconds(delay);
        let request = request.message_group_id(org.to_string());
        attempts::within_budget(&*self.world, attempts::trouble, || request.clone().send())
            .await
            .map_err(|defeat| unavailable(attempts::cause(&defeat.last)))?;
        Ok(())
    }
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "queue", cause }
}

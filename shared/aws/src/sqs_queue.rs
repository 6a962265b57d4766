//! The queue on SQS.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
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

    /// Makes messages that were received visible again in so many seconds from now, unless they are deleted before.
    ///
    /// *Limits*: 11 hours; what is longer is cut to that. *Errors*: the first that SQS gives; the other messages may be changed
    /// nevertheless.
    pub async fn release(&self, received: &[Received]) -> Result<(), Unavailable> {
        for batch in received.chunks(BATCH_LIMIT) {
            let entries = batch.iter().zip(0_u32..).map(|(received, id)| received.entry(id));
            let request = self.client.change_message_visibility_batch().queue_url(&self.url);
            let request = request.set_entries(Some(entries.collect::<Result<_, _>>()?));
            let changed = attempts::within_budget(&*self.world, attempts::trouble, || request.clone().send())
                .await
                .map_err(|defeat| unavailable(attempts::cause(&defeat.last)))?;
            if let Some(refused) = changed.failed.into_iter().next() {
                return Err(unavailable(refused.message.unwrap_or(refused.code)));
            }
        }
        Ok(())
    }
}

/// How many messages one request changes. *Source*: SQS, "Amazon SQS message quotas".
const BATCH_LIMIT: usize = 10;

/// For how long a message can be hidden, in seconds. *Source*: as above, less an hour, because SQS's 12 count from the receive.
const HIDDEN_LIMIT: i32 = 39_600;

/// A message that was received and is to be visible again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What SQS knows the receive by.
    pub receipt: String,
    /// In how many seconds it is visible again.
    pub seconds: u32,
}

impl Received {
    fn entry(&self, id: u32) -> Result<ChangeMessageVisibilityBatchRequestEntry, Unavailable> {
        ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(id.to_string())
            .receipt_handle(&self.receipt)
            .visibility_timeout(i32::try_from(self.seconds).map_or(HIDDEN_LIMIT, |seconds| seconds.min(HIDDEN_LIMIT)))
            .build()
            .map_err(|error| unavailable(error.to_string()))
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

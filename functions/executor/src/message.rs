//! A message as Lambda hands it out, and which of the two queues it came from.

use std::collections::HashMap;

use aws::Received;
use aws_lambda_events::sqs::SqsMessage;
use domain::{OrgId, Timestamp};
use service::{Delivered, Executor};

/// How long a message rests that has failed once; each further time four times as long, up to [`REST_LIMIT`]. *Why*: what
/// passes soon is over soon, and the fifth and last delivery comes 25 minutes after the first.
const REST_SECONDS: u32 = 30;

/// The longest rest, in seconds.
const REST_LIMIT: u32 = 900;

/// One message of a batch.
pub(crate) struct Message {
    /// The message.
    pub(crate) delivered: Delivered,
    way: Way,
    receipt: Option<String>,
}

/// What is done with it.
enum Way {
    /// It was accepted.
    Execute,
    /// Its queue has given it up.
    Keep,
}

impl Message {
    /// The message in `record`, which was given up if it comes from the queue with this ARN.
    pub(crate) fn new(record: SqsMessage, dead_letter_queue: &str) -> Self {
        let was_given_up = record.event_source_arn.as_deref() == Some(dead_letter_queue);
        let number = |name: &str| record.attributes.get(name)?.parse().ok();
        let count = number("ApproximateReceiveCount").and_then(|count: i64| u32::try_from(count).ok());
        // What the dead-letter queue counts and times is its own.
        let first = number("ApproximateFirstReceiveTimestamp").filter(|_| !was_given_up);
        let delivered = Delivered {
            name: record.message_id.unwrap_or_default(),
            body: record.body.unwrap_or_default().into(),
            org: org(&record.attributes),
            receive_count: if was_given_up { service::RECEIVES_LIMIT } else { count.unwrap_or_default() },
            first_received_at: first.map(Timestamp::from_millisecond),
        };
        let way = if was_given_up { Way::Keep } else { Way::Execute };
        Self { delivered, way, receipt: record.receipt_handle }
    }

    /// The same for its queue, to be visible again in `seconds`; nothing where its queue has given it up, because it stays where
    /// it is.
    pub(crate) fn received(&self, seconds: u32) -> Option<Received> {
        let receipt = self.receipt.clone().filter(|_| matches!(self.way, Way::Execute))?;
        Some(Received { receipt, seconds })
    }

    /// How long it rests if it fails now.
    pub(crate) fn rest_seconds(&self) -> u32 {
        let failed_before = self.delivered.receive_count.saturating_sub(1);
        REST_SECONDS.saturating_mul(4_u32.saturating_pow(failed_before)).min(REST_LIMIT)
    }

    /// Executes or keeps it; `time_up` ends the first.
    pub(crate) async fn take(&self, executor: &Executor, time_up: impl Future<Output = ()>) -> Result<(), String> {
        match self.way {
            Way::Execute => {
                executor.execute_delivered(&self.delivered, time_up).await.map_err(|error| error.to_string())
            }
            Way::Keep => executor.keep_given_up(&self.delivered).await.map_err(|error| error.to_string()),
        }
    }
}

/// Whose it is: its message group.
fn org(attributes: &HashMap<String, String>) -> Option<OrgId> {
    OrgId::parse(attributes.get("MessageGroupId")?).ok()
}

//! One invocation: a batch of messages, each executed or kept by itself, and when what was not comes again.

use std::{sync::Arc, time::Duration};

use aws::{Received, SqsQueue};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse};
use service::Executor;
use tokio::{
    join,
    time::{sleep, timeout},
};

use crate::message::Message;

/// What is kept of an invocation's time to say which messages were not executed; a batch that says nothing fails whole.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// How much of that may go into keeping messages that were delivered for the last time.
const KEEP_TIME: Duration = Duration::from_secs(3);

/// How much of that may go into saying when messages that failed are to come again.
const RELEASE_TIME: Duration = Duration::from_millis(1500);

/// How long after an invocation's deadline its messages come again, if nobody has deleted them: Lambda takes a moment for that.
const DELETE_TIME: Duration = Duration::from_secs(15);

/// What an invocation works with.
pub(crate) struct Function {
    pub(crate) executor: Arc<Executor>,
    pub(crate) queue: SqsQueue,
}

/// A message that was not executed.
struct Failed {
    id: String,
    rest: Option<Received>,
}

impl Function {
    /// Executes a batch within the time that is left of the invocation.
    ///
    /// The queue hides messages for six times as long as an invocation may take, because Lambda may have to wait for a free one
    /// in that time. Once an invocation has them, its own end is enough: then a process that was killed holds no run up for
    /// longer, and what fails rests for as long as it has failed before. Where the queue does not answer, its own time stays.
    pub(crate) async fn take(&self, messages: Vec<Message>, left: Duration) -> SqsBatchResponse {
        let seconds = u32::try_from((left + DELETE_TIME).as_secs()).unwrap_or(u32::MAX);
        let hidden: Vec<Received> = messages.iter().filter_map(|message| message.received(seconds)).collect();
        let (failed, ()) = join!(self.execute(messages, left.saturating_sub(ANSWER_TIME)), self.release(&hidden));
        let mut response = SqsBatchResponse::default();
        let mut resting = Vec::new();
        for message in failed {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.id;
            response.batch_item_failures.push(failure);
            resting.extend(message.rest);
        }
        self.release(&resting).await;
        response
    }

    /// Each message is a task of its own, so that one that panics or takes too long fails alone.
    async fn execute(&self, messages: Vec<Message>, time_left: Duration) -> Vec<Failed> {
        let start = |message: Message| {
            let executor = Arc::clone(&self.executor);
            let rest = message.received(message.rest_seconds());
            let failed = Failed { id: message.delivered.name.clone(), rest };
            let taken = async move { message.take(&executor, sleep(time_left)).await };
            (failed, tokio::spawn(timeout(time_left + KEEP_TIME, taken)))
        };
        let mut all_failed = Vec::new();
        // Collected, so that all are started before the first is waited for.
        for (failed, task) in messages.into_iter().map(start).collect::<Vec<_>>() {
            let cause = match task.await {
                Ok(Ok(Ok(()))) => continue,
                Ok(Ok(Err(cause))) => cause,
                Ok(Err(_)) => "its time is up; what is done is kept".to_owned(),
                Err(panicked) => panicked.to_string(),
            };
            tracing::error!(message_id = failed.id, cause, "a message was not taken and will be delivered again");
            all_failed.push(failed);
        }
        all_failed
    }

    async fn release(&self, received: &[Received]) {
        match timeout(RELEASE_TIME, self.queue.release(received)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(cause = %error, "messages stay hidden for as long as their queue says"),
            Err(_) => tracing::warn!("the queue did not say in time when messages come again"),
        }
    }
}

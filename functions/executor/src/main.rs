//! The executor on Lambda: batches of transactions from the queue, failures reported message by message; and what the queue
//! has given up, which is kept and not executed.

mod message;

use std::{sync::Arc, time};

use aws::{Clients, config};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use service::Executor;
use tokio::time::{sleep, timeout};

use message::Message;

/// What is kept of an invocation's time to say which messages were not executed; a batch that says nothing fails whole.
const ANSWER_TIME: time::Duration = time::Duration::from_secs(5);

/// How much of that may go into keeping messages that were delivered for the last time.
const KEEP_TIME: time::Duration = time::Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let config = config::read(|reader| reader.executor())?;
    let dead_letter_queue = &config.dead_letter_queue.clone();
    let executor = &Arc::new(aws::open_executor(&Clients::from_env().await, config));
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let left = event.context.deadline().duration_since(time::SystemTime::now() + ANSWER_TIME).unwrap_or_default();
        let messages = event.payload.records.into_iter().map(|record| Message::new(record, dead_letter_queue));
        Ok::<_, Error>(take(executor, messages.collect(), left).await)
    }))
    .await
}

/// Each message is a task of its own, so that one that panics or takes too long fails alone.
async fn take(executor: &Arc<Executor>, messages: Vec<Message>, time_left: time::Duration) -> SqsBatchResponse {
    let start = |message: Message| {
        let (executor, name) = (Arc::clone(executor), message.delivered.name.clone());
        let taken = async move { message.take(&executor, sleep(time_left)).await };
        (name, tokio::spawn(timeout(time_left + KEEP_TIME, taken)))
    };
    let mut response = SqsBatchResponse::default();
    // Collected, so that all are started before the first is waited for.
    for (message_id, task) in messages.into_iter().map(start).collect::<Vec<_>>() {
        let cause = match task.await {
            Ok(Ok(Ok(()))) => continue,
            Ok(Ok(Err(cause))) => cause,
            Ok(Err(_)) => "its time is up; what is done is kept".to_owned(),
            Err(panicked) => panicked.to_string(),
        };
        tracing::error!(message_id, cause, "a message was not taken and will be delivered again");
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = message_id;
        response.batch_item_failures.push(failure);
    }
    response
}

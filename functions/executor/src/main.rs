//! The executor on Lambda: batches of transactions from the queue, failures reported message by message.

use std::{sync::Arc, time};

use aws::{Clients, config};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use service::Executor;
use tokio::time::timeout;

/// What is kept of an invocation's time to say which messages were not executed; a batch that says nothing fails whole.
const ANSWER_TIME: time::Duration = time::Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let config = config::read(|reader| reader.executor())?;
    let executor = &Arc::new(aws::open_executor(&Clients::from_env().await, config));
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let left = event.context.deadline().duration_since(time::SystemTime::now() + ANSWER_TIME).unwrap_or_default();
        Ok::<_, Error>(execute(executor, event.payload.records, left).await)
    }))
    .await
}

/// Each message is a task of its own, so that one that panics or takes too long fails alone.
async fn execute(executor: &Arc<Executor>, messages: Vec<SqsMessage>, time_left: time::Duration) -> SqsBatchResponse {
    let start = |message: SqsMessage| {
        let (executor, body) = (Arc::clone(executor), message.body.unwrap_or_default());
        let task = tokio::spawn(timeout(time_left, async move { executor.execute(&body).await }));
        (message.message_id.unwrap_or_default(), task)
    };
    let mut response = SqsBatchResponse::default();
    // Collected, so that all are started before the first is waited for.
    for (message_id, task) in messages.into_iter().map(start).collect::<Vec<_>>() {
        let cause = match task.await {
            Ok(Ok(Ok(()))) => continue,
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(_)) => "its time is up; what is done is kept".to_owned(),
            Err(panicked) => panicked.to_string(),
        };
        tracing::error!(message_id, cause, "a message was not executed and will be delivered again");
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = message_id;
        response.batch_item_failures.push(failure);
    }
    response
}

//! The executor on Lambda: batches of transactions from the queue, failures reported message by message.

use std::sync::Arc;

use aws::{Clients, DynamoStore, S3Blobs, SystemWorld, config};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use service::Executor;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let executor = &executor().await?;
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        Ok::<_, Error>(execute(executor, event.payload.records).await)
    }))
    .await
}

async fn executor() -> Result<Arc<Executor>, Error> {
    let (tables, bucket) = config::read(|reader| {
        let (tables, bucket) = (reader.tables(), reader.blob_bucket());
        Some((tables?, bucket?))
    })?;
    let clients = Clients::from_env().await;
    let world = Arc::new(SystemWorld);
    let blobs = Arc::new(S3Blobs::new(clients.s3, bucket, world.clone()));
    let store = Arc::new(DynamoStore::new(clients.dynamodb, tables, blobs, world.clone()));
    Ok(Arc::new(Executor::new(store, world)))
}

/// Each message is a task of its own, so that one that panics fails alone.
async fn execute(executor: &Arc<Executor>, messages: Vec<SqsMessage>) -> SqsBatchResponse {
    let tasks: Vec<_> = messages
        .into_iter()
        .map(|message| {
            let executor = Arc::clone(executor);
            let body = message.body.unwrap_or_default();
            (message.message_id.unwrap_or_default(), tokio::spawn(async move { executor.execute(&body).await }))
        })
        .collect();
    let mut response = SqsBatchResponse::default();
    for (message_id, task) in tasks {
        let cause = match task.await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(panicked) => panicked.to_string(),
        };
        tracing::error!(message_id, cause, "a message was not executed and will be delivered again");
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = message_id;
        response.batch_item_failures.push(failure);
    }
    response
}

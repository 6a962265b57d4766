//! What stands behind the queue, on AWS.

use std::sync::Arc;

use service::Executor;
use service::actions::Mailing;

use crate::config::ExecutorConfig;
use crate::{Clients, DynamoStore, S3Blobs, SesPost, SqsQueue, SystemWorld, WebCalls};

/// The executor that `config` describes; its workflows send mail where `config` says who it is from.
pub fn open_executor(clients: &Clients, config: ExecutorConfig) -> Executor {
    let world = Arc::new(SystemWorld);
    let blobs = Arc::new(S3Blobs::new(clients.s3.clone(), config.blob_bucket, world.clone()));
    let store = Arc::new(DynamoStore::new(clients.dynamodb.clone(), config.tables, blobs.clone(), world.clone()));
    let queue = Arc::new(SqsQueue::new(clients.sqs.clone(), config.queue_url, world.clone()));
    let calls = Arc::new(WebCalls::new(Vec::new()));
    let executor = Executor::new(store, queue, world.clone()).with_calls(calls);
    let Some(post) = config.post else { return executor };
    executor.with_post(Mailing {
        post: Arc::new(SesPost::new(clients.ses(), world)),
        blobs,
        domain: Some(post.domain),
        from: Some(post.from),
    })
}

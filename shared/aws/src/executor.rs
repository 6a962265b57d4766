//! What stands behind the queue, on AWS.

use std::sync::Arc;

use service::actions::Mailing;
use service::{Executor, InFlight};

use crate::config::ExecutorConfig;
use crate::{Clients, DynamoStore, S3Blobs, SesPost, SqsQueue, SystemWorld, WebCalls};

/// The executor that `config` describes; its workflows call services as far as `config` allows, and
/// send mail where it says who that is from. What an org may have in flight is what it has set. Links to
/// answers need the public address.
pub fn open_executor(clients: &Clients, config: ExecutorConfig) -> Executor {
    let world = Arc::new(SystemWorld);
    let queue = Arc::new(open_transactions(clients, &config));
    let blobs = Arc::new(S3Blobs::new(clients.s3.clone(), config.blob_bucket, world.clone()));
    let store = Arc::new(DynamoStore::new(clients.dynamodb.clone(), config.tables, blobs.clone(), world.clone()));
    let calls = Arc::new(WebCalls::new(config.allowed_destinations));
    let cap = InFlight::new(store.clone(), world.clone());
    let executor = Executor::new(store, queue, world.clone())
        .with_calls(calls)
        .with_cap(cap)
        .with_address(config.public_url.as_deref());
    let Some(post) = config.post else { return executor };
    executor.with_post(Mailing {
        post: Arc::new(SesPost::new(clients.ses(), world)),
        blobs,
        domain: Some(post.domain),
        from: Some(post.from),
    })
}

/// The queue that `config` says transactions come from.
pub fn open_transactions(clients: &Clients, config: &ExecutorConfig) -> SqsQueue {
    SqsQueue::new(clients.sqs.clone(), &config.queue_url, Arc::new(SystemWorld))
}

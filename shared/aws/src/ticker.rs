//! What ticks, on AWS.

use std::sync::Arc;

use service::Ticker;

use crate::config::TickerConfig;
use crate::{Clients, DynamoStore, S3Blobs, SqsQueue, SystemWorld};

/// The ticker that `config` describes.
pub fn open_ticker(clients: &Clients, config: TickerConfig) -> Ticker {
    let world = Arc::new(SystemWorld);
    let blobs = Arc::new(S3Blobs::new(clients.s3.clone(), config.blob_bucket, world.clone()));
    let store = Arc::new(DynamoStore::new(clients.dynamodb.clone(), config.tables, blobs, world.clone()));
    let queue = Arc::new(SqsQueue::new(clients.sqs.clone(), config.queue_url, world.clone()));
    Ticker::new(store, queue, world)
}

//! What stands behind hook addresses, on AWS: the same for each function that serves one.

use std::sync::Arc;

use service::directory::keys::KeyCache;
use service::{Door, Limits, Senders};

use crate::config::DoorConfig;
use crate::{Clients, DynamoStore, S3Blobs, SqsQueue, SystemWorld, WebFetch};

/// The door that `config` describes. It shares `keys` with whoever changes API keys in this process.
pub async fn open_door(config: DoorConfig, keys: Arc<KeyCache>) -> Door {
    let clients = Clients::from_env().await;
    let world = Arc::new(SystemWorld);
    let blobs = Arc::new(S3Blobs::new(clients.s3, config.blob_bucket, world.clone()));
    Door {
        store: Arc::new(DynamoStore::new(clients.dynamodb, config.tables, blobs.clone(), world.clone())),
        queue: Arc::new(SqsQueue::new(clients.sqs, config.queue_url, world.clone())),
        blobs: blobs.clone(),
        uploads: blobs,
        web: Arc::new(WebFetch::new()),
        world,
        addresses: Arc::default(),
        limits: Limits::for_each_org(config.org_limit),
        senders: Senders::with_keys(keys),
        public_url: config.public_url,
    }
}

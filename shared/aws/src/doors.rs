//! The doors as the environment describes them: what the functions for hooks and for management hand requests to.

use std::sync::Arc;

use domain::Limit;
use service::{Door, Limits, Management, Senders, http::api::FirstKey, ports::Blobs};

use crate::{
    Clients, DynamoStore, S3Blobs, SqsQueue, SystemWorld, WebFetch,
    config::{self, ConfigError},
};

/// The seconds of an org's limit, which is said by the minute.
const MINUTE_SECONDS: u32 = 60;

/// The door of every hook address.
///
/// *Errors*: everything that is missing in the environment, in one sentence.
pub async fn hook_door() -> Result<Door, ConfigError> {
    let (tables, queue_url, bucket, public_url, org_limit) = config::read(|reader| {
        let (tables, queue_url, bucket) = (reader.tables(), reader.queue_url(), reader.blob_bucket());
        let (public_url, org_limit) = (reader.public_url(), reader.org_requests_per_minute());
        Some((tables?, queue_url?, bucket?, public_url?, org_limit?))
    })?;
    let clients = Clients::from_env().await;
    let world = Arc::new(SystemWorld);
    let s3 = Arc::new(S3Blobs::new(clients.s3, bucket, world.clone()));
    let blobs: Arc<dyn Blobs> = s3.clone();
    Ok(Door {
        store: Arc::new(DynamoStore::new(clients.dynamodb, tables, blobs.clone(), world.clone())),
        queue: Arc::new(SqsQueue::new(clients.sqs, queue_url, world.clone())),
        blobs,
        uploads: s3,
        web: Arc::new(WebFetch::new()),
        world,
        addresses: Arc::default(),
        limits: Limits::for_each_org(org_limit.map(|requests| Limit { requests, seconds: MINUTE_SECONDS })),
        senders: Senders::default(),
        public_url,
    })
}

/// The management API, and the door for the addresses whose requests come to the same function.
///
/// *Errors*: as [`hook_door`].
pub async fn management() -> Result<(Management, Door), ConfigError> {
    let admin = config::read(|reader| reader.admin());
    let (mut door, admin) = (hook_door().await?, admin?);
    let (addresses, keys) = (Arc::clone(&door.addresses), Arc::default());
    door.senders = Senders::with_keys(Arc::clone(&keys));
    let management = Management {
        store: Arc::clone(&door.store),
        world: Arc::clone(&door.world),
        addresses,
        keys,
        public_url: door.public_url.clone(),
        first_key: admin.map(|admin| FirstKey { org: admin.org, digest: admin.key_hash }),
    };
    Ok((management, door))
}

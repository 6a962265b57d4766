//! What stands behind hook addresses, on AWS: the same for each function that serves one.

use std::sync::Arc;

use service::directory::keys::KeyCache;
use service::http::api::{MailSetup, MailWay};
use service::mail::MailDoor;
use service::{Door, Limits, Senders};

use crate::config::{DoorConfig, MailConfig};
use crate::{Clients, DynamoStore, S3Blobs, S3Mails, SqsQueue, SystemWorld, WebFetch};

/// The door that `config` describes. It shares `keys` with whoever changes API keys in this process.
pub fn open_door(clients: &Clients, config: DoorConfig, keys: Arc<KeyCache>) -> Door {
    let world = Arc::new(SystemWorld);
    let blobs = Arc::new(S3Blobs::new(clients.s3.clone(), config.blob_bucket, world.clone()));
    Door {
        store: Arc::new(DynamoStore::new(clients.dynamodb.clone(), config.tables, blobs.clone(), world.clone())),
        queue: Arc::new(SqsQueue::new(clients.sqs.clone(), config.queue_url, world.clone())),
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

/// The door that mail comes in by, as `config` describes it, beside `door`.
pub fn open_mail_door(clients: &Clients, config: MailConfig, door: Arc<Door>) -> MailDoor {
    let mails = Arc::new(S3Mails::new(clients.s3.clone(), config.bucket.clone(), door.world.clone()));
    MailDoor { door, mails, domain: config.domain, bucket: Some(config.bucket), key_prefix: config.key_prefix }
}

/// The same with what its owner is told of it.
pub fn mail_setup(clients: &Clients, config: MailConfig, door: Arc<Door>) -> MailSetup {
    let (region, dkim_tokens, rule_set) = (config.region.clone(), config.dkim_tokens.clone(), config.rule_set.clone());
    let way = MailWay::Ses { region, dkim_tokens, rule_set };
    MailSetup { door: Arc::new(open_mail_door(clients, config, door)), way }
}

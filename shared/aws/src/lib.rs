//! The ports on AWS. Nothing is decided here: what may be written, and what happens when it may not, is the service's.
//!
//! The same code runs in the Lambda functions and on the embedded stack of `local`; only the clients differ. No other
//! crate but `local` imports an AWS SDK, and no other module of this crate but [`config`] reads a variable of ours.

pub mod config;

mod clients;
mod door;
mod logging;
mod tables;

mod attempts;
mod meter;
mod pack;

mod dynamo_store;
mod s3_blobs;
mod sqs_queue;
mod system_world;
mod web_fetch;

pub use clients::Clients;
pub use door::open_door;
pub use dynamo_store::DynamoStore;
pub use logging::log_as_json;
pub use meter::Meter;
pub use s3_blobs::S3Blobs;
pub use sqs_queue::SqsQueue;
pub use system_world::SystemWorld;
pub use tables::{TableNames, create_tables};
pub use web_fetch::WebFetch;

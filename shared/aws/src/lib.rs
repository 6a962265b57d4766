//! The ports on AWS. Nothing is decided here: what may be written, and what happens when it may not, is the service's.
//!
//! The same code runs in the Lambda functions and on the embedded stack of `local`; only the clients differ. No other
//! crate but `local` imports an AWS SDK, and no other module of this crate but [`config`] reads a variable of ours.

pub mod config;

mod clients;
mod door;
mod executor;
mod logging;
mod tables;
mod ticker;

mod attempts;
mod meter;
mod pack;

#[cfg(test)]
mod canned;

mod dynamo_store;
mod s3_blobs;
mod s3_mails;
mod ses_post;
mod sqs_queue;
mod system_world;
mod web;
mod web_calls;
mod web_destinations;
mod web_fetch;

pub use clients::Clients;
pub use door::{mail_setup, open_door, open_mail_door};
pub use dynamo_store::DynamoStore;
pub use executor::{open_executor, open_transactions};
pub use logging::log_as_json;
pub use meter::Meter;
pub use s3_blobs::S3Blobs;
pub use s3_mails::S3Mails;
pub use ses_post::SesPost;
pub use sqs_queue::{Received, SqsQueue};
pub use system_world::SystemWorld;
pub use tables::{TableNames, create_tables};
pub use ticker::open_ticker;
pub use web::{Destination, WrongDestination};
pub use web_calls::WebCalls;
pub use web_destinations::WebDestinations;
pub use web_fetch::WebFetch;

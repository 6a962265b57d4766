//! The embedded stack: the `aws` adapters over a DynamoDB engine in this process, a durable queue, and a folder of blobs.
//!
//! It is the real thing, not a mock: the AWS SDK builds and signs every request, and what was acknowledged survives
//! `kill -9`. It is chosen by opening it, never fallen into because something is missing.

mod stack;

mod blobs;
mod dynamo;
mod queue;
mod uploads;

mod mails;
mod outbox;
pub mod smtp;

mod folder;

pub use blobs::FolderBlobs;
pub use dynamo::{EmbeddedDynamo, answer};
pub use mails::LocalMails;
pub use outbox::Outbox;
pub use queue::{DeadLetter, Delivery, LocalQueue, QueueRules, Receipt};
pub use stack::{OpenError, Stack};
pub use uploads::{LocalUploads, Receiving, UPLOADS_PATH, UploadRefusal, UploadRequest};

/// The engine behind [`EmbeddedDynamo`], for tests that serve it over HTTP with [`answer`].
pub use dynoxide::Database;

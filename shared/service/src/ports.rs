//! What the service needs of the world, as traits with two real implementations each: AWS, and memory.
//!
//! The store is one port of documents under keys, because every rule of ours (a run is created once, an e-mail has
//! one owner, a journal grows by one writer) is the same sentence: write these documents if those are as I saw them.
//! Which keys exist is decided by the repositories (`directory`, `runs`, `records`), never by an adapter.

mod calls;
mod destinations;
mod mail;
mod store;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{OrgId, Timestamp};

pub use calls::{
    ANSWER_LIMIT_BYTES, CALL_LIMIT_SECONDS, CallAnswer, CallBody, CallHeader, Calls, HEADER_VALUE_LIMIT_BYTES, Method,
    NotCalled, OutgoingCall, REDIRECTS_LIMIT, Redirects, Secrecy, Web, WrongHeader,
};
pub use destinations::Destinations;
pub use mail::{MAIL_LIMIT_BYTES, Mails, NotPosted, OutgoingContent, OutgoingMail, Post, Posted, SentMail, SentMails};

pub use store::{
    Change, DOCUMENT_LIMIT_BYTES, Expectation, Freshness, IndexKey, Item, Key, LIST_LIMIT_ITEMS, Order,
    PARTITION_LIMIT_BYTES, Page, Range, SORT_LIMIT_BYTES, Scope, Store, Table, WRITE_LIMIT_CHANGES, WriteError,
    is_partition, is_sort,
};

/// The most bytes a message may have. *Source*: SQS.
pub const MESSAGE_LIMIT_BYTES: usize = 1024 * 1024;

/// The world does not do its part at the moment; the same call may succeed later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{port} is unavailable: {cause}")]
pub struct Unavailable {
    /// Which port it was.
    pub port: &'static str,
    /// What it said, for the log; never shown to a sender.
    pub cause: String,
}

/// The one queue between the hooks and the executor.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts `message` (at most [`MESSAGE_LIMIT_BYTES`]), which is of `org`, on the queue.
    ///
    /// Orgs take turns at being delivered: a message of an org with few in flight comes before those of one with many, so
    /// that the backlog of one is not what another waits for. Within an org the order is that of sending, where nothing
    /// fails. Memory and local mode keep to it exactly, SQS about: the org is its message group.
    ///
    /// *Once it returns* the message is durable and will be delivered at least once.
    /// *Errors*: [`Unavailable`]; the message may or may not be on the queue then.
    async fn send(&self, org: OrgId, message: String) -> Result<(), Unavailable> {
        self.send_later(org, message, 0).await
    }

    /// The same, and the message is not delivered before `seconds` (at most [`DELAY_LIMIT_SECONDS`]) have passed. After a
    /// restart of a local queue it may be.
    async fn send_later(&self, org: OrgId, message: String, seconds: u32) -> Result<(), Unavailable>;
}

/// The longest a message can be held back. *Source*: SQS.
pub const DELAY_LIMIT_SECONDS: u32 = 900;

/// Bytes that are too large for a document, under their SHA-256.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Keeps `bytes` under `sha256` (64 lower-case hex digits), which the caller has computed from them.
    ///
    /// *Once it returns* the bytes are durable; doing it again changes nothing.
    async fn put(&self, sha256: &str, bytes: Bytes) -> Result<(), Unavailable>;

    /// Keeps the `length` bytes that `pieces` are together, as [`Blobs::put`] does, with no more than a piece of them in
    /// memory.
    ///
    /// *Errors*: [`Unavailable`], also where the pieces have another length in all.
    async fn put_pieces(&self, sha256: &str, length: u64, pieces: Pieces) -> Result<(), Unavailable>;

    /// The bytes under `sha256`, if they were ever put.
    async fn find(&self, sha256: &str) -> Result<Option<Bytes>, Unavailable>;
}

/// The bytes of a blob from its beginning, as often as they are asked for: once for each try.
pub type Pieces = Arc<dyn Fn() -> Box<dyn Iterator<Item = Bytes> + Send> + Send + Sync>;

/// Bytes that a sender puts among the blobs by itself, because they are too many for a request.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// Lets whoever holds the grant put these bytes, and no others, into their place among the blobs.
    async fn grant(&self, upload: &Upload) -> Result<Grant, Unavailable>;

    /// How many bytes the blob under `sha256` has, if it is there.
    async fn size(&self, sha256: &str) -> Result<Option<u64>, Unavailable>;
}

/// Bytes that are to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// 64 lower-case hex digits.
    pub sha256: String,
    /// How many.
    pub bytes: u64,
    /// What they are.
    pub content_type: String,
    /// For how long the grant holds.
    pub seconds: u32,
}

/// The right to put one upload with `PUT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Where to.
    pub url: String,
    /// Headers that have to be sent as they are.
    pub headers: Vec<(String, String)>,
}

/// Pages of the web that a hook depends on: a provider's keys, a certificate, a captcha's verdict.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Sends `request` and gives the answer, whatever its status.
    ///
    /// Only `https` (in local mode `http` to this machine too), only to public addresses, no redirects, within 3 s.
    /// *Errors*: [`Unavailable`], also for an answer over [`FETCH_LIMIT_BYTES`] and for a place that is not allowed.
    async fn fetch(&self, request: FetchRequest) -> Result<Fetched, Unavailable>;
}

/// The most bytes of a fetched page.
pub const FETCH_LIMIT_BYTES: usize = 256 * 1024;

/// What is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// From where.
    pub url: String,
    /// An urlencoded form to post; `GET` without one.
    pub form: Option<String>,
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The page.
    pub body: Bytes,
}

/// Time and chance, given so that tests can choose both.
#[async_trait]
pub trait World: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Lets `milliseconds` pass.
    async fn pause(&self, milliseconds: u32);

    /// Fills `bytes` from a source that nobody can predict.
    ///
    /// *Errors*: [`Unavailable`] when the system has no such source.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable>;
}

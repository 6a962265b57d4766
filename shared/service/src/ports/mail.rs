//! Mail: what came in as it was stored, and what goes out.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Failure, OrgId, Timestamp};

use super::Unavailable;

pub use ingest::mail::MAIL_LIMIT_BYTES;

/// Mails as they came, kept by whoever received them: SES in a bucket, the local listener in a folder.
#[async_trait]
pub trait Mails: Send + Sync {
    /// The mail under `key`; nothing once it has expired or was removed.
    ///
    /// *Errors*: [`Unavailable`], also for one over [`MAIL_LIMIT_BYTES`], which nobody can have stored.
    async fn read(&self, key: &str) -> Result<Option<Bytes>, Unavailable>;
}

/// The way out for mail that workflows send.
#[async_trait]
pub trait Post: Send + Sync {
    /// Hands `mail` over for delivery.
    ///
    /// *Once it returns* the mail is somebody else's to deliver. Sending the same `key` again may deliver it twice; it has
    /// the same `Message-ID` then.
    /// *Errors*: [`NotPosted`], which says whether it may have gone out all the same.
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted>;
}

/// A mail on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Whose run sends it.
    pub org: OrgId,
    /// `{run}/{step}/{visit}`: the same for every attempt.
    pub key: String,
    /// The address it is from.
    pub from: String,
    /// Who gets it: `To`, `Cc` and `Bcc` together, addresses only.
    pub recipients: Vec<String>,
    /// What it says.
    pub content: OutgoingContent,
}

/// What an outgoing mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutgoingContent {
    /// The whole message as RFC 5322 has it, without `Bcc`.
    Raw(Bytes),
    /// A template that the mail service keeps.
    Template {
        /// Its name there.
        name: String,
        /// What it is filled with, as a JSON object.
        data: String,
        /// `To`, addresses only.
        to: Vec<String>,
        /// `Cc`, likewise.
        cc: Vec<String>,
        /// `Bcc`, likewise.
        bcc: Vec<String>,
        /// `Reply-To`, likewise.
        reply_to: Vec<String>,
    },
}

/// A mail that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// What the mail service calls it.
    pub id: String,
}

/// Why a mail was not handed over.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotPosted {
    /// It never will be: the step fails, and says why.
    #[error("{}", .0.message)]
    Refused(Failure),
    /// It certainly was not; another try may succeed.
    #[error(transparent)]
    NotSent(Unavailable),
    /// It may have been.
    #[error(transparent)]
    Unknown(Unavailable),
}

/// The mail that was handed over, where somebody keeps it: in the outbox of local mode. SES keeps none.
#[async_trait]
pub trait SentMails: Send + Sync {
    /// The mails of `org`, newest first: at most `limit` of those behind the position `after`.
    async fn list(&self, org: OrgId, after: Option<&str>, limit: usize) -> Result<Vec<SentMail>, Unavailable>;

    /// The mail of `org` with this id, and what it says.
    async fn find(&self, org: OrgId, id: &str) -> Result<Option<(SentMail, OutgoingContent)>, Unavailable>;
}

/// What is known of a mail that was handed over, besides what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMail {
    /// As [`Posted`] has it.
    pub id: String,
    /// As [`OutgoingMail`] has it.
    pub key: String,
    /// When it was handed over, the last time if it was several times.
    pub sent_at: Timestamp,
    /// The address it is from.
    pub from: String,
    /// Who gets it.
    pub recipients: Vec<String>,
}

impl SentMail {
    /// Its place in the list, for whoever wants to go on behind it.
    pub fn position(&self) -> String {
        format!("{}#{}", self.sent_at, self.id)
    }
}

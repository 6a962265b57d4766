//! Accepting what a sender sent: the first half of the data path.
//!
//! Order matters here. A transaction is accepted when the queue has it, and the sender is told so only then; files go
//! to the blob store before, so that the transaction never names bytes that are not there.

use std::sync::Arc;

use domain::{Hook, HookHash, HookKind, Note, OrgId, Rejected, Rejection, Timestamp, Transaction, TransactionId};
use ingest::{Reading, Refusal};

use crate::{
    directory::hooks::AddressCache,
    envelope::Envelope,
    ports::{Blobs, Queue, Store, Unavailable, World},
    runs::{self, Interaction},
};

/// The most bytes of a body. *Source*: 400 KB "including whitespace" at Kustomer; here 400 KiB.
pub const BODY_LIMIT_BYTES: usize = 409_600;

/// Where something arrived: the secret of the address, and the org if the address names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The org in the address, which must be the hook's own then.
    pub org: Option<OrgId>,
    /// The secret part.
    pub hash: HookHash,
}

/// Why an arrival was not accepted.
#[derive(Debug)]
pub enum NotAccepted {
    /// The sender must change something.
    Rejected(Rejected),
    /// The world must recover; the sender should try again.
    Unavailable(Unavailable),
}

impl From<Unavailable> for NotAccepted {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

impl From<Rejected> for NotAccepted {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

/// What the headers of an arrival say about its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Label {
    /// Every `Content-Type` that came.
    pub content_types: Vec<String>,
    /// The `Content-Encoding`.
    pub content_encoding: Option<String>,
}

impl Label {
    /// The one content type, if there is one. Two would let two programs read one body differently; API Gateway puts
    /// them into one header with a comma between.
    fn content_type(&self) -> Result<Option<&str>, Rejected> {
        match self.content_types.as_slice() {
            [] => Ok(None),
            [one] if !has_comma_outside_quotes(one) => Ok(Some(one)),
            [_, ..] => {
                let detail = "Send one Content-Type header, not several.";
                Err(Rejected::new(Rejection::Malformed, "ambiguous_content_type", detail))
            }
        }
    }
}

fn has_comma_outside_quotes(text: &str) -> bool {
    text.split('"').step_by(2).any(|outside| outside.contains(','))
}

/// A body that was read, before it is a transaction.
pub(crate) struct Arrival {
    /// The transaction it will be.
    pub(crate) id: TransactionId,
    /// When it arrived.
    pub(crate) created_at: Timestamp,
    /// What is in it.
    pub(crate) reading: Reading,
}

/// What stands behind every hook address.
pub struct Door {
    /// Where hooks are looked up and the debug log is kept.
    pub store: Arc<dyn Store>,
    /// Where transactions go.
    pub queue: Arc<dyn Queue>,
    /// Where files of forms go.
    pub blobs: Arc<dyn Blobs>,
    /// Time and chance.
    pub world: Arc<dyn World>,
    /// Hooks that were looked up lately; shared with whoever changes hooks in this process.
    pub addresses: Arc<AddressCache>,
}

impl Door {
    /// The hook of `kind` at `address`.
    ///
    /// *Errors*: the same [`Rejection::NotFound`] for an address that is unknown, deleted, of another kind, or that
    /// names another org, so that nobody learns which addresses exist.
    pub async fn hook_at(&self, kind: HookKind, address: Address) -> Result<Hook, NotAccepted> {
        let found = self.addresses.find(self.store.as_ref(), address.hash, self.world.now()).await?;
        match found {
            Some(hook) if hook.kind == kind && address.org.is_none_or(|org| org == hook.org) => Ok(hook),
            Some(_) | None => Err(NotAccepted::Rejected(unknown_address())),
        }
    }

    /// Makes a transaction of `body`, which was sent to `hook`: [`Door::read`], then [`Door::take`].
    ///
    /// *Once it returns* the transaction is durable and its workflows will run.
    /// *Errors*: [`NotAccepted`]; nothing was kept then but, in debug, the refusal.
    pub async fn accept(&self, hook: &Hook, label: &Label, body: &[u8]) -> Result<Transaction, NotAccepted> {
        let arrival = self.read(hook, label, body).await?;
        self.take(hook, arrival).await
    }

    /// Reads `body`, which was sent to `hook`. Nothing is kept yet but, in debug, the refusal of one that cannot be read.
    pub(crate) async fn read(&self, hook: &Hook, label: &Label, body: &[u8]) -> Result<Arrival, NotAccepted> {
        let created_at = self.world.now();
        let mut random = [0; 8];
        self.world.fill(&mut random)?;
        let id = TransactionId::fresh(created_at, random);
        match read(label, body) {
            Ok(reading) => Ok(Arrival { id, created_at, reading }),
            Err(rejected) => {
                self.log_refusal(hook, id, created_at, label, body, &rejected).await;
                Err(rejected.into())
            }
        }
    }

    /// Makes a transaction of what was read. Taking it again under the same id is safe: its runs start once.
    pub(crate) async fn take(&self, hook: &Hook, arrival: Arrival) -> Result<Transaction, NotAccepted> {
        let Arrival { id, created_at, reading: Reading { data, notes, files } } = arrival;
        for file in files {
            self.blobs.put(&file.sha256, file.bytes).await?;
        }
        let transaction = Transaction { id, org: hook.org, hook: hook.id, hook_kind: hook.kind, created_at, data };
        let notes = notes.into_iter().map(owner_note).collect();
        let envelope = Envelope::new(hook.event_name.clone(), transaction, notes);
        self.queue.send(envelope.message()?).await?;
        let transaction = envelope.transaction;
        tracing::debug!(transaction.id = %transaction.id, hook.id = %hook.id, "accepted a transaction");
        if hook.is_debugging(created_at) {
            self.log(hook, &Interaction::Accepted(transaction.clone())).await;
        }
        Ok(transaction)
    }

    pub(crate) async fn log_refusal(
        &self,
        hook: &Hook,
        id: TransactionId,
        now: Timestamp,
        label: &Label,
        body: &[u8],
        rejected: &Rejected,
    ) {
        tracing::warn!(hook.id = %hook.id, code = rejected.code, body_bytes = body.len(), "refused a body");
        if hook.is_debugging(now) {
            let refusal = runs::Refusal {
                id,
                created_at: now,
                code: rejected.code.to_owned(),
                detail: rejected.detail.clone(),
                content_type: (!label.content_types.is_empty()).then(|| label.content_types.join(", ")),
                body_bytes: body.len(),
            };
            self.log(hook, &Interaction::Refused(refusal)).await;
        }
    }

    /// A debugging aid that fails must not fail what it watches.
    async fn log(&self, hook: &Hook, interaction: &Interaction) {
        if let Err(error) = runs::log_interaction(self.store.as_ref(), hook, interaction).await {
            tracing::error!(hook.id = %hook.id, %error, "the debug log was not written");
        }
    }
}

/// The one answer for every address that takes nothing.
pub fn unknown_address() -> Rejected {
    Rejected::new(
        Rejection::NotFound,
        "unknown_address",
        "There is no hook at this address. Copy the address again from the hook's settings.",
    )
}

/// The refusal of a body over [`BODY_LIMIT_BYTES`].
pub fn body_too_large() -> Rejected {
    Rejected::new(
        Rejection::TooLarge,
        "body_too_large",
        format!(
            "A body has at most {BODY_LIMIT_BYTES} bytes (400 KiB). Send less, or send links to files in place of the files."
        ),
    )
}

fn read(label: &Label, body: &[u8]) -> Result<Reading, Rejected> {
    if body.len() > BODY_LIMIT_BYTES {
        return Err(body_too_large());
    }
    // Compressed bytes read as text would be accepted and lost.
    if label.content_encoding.as_deref().is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity")) {
        let detail = "Bodies are taken as they are: send this one again without a Content-Encoding.";
        return Err(Rejected::new(Rejection::UnsupportedMediaType, "content_encoding", detail));
    }
    ingest::read(label.content_type()?, body).map_err(refused_body)
}

/// A reader's refusal, told to the sender.
pub(crate) fn refused_body(refusal: Refusal) -> Rejected {
    match refusal {
        Refusal::Malformed { code, detail } => Rejected::new(Rejection::Malformed, code, detail),
        Refusal::TooLarge { code, detail } => Rejected::new(Rejection::TooLarge, code, detail),
        Refusal::UnsupportedMediaType { detail } => {
            Rejected::new(Rejection::UnsupportedMediaType, "unsupported_media_type", detail)
        }
    }
}

fn owner_note(note: ingest::Note) -> Note {
    Note { code: note.code.to_owned(), path: note.path, message: note.message }
}

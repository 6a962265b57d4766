//! Accepting what a sender sent: the first half of the data path.
//!
//! Order matters here. A transaction is accepted when the queue or the store has it, and the sender is told so only then;
//! files go to the blob store before, so that the transaction never names bytes that are not there.

mod circumstances;
mod enqueue;
mod refuse;
mod repeats;
mod take;

use std::{net::IpAddr, sync::Arc};

use domain::{Hook, HookHash, HookKind, Note, OrgId, Rejected, Rejection, StoredFile, Timestamp, TransactionId};
use ingest::{Reading, Refusal};

use crate::{
    directory::hooks::AddressCache,
    limits::{Limits, Standing},
    ports::{Blobs, Fetch, Queue, Store, Unavailable, Uploads, World},
    runs::{self, Interaction},
    senders::Senders,
};

pub use circumstances::Circumstances;
pub use enqueue::Conflict;
pub use refuse::Diagnosis;
pub(crate) use repeats::{RepeatKey, data_sha256, mail_key};
pub use take::{Place, Repeat, Taken};

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
    /// The sender has used a key for two things.
    Conflict(Box<Conflict>),
    /// The sender must wait.
    Throttled(Standing),
    /// The world must recover; the sender should try again.
    Unavailable(Unavailable),
}

impl From<Standing> for NotAccepted {
    fn from(standing: Standing) -> Self {
        Self::Throttled(standing)
    }
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
pub struct Arrival {
    /// The transaction it will be.
    pub id: TransactionId,
    /// When it arrived.
    pub created_at: Timestamp,
    /// Whether the guard of a form has seen it before; what else tells repeats is asked when it is taken.
    pub repeat: Repeat,
    /// What is in it.
    pub reading: Reading,
    /// The uploads that it names, whose bytes were there when it was looked at.
    pub uploads: Vec<StoredFile>,
}

/// What stands behind every hook address.
pub struct Door {
    /// Where hooks are looked up and the debug log is kept.
    pub store: Arc<dyn Store>,
    /// Where transactions go.
    pub queue: Arc<dyn Queue>,
    /// Where files of forms go.
    pub blobs: Arc<dyn Blobs>,
    /// How senders bring what is too large for a request.
    pub uploads: Arc<dyn Uploads>,
    /// Where providers' keys and captchas' verdicts are.
    pub web: Arc<dyn Fetch>,
    /// Time and chance.
    pub world: Arc<dyn World>,
    /// Hooks that were looked up lately; shared with whoever changes hooks in this process.
    pub addresses: Arc<AddressCache>,
    /// How many arrivals are let in.
    pub limits: Limits,
    /// How senders of webhooks are known.
    pub senders: Senders,
    /// What addresses begin with as senders see them; taken from the request where it is not set.
    pub public_url: Option<String>,
}

impl Door {
    /// The hook of `kind` at `address`.
    ///
    /// *Errors*: the same [`Rejection::NotFound`] for an address that is unknown, deleted, of another kind, or that
    /// names another org, so that nobody learns which addresses exist.
    pub async fn hook_at(
        &self,
        kind: HookKind,
        address: Address,
        source: Option<IpAddr>,
    ) -> Result<Arc<Hook>, NotAccepted> {
        let now = self.world.now();
        let found = match self.addresses.remembered(address.hash, now) {
            Some(known) => known,
            None => {
                // Strangers behind the same address must not shut out who posts to a hook that is there.
                if !self.addresses.was_there(address.hash) {
                    self.limits.may_look_up(source, now)?;
                }
                self.addresses.find(self.store.as_ref(), address.hash, now).await?
            }
        };
        match found {
            Some(hook) if hook.kind == kind && address.org.is_none_or(|org| org == hook.org) => Ok(hook),
            Some(_) | None => {
                self.limits.count_miss(source, now);
                Err(NotAccepted::Rejected(unknown_address()))
            }
        }
    }

    /// Lets an arrival at `hook` in, or says how long its sender has to wait. A store that has just not answered is not asked:
    /// it would let everybody in, too.
    pub async fn admit(&self, hook: &Hook) -> Result<Option<Standing>, NotAccepted> {
        if self.addresses.is_stale(hook.hash) {
            return Ok(None);
        }
        Ok(self.limits.admit(self.store.as_ref(), hook, self.world.now()).await?)
    }

    pub(crate) fn fresh_id(&self) -> Result<TransactionId, Unavailable> {
        let mut random = [0; 8];
        self.world.fill(&mut random)?;
        Ok(TransactionId::fresh(self.world.now(), random))
    }

    /// Reads `body`, which was sent to `hook`. Nothing is kept yet but the refusal of one that cannot be read.
    pub async fn read(
        &self,
        hook: &Hook,
        label: &Label,
        circumstances: &Circumstances,
        body: &[u8],
    ) -> Result<Arrival, NotAccepted> {
        let (id, created_at) = (self.fresh_id()?, self.world.now());
        match read(label, body) {
            Ok(reading) => Ok(Arrival { id, created_at, repeat: Repeat::No, reading, uploads: Vec::new() }),
            Err(rejected) => {
                self.note_refusal(hook, &rejected, circumstances, body.len(), Diagnosis::default).await;
                Err(rejected.into())
            }
        }
    }

    /// A debugging aid that fails must not fail what it watches.
    pub(crate) async fn log(&self, hook: &Hook, interaction: &Interaction) {
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

pub(crate) fn owner_note(note: ingest::Note) -> Note {
    Note { code: note.code.to_owned(), path: note.path, message: note.message }
}

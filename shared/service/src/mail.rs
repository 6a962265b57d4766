//! The door for mail: from what SES tells to transactions.
//!
//! Nobody waits for an answer here. A mail that cannot be used is a result that is recorded, because sending it again would
//! change nothing; only a world that does not answer is an error, and then the same mail comes again. What comes twice
//! becomes one transaction, because its id follows from what SES calls the mail and the hook.

mod document;
mod keep;
mod oversize;
mod policy;
mod recipients;
mod release;

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use domain::{Hook, HookId, HookKind, MailBody, Secret, Timestamp, Transaction, TransactionId};
use ingest::{
    mail::{Entities, Mail, Wishes},
    ses::{Delivery, Place},
};
use serde_json::{Value, json};

use crate::{
    accept::{self, Address, Door, NotAccepted, Repeat, owner_note},
    envelope::Envelope,
    ports::{Mails, Unavailable},
    runs::{self, KeyDigest},
};

use document::Described;
use policy::Verdict;

pub use recipients::Recipient;
pub use release::NotReleased;

/// How long after its arrival a mail that is not there is waited for, before it counts as gone. *Why*: SES stores a mail
/// before it tells of it, so only a store that lags can be behind; Lambda's own repeats come within three minutes.
const LAG_SECONDS: i64 = 15 * 60;

/// What stands behind the addresses of email hooks.
pub struct MailDoor {
    /// The door that all hooks share.
    pub door: Arc<Door>,
    /// Mails as they came.
    pub mails: Arc<dyn Mails>,
    /// The domain of the addresses.
    pub domain: String,
    /// The bucket of `mails`, where it has a name; what is said to lie in another one is not read.
    pub bucket: Option<String>,
    /// What keys of mails begin with where only the id of a mail is told: `inbound/`.
    pub key_prefix: String,
}

/// What became of a mail at one hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailOutcome {
    /// The hook.
    pub hook: HookId,
    /// The transaction: the one of then, where the mail had come before.
    pub transaction: TransactionId,
    /// What it was.
    pub what: What,
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It is accepted: on the queue, or in the store until its hook goes on.
    Fired,
    /// It had come before; its transaction is accepted again and does nothing new.
    Repeated,
    /// It is kept as a transaction that fires nothing, for this reason.
    Recorded(&'static str),
    /// It waits to be released, for this reason.
    Quarantined(&'static str),
}

/// A mail at one hook.
struct Arriving<'a> {
    hook: &'a Hook,
    recipient: &'a Recipient,
    delivery: &'a Delivery,
    raw: &'a Bytes,
    mail: Mail,
    id: TransactionId,
    created_at: Timestamp,
}

impl MailDoor {
    /// Takes the mail of `delivery` in at each hook that it was sent to; none where it was sent to none.
    ///
    /// *Once it returns*, the mail is a transaction that is accepted, in quarantine, or recorded with a reason, at each of them.
    /// *Errors*: [`Unavailable`]; telling of the same delivery again is safe.
    pub async fn receive(&self, delivery: &Delivery) -> Result<Vec<MailOutcome>, Unavailable> {
        if self.is_elsewhere(delivery) {
            tracing::warn!(mail.id = delivery.id, "a mail is said to lie in a bucket that is not ours; it is not read");
            return Ok(Vec::new());
        }
        let hooks = match &delivery.recipients {
            Some(recipients) => self.hooks_for(recipients).await?,
            None => Vec::new(),
        };
        if hooks.is_empty() && delivery.recipients.is_some() {
            tracing::info!(mail.id = delivery.id, "no hook has an address that this mail was sent to");
            return Ok(Vec::new());
        }
        let Some(raw) = self.raw(delivery).await? else { return self.gone(&hooks, delivery).await };
        let hooks = match &delivery.recipients {
            Some(_) => hooks,
            None => self.hooks_for(&recipients::stamped(&raw, &delivery.id)).await?,
        };
        let mut outcomes = Ok(Vec::with_capacity(hooks.len()));
        for (hook, recipient) in &hooks {
            // A hook that cannot take it now must not keep the others from it.
            match (self.arrive(hook, recipient, delivery, &raw).await, &mut outcomes) {
                (Ok(outcome), Ok(outcomes)) => outcomes.push(outcome),
                (Ok(_), Err(_)) => {}
                (Err(error), outcomes) => *outcomes = Err(error),
            }
        }
        outcomes
    }

    /// The hook that mail to `address` goes to; nothing for every other address.
    pub async fn hook_for(&self, address: &str) -> Result<Option<Arc<Hook>>, Unavailable> {
        Ok(self.hooks_for(&[address.to_owned()]).await?.into_iter().next().map(|(hook, _)| hook))
    }

    /// The distinct hooks among `recipients`, each with the first address that it was reached at.
    async fn hooks_for(&self, recipients: &[String]) -> Result<Vec<(Arc<Hook>, Recipient)>, Unavailable> {
        let mut hooks: Vec<(Arc<Hook>, Recipient)> = Vec::new();
        for recipient in recipients.iter().filter_map(|address| Recipient::parse(address, &self.domain)) {
            if hooks.iter().any(|(hook, _)| hook.hash == recipient.hash) {
                continue;
            }
            match self.door.hook_at(HookKind::Email, Address { org: None, hash: recipient.hash }, None).await {
                Ok(hook) => hooks.push((hook, recipient)),
                Err(NotAccepted::Rejected(_) | NotAccepted::Conflict(_)) => {}
                Err(NotAccepted::Unavailable(error)) => return Err(error),
                Err(NotAccepted::Throttled(_)) => return Err(too_many_look_ups()),
            }
        }
        Ok(hooks)
    }

    fn is_elsewhere(&self, delivery: &Delivery) -> bool {
        match (&delivery.place, &self.bucket) {
            (Place::Object { bucket: Some(named), .. }, Some(own)) => named != own,
            (Place::Object { .. } | Place::Inline(_), _) => false,
        }
    }

    async fn raw(&self, delivery: &Delivery) -> Result<Option<Bytes>, Unavailable> {
        match &delivery.place {
            Place::Inline(bytes) => Ok(Some(bytes.clone())),
            Place::Object { key, .. } => self.mails.read(&self.key_of(key.as_deref(), &delivery.id)).await,
        }
    }

    /// The key that was told, or the one that SES gives the mail `id`.
    fn key_of(&self, told: Option<&str>, id: &str) -> String {
        told.map_or_else(|| format!("{}{id}", self.key_prefix), str::to_owned)
    }

    async fn gone(
        &self,
        hooks: &[(Arc<Hook>, Recipient)],
        delivery: &Delivery,
    ) -> Result<Vec<MailOutcome>, Unavailable> {
        let now = self.door.world.now();
        if delivery.received_at.is_some_and(|received_at| now < received_at.plus_seconds(LAG_SECONDS)) {
            return Err(Unavailable { port: "mails", cause: "the mail is not there yet".to_owned() });
        }
        tracing::error!(mail.id = delivery.id, "a mail is gone: the bucket has removed it");
        let nothing = Bytes::new();
        let mut outcomes = Vec::with_capacity(hooks.len());
        for (hook, recipient) in hooks {
            let arriving = self.arriving(hook, recipient, delivery, &nothing, Mail::default());
            outcomes.push(self.record(arriving, policy::gone()).await?);
        }
        Ok(outcomes)
    }

    fn arriving<'a>(
        &self,
        hook: &'a Hook,
        recipient: &'a Recipient,
        delivery: &'a Delivery,
        raw: &'a Bytes,
        mail: Mail,
    ) -> Arriving<'a> {
        let id = TransactionId::for_mail(hook.id, &delivery.id);
        let created_at = delivery.received_at.unwrap_or_else(|| self.door.world.now());
        Arriving { hook, recipient, delivery, raw, mail, id, created_at }
    }

    /// The mail as it is read for `hook`.
    fn read<'a>(
        &self,
        hook: &'a Hook,
        recipient: &'a Recipient,
        delivery: &'a Delivery,
        raw: &'a Bytes,
    ) -> Arriving<'a> {
        let entities = if hook.mail.decode_entities { Entities::Decoded } else { Entities::Kept };
        let key = hook.mail.key.as_ref().map(Secret::reveal);
        self.arriving(hook, recipient, delivery, raw, ingest::mail::read(raw, &Wishes { key, entities }))
    }

    async fn arrive(
        &self,
        hook: &Hook,
        recipient: &Recipient,
        delivery: &Delivery,
        raw: &Bytes,
    ) -> Result<MailOutcome, Unavailable> {
        let arriving = self.read(hook, recipient, delivery, raw);
        match policy::judge(&hook.mail, delivery, &arriving.mail, &self.domain) {
            Verdict::Passed => {}
            Verdict::Quarantined(reason) => return self.quarantine(arriving, reason).await,
            Verdict::Dropped(reason) => return self.record(arriving, reason).await,
        }
        if let Some(reason) = policy::without_data(&hook.mail, &arriving.mail) {
            return self.record(arriving, reason).await;
        }
        if self.is_over_limit(&arriving).await? {
            return self.quarantine(arriving, policy::over_limit()).await;
        }
        self.fire(arriving).await
    }

    /// Whether the hook has had its share. A mail that was let in before is not counted out now.
    async fn is_over_limit(&self, arriving: &Arriving<'_>) -> Result<bool, Unavailable> {
        match self.door.admit(arriving.hook).await {
            Ok(_) => Ok(false),
            Err(NotAccepted::Unavailable(error)) => Err(error),
            Err(NotAccepted::Rejected(_) | NotAccepted::Conflict(_)) => Ok(true),
            Err(NotAccepted::Throttled(_)) => Ok(!self.was_let_in(arriving).await?),
        }
    }

    /// Whether the mail has a mark, or, where every mail counts and none has, its transaction.
    async fn was_let_in(&self, arriving: &Arriving<'_>) -> Result<bool, Unavailable> {
        let (store, hook) = (self.door.store.as_ref(), arriving.hook);
        match arriving.repeat_key() {
            Some(key) => {
                let before = runs::find_mark(store, hook.org, hook.id, &KeyDigest::of(&key.key)).await?;
                Ok(before.is_some_and(|before| before.transaction == arriving.id))
            }
            None => Ok(runs::find_transaction(store, hook.org, arriving.id).await?.is_some()),
        }
    }

    /// Attachments go to the blob store before, so that a transaction never names bytes that are not there.
    async fn fire(&self, arriving: Arriving<'_>) -> Result<MailOutcome, Unavailable> {
        let kept = arriving.hook.mail.attachments;
        if kept {
            let mut put = HashSet::new();
            for attachment in arriving.mail.attachments.iter().filter(|file| put.insert(&file.sha256)) {
                let (pieces, raw) = (attachment.clone(), arriving.raw.clone());
                let pieces = Arc::new(move || -> Box<dyn Iterator<Item = Bytes> + Send> {
                    Box::new(pieces.pieces(raw.clone()))
                });
                self.door.blobs.put_pieces(&attachment.sha256, attachment.size, pieces).await?;
            }
        }
        let described = if kept { Described::WithFiles } else { Described::WithoutFiles };
        let key = arriving.repeat_key();
        let notes = arriving.mail.notes.iter().cloned().map(owner_note).collect();
        let transaction = self.transaction(&arriving, arriving.mail.data.clone(), described);
        let envelope = Envelope::new(arriving.hook.event_name.clone(), transaction, notes);
        match self.door.enqueue(arriving.hook, envelope, Repeat::No, key).await {
            Ok(taken) => {
                let (id, is_repeat) = (taken.transaction.id, taken.repeat == Repeat::Yes);
                // One that is only told of again is no other mail.
                if is_repeat && id != arriving.id {
                    self.explain(&arriving, &policy::repeated(), Some(id)).await;
                }
                let what = if is_repeat { What::Repeated } else { What::Fired };
                Ok(MailOutcome { hook: arriving.hook.id, transaction: id, what })
            }
            Err(NotAccepted::Unavailable(error)) => Err(error),
            Err(NotAccepted::Rejected(_) | NotAccepted::Conflict(_) | NotAccepted::Throttled(_)) => {
                self.record(arriving, policy::too_large()).await
            }
        }
    }

    fn transaction(&self, arriving: &Arriving<'_>, data: Value, described: Described) -> Transaction {
        let Arriving { hook, id, created_at, .. } = *arriving;
        let email = Some(document::email(arriving, described));
        let files = document::files(arriving, described);
        Transaction {
            id,
            org: hook.org,
            hook: Some(hook.id),
            hook_kind: Some(hook.kind),
            created_at,
            data,
            email,
            files,
            generation: 0,
            fired: None,
        }
    }
}

impl Arriving<'_> {
    /// Under which key the mail is remembered.
    fn repeat_key(&self) -> Option<accept::RepeatKey> {
        let message_id = self.mail.headers.message_id.as_deref().filter(|id| !id.is_empty());
        let message_id = message_id.unwrap_or(&self.delivery.id);
        if !self.mail.data.is_null() {
            return accept::mail_key(self.hook, message_id, &self.mail.data);
        }
        // What such mails bring is their text and their files; without these, all of a sender who gives every mail one id
        // would be the same mail.
        let bodies = [self.mail.text(self.raw), self.mail.html(self.raw)].map(|body| body.map(|body| body.text));
        let files: Vec<&str> = self.mail.attachments.iter().map(|file| file.sha256.as_str()).collect();
        accept::mail_key(self.hook, message_id, &json!([bodies, files]))
    }

    fn wants(&self, body: MailBody) -> bool {
        self.hook.mail.bodies.contains(&body)
    }
}

fn too_many_look_ups() -> Unavailable {
    Unavailable { port: "store", cause: "too many addresses were asked for that do not exist".to_owned() }
}

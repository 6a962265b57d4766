//! Letting a mail out of quarantine, or throwing it away.

use bytes::Bytes;
use domain::{Hook, TransactionId};
use ingest::ses::{Delivery, Place, Verdicts};

use super::{MailDoor, Recipient, What, policy};
use crate::{
    directory::Versioned,
    ports::{Store, Unavailable, WriteError},
    runs::{self, Quarantined, Reason},
};

/// Why a mail was not released.
#[derive(Debug)]
pub enum NotReleased {
    /// There is no such mail in the hook's quarantine.
    Unknown,
    /// The mail itself has expired.
    Gone,
    /// There is nothing in it that would start a workflow, for this reason; it stays where it is.
    Useless(Reason),
    /// Somebody else released it or threw it away at the same moment.
    Overtaken,
    /// The world must recover.
    Unavailable(Unavailable),
}

impl From<Unavailable> for NotReleased {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

impl MailDoor {
    /// Lets the mail `id` in as if it had passed the hook's policy, and gives it as it is now; doing it again changes
    /// nothing. That it is released is written to `store`, which is the door's own or keeps an audit log over it.
    ///
    /// *Errors*: [`NotReleased`].
    pub async fn release(&self, store: &dyn Store, hook: &Hook, id: TransactionId) -> Result<Quarantined, NotReleased> {
        let found = runs::find_quarantined(store, hook.org, hook.id, id).await?.ok_or(NotReleased::Unknown)?;
        let quarantined = &found.value;
        let raw = self.quarantined_raw(quarantined).await?;
        let delivery = delivery_of(quarantined);
        let recipient = Recipient::parse(&quarantined.recipient, &self.domain).unwrap_or(Recipient {
            address: quarantined.recipient.clone(),
            hash: hook.hash,
            tag: None,
        });
        let arriving = self.read(hook, &recipient, &delivery, &raw);
        // Nothing is recorded of it: with other settings of the hook, the next release may find data.
        if let Some(reason) = policy::without_data(&hook.mail, &arriving.mail) {
            return Err(NotReleased::Useless(reason.told()));
        }
        let Versioned { rev, value: mut released } = self.mark_released(store, hook, found.clone()).await?;
        let outcome = self.fire(arriving).await?;
        match outcome.what {
            What::Recorded(_) => return Err(NotReleased::Useless(policy::too_large().told())),
            What::Fired | What::Repeated | What::Quarantined(_) => {}
        }
        if released.transaction != Some(outcome.transaction) {
            released.transaction = Some(outcome.transaction);
            // It only says which transaction that was, and is no change of its own.
            match runs::put_released(self.door.store.as_ref(), hook.org, hook.id, &released, rev).await {
                // Somebody else has written the same.
                Ok(()) | Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Unavailable(error)) => return Err(error.into()),
            }
        }
        Ok(released)
    }

    /// Writes down that the mail is released, before anything is started: whoever throws it away at the same moment either
    /// comes first, and nothing starts, or is told. Should this end here, releasing it again goes on.
    async fn mark_released(
        &self,
        store: &dyn Store,
        hook: &Hook,
        found: Versioned<Quarantined>,
    ) -> Result<Versioned<Quarantined>, NotReleased> {
        let id = found.value.id;
        let Versioned { rev, value: mut quarantined } = found;
        if quarantined.released_at.is_some() {
            return Ok(Versioned { rev, value: quarantined });
        }
        quarantined.released_at = Some(self.door.world.now());
        quarantined.transaction = Some(id);
        match runs::put_released(store, hook.org, hook.id, &quarantined, rev).await {
            Ok(()) => Ok(Versioned { rev: rev + 1, value: quarantined }),
            Err(WriteError::Unavailable(error)) => Err(error.into()),
            Err(WriteError::Conflict { .. }) => {
                let now = runs::find_quarantined(store, hook.org, hook.id, id).await?.ok_or(NotReleased::Unknown)?;
                if now.value.released_at.is_some() { Ok(now) } else { Err(NotReleased::Overtaken) }
            }
        }
    }

    async fn quarantined_raw(&self, quarantined: &Quarantined) -> Result<Bytes, NotReleased> {
        let key = quarantined.key.as_deref().ok_or(NotReleased::Gone)?;
        self.mails.read(key).await?.ok_or(NotReleased::Gone)
    }
}

/// The delivery as it was told when the mail came: the same id makes the same transaction.
fn delivery_of(quarantined: &Quarantined) -> Delivery {
    let verdict = |name: &str| quarantined.email.pointer(&format!("/verdicts/{name}"))?.as_str().map(str::to_owned);
    let envelope_from = quarantined.email.get("envelopeFrom").and_then(|from| from.as_str()).map(str::to_owned);
    Delivery {
        id: quarantined.mail.clone(),
        envelope_from,
        recipients: Some(vec![quarantined.recipient.clone()]),
        verdicts: Verdicts {
            spam: verdict("spam"),
            virus: verdict("virus"),
            spf: verdict("spf"),
            dkim: verdict("dkim"),
            dmarc: verdict("dmarc"),
            dmarc_policy: verdict("dmarcPolicy"),
        },
        received_at: Some(quarantined.created_at),
        place: Place::Object { bucket: None, key: quarantined.key.clone() },
    }
}

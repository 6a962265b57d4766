//! What is kept of a mail that starts nothing: a transaction for the record, a place in quarantine, and the reason where
//! the owner of the hook looks for reasons.

use domain::{Timestamp, TransactionId};
use ingest::ses::{Delivery, Place};
use serde_json::Value;

use super::{Arriving, MailDoor, MailOutcome, What, document, document::Described, policy};
use crate::{
    accept::owner_note,
    ports::Unavailable,
    runs::{self, Admitted, Interaction, Quarantined, RefusalRecord, StoredTransaction},
};

impl MailDoor {
    /// Keeps a transaction that fires nothing, and the reason where the hook's owner looks for reasons.
    pub(super) async fn record(
        &self,
        arriving: Arriving<'_>,
        reason: policy::Refused,
    ) -> Result<MailOutcome, Unavailable> {
        let hook = arriving.hook;
        let transaction = self.transaction(&arriving, Value::Null, Described::InOutline);
        let stored = StoredTransaction {
            notes: arriving.mail.notes.iter().cloned().map(owner_note).collect(),
            not_fired: Some(reason.told()),
            ..StoredTransaction::of_event(hook.event_name.clone(), transaction.clone(), Vec::new())
        };
        let admitted = runs::admit(self.door.store.as_ref(), &stored).await?;
        if admitted == Admitted::First {
            if hook.is_debugging(self.door.world.now()) {
                self.door.log(hook, &Interaction::Accepted(transaction)).await;
            }
            self.explain(&arriving, &reason, Some(arriving.id)).await;
        }
        Ok(MailOutcome { hook: hook.id, transaction: arriving.id, what: What::Recorded(reason.code) })
    }

    pub(super) async fn quarantine(
        &self,
        arriving: Arriving<'_>,
        reason: policy::Refused,
    ) -> Result<MailOutcome, Unavailable> {
        let hook = arriving.hook;
        let quarantined = Quarantined {
            id: arriving.id,
            created_at: arriving.created_at,
            code: reason.code.to_owned(),
            sentence: reason.sentence.clone(),
            mail: arriving.delivery.id.clone(),
            key: self.stored_key(arriving.delivery),
            recipient: arriving.recipient.address.clone(),
            bytes: arriving.raw.len(),
            email: document::email(&arriving, Described::InOutline),
            released_at: None,
            transaction: None,
        };
        if runs::quarantine(self.door.store.as_ref(), hook.org, hook.id, &quarantined).await? {
            self.explain(&arriving, &reason, None).await;
        }
        Ok(MailOutcome { hook: hook.id, transaction: arriving.id, what: What::Quarantined(reason.code) })
    }

    /// Where the mail can be read again; nothing for one that came whole in the event and lies nowhere.
    fn stored_key(&self, delivery: &Delivery) -> Option<String> {
        match &delivery.place {
            Place::Object { key, .. } => Some(self.key_of(key.as_deref(), &delivery.id)),
            Place::Inline(_) => None,
        }
    }

    /// Tells the hook's owner, among the refusals of the hook, and names the `transaction` that is kept, if one is. A record
    /// that fails must not bring the mail again.
    pub(super) async fn explain(
        &self,
        arriving: &Arriving<'_>,
        reason: &policy::Refused,
        transaction: Option<TransactionId>,
    ) {
        let hook = arriving.hook;
        let now = self.door.world.now();
        tracing::warn!(hook.id = %hook.id, transaction.id = %arriving.id, code = reason.code, "a mail started nothing");
        let Some(slot) = self.door.limits.refusal_slot(hook.id, now) else { return };
        let record = RefusalRecord {
            reasons: policy::reasons(&arriving.mail),
            content_type: Some(arriving.mail.tree.content_type.clone()).filter(|text| !text.is_empty()),
            transaction,
            ..refusal(reason, arriving.id, now, arriving.raw.len())
        };
        self.door.keep_refusal(hook, slot, &record).await;
    }
}

/// What is kept of the refusal of any mail.
pub(super) fn refusal(reason: &policy::Refused, id: TransactionId, now: Timestamp, bytes: usize) -> RefusalRecord {
    RefusalRecord {
        id,
        created_at: now,
        code: reason.code.to_owned(),
        detail: reason.sentence.clone(),
        check: reason.check.to_owned(),
        failure: reason.sentence.clone(),
        reasons: Vec::new(),
        method: "MAIL".to_owned(),
        content_type: None,
        body_bytes: bytes,
        source_address: None,
        headers: Vec::new(),
        transaction: None,
    }
}

//! What is kept of a request that was refused, for the owner of the hook.

use domain::{Hook, Rejected, TransactionId};

use super::{Conflict, Door, NotAccepted, circumstances::Circumstances};
use crate::runs::{self, Interaction, Reason, RefusalRecord};

/// Why a request was refused, beyond what its sender is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Which check failed; the code that the sender was told where this is empty.
    pub check: String,
    /// The failure as a sentence; the one that the sender was told where this is empty.
    pub failure: String,
    /// The likely reasons.
    pub reasons: Vec<Reason>,
    /// The transaction that it has to do with.
    pub transaction: Option<TransactionId>,
}

impl Door {
    /// Keeps `reason` for the owner of the hook, where it is a refusal.
    pub async fn note_not_accepted(
        &self,
        hook: &Hook,
        reason: &NotAccepted,
        circumstances: &Circumstances,
        body_bytes: usize,
    ) {
        match reason {
            NotAccepted::Rejected(rejected) => {
                self.note_refusal(hook, rejected, circumstances, body_bytes, Diagnosis::default).await;
            }
            NotAccepted::Conflict(conflict) => {
                let diagnose = || of_conflict(conflict);
                self.note_refusal(hook, &conflict.rejected, circumstances, body_bytes, diagnose).await;
            }
            NotAccepted::Throttled(_) | NotAccepted::Unavailable(_) => {}
        }
    }

    /// Keeps the refusal of a request to `hook` for its owner: the last few always, and in debug the last ones of the log.
    ///
    /// It never fails, because a record of a refusal must not change the answer. In a flood of refusals `diagnose` is not
    /// asked and nothing is kept.
    pub async fn note_refusal(
        &self,
        hook: &Hook,
        rejected: &Rejected,
        circumstances: &Circumstances,
        body_bytes: usize,
        diagnose: impl FnOnce() -> Diagnosis + Send,
    ) {
        let now = self.world.now();
        tracing::warn!(hook.id = %hook.id, code = rejected.code, body_bytes, "refused a request");
        let Some(slot) = self.limits.refusal_slot(hook.id, now) else { return };
        let Ok(id) = self.fresh_id() else { return };
        if hook.is_debugging(now) {
            let refusal = runs::Refusal {
                id,
                created_at: now,
                code: rejected.code.to_owned(),
                detail: rejected.detail.clone(),
                content_type: circumstances.header("content-type").map(str::to_owned),
                body_bytes,
            };
            self.log(hook, &Interaction::Refused(refusal)).await;
        }
        let diagnosis = diagnose();
        let or_told = |text: String, told: &str| if text.is_empty() { told.to_owned() } else { text };
        let record = RefusalRecord {
            id,
            created_at: now,
            code: rejected.code.to_owned(),
            detail: rejected.detail.clone(),
            check: or_told(diagnosis.check, rejected.code),
            failure: or_told(diagnosis.failure, &rejected.detail),
            reasons: diagnosis.reasons,
            method: circumstances.method.clone(),
            content_type: circumstances.header("content-type").map(str::to_owned),
            body_bytes,
            source_address: circumstances.source_address.map(|address| address.to_string()),
            headers: circumstances.header_names.clone(),
            transaction: diagnosis.transaction,
        };
        self.keep_refusal(hook, slot, &record).await;
    }

    /// Keeps the record of a refusal in its place; a mail that starts nothing leaves one too.
    pub(crate) async fn keep_refusal(&self, hook: &Hook, slot: usize, record: &RefusalRecord) {
        if let Err(error) = runs::keep_refusal(self.store.as_ref(), hook.org, hook.id, slot, record).await {
            tracing::error!(hook.id = %hook.id, %error, "a refusal was not kept");
        }
    }
}

/// Both arrivals, so that the owner sees which sender used one key for two things.
fn of_conflict(conflict: &Conflict) -> Diagnosis {
    let Conflict { first, second, .. } = conflict;
    let failure = format!(
        "The key came first at {}, with data of SHA-256 {}, as transaction {}. It came again at {} with data of SHA-256 {}.",
        first.created_at, first.body_sha256, first.transaction, second.created_at, second.body_sha256
    );
    let reasons = vec![Reason {
        code: "reused_key".to_owned(),
        sentence: "The sender used one key for two requests, or changed a request before it sent it again.".to_owned(),
    }];
    Diagnosis { check: "idempotency_key".to_owned(), failure, reasons, transaction: Some(first.transaction) }
}

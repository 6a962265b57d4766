//! Where a transaction goes: on the queue; into the store, where the queue does not take it or the hook is paused.
//!
//! Each of the two stands in for the other: one that is down costs nobody an arrival. What the store could not be asked goes
//! along with the transaction, and the executor asks.

use domain::{Hook, Rejected, Rejection, Transaction};

use super::{
    Door, NotAccepted, data_sha256,
    repeats::RepeatKey,
    take::{Place, Repeat, Taken},
};
use crate::{
    envelope::{Envelope, Unmarked, Unsettled},
    ports::{MESSAGE_LIMIT_BYTES, Unavailable},
    runs::{self, Duplicate, Held, Holding, Interaction, KeyDigest, Mark, Marked, RepeatRule},
};

/// The same `Idempotency-Key` as another arrival, and other data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What the sender is told.
    pub rejected: Rejected,
    /// The arrival that came first.
    pub first: Mark,
    /// This one.
    pub second: Mark,
}

impl Door {
    /// Puts what `envelope` holds on the queue or into the store, under the id that it had when it came before.
    ///
    /// *Errors*: [`NotAccepted`], also where it is too large for the queue.
    pub(crate) async fn enqueue(
        &self,
        hook: &Hook,
        mut envelope: Envelope,
        mut repeat: Repeat,
        key: Option<RepeatKey>,
    ) -> Result<Taken, NotAccepted> {
        // A form's guard has seen a challenge before.
        let mut duplicate = match repeat {
            Repeat::No => None,
            Repeat::Yes => Some(self.duplicate(&envelope.transaction, RepeatRule::Challenge)),
        };
        if self.addresses.is_stale(hook.hash) {
            envelope.unsettled = Some(Unsettled { repeat: key.map(|key| unmarked(key, &envelope.transaction)) });
        } else if let Some(key) = key {
            let rule = key.rule;
            let is_told_again = self.mark(hook, &mut envelope, key).await?;
            if let Some(told) = is_told_again {
                repeat = Repeat::Yes;
                duplicate = (told == Told::Again).then(|| self.duplicate(&envelope.transaction, rule)).or(duplicate);
            }
        }
        let place = self.put(hook, &mut envelope).await?;
        let Envelope { transaction, unsettled, .. } = envelope;
        tracing::debug!(transaction.id = %transaction.id, hook.id = %hook.id, ?place, "accepted a transaction");
        // Where the store has just not answered, nobody waits for it once more.
        if unsettled.is_none() {
            if let Some(duplicate) = &duplicate {
                self.note_duplicate(hook, duplicate).await;
            }
            self.log_taken(hook, &transaction, repeat, place).await;
        }
        Ok(Taken { transaction, repeat, place })
    }

    /// Marks the arrival, or gives it the id of the one that has its mark. Where the store does not answer, the executor does
    /// that.
    async fn mark(&self, hook: &Hook, envelope: &mut Envelope, key: RepeatKey) -> Result<Option<Told>, NotAccepted> {
        let transaction = &mut envelope.transaction;
        let unmarked = unmarked(key, transaction);
        let mark = unmarked.mark_of(transaction);
        let before =
            match runs::mark(self.store.as_ref(), hook.org, hook.id, &unmarked.key, &mark, unmarked.window_seconds)
                .await
            {
                Ok(Marked::First) => return Ok(None),
                Ok(Marked::Repeat(before)) => before,
                Err(error) => {
                    tracing::error!(%error, hook.id = %hook.id, "an arrival was not marked; the executor will");
                    envelope.unsettled = Some(Unsettled { repeat: Some(unmarked) });
                    return Ok(None);
                }
            };
        if unmarked.conflicts_with(&before) {
            let rejected = idempotency_conflict();
            return Err(NotAccepted::Conflict(Box::new(Conflict { rejected, first: before, second: mark })));
        }
        let told = if before.transaction == mark.transaction { Told::ByName } else { Told::Again };
        (transaction.id, transaction.created_at) = (before.transaction, before.created_at);
        tracing::info!(transaction.id = %transaction.id, hook.id = %hook.id, "a delivery was repeated");
        Ok(Some(told))
    }

    async fn put(&self, hook: &Hook, envelope: &mut Envelope) -> Result<Place, NotAccepted> {
        if hook.paused {
            match self.hold(hook, envelope).await? {
                Ok(()) => return Ok(Place::Held),
                Err(error) => {
                    tracing::error!(%error, hook.id = %hook.id, "an arrival was not held; the executor will");
                    envelope.unsettled.get_or_insert_default();
                }
            }
        }
        let (org, id) = (envelope.transaction.org, envelope.transaction.id);
        let Err(error) = self.queue.send(org, message(envelope)?).await else { return Ok(Place::Queue) };
        tracing::error!(%error, transaction.id = %id, "the queue did not take an arrival; the ticker will send it");
        let kept = runs::keep_unsent(self.store.as_ref(), org, id, message(envelope)?, self.world.now()).await;
        match kept {
            Ok(()) => Ok(Place::Unsent),
            Err(also) => {
                tracing::error!(error = %also, transaction.id = %id, "the store did not keep it either");
                Err(error.into())
            }
        }
    }

    async fn hold(&self, hook: &Hook, envelope: &Envelope) -> Result<Result<(), Unavailable>, NotAccepted> {
        let Transaction { org, id, created_at, .. } = envelope.transaction;
        let message = message(envelope)?;
        let held = Held { org, transaction: id, created_at, held_at: self.world.now(), message };
        Ok(runs::hold(self.store.as_ref(), hook.id, &held, Holding::Once).await)
    }

    async fn log_taken(&self, hook: &Hook, transaction: &Transaction, repeat: Repeat, place: Place) {
        let now = self.world.now();
        if !hook.is_debugging(now) {
            return;
        }
        let interaction = match (repeat, place) {
            (Repeat::No, Place::Queue | Place::Unsent) => Interaction::Accepted(transaction.clone()),
            (Repeat::No, Place::Held) => Interaction::Held(transaction.clone()),
            (Repeat::Yes, _) => Interaction::Repeated { of: transaction.id, created_at: now },
        };
        self.log(hook, &interaction).await;
    }

    fn duplicate(&self, first: &Transaction, rule: RepeatRule) -> Duplicate {
        Duplicate { transaction: first.id, first_at: first.created_at, created_at: self.world.now(), rule }
    }

    /// A count that fails must not change the answer.
    async fn note_duplicate(&self, hook: &Hook, duplicate: &Duplicate) {
        let slot = self.limits.duplicate_slot(hook.id, duplicate.created_at);
        let noted = runs::note_duplicate(self.store.as_ref(), hook.org, hook.id, slot, duplicate).await;
        if let Err(error) = noted {
            tracing::error!(hook.id = %hook.id, %error, "a repeat was not counted");
        }
    }
}

/// How an arrival came that has the mark of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Its sender sent it again.
    Again,
    /// It is the same arrival, which was told of once more: its name, and with it its id, is the same.
    ByName,
}

/// The mark that `transaction` should have under `key`.
fn unmarked(key: RepeatKey, transaction: &Transaction) -> Unmarked {
    let RepeatKey { key, window_seconds, rule } = key;
    let body_sha256 = data_sha256(&transaction.data);
    Unmarked { key: KeyDigest::of(&key), window_seconds, body_sha256, rule }
}

/// *Errors*: it is too large for the queue.
fn message(envelope: &Envelope) -> Result<String, NotAccepted> {
    let message = envelope.message()?;
    if message.len() > MESSAGE_LIMIT_BYTES {
        return Err(too_large_decoded().into());
    }
    Ok(message)
}

/// Sent again, it would be no smaller.
fn too_large_decoded() -> Rejected {
    Rejected::new(
        Rejection::TooLarge,
        "too_large_decoded",
        format!(
            "With its headers and query this takes more than {MESSAGE_LIMIT_BYTES} bytes as JSON. Send less at once."
        ),
    )
}

fn idempotency_conflict() -> Rejected {
    Rejected::new(
        Rejection::Taken,
        "idempotency_conflict",
        "This Idempotency-Key came before with another body. Use a new key for a new request, and send a repeat unchanged.",
    )
}

//! What the door could not ask of the store, asked by the executor before anything else: whether the arrival is a repeat,
//! and whether its hook is paused or gone.

use domain::{Hook, HookKind, Transaction};

use super::Executor;
use crate::{
    directory::hooks,
    envelope::{Envelope, Unmarked},
    ports::Unavailable,
    runs::{self, Admitted, Duplicate, Held, Holding, Mark, Marked, Reason, StoredTransaction},
};

/// What becomes of a transaction that was accepted without the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    /// It goes the way of every other.
    Goes,
    /// It repeats the transaction of this mark, and goes under that one's name: who marked that one may have died before the
    /// queue had it. Only then it is kept as a repeat.
    Repeats(Mark),
    /// It is held, or kept with the reason why it starts nothing.
    Stays,
}

impl Executor {
    /// Settles what is open of `envelope`. Settling it again comes to the same.
    pub(super) async fn settle(&self, envelope: &Envelope) -> Result<Settled, Unavailable> {
        let Some(unsettled) = &envelope.unsettled else { return Ok(Settled::Goes) };
        let transaction = &envelope.transaction;
        let (Some(hook), Some(kind)) = (transaction.hook, transaction.hook_kind) else { return Ok(Settled::Goes) };
        // What has been stored was settled then. A run that has begun goes on, whatever its hook does.
        if runs::find_transaction(self.store.as_ref(), transaction.org, transaction.id).await?.is_some() {
            return Ok(Settled::Goes);
        }
        match hooks::find(self.store.as_ref(), transaction.org, kind, hook).await? {
            None => {
                self.keep_unheard(envelope, hook_deleted(kind)).await?;
                return Ok(Settled::Stays);
            }
            Some(found) if found.value.paused => {
                self.hold(&found.value, envelope).await?;
                return Ok(Settled::Stays);
            }
            Some(_) => {}
        }
        match &unsettled.repeat {
            Some(unmarked) => self.mark(envelope, unmarked).await,
            None => Ok(Settled::Goes),
        }
    }

    /// Marks the transaction, or finds the one that has its mark. Where that one came with other data, this one is kept with that
    /// reason.
    async fn mark(&self, envelope: &Envelope, unmarked: &Unmarked) -> Result<Settled, Unavailable> {
        let Transaction { id, org, hook: Some(hook), .. } = envelope.transaction else {
            return Ok(Settled::Goes);
        };
        let mark = unmarked.mark_of(&envelope.transaction);
        match runs::mark(self.store.as_ref(), org, hook, &unmarked.key, &mark, unmarked.window_seconds).await? {
            Marked::Repeat(before) if before.transaction != id && unmarked.conflicts_with(&before) => {
                self.keep_repeat(envelope, &before).await?;
                Ok(Settled::Stays)
            }
            Marked::Repeat(before) if before.transaction != id => Ok(Settled::Repeats(before)),
            Marked::Repeat(_) | Marked::First => Ok(Settled::Goes),
        }
    }

    /// Keeps the transaction as a repeat of the one that has its mark, and counts it.
    pub(super) async fn keep_repeat(&self, envelope: &Envelope, before: &Mark) -> Result<(), Unavailable> {
        let Transaction { org, hook: Some(hook), created_at, .. } = envelope.transaction else { return Ok(()) };
        let unmarked = envelope.unsettled.as_ref().and_then(|unsettled| unsettled.repeat.as_ref());
        let Some(unmarked) = unmarked else { return Ok(()) };
        if self.keep_unheard(envelope, repeated(before, unmarked)).await? == Admitted::First {
            let (transaction, first_at, rule) = (before.transaction, before.created_at, unmarked.rule);
            let duplicate = Duplicate { transaction, first_at, created_at, rule };
            let slot = usize::try_from(created_at.as_millisecond()).unwrap_or_default();
            if let Err(error) = runs::note_duplicate(self.store.as_ref(), org, hook, slot, &duplicate).await {
                tracing::error!(hook.id = %hook, %error, "a repeat was not counted");
            }
        }
        Ok(())
    }

    async fn hold(&self, hook: &Hook, envelope: &Envelope) -> Result<(), Unavailable> {
        let Transaction { org, id, created_at, .. } = envelope.transaction;
        let held = Held { org, transaction: id, created_at, held_at: self.world.now(), message: envelope.message()? };
        let mut random = [0; 8];
        self.world.fill(&mut random)?;
        // This message may come from what is held, and whoever sent it is about to remove that.
        let holding = Holding::Anew(u64::from_be_bytes(random) & (u64::MAX >> 1));
        runs::hold(self.store.as_ref(), hook.id, &held, holding).await
    }

    async fn keep_unheard(&self, envelope: &Envelope, reason: Reason) -> Result<Admitted, Unavailable> {
        let Envelope { event, transaction, notes, source, .. } = envelope.clone();
        tracing::warn!(transaction.id = %transaction.id, code = reason.code, "an accepted transaction starts nothing");
        let stored = StoredTransaction::of_event(event, transaction, Vec::new());
        runs::admit(self.store.as_ref(), &StoredTransaction { notes, source, not_fired: Some(reason), ..stored }).await
    }
}

fn hook_deleted(kind: HookKind) -> Reason {
    let sentence = format!(
        "Its {} hook was deleted before it arrived. It was taken because the store did not answer then.",
        kind.word()
    );
    Reason { code: "hook_deleted".to_owned(), sentence }
}

fn repeated(before: &Mark, unmarked: &Unmarked) -> Reason {
    let (first, at, same) = (before.transaction, before.created_at, unmarked.rule.sentence());
    if unmarked.conflicts_with(before) {
        let sentence = format!(
            "It has {same} as the transaction {first}, which arrived at {at}, and other data. Its sender was not told, because the store did not answer then."
        );
        return Reason { code: "idempotency_conflict".to_owned(), sentence };
    }
    let sentence = format!("It repeats the transaction {first}, which arrived at {at}: it has {same}.");
    Reason { code: "repeated".to_owned(), sentence }
}

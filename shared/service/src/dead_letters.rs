//! Giving a message up: what fails at its last delivery is kept in the store with its reason, and is a dead letter from then on.
//!
//! Two ways lead there. Whoever fails at the last delivery keeps the message, and may then delete it from the queue. Where that
//! was not possible, because the process died or the store did not answer, the queue moves it to its dead-letter queue; what
//! comes from there is kept in the same way, without a reason of its own, and is never executed.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc};

use domain::{DeadLetterId, HookId, OrgId, RunId, Timestamp, TransactionId, shortened};
use futures_util::{
    FutureExt,
    future::{Either, select},
};
use serde_json::Value;

use crate::{
    Executor,
    envelope::{Message, Named, ToldOf, Turn, Woken},
    execute::NotExecuted,
    ports::{Store, Unavailable},
    runs::{self, DeadLetter, GivenUp, LetterKind, LetterState, ReasonCode},
};

/// How often a message is delivered before it is given up. *Source*: `template.yaml` says it of the queue; a test compares.
pub const RECEIVES_LIMIT: u32 = 5;

/// How much of a sentence about a reason is kept.
const SENTENCE_LIMIT_CHARS: usize = 1_000;

/// A message as its queue has delivered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// What the queue calls the message, at each delivery the same.
    pub name: String,
    /// What was sent.
    pub body: Arc<str>,
    /// Whose it is, where the queue knows.
    pub org: Option<OrgId>,
    /// How many deliveries there were, this one included.
    pub receive_count: u32,
    /// When the first one was, where the queue knows.
    pub first_received_at: Option<Timestamp>,
}

/// Why a message has to be delivered again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}{}", not_kept.as_ref().map(|error| format!("; it was not kept as a dead letter: {error}")).unwrap_or_default())]
pub struct NotDone {
    sentence: String,
    not_kept: Option<NotKept>,
}

/// Why a dead letter was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// Neither its message nor its queue tells whose it is. It stays where it is.
    #[error("nothing tells whose it is")]
    OfNobody,
    /// The store must recover.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// What keeps it met a fault of its own.
    #[error("the executor panicked")]
    Panicked,
}

/// What a message is about.
#[derive(Debug, Default)]
struct About {
    event: Option<String>,
    hook: Option<HookId>,
    transaction: Option<TransactionId>,
    run: Option<RunId>,
}

impl Executor {
    /// Executes the message as [`Executor::execute`] does, until `time_up` is ready. One that panics fails alone.
    ///
    /// *Once it returns* `Ok`, the message may be deleted: it was executed, or this was its last delivery and it is kept as a
    /// dead letter.
    /// *Errors*: [`NotDone`]; the message has to be delivered again, or to be moved to the dead-letter queue.
    pub async fn execute_delivered(
        &self,
        delivered: &Delivered,
        time_up: impl Future<Output = ()>,
    ) -> Result<(), NotDone> {
        let Some(reason) = self.failure_of(&delivered.body, time_up).await else { return Ok(()) };
        if delivered.receive_count < RECEIVES_LIMIT {
            return Err(NotDone { sentence: reason.sentence, not_kept: None });
        }
        let sentence = reason.sentence.clone();
        self.keep(delivered, reason).await.map_err(|error| NotDone { sentence, not_kept: Some(error) })
    }

    /// Keeps a message that its queue has given up.
    ///
    /// *Once it returns* `Ok`, it may be deleted from the dead-letter queue.
    pub async fn keep_given_up(&self, delivered: &Delivered) -> Result<(), NotKept> {
        let sentence = "Its last delivery left no word: the process ran out of time or memory or was stopped, or the store could not keep the letter.".to_owned();
        self.keep(delivered, GivenUp { code: ReasonCode::NoAnswer, sentence }).await
    }

    /// Why the message was not executed.
    async fn failure_of(&self, body: &str, time_up: impl Future<Output = ()>) -> Option<GivenUp> {
        let executed = pin!(AssertUnwindSafe(self.execute(body)).catch_unwind());
        let (code, sentence) = match select(executed, pin!(time_up)).await {
            Either::Left((Ok(Ok(())), _)) => return None,
            Either::Left((Ok(Err(error @ NotExecuted::Unreadable(_))), _)) => {
                (ReasonCode::Unreadable, error.to_string())
            }
            Either::Left((Ok(Err(error @ NotExecuted::Unavailable(_))), _)) => {
                (ReasonCode::Unavailable, error.to_string())
            }
            // What the panic says may quote the message; it stands in the log.
            Either::Left((Err(_), _)) => (ReasonCode::Panicked, "the executor panicked; its log says where".to_owned()),
            Either::Right(_) => (ReasonCode::TimedOut, "its time was up; what was done is kept".to_owned()),
        };
        Some(GivenUp { code, sentence: shortened(&sentence, SENTENCE_LIMIT_CHARS) })
    }

    async fn keep(&self, delivered: &Delivered, reason: GivenUp) -> Result<(), NotKept> {
        let kept = AssertUnwindSafe(self.keep_letter(delivered, reason)).catch_unwind().await;
        kept.unwrap_or(Err(NotKept::Panicked))
    }

    async fn keep_letter(&self, delivered: &Delivered, reason: GivenUp) -> Result<(), NotKept> {
        let message = Message::parse(&delivered.body).ok();
        let org = message.as_ref().map(Message::org).or(delivered.org).or_else(|| org_in(&delivered.body));
        let Some(org) = org else { return Err(NotKept::OfNobody) };
        let about = match &message {
            Some(message) => about(self.store(), message).await,
            None => About::default(),
        };
        let letter = DeadLetter {
            id: DeadLetterId::for_message(&delivered.name, &delivered.body),
            org,
            state: LetterState::Dead,
            kind: message.as_ref().map_or(LetterKind::Unreadable, kind_of),
            reason,
            attempts: delivered.receive_count,
            bytes: delivered.body.len(),
            event: about.event,
            hook: about.hook,
            transaction: about.transaction,
            run: about.run,
            first_received_at: delivered.first_received_at,
            failed_at: self.now(),
            redriven_at: None,
            redriven_by: None,
        };
        runs::keep_dead_letter(self.store(), &letter, &delivered.body).await?;
        // An alarm goes by this line, whose words a test compares with the template's.
        tracing::error!(
            org.id = %letter.org,
            dead_letter.id = %letter.id,
            dead_letter.kind = letter.kind.word(),
            cause = letter.reason.sentence,
            "a dead letter was kept",
        );
        Ok(())
    }
}

const fn kind_of(message: &Message) -> LetterKind {
    match message {
        Message::Transaction(_) => LetterKind::Transaction,
        Message::Named(Named::Wake(_)) => LetterKind::Wake,
        Message::Named(Named::Told(_)) => LetterKind::Told,
        Message::Named(Named::Deliver(_)) => LetterKind::Deliver,
        Message::Named(Named::Scheduled(_)) => LetterKind::Scheduled,
        Message::Named(Named::Recurs(_)) => LetterKind::Recurs,
    }
}

/// What the message is about. What the store does not say is left out: a letter is kept without it.
async fn about(store: &dyn Store, message: &Message) -> About {
    match message {
        Message::Transaction(envelope) => About {
            event: Some(envelope.event.clone()),
            hook: envelope.transaction.hook,
            transaction: Some(envelope.transaction.id),
            run: None,
        },
        Message::Named(Named::Wake(Woken { org, transaction, run, .. })) => {
            About { run: Some(*run), ..about_transaction(store, *org, *transaction).await }
        }
        Message::Named(Named::Told(ToldOf { org, transaction })) => about_transaction(store, *org, *transaction).await,
        Message::Named(Named::Deliver(Turn { org, delivery, .. })) => {
            match runs::find_delivery(store, *org, *delivery).await.ok().flatten() {
                Some(found) => about_transaction(store, *org, found.value.event).await,
                None => About::default(),
            }
        }
        Message::Named(Named::Scheduled(_) | Named::Recurs(_)) => About::default(),
    }
}

async fn about_transaction(store: &dyn Store, org: OrgId, transaction: TransactionId) -> About {
    let found = runs::find_transaction(store, org, transaction).await.ok().flatten();
    let hook = found.as_ref().and_then(|stored| stored.transaction.hook);
    About { event: found.map(|stored| stored.event), hook, transaction: Some(transaction), run: None }
}

/// Whose a message is that cannot be read, as far as it is JSON.
fn org_in(body: &str) -> Option<OrgId> {
    let message: Value = serde_json::from_str(body).ok()?;
    let org = message.as_object()?.values().find_map(|part| part.get("org")?.as_str());
    OrgId::parse(org?).ok()
}

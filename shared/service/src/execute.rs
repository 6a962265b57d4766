//! Executing what was accepted: the second half of the data path.
//!
//! A message is done when each of its runs has come to its final state; until then it stays on the queue, so a crash
//! anywhere in here ends in a second delivery that carries on from what was written. Steps on our own records are
//! gathered in one [`Unit`] and written with their journal entries in one write: all of it happened, or none. Steps
//! outside happen at least once: their intent is written before them, their outcome after.

mod definitions;
mod drive;
mod events;

use std::{
    collections::{HashMap, HashSet},
    iter,
    sync::Arc,
};

use apps::Fired;
use domain::{Note, OrgId, RunId};
use futures_util::{future::try_join_all, lock::Mutex};

use crate::{
    actions::Mailing,
    directory::workflows::{self, Trigger},
    envelope::{Envelope, UnreadableMessage},
    ports::{Store, Unavailable, World},
    runs::{self, Admitted, AppEvent, Considered, StoredTransaction, Verdict},
};

use definitions::Definitions;

/// How much data the events of one transaction may have that workflows listen to. *Why*: with the transaction's own
/// 1,000,000 bytes they stay within one document of the store.
const EVENTS_LIMIT_BYTES: usize = 2_000_000;

/// Why a message has to be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum NotExecuted {
    /// It is no transaction; after its last delivery it ends on the dead-letter queue.
    #[error(transparent)]
    Unreadable(#[from] UnreadableMessage),
    /// The world must recover.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What carries runs forward.
pub struct Executor {
    store: Arc<dyn Store>,
    world: Arc<dyn World>,
    definitions: Definitions,
    mailing: Option<Mailing>,
    /// Held from reading the files of a mail until it is handed over. *Why*: on the way out a mail of 10 MB is there several
    /// times over, as files, as message and as request, and a batch of ten such would take more memory than the process has.
    attaching: Mutex<()>,
}

impl Executor {
    /// An executor over `store`, whose workflows send no mail.
    pub fn new(store: Arc<dyn Store>, world: Arc<dyn World>) -> Self {
        Self { store, world, definitions: Definitions::default(), mailing: None, attaching: Mutex::new(()) }
    }

    /// The same, whose workflows send mail.
    #[must_use]
    pub fn with_post(self, mailing: Mailing) -> Self {
        Self { mailing: Some(mailing), ..self }
    }

    /// Runs every workflow that listens to the transaction in `message`.
    ///
    /// *Once it returns* `Ok`, each of them has come to its final state and the message may be deleted.
    /// *Errors*: [`NotExecuted`]; what was done so far is durable, and delivering the message again goes on from there.
    pub async fn execute(&self, message: &str) -> Result<(), NotExecuted> {
        let envelope = Envelope::parse(message)?;
        let stored = self.consider(envelope).await?;
        let (stored, delivery) = match runs::admit(self.store.as_ref(), &stored).await? {
            Admitted::First => (stored, drive::Delivery::First),
            Admitted::Again(before) => (*before, drive::Delivery::Again),
        };
        let mut outcome = Ok(());
        for considered in &stored.considered {
            if let Some(run) = considered.run {
                let trigger_output = stored.trigger_output(considered);
                let driven = self.drive(&stored.transaction, &trigger_output, considered, run, delivery).await;
                // A run that cannot go on now must not keep the others from theirs.
                outcome = outcome.and(driven);
            }
        }
        Ok(outcome?)
    }

    /// Which workflows listen to the hook's own event and to those that its app tells, and what is to come of each.
    async fn consider(&self, envelope: Envelope) -> Result<StoredTransaction, Unavailable> {
        let Envelope { transaction, event: hook_event, mut notes, source, .. } = envelope;
        let mut considered = Vec::new();
        let mut bytes = 0;
        for trigger in workflows::triggers(self.store.as_ref(), transaction.org, &hook_event).await? {
            let run = RunId::for_transaction(transaction.id, trigger.workflow);
            considered.push(considered_as(trigger, run, None));
        }
        let mut listened: Vec<AppEvent> = Vec::new();
        let all = source.as_ref().map_or_else(Vec::new, |source| events::fired(source, &transaction));
        let triggers_by_name = self.triggers_of(transaction.org, &all).await?;
        for event in &all {
            let position = u32::try_from(listened.len()).unwrap_or(u32::MAX);
            let mut listeners = Vec::new();
            // Who listens to the hook's own event has its run already, where the hook was given an app's name for it.
            for name in iter::once(&event.name).chain(&event.aliases).filter(|name| **name != hook_event) {
                for trigger in triggers_by_name.get(name.as_str()).into_iter().flatten().cloned() {
                    let run = RunId::for_event(transaction.id, trigger.workflow, position);
                    listeners.push(considered_as(trigger, run, Some(position)));
                }
            }
            if listeners.is_empty() {
                continue;
            }
            bytes += event.data.to_string().len();
            if bytes > EVENTS_LIMIT_BYTES {
                notes.push(events_left_out(&event.name));
                break;
            }
            considered.extend(listeners);
            listened.push(AppEvent { name: event.name.clone(), data: event.data.clone() });
        }
        if considered.is_empty() {
            tracing::info!(transaction.id = %transaction.id, event = hook_event, "no workflow listens to this event");
        }
        let fired = all.into_iter().map(|event| event.name).collect();
        let occurred_at = source.as_ref().and_then(|source| events::occurred_at(source, &transaction));
        let event = hook_event;
        let (not_fired, events) = (None, listened);
        Ok(StoredTransaction { transaction, event, notes, not_fired, considered, source, occurred_at, fired, events })
    }
}

impl Executor {
    /// The triggers of each name that the events have, all looked up at once.
    async fn triggers_of<'e>(
        &self,
        org: OrgId,
        events: &'e [Fired],
    ) -> Result<HashMap<&'e str, Vec<Trigger>>, Unavailable> {
        let names = events.iter().flat_map(|event| iter::once(&event.name).chain(&event.aliases));
        let names: HashSet<&str> = names.map(String::as_str).collect();
        let lookups = names.into_iter().map(|name| async move {
            Ok::<_, Unavailable>((name, workflows::triggers(self.store.as_ref(), org, name).await?))
        });
        Ok(try_join_all(lookups).await?.into_iter().collect())
    }
}

fn events_left_out(name: &str) -> Note {
    let message = format!(
        "The events from here on, the first of them {name}, have more than {EVENTS_LIMIT_BYTES} bytes together and started no run."
    );
    Note { code: "events_left_out".to_owned(), path: "$".to_owned(), message }
}

fn considered_as(trigger: Trigger, run: RunId, event: Option<u32>) -> Considered {
    let Trigger { workflow, name, hash, enabled } = trigger;
    let verdict = if enabled { Verdict::Started } else { Verdict::Disabled };
    Considered { workflow, name, hash, verdict, run: enabled.then_some(run), event }
}

//! Executing what was accepted: the second half of the data path.
//!
//! A message is done when each of its runs has come to its final state; until then it stays on the queue, so a crash
//! anywhere in here ends in a second delivery that carries on from what was written. Steps on our own records are
//! gathered in one [`Unit`] and written with their journal entries in one write: all of it happened, or none. Steps
//! outside happen at least once: their intent is written before them, their outcome after.

mod awaited;
mod definitions;
mod deliver;
mod drive;
mod events;
mod installed;
mod lineage;
mod recurring;
mod scheduled;
mod settle;
mod setups;

use std::{
    collections::{HashMap, HashSet},
    iter,
    sync::Arc,
};

use apps::Fired;
use domain::{Note, OrgId, RunId, Timestamp};
use engine::{Definition, Setup};
use futures_util::{future::try_join_all, lock::Mutex};

use crate::{
    actions::{Mailing, Ways},
    directory::workflows::{self, Heard, Trigger},
    envelope::{Envelope, Message, Named, ToldOf, UnreadableMessage, Woken},
    in_flight::{Answer, InFlight},
    ports::{Calls, DELAY_LIMIT_SECONDS, Queue, Store, Unavailable, World},
    runs::{self, Admitted, AppEvent, AppTrigger, Awaited, CLAIM_SECONDS, Considered, StoredTransaction, verdicts},
};

pub(crate) use drive::with_collected;
pub(crate) use setups::read as setup_of;

use definitions::Definitions;
use installed::Installed;
use settle::Settled;
use setups::Setups;

/// How much data the events of one transaction may have that workflows listen to. *Why*: with the transaction's own
/// 1,000,000 bytes they stay within one document of the store.
const EVENTS_LIMIT_BYTES: usize = 2_000_000;

/// Why a message has to be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum NotExecuted {
    /// It is no transaction; after its last delivery it is a dead letter.
    #[error(transparent)]
    Unreadable(#[from] UnreadableMessage),
    /// The world must recover.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The port of an error that says who is at a step already.
const CLAIM_PORT: &str = "claim";

/// What carries runs forward.
pub struct Executor {
    store: Arc<dyn Store>,
    /// Where the messages come from, and those go that wake runs.
    queue: Arc<dyn Queue>,
    world: Arc<dyn World>,
    definitions: Definitions,
    setups: Setups,
    installed: Installed,
    ways: Ways,
    /// What limits how many messages of an org are executed at the same time.
    cap: Option<InFlight>,
    /// Held from reading the files of a mail until it is handed over. *Why*: on the way out a mail of 10 MB is there several
    /// times over, as files, as message and as request, and a batch of ten such would take more memory than the process has.
    attaching: Mutex<()>,
}

impl Executor {
    /// An executor over `store`, whose workflows do nothing outside.
    pub fn new(store: Arc<dyn Store>, queue: Arc<dyn Queue>, world: Arc<dyn World>) -> Self {
        let (definitions, setups, installed) = (Definitions::default(), Setups::default(), Installed::default());
        let (ways, cap, attaching) = (Ways::default(), None, Mutex::new(()));
        Self { store, queue, world, definitions, setups, installed, ways, cap, attaching }
    }

    /// The same, whose workflows send mail.
    #[must_use]
    pub fn with_post(self, mailing: Mailing) -> Self {
        let ways = Ways { mailing: Some(Arc::new(mailing)), ..self.ways };
        Self { ways, ..self }
    }

    /// The same, whose workflows call services.
    #[must_use]
    pub fn with_calls(self, calls: Arc<dyn Calls>) -> Self {
        let ways = Ways { calls: Some(calls), ..self.ways };
        Self { ways, ..self }
    }

    /// The same, whose workflows make links to answers that begin with `address`, where the API is found.
    #[must_use]
    pub fn with_address(self, address: Option<&str>) -> Self {
        let setups = self.setups.with_address(address);
        Self { setups, ..self }
    }

    /// The same, which executes of each org no more messages at the same time than its settings say.
    #[must_use]
    pub fn with_cap(self, cap: InFlight) -> Self {
        Self { cap: Some(cap), ..self }
    }

    /// Runs every workflow that listens to the transaction in `message`, carries on the run that it wakes, or tries the
    /// delivery that it names.
    ///
    /// *Once it returns* `Ok`, each of them has come to its final state, or waits and will be woken, and the message may be
    /// deleted. So it may when the org has as many in flight as it may: the message was sent again then, to come a little later,
    /// and none of the receives is used up after which a message is a dead letter.
    /// *Errors*: [`NotExecuted`]; what was done so far is durable, and delivering the message again goes on from there.
    pub async fn execute(&self, message: &str) -> Result<(), NotExecuted> {
        let parsed = Message::parse(message)?;
        let Some(cap) = &self.cap else { return self.perform(message, parsed).await };
        let org = parsed.org();
        match cap.take(org).await {
            Answer::Slot(slot) => {
                let performed = self.perform(message, parsed).await;
                slot.give_back().await;
                performed
            }
            Answer::ComeAgain(seconds) => Ok(self.queue.send_later(org, message.to_owned(), seconds).await?),
        }
    }

    /// Where everything is.
    pub(crate) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The present instant.
    pub(crate) fn now(&self) -> Timestamp {
        self.world.now()
    }

    async fn perform(&self, message: &str, parsed: Message) -> Result<(), NotExecuted> {
        let org = parsed.org();
        let performed = match parsed {
            Message::Transaction(envelope) => self.execute_transaction(*envelope).await,
            Message::Named(Named::Wake(woken)) => self.wake(woken).await,
            Message::Named(Named::Told(told)) => self.hear(told).await,
            Message::Named(Named::Scheduled(scheduled)) => self.start_scheduled(message, scheduled).await,
            Message::Named(Named::Recurs(recurs)) => self.recur(recurs).await,
            Message::Named(Named::Deliver(turn)) => self.deliver(turn).await,
        };
        match performed {
            // Somebody is at a step of it, or died at it. Given back, it would be a dead letter before that is over: a process that
            // is killed a few times in a minute, or a run of slow calls beside a second message for it, is enough.
            Err(error) if error.port == CLAIM_PORT => {
                let claimed_until = self.world.now().plus_seconds(CLAIM_SECONDS);
                let seconds = self.delay_seconds_until(claimed_until);
                Ok(self.queue.send_later(org, message.to_owned(), seconds).await?)
            }
            performed => Ok(performed?),
        }
    }

    /// Has every webhook that is told of an event told, and runs every workflow that listens to it.
    async fn hear(&self, ToldOf { org, transaction }: ToldOf) -> Result<(), Unavailable> {
        let Some(stored) = runs::find_transaction(self.store.as_ref(), org, transaction).await? else {
            tracing::debug!(transaction.id = %transaction, "what was to be told of has not been written");
            return Ok(());
        };
        let told = self.tell_webhooks(&stored).await;
        let ran = self.run_all(&stored, drive::Delivery::Again).await;
        told.and(ran)
    }

    /// How long a message is held back that is for `until`: at most as long as the queue can, so that it has to be sent again
    /// for the rest.
    fn delay_seconds_until(&self, until: Timestamp) -> u32 {
        delay_seconds(self.world.now(), until)
    }

    async fn execute_transaction(&self, envelope: Envelope) -> Result<(), Unavailable> {
        match self.settle(&envelope).await? {
            Settled::Goes => self.begin(envelope).await,
            Settled::Repeats(before) => {
                let mut first = envelope.clone();
                (first.transaction.id, first.transaction.created_at) = (before.transaction, before.created_at);
                self.begin(first).await?;
                self.keep_repeat(&envelope, &before).await
            }
            Settled::Stays => Ok(()),
        }
    }

    /// Decides which runs the transaction starts, if nobody has yet, and carries them.
    async fn begin(&self, envelope: Envelope) -> Result<(), Unavailable> {
        let stored = self.consider(envelope).await?;
        let (stored, delivery) = match runs::admit(self.store.as_ref(), &stored).await? {
            Admitted::First => (stored, drive::Delivery::First),
            Admitted::Again(before) => (*before, drive::Delivery::Again),
        };
        self.run_all(&stored, delivery).await
    }

    /// Tells the runs that wait for what happened, and carries those that it starts.
    async fn run_all(&self, stored: &StoredTransaction, delivery: drive::Delivery) -> Result<(), Unavailable> {
        let told = self.tell_waiting_runs(stored).await;
        let ran = match self.lineage_problem(stored).await? {
            None => self.drive_all(stored, delivery).await,
            Some(failure) => self.fail_all(stored, &failure).await,
        };
        told.and(ran)
    }

    async fn drive_all(&self, stored: &StoredTransaction, delivery: drive::Delivery) -> Result<(), Unavailable> {
        let mut outcome = Ok(());
        for considered in &stored.considered {
            if let Some(run) = considered.run {
                let trigger_output = stored.trigger_output(considered);
                let driven = self.drive(&stored.transaction, &trigger_output, considered, run, delivery).await;
                // A run that cannot go on now must not keep the others from theirs.
                outcome = outcome.and(driven);
            }
        }
        outcome
    }

    async fn wake(&self, woken: Woken) -> Result<(), Unavailable> {
        let Woken { org, transaction, run, answered } = woken;
        let found = runs::find_transaction(self.store.as_ref(), org, transaction).await?;
        let considered = match &found {
            Some(stored) => self.considered_for(stored, run).await?,
            None => None,
        };
        let Some((stored, considered)) = found.zip(considered) else {
            tracing::warn!(run.id = %run, "the transaction of a run that was to be woken is not kept any more");
            return Ok(());
        };
        let trigger_output = stored.trigger_output(&considered);
        let delivery = if answered { drive::Delivery::Answered } else { drive::Delivery::Again };
        self.drive(&stored.transaction, &trigger_output, &considered, run, delivery).await
    }

    /// What was settled for the run when its transaction was admitted, or when somebody had it replayed.
    async fn considered_for(&self, stored: &StoredTransaction, run: RunId) -> Result<Option<Considered>, Unavailable> {
        let settled = stored.considered.iter().find(|considered| considered.run == Some(run));
        if settled.is_some() {
            return Ok(settled.cloned());
        }
        let head = runs::find_run_head(self.store.as_ref(), stored.transaction.org, run).await?;
        Ok(head.and_then(|run| Some(stored.considered_for(&run)?.followed_by(&run))))
    }

    /// What the expressions of `definition` find beside the run's own data, and those of the apps whose actions it uses.
    async fn setup_for(
        &self,
        org: OrgId,
        considered: &Considered,
        definition: &Definition,
    ) -> Result<Arc<Setup>, Unavailable> {
        let mut needs = definition.needs();
        needs.app_settings |= !considered.apps.is_empty();
        self.setups.get(self.store.as_ref(), self.world.as_ref(), org, considered.workflow, needs).await
    }

    /// Which workflows listen to the hook's own event and to those that its app tells, and what is to come of each.
    async fn consider(&self, envelope: Envelope) -> Result<StoredTransaction, Unavailable> {
        let Envelope { transaction, event: hook_event, mut notes, source, .. } = envelope;
        let Heard { triggers, is_awaited } =
            workflows::heard(self.store.as_ref(), transaction.org, &hook_event).await?;
        let mut awaited: Vec<Awaited> =
            is_awaited.then(|| Awaited { name: hook_event.clone(), event: None }).into_iter().collect();
        let run = |trigger: &Trigger| RunId::for_transaction(transaction.id, trigger.workflow);
        let mut considered = verdicts(&triggers, run, None);
        let trigger = match triggers.is_empty() && !is_awaited {
            true => None,
            false => self.shaped(&transaction, &hook_event).await?,
        };
        if trigger.as_ref().is_some_and(AppTrigger::is_problem) {
            considered.iter_mut().for_each(Considered::start_nothing);
        }
        runs::pin(self.store.as_ref(), transaction.org, &triggers, &mut considered).await?;
        let mut bytes = trigger.as_ref().map_or(0, AppTrigger::bytes);
        let mut listened: Vec<AppEvent> = Vec::new();
        let all = source.as_ref().map_or_else(Vec::new, |source| events::fired(source, &transaction));
        let heard_by_name = self.heard_of(transaction.org, &all).await?;
        for event in &all {
            let position = u32::try_from(listened.len()).unwrap_or(u32::MAX);
            // Who listens to the hook's own event has its run already, where the hook was given an app's name for it.
            let names = iter::once(&event.name).chain(&event.aliases).filter(|name| **name != hook_event);
            let heard: Vec<(&String, &Heard)> =
                names.filter_map(|name| Some((name, heard_by_name.get(name.as_str())?))).collect();
            if heard.iter().all(|(_, heard)| heard.is_by_nobody()) {
                continue;
            }
            let triggers: Vec<Trigger> = heard.iter().flat_map(|(_, heard)| heard.triggers.iter().cloned()).collect();
            bytes += event.data.to_string().len();
            if bytes > EVENTS_LIMIT_BYTES {
                notes.push(events_left_out(&event.name));
                break;
            }
            let run = |trigger: &Trigger| RunId::for_event(transaction.id, trigger.workflow, position);
            let mut of_event = verdicts(&triggers, run, Some(position));
            runs::pin(self.store.as_ref(), transaction.org, &triggers, &mut of_event).await?;
            considered.extend(of_event);
            let awaits = heard.iter().filter(|(_, heard)| heard.is_awaited);
            awaited.extend(awaits.map(|(name, _)| Awaited { name: (*name).clone(), event: Some(position) }));
            listened.push(AppEvent { name: event.name.clone(), data: event.data.clone() });
        }
        if considered.is_empty() {
            tracing::info!(transaction.id = %transaction.id, event = hook_event, "no workflow listens to this event");
        }
        let fired = all.into_iter().map(|event| event.name).collect();
        let occurred_at = source.as_ref().and_then(|source| events::occurred_at(source, &transaction));
        let stored = StoredTransaction::of_event(hook_event, transaction, considered);
        Ok(StoredTransaction { notes, source, occurred_at, fired, events: listened, awaited, trigger, ..stored })
    }
}

impl Executor {
    /// Who wants to know of each name that the events have, all looked up at once.
    async fn heard_of<'e>(&self, org: OrgId, events: &'e [Fired]) -> Result<HashMap<&'e str, Heard>, Unavailable> {
        let names = events.iter().flat_map(|event| iter::once(&event.name).chain(&event.aliases));
        let names: HashSet<&str> = names.map(String::as_str).collect();
        let lookups = names.into_iter().map(|name| async move {
            Ok::<_, Unavailable>((name, workflows::heard(self.store.as_ref(), org, name).await?))
        });
        Ok(try_join_all(lookups).await?.into_iter().collect())
    }
}

/// How long a message is held back at `now` that is for `until`, as far as the queue can.
pub(crate) fn delay_seconds(now: Timestamp, until: Timestamp) -> u32 {
    u32::try_from(now.seconds_until(until)).unwrap_or(DELAY_LIMIT_SECONDS).min(DELAY_LIMIT_SECONDS)
}

fn events_left_out(name: &str) -> Note {
    let message = format!(
        "The events from here on, the first of them {name}, have more than {EVENTS_LIMIT_BYTES} bytes together and started no run."
    );
    Note { code: "events_left_out".to_owned(), path: "$".to_owned(), message }
}

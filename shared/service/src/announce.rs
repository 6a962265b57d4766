//! Telling whoever listens that something happened.
//!
//! An event that somebody listens to becomes a transaction of its own, written together with the change that it tells of:
//! both are there, or neither. What goes on the queue only names it, so sending that twice does no harm, and not having sent
//! it is mended by whoever made the change: a run by the message that carries it, which is delivered again; a request by a
//! message that is sent before the write and held back until after it.
//!
//! What nobody listens to leaves nothing, except where it was published on purpose.

use std::borrow::Cow;

use domain::{Client, Event, EventId, Lineage, OrgId, Record, RunId, Timestamp, Transaction, TransactionId};
use futures_util::future::try_join_all;
use serde_json::Value;

use crate::{
    directory::{
        listeners::{Listeners, listeners},
        workflows::{self, Trigger},
    },
    envelope::{Named, ToldOf},
    ports::{Change, Queue, Store, Unavailable, WriteError},
    records::Work,
    runs::{self, Awaited, StoredTransaction, verdicts},
};

/// How long the message is held back that makes up for one that could not be sent. *Why*: longer than a write takes with all
/// its tries.
pub(crate) const INSURANCE_SECONDS: u32 = 20;

/// Something that has happened once a write is made.
#[derive(Debug, Clone)]
pub enum Happening {
    /// A record was made or changed.
    Changed(Box<(Option<Record>, Record)>),
    /// Something was published.
    Published(Box<Event>),
}

/// Who makes things happen.
#[derive(Debug, Clone)]
pub enum Author {
    /// A request to the management API: the beginning of whatever follows, but where a run's call brought it.
    Request {
        /// How many runs lie between the beginning and this.
        generation: u32,
    },
    /// Nobody, because it is about Hookwright's own doing: a beginning as well.
    Hookwright,
    /// A step of a run.
    Step(Lineage),
}

/// The generation that a header says, which is how many runs lie between a beginning and what came with it.
pub(crate) fn generation(header: Option<&str>) -> u32 {
    header.and_then(|text| text.parse().ok()).unwrap_or_default()
}

impl Author {
    /// The step of a run that `transaction` started.
    pub fn step(transaction: &Transaction, run: RunId) -> Self {
        Self::Step(transaction.lineage_of(run))
    }

    /// Whom events name.
    pub const fn client(&self) -> Client {
        match self {
            Self::Request { .. } => Client::Api,
            Self::Hookwright => Client::Hookwright,
            Self::Step(_) => Client::Workflow,
        }
    }

    /// Of which generation whatever it sets off is.
    pub const fn generation(&self) -> u32 {
        match self {
            Self::Request { generation } => *generation,
            Self::Hookwright => 0,
            Self::Step(lineage) => lineage.depth,
        }
    }

    /// What the event with this id follows from.
    pub fn lineage(&self, event: TransactionId) -> Lineage {
        match self {
            Self::Request { .. } | Self::Hookwright => Lineage { root: event, depth: self.generation(), run: None },
            Self::Step(lineage) => lineage.clone(),
        }
    }

    /// The event `id` that the author publishes at `now` under `name`, with `data`.
    pub fn event(&self, id: EventId, org: OrgId, name: String, data: Value, now: Timestamp) -> Event {
        Event {
            id,
            org,
            name,
            created_at: now,
            client: self.client(),
            data,
            changes: Value::Null,
            lineage: self.lineage(id.into()),
        }
    }
}

impl Happening {
    /// A record was made, or changed from `before`.
    pub(crate) fn changed(before: Option<Record>, after: Record) -> Self {
        Self::Changed(Box::new((before, after)))
    }

    /// The name of its event.
    fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Published(event) => Cow::Borrowed(&event.name),
            Self::Changed(change) => Cow::Owned(Event::name_of_record(change.0.as_ref(), &change.1.kind)),
        }
    }

    fn event(&self, author: &Author) -> Event {
        match self {
            Self::Published(event) => event.as_ref().clone(),
            Self::Changed(change) => {
                let (before, after) = change.as_ref();
                let id = EventId::for_revision(after.id, after.rev);
                Event::of_record(before.as_ref(), after, author.client(), author.lineage(id.into()))
            }
        }
    }
}

/// The transactions that are to be written with `work`: its calls, and what somebody listens to or was published.
pub(crate) async fn transactions(
    store: &dyn Store,
    org: OrgId,
    work: &Work,
    author: &Author,
) -> Result<Vec<StoredTransaction>, Unavailable> {
    let mut listening: Option<Listeners> = None;
    let mut transactions = work.calls.clone();
    for happening in &work.happenings {
        let name = happening.name();
        let listening = match &mut listening {
            Some(listening) => listening,
            none => none.insert(listeners(store, org).await?),
        };
        let webhooks = listening.webhooks(&name);
        let heard = match happening {
            Happening::Changed(_) => listening.heard(&name),
            Happening::Published(_) => workflows::heard(store, org, &name).await?,
        };
        let is_kept = matches!(happening, Happening::Published(_)) || !heard.is_by_nobody() || !webhooks.is_empty();
        if !is_kept {
            continue;
        }
        // Most changes concern nobody, so what they would tell is only put together here.
        let transaction = Transaction::of_event(happening.event(author));
        let run = |trigger: &Trigger| RunId::for_transaction(transaction.id, trigger.workflow);
        let mut considered = verdicts(&heard.triggers, run, None);
        runs::pin(store, org, &heard.triggers, &mut considered).await?;
        let awaited = heard.is_awaited.then(|| Awaited { name: name.to_string(), event: None });
        transactions.push(StoredTransaction {
            webhooks,
            awaited: awaited.into_iter().collect(),
            ..StoredTransaction::of_event(name.into_owned(), transaction, considered)
        });
    }
    Ok(transactions)
}

/// The changes that write `transactions`.
pub(crate) fn changes(transactions: &[StoredTransaction]) -> Result<Vec<Change>, Unavailable> {
    transactions.iter().map(runs::transaction_change).collect()
}

/// Puts on the queue that these transactions are there, or will be in `seconds`.
pub(crate) async fn tell(
    queue: &dyn Queue,
    org: OrgId,
    transactions: impl IntoIterator<Item = TransactionId>,
    seconds: u32,
) -> Result<(), Unavailable> {
    let sends = transactions.into_iter().map(|transaction| async move {
        queue.send_later(org, Named::Told(ToldOf { org, transaction }).message()?, seconds).await
    });
    try_join_all(sends).await.map(|_| ())
}

/// Writes what `author` changes or publishes outside of a run, and tells whoever listens.
///
/// *Once it returns* the change is durable, and so is that it will be told.
/// *Errors*: [`WriteError`], as the store's.
pub(crate) async fn write(
    store: &dyn Store,
    queue: &dyn Queue,
    (org, author): (OrgId, &Author),
    work: Work,
) -> Result<(), WriteError> {
    if work.changes.is_empty() && work.happenings.is_empty() && work.calls.is_empty() {
        return Ok(());
    }
    let transactions = transactions(store, org, &work, author).await?;
    let mut all = work.changes;
    if transactions.is_empty() {
        return store.write(&all).await;
    }
    all.extend(changes(&transactions)?);
    let ids: Vec<TransactionId> = transactions.iter().map(|stored| stored.transaction.id).collect();
    tell(queue, org, ids.iter().copied(), INSURANCE_SECONDS).await?;
    store.write(&all).await?;
    if let Err(error) = tell(queue, org, ids, 0).await {
        tracing::warn!(%error, "that something happened is told later, by the message that was sent before");
    }
    Ok(())
}

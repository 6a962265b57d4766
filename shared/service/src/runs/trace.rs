//! Transactions as they are stored: with the trace of why which workflow ran.

use std::collections::BTreeMap;

use domain::{HookId, HookKind, Note, OrgId, Run, RunId, Transaction, TransactionId, WebhookId, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Period, RETENTION_SECONDS, Reason, item, listing, put_or_find};
use crate::{
    directory::{Listing, Paging},
    document,
    envelope::Source,
    ports::{Change, Expectation, Freshness, IndexKey, Item, Key, Store, Table, Unavailable},
};

/// What came of considering a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It listens and is enabled: a run was started.
    Started,
    /// It listens but is disabled.
    Disabled,
    /// It listens, and another workflow that replaces it does so, too.
    Replaced,
    /// It listens, and what the app of the event makes of the transaction does not fit the app's own schema.
    Misfit,
}

/// An event that a transaction fires beside its hook's own, because an app knows what the data means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppEvent {
    /// Its name.
    pub name: String,
    /// What the app made of the data.
    #[serde(with = "domain::exact")]
    pub data: Value,
}

/// A workflow that listens to the event, as it was when the transaction was admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Considered {
    /// The workflow.
    pub workflow: WorkflowId,
    /// Its name.
    pub name: String,
    /// Its definition at that moment; the run finishes on it.
    pub hash: String,
    /// The number of the version that was.
    #[serde(default)]
    pub version: u64,
    /// What came of it.
    pub verdict: Verdict,
    /// The workflow that replaces it.
    #[serde(default, rename = "replacedBy", skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<WorkflowId>,
    /// The run, if one was started.
    pub run: Option<RunId>,
    /// Which of the [`StoredTransaction::events`] it listens to; the hook's own where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u32>,
    /// The version of each app whose actions its steps use; the run finishes on these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub apps: BTreeMap<String, String>,
    /// The run that waits for the end of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<RunRef>,
}

/// A run, as whoever wakes it needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRef {
    /// The transaction that started it.
    pub transaction: TransactionId,
    /// The run.
    pub run: RunId,
}

impl Considered {
    /// Takes the run back, because step 1 would not be what the app promises.
    pub fn start_nothing(&mut self) {
        if self.verdict == Verdict::Started {
            (self.verdict, self.run) = (Verdict::Misfit, None);
        }
    }
}

impl Considered {
    /// The same for a run that does not do what was settled with its transaction: it replays another one, or went over to
    /// another definition.
    pub fn followed_by(&self, run: &Run) -> Self {
        let apps = run.apps.clone().unwrap_or_else(|| self.apps.clone());
        let caller = self.caller.filter(|_| run.replay_of.is_none());
        Self { hash: run.workflow_hash.clone(), run: Some(run.id), apps, caller, ..self.clone() }
    }
}

/// An event of a transaction that runs may wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    /// Its name.
    pub name: String,
    /// Which of the [`StoredTransaction::events`] it is; the hook's own where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u32>,
}

/// What an app that is installed makes of a transaction that fires one of its events.
///
/// *Shape*: `{"app":"ecommstore","version":"0.0.1","shape":{"output":{"companyName":"Acme"}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppTrigger {
    /// The app.
    pub app: String,
    /// Its version.
    pub version: String,
    /// What came of its template.
    pub shape: Shape,
}

/// What came of the template of a trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Shape {
    /// What step 1 sees.
    Output(#[serde(with = "domain::exact")] Value),
    /// Why there is no step 1.
    Problem(String),
}

impl AppTrigger {
    /// Whether nothing can start.
    pub const fn is_problem(&self) -> bool {
        matches!(self.shape, Shape::Problem(_))
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        match &self.shape {
            Shape::Output(output) => output.to_string().len(),
            Shape::Problem(sentence) => sentence.len(),
        }
    }
}

/// A transaction with its trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredTransaction {
    /// The transaction.
    pub transaction: Transaction,
    /// The event it fired.
    pub event: String,
    /// What its owner should know about the body.
    pub notes: Vec<Note>,
    /// Why it fired nothing, where it is kept for the record only, as a mail without data is.
    #[serde(default, rename = "notFired", skip_serializing_if = "Option::is_none")]
    pub not_fired: Option<Reason>,
    /// Every workflow that listened; empty when none did.
    pub considered: Vec<Considered>,
    /// How it came to a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// When it happened by the provider's clock, where its app tells; kept as the app told it then, as its events are.
    #[serde(default, rename = "occurredAt", skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<String>,
    /// The names of all events it fired beside the hook's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fired: Vec<String>,
    /// Those of them that a workflow listened to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<AppEvent>,
    /// The events that runs may wait for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaited: Vec<Awaited>,
    /// What the app of the hook's own event makes of it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<AppTrigger>,
    /// The webhooks that are told of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<WebhookId>,
}

impl StoredTransaction {
    /// What an event is, which fires nothing beside itself.
    pub fn of_event(event: String, transaction: Transaction, considered: Vec<Considered>) -> Self {
        Self {
            transaction,
            event,
            notes: Vec::new(),
            not_fired: None,
            considered,
            source: None,
            occurred_at: None,
            fired: Vec::new(),
            events: Vec::new(),
            awaited: Vec::new(),
            trigger: None,
            webhooks: Vec::new(),
        }
    }

    /// What was settled for `run`, or for the one that it replays in the end.
    pub fn considered_for(&self, run: &Run) -> Option<&Considered> {
        let origin = run.replay_of.map_or(run.id, |replay| replay.origin);
        self.considered.iter().find(|considered| considered.run == Some(origin))
    }

    /// What step 1 of the considered workflow sees: the transaction; or what an installed app made of it; or what a built-in
    /// app made of it, with the event and the body as it came beside it.
    ///
    /// *Shape* of an app's event: `{"orderId":1001,…,"event":{"id","name","occurredAt","receivedAt","org","source"},"payload":{…}}`.
    pub fn trigger_output(&self, considered: &Considered) -> Value {
        self.output(considered.event)
    }

    /// What step 1 of a workflow sees that listens to one of the [`events`](Self::events), or to the hook's own.
    pub fn output(&self, position: Option<u32>) -> Value {
        let index = position.and_then(|position| usize::try_from(position).ok());
        let Some(event) = index.and_then(|index| self.events.get(index)) else {
            return match self.trigger.as_ref().map(|trigger| &trigger.shape) {
                Some(Shape::Output(output)) => output.clone(),
                Some(Shape::Problem(_)) | None => self.transaction.document(),
            };
        };
        let mut output = event.data.as_object().cloned().unwrap_or_default();
        output.insert("event".to_owned(), self.event_document(position, event));
        output.insert("payload".to_owned(), self.transaction.data.clone());
        Value::Object(output)
    }

    fn event_document(&self, position: Option<u32>, event: &AppEvent) -> Value {
        let Transaction { id, org, hook, hook_kind, created_at, .. } = self.transaction;
        json!({
            "id": format!("{id}-{}", position.unwrap_or_default()),
            "name": event.name,
            "org": org,
            "occurredAt": self.occurred_at.clone().unwrap_or_else(|| created_at.to_string()),
            "receivedAt": created_at,
            "source": {
                "kind": hook_kind.map(HookKind::type_name),
                "provider": self.source.as_ref().and_then(|source| source.app.clone()),
                "hook": hook,
                "deliveryId": self.source.as_ref().and_then(|source| source.delivery_id.clone()),
                "verified": self.source.as_ref().is_some_and(|source| source.scheme != "none"),
                "transaction": id,
            },
        })
    }
}

/// Whether a transaction was new.
#[derive(Debug, Clone, PartialEq)]
pub enum Admitted {
    /// It was stored just now; it has no run yet.
    First,
    /// It had been delivered before; this was decided then, and is still valid.
    Again(Box<StoredTransaction>),
}

/// Stores `stored` unless its transaction is there already.
///
/// *Once it returns*, which workflows run for the transaction is settled for ever, so that a second delivery does what
/// the first one would have done, whatever was changed in between.
pub async fn admit(store: &dyn Store, stored: &StoredTransaction) -> Result<Admitted, Unavailable> {
    let before = put_or_find(store, transaction_item(stored)?).await?;
    Ok(before.map_or(Admitted::First, |before| Admitted::Again(Box::new(before))))
}

/// The change that stores a transaction which nobody has stored before.
pub fn transaction_change(stored: &StoredTransaction) -> Result<Change, Unavailable> {
    Ok(Change::Put(transaction_item(stored)?, Expectation::Absent))
}

fn transaction_item(stored: &StoredTransaction) -> Result<Item, Unavailable> {
    let Transaction { org, id, hook, created_at, .. } = stored.transaction;
    let Key { partition, sort, .. } = transaction_key(org, id);
    let item = item(partition, sort, document::write(stored)?, created_at, RETENTION_SECONDS);
    // Events are not listed: nobody has to account for them, and each would cost a write more.
    let index = hook.map(|hook| IndexKey { partition: arrivals_of(org, hook), sort: format!("{created_at}#{id}") });
    Ok(Item { index, ..item })
}

/// One page of what arrived at a hook in `[from, until)`, newest first.
pub async fn list_arrived(
    store: &dyn Store,
    org: OrgId,
    hook: HookId,
    arrived: Period,
    paging: Paging,
) -> Result<Listing<StoredTransaction>, Unavailable> {
    listing(store, arrivals_of(org, hook), arrived, paging).await
}

fn arrivals_of(org: OrgId, hook: HookId) -> String {
    format!("{org}#arrivals#{hook}")
}

/// The transaction with this id.
pub async fn find_transaction(
    store: &dyn Store,
    org: OrgId,
    id: TransactionId,
) -> Result<Option<StoredTransaction>, Unavailable> {
    let found = store.find(&transaction_key(org, id), Freshness::Latest).await?;
    found.as_ref().map(document::read).transpose()
}

pub(super) fn transaction_key(org: OrgId, id: TransactionId) -> Key {
    Key::new(Table::Runs, format!("{org}#transaction#{id}"), "transaction")
}

//! What in the store is an object that somebody changes, and what only serves to find one.
//!
//! Whoever gives the store a new collection that the API writes has to name it here: a test asks every route.

use domain::{HookKind, OrgId, Record};
use serde_json::{Map, Value};

use super::{Target, changes::mark_texts};
use crate::{
    document,
    ports::{Item, Key, Table, Unavailable},
    records::RECORD_SORT,
};

/// Types of objects; instances of klasses are `kobject.{klass}` besides.
const TYPES: [&str; 27] = [
    "form_hook",
    "web_hook",
    "email_hook",
    "quarantined_mail",
    "api_key",
    "workflow",
    "workflow_draft",
    "workflow_variable",
    "klass",
    "schedule",
    "org",
    "app_settings",
    "app",
    "available_app",
    "webhook",
    "run",
    "run_answer",
    "scheduled_run",
    "recurring_schedule",
    "dead_letter",
    "customer",
    "conversation",
    "message",
    "note",
    "company",
    "user",
    "tag",
];

/// What begins the types of instances of klasses.
const INSTANCE: &str = "kobject.";

/// Attributes that change with every write, or tell what the entry tells anyway.
const LEFT_OUT: [&str; 8] = ["id", "org", "kind", "rev", "createdAt", "updatedAt", "updatedBy", "hash"];

/// What is told of a mail in quarantine: the mail itself is its sender's, and its recipient a secret address.
const OF_MAIL: [&str; 4] = ["code", "bytes", "releasedAt", "transaction"];

/// What is told of a run and of a scheduled one: what they are given and leave is read where they are.
const OF_RUN: [&str; 5] = ["state", "workflow", "runAt", "replayOf", "replayedAs"];

/// What is told of a recurring schedule: not how far it is, which changes by itself.
const OF_RECURRING: [&str; 5] = ["title", "enabled", "workflow", "inputs", "recurrence"];

/// What is told of a dead letter: its message is read where it is.
const OF_DEAD_LETTER: [&str; 5] = ["state", "kind", "event", "transaction", "bytes"];

/// What is told of an answer.
const OF_ANSWER: [&str; 2] = ["choice", "outcome"];

/// Whether there are objects of this type.
pub fn is_type(name: &str) -> bool {
    TYPES.contains(&name) || name.strip_prefix(INSTANCE).is_some_and(|klass| !klass.is_empty())
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Hook(HookKind),
    Mail,
    ApiKey,
    Workflow,
    Draft,
    Variable,
    Klass,
    Schedule,
    Org,
    AppSettings,
    App,
    AvailableApp,
    Webhook,
    Run,
    Answer,
    ScheduledRun,
    RecurringSchedule,
    DeadLetter,
    Record,
}

impl Kind {
    /// What is at `key` in `org`; nothing where it is no object.
    pub(super) fn at(org: OrgId, key: &Key) -> Option<Self> {
        let collection = key.partition.strip_prefix(&org.to_string())?.strip_prefix('#')?;
        match key.table {
            Table::Directory => Self::in_directory(collection),
            Table::Runs => Self::in_runs(collection, &key.sort),
            Table::Records => (key.sort == RECORD_SORT).then_some(Self::Record),
        }
    }

    fn in_runs(collection: &str, sort: &str) -> Option<Self> {
        let (of, _) = collection.split_once('#')?;
        match (of, sort.split('#').next().unwrap_or_default()) {
            ("quarantined", _) => Some(Self::Mail),
            ("run", "run") => Some(Self::Run),
            ("run", "answer") => Some(Self::Answer),
            ("scheduled", "scheduled") => Some(Self::ScheduledRun),
            ("recurring", "recurring") => Some(Self::RecurringSchedule),
            ("dead-letter", "letter") => Some(Self::DeadLetter),
            _ => None,
        }
    }

    fn in_directory(collection: &str) -> Option<Self> {
        match collection {
            "hooks#form" => Some(Self::Hook(HookKind::Form)),
            "hooks#web" => Some(Self::Hook(HookKind::Web)),
            "hooks#email" => Some(Self::Hook(HookKind::Email)),
            "keys" => Some(Self::ApiKey),
            "workflows" => Some(Self::Workflow),
            "drafts" => Some(Self::Draft),
            "klasses" => Some(Self::Klass),
            "schedules" => Some(Self::Schedule),
            "settings" => Some(Self::Org),
            "app-settings" => Some(Self::AppSettings),
            "apps" => Some(Self::App),
            "available-apps" => Some(Self::AvailableApp),
            "webhooks" => Some(Self::Webhook),
            other => other.starts_with("variables#").then_some(Self::Variable),
        }
    }

    const fn type_name(self) -> &'static str {
        match self {
            Self::Hook(kind) => kind.type_name(),
            Self::Mail => "quarantined_mail",
            Self::ApiKey => "api_key",
            Self::Workflow => "workflow",
            Self::Draft => "workflow_draft",
            Self::Variable => "workflow_variable",
            Self::Klass => "klass",
            Self::Schedule => "schedule",
            Self::Org => "org",
            Self::AppSettings => "app_settings",
            Self::App => "app",
            Self::AvailableApp => "available_app",
            Self::Webhook => "webhook",
            Self::Run => "run",
            Self::Answer => "run_answer",
            Self::ScheduledRun => "scheduled_run",
            Self::RecurringSchedule => "recurring_schedule",
            Self::DeadLetter => "dead_letter",
            Self::Record => "record",
        }
    }

    /// Attributes of it that are secrets, whatever they are called.
    pub(super) const fn secrets(self) -> &'static [&'static str] {
        match self {
            Self::Variable => &["value"],
            Self::Hook(_)
            | Self::Mail
            | Self::ApiKey
            | Self::Workflow
            | Self::Draft
            | Self::Klass
            | Self::Schedule
            | Self::Org
            | Self::AppSettings
            | Self::App
            | Self::AvailableApp
            | Self::Webhook
            | Self::Run
            | Self::Answer
            | Self::ScheduledRun
            | Self::RecurringSchedule
            | Self::DeadLetter
            | Self::Record => &[],
        }
    }
}

/// An object as an entry tells of it.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) target: Target,
    pub(super) name: Option<String>,
    /// Its attributes, secrets among them.
    pub(super) attributes: Map<String, Value>,
}

/// The object in `item`, which is of `kind`.
pub(super) fn read(org: OrgId, kind: Kind, item: &Item) -> Result<Object, Unavailable> {
    let mut attributes = match document::read_value(item)? {
        Value::Object(attributes) => attributes,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    let mut target = Target { kind: kind.type_name().to_owned(), id: id_of(org, kind, &item.key, &attributes) };
    if kind == Kind::Record {
        let record: Record = document::read(item)?;
        target.kind = record.kind.to_string();
        attributes = match record.flattened() {
            Value::Object(flat) => flat,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
        };
        attributes.shift_remove("type");
    }
    if matches!(kind, Kind::Run | Kind::Answer)
        && let Some(Value::Object(inner)) =
            attributes.shift_remove("run").or_else(|| attributes.shift_remove("outcome"))
    {
        attributes = inner;
    }
    let name = ["title", "name", "displayName"].iter().find_map(|key| attributes.get(*key)?.as_str());
    let name = name.map(str::to_owned);
    match kind {
        Kind::Mail => attributes.retain(|key, _| OF_MAIL.contains(&key.as_str())),
        Kind::Run | Kind::ScheduledRun => attributes.retain(|key, _| OF_RUN.contains(&key.as_str())),
        Kind::RecurringSchedule => attributes.retain(|key, _| OF_RECURRING.contains(&key.as_str())),
        Kind::DeadLetter => attributes.retain(|key, _| OF_DEAD_LETTER.contains(&key.as_str())),
        Kind::Answer => attributes.retain(|key, _| OF_ANSWER.contains(&key.as_str())),
        // Its attributes are settings, by whatever names, and any text among them may be a secret.
        Kind::AppSettings => attributes.values_mut().for_each(mark_texts),
        Kind::Record => attributes.retain(|key, _| !["id", "rev", "createdAt", "updatedAt"].contains(&key.as_str())),
        Kind::Hook(_)
        | Kind::ApiKey
        | Kind::Workflow
        | Kind::Draft
        | Kind::Variable
        | Kind::Klass
        | Kind::Schedule
        | Kind::App
        | Kind::AvailableApp
        | Kind::Webhook
        | Kind::Org => attributes.retain(|key, _| !LEFT_OUT.contains(&key.as_str())),
    }
    Ok(Object { target, name, attributes })
}

fn id_of(org: OrgId, kind: Kind, key: &Key, attributes: &Map<String, Value>) -> String {
    match kind {
        Kind::Org => org.to_string(),
        Kind::AppSettings | Kind::Draft | Kind::App | Kind::AvailableApp => key.sort.clone(),
        // The head and its answers stand in the partition of the run.
        Kind::Run | Kind::Answer | Kind::ScheduledRun => {
            key.partition.rsplit('#').next().unwrap_or_default().to_owned()
        }
        Kind::Hook(_)
        | Kind::Mail
        | Kind::ApiKey
        | Kind::Workflow
        | Kind::Variable
        | Kind::Klass
        | Kind::Schedule
        | Kind::Webhook
        | Kind::RecurringSchedule
        | Kind::DeadLetter
        | Kind::Record => attributes.get("id").and_then(Value::as_str).unwrap_or(&key.sort).to_owned(),
    }
}

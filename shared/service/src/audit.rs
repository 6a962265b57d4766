//! The audit log: who changed what through the management API, and what it was before.
//!
//! A change and its entry are one write, so that neither is there without the other. What workflows do stands in the journals
//! of their runs, and not here.
//!
//! | document | partition | sort | listed under |
//! | --- | --- | --- | --- |
//! | entry | `{org}#audit#{month}`, `2026-11` | instant, id | `{org}#audit-of#{object}`, by instant |
//!
//! Both are in the runs table, which may expire and has an index.

mod changes;
mod listing;
mod objects;
mod store;

use std::net::IpAddr;

use domain::{ApiKeyId, AuditEntryId, OrgId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    document,
    ports::{Change, Expectation, IndexKey, Item, Key, Table, Unavailable},
};

pub use listing::{Filter, find, list};
pub use objects::is_type;
pub(crate) use store::Audited;

/// How long entries are kept. *Why 400 days*: a year, and the month in which somebody looks back at it.
pub const KEPT_SECONDS: i64 = 400 * 24 * 60 * 60;

/// Who makes a change, and by which operation.
#[derive(Debug, Clone)]
pub struct Author {
    /// The key.
    pub key: ApiKeyId,
    /// What people call the key.
    pub key_name: String,
    /// Where the request came from, where that is known.
    pub source: Option<IpAddr>,
    /// What the request says it was sent with.
    pub client: Option<String>,
    /// The operation, as the OpenAPI document names it.
    pub operation: String,
}

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// It was not there before.
    Create,
    /// It is another now.
    Update,
    /// It is gone.
    Delete,
}

impl Verb {
    /// The word that event names end with.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// An object that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The type of its resource: `form_hook`, `customer`.
    #[serde(rename = "objectType")]
    pub kind: String,
    /// The id of its resource.
    #[serde(rename = "objectId")]
    pub id: String,
}

/// One change of one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The entry.
    pub id: AuditEntryId,
    /// When.
    pub created_at: Timestamp,
    /// What was done.
    pub verb: Verb,
    /// By which operation.
    pub operation: String,
    /// The key that did it.
    pub user_id: ApiKeyId,
    /// What that key was called.
    pub user_name: String,
    /// Where the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// What it says it was sent with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What was changed.
    #[serde(flatten)]
    pub target: Target,
    /// What people called it, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_name: Option<String>,
    /// Its attributes that are different.
    ///
    /// *Shape*: `{"op":"replace","path":"$.title","before":"Orders","after":"Returns"}`.
    #[serde(with = "domain::exact")]
    pub changes: Vec<Value>,
    /// How many more are.
    pub left_out: usize,
    /// What else the same write changed, where it has no room for an entry of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Target>,
}

impl Entry {
    /// When it is forgotten.
    pub const fn expires_at(&self) -> Timestamp {
        self.created_at.plus_seconds(KEPT_SECONDS)
    }
}

/// The change that writes `entry`, to be part of the write that it is about.
fn put(org: OrgId, entry: &Entry) -> Result<Change, Unavailable> {
    let sort = format!("{}#{}", entry.created_at, entry.id);
    let item = Item {
        key: Key::new(Table::Runs, listing::month_partition(org, listing::Month::of(entry.created_at)), sort.as_str()),
        rev: 1,
        document: document::write(entry)?,
        index: Some(IndexKey { partition: listing::object_partition(org, &entry.target.id), sort }),
        expires_at: Some(entry.expires_at().as_second()),
    };
    // Its id is a fresh one. A condition that failed would be taken for one of the change's own.
    Ok(Change::Put(item, Expectation::Anything))
}

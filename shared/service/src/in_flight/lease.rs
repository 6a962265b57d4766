//! The leases of an org's slots as they are kept: one document, written by each process under the condition that it is as it
//! was read.

use std::collections::BTreeMap;

use domain::{OrgId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    document,
    ports::{Change, Expectation, Freshness, Item, Key, Store, Table, Unavailable, WriteError},
};

/// How long a lease is counted. *Why twice as long as it is spent*: see [`super`].
pub(super) const KEPT_MS: i64 = 120_000;

/// *Shape*: `{"leases":{"8f3a…":{"slots":3,"until":"2026-11-29T12:02:00.000Z"}}}`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Stored {
    leases: BTreeMap<String, Part>,
}

/// What one process has.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Part {
    slots: u32,
    until: Timestamp,
}

/// One process among the leases of an org, as they were read.
pub(super) struct Place<'a> {
    key: Key,
    rev: Option<u64>,
    process: &'a str,
    /// Those of others that have not run out.
    others: BTreeMap<String, Part>,
}

impl<'a> Place<'a> {
    pub(super) async fn find(
        store: &dyn Store,
        org: OrgId,
        process: &'a str,
        now: Timestamp,
    ) -> Result<Self, Unavailable> {
        let key = Key::new(Table::Runs, format!("{org}#in-flight"), "leases");
        let found = store.find(&key, Freshness::Latest).await?;
        let (mut others, rev) = match &found {
            Some(item) => (document::read::<Stored>(item)?.leases, Some(item.rev)),
            None => (BTreeMap::new(), None),
        };
        others.retain(|name, part| name != process && part.until > now);
        Ok(Self { key, rev, process, others })
    }

    pub(super) fn leased_by_others(&self) -> u32 {
        self.others.values().map(|part| part.slots).fold(0, u32::saturating_add)
    }

    /// Writes that this process has `slots` from now on, in the place of what it had.
    ///
    /// *Errors*: [`WriteError::Conflict`] when another process has written since.
    pub(super) async fn put(self, store: &dyn Store, slots: u32, now: Timestamp) -> Result<(), WriteError> {
        let mut leases = self.others;
        let until = Timestamp::from_millisecond(now.as_millisecond().saturating_add(KEPT_MS));
        if slots > 0 {
            leases.insert(self.process.to_owned(), Part { slots, until });
        }
        let item = Item {
            key: self.key,
            rev: self.rev.unwrap_or_default() + 1,
            document: document::write(&Stored { leases })?,
            index: None,
            // Those of others run out earlier.
            expires_at: Some(until.as_second() + 60),
        };
        store.write(&[Change::Put(item, Expectation::unchanged(self.rev))]).await
    }
}

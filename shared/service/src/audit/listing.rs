//! Reading the audit log: newest first, month by month, or by the object that was changed.

use std::fmt;

use domain::{ApiKeyId, AuditEntryId, OrgId, Timestamp};

use super::{Entry, KEPT_SECONDS};
use crate::{
    directory::Paging,
    document::{self, Listing},
    ports::{Key, LIST_LIMIT_ITEMS, Order, Page, Range, Scope, Store, Table, Unavailable},
};

/// How many pages of the store one request looks through, so that a filter that fits nothing ends. *Why 20*: the months that
/// entries are kept for are 15.
const PAGES_LIMIT: usize = 20;

/// What a position begins with that is one in the list of an object.
const OF_OBJECT: &str = "of";

/// Which entries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of objects of this type.
    pub object_type: Option<String>,
    /// Of this object.
    pub object_id: Option<String>,
    /// Of changes by this key.
    pub key: Option<ApiKeyId>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

impl Filter {
    fn fits(&self, entry: &Entry) -> bool {
        self.object_type.as_ref().is_none_or(|kind| *kind == entry.target.kind)
            && self.key.is_none_or(|key| key == entry.user_id)
    }
}

/// A calendar month in UTC, counted in months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month(i64);

impl Month {
    pub(super) fn of(instant: Timestamp) -> Self {
        Self::parse(instant.to_string().get(..7).unwrap_or_default()).unwrap_or(Self(0))
    }

    /// *Shape*: `2026-11`.
    fn parse(text: &str) -> Option<Self> {
        let is_shaped = |(year, month): &(&str, &str)| {
            (year.len(), month.len()) == (4, 2)
                && [year, month].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
        };
        let (year, month) = text.split_once('-').filter(is_shaped)?;
        let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
        (1..=12).contains(&month).then(|| Self(i64::from(year) * 12 + i64::from(month) - 1))
    }

    const fn before(self) -> Self {
        Self(self.0 - 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

pub(super) fn month_partition(org: OrgId, month: Month) -> String {
    format!("{org}#audit#{month}")
}

pub(super) fn object_partition(org: OrgId, object: &str) -> String {
    format!("{org}#audit-of#{object}")
}

/// One page of the entries of `org` that `filter` lets through, newest first. It may have fewer than the limit, and still a
/// next one. `None` where `paging.after` is no position of this list.
///
/// The list of one object may lack what was written within the last second.
pub async fn list(
    store: &dyn Store,
    org: OrgId,
    filter: &Filter,
    paging: Paging,
    now: Timestamp,
) -> Result<Option<Listing<Entry>>, Unavailable> {
    match &filter.object_id {
        Some(object) => list_of_object(store, org, object, filter, paging).await,
        None => list_by_month(store, org, filter, paging, now).await,
    }
}

async fn list_by_month(
    store: &dyn Store,
    org: OrgId,
    filter: &Filter,
    Paging { limit, after }: Paging,
    now: Timestamp,
) -> Result<Option<Listing<Entry>>, Unavailable> {
    let kept_since = now.plus_seconds(-KEPT_SECONDS);
    let oldest = Month::of(filter.from.map_or(kept_since, |from| from.max(kept_since)));
    let newest = Month::of(filter.until.map_or(now, |until| until.min(now)));
    let (mut month, mut position) = match after {
        None => (newest, None),
        Some(after) => match after.split_once('/').and_then(|(month, rest)| Some((Month::parse(month)?, rest))) {
            Some((month, rest)) => (month.min(newest), Some(rest.to_owned()).filter(|rest| !rest.is_empty())),
            None => return Ok(None),
        },
    };
    let mut items = Vec::new();
    for _ in 0..PAGES_LIMIT {
        if month < oldest {
            return Ok(Some(Listing { items, next: None }));
        }
        let range = range(Scope::Own, month_partition(org, month), filter, limit - items.len(), position);
        let Page { items: found, next } = store.list(&range).await?;
        for item in &found {
            items.extend(Some(document::read::<Entry>(item)?).filter(|entry| filter.fits(entry)));
        }
        position = next;
        if position.is_none() {
            month = month.before();
        }
        if items.len() >= limit {
            break;
        }
    }
    let next = (month >= oldest).then(|| format!("{month}/{}", position.unwrap_or_default()));
    Ok(Some(Listing { items, next }))
}

async fn list_of_object(
    store: &dyn Store,
    org: OrgId,
    object: &str,
    filter: &Filter,
    Paging { limit, after }: Paging,
) -> Result<Option<Listing<Entry>>, Unavailable> {
    let mut position = match after {
        None => None,
        Some(after) => match after.split_once('/') {
            Some((OF_OBJECT, rest)) => Some(rest.to_owned()),
            Some(_) | None => return Ok(None),
        },
    };
    let mut items = Vec::new();
    for _ in 0..PAGES_LIMIT {
        let range = range(Scope::Index, object_partition(org, object), filter, limit - items.len(), position);
        let page = store.list(&range).await?;
        let keys: Vec<Key> = page.items.into_iter().map(|item| item.key).collect();
        let found = if keys.is_empty() { Vec::new() } else { store.find_all(&keys).await? };
        for item in &found {
            items.extend(Some(document::read::<Entry>(item)?).filter(|entry| filter.fits(entry)));
        }
        position = page.next;
        if position.is_none() || items.len() >= limit {
            break;
        }
    }
    let next = position.map(|position| format!("{OF_OBJECT}/{position}"));
    Ok(Some(Listing { items, next }))
}

/// The entry with this id. An id begins with the second it was made in, and so tells where its entry stands.
pub async fn find(store: &dyn Store, org: OrgId, id: AuditEntryId) -> Result<Option<Entry>, Unavailable> {
    let made = id.made_at();
    let within = Filter { from: Some(made), until: Some(made.plus_seconds(1)), ..Filter::default() };
    let mut after = None;
    loop {
        let range = range(Scope::Own, month_partition(org, Month::of(made)), &within, LIST_LIMIT_ITEMS, after);
        let page = store.list(&range).await?;
        let ending = format!("#{id}");
        if let Some(item) = page.items.iter().find(|item| item.key.sort.ends_with(&ending)) {
            return document::read(item).map(Some);
        }
        after = page.next;
        if after.is_none() {
            return Ok(None);
        }
    }
}

fn range(scope: Scope, partition: String, filter: &Filter, limit: usize, after: Option<String>) -> Range {
    let bound = |instant: Option<Timestamp>| instant.map_or_else(String::new, |instant| instant.to_string());
    Range {
        table: Table::Runs,
        scope,
        partition,
        from: bound(filter.from),
        below: bound(filter.until),
        order: Order::Descending,
        limit,
        after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_counted_back_over_the_turn_of_a_year() {
        let january = Month::of(Timestamp::parse("2027-01-31T23:59:59.999Z").unwrap());
        assert_eq!(january.to_string(), "2027-01");
        assert_eq!(january.before().to_string(), "2026-12");
        assert_eq!(Month::parse("2027-01"), Some(january));
        for wrong in ["", "2027", "2027-13", "2027-00", "2027-1", "+027-01", "2027-01-01"] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }
}

//! Lists of records, newest first.

use domain::{OrgId, Record, RecordId, RecordKind};
use futures_util::future::try_join_all;

use super::merged_ids;
use crate::{
    directory::{Listing, Paging},
    document,
    ports::{Order, Page, Range, Scope, Store, Table, Unavailable},
};

/// One page of an org's customers.
pub async fn list_customers(store: &dyn Store, org: OrgId, paging: Paging) -> Result<Listing<Record>, Unavailable> {
    document::read_page(&list(store, format!("{org}#customers"), String::new(), paging).await?)
}

/// One page of an org's records of a kind that belong to no customer.
pub async fn list_kind(
    store: &dyn Store,
    org: OrgId,
    kind: &RecordKind,
    paging: Paging,
) -> Result<Listing<Record>, Unavailable> {
    document::read_page(&list(store, format!("{org}#{kind}"), String::new(), paging).await?)
}

/// One page of what belongs to `customer`, or to somebody who was merged into them.
///
/// Its position is the place of the page's last item, because the page is put together from several lists.
pub async fn list_timeline(
    store: &dyn Store,
    customer: &Record,
    paging: Paging,
) -> Result<Listing<Record>, Unavailable> {
    let Paging { limit, after } = paging;
    let below = after.unwrap_or_default();
    let all = [customer.id].into_iter().chain(merged_ids(customer));
    let lists = all.map(|id| {
        let page = Paging { limit, after: None };
        list(store, timeline_partition(customer.org, id), below.clone(), page)
    });
    let pages = try_join_all(lists).await?;
    let mut has_more = pages.iter().any(|page| page.next.is_some());
    let mut items: Vec<_> = pages.into_iter().flat_map(|page| page.items).collect();
    let place = |item: &crate::ports::Item| item.index.as_ref().map(|index| index.sort.clone()).unwrap_or_default();
    items.sort_by_key(|item| std::cmp::Reverse(place(item)));
    has_more |= items.len() > limit;
    items.truncate(limit);
    let next = items.last().map(place).filter(|_| has_more);
    let items = items.iter().map(document::read).collect::<Result<_, Unavailable>>()?;
    Ok(Listing { items, next })
}

pub(super) fn timeline_partition(org: OrgId, customer: RecordId) -> String {
    format!("{org}#customer#{customer}")
}

async fn list(store: &dyn Store, partition: String, below: String, paging: Paging) -> Result<Page, Unavailable> {
    let (table, scope, order) = (Table::Records, Scope::Index, Order::Descending);
    let from = String::new();
    store.list(&Range { table, scope, partition, from, below, order, limit: paging.limit, after: paging.after }).await
}

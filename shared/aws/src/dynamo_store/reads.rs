//! `GetItem`, `BatchGetItem` and `Query`.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::future::try_join_all;
use service::ports::{
    Freshness, Item, Key, LIST_LIMIT_ITEMS, Order, Page, Range, Scope, Table, Unavailable, is_partition,
};

use super::attributes::{self, Attributes};
use super::{DynamoStore, cursor, unavailable};
use crate::attempts::{TRIES, cause, pause, trouble, within_budget};
use crate::tables::{INDEX_PARTITION, INDEX_SORT, PARTITION, SORT, index_name};

/// How many answers one page may take: only where much has expired does one not suffice.
const QUERIES_PER_PAGE: u32 = 10;

impl DynamoStore {
    pub(super) async fn get(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        if !key.is_possible() {
            return Ok(None);
        }
        let request = self
            .client
            .get_item()
            .table_name(self.tables.of(key.table))
            .set_key(Some(attributes::of_key(key)))
            .consistent_read(freshness == Freshness::Latest)
            .set_return_consumed_capacity(self.capacity_wish());
        let answer = within_budget(&*self.world, trouble, || request.clone().send())
            .await
            .map_err(|defeat| unavailable(cause(&defeat.last)))?;

        self.count_read(&answer.consumed_capacity);
        match &answer.item {
            None => Ok(None),
            Some(attributes) => self.item(key.table, attributes).await,
        }
    }

    /// Sees every write that returned before, as a find with [`Freshness::Latest`] does.
    pub(super) async fn get_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        let mut missing = self.request_of(keys)?;
        let mut found: HashMap<Key, Item> = HashMap::new();
        let mut tried = 0;
        while !missing.is_empty() {
            // DynamoDB answers some keys only when it is short of capacity; that counts as a failed try.
            if tried == TRIES {
                return Err(unavailable(format!("some keys were left unread {TRIES} times")));
            }
            if tried > 0 {
                pause(&*self.world, tried).await;
            }
            tried += 1;
            missing = self.get_batch(missing, &mut found).await?;
        }
        Ok(keys.iter().filter_map(|key| found.get(key).cloned()).collect())
    }

    fn request_of(&self, keys: &[Key]) -> Result<HashMap<String, KeysAndAttributes>, Unavailable> {
        let mut by_table: HashMap<String, Vec<Attributes>> = HashMap::new();
        for key in keys.iter().filter(|key| key.is_possible()).collect::<BTreeSet<_>>() {
            let of_table = by_table.entry(self.tables.of(key.table).to_owned()).or_default();
            of_table.push(attributes::of_key(key));
        }
        let wish = |(table, keys)| {
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            keys.map(|keys| (table, keys)).map_err(|error| unavailable(error.to_string()))
        };
        by_table.into_iter().map(wish).collect()
    }

    /// One batch; what it did not answer comes back.
    async fn get_batch(
        &self,
        wanted: HashMap<String, KeysAndAttributes>,
        found: &mut HashMap<Key, Item>,
    ) -> Result<HashMap<String, KeysAndAttributes>, Unavailable> {
        let request = self
            .client
            .batch_get_item()
            .set_request_items(Some(wanted))
            .set_return_consumed_capacity(self.capacity_wish());
        let answer = within_budget(&*self.world, trouble, || request.clone().send())
            .await
            .map_err(|defeat| unavailable(cause(&defeat.last)))?;

        self.count_read(answer.consumed_capacity());
        let responses = answer.responses.unwrap_or_default();
        for table in [Table::Directory, Table::Runs, Table::Records] {
            let of_table = responses.get(self.tables.of(table)).map(Vec::as_slice).unwrap_or_default();
            let items = try_join_all(of_table.iter().map(|attributes| self.item(table, attributes))).await?;
            found.extend(items.into_iter().flatten().map(|item| (item.key.clone(), item)));
        }
        Ok(answer.unprocessed_keys.unwrap_or_default())
    }

    pub(super) async fn query(&self, range: &Range) -> Result<Page, Unavailable> {
        let is_empty = !range.below.is_empty() && range.from >= range.below;
        if is_empty || !is_partition(&range.partition) {
            return Ok(Page { items: Vec::new(), next: None });
        }

        let wanted = range.limit.clamp(1, LIST_LIMIT_ITEMS);
        // One more than wanted tells whether anything follows.
        let request = self.query_of(range)?.limit(i32::try_from(wanted.saturating_add(1)).unwrap_or(i32::MAX));
        let mut start = cursor::start_key(range);
        let mut items = Vec::new();
        for _ in 0..QUERIES_PER_PAGE {
            let (found, end) = self.query_once(request.clone().set_exclusive_start_key(start), range).await?;
            items.extend(found);
            start = end;
            if start.is_none() || items.len() > wanted {
                break;
            }
        }

        let next = if items.len() > wanted {
            items.truncate(wanted);
            items.last().and_then(|item| cursor::after(item, range.scope))
        } else {
            start
                .and_then(|end| attributes::read_keys(range.table, &end).ok())
                .and_then(|end| cursor::after(&end, range.scope))
        };
        Ok(Page { items, next })
    }

    fn query_of(&self, range: &Range) -> Result<QueryFluentBuilder, Unavailable> {
        let query = self
            .client
            .query()
            .table_name(self.tables.of(range.table))
            .scan_index_forward(range.order == Order::Ascending)
            .set_return_consumed_capacity(self.capacity_wish());
        let (query, partition, sort) = match range.scope {
            Scope::Own => (query.consistent_read(true), PARTITION, SORT),
            Scope::Index => {
                let name =
                    index_name(range.table).ok_or_else(|| unavailable("the directory has no index".to_owned()))?;
                (query.index_name(name), INDEX_PARTITION, INDEX_SORT)
            }
        };
        let (condition, bounds) = bounds(range);
        let query = query
            .key_condition_expression(condition)
            .expression_attribute_names("#partition", partition)
            .expression_attribute_values(":partition", AttributeValue::S(range.partition.clone()));
        if bounds.is_empty() {
            return Ok(query);
        }
        let query = query.expression_attribute_names("#sort", sort);
        Ok(bounds.into_iter().fold(query, |query, (name, bound)| {
            query.expression_attribute_values(name, AttributeValue::S(bound.to_owned()))
        }))
    }

    /// One answer: the items in it that are in the range, and where it ended unless that was the end.
    async fn query_once(
        &self,
        request: QueryFluentBuilder,
        range: &Range,
    ) -> Result<(Vec<Item>, Option<Attributes>), Unavailable> {
        let answer = within_budget(&*self.world, trouble, || request.clone().send())
            .await
            .map_err(|defeat| unavailable(cause(&defeat.last)))?;

        self.count_read(&answer.consumed_capacity);
        let items = match (range.table, range.scope) {
            (Table::Runs, Scope::Index) => {
                let read = |attributes| attributes::read_keys(range.table, attributes).map_err(unavailable);
                answer.items().iter().map(read).collect::<Result<Vec<_>, _>>()?
            }
            (Table::Directory | Table::Runs | Table::Records, Scope::Own | Scope::Index) => {
                let reads = answer.items().iter().map(|attributes| self.item(range.table, attributes));
                try_join_all(reads).await?.into_iter().flatten().collect()
            }
        };
        let inside = |item: &Item| listed_sort(item, range.scope).is_some_and(|sort| cursor::contains(range, sort));
        Ok((items.into_iter().filter(inside).collect(), answer.last_evaluated_key))
    }
}

/// The key condition of `range`. DynamoDB takes one condition on the sort key, and the only one with two bounds
/// includes both: what equals `below` is dropped when it arrives.
fn bounds(range: &Range) -> (&'static str, Vec<(&'static str, &str)>) {
    match (range.from.as_str(), range.below.as_str()) {
        ("", "") => ("#partition = :partition", Vec::new()),
        (from, "") => ("#partition = :partition AND #sort >= :from", vec![(":from", from)]),
        ("", below) => ("#partition = :partition AND #sort < :below", vec![(":below", below)]),
        (from, below) => {
            ("#partition = :partition AND #sort BETWEEN :from AND :below", vec![(":from", from), (":below", below)])
        }
    }
}

fn listed_sort(item: &Item, scope: Scope) -> Option<&str> {
    match scope {
        Scope::Own => Some(&item.key.sort),
        Scope::Index => item.index.as_ref().map(|index| index.sort.as_str()),
    }
}

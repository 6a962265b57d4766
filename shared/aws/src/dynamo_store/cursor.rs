//! Where a page ended: the opaque `after` of a range.
//!
//! It names a place in the range, never the partition or the table: a token that somebody made up can only move them
//! within what they may list anyway.

use aws_sdk_dynamodb::types::AttributeValue;
use service::ports::{Item, Range, Scope, is_partition, is_sort};

use super::attributes::Attributes;
use crate::tables::{INDEX_PARTITION, INDEX_SORT, PARTITION, SORT};

/// The token of the place of `item` in a listing by `scope`: hex of `[sort]` or `[index sort, partition, sort]`.
pub(super) fn after(item: &Item, scope: Scope) -> Option<String> {
    let place = match scope {
        Scope::Own => vec![&item.key.sort],
        Scope::Index => vec![&item.index.as_ref()?.sort, &item.key.partition, &item.key.sort],
    };
    serde_json::to_vec(&place).ok().map(hex::encode)
}

/// The key to start behind; `None` for the start, also when the token is none of this range: DynamoDB refuses a key
/// outside it.
pub(super) fn start_key(range: &Range) -> Option<Attributes> {
    let place: Vec<String> = serde_json::from_slice(&hex::decode(range.after.as_deref()?).ok()?).ok()?;
    if !place.first().is_some_and(|sort| is_sort(sort) && contains(range, sort)) {
        return None;
    }

    let text = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
    match (range.scope, place.as_slice()) {
        (Scope::Own, [sort]) => Some([text(PARTITION, &range.partition), text(SORT, sort)].into()),
        (Scope::Index, [index_sort, partition, sort]) if is_partition(partition) && is_sort(sort) => Some(
            [
                text(INDEX_PARTITION, &range.partition),
                text(INDEX_SORT, index_sort),
                text(PARTITION, partition),
                text(SORT, sort),
            ]
            .into(),
        ),
        (Scope::Own | Scope::Index, _) => None,
    }
}

/// Whether `sort` is within the bounds of `range`.
pub(super) fn contains(range: &Range, sort: &str) -> bool {
    sort >= range.from.as_str() && (range.below.is_empty() || sort < range.below.as_str())
}

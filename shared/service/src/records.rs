//! The records table: customers and what belongs to them.
//!
//! | document | partition | sort | listed under |
//! | --- | --- | --- | --- |
//! | customer | `{org}#customer#{id}` | `record` | `{org}#customers`, by creation |
//! | other record with a customer | `{org}#{kind}#{id}` | `record` | `{org}#customer#{customer}`, by creation: the timeline |
//! | other record without one | `{org}#{kind}#{id}` | `record` | `{org}#{kind}`, by creation |
//! | owner of what a record is found by | `{org}#{space}#{value}`: `{org}#email#ann@example.com` | `owner` | |
//!
//! A customer who was merged into another one is listed nowhere, and the timeline of that other one begins where both begin.

mod key_claims;
mod listing;
mod merge;
mod not_done;
mod relation;
mod unit;
mod write;

use domain::{OrgId, Record, RecordId, RecordKey, RecordKind};
use sha2::{Digest, Sha256};

use crate::{
    document,
    ports::{IndexKey, Item, Key, Table, Unavailable},
};

pub use listing::{list_customers, list_kind, list_timeline};
pub use merge::{MERGED_LIMIT, merge};
pub use not_done::NotDone;
pub use relation::{Relation, relate, unrelate};
pub use unit::{Unit, Work};
pub use write::{NewIds, create, delete, update};

/// The relationship of a customer to the one that it was merged into.
const MERGED_INTO: &str = "mergedInto";

/// The attribute that lists whom a customer was merged with.
const MERGED_IDS: &str = "mergedIds";

/// What marks an item as a record.
pub(crate) const RECORD_SORT: &str = "record";

/// Where the record is.
pub fn record_key(org: OrgId, kind: &RecordKind, id: RecordId) -> Key {
    Key::new(Table::Records, format!("{org}#{kind}#{id}"), RECORD_SORT)
}

/// The most bytes of a value that stands in a partition key as it is; of a longer one its SHA-256 does. *Why*: a partition has at
/// most 2,048 bytes, and a tag's name of 1,024 characters may have four for each.
const OWNED_LIMIT_BYTES: usize = 1_024;

/// Where it stands who owns `key`.
fn owner_key(org: OrgId, RecordKey { space, value }: &RecordKey) -> Key {
    let partition = match value.len() {
        0..=OWNED_LIMIT_BYTES => format!("{org}#{space}#{value}"),
        _ => format!("{org}#{space}#sha256:{}", hex::encode(Sha256::digest(value))),
    };
    Key::new(Table::Records, partition, "owner")
}

/// The customer that `record` was merged into.
fn merged_into(record: &Record) -> Option<RecordId> {
    record.related(MERGED_INTO)
}

/// Who was merged into `customer`.
fn merged_ids(customer: &Record) -> Vec<RecordId> {
    let ids = customer.attributes.get(MERGED_IDS).and_then(serde_json::Value::as_array).into_iter().flatten();
    ids.filter_map(|id| RecordId::parse(id.as_str()?).ok()).collect()
}

/// The item of `record`, listed on its customer's timeline if it has one.
///
/// *Errors*: [`Unavailable`], as [`document::write`].
fn record_item(record: &Record) -> Result<Item, Unavailable> {
    let Record { org, kind, id, .. } = record;
    let listed_under = match (kind, record.related("customer")) {
        (RecordKind::Customer, _) if merged_into(record).is_some() => None,
        (RecordKind::Customer, _) => Some(format!("{org}#customers")),
        (_, Some(customer)) => Some(listing::timeline_partition(*org, customer)),
        (kind, None) => Some(format!("{org}#{kind}")),
    };
    let sort = format!("{}#{kind}#{id}", record.created_at);
    Ok(Item {
        key: record_key(*org, kind, *id),
        rev: record.rev,
        document: document::write(record)?,
        index: listed_under.map(|partition| IndexKey { partition, sort }),
        expires_at: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_record_is_found_by_fits_into_a_partition_however_long_it_is() {
        const PARTITION_LIMIT_BYTES: usize = 2_048;
        let org = OrgId::parse("581392b55ac7a2110099d9c8").unwrap();
        let partition = |name: &str| owner_key(org, &RecordKey::tag_name(name)).partition;
        let (longest, past) = ("x".repeat(OWNED_LIMIT_BYTES), "x".repeat(OWNED_LIMIT_BYTES + 1));
        assert_eq!(partition(&longest), format!("{org}#tag.name#{longest}"));
        let widest = "\u{1f980}".repeat(domain::record::fields::LINE_LIMIT_CHARS);
        for name in [&past, &widest] {
            assert!(partition(name).len() < PARTITION_LIMIT_BYTES);
        }
        assert_ne!(partition(&past), partition(&format!("{past}y")));
    }
}

//! An item of the port as the attributes of an item of DynamoDB, and back.
//!
//! The document is in exactly one of three attributes: `doc` (text), `docz` (deflated) or `blob` (the SHA-256 of what
//! the blob store has, deflated).

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use service::ports::{IndexKey, Item, Key, Table};

use crate::pack::{Packed, unpack};
use crate::tables::{EXPIRES_AT, INDEX_PARTITION, INDEX_SORT, PARTITION, REV, SORT};

const DOCUMENT: &str = "doc";
const DEFLATED_DOCUMENT: &str = "docz";
const DOCUMENT_BLOB: &str = "blob";

pub(super) type Attributes = HashMap<String, AttributeValue>;

/// An item whose document may still be elsewhere.
pub(super) struct Found {
    pub(super) expires_at: Option<i64>,
    /// The blob to fetch before [`Found::into_item`].
    pub(super) blob: Option<String>,
    key: Key,
    rev: u64,
    index: Option<IndexKey>,
    document: Inline,
}

enum Inline {
    Text(String),
    Deflated(Bytes),
    Elsewhere,
}

/// The attributes that keep `item`, whose document is `packed`.
pub(super) fn of_item(item: &Item, packed: &Packed) -> Attributes {
    let mut attributes = of_key(&item.key);
    attributes.insert(REV.to_owned(), number(item.rev));
    let (name, document) = match packed {
        Packed::Plain(text) => (DOCUMENT, AttributeValue::S(text.clone())),
        Packed::Deflated(bytes) => (DEFLATED_DOCUMENT, AttributeValue::B(Blob::new(bytes.to_vec()))),
        Packed::Blob { sha256, .. } => (DOCUMENT_BLOB, AttributeValue::S(sha256.clone())),
    };
    attributes.insert(name.to_owned(), document);
    if let Some(index) = &item.index {
        attributes.insert(INDEX_PARTITION.to_owned(), AttributeValue::S(index.partition.clone()));
        attributes.insert(INDEX_SORT.to_owned(), AttributeValue::S(index.sort.clone()));
    }
    if let Some(second) = item.expires_at {
        attributes.insert(EXPIRES_AT.to_owned(), number(second));
    }
    attributes
}

/// The attributes that name `key`.
pub(super) fn of_key(key: &Key) -> Attributes {
    HashMap::from([
        (PARTITION.to_owned(), AttributeValue::S(key.partition.clone())),
        (SORT.to_owned(), AttributeValue::S(key.sort.clone())),
    ])
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The item in `attributes`.
///
/// *Errors*: a sentence for the log, when it was not written by us.
pub(super) fn read(table: Table, attributes: &Attributes) -> Result<Found, String> {
    let key = key(table, attributes)?;
    let broken = |attribute: &str| format!("{} has no readable {attribute}", name(table));
    let rev = integer(attributes, REV).ok_or_else(|| broken(REV))?;
    let document = match (text(attributes, DOCUMENT), attributes.get(DEFLATED_DOCUMENT)) {
        (Some(text), _) => Inline::Text(text.to_owned()),
        (None, Some(AttributeValue::B(deflated))) => Inline::Deflated(Bytes::copy_from_slice(deflated.as_ref())),
        (None, _) => Inline::Elsewhere,
    };
    let blob = text(attributes, DOCUMENT_BLOB).map(str::to_owned);
    if matches!(document, Inline::Elsewhere) && blob.is_none() {
        return Err(broken(DOCUMENT));
    }
    let expires_at = integer(attributes, EXPIRES_AT);
    Ok(Found { expires_at, blob, rev, index: index(attributes), document, key })
}

/// The item of a keys-only index: where it is, and where it is listed.
pub(super) fn read_keys(table: Table, attributes: &Attributes) -> Result<Item, String> {
    Ok(Item {
        key: key(table, attributes)?,
        rev: 0,
        document: String::new(),
        index: index(attributes),
        expires_at: None,
    })
}

pub(super) fn key(table: Table, attributes: &Attributes) -> Result<Key, String> {
    match (text(attributes, PARTITION), text(attributes, SORT)) {
        (Some(partition), Some(sort)) => Ok(Key::new(table, partition, sort)),
        _ => Err(format!("{} has no readable key", name(table))),
    }
}

impl Found {
    /// The whole item, given what is in the blob store if [`Found::blob`] names something.
    pub(super) fn into_item(self, fetched: Option<&[u8]>) -> Result<Item, String> {
        let Self { key, rev, index, expires_at, document, .. } = self;
        let unpacked = match (document, fetched) {
            (Inline::Text(text), _) => Ok(text),
            (Inline::Deflated(deflated), _) => unpack(&deflated),
            (Inline::Elsewhere, fetched) => unpack(fetched.unwrap_or_default()),
        };
        let document = unpacked.map_err(|damage| format!("{}: {damage}", name(key.table)))?;
        Ok(Item { key, rev, document, index, expires_at })
    }
}

/// An item for the log, by no more than its table: keys hold the secrets of addresses, and people's e-mail addresses.
const fn name(table: Table) -> &'static str {
    match table {
        Table::Directory => "an item of the directory",
        Table::Runs => "an item of the runs",
        Table::Records => "an item of the records",
    }
}

fn index(attributes: &Attributes) -> Option<IndexKey> {
    let partition = text(attributes, INDEX_PARTITION)?.to_owned();
    let sort = text(attributes, INDEX_SORT)?.to_owned();
    Some(IndexKey { partition, sort })
}

fn text<'attributes>(attributes: &'attributes Attributes, name: &str) -> Option<&'attributes str> {
    attributes.get(name)?.as_s().ok().map(String::as_str)
}

fn integer<N: std::str::FromStr>(attributes: &Attributes, name: &str) -> Option<N> {
    attributes.get(name)?.as_n().ok()?.parse().ok()
}

//! Typed documents in and out of store items.

use serde::{Serialize, de::DeserializeOwned};

use crate::ports::{Item, Page, Unavailable};

/// A document together with the `rev` of the item it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The item's `rev`, to be expected when it is written again.
    pub rev: u64,
    /// The document.
    pub value: T,
}

/// One page of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The documents.
    pub items: Vec<T>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// The JSON text of `value`.
///
/// *Errors*: [`Unavailable`], though none of our documents can fail to serialise: their keys are text.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<String, Unavailable> {
    serde_json::to_string(value).map_err(|error| Unavailable { port: "store", cause: error.to_string() })
}

/// The document in `item` as JSON, numbers spelled as they were written.
///
/// *Errors*: as [`read`].
pub(crate) fn read_value(item: &Item) -> Result<serde_json::Value, Unavailable> {
    domain::exact::parse(&item.document).map_err(|error| unreadable(item, &error))
}

/// The document in `item`.
///
/// *Errors*: [`Unavailable`] when another program wrote something else there; waiting for a roll-back may help.
pub(crate) fn read<T: DeserializeOwned>(item: &Item) -> Result<T, Unavailable> {
    serde_json::from_str(&item.document).map_err(|error| unreadable(item, &error))
}

/// The document in `item`, with its `rev`.
pub(crate) fn read_versioned<T: DeserializeOwned>(item: &Item) -> Result<Versioned<T>, Unavailable> {
    Ok(Versioned { rev: item.rev, value: read(item)? })
}

/// The documents of a page.
pub(crate) fn read_page<T: DeserializeOwned>(page: &Page) -> Result<Listing<T>, Unavailable> {
    let items = page.items.iter().map(read).collect::<Result<Vec<T>, Unavailable>>()?;
    Ok(Listing { items, next: page.next.clone() })
}

fn unreadable(item: &Item, error: &serde_json::Error) -> Unavailable {
    // Keys hold addresses and the parser's message may quote the document, so the log learns where and not what.
    let (table, line, column) = (item.key.table, error.line(), error.column());
    Unavailable {
        port: "store",
        cause: format!("a document in {table:?} cannot be read (line {line}, column {column})"),
    }
}

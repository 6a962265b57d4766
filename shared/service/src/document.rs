//! Typed documents in and out of store items.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

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

/// The document in `item`, which is one of several things and says by its only key which.
///
/// A later build may say more beside it; such keys are passed over, as they are in any other document.
///
/// *Errors*: as [`read`].
pub(crate) fn read_one_of<T: DeserializeOwned>(item: &Item) -> Result<T, Unavailable> {
    serde_json::from_str(&item.document).or_else(|error| {
        let keys: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&item.document).unwrap_or_default();
        let one = |key| serde_json::from_str(&serde_json::to_string(&BTreeMap::from([key])).ok()?).ok();
        keys.into_iter().find_map(one).ok_or_else(|| unreadable(item, &error))
    })
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

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::Value;

    use super::read_one_of;
    use crate::ports::{Item, Key, Table};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Either {
        Nothing,
        Data(#[serde(with = "domain::exact")] Value),
        Text(String),
    }

    fn read(document: &str) -> Result<Either, String> {
        let key = Key::new(Table::Runs, "partition", "sort");
        let item = Item { key, rev: 1, document: document.to_owned(), index: None, expires_at: None };
        read_one_of(&item).map_err(|error| error.to_string())
    }

    #[test]
    fn a_document_that_is_one_of_several_may_say_more_than_this_build_knows() {
        let exact = domain::exact::parse("[1e400, 0.10]").unwrap();
        for (document, either) in [
            (r#""nothing""#, Either::Nothing),
            (r#"{"text":"a"}"#, Either::Text("a".to_owned())),
            (r#"{"later":{"text":"b"},"text":"a"}"#, Either::Text("a".to_owned())),
            (r#"{"text":"a","later":1}"#, Either::Text("a".to_owned())),
            (r#"{"data":[1e400, 0.10],"later":1}"#, Either::Data(exact)),
        ] {
            assert_eq!(read(document), Ok(either), "{document}");
        }
    }

    #[test]
    fn a_document_that_is_none_of_them_cannot_be_read() {
        for document in
            ["", "{", "{}", "[]", "1", r#""text""#, r#"{"later":1}"#, r#"{"text":1}"#, r#"{"text":1,"later":"a"}"#]
        {
            let refused = read(document).unwrap_err();
            assert!(refused.contains("a document in Runs cannot be read"), "{document}: {refused}");
        }
    }
}

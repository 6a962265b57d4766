//! Records for people.

use serde_json::{Map, Value};

use super::Table;
use crate::output::{Page, brief, shortened, text_at};

const TITLE_LIMIT_CHARS: usize = 60;
const VALUE_LIMIT_CHARS: usize = 200;

/// Where a record keeps the words that tell it from others, in the order of preference.
const TITLE_KEYS: [&str; 4] = ["title", "name", "subject", "body"];

/// What an entry of a list is known by: an address, a number, an id that another system gave, an account.
const ENTRY_KEYS: [&str; 4] = ["email", "phone", "externalId", "id"];

/// One record with everything it has.
pub(super) fn view(record: &Value) -> Page {
    let mut page = Page::default();
    let mut fields = vec![("id", text_at(record, "/id"))];
    for (name, related) in members(record, "/relationships").filter(|(name, _)| *name != "org") {
        fields.push((name, text_at(related, "/data/id")));
    }
    for (name, value) in members(record, "/attributes").filter(|(name, _)| *name != "custom") {
        fields.push((name, shortened(&told(value), VALUE_LIMIT_CHARS)));
    }
    page.fields(&fields);
    let rows = members(record, "/attributes/custom");
    let rows: Vec<_> =
        rows.map(|(name, value)| [name.to_owned(), shortened(&brief(value), VALUE_LIMIT_CHARS)]).collect();
    if !rows.is_empty() {
        page.line("");
        page.table(["CUSTOM ATTRIBUTE", "VALUE"], rows);
    }
    page
}

/// Records of one kind.
pub(super) fn table(table: &Table, records: &[Value]) -> Page {
    if records.is_empty() {
        let hint =
            if table.is_of_klass() { " Without --customer those are listed that belong to no customer." } else { "" };
        return Page::of_line(format!("There are no {}.{hint}", table.plural));
    }
    let mut page = Page::default();
    let (header, attribute) = table.column;
    let row = |record: &Value| {
        let last = record.pointer(&format!("/attributes/{attribute}")).map_or_else(|| "-".to_owned(), told);
        let created = text_at(record, "/attributes/createdAt");
        [text_at(record, "/id"), created, title(record), shortened(&last, VALUE_LIMIT_CHARS)]
    };
    page.table(["ID", "CREATED", "TITLE", header], records.iter().map(row).collect());
    page
}

/// Records of every kind.
pub(super) fn timeline(records: &[Value]) -> Page {
    if records.is_empty() {
        return Page::of_line("There is nothing here.");
    }
    let mut page = Page::default();
    let row = |record: &Value| {
        let custom = record.pointer("/attributes/custom").map_or_else(|| "-".to_owned(), brief);
        let created = text_at(record, "/attributes/createdAt");
        let custom = shortened(&custom, VALUE_LIMIT_CHARS);
        [created, text_at(record, "/type"), text_at(record, "/id"), title(record), custom]
    };
    page.table(["CREATED", "TYPE", "ID", "TITLE", "CUSTOM"], records.iter().map(row).collect());
    page
}

fn title(record: &Value) -> String {
    let title = TITLE_KEYS.iter().find_map(|key| record.get("attributes")?.get(key)?.as_str());
    shortened(title.unwrap_or("-"), TITLE_LIMIT_CHARS)
}

/// A value in a word; a list by what its entries are known by.
fn told(value: &Value) -> String {
    let Some(entries) = value.as_array().filter(|entries| !entries.is_empty()) else { return brief(value) };
    let known = |entry: &Value| {
        let key = ENTRY_KEYS.iter().find_map(|key| entry.get(key));
        brief(key.unwrap_or(entry))
    };
    entries.iter().map(known).collect::<Vec<_>>().join(", ")
}

fn members<'v>(document: &'v Value, pointer: &str) -> impl Iterator<Item = (&'v str, &'v Value)> + use<'v> {
    let members: Option<&Map<String, Value>> = document.pointer(pointer).and_then(Value::as_object);
    members.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

//! The schema.org microdata of an HTML text, as JSON-LD would write it. It is read as the HTML standard says, in the tree a browser builds:
//! a property outside of its item is lost, however plainly its author meant it.

mod tree;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::scripts::mentions;
use crate::refusal::RESERVED_KEY_PREFIX;
use tree::{NodeId, Tree, tree};

/// Bytes of an HTML text that is read for microdata.
///
/// *Why*: building a tree takes long for hostile texts; mail programs cut off HTML long before.
const HTML_LIMIT_BYTES: usize = 256 * 1024;

/// Items, properties and characters that come out of one mail: `itemref` and properties with many names can make very much of very little.
const ITEMS_LIMIT: usize = 1_000;
const STEPS_LIMIT: usize = 500_000;
const TEXT_LIMIT_BYTES: usize = 409_600;

/// Items within each other.
const ITEM_DEPTH_LIMIT: usize = 50;

/// What may still be read in a mail, over all its texts.
pub(crate) struct Room {
    items: usize,
    steps: usize,
    text_bytes: usize,
}

impl Room {
    /// For a mail.
    pub(crate) const WHOLE: Self = Self { items: ITEMS_LIMIT, steps: STEPS_LIMIT, text_bytes: TEXT_LIMIT_BYTES };

    const NONE: Self = Self { items: 0, steps: 0, text_bytes: 0 };
}

/// The items that stand by themselves and have a type of schema.org, in the order of the text; none when the text is past a limit, because
/// half an item is worse than none, and then none of further texts.
///
/// *Shape*: `{"@context":"http://schema.org","@type":"Order","orderNumber":"7","acceptedOffer":{"@type":"Offer",…}}`. All values are texts,
/// items, or arrays of both where a property came more than once; white space in texts is one space. URLs are as they were written.
///
/// *Limits*: 256 KiB of HTML, 100,000 nodes 256 deep; over all texts of a mail 1,000 items 50 deep and 409,600 bytes of texts, each counted as often as it comes out.
///
/// *Source*: HTML Living Standard, section 5 (microdata).
pub(crate) fn items(html: &str, room: &mut Room) -> Vec<Value> {
    if room.items == 0 || html.len() > HTML_LIMIT_BYTES || !mentions(html, "itemscope") {
        return Vec::new();
    }
    let Some(tree) = tree(html) else {
        return Vec::new();
    };
    let items = Reader::new(&tree, room).top_level_items();
    items.unwrap_or_else(|| {
        *room = Room::NONE;
        Vec::new()
    })
}

struct Reader<'t, 'r> {
    tree: &'t Tree,
    /// The place of each node in the order of the text.
    places: HashMap<NodeId, usize>,
    /// The first element with each `id`.
    ids: HashMap<&'t str, NodeId>,
    /// The items that are being read, from the outermost one: an item cannot be a property of itself.
    open: Vec<NodeId>,
    room: &'r mut Room,
}

impl<'t, 'r> Reader<'t, 'r> {
    fn new(tree: &'t Tree, room: &'r mut Room) -> Self {
        let order = tree.in_order();
        let mut ids = HashMap::new();
        for node in &order {
            if let Some(id) = tree.attribute(*node, "id") {
                ids.entry(id).or_insert(*node);
            }
        }
        let places = order.into_iter().enumerate().map(|(place, node)| (node, place)).collect();

        Self { tree, places, ids, open: Vec::new(), room }
    }

    /// `None` when a limit was passed.
    fn top_level_items(&mut self) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        for node in self.tree.in_order() {
            if !self.is_item(node) || self.tree.attribute(node, "itemprop").is_some() {
                continue;
            }
            if let Some(Types { context, names }) = self.types(node) {
                let mut item = Map::new();
                item.insert("@context".to_owned(), context.into());
                self.read_item(node, names, &mut item)?;
                items.push(Value::Object(item));
            }
        }
        Some(items)
    }

    fn read_item(&mut self, node: NodeId, types: Value, item: &mut Map<String, Value>) -> Option<()> {
        self.room.items = self.room.items.checked_sub(1)?;
        if self.open.len() >= ITEM_DEPTH_LIMIT {
            return None;
        }

        if !types.is_null() {
            item.insert("@type".to_owned(), types);
        }
        if let Some(id) = self.tree.attribute(node, "itemid") {
            item.insert("@id".to_owned(), self.counted(id.trim())?);
        }
        self.open.push(node);
        for property in self.properties(node)? {
            self.read_property(property, item)?;
        }
        self.open.pop();
        Some(())
    }

    /// The elements that are properties of the item, in the order of the text: those within it, and those its `itemref` names.
    fn properties(&mut self, item: NodeId) -> Option<Vec<NodeId>> {
        let mut pending = self.tree.children(item).to_vec();
        for id in self.tree.attribute(item, "itemref").unwrap_or_default().split_ascii_whitespace() {
            pending.extend(self.ids.get(id));
        }

        let mut seen = HashSet::from([item]);
        let mut properties = Vec::new();
        while let Some(node) = pending.pop() {
            self.room.steps = self.room.steps.checked_sub(1)?;
            if !seen.insert(node) {
                continue;
            }
            if !self.is_item(node) {
                pending.extend(self.tree.children(node));
            }
            if self.tree.attribute(node, "itemprop").is_some() {
                properties.push(node);
            }
        }
        properties.sort_by_key(|node| self.places.get(node));
        Some(properties)
    }

    fn read_property(&mut self, node: NodeId, item: &mut Map<String, Value>) -> Option<()> {
        let names = self.tree.attribute(node, "itemprop").unwrap_or_default();

        let value = match self.is_item(node) {
            true if self.open.contains(&node) => return Some(()),
            true => self.nested_item(node)?,
            false => self.counted(&plain_value(self.tree, node))?,
        };
        let mut names = names.split_ascii_whitespace().filter(|name| is_property_name(name)).peekable();
        while let Some(name) = names.next() {
            if names.peek().is_some() {
                self.count_copy(&value)?;
            }
            add(item, name, value.clone());
        }
        Some(())
    }

    fn nested_item(&mut self, node: NodeId) -> Option<Value> {
        let types = self.types(node).map_or(Value::Null, |types| types.names);
        let mut nested = Map::new();
        self.read_item(node, types, &mut nested)?;
        Some(Value::Object(nested))
    }

    fn is_item(&self, node: NodeId) -> bool {
        self.tree.attribute(node, "itemscope").is_some()
    }

    /// The item's types of schema.org; `None` when it has none.
    fn types(&self, node: NodeId) -> Option<Types> {
        let mut context = None;
        let mut names = Vec::new();
        for url in self.tree.attribute(node, "itemtype")?.split_ascii_whitespace() {
            if let Some((vocabulary, name)) = schema_org(url) {
                context.get_or_insert(vocabulary);
                names.push(Value::from(name));
            }
        }
        let names = if names.len() > 1 { Value::Array(names) } else { names.pop()? };
        Some(Types { context: context?, names })
    }

    /// *Why*: an element may have many names, and so may the elements around it.
    fn count_copy(&mut self, value: &Value) -> Option<()> {
        self.room.items = self.room.items.checked_sub(items_in(value))?;
        self.room.text_bytes = self.room.text_bytes.checked_sub(value.to_string().len())?;
        Some(())
    }

    fn counted(&mut self, text: &str) -> Option<Value> {
        self.room.text_bytes = self.room.text_bytes.checked_sub(text.len())?;
        Some(text.into())
    }
}

/// How many items a value is, with those within it.
fn items_in(value: &Value) -> usize {
    match value {
        Value::Object(properties) => 1 + properties.values().map(items_in).sum::<usize>(),
        Value::Array(values) => values.iter().map(items_in).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// What an item is, as JSON-LD would say it.
struct Types {
    context: &'static str,
    /// A name, or an array of them.
    names: Value,
}

fn schema_org(url: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, name) = rest.split_once('/')?;
    let is_schema_org = host.eq_ignore_ascii_case("schema.org") || host.eq_ignore_ascii_case("www.schema.org");

    let context = match scheme.to_ascii_lowercase().as_str() {
        "http" => "http://schema.org",
        "https" => "https://schema.org",
        _ => return None,
    };
    (is_schema_org && !name.is_empty()).then_some((context, name))
}

/// The names with `@` are JSON-LD's own.
fn is_property_name(name: &str) -> bool {
    !name.starts_with('@') && !name.starts_with(RESERVED_KEY_PREFIX)
}

/// The value of a property that is no item: what the standard says for the element, else its text.
fn plain_value(tree: &Tree, node: NodeId) -> String {
    let attribute = match tree.name(node) {
        "meta" => "content",
        "audio" | "embed" | "iframe" | "img" | "source" | "track" | "video" => "src",
        "a" | "area" | "link" => "href",
        "object" => "data",
        "data" | "meter" => "value",
        "time" if tree.attribute(node, "datetime").is_some() => "datetime",
        _ => return with_single_spaces(&tree.text(node, TEXT_LIMIT_BYTES)),
    };
    tree.attribute(node, attribute).unwrap_or_default().trim().to_owned()
}

/// The text as it is shown: white space in HTML is layout.
fn with_single_spaces(text: &str) -> String {
    let mut shown = String::new();
    for word in text.split_ascii_whitespace() {
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(word);
    }
    shown
}

/// Adds a value of a property; the second one makes it an array.
fn add(item: &mut Map<String, Value>, name: &str, value: Value) {
    match item.get_mut(name) {
        None => {
            item.insert(name.to_owned(), value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

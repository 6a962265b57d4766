//! Paths such as `$.body.customer.email`. A key that contains a dot cannot be written here; `$get` reaches it.

use std::borrow::Cow;

use serde_json::Value;

use super::{Lets, Scope};

/// A root and the keys or indices below it.
#[derive(Debug, Clone)]
pub(super) struct Path {
    root: Root,
    keys: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Root {
    Body,
    Headers,
    Query,
    Method,
    Item,
    /// A named value, by its position.
    Let(usize),
}

impl Path {
    /// Reads a path.
    ///
    /// *Errors*: a root that does not exist, a name that is not given before, or an empty key.
    pub(super) fn parse(text: &str, lets: &Lets) -> Result<Self, String> {
        let mut keys = text.split('.').skip(1);
        let root = match keys.next() {
            Some("body") => Root::Body,
            Some("headers") => Root::Headers,
            Some("query") => Root::Query,
            Some("method") => Root::Method,
            Some("item") => Root::Item,
            Some("let") => {
                let position = keys.next().and_then(|name| lets.position(name));
                Root::Let(position.ok_or_else(|| format!("{text} uses a name that no let before it gives"))?)
            }
            Some(_) | None => {
                return Err(format!("{text} begins with no root: body, headers, query, method, item or let"));
            }
        };
        let keys: Vec<String> = keys.map(str::to_owned).collect();
        if keys.iter().any(String::is_empty) {
            return Err(format!("{text} has an empty key"));
        }
        Ok(Self { root, keys })
    }

    pub(super) fn value<'s>(&self, scope: Scope<'s>) -> Option<Cow<'s, Value>> {
        let input = scope.context.input;
        match self.root {
            Root::Body => below(input.body, &self.keys),
            Root::Item => below(scope.item?, &self.keys),
            Root::Let(position) => below(scope.context.named(position)?, &self.keys),
            Root::Headers => below_map(input.headers, &self.keys),
            Root::Query => below_map(input.query, &self.keys),
            Root::Method if self.keys.is_empty() => Some(Cow::Owned(Value::from(input.method))),
            Root::Method => None,
        }
    }
}

fn below<'s>(root: &'s Value, keys: &[String]) -> Option<Cow<'s, Value>> {
    keys.iter().try_fold(root, |value, key| member(value, key)).map(Cow::Borrowed)
}

fn below_map<'s>(root: &'s serde_json::Map<String, Value>, keys: &[String]) -> Option<Cow<'s, Value>> {
    match keys.split_first() {
        Some((key, keys)) => below(root.get(key)?, keys),
        None => Some(Cow::Owned(Value::Object(root.clone()))),
    }
}

/// The member of an object, or the element of a list where `key` is its index.
pub(super) fn member<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(object) => object.get(key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

//! An arrival while it is mapped, and the values that were given a name. Each of them is worked out once, when it is first asked for.

use std::{borrow::Cow, cell::OnceCell};

use serde_json::{Map, Value};

use super::{Input, Mapping, Scope};

/// Named mappings, read as `$.let.name`. Each may use those before it, so none can use itself.
#[derive(Debug, Clone, Default)]
pub struct Lets(Vec<(String, Mapping)>);

/// An arrival and what is known of it so far.
#[derive(Debug)]
pub struct Context<'a> {
    pub(super) input: &'a Input<'a>,
    lets: &'a Lets,
    values: Vec<OnceCell<Option<Value>>>,
}

impl Lets {
    /// Reads `{"name": MAPPING}`.
    ///
    /// *Errors*: a sentence that begins with the name.
    pub fn parse(document: &Map<String, Value>) -> Result<Self, String> {
        let mut lets = Self::default();
        for (name, json) in document {
            let mapping = Mapping::parse(json, &lets).map_err(|problem| format!("let {name}: {problem}"))?;
            lets.0.push((name.clone(), mapping));
        }
        Ok(lets)
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(other, _)| other == name)
    }
}

impl<'a> Context<'a> {
    /// Nothing is worked out yet.
    pub fn new(input: &'a Input<'a>, lets: &'a Lets) -> Self {
        Self { input, lets, values: vec![OnceCell::new(); lets.0.len()] }
    }

    /// The value of the named mapping at this position.
    pub(super) fn named(&self, position: usize) -> Option<&Value> {
        let (_, mapping) = self.lets.0.get(position)?;
        let value = || mapping.at(Scope { context: self, item: None }).map(Cow::into_owned);
        self.values.get(position)?.get_or_init(value).as_ref()
    }
}

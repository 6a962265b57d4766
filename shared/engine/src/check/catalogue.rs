//! The actions that steps may use, with the JSON Schema of their params.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jsonschema::Validator;
use serde_json::Value;

/// Actions by their names.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// What it adds to, such as the actions of an app to those that there are anyway.
    base: Option<&'static Catalogue>,
    actions: BTreeMap<String, ActionSchema>,
    /// Actions that there are where documents come from, and not here.
    elsewhere: BTreeSet<String>,
}

/// What an action takes.
pub(super) struct ActionSchema {
    pub(super) name: String,
    /// The JSON Schema of its params.
    pub(super) schema: Value,
    pub(super) validator: Validator,
}

impl fmt::Debug for ActionSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionSchema").field("name", &self.name).field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Catalogue {
    /// The catalogue of these actions, each with the JSON Schema of its params.
    ///
    /// *Errors* — a sentence, when a schema is none.
    pub fn new(actions: impl IntoIterator<Item = (String, Value)>) -> Result<Catalogue, String> {
        let mut catalogue = Catalogue::default();
        for (name, schema) in actions {
            let validator = jsonschema::validator_for(&schema)
                .map_err(|error| format!("The schema of the params of {name} is none: {error}."))?;
            catalogue.actions.insert(name.clone(), ActionSchema { name, schema, validator });
        }
        Ok(catalogue)
    }

    /// The catalogue of everything in `base` and of these actions; of one name, those of `base` count.
    ///
    /// *Errors* — as [`Catalogue::new`].
    pub fn over(
        base: &'static Catalogue,
        actions: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<Catalogue, String> {
        Ok(Catalogue { base: Some(base), ..Catalogue::new(actions)? })
    }

    /// The same, which knows the names of actions that there are where documents come from, and not here: they are not
    /// misspelt.
    #[must_use]
    pub fn with_elsewhere(self, names: impl IntoIterator<Item = String>) -> Catalogue {
        Catalogue { elsewhere: names.into_iter().collect(), ..self }
    }

    /// The names of all actions, those of each catalogue in alphabetical order.
    pub fn names(&self) -> Vec<&str> {
        let mut names = self.base.map_or_else(Vec::new, Catalogue::names);
        names.extend(self.actions.keys().map(String::as_str));
        names
    }

    pub(super) fn is_elsewhere(&self, name: &str) -> bool {
        self.elsewhere.contains(name) || self.base.is_some_and(|base| base.is_elsewhere(name))
    }

    pub(super) fn find(&self, name: &str) -> Option<&ActionSchema> {
        self.base.and_then(|base| base.find(name)).or_else(|| self.actions.get(name))
    }
}

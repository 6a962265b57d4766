//! Definitions, parsed once and remembered: nothing under a hash ever changes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{Failure, OrgId};
use engine::Definition;

use crate::{
    calling,
    directory::workflows::{self, Workflow},
    document::Versioned,
    ports::{Store, Unavailable},
};

/// How many definitions are remembered, and how many bytes of JSON they have together; past it all are forgotten, which costs
/// one read each. *Why the bytes*: parsed, a definition takes ten times its own, and one may have a megabyte.
const LIMIT: usize = 100;
const LIMIT_BYTES: usize = 4_194_304;

/// Why there is no definition to run.
pub(super) enum NoDefinition {
    /// It is there and this program cannot run it, or it is not there at all.
    Unusable(Failure),
    /// The store did not answer.
    Unavailable(Unavailable),
}

/// Parsed definitions by org and hash.
#[derive(Default)]
pub(super) struct Definitions {
    parsed: Mutex<Parsed>,
}

#[derive(Default)]
struct Parsed {
    definitions: HashMap<(OrgId, String), Arc<Definition>>,
    bytes: usize,
}

impl Definitions {
    /// The definition under `hash`.
    pub(super) async fn get(&self, store: &dyn Store, org: OrgId, hash: &str) -> Result<Arc<Definition>, NoDefinition> {
        let key = (org, hash.to_owned());
        if let Some(known) = self.parsed.lock().unwrap_or_else(PoisonError::into_inner).definitions.get(&key) {
            return Ok(Arc::clone(known));
        }
        let definition = Arc::new(load(store, org, hash).await?);
        let bytes = definition.document().to_string().len();
        let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if parsed.definitions.len() >= LIMIT || parsed.bytes + bytes > LIMIT_BYTES {
            *parsed = Parsed::default();
        }
        parsed.bytes += bytes;
        parsed.definitions.insert(key, Arc::clone(&definition));
        Ok(definition)
    }

    /// The workflow that `name` names, by name or id, if it can be called, and its definition.
    ///
    /// *Errors*: a failure that says why it cannot.
    pub(super) async fn callable(
        &self,
        store: &dyn Store,
        org: OrgId,
        name: &str,
    ) -> Result<Result<(Versioned<Workflow>, Arc<Definition>), Failure>, Unavailable> {
        let workflow = match calling::find_callable(store, org, name).await? {
            Ok(workflow) => workflow,
            Err(failure) => return Ok(Err(failure)),
        };
        match self.get(store, org, &workflow.value.hash).await {
            Ok(definition) => Ok(Ok((workflow, definition))),
            Err(NoDefinition::Unusable(failure)) => Ok(Err(failure)),
            Err(NoDefinition::Unavailable(error)) => Err(error),
        }
    }
}

async fn load(store: &dyn Store, org: OrgId, hash: &str) -> Result<Definition, NoDefinition> {
    let found = workflows::find_definition(store, org, hash).await.map_err(NoDefinition::Unavailable)?;
    let Some(document) = found else {
        let message = format!("The definition {hash} of this run is not in the store any more.");
        return Err(NoDefinition::Unusable(Failure::new("definition_missing", message)));
    };
    Definition::parse(&document).map_err(|problems| {
        let told: Vec<String> =
            problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
        let message = format!("This program cannot run the definition: {}", told.join("; "));
        NoDefinition::Unusable(Failure::new("definition_unusable", message))
    })
}

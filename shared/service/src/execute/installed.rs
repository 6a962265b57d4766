//! What step 1 is where an installed app says so.

use std::sync::Arc;

use domain::{OrgId, Timestamp, Transaction};
use engine::app::{AppDefinition, app_of};
use serde_json::Value;

use super::Executor;
use crate::{
    directory::apps,
    ports::{Store, Unavailable},
    remembered::Remembered,
    runs::{AppTrigger, Shape, installed_version},
};

/// How many definitions are remembered; past it all are forgotten, which costs one read each. *Why so few*: one may have a
/// megabyte.
const LIMIT: usize = 20;

/// Definitions by org, app and version.
pub(super) struct Installed(Remembered<(OrgId, String, String), Arc<AppDefinition>>);

impl Default for Installed {
    fn default() -> Self {
        Self(Remembered::at_most(LIMIT))
    }
}

impl Installed {
    /// The definition of a version; none where it is not there, or this program cannot read it.
    pub(super) async fn definition(
        &self,
        store: &dyn Store,
        now: Timestamp,
        (org, app, version): (OrgId, &str, &str),
    ) -> Result<Option<Arc<AppDefinition>>, Unavailable> {
        let key = (org, app.to_owned(), version.to_owned());
        if let Some(known) = self.0.find_any(&key) {
            return Ok(Some(known));
        }
        let Some(document) = apps::find_version(store, org, app, version).await? else { return Ok(None) };
        match AppDefinition::parse(&document) {
            Ok(definition) => {
                let definition = Arc::new(definition);
                self.0.put(key, Arc::clone(&definition), now);
                Ok(Some(definition))
            }
            Err(problems) => {
                tracing::error!(
                    app.name = app,
                    app.version = version,
                    ?problems,
                    "a definition of an app cannot be read"
                );
                Ok(None)
            }
        }
    }
}

impl Executor {
    /// What the app whose event it is gives to step 1 in the place of the transaction; nothing where no app does.
    pub(super) async fn shaped(
        &self,
        transaction: &Transaction,
        event: &str,
    ) -> Result<Option<AppTrigger>, Unavailable> {
        let Some(app) = app_of(event) else { return Ok(None) };
        let Some(version) = installed_version(self.store.as_ref(), transaction.org, app).await? else {
            return Ok(None);
        };
        let place = (transaction.org, app, version.as_str());
        let definition = self.installed.definition(self.store.as_ref(), self.world.now(), place).await?;
        let definition = definition.as_ref();
        let Some(trigger) =
            definition.and_then(|definition| definition.trigger(event)).filter(|one| one.has_template())
        else {
            return Ok(None);
        };
        let document = transaction.document();
        let attributes = document.get("attributes").unwrap_or(&Value::Null);
        let shape = match trigger.output(attributes, transaction.created_at, &transaction.id.to_string()) {
            Ok(output) => Shape::Output(output),
            Err(sentence) => Shape::Problem(sentence),
        };
        Ok(Some(AppTrigger { app: app.to_owned(), version, shape }))
    }
}

//! Installed apps when a transaction is admitted: what step 1 is, and which version of each app its runs use.
//!
//! Which version counts is settled with the transaction, so what a run does never changes under it: definitions never change.

use std::{collections::BTreeMap, sync::Arc};

use domain::{OrgId, Timestamp, Transaction};
use engine::app::{AppDefinition, app_of};
use serde_json::Value;

use super::Executor;
use crate::{
    directory::{
        apps::{self, AppState},
        workflows::Trigger,
    },
    ports::{Store, Unavailable},
    remembered::Remembered,
    runs::{AppTrigger, Considered, Shape, Verdict},
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
        let Some(version) = self.version_of(transaction.org, app).await? else { return Ok(None) };
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

    /// Settles for the runs that start which version of each app they use.
    pub(super) async fn pin(
        &self,
        org: OrgId,
        triggers: &[Trigger],
        considered: &mut [Considered],
    ) -> Result<(), Unavailable> {
        let mut versions: BTreeMap<&str, Option<String>> = BTreeMap::new();
        for (trigger, considered) in triggers.iter().zip(considered).filter(|(_, one)| one.verdict == Verdict::Started)
        {
            for app in &trigger.apps {
                if !versions.contains_key(app.as_str()) {
                    versions.insert(app, self.version_of(org, app).await?);
                }
                if let Some(Some(version)) = versions.get(app.as_str()) {
                    considered.apps.insert(app.clone(), version.clone());
                }
            }
        }
        Ok(())
    }

    /// Which version of the app is installed.
    async fn version_of(&self, org: OrgId, app: &str) -> Result<Option<String>, Unavailable> {
        let found = apps::find_installed(self.store.as_ref(), org, app).await?;
        Ok(found.filter(|found| found.value.state == AppState::Installed).map(|found| found.value.version))
    }
}

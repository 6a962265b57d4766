//! Which version of each app the runs of a transaction use.
//!
//! It is settled with the transaction, so what a run does never changes under it: definitions of apps never change.

use std::collections::BTreeMap;

use domain::OrgId;

use super::{Considered, Verdict};
use crate::{
    directory::{
        apps::{self, AppState},
        workflows::Trigger,
    },
    ports::{Store, Unavailable},
};

/// Settles for the runs that start which version of each app they use; `considered` are in the order of `triggers`.
pub async fn pin(
    store: &dyn Store,
    org: OrgId,
    triggers: &[Trigger],
    considered: &mut [Considered],
) -> Result<(), Unavailable> {
    let mut versions: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for (trigger, considered) in triggers.iter().zip(considered).filter(|(_, one)| one.verdict == Verdict::Started) {
        for app in &trigger.apps {
            if !versions.contains_key(app.as_str()) {
                versions.insert(app, installed_version(store, org, app).await?);
            }
            if let Some(Some(version)) = versions.get(app.as_str()) {
                considered.apps.insert(app.clone(), version.clone());
            }
        }
    }
    Ok(())
}

/// Which version of the app is installed.
pub async fn installed_version(store: &dyn Store, org: OrgId, app: &str) -> Result<Option<String>, Unavailable> {
    let found = apps::find_installed(store, org, app).await?;
    Ok(found.filter(|found| found.value.state == AppState::Installed).map(|found| found.value.version))
}

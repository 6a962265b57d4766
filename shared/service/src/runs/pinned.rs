//! Which version of each app the runs of a transaction use.
//!
//! It is settled with the transaction, so what a run does never changes under it: definitions of apps never change.

use std::collections::{BTreeMap, BTreeSet};

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
    let started = |one: &Considered| one.verdict == Verdict::Started;
    let starting = triggers.iter().zip(&*considered).filter(|(_, one)| started(one));
    let apps: BTreeSet<&String> = starting.flat_map(|(trigger, _)| &trigger.apps).collect();
    let versions = installed_versions(store, org, apps).await?;
    for (trigger, considered) in triggers.iter().zip(considered).filter(|(_, one)| started(one)) {
        let used = trigger.apps.iter().filter_map(|app| Some((app.clone(), versions.get(app)?.clone())));
        considered.apps.extend(used);
    }
    Ok(())
}

/// Which version of each of the apps is installed; those that are not are left out.
pub async fn installed_versions<'a>(
    store: &dyn Store,
    org: OrgId,
    apps: impl IntoIterator<Item = &'a String>,
) -> Result<BTreeMap<String, String>, Unavailable> {
    let mut versions = BTreeMap::new();
    for app in apps {
        if let Some(version) = installed_version(store, org, app).await? {
            versions.insert(app.clone(), version);
        }
    }
    Ok(versions)
}

/// Which version of the app is installed.
pub async fn installed_version(store: &dyn Store, org: OrgId, app: &str) -> Result<Option<String>, Unavailable> {
    let found = apps::find_installed(store, org, app).await?;
    Ok(found.filter(|found| found.value.state == AppState::Installed).map(|found| found.value.version))
}

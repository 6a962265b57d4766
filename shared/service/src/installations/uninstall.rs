//! Uninstalling an app: first it is marked, then everything it brought along goes, and the mark last.

use domain::{Rejected, Rejection};
use engine::app::AppRange;
use serde_json::Map;

use super::{Refusal, Site, install::write, settings, upgrade::not_installed};
use crate::{
    directory::{
        Versioned,
        apps::{self, AppState, Installed, Parts},
        hooks, klasses, workflows,
    },
    runs::RETENTION_SECONDS,
};

/// Uninstalls the app. Doing it again ends what was interrupted.
///
/// *Once it returns* its hooks take nothing, its workflows start nothing, its klasses and settings are gone. Runs under way
/// go on, records stay, and its versions can be installed again.
/// *Errors*: [`Refusal`]: it is not installed, or others need it.
pub async fn uninstall(site: &Site<'_>, name: &str) -> Result<(), Refusal> {
    let fence = apps::find_fence(site.store, site.org).await?;
    let found = apps::find_installed(site.store, site.org, name).await?.ok_or_else(|| not_installed(name))?;
    let marked = match found.value.state {
        AppState::Uninstalling => found,
        AppState::Installed => {
            check_dependents(name, &apps::all_installed(site.store, site.org).await?)?;
            let app = Installed { state: AppState::Uninstalling, ..found.value };
            let changes = [apps::move_fence(site.org, fence), apps::put_installed(site.org, &app, Some(found.rev))?];
            write(site, &changes).await?;
            Versioned { rev: found.rev + 1, value: app }
        }
    };
    take_away(site, name, &marked.value.parts).await?;
    take_away(site, name, &marked.value.leaving).await?;
    let (set, rev) = settings::set_of(site.store, site.org, &marked.value).await?;
    let mut changes = vec![apps::remove_installed(site.org, name, marked.rev)];
    if rev.is_some() {
        let before = (marked.value.settings.as_slice(), &set, rev);
        changes.extend(settings::changes(site.org, name, before, (&[], &Map::new()), site.world.now())?);
    }
    write(site, &changes).await?;
    tracing::info!(app.name = name, "an app was uninstalled");
    Ok(())
}

fn check_dependents(name: &str, installed: &[Installed]) -> Result<(), Rejected> {
    let depends = |app: &&Installed| {
        let mut ranges = app.dependencies.iter().filter_map(|text| AppRange::parse(text));
        ranges.any(|range| range.app == name)
    };
    let dependents: Vec<&str> = installed.iter().filter(depends).map(|app| app.name.as_str()).collect();
    if dependents.is_empty() {
        return Ok(());
    }
    let detail = format!("These apps need {name}: {}. Uninstall them first.", dependents.join(", "));
    Err(Rejected::new(Rejection::Taken, "needed_by", detail))
}

/// Deletes what `app` brought along, the hooks first, so that nothing arrives for workflows that are gone. What is gone
/// already is left out.
pub(super) async fn take_away(site: &Site<'_>, app: &str, parts: &Parts) -> Result<(), Refusal> {
    let (store, org) = (site.store, site.org);
    for hook in &parts.hooks {
        if let Some(found) = hooks::find(store, org, hook.kind, hook.id).await? {
            hooks::delete(store, &found.value, found.rev, site.world.now()).await?;
        }
        site.addresses.forget(hook.hash);
    }
    let until = site.world.now().plus_seconds(RETENTION_SECONDS).as_second();
    for workflow in &parts.workflows {
        if let Some(found) = workflows::find(store, org, workflow.id).await? {
            workflows::delete(store, &found, until).await?;
        }
    }
    for klass in &parts.klasses {
        let found = klasses::find(store, org, klass).await?;
        if found.is_some_and(|found| found.value.installed_by.as_deref() == Some(app)) {
            klasses::delete(store, org, klass).await?;
        }
    }
    Ok(())
}

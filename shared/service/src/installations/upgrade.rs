//! Upgrading an app: the newer version counts with one write, and what it does not have any more goes after it.

use domain::{Rejected, Rejection};
use engine::app::{AppDefinition, AppRange};

use super::{
    Refusal, Site,
    assembly::{Assembly, assemble},
    definition,
    install::{MailIs, check_dependencies, check_mail, check_names, described, uninstalling, write},
    settings,
    uninstall::take_away,
    version_of,
};
use crate::{
    directory::{
        Versioned,
        apps::{self, AppState, Installed, Parts},
        workflows,
    },
    ports::{Change, Unavailable},
};

/// Upgrades the app to the version, or to its newest. Doing it again ends what was interrupted.
///
/// *Once it returns* runs that begin use the newer version; those under way go on with the one they began with. Hooks and
/// workflows that both versions have keep their ids and addresses.
/// *Errors*: [`Refusal`]: it is not installed, the version is lower, other apps need the one that is installed.
pub async fn upgrade(site: &Site<'_>, name: &str, version: Option<&str>, mail: MailIs) -> Result<Installed, Refusal> {
    let fence = apps::find_fence(site.store, site.org).await?;
    let found = apps::find_installed(site.store, site.org, name).await?.ok_or_else(|| not_installed(name))?;
    if found.value.state == AppState::Uninstalling {
        return Err(Rejected::new(Rejection::Taken, "uninstalling", uninstalling(name)).into());
    }
    let before = sweep(site, found).await?;
    let definition = definition(site, name, version).await?;
    let is = version_of(&before.value.version)?;
    if definition.version == is {
        return Ok(before.value);
    }
    if definition.version < is {
        return Err(downgrade(&before.value, &definition).into());
    }
    check_mail(&definition, mail)?;
    let installed = apps::all_installed(site.store, site.org).await?;
    check_dependencies(&definition, &installed)?;
    check_dependents(&definition, &installed)?;
    check_names(site, &definition, &before.value.parts).await?;
    let assembly = assemble(site, &definition, &before.value.parts).await?;
    let after = put(site, (fence, before), &definition, assembly).await?;
    tracing::info!(app.name = name, app.version = after.value.version, "an app was upgraded");
    Ok(sweep(site, after).await?.value)
}

/// The one write that makes the version count.
async fn put(
    site: &Site<'_>,
    (fence, before): (Option<u64>, Versioned<Installed>),
    definition: &AppDefinition,
    assembly: Assembly,
) -> Result<Versioned<Installed>, Refusal> {
    let (now, rev) = (site.world.now(), before.rev);
    let leaving = left_out(&before.value.parts, &assembly.parts);
    let app =
        Installed { created_at: before.value.created_at, parts: assembly.parts, leaving, ..described(definition, now) };
    let mut changes = vec![apps::move_fence(site.org, fence), apps::put_installed(site.org, &app, Some(rev))?];
    let (set, set_rev) = settings::set_of(site.store, site.org, &app).await?;
    let kept = settings::carried_over(&before.value.settings, &app.settings, &set);
    if kept != set {
        let before = (before.value.settings.as_slice(), &set, set_rev);
        changes.extend(settings::changes(site.org, &app.name, before, (&app.settings, &kept), now)?);
    }
    changes.extend(assembly.changes);
    changes.extend(deafening(site, &app.leaving).await?);
    write(site, &changes).await?;
    Ok(Versioned { rev: rev + 1, value: app })
}

/// What `before` has and `after` has not.
fn left_out(before: &Parts, after: &Parts) -> Parts {
    Parts {
        hooks: before.hooks.iter().filter(|hook| !after.hooks.contains(hook)).cloned().collect(),
        workflows: before.workflows.iter().filter(|one| !after.workflows.contains(one)).cloned().collect(),
        klasses: before.klasses.iter().filter(|klass| !after.klasses.contains(klass)).cloned().collect(),
    }
}

/// The changes after which workflows that are to go start no runs: no event shall find both versions.
async fn deafening(site: &Site<'_>, leaving: &Parts) -> Result<Vec<Change>, Unavailable> {
    let mut changes = Vec::new();
    for workflow in &leaving.workflows {
        let found = workflows::find(site.store, site.org, workflow.id).await?;
        changes.extend(found.map(|found| workflows::deafening(&found.value)));
    }
    Ok(changes)
}

/// Takes away what the version before had and this one has not.
async fn sweep(site: &Site<'_>, app: Versioned<Installed>) -> Result<Versioned<Installed>, Refusal> {
    if app.value.leaving.is_empty() {
        return Ok(app);
    }
    take_away(site, &app.value.name, &app.value.leaving).await?;
    let swept = Installed { leaving: Parts::default(), ..app.value };
    write(site, &[apps::put_installed(site.org, &swept, Some(app.rev))?]).await?;
    Ok(Versioned { rev: app.rev + 1, value: swept })
}

pub(super) fn not_installed(name: &str) -> Rejected {
    let name = domain::shortened(name, super::SHOWN_CHARS);
    Rejected::new(Rejection::NotFound, "not_found", format!("No app {name} is installed in your org."))
}

fn downgrade(before: &Installed, definition: &AppDefinition) -> Rejected {
    let Installed { name, version, .. } = before;
    let detail = format!(
        "The app {name} is installed in version {version}, and {} is lower. Uninstall it and install that version, or \
         register what was in it under a higher number.",
        definition.version
    );
    Rejected { path: "$.version".to_owned(), ..Rejected::new(Rejection::Taken, "downgrade", detail) }
}

/// Whether other apps can go on with this version.
fn check_dependents(definition: &AppDefinition, installed: &[Installed]) -> Result<(), Rejected> {
    let takes = |range: &AppRange| range.app != definition.name || range.takes(&definition.version);
    let stuck = installed.iter().filter(|app| {
        let ranges = app.dependencies.iter().filter_map(|text| AppRange::parse(text));
        ranges.into_iter().any(|range| !takes(&range))
    });
    let stuck: Vec<&str> = stuck.map(|app| app.name.as_str()).collect();
    if stuck.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "These apps do not take version {} of {}: {}. Upgrade them first.",
        definition.version,
        definition.name,
        stuck.join(", ")
    );
    Err(Rejected::new(Rejection::Taken, "needed_by", detail))
}

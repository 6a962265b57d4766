//! Installing an app: everything it brings along, in one write.

use domain::{HookKind, Rejected, Rejection};
use engine::app::{AppDefinition, AppRange};

use super::{
    Refusal, Site,
    assembly::assemble,
    definition,
    known::{is_built_in, takes_built_in},
    settings, version_of,
};
use crate::{
    directory::{
        apps::{self, APPS_LIMIT, AppState, Installed, Parts},
        hooks, klasses, workflows,
    },
    ports::{Unavailable, WriteError},
};

/// Whether mail can be received here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailIs {
    /// It can.
    SetUp,
    /// It cannot, so an app with email hooks would wait for ever.
    Missing,
}

/// Installs the version of the app, or its newest.
///
/// *Once it returns* all of it is there; where it is refused, nothing is.
/// *Errors*: [`Refusal`]: it is installed already, needs other apps, or brings names that are taken.
pub async fn install(site: &Site<'_>, name: &str, version: Option<&str>, mail: MailIs) -> Result<Installed, Refusal> {
    let fence = apps::find_fence(site.store, site.org).await?;
    if let Some(before) = apps::find_installed(site.store, site.org, name).await? {
        return Err(already(&before.value).into());
    }
    if is_built_in(name) {
        let detail =
            format!("The app {name} is built in: its hooks, triggers and actions are there without installing it.");
        return Err(Rejected::new(Rejection::Taken, "built_in", detail).into());
    }
    let definition = definition(site, name, version).await?;
    check_mail(&definition, mail)?;
    let installed = apps::all_installed(site.store, site.org).await?;
    if installed.len() >= APPS_LIMIT {
        let detail = format!("An org has at most {APPS_LIMIT} apps installed; uninstall one that nobody needs.");
        return Err(Rejected::new(Rejection::Taken, "too_many_apps", detail).into());
    }
    check_dependencies(&definition, &installed)?;
    check_names(site, &definition, &Parts::default()).await?;
    let assembly = assemble(site, &definition, &Parts::default()).await?;
    let now = site.world.now();
    let app = Installed { parts: assembly.parts, created_at: now, ..described(&definition, now) };
    let (set, rev) = settings::set_of(site.store, site.org, &app).await?;
    let kept = settings::carried_over(&[], &app.settings, &set);
    let mut changes = vec![apps::move_fence(site.org, fence), apps::put_installed(site.org, &app, None)?];
    if kept != set {
        let after = (app.settings.as_slice(), &kept);
        changes.extend(settings::changes(site.org, name, (&[], &set, rev), after, now)?);
    }
    changes.extend(assembly.changes);
    write(site, &changes).await?;
    tracing::info!(app.name = name, app.version = app.version, "an app was installed");
    Ok(app)
}

/// The app as it is installed, without what it brings along.
pub(super) fn described(definition: &AppDefinition, now: domain::Timestamp) -> Installed {
    Installed {
        name: definition.name.clone(),
        version: definition.version.to_string(),
        title: definition.title.clone(),
        state: AppState::Installed,
        dependencies: definition.dependencies.iter().map(|range| range.text.clone()).collect(),
        settings: definition.settings.clone(),
        parts: Parts::default(),
        leaving: Parts::default(),
        created_at: now,
        updated_at: now,
    }
}

/// Makes all changes or none.
///
/// *Errors*: a conflict is told as one of apps, because the fence is among the changes.
pub(super) async fn write(site: &Site<'_>, changes: &[crate::ports::Change]) -> Result<(), Refusal> {
    Ok(site.store.write(changes).await.inspect_err(|error| {
        if let WriteError::Conflict { position, .. } = error {
            tracing::debug!(position, "somebody else changed what an app is made of at the same moment");
        }
    })?)
}

fn already(installed: &Installed) -> Rejected {
    let Installed { name, version, state, .. } = installed;
    let detail = match state {
        AppState::Installed => {
            format!("The app {name} is installed already, in version {version}. Upgrade it: PUT /v1/apps/{name}.")
        }
        AppState::Uninstalling => uninstalling(name),
    };
    Rejected::new(Rejection::Taken, "already_installed", detail)
}

pub(super) fn uninstalling(name: &str) -> String {
    format!("The app {name} is being uninstalled. End that first: DELETE /v1/apps/{name}.")
}

pub(super) fn check_mail(definition: &AppDefinition, mail: MailIs) -> Result<(), Rejected> {
    let has_email_hooks = definition.hooks.iter().any(|hook| hook.kind == HookKind::Email);
    if mail == MailIs::Missing && has_email_hooks {
        let detail = "The app has an email hook, and this stack has no mail domain. Deploy it with the parameter MailDomain; \
                      docs/deploy.md has the steps.";
        return Err(Rejected::new(Rejection::NotFound, "mail_not_set_up", detail));
    }
    Ok(())
}

/// Whether everything that the app depends on is there.
pub(super) fn check_dependencies(definition: &AppDefinition, installed: &[Installed]) -> Result<(), Refusal> {
    let unmet: Vec<String> = definition
        .dependencies
        .iter()
        .filter_map(|range| unmet(range, installed).transpose())
        .collect::<Result<_, Unavailable>>()?;
    if unmet.is_empty() {
        return Ok(());
    }
    let detail = format!("The app {} needs others first: {}.", definition.name, unmet.join("; "));
    Err(Rejected::new(Rejection::Taken, "dependency_unmet", detail).into())
}

fn unmet(range: &AppRange, installed: &[Installed]) -> Result<Option<String>, Unavailable> {
    if is_built_in(&range.app) {
        return Ok((!takes_built_in(range)).then(|| format!("{} is built in as version 1.x", range.app)));
    }
    let found = installed.iter().find(|app| app.name == range.app && app.state == AppState::Installed);
    match found {
        None => Ok(Some(format!("install {} {}", range.app, range.range))),
        Some(app) if range.takes(&version_of(&app.version)?) => Ok(None),
        Some(app) => Ok(Some(format!("{} is installed as {}, and {} is needed", app.name, app.version, range.range))),
    }
}

/// Whether the names that the app brings along, and did not bring `before`, are free.
pub(super) async fn check_names(site: &Site<'_>, definition: &AppDefinition, before: &Parts) -> Result<(), Refusal> {
    let mut taken: Vec<String> = Vec::new();
    for workflow in &definition.workflows {
        let is_own = before.workflows.iter().any(|own| own.name == workflow.name);
        if !is_own && workflows::is_taken(site.store, site.org, &workflow.name).await? {
            taken.push(format!("there is a workflow `{}`", workflow.name));
        }
    }
    for klass in definition.klasses.iter().filter(|klass| !klass.is_standard) {
        let is_own = before.klasses.contains(&klass.name);
        if !is_own && klasses::find(site.store, site.org, &klass.name).await?.is_some() {
            taken.push(format!("there is a klass `{}`", klass.name));
        }
    }
    for hook in hooks::all(site.store, site.org).await? {
        let is_own = hook.installed_by.as_deref() == Some(&definition.name);
        if !is_own && definition.hooks.iter().any(|part| part.event_name == hook.event_name) {
            taken.push(format!("the {} hook {} fires `{}`", hook.kind.word(), hook.id, hook.event_name));
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "The app {} brings names along that are taken: {}. Rename or delete what is in the way.",
        definition.name,
        taken.join("; ")
    );
    Err(Rejected::new(Rejection::Taken, "names_taken", detail).into())
}

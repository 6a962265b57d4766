//! `hookwright workflows plan|apply|diff|export DIR`: an org as a folder in a repository says it, and the folder as the org is.
//!
//! A plan is made of what is in the folder and of what the org has, and nothing else: no file remembers what was applied. So it is
//! the same from a fresh checkout, against local mode and against a stack.

mod apply;
mod export;
mod org;
mod plan;
mod secrets;
mod told;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use engine::Problem;

use self::{
    export::Overwrite,
    org::Org,
    plan::{Act, Plan, Prune},
    secrets::Secrets,
    told::Detail,
};
use crate::{
    commands::lint,
    failure::Failure,
    output::{self, Format, Page},
    project::{Part, Project, Unusable, hook_checks, hooks, problem},
    session::Session,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Tell what `apply` would do with a folder of hooks, klasses, apps and workflows
    #[command(after_help = "\
Examples:
  hookwright workflows plan .
  hookwright workflows plan shop --prune --exit-code
  hookwright workflows diff shop            (with what is different)

The folder holds hooks/NAME.json, klasses/NAME.json, apps/NAME.json and workflows/NAME.json; see docs/projects.md.")]
    Plan {
        /// The folder of the project
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        #[command(flatten)]
        asked: Asked,
    },
    /// Make the org what a folder of hooks, klasses, apps and workflows says
    #[command(after_help = "\
Examples:
  hookwright workflows apply shop
  hookwright workflows apply shop --secrets ~/shop-secrets.json
  hookwright workflows apply shop --prune --yes

It ends at the first refusal and goes on there when it is done again; where there is nothing to do it does nothing.
The secrets of hooks are in no project: {\"shop\": {\"secrets\": [\"…\"]}} names them by the hook's file.")]
    Apply {
        /// The folder of the project
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// Delete what the org has and the folder does not, of those parts that the folder has
        #[arg(long)]
        prune: bool,
        /// Do delete it
        #[arg(long, requires = "prune")]
        yes: bool,
        /// The file with the secrets of hooks that are made, or - for standard input
        #[arg(long, value_name = "FILE")]
        secrets: Option<String>,
    },
}

/// What is asked of a plan.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Asked {
    /// Also tell what `apply --prune` would delete (of a folder)
    #[arg(long)]
    pub(super) prune: bool,
    /// End with 7 where there is something to do (of a folder)
    #[arg(long)]
    pub(super) exit_code: bool,
}

impl Asked {
    /// Whether nothing was asked.
    pub(super) fn is_plain(&self) -> bool {
        !self.prune && !self.exit_code
    }
}

/// The folder that `target` names, where it is no id: an id is 24 hex digits, and a folder is there, or is written with a `/` or a `.`.
pub(super) fn folder(target: &str) -> Option<&Path> {
    let is_id = target.len() == 24 && target.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_folder = !is_id && (target.contains(['/', '\\', '.']) || Path::new(target).is_dir());
    is_folder.then(|| Path::new(target))
}

/// Carries the command out.
pub(super) fn run(command: Command, session: &Session) -> Result<(), Failure> {
    match command {
        Command::Plan { dir, asked } => show(&dir, &asked, Detail::Acts, session),
        Command::Apply { dir, prune, yes, secrets } => {
            let project = read(&dir, session.format)?;
            let secrets = Secrets::read(secrets.as_deref(), &project)?;
            let org = Org::read(&session.client, &project.folders, &project)?;
            let plan = plan::plan(&project, &org, prune_of(prune));
            check_conflicts(&plan, session.format)?;
            check_secrets(&plan, &secrets, session.format)?;
            check_deletes(&plan, yes)?;
            apply::apply(session, &project, &org, &plan, &secrets)
        }
    }
}

/// Tells what is different between the org and the folder.
///
/// *Errors*: versions are asked for, which a folder has none of.
pub(super) fn diff(dir: &Path, version: Option<String>, asked: &Asked, session: &Session) -> Result<(), Failure> {
    match version {
        None => show(dir, asked, Detail::Changes, session),
        Some(_) => Err(Failure::Usage("--from and --to are for one workflow, which is named by its id.".to_owned())),
    }
}

/// What is said where flags of folders are given beside an id.
pub(super) fn for_folders(flags: &str) -> Failure {
    Failure::Usage(format!("{flags} goes with the folder of a project; write it with a `/`, as ./shop."))
}

/// Writes the org into the folder.
pub(super) fn export(dir: &Path, force: bool, session: &Session) -> Result<(), Failure> {
    let is_project = Part::ALL.iter().any(|part| dir.join(part.folder()).symlink_metadata().is_ok());
    let project = if is_project { read(dir, session.format)? } else { Project::default() };
    let org = Org::read(&session.client, &Part::ALL, &project)?;
    let overwrite = if force { Overwrite::Yes } else { Overwrite::No };
    export::export(session, dir, &project, &org, overwrite)
}

fn show(dir: &Path, asked: &Asked, detail: Detail, session: &Session) -> Result<(), Failure> {
    let project = read(dir, session.format)?;
    let org = Org::read(&session.client, &project.folders, &project)?;
    let plan = plan::plan(&project, &org, prune_of(asked.prune));
    check_conflicts(&plan, session.format)?;
    output::print(&match session.format {
        Format::Human => told::page(&plan, detail),
        Format::Json => {
            let mut page = Page::default();
            page.json(&told::document(&plan, detail));
            page
        }
    })?;
    if asked.exit_code && plan.pending() > 0 { Err(Failure::Pending) } else { Ok(()) }
}

fn read(dir: &Path, format: Format) -> Result<Project, Failure> {
    Project::read(dir).map_err(|unusable| match unusable {
        Unusable::Folder(sentence) => Failure::Usage(sentence),
        Unusable::Files(faults) => faulty(&faults, format),
    })
}

fn prune_of(prune: bool) -> Prune {
    if prune { Prune::Yes } else { Prune::No }
}

fn check_conflicts(plan: &Plan<'_>, format: Format) -> Result<(), Failure> {
    if plan.conflicts.is_empty() { Ok(()) } else { Err(faulty(&plan.conflicts, format)) }
}

/// Webhooks that cannot be made without secrets are told before anything is done.
fn check_secrets(plan: &Plan<'_>, secrets: &Secrets, format: Format) -> Result<(), Failure> {
    let mut faults = Vec::new();
    for item in plan.items.iter().filter(|item| item.part == Part::Hooks && item.act.is_change()) {
        let Some(entry) = item.entry else { continue };
        let Some(kind) = hooks::kind_of(entry.text("kind")) else { continue };
        let settings = hooks::settings(kind, &entry.document);
        if !hooks::has_new_scheme(item.standing.map(|standing| &standing.document), &settings) {
            continue;
        }
        if let Some((setting, sentence)) = hook_checks::auth_problem(&settings, secrets.of(&entry.handle)) {
            let message = match setting.as_str() {
                "secrets" => format!(
                    "{sentence} Name it in the file of --secrets: {{\"{}\": {{\"secrets\": [\"…\"]}}}}.",
                    entry.handle
                ),
                _ => sentence,
            };
            faults.push((entry.file.clone(), vec![problem(format!("$.auth.{setting}"), "bad_auth", message)]));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faulty(&faults, format)) }
}

fn check_deletes(plan: &Plan<'_>, yes: bool) -> Result<(), Failure> {
    let gone: Vec<String> = plan
        .items
        .iter()
        .filter(|item| item.act == Act::Delete)
        .map(|item| format!("{} {}", item.part.noun(), item.name()))
        .collect();
    if yes || gone.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "Nothing was done: this would delete {}. Say --yes beside --prune if that is meant.",
        gone.join(", ")
    )))
}

/// Tells what is wrong with the files, as `lint` does.
fn faulty(faults: &[(String, Vec<Problem>)], format: Format) -> Failure {
    let faults: Vec<(&str, Vec<Problem>)> =
        faults.iter().map(|(file, problems)| (file.as_str(), problems.clone())).collect();
    output::print_error(&match format {
        Format::Human => lint::sentences(&faults),
        Format::Json => lint::document(&faults),
    });
    Failure::Problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_told_from_an_id() {
        for target in [".", "..", "./shop", "shop/", "a/b", "shop.d", "src"] {
            assert_eq!(folder(target), Some(Path::new(target)));
        }
        for target in ["6a1f2e3d4c5b6a7980a1b2c3", "w1", "no-such-folder"] {
            assert_eq!(folder(target), None);
        }
    }
}

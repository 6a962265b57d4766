//! Writing an org into a folder, so that it is a project.
//!
//! Files that say what the org has stay as they are, however they are written. Names of new files come from titles and
//! names alone, and ids become placeholders: two orgs that are the same are written the same.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

use super::{
    org::{self, Org, Standing},
    plan::{Act, Plan, Prune, plan},
};
use crate::{
    failure::Failure,
    output::{self, Format, Page},
    project::{
        Part, Project,
        files::is_handle,
        placeholders,
        placeholders::{Placeholder, Thing},
        workflows,
    },
    session::Session,
};

/// The most characters of a file's name that is made of a title.
const SLUG_LIMIT_CHARS: usize = 64;

/// Whether files that say something else are written over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwrite {
    /// They are.
    Yes,
    /// They are told.
    No,
}

/// A thing of the org and the file that it belongs in.
struct Kept<'o> {
    part: Part,
    standing: &'o Standing,
    handle: String,
    path: PathBuf,
    state: State,
}

/// How a file stands to what the org has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Same,
    Other,
}

/// Writes the org into `dir`, beside what the project there has.
///
/// *Errors*: files would be written over; two things could not be told from each other.
pub(super) fn export(
    session: &Session,
    dir: &Path,
    project: &Project,
    org: &Org,
    overwrite: Overwrite,
) -> Result<(), Failure> {
    check_titles(org)?;
    let plan = plan(project, org, Prune::No);
    let kept = kept(dir, project, org, &plan);
    let others: Vec<String> =
        kept.iter().filter(|kept| kept.state == State::Other).map(|kept| kept.path.display().to_string()).collect();
    if overwrite == Overwrite::No && !others.is_empty() {
        return Err(Failure::Usage(format!(
            "These files say something else than the org does, and nothing was written: {}. See `hookwright workflows diff {}`; --force writes over them.",
            others.join(", "),
            dir.display()
        )));
    }
    let ids = ids(&kept);
    for kept in kept.iter().filter(|kept| kept.state != State::Same) {
        write(&kept.path, &document(session, kept, &ids)?)?;
    }
    let absent: Vec<String> = plan
        .items
        .iter()
        .filter(|item| item.act == Act::Create)
        .filter_map(|item| item.entry.map(|entry| entry.file.clone()))
        .collect();
    tell(session, &kept, &absent)
}

/// Hooks are known by their titles, so two of one kind and title are one hook too many.
fn check_titles(org: &Org) -> Result<(), Failure> {
    let own: Vec<&Standing> = org.hooks.iter().filter(|hook| hook.owner.is_none()).collect();
    for hook in &own {
        let same = own.iter().filter(|other| other.kind == hook.kind && other.name == hook.name);
        let ids: Vec<&str> = same.map(|other| other.id.as_str()).collect();
        if ids.len() > 1 {
            return Err(Failure::Usage(format!(
                "The org has {} hooks called \"{}\": {}. A project knows hooks by their titles; rename all but one with `hookwright hooks update ID --title …`.",
                ids.len(),
                hook.name,
                ids.join(", ")
            )));
        }
    }
    Ok(())
}

fn kept<'o>(dir: &Path, project: &Project, org: &'o Org, plan: &Plan<'_>) -> Vec<Kept<'o>> {
    let mut all = Vec::new();
    for part in Part::ALL {
        let mut taken: BTreeSet<String> =
            project.entries(part).iter().map(|entry| entry.handle.to_ascii_lowercase()).collect();
        let mut own: Vec<&Standing> = org.of(part).iter().filter(|standing| standing.owner.is_none()).collect();
        own.sort_by_key(|standing| (standing.name.as_str(), standing.kind.map(domain::HookKind::word)));
        for standing in own {
            let known = plan.items.iter().find(|item| {
                item.part == part
                    && item.standing.is_some_and(|found| found.id == standing.id && found.kind == standing.kind)
            });
            let entry = known.and_then(|item| Some((item.act, item.entry?)));
            let (handle, path, state) = match entry {
                Some((act, entry)) => {
                    let state = if act == Act::Nothing { State::Same } else { State::Other };
                    (entry.handle.clone(), PathBuf::from(&entry.file), state)
                }
                None => {
                    let handle = new_handle(part, &standing.name, &mut taken);
                    let path = dir.join(part.folder()).join(format!("{handle}.json"));
                    (handle, path, State::New)
                }
            };
            all.push(Kept { part, standing, handle, path, state });
        }
    }
    all
}

/// A file name for what is called `name`, which no file has yet.
fn new_handle(part: Part, name: &str, taken: &mut BTreeSet<String>) -> String {
    let base = match part {
        Part::Klasses | Part::Apps | Part::Workflows if is_handle(name) => name.to_owned(),
        Part::Klasses | Part::Apps | Part::Workflows | Part::Hooks => slug(name, part.noun()),
    };
    let numbered = (2..).map(|number: usize| format!("{base}-{number}"));
    let mut names = std::iter::once(base.clone()).chain(numbered);
    let handle = names.find(|name| !taken.contains(&name.to_ascii_lowercase())).unwrap_or(base);
    taken.insert(handle.to_ascii_lowercase());
    handle
}

/// The letters and digits of `name` in lower case, with dashes between the words.
fn slug(name: &str, otherwise: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug: String =
        words.collect::<Vec<_>>().join("-").to_ascii_lowercase().chars().take(SLUG_LIMIT_CHARS).collect();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { otherwise.to_owned() } else { slug.to_owned() }
}

/// The placeholders of everything that a workflow may name.
fn ids(kept: &[Kept<'_>]) -> HashMap<String, Placeholder> {
    let mut ids = HashMap::new();
    for Kept { part, standing, handle, .. } in kept {
        match part {
            Part::Klasses | Part::Apps => {}
            Part::Workflows => {
                ids.insert(standing.id.clone(), Placeholder::of(Thing::WorkflowId, handle));
            }
            Part::Hooks => {
                ids.insert(standing.id.clone(), Placeholder::of(Thing::HookId, handle));
                if let Some(hash) = standing.shown.get("hash").and_then(Value::as_str) {
                    ids.insert(hash.to_owned(), Placeholder::of(Thing::HookHash, handle));
                }
            }
        }
    }
    ids
}

fn document(
    session: &Session,
    kept: &Kept<'_>,
    ids: &HashMap<String, Placeholder>,
) -> Result<Map<String, Value>, Failure> {
    let standing = kept.standing;
    Ok(match kept.part {
        Part::Klasses | Part::Hooks => standing.document.clone(),
        Part::Workflows => placeholders::put_back(&workflows::written(&standing.shown), ids),
        Part::Apps => {
            let version = standing.shown.get("version").and_then(Value::as_str).unwrap_or_default();
            let registered = org::registered(&session.client, &standing.name, version)?;
            let gone = || format!("Version {version} of the app {} is registered no more.", standing.name);
            registered.ok_or_else(|| Failure::not_found(gone()))?.document
        }
    })
}

fn write(path: &Path, document: &Map<String, Value>) -> Result<(), Failure> {
    let text = format!("{:#}\n", Value::Object(document.clone()));
    let written = match path.parent() {
        Some(folder) => fs::create_dir_all(folder).and_then(|()| fs::write(path, text)),
        None => fs::write(path, text),
    };
    written.map_err(|error| Failure::Usage(format!("The file {} cannot be written: {error}.", path.display())))
}

/// *Shape*: `{"data": {"type": "project_export", "attributes": {"files": [{"file", "part", "state"}]}}}`
fn tell(session: &Session, kept: &[Kept<'_>], absent: &[String]) -> Result<(), Failure> {
    let mut page = Page::default();
    match session.format {
        Format::Human => {
            for kept in kept.iter().filter(|kept| kept.state != State::Same) {
                page.line(format!("written: {}", kept.path.display()));
            }
            absent.iter().for_each(|file| page.line(format!("not in the org: {file}")));
            let same = kept.iter().filter(|kept| kept.state == State::Same).count();
            page.line(format!("{} written, {same} unchanged.", kept.len() - same));
        }
        Format::Json => {
            let files = kept.iter().map(|kept| {
                let state = if kept.state == State::Same { "unchanged" } else { "written" };
                json!({ "file": kept.path.display().to_string(), "part": kept.part.folder(), "state": state })
            });
            let absent = absent.iter().map(|file| json!({ "file": file, "part": Value::Null, "state": "not_in_org" }));
            let files: Vec<Value> = files.chain(absent).collect();
            page.json(&json!({ "data": { "type": "project_export", "attributes": { "files": files } } }));
        }
    }
    output::print(&page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_come_from_titles_and_are_each_ones_own() {
        let mut taken = BTreeSet::from(["contact".to_owned()]);
        let rows = [
            (Part::Hooks, "Web orders!", "web-orders"),
            (Part::Hooks, "web ORDERS", "web-orders-2"),
            (Part::Hooks, "Contact", "contact-2"),
            (Part::Hooks, "漢字", "hook"),
            (Part::Hooks, "../../etc/passwd", "etc-passwd"),
            (Part::Workflows, "Order.v1", "Order.v1"),
            (Part::Workflows, "order.V1", "order.V1-2"),
            (Part::Workflows, "a.test", "a-test"),
            (Part::Workflows, ".hidden", "hidden"),
        ];
        for (part, name, handle) in rows {
            assert_eq!(new_handle(part, name, &mut taken), handle, "{name}");
        }
        let long = new_handle(Part::Hooks, &"x".repeat(200), &mut taken);
        assert_eq!(long.len(), SLUG_LIMIT_CHARS);
    }
}

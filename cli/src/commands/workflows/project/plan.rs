//! What there is to do to make an org what a project says. It asks nothing and does nothing.

use std::collections::HashMap;

use engine::{Problem, diff};
use semver::Version;
use serde_json::{Map, Value};

use super::org::{self, Org, Standing};
use crate::project::{
    Entry, Part, Project, hook_checks, hooks,
    order::{self, Move},
    placeholders::{self, Placeholder, Thing},
    problem, workflows,
};

/// What is done with a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// It is not there yet.
    Create,
    /// It is there, and says something else.
    Update,
    /// It says the same.
    Nothing,
    /// It is not in the project, and goes.
    Delete,
    /// It is not in the project, and stays.
    Leave,
}

impl Act {
    /// The word of it, for programs.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Nothing => "unchanged",
            Self::Delete => "delete",
            Self::Leave => "not_in_project",
        }
    }

    /// Whether an org is another one after it.
    pub(super) const fn is_change(self) -> bool {
        match self {
            Self::Create | Self::Update | Self::Delete => true,
            Self::Nothing | Self::Leave => false,
        }
    }
}

/// Whether what is not in the project goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prune {
    /// It goes.
    Yes,
    /// It stays.
    No,
}

/// One thing and what is done with it.
#[derive(Debug)]
pub(super) struct Item<'p> {
    pub(super) part: Part,
    pub(super) act: Act,
    /// The file that says so; none of what is not in the project.
    pub(super) entry: Option<&'p Entry>,
    /// What the org has.
    pub(super) standing: Option<&'p Standing>,
    /// What is different.
    pub(super) changes: diff::Changes,
    /// What else is to be known.
    pub(super) note: Option<String>,
}

impl Item<'_> {
    /// What people call it.
    pub(super) fn name(&self) -> &str {
        match (self.entry, self.standing) {
            (Some(entry), _) => &entry.handle,
            (None, Some(standing)) => &standing.name,
            (None, None) => "",
        }
    }
}

/// All of it, in the order in which it is done.
#[derive(Debug)]
pub(super) struct Plan<'p> {
    pub(super) items: Vec<Item<'p>>,
    /// The steps of the workflows, told by their places in the project.
    pub(super) moves: Vec<Move>,
    /// What keeps the project from being applied to this org, by file.
    pub(super) conflicts: Vec<(String, Vec<Problem>)>,
}

impl Plan<'_> {
    /// How many things are done something with.
    pub(super) fn pending(&self) -> usize {
        self.items.iter().filter(|item| item.act.is_change()).count()
    }
}

/// What there is to do.
pub(super) fn plan<'p>(project: &'p Project, org: &'p Org, prune: Prune) -> Plan<'p> {
    let mut plan = Plan { items: Vec::new(), moves: Vec::new(), conflicts: Vec::new() };
    let known = known(project, org);
    for part in Part::ALL {
        for entry in in_order(part, project) {
            let meant = org.meant(part, entry);
            match conflict(part, entry, &meant, org) {
                Some(conflict) => plan.conflicts.push((entry.file.clone(), vec![conflict])),
                None => plan.items.push(item(part, entry, meant.first().copied(), &known, org)),
            }
        }
    }
    plan.moves =
        order::moves(&project.workflows, |handle| known.contains_key(&Placeholder::of(Thing::WorkflowId, handle)));
    for part in Part::ALL.into_iter().rev().filter(|part| project.folders.contains(part)) {
        let mut unknown: Vec<&Standing> =
            org.of(part).iter().filter(|standing| is_unknown(part, standing, project, org)).collect();
        unknown.sort_by_key(|standing| (standing.name.as_str(), standing.kind.map(domain::HookKind::word)));
        if part == Part::Apps {
            unknown = needed_first(unknown, |app, other| depends(&app.shown, &other.name));
            // What nobody needs goes first.
            unknown.reverse();
        }
        let act = if prune == Prune::Yes { Act::Delete } else { Act::Leave };
        let changes = diff::Changes::default;
        plan.items.extend(unknown.into_iter().map(|standing| Item {
            part,
            act,
            entry: None,
            standing: Some(standing),
            changes: changes(),
            note: None,
        }));
    }
    plan
}

/// The ids that the org has for the placeholders of the project.
pub(super) fn known(project: &Project, org: &Org) -> HashMap<Placeholder, String> {
    let mut known = HashMap::new();
    for (part, entries) in [(Part::Hooks, &project.hooks), (Part::Workflows, &project.workflows)] {
        for entry in entries {
            if let [standing] = org.meant(part, entry).as_slice() {
                learn(&mut known, part, &entry.handle, &standing.id, &standing.shown);
            }
        }
    }
    known
}

/// Adds what is known of a hook or a workflow, as the API shows it.
pub(super) fn learn(
    known: &mut HashMap<Placeholder, String>,
    part: Part,
    handle: &str,
    id: &str,
    shown: &Map<String, Value>,
) {
    match part {
        Part::Klasses | Part::Apps => {}
        Part::Workflows => {
            known.insert(Placeholder::of(Thing::WorkflowId, handle), id.to_owned());
        }
        Part::Hooks => {
            known.insert(Placeholder::of(Thing::HookId, handle), id.to_owned());
            if let Some(hash) = shown.get("hash").and_then(Value::as_str) {
                known.insert(Placeholder::of(Thing::HookHash, handle), hash.to_owned());
            }
        }
    }
}

/// What a file says, as it is compared with what an org has.
pub(super) fn said(part: Part, entry: &Entry, known: &HashMap<Placeholder, String>) -> Map<String, Value> {
    match part {
        Part::Klasses => org::klass(&entry.document),
        Part::Apps => org::definition(entry),
        Part::Hooks => match hooks::kind_of(entry.text("kind")) {
            Some(kind) => hooks::settings(kind, &entry.document),
            None => Map::new(),
        },
        Part::Workflows => {
            workflows::meaning(&placeholders::filled(&entry.document, &|placeholder| known.get(placeholder).cloned()))
        }
    }
}

/// The entries of a part; of apps those that others need first.
fn in_order(part: Part, project: &Project) -> Vec<&Entry> {
    let entries: Vec<&Entry> = project.entries(part).iter().collect();
    match part {
        Part::Apps => needed_first(entries, |entry, other| depends(&entry.document, other.text("app"))),
        Part::Klasses | Part::Hooks | Part::Workflows => entries,
    }
}

/// What others need first. Where they need each other, a server says so.
fn needed_first<T: Copy>(mut waiting: Vec<T>, needs: impl Fn(T, T) -> bool) -> Vec<T> {
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_free = |one: &T| !waiting.iter().any(|other| needs(*one, *other));
        let place = waiting.iter().position(is_free).unwrap_or(0);
        ordered.push(waiting.remove(place));
    }
    ordered
}

fn depends(app: &Map<String, Value>, other: &str) -> bool {
    let ranges = app.get("dependencies").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    ranges.filter_map(engine::app::AppRange::parse).any(|range| range.app == other)
}

fn item<'p>(
    part: Part,
    entry: &'p Entry,
    standing: Option<&'p Standing>,
    known: &HashMap<Placeholder, String>,
    org: &Org,
) -> Item<'p> {
    let mut after = said(part, entry, known);
    // The event that a hook has by its id may be written out.
    if part == Part::Hooks
        && standing.is_some_and(|hook| {
            !hook.document.contains_key("eventName") && hook.shown.get("eventName") == after.get("eventName")
        })
    {
        after.shift_remove("eventName");
    }
    let note = note(part, entry, standing, &after);
    let before = match part {
        Part::Apps => standing.map(|_| installed_document(entry, standing, org)),
        Part::Klasses | Part::Hooks | Part::Workflows => standing.map(|standing| standing.document.clone()),
    };
    let (act, changes) = match before {
        None => (Act::Create, diff::Changes::default()),
        Some(before) if before == after => (Act::Nothing, diff::Changes::default()),
        Some(before) => (Act::Update, diff::changes(&Value::Object(before), &Value::Object(after))),
    };
    Item { part, act, entry: Some(entry), standing, changes, note }
}

/// The definition that is installed, as far as it was read: that of the same version, or no more than its version.
fn installed_document(entry: &Entry, standing: Option<&Standing>, org: &Org) -> Map<String, Value> {
    let version = standing.and_then(|app| app.shown.get("version")).and_then(Value::as_str).unwrap_or_default();
    let is_it = |known: &&org::Registered| known.app == entry.text("app") && known.version == version;
    match org.registered.iter().find(is_it) {
        Some(known) => known.document.clone(),
        None => Map::from_iter([("version".to_owned(), Value::from(version))]),
    }
}

fn note(part: Part, entry: &Entry, standing: Option<&Standing>, after: &Map<String, Value>) -> Option<String> {
    match part {
        Part::Klasses | Part::Workflows => None,
        Part::Apps => {
            let version = standing?.shown.get("version").and_then(Value::as_str)?;
            let wanted = org::version_of(entry);
            (version != wanted).then(|| format!("from version {version} to {wanted}"))
        }
        Part::Hooks => {
            let is_new = hooks::has_new_scheme(standing.map(|standing| &standing.document), after);
            let (_, sentence) = hook_checks::auth_problem(after, None).filter(|_| is_new)?;
            Some(format!("{sentence} Apply it with --secrets FILE."))
        }
    }
}

/// What keeps a file from being applied to this org.
fn conflict(part: Part, entry: &Entry, meant: &[&Standing], org: &Org) -> Option<Problem> {
    let standing = match meant {
        [] => return new_conflict(part, entry, org),
        [one] => one,
        several => {
            let ids: Vec<&str> = several.iter().map(|standing| standing.id.as_str()).collect();
            let message = format!(
                "The org has {} hooks of this kind called \"{}\": {}. Rename all but one: `hookwright hooks update ID --kind {} --title …`.",
                several.len(),
                entry.text("title").trim(),
                ids.join(", "),
                entry.text("kind"),
            );
            return Some(problem("$.title", "ambiguous_title", message));
        }
    };
    if let Some(app) = &standing.owner {
        let message =
            format!("The {} {} belongs to the app {app}; give yours another name.", part.noun(), standing.name);
        return Some(problem("$.name", "owned_by_app", message));
    }
    match part {
        Part::Klasses | Part::Workflows => None,
        Part::Apps => app_conflict(entry, standing, org),
        Part::Hooks => {
            let (wanted, has) = (entry.document.get("eventName"), standing.document.get("eventName"));
            let is_same = wanted.filter(|name| !name.is_null()) == has
                // The event that every hook has by its id may be written out, too.
                || (has.is_none() && wanted == standing.shown.get("eventName"));
            let message = format!(
                "The event of the hook {} ({}) cannot change, because workflows listen to it. Leave it as it is, or give this hook another title.",
                standing.name, standing.id
            );
            (!is_same).then(|| problem("$.eventName", "event_changes", message))
        }
    }
}

/// What keeps something from being made.
fn new_conflict(part: Part, entry: &Entry, org: &Org) -> Option<Problem> {
    if part != Part::Apps {
        return None;
    }
    taken_version(entry, org)
}

fn taken_version(entry: &Entry, org: &Org) -> Option<Problem> {
    let version = org::version_of(entry);
    let known = org.registered.iter().find(|known| known.app == entry.text("app") && known.version == version)?;
    let message = format!(
        "Version {version} was registered with another document. Versions never change; give this one a higher number."
    );
    (known.document != org::definition(entry)).then(|| problem("$.version", "version_taken", message))
}

fn app_conflict(entry: &Entry, standing: &Standing, org: &Org) -> Option<Problem> {
    let text = |key: &str| standing.shown.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("state") == "uninstalling" {
        let message =
            format!("The app is being uninstalled. End that first: `hookwright apps uninstall {}`.", standing.name);
        return Some(problem("$.app", "uninstalling", message));
    }
    let (installed, wanted) = (text("version"), org::version_of(entry));
    let is_lower =
        Version::parse(installed).ok().zip(Version::parse(&wanted).ok()).is_some_and(|(has, wants)| wants < has);
    if is_lower {
        let message = format!(
            "Version {installed} is installed, which is higher than {wanted}. Uninstall the app first, or give this one a higher number."
        );
        return Some(problem("$.version", "downgrade", message));
    }
    taken_version(entry, org)
}

/// Whether something of the org's own is in no file.
fn is_unknown(part: Part, standing: &Standing, project: &Project, org: &Org) -> bool {
    let is_meant = |entry: &Entry| org.meant(part, entry).iter().any(|meant| meant.id == standing.id);
    standing.owner.is_none() && !project.entries(part).iter().any(is_meant)
}

//! Reads a definition whose names are whole and collects everything that is wrong with it.
//!
//! An unknown key at the top refuses the definition, as at Kustomer; inside of its parts, keys that nobody reads are kept.

use std::collections::HashSet;

use semver::Version;
use serde_json::Value;

use super::{
    AppDefinition, AppRange,
    action::{self, ActionPart},
    names::{NAMED, is_app_name, prefix},
    parts::{self, HookPart, KlassPart, WorkflowPart},
    settings,
    trigger::{self, TriggerPart},
};
use crate::check::DOCUMENT_LIMIT_BYTES;
use crate::document::{DESCRIPTION_LIMIT_CHARACTERS, EVENT_NAME_LIMIT_BYTES, Object, Presence, Reader};
use crate::naming::quoted;
use crate::problem::{Place, Problems};

/// What a definition may have. *Source* — Kustomer's "App definition" and its starter files.
const ROOT_KEYS: [&str; 30] = [
    "app",
    "version",
    "title",
    "identifier",
    "visibility",
    "description",
    "instructions",
    "iconUrl",
    "screenshots",
    "dependencies",
    "appDetails",
    "installUrl",
    "postInstallMessage",
    "settings",
    "settingsPageConfig",
    "auth",
    "klasses",
    "kviews",
    "widgets",
    "hooks",
    "triggers",
    "actions",
    "workflows",
    "commands",
    "outboundWebhooks",
    "i18n",
    "changelog",
    "roles",
    "default",
    "system",
];

/// Keys that are kept and do nothing here.
const UNUSED_KEYS: [&str; 6] = ["auth", "kviews", "widgets", "commands", "outboundWebhooks", "roles"];

const APP_NAME_LIMIT_BYTES: usize = 64;
const VERSION_LIMIT_BYTES: usize = 64;
const TITLE_LIMIT_CHARACTERS: usize = 256;

/// How many changes of the store the hooks, workflows and klasses of an app may come to. *Why* — a version is installed, and
/// takes the place of another, in one write of at most a hundred: 2 changes for each hook, 6 for each workflow and 1 for each
/// klass, one more for each workflow that it had before, and those of the app itself.
pub const PARTS_LIMIT_CHANGES: usize = 80;
const HOOK_CHANGES: usize = 2;
const WORKFLOW_CHANGES: usize = 6;
const KLASS_CHANGES: usize = 1;

/// The most triggers, actions, settings and dependencies of an app.
pub const TRIGGERS_LIMIT: usize = 100;
/// See [`TRIGGERS_LIMIT`].
pub const ACTIONS_LIMIT: usize = 100;
/// See [`TRIGGERS_LIMIT`].
pub const SETTINGS_LIMIT: usize = 100;
/// See [`TRIGGERS_LIMIT`].
pub const DEPENDENCIES_LIMIT: usize = 20;

/// A definition as far as it could be read.
pub(super) struct Read {
    /// None when there are errors.
    pub(super) definition: Option<AppDefinition>,
    pub(super) problems: Problems,
}

/// Reads a document.
pub(super) fn read(document: &Value) -> Read {
    let mut reader = Reader::default();
    let definition = reader.object(document, &Place::ROOT).and_then(|root| read_root(&mut reader, document, root));
    check_size(&mut reader, document);
    let problems = reader.problems;
    Read { definition: definition.filter(|_| !problems.has_errors()), problems }
}

fn read_root<'d>(reader: &mut Reader<'d>, document: &'d Value, root: &'d Object) -> Option<AppDefinition> {
    check_keys(reader, root);
    let name = read_name(reader, root);
    let version = read_version(reader, root);
    let title = reader.text(root, "title", &Place::ROOT, Presence::Required);
    title.iter().for_each(|title| reader.check_length(title, TITLE_LIMIT_CHARACTERS, &Place::ROOT.key("title")));
    check_texts(reader, root);
    let dependencies = read_dependencies(reader, root, name);
    let settings = settings::read(reader, root);
    check_count(reader, "settings", settings.len(), SETTINGS_LIMIT);
    check_names(reader, root, name);
    let prefix = prefix(name.unwrap_or_default());
    let hooks: Vec<HookPart> = parts::read_hooks(reader, root);
    let triggers: Vec<TriggerPart> = trigger::read(reader, root);
    check_count(reader, "triggers", triggers.len(), TRIGGERS_LIMIT);
    let actions: Vec<ActionPart> = action::read(reader, root, (name.unwrap_or_default(), &settings));
    check_count(reader, "actions", actions.len(), ACTIONS_LIMIT);
    let klasses: Vec<KlassPart> = parts::read_klasses(reader, root, name);
    let workflows: Vec<WorkflowPart> = parts::read_workflows(reader, root);
    check_room(reader, root);
    warn_of_events(reader, &prefix, (&hooks, &triggers, &workflows));
    let (name, title, document) = (name?.to_owned(), title?.to_owned(), document.clone());
    let version = version?;
    Some(AppDefinition {
        document,
        name,
        version,
        title,
        dependencies,
        settings,
        hooks,
        triggers,
        actions,
        klasses,
        workflows,
    })
}

fn check_size(reader: &mut Reader<'_>, document: &Value) {
    let bytes = document.to_string().len();
    if bytes > DOCUMENT_LIMIT_BYTES {
        let message = format!("A definition has at most {DOCUMENT_LIMIT_BYTES} bytes; this one has {bytes}.");
        reader.problems.add(&Place::ROOT, "document_too_large", message);
    }
}

fn check_keys(reader: &mut Reader<'_>, root: &Object) {
    for key in root.keys().filter(|key| !ROOT_KEYS.contains(&key.as_str())) {
        let message = format!("A definition has no key {}.", quoted(key));
        reader.problems.add_unknown(&Place::ROOT.key(key), "unknown_key", message, key, &ROOT_KEYS);
    }
    for key in UNUSED_KEYS {
        let is_empty = |value: &Value| match value {
            Value::Null => true,
            Value::Array(elements) => elements.is_empty(),
            Value::Object(members) => members.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        };
        if root.get(key).is_some_and(|value| !is_empty(value)) {
            let message = format!("\"{key}\" is kept, and does nothing here.");
            reader.problems.warn(&Place::ROOT.key(key), "not_used", message);
        }
    }
}

fn read_name<'d>(reader: &mut Reader<'d>, root: &'d Object) -> Option<&'d str> {
    let place = Place::ROOT.key("app");
    let name = reader.text(root, "app", &Place::ROOT, Presence::Required)?;
    reader.check_bytes(Some(name), APP_NAME_LIMIT_BYTES, &place);
    if !is_app_name(name) {
        let message = "Name the app with letters, digits and \"_\", beginning with a lower-case letter.";
        reader.problems.add(&place, "bad_name", message);
        return None;
    }
    Some(name)
}

fn read_version<'d>(reader: &mut Reader<'d>, root: &'d Object) -> Option<Version> {
    let text = reader.text(root, "version", &Place::ROOT, Presence::Required)?;
    let message = match Version::parse(text) {
        Ok(version) if version.build.is_empty() && text.len() <= VERSION_LIMIT_BYTES => return Some(version),
        Ok(_) if text.len() > VERSION_LIMIT_BYTES => format!("Shorten the version to {VERSION_LIMIT_BYTES} bytes."),
        Ok(_) => "Take the part from \"+\" on out of the version: two that differ in it alone are the same.".to_owned(),
        Err(_) => format!("{} is no version; write it like \"1.4.11\".", quoted(text)),
    };
    reader.problems.add(&Place::ROOT.key("version"), "bad_version", message);
    None
}

fn check_texts<'d>(reader: &mut Reader<'d>, root: &'d Object) {
    for key in ["description", "instructions", "changelog", "postInstallMessage"] {
        if let Some(Value::String(text)) = root.get(key) {
            let limit = if key == "description" { DESCRIPTION_LIMIT_CHARACTERS } else { LONG_LIMIT_CHARACTERS };
            reader.check_length(text, limit, &Place::ROOT.key(key));
        }
    }
    reader.optional_text(root, "description", &Place::ROOT);
    let visibility = reader.optional_text(root, "visibility", &Place::ROOT);
    if let Some(visibility) = visibility.filter(|visibility| !VISIBILITIES.contains(visibility)) {
        let message = format!("The visibility is one of {}.", VISIBILITIES.join(", "));
        let place = Place::ROOT.key("visibility");
        reader.problems.add_unknown(&place, "unknown_visibility", message, visibility, &VISIBILITIES);
    }
}

/// *Why* — it keeps what is listed small; Kustomer's are pages of Markdown.
const LONG_LIMIT_CHARACTERS: usize = 65_536;

const VISIBILITIES: [&str; 2] = ["public", "private"];

fn read_dependencies<'d>(reader: &mut Reader<'d>, root: &'d Object, name: Option<&str>) -> Vec<AppRange> {
    let list = reader.list(root, "dependencies", &Place::ROOT, Presence::Optional).unwrap_or_default();
    check_count(reader, "dependencies", list.len(), DEPENDENCIES_LIMIT);
    let place = Place::ROOT.key("dependencies");
    let mut ranges: Vec<AppRange> = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let place = place.index(index);
        let Some(text) = value.as_str() else {
            reader.wrong_type(&place, "a text", value);
            continue;
        };
        let Some(range) = AppRange::parse(text) else {
            let message =
                format!("{} is no app with a range of versions; write it like \"kustomer-^1.5.0\".", quoted(text));
            reader.problems.add(&place, "bad_dependency", message);
            continue;
        };
        if Some(range.app.as_str()) == name {
            reader.problems.add(&place, "cyclic_dependency", "An app cannot depend on itself; take this out.");
        }
        if ranges.iter().any(|other| other.app == range.app) {
            let message = format!("{} is named twice; write one range for it.", quoted(&range.app));
            reader.problems.add(&place, "duplicate_name", message);
        }
        ranges.push(range);
    }
    ranges
}

/// Names that the definition gives: of its own app, well spelled, and each once in its list.
fn check_names(reader: &mut Reader<'_>, root: &Object, app: Option<&str>) {
    let Some(app) = app else { return };
    let prefix = prefix(app);
    for (list, key) in NAMED {
        let list_place = Place::ROOT.key(list);
        let mut seen: HashSet<&str> = HashSet::new();
        for (index, part) in root.get(list).and_then(Value::as_array).into_iter().flatten().enumerate() {
            let Some(name) = part.get(key).and_then(Value::as_str).filter(|name| !name.is_empty()) else { continue };
            let place = list_place.index(index);
            let place = place.key(key);
            reader.check_bytes(Some(name), EVENT_NAME_LIMIT_BYTES, &place);
            match name.strip_prefix(&prefix) {
                None => {
                    let message = format!(
                        "The names of this app begin with \"{prefix}\", or with nothing of the kind, and then that is put before them."
                    );
                    reader.problems.add(&place, "foreign_name", message);
                }
                Some(own) if !is_own_name(own) => {
                    let message = "Name it with letters, digits, \".\", \"-\" and \"_\".";
                    reader.problems.add(&place, "bad_name", message);
                }
                Some(_) => {}
            }
            if !seen.insert(name) {
                let message = format!("{} is there already; give each of them another name.", quoted(name));
                reader.problems.add(&place, "duplicate_name", message);
            }
        }
    }
}

fn is_own_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && name.bytes().all(is_plain)
}

fn check_count(reader: &mut Reader<'_>, list: &str, count: usize, limit: usize) {
    if count > limit {
        let message = format!("An app has at most {limit} {list}; there are {count}.");
        reader.problems.add(&Place::ROOT.key(list), "too_many", message);
    }
}

fn check_room(reader: &mut Reader<'_>, root: &Object) {
    let count = |list: &str| root.get(list).and_then(Value::as_array).map_or(0, Vec::len);
    let changes =
        count("hooks") * HOOK_CHANGES + count("workflows") * WORKFLOW_CHANGES + count("klasses") * KLASS_CHANGES;
    if changes > PARTS_LIMIT_CHANGES {
        let message = format!(
            "An app is installed in one write. Of its hooks ({HOOK_CHANGES} each), workflows ({WORKFLOW_CHANGES}) and \
             klasses ({KLASS_CHANGES}) {PARTS_LIMIT_CHANGES} parts fit into one, and these are {changes}. Make two apps of it."
        );
        reader.problems.add(&Place::ROOT, "too_many_parts", message);
    }
}

/// Events of the app's own name that no hook or trigger of it has: such a workflow waits for ever.
fn warn_of_events(
    reader: &mut Reader<'_>,
    prefix: &str,
    (hooks, triggers, workflows): (&[HookPart], &[TriggerPart], &[WorkflowPart]),
) {
    let hooked: Vec<&str> = hooks.iter().map(|hook| hook.event_name.as_str()).collect();
    let place = Place::ROOT.key("triggers");
    for (index, trigger) in triggers.iter().enumerate() {
        if !hooked.contains(&trigger.event_name.as_str()) {
            let message =
                "No hook of the app fires this event; only a hook that somebody makes for it will.".to_owned();
            let place = place.index(index);
            reader.problems.warn_unknown(
                &place.key("eventName"),
                "unknown_event",
                message,
                &trigger.event_name,
                &hooked,
            );
        }
    }
    let place = Place::ROOT.key("workflows");
    for (index, workflow) in workflows.iter().enumerate() {
        let event = workflow.document.pointer("/trigger/eventName").and_then(Value::as_str).unwrap_or_default();
        let has_trigger = triggers.iter().any(|trigger| trigger.event_name == event);
        if event.starts_with(prefix) && !hooked.contains(&event) && !has_trigger {
            let message =
                "No hook of the app fires this event; only a hook that somebody makes for it will.".to_owned();
            let place = place.index(index);
            let place = place.key("trigger");
            reader.problems.warn_unknown(&place.key("eventName"), "unknown_event", message, event, &hooked);
        }
    }
}

//! What an app brings into an org when it is installed: hooks, klasses, workflows.

use std::collections::HashSet;

use domain::{HookKind, Klass};
use serde_json::{Map, Value};

use crate::document::{DESCRIPTION_LIMIT_CHARACTERS, Object, Presence, Reader};
use crate::naming::quoted;
use crate::problem::Place;

const TITLE_LIMIT_CHARACTERS: usize = 256;

/// Records that every org has; a klass of such a name with `metadata.standard` says which attributes the app adds to them.
const STANDARD_KLASSES: [&str; 5] = ["company", "conversation", "customer", "message", "user"];

/// A hook of an app.
///
/// *Shape* — `{"eventName":"kustomer.app.ecommstore.company.create","type":"form","displayEventName":"New company"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookPart {
    /// The event each of its transactions fires.
    pub event_name: String,
    /// Form, web or email.
    pub kind: HookKind,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: Option<String>,
}

/// A klass of an app.
///
/// *Shape* — `{"name":"ecommstore-order","icon":"cart","metadata":{"properties":{"orderIdStr":{"displayName":"Order"}}}}`.
#[derive(Debug, Clone, PartialEq)]
pub struct KlassPart {
    /// Its name; one that the org has already when it is standard.
    pub name: String,
    /// What people call it.
    pub display_name: Option<String>,
    /// The name of a picture.
    pub icon: Option<String>,
    /// The colour of it.
    pub color: Option<String>,
    /// `properties` holds the attributes.
    pub metadata: Map<String, Value>,
    /// Whether it stands for records that every org has, so that nothing is made of it.
    pub is_standard: bool,
}

/// A workflow of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowPart {
    /// Its name.
    pub name: String,
    /// Its document.
    pub document: Value,
    /// The id that other workflows of the definition call it by; an org gives it one of its own.
    pub own_id: Option<String>,
}

/// Reads `hooks`.
pub(super) fn read_hooks<'d>(reader: &mut Reader<'d>, root: &'d Object) -> Vec<HookPart> {
    let place = Place::ROOT.key("hooks");
    let list = reader.list(root, "hooks", &Place::ROOT, Presence::Optional).unwrap_or_default();
    let mut hooks = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        hooks.extend(read_hook(reader, value, &place.index(index)));
    }
    hooks
}

fn read_hook<'d>(reader: &mut Reader<'d>, value: &'d Value, place: &Place<'_>) -> Option<HookPart> {
    const KINDS: [(&str, HookKind); 3] = [("form", HookKind::Form), ("web", HookKind::Web), ("email", HookKind::Email)];
    let hook = reader.object(value, place)?;
    reader.check_keys(hook, &["eventName", "displayEventName", "description", "type"], place);
    let event_name = reader.text(hook, "eventName", place, Presence::Required);
    let word = reader.text(hook, "type", place, Presence::Required);
    let kind = word.and_then(|word| KINDS.iter().find(|(known, _)| *known == word)).map(|(_, kind)| *kind);
    if let (Some(word), None) = (word, kind) {
        let known = KINDS.map(|(known, _)| known);
        let message = format!("There are no {} hooks; use one of {}.", quoted(word), known.join(", "));
        reader.problems.add_unknown(&place.key("type"), "unknown_type", message, word, &known);
    }
    let title = reader.optional_text(hook, "displayEventName", place).filter(|title| !title.trim().is_empty());
    title.iter().for_each(|title| reader.check_length(title, TITLE_LIMIT_CHARACTERS, &place.key("displayEventName")));
    let description = read_description(reader, hook, place);
    let (event_name, kind) = (event_name?.to_owned(), kind?);
    let title = title.map_or_else(|| event_name.clone(), |title| title.trim().to_owned());
    Some(HookPart { event_name, kind, title, description })
}

fn read_description<'d>(reader: &mut Reader<'d>, part: &'d Object, place: &Place<'_>) -> Option<String> {
    let description = reader.optional_text(part, "description", place)?;
    reader.check_length(description, DESCRIPTION_LIMIT_CHARACTERS, &place.key("description"));
    Some(description.to_owned())
}

/// Reads `klasses` of the app called `app`.
pub(super) fn read_klasses<'d>(reader: &mut Reader<'d>, root: &'d Object, app: Option<&str>) -> Vec<KlassPart> {
    let place = Place::ROOT.key("klasses");
    let list = reader.list(root, "klasses", &Place::ROOT, Presence::Optional).unwrap_or_default();
    let mut klasses: Vec<KlassPart> = Vec::with_capacity(list.len());
    let mut seen: HashSet<&str> = HashSet::new();
    for (index, value) in list.iter().enumerate() {
        let place = place.index(index);
        let Some(klass) = reader.object(value, &place) else { continue };
        klasses.extend(read_klass(reader, klass, app, &place));
        if let Some(name) = klass.get("name").and_then(Value::as_str).filter(|name| !seen.insert(name)) {
            let message = format!("{} is there already; give each klass another name.", quoted(name));
            reader.problems.add(&place.key("name"), "duplicate_name", message);
        }
    }
    klasses
}

fn read_klass<'d>(
    reader: &mut Reader<'d>,
    klass: &'d Object,
    app: Option<&str>,
    place: &Place<'_>,
) -> Option<KlassPart> {
    reader.check_keys(klass, &["name", "displayName", "icon", "color", "metadata"], place);
    let name = reader.text(klass, "name", place, Presence::Required);
    let no_metadata = Map::new();
    let metadata = reader.optional_object(klass, "metadata", place).and_then(Value::as_object).unwrap_or(&no_metadata);
    let is_standard = metadata.get("standard") == Some(&Value::Bool(true));
    if let Some(name) = name {
        check_klass_name(reader, (name, is_standard), app, &place.key("name"));
    }
    for (path, sentence) in Klass::check_metadata(metadata) {
        // The paths of a klass begin at itself.
        let at = path.strip_prefix("$.metadata.properties").unwrap_or_default().trim_start_matches('.');
        let metadata = place.key("metadata");
        let properties = metadata.key("properties");
        let place = if at.is_empty() { properties } else { properties.key(at) };
        reader.problems.add(&place, "bad_attribute", format!("{sentence}."));
    }
    let mut text = |key: &str| reader.optional_text(klass, key, place).map(str::to_owned);
    let (display_name, icon, color) = (text("displayName"), text("icon"), text("color"));
    let (name, metadata) = (name?.to_owned(), metadata.clone());
    Some(KlassPart { name, display_name, icon, color, metadata, is_standard })
}

fn check_klass_name(reader: &mut Reader<'_>, (name, is_standard): (&str, bool), app: Option<&str>, place: &Place<'_>) {
    if is_standard {
        if !STANDARD_KLASSES.contains(&name) {
            let message = format!("A standard klass is one of {}.", STANDARD_KLASSES.join(", "));
            reader.problems.add_unknown(place, "bad_name", message, name, &STANDARD_KLASSES);
        }
        return;
    }
    if let Err(sentence) = Klass::check_name(name) {
        reader.problems.add(place, "bad_name", format!("{sentence}."));
    }
    let Some(app) = app else { return };
    if name.strip_prefix(app).and_then(|rest| rest.strip_prefix('-')).is_none_or(str::is_empty) {
        let message = format!("The klasses of this app are named \"{app}-…\", as in \"{app}-order\".");
        reader.problems.add(place, "foreign_name", message);
    }
}

/// Reads `workflows`; what is in their documents is checked on its own.
pub(super) fn read_workflows<'d>(reader: &mut Reader<'d>, root: &'d Object) -> Vec<WorkflowPart> {
    let place = Place::ROOT.key("workflows");
    let list = reader.list(root, "workflows", &Place::ROOT, Presence::Optional).unwrap_or_default();
    let mut workflows: Vec<WorkflowPart> = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let place = place.index(index);
        let Some(workflow) = reader.object(value, &place) else { continue };
        let Some(name) = workflow.get("name").and_then(Value::as_str) else {
            reader.missing(&place.key("name"), "name", "a text");
            continue;
        };
        if workflows.iter().any(|other| other.name == name) {
            let message = format!("{} is there already; give each workflow another name.", quoted(name));
            reader.problems.add(&place.key("name"), "duplicate_name", message);
        }
        let own_id = workflow.get("id").and_then(Value::as_str).filter(|id| is_id(id)).map(str::to_owned);
        if own_id.is_some() && workflows.iter().any(|other| other.own_id == own_id) {
            let message = "Another workflow has this id already; give each of them another one.";
            reader.problems.add(&place.key("id"), "duplicate_id", message);
        }
        workflows.push(WorkflowPart { name: name.to_owned(), document: value.clone(), own_id });
    }
    workflows
}

/// 24 lower-case hex digits.
fn is_id(text: &str) -> bool {
    domain::WorkflowId::parse(text).is_ok()
}

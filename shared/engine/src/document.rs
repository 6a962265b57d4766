//! Reads a workflow document into a definition and collects everything that is wrong with it.
//!
//! Reading goes on after a problem wherever it can. Keys that are not listed in `docs/workflow-format.md` are left alone,
//! and `null` under an optional key means the same as no key.

mod fields;
mod parts;

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::control::FlowControl;
use crate::definition::{Definition, Needs, Step, TRIGGER_ID, Trigger};
use crate::naming::quoted;
use crate::problem::{Place, Problem, Problems};

/// *Source* — Kustomer's "Workflows" page.
const NAME_LIMIT_CHARACTERS: usize = 128;
/// *Source* — Kustomer's "Workflows" page.
pub(crate) const DESCRIPTION_LIMIT_CHARACTERS: usize = 4096;

/// *Why* — it is part of a key in the store.
pub(crate) const EVENT_NAME_LIMIT_BYTES: usize = 256;
/// *Why* — it is part of idempotency keys and of every journal entry.
const ID_LIMIT_BYTES: usize = 128;
/// *Why* — it keeps a definition and what a run knows of its steps small.
pub(crate) const STEPS_LIMIT: usize = 1_000;

/// What a document may have. The keys that a server adds are among them.
const ROOT_KEYS: [&str; 15] = [
    "id",
    "rev",
    "name",
    "description",
    "enabled",
    "flow",
    "logging",
    "meta",
    "replaces",
    "response",
    "trigger",
    "steps",
    "variables",
    "createdAt",
    "updatedAt",
];

pub(crate) type Object = Map<String, Value>;

/// A document as far as it could be read.
#[derive(Debug)]
pub(crate) struct Draft<'d> {
    document: &'d Value,
    pub(crate) problems: Problems,
    name: Option<String>,
    replaces: Option<String>,
    is_enabled: bool,
    control: Option<FlowControl>,
    pub(crate) trigger: Option<Trigger>,
    /// Every step by its place; none where it could not be read.
    pub(crate) steps: Vec<Option<Step>>,
    /// The id of every step by its place, empty where there is none.
    pub(crate) ids: Vec<&'d str>,
    /// The place of every step by its id.
    pub(crate) places: HashMap<&'d str, usize>,
}

/// Reads a document.
pub(crate) fn read(document: &Value) -> Draft<'_> {
    let mut reader = Reader::default();
    reader.read_root(document)
}

impl Draft<'_> {
    /// The workflow that it is.
    ///
    /// *Errors* — all its problems, when one of them is more than a warning.
    pub(crate) fn into_definition(self) -> Result<Definition, Vec<Problem>> {
        if self.problems.has_errors() {
            return Err(self.problems.into_vec());
        }
        let (Some(name), Some(trigger)) = (self.name, self.trigger) else { return Err(self.problems.into_vec()) };
        let steps: Vec<Step> = self.steps.into_iter().flatten().collect();
        Ok(Definition {
            document: self.document.clone(),
            name,
            replaces: self.replaces,
            is_enabled: self.is_enabled,
            needs: Needs::of(&trigger, &steps, self.control.as_ref()),
            control: self.control,
            trigger,
            places: self.places.iter().map(|(id, place)| ((*id).to_owned(), *place)).collect(),
            steps,
        })
    }
}

/// Reads values by their types; definitions of apps are read with it as well.
#[derive(Debug, Default)]
pub(crate) struct Reader<'d> {
    pub(crate) problems: Problems,
    ids: Vec<&'d str>,
    /// Gathered before the steps are read, because targets point forwards too.
    places: HashMap<&'d str, usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
}

impl<'d> Reader<'d> {
    fn read_root(&mut self, document: &'d Value) -> Draft<'d> {
        let mut draft = Draft {
            document,
            problems: Problems::default(),
            name: None,
            replaces: None,
            is_enabled: true,
            control: None,
            trigger: None,
            steps: Vec::new(),
            ids: Vec::new(),
            places: HashMap::new(),
        };
        if let Some(root) = self.object(document, &Place::ROOT) {
            self.check_keys(root, &ROOT_KEYS, &Place::ROOT);
            draft.name = self.read_name(root);
            self.check_description(root);
            draft.is_enabled = self.flag(root, "enabled", &Place::ROOT).unwrap_or(true);
            self.flag(root, "logging", &Place::ROOT);
            self.optional_object(root, "meta", &Place::ROOT);
            draft.replaces = self.read_replaces(root, draft.name.as_deref());
            self.check_response(root);
            self.read_parts(root, &mut draft);
        }
        draft.problems = std::mem::take(&mut self.problems);
        draft.ids = std::mem::take(&mut self.ids);
        draft.places = std::mem::take(&mut self.places);
        draft
    }

    fn read_parts(&mut self, root: &'d Object, draft: &mut Draft<'d>) {
        let steps_place = Place::ROOT.key("steps");
        let step_values = self.list(root, "steps", &Place::ROOT, Presence::Optional).unwrap_or_default();
        let trigger_id = root.get("trigger").and_then(|trigger| trigger.get("id")).and_then(Value::as_str);
        self.check_step_count(step_values, &steps_place);
        self.gather_places(step_values, trigger_id.unwrap_or(TRIGGER_ID), &steps_place);
        draft.trigger = self.read_trigger(root);
        draft.control = self.read_control(root, trigger_id.unwrap_or(TRIGGER_ID));
        let read = |(index, value)| self.read_step(value, &steps_place.index(index));
        draft.steps = step_values.iter().enumerate().map(read).collect();
    }

    fn read_replaces(&mut self, root: &'d Object, name: Option<&str>) -> Option<String> {
        let place = Place::ROOT.key("replaces");
        let replaces = self.optional_text(root, "replaces", &Place::ROOT).filter(|replaces| !replaces.is_empty())?;
        self.check_length(replaces, NAME_LIMIT_CHARACTERS, &place);
        if Some(replaces) == name {
            let message = "A workflow cannot replace itself; name the other one, or take \"replaces\" out.";
            self.problems.add(&place, "replaces_itself", message);
        }
        Some(replaces.to_owned())
    }

    /// What a callable workflow answers: `{"schema":{"properties":{…},"required":[…]}}`.
    fn check_response(&mut self, root: &'d Object) {
        let place = Place::ROOT.key("response");
        let response = self.optional_object(root, "response", &Place::ROOT).and_then(Value::as_object);
        if let Some(response) = response {
            self.check_schema(response, &place);
        }
    }

    fn read_name(&mut self, root: &'d Object) -> Option<String> {
        let place = Place::ROOT.key("name");
        let name = self.text(root, "name", &Place::ROOT, Presence::Required)?;
        let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
        if !name.chars().all(is_plain) {
            let message = "Use only letters, digits, \".\", \"-\" and \"_\" in the name.";
            self.problems.add(&place, "bad_name", message);
        }
        self.check_length(name, NAME_LIMIT_CHARACTERS, &place);
        Some(name.to_owned())
    }

    fn check_description(&mut self, root: &'d Object) {
        let place = Place::ROOT.key("description");
        if let Some(description) = self.optional_text(root, "description", &Place::ROOT) {
            self.check_length(description, DESCRIPTION_LIMIT_CHARACTERS, &place);
        }
    }

    fn check_step_count(&mut self, steps: &[Value], steps_place: &Place<'_>) {
        let count = steps.len();
        if count > STEPS_LIMIT {
            let message = format!("Use at most {STEPS_LIMIT} steps; there are {count}.");
            self.problems.add(steps_place, "too_many_steps", message);
        }
    }

    fn gather_places(&mut self, steps: &'d [Value], trigger_id: &str, steps_place: &Place<'_>) {
        self.ids = steps.iter().map(|step| step.get("id").and_then(Value::as_str).unwrap_or_default()).collect();
        for (index, id) in self.ids.iter().copied().enumerate() {
            if id.is_empty() {
                continue;
            }
            if id == trigger_id {
                let message = format!("Give this step another id; {} is the trigger's.", quoted(id));
                self.problems.add(&steps_place.index(index).key("id"), "duplicate_id", message);
            } else if let Some(first) = self.places.get(id) {
                let message = format!("Give this step another id; steps[{first}] already has {}.", quoted(id));
                self.problems.add(&steps_place.index(index).key("id"), "duplicate_id", message);
            } else {
                self.places.insert(id, index);
            }
        }
    }
}

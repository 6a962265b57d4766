//! Reads a workflow document into a definition and collects everything that is wrong with it.
//!
//! Reading goes on after a problem wherever it can. Keys that are not listed in `docs/workflows.md` are left alone,
//! and `null` under an optional key means the same as no key.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::condition::Condition;
use crate::definition::{Definition, ErrorAction, ErrorCase, Step, TRIGGER_ID, Transition, Trigger, TriggerKind};
use crate::expression::Expression;
use crate::graph::{self, Outline};
use crate::problem::{Place, Problem, Problems};

/// *Source* — Kustomer's "Workflows" page.
const NAME_LIMIT_CHARACTERS: usize = 128;
/// *Source* — Kustomer's "Workflows" page.
const DESCRIPTION_LIMIT_CHARACTERS: usize = 4096;

/// *Why* — it is part of a key in the store.
const EVENT_NAME_LIMIT_BYTES: usize = 256;
/// *Why* — it is part of idempotency keys and of every journal entry.
const ID_LIMIT_BYTES: usize = 128;
/// *Why* — it keeps a definition and what a run knows of its steps small.
const STEPS_LIMIT: usize = 1_000;

type Object = Map<String, Value>;

/// Reads a document.
///
/// *Errors* — all its problems.
pub(crate) fn read(document: &Value, actions: &[&str]) -> Result<Definition, Vec<Problem>> {
    let mut reader = Reader { problems: Problems::default(), actions, ids: Vec::new(), places: HashMap::new() };
    let definition = reader.read_root(document);
    match definition {
        Some(definition) if reader.problems.count() == 0 => Ok(definition),
        Some(_) | None => Err(reader.problems.into_vec()),
    }
}

struct Reader<'d> {
    problems: Problems,
    actions: &'d [&'d str],
    /// The id of every step by its place, empty where there is none.
    ids: Vec<&'d str>,
    /// The place of every step by its id, gathered before the steps are read because targets point forwards too.
    places: HashMap<&'d str, usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

impl<'d> Reader<'d> {
    fn read_root(&mut self, document: &'d Value) -> Option<Definition> {
        let root = self.object(document, &Place::ROOT)?;
        let name = self.read_name(root);
        self.check_description(root);
        let is_enabled = self.flag(root, "enabled", &Place::ROOT);
        self.optional_object(root, "meta", &Place::ROOT);

        let steps_place = Place::ROOT.key("steps");
        let step_values = self.list(root, "steps", &Place::ROOT, Presence::Optional).unwrap_or_default();
        let trigger_id = root.get("trigger").and_then(|trigger| trigger.get("id")).and_then(Value::as_str);
        self.check_step_count(step_values, &steps_place);
        self.gather_places(step_values, trigger_id.unwrap_or(TRIGGER_ID), &steps_place);

        let trigger = self.read_trigger(root);
        let mut steps = Vec::with_capacity(step_values.len());
        let mut outlines = Vec::with_capacity(step_values.len());
        for (index, value) in step_values.iter().enumerate() {
            let problems_before = self.problems.count();
            let step = self.read_step(value, &steps_place.index(index));
            let is_sound = self.problems.count() == problems_before;
            outlines.push(step.as_ref().filter(|_| is_sound).map_or_else(Outline::unknown, Outline::of));
            steps.extend(step);
        }
        graph::check_cycles(&outlines, &self.ids, &steps_place, &mut self.problems);

        Some(Definition {
            document: document.clone(),
            name: name?,
            is_enabled: is_enabled.unwrap_or(true),
            trigger: trigger?,
            steps,
            places: self.places.iter().map(|(id, place)| ((*id).to_owned(), *place)).collect(),
        })
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

    fn check_length(&mut self, text: &str, limit: usize, place: &Place<'_>) {
        let length = text.chars().count();
        if length > limit {
            let message = format!("Shorten this to {limit} characters; it has {length}.");
            self.problems.add(place, "too_long", message);
        }
    }

    fn check_bytes(&mut self, text: Option<&str>, limit: usize, place: &Place<'_>) {
        if let Some(bytes) = text.map(str::len).filter(|bytes| *bytes > limit) {
            let message = format!("Shorten this to {limit} bytes; it has {bytes}.");
            self.problems.add(place, "too_long", message);
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
                let message = format!("Give this step another id; \"{id}\" is the trigger's.");
                self.problems.add(&steps_place.index(index).key("id"), "duplicate_id", message);
            } else if let Some(first) = self.places.get(id) {
                let message = format!("Give this step another id; steps[{first}] already has \"{id}\".");
                self.problems.add(&steps_place.index(index).key("id"), "duplicate_id", message);
            } else {
                self.places.insert(id, index);
            }
        }
    }

    fn read_trigger(&mut self, root: &'d Object) -> Option<Trigger> {
        let place = Place::ROOT.key("trigger");
        let Some(value) = root.get("trigger").filter(|value| !value.is_null()) else {
            self.missing(&place, "trigger", "an object with \"eventName\" and \"transitions\"");
            return None;
        };
        let trigger = self.object(value, &place)?;
        let id = self.optional_text(trigger, "id", &place);
        self.check_bytes(id, ID_LIMIT_BYTES, &place.key("id"));
        let is_callable = self.flag(trigger, "callable", &place).unwrap_or(false);
        self.optional_object(trigger, "schema", &place);
        self.check_extras(trigger, &place);
        let (kind, presence) = if is_callable {
            (TriggerKind::Callable, Presence::Optional)
        } else {
            (TriggerKind::Event, Presence::Required)
        };
        let event_name = self.text(trigger, "eventName", &place, presence);
        self.check_bytes(event_name, EVENT_NAME_LIMIT_BYTES, &place.key("eventName"));
        let transitions = self.read_transitions(trigger, &place);
        Some(Trigger {
            id: id.unwrap_or(TRIGGER_ID).to_owned(),
            event_name: event_name.unwrap_or_default().to_owned(),
            kind,
            transitions,
        })
    }

    fn read_step(&mut self, value: &'d Value, place: &Place<'_>) -> Option<Step> {
        let step = self.object(value, place)?;
        let id = self.text(step, "id", place, Presence::Required);
        self.check_bytes(id, ID_LIMIT_BYTES, &place.key("id"));
        let action = self.text(step, "action", place, Presence::Optional);
        self.check_action(action, place);
        let params = self.optional_object(step, "params", place);
        let params = params.map(|params| Expression::read(params, &place.key("params"), &mut self.problems));
        self.check_extras(step, place);
        let transitions = self.read_transitions(step, place);
        let error_cases = self.read_error_cases(step, place);
        Some(Step { id: id?.to_owned(), action: action.map(str::to_owned), params, transitions, error_cases })
    }

    fn check_action(&mut self, action: Option<&str>, place: &Place<'_>) {
        if let Some(action) = action.filter(|action| !self.actions.contains(action)) {
            let message = format!("There is no action \"{action}\".");
            let place = place.key("action");
            self.problems.add_unknown(&place, "unknown_action", message, action, self.actions);
        }
    }

    fn check_extras(&mut self, object: &'d Object, place: &Place<'_>) {
        self.optional_text(object, "appVersion", place);
        self.optional_object(object, "meta", place);
    }

    fn read_transitions(&mut self, owner: &'d Object, place: &Place<'_>) -> Vec<Transition> {
        let values = self.list(owner, "transitions", place, Presence::Required).unwrap_or_default();
        let place = place.key("transitions");
        let mut transitions = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            transitions.extend(self.read_transition(value, &place.index(index)));
        }
        transitions
    }

    fn read_transition(&mut self, value: &'d Value, place: &Place<'_>) -> Option<Transition> {
        let transition = self.object(value, place)?;
        self.optional_object(transition, "meta", place);
        let condition = self.read_condition(transition, place);
        let target = self.text(transition, "target", place, Presence::Required)?;
        let found = self.places.get(target).copied();
        if found.is_none() {
            let message = format!("There is no step \"{target}\" to go to.");
            self.problems.add_unknown(&place.key("target"), "unknown_target", message, target, &self.ids);
        }
        Some(Transition { target: target.to_owned(), place: found?, condition: condition? })
    }

    fn read_error_cases(&mut self, step: &'d Object, place: &Place<'_>) -> Vec<ErrorCase> {
        let values = self.list(step, "errorCases", place, Presence::Optional).unwrap_or_default();
        let place = place.key("errorCases");
        let mut cases = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            cases.extend(self.read_error_case(value, &place.index(index)));
        }
        cases
    }

    fn read_error_case(&mut self, value: &'d Value, place: &Place<'_>) -> Option<ErrorCase> {
        let case = self.object(value, place)?;
        let condition = self.read_condition(case, place);
        let place = place.key("errorAction");
        let Some(action) = case.get("errorAction").filter(|value| !value.is_null()) else {
            self.missing(&place, "errorAction", "an object with a \"type\"");
            return None;
        };
        let action = self.object(action, &place)?;
        let name = self.text(action, "type", &place, Presence::Required)?;
        let found = ErrorAction::ALL.iter().find(|(known, _)| *known == name).map(|(_, action)| *action);
        if found.is_none() {
            let known = ErrorAction::ALL.map(|(known, _)| known);
            let message = format!("There is no error action \"{name}\"; use one of {}.", known.join(", "));
            self.problems.add_unknown(&place.key("type"), "unknown_error_action", message, name, &known);
        }
        Some(ErrorCase { condition: condition?, action: found? })
    }

    fn read_condition(&mut self, owner: &'d Object, place: &Place<'_>) -> Option<Condition> {
        let place = place.key("condition");
        let Some(value) = owner.get("condition") else {
            self.missing(&place, "condition", "an object with \"op\" and \"values\"");
            return None;
        };
        Condition::read(value, &place, 0, &mut self.problems)
    }

    fn object(&mut self, value: &'d Value, place: &Place<'_>) -> Option<&'d Object> {
        let object = value.as_object();
        if object.is_none() {
            self.wrong_type(place, "an object", value);
        }
        object
    }

    fn optional_object(&mut self, owner: &'d Object, key: &str, place: &Place<'_>) -> Option<&'d Value> {
        let value = owner.get(key).filter(|value| !value.is_null())?;
        self.object(value, &place.key(key)).map(|_| value)
    }

    fn list(&mut self, owner: &'d Object, key: &str, place: &Place<'_>, presence: Presence) -> Option<&'d [Value]> {
        let place = place.key(key);
        match owner.get(key) {
            Some(Value::Array(values)) => Some(values),
            None | Some(Value::Null) => {
                if presence == Presence::Required {
                    self.missing(&place, key, "a list, which may be empty");
                }
                None
            }
            Some(value) => {
                self.wrong_type(&place, "a list", value);
                None
            }
        }
    }

    /// A text that is not empty.
    fn text(&mut self, owner: &'d Object, key: &str, place: &Place<'_>, presence: Presence) -> Option<&'d str> {
        let text = self.optional_text(owner, key, place);
        let place = place.key(key);
        let is_absent = owner.get(key).is_none_or(Value::is_null);
        if is_absent && presence == Presence::Required {
            self.missing(&place, key, "a text");
        }
        if text == Some("") {
            self.problems.add(&place, "empty_field", format!("Fill in \"{key}\"; it is empty."));
            return None;
        }
        text
    }

    fn optional_text(&mut self, owner: &'d Object, key: &str, place: &Place<'_>) -> Option<&'d str> {
        let value = owner.get(key).filter(|value| !value.is_null())?;
        if !value.is_string() {
            self.wrong_type(&place.key(key), "a text", value);
        }
        value.as_str()
    }

    fn flag(&mut self, owner: &'d Object, key: &str, place: &Place<'_>) -> Option<bool> {
        let value = owner.get(key).filter(|value| !value.is_null())?;
        if !value.is_boolean() {
            self.wrong_type(&place.key(key), "true or false", value);
        }
        value.as_bool()
    }

    fn missing(&mut self, place: &Place<'_>, key: &str, what: &str) {
        self.problems.add(place, "missing_field", format!("Add \"{key}\", {what}."));
    }

    fn wrong_type(&mut self, place: &Place<'_>, wanted: &str, found: &Value) {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.problems.add(place, "wrong_type", format!("Make this {wanted}; it is {found}."));
    }
}

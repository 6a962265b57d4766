//! The trigger, the steps, and the ways between them.

use serde_json::Value;

use super::{EVENT_NAME_LIMIT_BYTES, ID_LIMIT_BYTES, Object, Presence, Reader, STEPS_LIMIT};
use crate::condition::Condition;
use crate::definition::{ErrorAction, ErrorCase, Step, TRIGGER_ID, Transition, Trigger, TriggerKind};
use crate::expression::Expression;
use crate::flow::{name_of, starts_of};
use crate::naming::quoted;
use crate::problem::Place;

const TRIGGER_KEYS: [&str; 7] = ["id", "eventName", "callable", "schema", "transitions", "appVersion", "meta"];
const STEP_KEYS: [&str; 7] = ["id", "action", "params", "transitions", "errorCases", "appVersion", "meta"];

impl<'d> Reader<'d> {
    pub(super) fn read_trigger(&mut self, root: &'d Object) -> Option<Trigger> {
        let place = Place::ROOT.key("trigger");
        let Some(value) = root.get("trigger").filter(|value| !value.is_null()) else {
            self.missing(&place, "trigger", "an object with \"eventName\" and \"transitions\"");
            return None;
        };
        let trigger = self.object(value, &place)?;
        self.check_keys(trigger, &TRIGGER_KEYS, &place);
        let id = self.optional_text(trigger, "id", &place);
        self.check_bytes(id, ID_LIMIT_BYTES, &place.key("id"));
        let is_callable = self.flag(trigger, "callable", &place).unwrap_or(false);
        self.check_schema(trigger, &place);
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

    /// The `schema` of what a callable workflow takes or answers, as far as a run depends on it.
    pub(super) fn check_schema(&mut self, owner: &'d Object, place: &Place<'_>) {
        let schema_place = place.key("schema");
        let Some(schema) = self.optional_object(owner, "schema", place).and_then(Value::as_object) else { return };
        let properties = self.optional_object(schema, "properties", &schema_place).and_then(Value::as_object);
        let required = self.list(schema, "required", &schema_place, Presence::Optional).unwrap_or_default();
        let place = schema_place.key("required");
        for (index, name) in required.iter().enumerate() {
            match name.as_str() {
                None => self.wrong_type(&place.index(index), "a text, the name of a property", name),
                Some(name) if properties.is_some_and(|properties| !properties.contains_key(name)) => {
                    let known: Vec<&str> =
                        properties.into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
                    let message = format!("{} is required but not among the properties.", quoted(name));
                    self.problems.warn_unknown(&place.index(index), "unknown_property", message, name, &known);
                }
                Some(_) => {}
            }
        }
    }

    pub(super) fn read_step(&mut self, value: &'d Value, place: &Place<'_>) -> Option<Step> {
        let step = self.object(value, place)?;
        self.check_keys(step, &STEP_KEYS, place);
        let id = self.text(step, "id", place, Presence::Required);
        self.check_bytes(id, ID_LIMIT_BYTES, &place.key("id"));
        let action = self.text(step, "action", place, Presence::Optional);
        let params = self.optional_object(step, "params", place);
        let starts = self.read_starts(action, params, &place.key("params"));
        let params = params.map(|params| Expression::read(params, &place.key("params"), &mut self.problems));
        let awaits = self.read_awaited(action, params.as_ref(), &place.key("params"));
        self.check_extras(step, place);
        let transitions = self.read_transitions(step, place);
        let error_cases = self.read_error_cases(step, place);
        Some(Step {
            id: id?.to_owned(),
            action: action.map(str::to_owned),
            params,
            starts,
            awaits,
            transitions,
            error_cases,
        })
    }

    /// The steps that a loop or a parallel step begins its branches at.
    fn read_starts(&mut self, action: Option<&str>, params: Option<&'d Value>, place: &Place<'_>) -> Vec<usize> {
        let none = Object::new();
        let params = params.and_then(Value::as_object);
        let Some(starts) = action.and_then(|action| starts_of(action, params.unwrap_or(&none))) else {
            return Vec::new();
        };
        let place = place.key("do");
        let names: Vec<Option<String>> = starts.into_iter().map(|name| name.map(str::to_owned)).collect();
        let mut places = Vec::with_capacity(names.len());
        for name in names {
            let Some(name) = name else {
                self.missing(&place, "do", "the id of the step that each branch begins at, written out");
                continue;
            };
            match self.places.get(name.as_str()).copied() {
                Some(found) => places.push(found),
                None => {
                    let message = format!("There is no step {} to begin a branch at.", quoted(&name));
                    let known = if self.ids.len() <= STEPS_LIMIT { self.ids.as_slice() } else { &[] };
                    self.problems.add_unknown(&place, "unknown_target", message, &name, known);
                }
            }
        }
        places
    }

    /// The event that a step waits for.
    fn read_awaited(&mut self, action: Option<&str>, params: Option<&Expression>, place: &Place<'_>) -> Option<String> {
        let awaited = name_of(action?, params?);
        if awaited.is_err() {
            self.missing(&place.key("event").key("name"), "name", "the name of an event, written out");
        }
        awaited.ok().flatten()
    }

    fn check_extras(&mut self, object: &'d Object, place: &Place<'_>) {
        if let Some(version) = self.optional_text(object, "appVersion", place) {
            self.check_app_version(version, &place.key("appVersion"));
        }
        self.optional_object(object, "meta", place);
    }

    /// `kustomer-^1.4.11`: an app, a dash, and the versions of it that will do.
    fn check_app_version(&mut self, version: &str, place: &Place<'_>) {
        let is_range = version
            .split_once('-')
            .is_some_and(|(app, range)| !app.is_empty() && semver::VersionReq::parse(range).is_ok());
        if !is_range {
            let shown = quoted(version);
            let message = format!("{shown} is no app with a range of versions; write it like \"kustomer-^1.4.11\".");
            self.problems.warn(place, "bad_app_version", message);
        }
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
            let message = format!("There is no step {} to go to.", quoted(target));
            // Of more steps than there may be, none is likely meant.
            let known = if self.ids.len() <= STEPS_LIMIT { self.ids.as_slice() } else { &[] };
            self.problems.add_unknown(&place.key("target"), "unknown_target", message, target, known);
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
            let message = format!("There is no error action {}; use one of {}.", quoted(name), known.join(", "));
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
}

//! The params of a step, as its action reads them.
//!
//! A reference that gave nothing has left its param out, which is the commonest fault of a workflow; every complaint
//! about a missing one says so.

use domain::{RecordId, RecordKind};
use engine::flow;
use serde_json::{Map, Value};

use super::NotDone;
use crate::records::Unit;

/// The params of one step.
pub(super) struct Params<'a> {
    map: &'a Map<String, Value>,
}

impl<'a> Params<'a> {
    /// The params in a step's input.
    ///
    /// *Errors*: the input is no object.
    pub(super) fn of(input: &'a Value) -> Result<Self, NotDone> {
        match input {
            Value::Object(map) => Ok(Self { map }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(NotDone::failed("wrong_params", "The step's params are an object with one key for each param."))
            }
        }
    }

    /// The param as it is, `null` counting as left out.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// The param as text; numbers and booleans are written out.
    ///
    /// *Errors*: it is an array or an object.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, NotDone> {
        match self.value(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(flag)) => Ok(Some(flag.to_string())),
            Some(Value::Array(_) | Value::Object(_)) => Err(wrong(name, "text")),
        }
    }

    /// The param as text that is there and not empty.
    pub(super) fn required_text(&self, name: &str) -> Result<String, NotDone> {
        self.text(name)?.filter(|text| !text.trim().is_empty()).ok_or_else(|| missing(name))
    }

    /// The param `name` as text, and where it was left out `other`, which then has to be there.
    pub(super) fn either_text(&self, name: &str, other: &str) -> Result<String, NotDone> {
        match self.text(name)? {
            Some(text) => Ok(text),
            None => self.required_text(other),
        }
    }

    /// The param as an object, empty when it was left out.
    ///
    /// *Errors*: it is something else.
    pub(super) fn object(&self, name: &str) -> Result<Map<String, Value>, NotDone> {
        match self.value(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map.clone()),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                Err(wrong(name, "an object"))
            }
        }
    }

    /// The record of `kind` whose id the param is; of a customer who was merged into another one, that other.
    ///
    /// *Errors*: it is left out, is no id, or no such record is there.
    pub(super) async fn required_record(
        &self,
        unit: &mut Unit<'_>,
        name: &str,
        kind: &RecordKind,
    ) -> Result<domain::Record, NotDone> {
        let text = self.required_text(name)?;
        let not_found = || {
            let shown = shown(&text);
            NotDone::wrong(name, "not_found", format!("There is no {kind} with the id `{shown}` that `{name}` names."))
        };
        let id = RecordId::parse(&text).map_err(|_| not_found())?;
        unit.find_living(kind, id).await?.ok_or_else(not_found)
    }
}

/// As much of a sender's text as a sentence can hold. A `…` says that there was more, which is also how a cut secret is known.
pub(super) fn shown(text: &str) -> String {
    const SHOWN_CHARS: usize = 60;
    domain::shortened(text, SHOWN_CHARS)
}

/// The param is not there and has to be.
pub(super) fn missing(name: &str) -> NotDone {
    NotDone::Wrong { field: name.to_owned(), failure: flow::missing(name) }
}

/// The param is not what it has to be.
pub(super) fn wrong(name: &str, wanted: &str) -> NotDone {
    NotDone::Wrong { field: name.to_owned(), failure: flow::wrong(name, wanted) }
}

//! Single attributes of a body, read with the sentence for whoever wrote them wrong. `null` is as if the attribute were not there.

use domain::Timestamp;
use serde_json::{Map, Value};

use super::{Refused, call::bad_attribute, resource::text};

/// True or false, if anything is said.
pub(super) fn switch(attributes: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refused> {
    match attributes.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(is_on)) => Ok(Some(*is_on)),
        Some(Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
            Err(bad_attribute(name, format!("`{name}` is true or false.")))
        }
    }
}

/// Whether the attribute is true.
pub(super) fn flag(attributes: &Map<String, Value>, name: &str) -> Result<bool, Refused> {
    Ok(switch(attributes, name)?.unwrap_or_default())
}

/// A whole number from 1 to `most`; `unset` where nothing is said.
pub(super) fn number(attributes: &Map<String, Value>, name: &str, unset: usize, most: usize) -> Result<usize, Refused> {
    match attributes.get(name) {
        None | Some(Value::Null) => Ok(unset),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            number
                .filter(|number| (1..=most).contains(number))
                .ok_or_else(|| bad_attribute(name, format!("`{name}` is a whole number from 1 to {most}.")))
        }
    }
}

/// An instant, if one is said.
pub(super) fn instant(attributes: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Refused> {
    let Some(written) = text(attributes, name)? else { return Ok(None) };
    match Timestamp::parse(&written) {
        Some(instant) => Ok(Some(instant)),
        None => Err(bad_attribute(name, format!("`{name}` is an instant such as 2026-11-22T09:30:00Z."))),
    }
}

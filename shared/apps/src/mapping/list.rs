//! Operators about lists.

use std::borrow::Cow;

use serde_json::Value;

use super::{Context, Mapping, Scope};

/// `$first`: the first that is there, not `null` and not the empty text.
pub(super) fn first<'s>(mappings: &'s [Mapping], scope: Scope<'s>) -> Option<Cow<'s, Value>> {
    let says_something = |value: &Cow<'_, Value>| !value.is_null() && value.as_str() != Some("");
    mappings.iter().filter_map(|mapping| mapping.at(scope)).find(says_something)
}

/// `$each`: the mapping of every element, those that are missing left out.
pub(super) fn each(list: &Value, item: &Mapping, context: &Context<'_>) -> Option<Value> {
    Some(list.as_array()?.iter().filter_map(|element| item.value_for(context, element)).collect())
}

/// `$where`: the elements for which the condition holds.
pub(super) fn filter(list: &Value, condition: &Mapping, context: &Context<'_>) -> Option<Value> {
    let holds = |element: &&Value| condition.holds_for(context, element);
    Some(list.as_array()?.iter().filter(holds).cloned().collect())
}

/// `$length`: how many elements.
pub(super) fn length(list: &Value) -> Option<Value> {
    Some(Value::from(list.as_array()?.len()))
}

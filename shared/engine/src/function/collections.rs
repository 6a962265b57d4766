//! Lists, objects and JSON: read, written, looked into, and gone through.

use std::fmt::{self, Write};

use domain::exact;
use serde_json::{Map, Value, json};

use super::{Argument, Arguments, Function, call, checked, either, find, literal, optional, path, repeated};
use crate::allowance::Allowance;
use crate::cast::{is_truthy, to_text};
use crate::fault::Fault;
use crate::limits::{INPUT_LIMIT_BYTES, INPUT_LIMIT_LEVELS};
use crate::path::Path;
use crate::problem::Flaw;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "toJSON",
        aliases: &["json", "stringify"],
        parameters: &[path("value"), optional(literal("pretty"))],
        body: to_json,
    },
    Function { name: "parseJSON", aliases: &["fromJSON"], parameters: &[path("text")], body: parse_json },
    Function { name: "lookup", aliases: &[], parameters: &[path("value"), either("key")], body: lookup },
    Function { name: "length", aliases: &["len", "size", "count"], parameters: &[path("value")], body: length },
    Function { name: "first", aliases: &[], parameters: &[path("list")], body: first },
    Function { name: "last", aliases: &[], parameters: &[path("list")], body: last },
    Function { name: "keys", aliases: &[], parameters: &[path("object")], body: keys },
    Function { name: "values", aliases: &[], parameters: &[path("object")], body: values },
    Function { name: "join", aliases: &[], parameters: &[path("list"), optional(literal("separator"))], body: join },
    Function { name: "map", aliases: &["pluck"], parameters: &[path("list"), literal("path")], body: map },
    Function {
        name: "transform",
        aliases: &[],
        parameters: &[path("list"), checked(literal("function"), check_function)],
        body: transform,
    },
    Function {
        name: "filter",
        aliases: &["where"],
        parameters: &[path("list"), literal("path"), optional(either("equals"))],
        body: filter,
    },
    Function {
        name: "includedResourceAttribute",
        aliases: &["includedAttribute", "included"],
        parameters: &[path("document"), literal("relationship"), literal("attribute")],
        body: included_resource_attribute,
    },
    Function {
        name: "ifExists",
        aliases: &[],
        parameters: &[path("value"), optional(either("then")), optional(either("otherwise"))],
        body: if_exists,
    },
    Function {
        name: "default",
        aliases: &["coalesce", "firstOf"],
        parameters: &[path("value"), either("otherwise"), repeated(either("otherwise"))],
        body: default,
    },
];

type Given<'e, 'a> = Arguments<'e, 'a>;
type Gives = Result<Option<Value>, Fault>;

fn to_json(arguments: &Given<'_, '_>) -> Gives {
    let Some(value) = arguments.value(0) else { return Ok(None) };
    Allowance::new(INPUT_LIMIT_BYTES, INPUT_LIMIT_LEVELS).take(value, 0)?;
    if !arguments.flag(1) {
        return Ok(Some(Value::String(value.to_string())));
    }
    let mut bounded = Bounded(String::new());
    match write!(bounded, "{value:#}") {
        Ok(()) => Ok(Some(Value::String(bounded.0))),
        Err(fmt::Error) => Err(Fault::InputTooLarge),
    }
}

/// A text that ends at the limit. *Why* — deep values have more indentation than content.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > INPUT_LIMIT_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// What is no text is given back as it is.
fn parse_json(arguments: &Given<'_, '_>) -> Gives {
    Ok(match arguments.value(0) {
        // Read, it would take many times its bytes.
        Some(Value::String(text)) if text.len() > INPUT_LIMIT_BYTES => return Err(Fault::InputTooLarge),
        Some(Value::String(text)) => exact::parse(text).ok(),
        other => other.cloned(),
    })
}

/// A key of an object or an element of a list; a key is taken as it is, dots and all.
fn lookup(arguments: &Given<'_, '_>) -> Gives {
    let key = arguments.text(1);
    Ok(match (arguments.value(0), key) {
        (Some(Value::Object(object)), Some(key)) => object.get(key.as_ref()).cloned(),
        (Some(Value::Array(elements)), Some(key)) => {
            key.parse::<usize>().ok().and_then(|place| elements.get(place)).cloned()
        }
        _ => None,
    })
}

/// Elements of a list, keys of an object, characters of a text.
fn length(arguments: &Given<'_, '_>) -> Gives {
    Ok(match arguments.value(0) {
        Some(Value::Array(elements)) => Some(json!(elements.len())),
        Some(Value::Object(object)) => Some(json!(object.len())),
        Some(Value::String(text)) => Some(json!(text.chars().count())),
        Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => None,
    })
}

fn first(arguments: &Given<'_, '_>) -> Gives {
    Ok(arguments.value(0).and_then(Value::as_array).and_then(|elements| elements.first()).cloned())
}

fn last(arguments: &Given<'_, '_>) -> Gives {
    Ok(arguments.value(0).and_then(Value::as_array).and_then(|elements| elements.last()).cloned())
}

fn keys(arguments: &Given<'_, '_>) -> Gives {
    Ok(arguments.value(0).and_then(Value::as_object).map(|object| object.keys().map(|key| json!(key)).collect()))
}

fn values(arguments: &Given<'_, '_>) -> Gives {
    let object = arguments.value(0).and_then(Value::as_object);
    Ok(object.map(|object| object.values().cloned().collect()))
}

fn join(arguments: &Given<'_, '_>) -> Gives {
    let separator = arguments.text(1).unwrap_or(", ".into());
    let Some(elements) = arguments.value(0).and_then(elements) else { return Ok(None) };
    let mut joined = String::new();
    for (place, element) in elements.into_iter().enumerate() {
        if place > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&to_text(element));
        if joined.len() > INPUT_LIMIT_BYTES {
            return Err(Fault::InputTooLarge);
        }
    }
    Ok(Some(Value::String(joined)))
}

/// What is at a path in each element; `null` where nothing is, so that places stay.
fn map(arguments: &Given<'_, '_>) -> Gives {
    let path = arguments.text(1).and_then(|path| Path::parse(&path).ok());
    let Some((elements, path)) = arguments.value(0).and_then(elements).zip(path) else { return Ok(None) };
    arguments.evaluation.pay(elements.len() as u64)?;
    let found = elements.into_iter().map(|element| path.find_below(element).cloned().unwrap_or(Value::Null));
    Ok(Some(found.collect()))
}

/// What a function of one argument makes of each element, or of each value of an object.
fn transform(arguments: &Given<'_, '_>) -> Gives {
    let function = arguments.text(1).and_then(|name| find(&name)).filter(|function| function.is_for_elements());
    let Some((value, function)) = arguments.value(0).zip(function) else { return Ok(None) };
    let made = |element: &Value| -> Result<Value, Fault> {
        let given = [Argument::of(Some(element))];
        Ok(function.call(&given, arguments.evaluation)?.unwrap_or(Value::Null))
    };
    match value {
        Value::Array(elements) => {
            elements.iter().map(made).collect::<Result<_, _>>().map(|made| Some(Value::Array(made)))
        }
        Value::Object(object) => {
            let members = object.iter().map(|(key, inner)| Ok((key.clone(), made(inner)?)));
            members.collect::<Result<Map<_, _>, _>>().map(|made| Some(Value::Object(made)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(None),
    }
}

/// Whether an author's word is the name of a function that can be called with one value.
fn check_function(name: &str) -> Result<(), Flaw> {
    match find(name.trim()) {
        Some(function) if function.is_for_elements() => Ok(()),
        Some(function) => {
            let message = format!("{} cannot be called with one value.", function.name);
            Err(Flaw { code: "bad_argument", message, suggestion: None })
        }
        None => Err(call::unknown_function(name)),
    }
}

/// The elements where something truthy is at a path, or what equals a value.
fn filter(arguments: &Given<'_, '_>) -> Gives {
    let path = arguments.text(1).and_then(|path| Path::parse(&path).ok());
    let Some((elements, path)) = arguments.value(0).and_then(elements).zip(path) else { return Ok(None) };
    let sought = arguments.value(2).and_then(Value::as_str).map_or(0, str::len);
    // A text is read as a number for each that is one.
    arguments.evaluation.pay_for_bytes(elements.len().saturating_mul(64 + sought))?;
    let fits = |element: &&Value| {
        let found = path.find_below(element);
        match arguments.is_given(2) {
            true => crate::cast::loosely_equal(found, arguments.value(2)),
            false => is_truthy(found),
        }
    };
    Ok(Some(elements.into_iter().filter(fits).cloned().collect()))
}

fn elements(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(elements) => Some(elements.iter().collect()),
        Value::Object(object) => Some(object.values().collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Of a JSON:API document: the attribute of the included resource that a relationship of `data` names.
fn included_resource_attribute(arguments: &Given<'_, '_>) -> Gives {
    let Some((document, relationship)) = arguments.value(0).zip(arguments.text(1)) else { return Ok(None) };
    let Some(path) = arguments.text(2).and_then(|path| Path::parse(&path).ok()) else { return Ok(None) };
    let related = document
        .get("data")
        .and_then(|data| data.get("relationships"))
        .and_then(|relationships| relationships.get(relationship.as_ref()))
        .and_then(|related| related.get("data"));
    let is_meant = |resource: &&Value| {
        related.is_some_and(|related| {
            related.get("type") == resource.get("type") && related.get("id") == resource.get("id")
        })
    };
    let included = document.get("included").and_then(Value::as_array).into_iter().flatten().find(is_meant);
    let attributes = included.and_then(|resource| resource.get("attributes"));
    Ok(attributes.and_then(|attributes| path.find_below(attributes)).cloned())
}

/// `then` where the value exists, or the value itself; `otherwise` where it does not.
fn if_exists(arguments: &Given<'_, '_>) -> Gives {
    let value = arguments.value(0).filter(|value| !value.is_null() && value.as_str() != Some(""));
    Ok(match value {
        Some(value) if !arguments.is_given(1) => Some(value.clone()),
        Some(_) => arguments.value(1).cloned(),
        None => arguments.value(2).cloned(),
    })
}

/// The first that exists and is not the empty text.
fn default(arguments: &Given<'_, '_>) -> Gives {
    let exists = |value: &&Value| !value.is_null() && value.as_str() != Some("");
    Ok(arguments.all_from(0).flatten().find(exists).cloned())
}

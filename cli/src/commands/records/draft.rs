//! What a record is to be: a document, or what the flags say.

use clap::ArgMatches;
use serde_json::{Map, Value, json};

use super::{
    Reference, Table,
    nouns::{Flag, Takes},
    verbs,
};
use crate::{failure::Failure, session::Session, source};

/// The document in the file, or the one that the flags make.
///
/// *Errors*: both were given; a file cannot be read; a record that a flag names by a key is not there.
pub(super) fn draft(table: &Table, matches: &ArgMatches, session: &Session) -> Result<Vec<u8>, Failure> {
    let mut draft = Map::new();
    for flag in table.flags {
        draft.extend(value(flag, matches, session)?.map(|value| (flag.attribute.to_owned(), value)));
    }
    let custom: Map<String, Value> = all::<(String, Value)>(matches, verbs::CUSTOM).into_iter().collect();
    if !custom.is_empty() {
        draft.insert("custom".to_owned(), Value::Object(custom));
    }
    draft.extend(all::<String>(matches, verbs::CLEAR).into_iter().map(|name| (name, Value::Null)));
    draft.extend(all::<u64>(matches, verbs::REV).pop().map(|rev| ("rev".to_owned(), json!(rev))));
    match matches.get_one::<String>(verbs::FILE) {
        Some(_) if !draft.is_empty() => Err(Failure::Usage("Give either a document or flags, not both.".to_owned())),
        Some(file) => source::read(file),
        None => Ok(Value::Object(draft).to_string().into_bytes()),
    }
}

/// The server reads text as the attribute's type wants it.
fn value(flag: &Flag, matches: &ArgMatches, session: &Session) -> Result<Option<Value>, Failure> {
    let mut given = all::<String>(matches, flag.attribute);
    Ok(match flag.takes {
        Takes::Texts => (!given.is_empty()).then(|| json!(given)),
        Takes::Text => given.pop().map(Value::String),
        Takes::Json => given.pop().map(|text| source::read_json(&format!("--{}", flag.name), &text)).transpose()?,
        Takes::Record(table) => match given.pop() {
            Some(written) => Some(json!(Reference::of(table, None, &written).id(session)?)),
            None => None,
        },
    })
}

/// What was given under `name`; nothing where the command has no such flag.
fn all<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<T> {
    matches.try_get_many::<T>(name).ok().flatten().into_iter().flatten().cloned().collect()
}

/// A custom attribute as it is typed; an empty value clears it.
pub(super) fn custom(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("a custom attribute is written NAME=VALUE")?;
    domain::Suffix::of(name).map_err(|problem| problem.to_string())?;
    Ok((name.to_owned(), if value.is_empty() { Value::Null } else { json!(value) }))
}

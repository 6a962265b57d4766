//! What each action takes and gives, as data: the checks of workflow documents, the docs and the API are made of it.
//!
//! The files in `catalogue/` describe the actions by the records that they are about. Of attributes of records they have only a
//! sentence each; what an attribute takes is made of `domain::record::fields`, and a test fails where one has no sentence.

mod params;
mod shapes;

use std::sync::OnceLock;

use domain::RecordKind;
use engine::Catalogue;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::table::ACTIONS;

pub use params::{Need, Param, params, params_beside};

const SHARED: &str = include_str!("catalogue/shared.json");

const FILES: [&str; 13] = [
    include_str!("catalogue/customer.json"),
    include_str!("catalogue/customer_finds.json"),
    include_str!("catalogue/company.json"),
    include_str!("catalogue/conversation.json"),
    include_str!("catalogue/message.json"),
    include_str!("catalogue/note.json"),
    include_str!("catalogue/klass.json"),
    include_str!("catalogue/kobject.json"),
    include_str!("catalogue/user.json"),
    include_str!("catalogue/other.json"),
    include_str!("catalogue/mail.json"),
    include_str!("catalogue/rest.json"),
    include_str!("catalogue/flow.json"),
];

/// What an action does, takes and gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// What it does, in a sentence.
    pub summary: String,
    /// The JSON Schema of its params, complete in itself.
    pub params: Value,
    /// What it gives, as the end of a sentence: "the customer, or {} where nobody has the address".
    pub gives: String,
    /// The JSON Schema of its output, complete in itself.
    pub output: Value,
    /// The codes of the failures of its own, each with what it means.
    pub failures: Vec<(String, String)>,
    /// Params that it was once given, and what it gave.
    pub example: Example,
}

/// Params, and what comes of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The params.
    pub params: Value,
    /// The output.
    pub output: Value,
}

/// The attributes of a kind of record.
#[derive(Debug, Clone, PartialEq)]
pub struct Attributes {
    /// What such a record is called, and its schema in the `$defs` of outputs: `customer`.
    pub noun: String,
    /// The schema of what a step may give, by attribute.
    pub taken: Map<String, Value>,
}

impl Description {
    /// The description as a JSON:API resource.
    pub fn resource(&self) -> Value {
        let failures: Vec<Value> =
            self.failures.iter().map(|(code, meaning)| json!({ "code": code, "meaning": meaning })).collect();
        json!({
            "type": "action",
            "id": self.name,
            "attributes": {
                "name": self.name,
                "summary": self.summary,
                "params": self.params,
                "gives": self.gives,
                "output": self.output,
                "failures": failures,
                "example": { "params": self.example.params, "output": self.example.output },
            },
            "links": { "self": format!("/v1/actions/{}", self.name) },
        })
    }
}

/// Everything that the files say.
#[derive(Debug, Default)]
struct Contents {
    descriptions: Vec<Description>,
    attributes: Vec<Attributes>,
    elsewhere: Vec<String>,
}

/// The descriptions of all actions, in the order of the docs.
pub fn descriptions() -> &'static [Description] {
    &contents().descriptions
}

/// The description of the action called `name`.
pub fn description(name: &str) -> Option<&'static Description> {
    descriptions().iter().find(|description| description.name == name)
}

/// The attributes of each kind of record that actions make or change.
pub fn attributes() -> &'static [Attributes] {
    &contents().attributes
}

/// The catalogue of every action there is; its schemas are compiled when it is first asked for.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let schemas = descriptions().iter().map(|action| (action.name.clone(), action.params.clone()));
        let catalogue = Catalogue::new(schemas).unwrap_or_else(|sentence| {
            tracing::error!(sentence, "no action is known, because their schemas cannot be read");
            Catalogue::default()
        });
        catalogue.with_elsewhere(contents().elsewhere.iter().cloned())
    })
}

fn contents() -> &'static Contents {
    static CONTENTS: OnceLock<Contents> = OnceLock::new();
    CONTENTS.get_or_init(|| {
        read().unwrap_or_else(|error| {
            tracing::error!(%error, "no action is known, because their descriptions cannot be read");
            Contents::default()
        })
    })
}

/// What the files about records share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    #[serde(rename = "$defs")]
    definitions: Map<String, Value>,
    /// What each code means.
    failures: Map<String, Value>,
    /// The actions of Kustomer that there are not here. *Source*: the built-in app of Kustomer, version 1.5.3.
    elsewhere: Vec<String>,
}

/// The actions about one kind of thing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What records they are about; of klass instances, those of some klass.
    #[serde(default)]
    kind: Option<RecordKind>,
    /// A sentence for each attribute of the kind.
    #[serde(default)]
    attributes: Map<String, Value>,
    actions: Map<String, Value>,
    #[serde(rename = "$defs", default)]
    definitions: Map<String, Value>,
}

/// One action as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    summary: String,
    /// Whether the attributes of the kind are params, too.
    #[serde(default)]
    attributes: bool,
    params: Map<String, Value>,
    gives: String,
    output: Map<String, Value>,
    failures: Vec<String>,
    example: Example,
}

fn read() -> Result<Contents, serde_json::Error> {
    let mut shared: Shared = serde_json::from_str(SHARED)?;
    let files = FILES.iter().map(|text| serde_json::from_str(text)).collect::<Result<Vec<File>, _>>()?;
    let mut attributes = Vec::new();
    for file in &files {
        shared.definitions.extend(file.definitions.clone());
        if let Some(kind) = &file.kind {
            let (noun, record) = shapes::record(kind, &file.attributes);
            shared.definitions.insert(noun.clone(), record);
            attributes.push(Attributes { noun, taken: shapes::taken(kind, &file.attributes) });
        }
    }
    let mut descriptions = Vec::new();
    for file in files {
        let of_kind = file.kind.as_ref().map(|kind| shapes::taken(kind, &file.attributes)).unwrap_or_default();
        for (name, action) in file.actions {
            descriptions.push(described(name, serde_json::from_value(action)?, &of_kind, &shared));
        }
    }
    let place = |name: &str| ACTIONS.iter().position(|(known, _)| *known == name);
    descriptions.sort_by_key(|description| place(&description.name));
    Ok(Contents { descriptions, attributes, elsewhere: shared.elsewhere })
}

fn described(name: String, written: Written, of_kind: &Map<String, Value>, shared: &Shared) -> Description {
    let Written { summary, attributes, mut params, gives, output, failures, example } = written;
    if attributes && let Some(Value::Object(properties)) = params.get_mut("properties") {
        for (name, schema) in of_kind {
            properties.entry(name.clone()).or_insert_with(|| schema.clone());
        }
    }
    let mut whole = Map::from_iter([("type".to_owned(), json!("object"))]);
    whole.extend(params);
    let meaning = |code: String| {
        let meaning = shared.failures.get(&code).and_then(Value::as_str).unwrap_or_default().to_owned();
        (code, meaning)
    };
    Description {
        name,
        summary,
        params: complete(whole, &shared.definitions),
        gives,
        output: complete(output, &shared.definitions),
        failures: failures.into_iter().map(meaning).collect(),
        example,
    }
}

/// The schema with those definitions that it needs.
fn complete(mut schema: Map<String, Value>, definitions: &Map<String, Value>) -> Value {
    let (mut needed, mut used) = (Vec::new(), Map::new());
    references(&Value::Object(schema.clone()), &mut needed);
    while let Some(name) = needed.pop() {
        if let (false, Some(definition)) = (used.contains_key(&name), definitions.get(&name)) {
            references(definition, &mut needed);
            used.insert(name, definition.clone());
        }
    }
    if !used.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(used));
    }
    Value::Object(schema)
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(schema) => {
            let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
            found.extend(name.map(str::to_owned));
            schema.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::record::fields;

    use super::super::Action;
    use super::*;

    fn files() -> Vec<File> {
        FILES.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    #[test]
    fn every_action_is_described_and_no_other_is() {
        let Contents { descriptions, elsewhere, .. } = read().unwrap();
        let names: Vec<&str> = descriptions.iter().map(|action| action.name.as_str()).collect();
        assert_eq!(names, Action::names());
        assert!(!elsewhere.is_empty() && elsewhere.iter().all(|name| !names.contains(&name.as_str())), "{elsewhere:?}");
        let schemas = || descriptions.iter().map(|action| (action.name.clone(), action.params.clone()));
        assert_eq!(Catalogue::new(schemas()).unwrap().names().len(), names.len());
    }

    #[test]
    fn every_attribute_of_a_record_has_a_sentence_and_no_other_has() {
        for File { kind, attributes, .. } in files() {
            let Some(kind) = kind else { continue };
            let wanted: BTreeSet<&str> = fields::names(&kind).collect();
            assert_eq!(attributes.keys().map(String::as_str).collect::<BTreeSet<_>>(), wanted, "{kind}");
        }
    }

    #[test]
    fn a_description_is_complete() {
        let shared: Shared = serde_json::from_str(SHARED).unwrap();
        let mut codes = BTreeSet::new();
        for action in read().unwrap().descriptions {
            let name = &action.name;
            assert!(action.summary.ends_with('.') && !action.gives.ends_with('.'), "{name}");
            for schema in [&action.params, &action.output] {
                let mut needed = Vec::new();
                references(schema, &mut needed);
                assert!(needed.iter().all(|name| schema["$defs"].get(name).is_some()), "{name} {needed:?}");
            }
            for param in params(&action.params) {
                assert!(param.meaning.ends_with('.') && !param.takes.is_empty(), "{name} {param:?}");
            }
            for (code, meaning) in &action.failures {
                assert!(meaning.ends_with('.'), "{name} {code}");
                codes.insert(code.clone());
            }
        }
        assert_eq!(codes, shared.failures.keys().cloned().collect());
    }
}

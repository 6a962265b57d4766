//! What each action takes, as JSON Schemas, for the checks of workflow documents.

use std::sync::OnceLock;

use engine::Catalogue;
use serde_json::{Map, Value};

/// The schemas of the params by action. Whether every action has one, and each is sound, is tested.
const SCHEMAS: &str = include_str!("catalogue.json");

/// The catalogue of every action there is; its schemas are compiled when it is first asked for.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let catalogue = Catalogue::new(schemas()).unwrap_or_else(|sentence| {
            tracing::error!(sentence, "no action is known, because their schemas cannot be read");
            Catalogue::default()
        });
        catalogue.with_elsewhere(elsewhere())
    })
}

/// The actions of Kustomer that there are not here. *Source*: the built-in app of Kustomer, version 1.5.3.
fn elsewhere() -> Vec<String> {
    let file: Value = serde_json::from_str(SCHEMAS).unwrap_or_default();
    let names = file.get("elsewhere").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// The schema of each action's params, with the definitions that all of them share.
fn schemas() -> Vec<(String, Value)> {
    let mut file: Map<String, Value> = serde_json::from_str(SCHEMAS).unwrap_or_default();
    let shared = file.remove("$defs").unwrap_or_default();
    let Some(Value::Object(actions)) = file.remove("actions") else { return Vec::new() };
    let whole = |(name, schema): (String, Value)| {
        let mut schema = schema;
        if let Value::Object(schema) = &mut schema {
            schema.insert("type".to_owned(), Value::String("object".to_owned()));
            schema.insert("$defs".to_owned(), shared.clone());
        }
        (name, schema)
    };
    actions.into_iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Action;
    use super::*;

    #[test]
    fn every_action_has_a_sound_schema_and_no_other_has() {
        let catalogue = Catalogue::new(schemas()).unwrap();
        let mut names = Action::names();
        names.sort_unstable();
        assert_eq!(catalogue.names(), names);
        let elsewhere = elsewhere();
        assert!(!elsewhere.is_empty() && elsewhere.iter().all(|name| !names.contains(&name.as_str())), "{elsewhere:?}");
    }
}

//! What a callable workflow takes and answers, held against what it is given and gives.

use serde_json::{Map, Value, json};

use super::Definition;
use crate::app::schema::Schema;

impl Definition {
    /// Why the workflow cannot be called with these inputs, as a sentence.
    pub fn problem_of_inputs(&self, inputs: &Value) -> Option<String> {
        problem(self.document.get("trigger")?.get("schema"), inputs)
    }

    /// Why this is not what the workflow says it answers, as a sentence.
    pub fn problem_of_response(&self, output: &Value) -> Option<String> {
        problem(self.document.get("response")?.get("schema"), output)
    }
}

/// The schema is one of JSON Schema, of an object, where its author did not say so.
fn problem(schema: Option<&Value>, value: &Value) -> Option<String> {
    let Value::Object(written) = schema? else { return None };
    let mut whole = Map::from_iter([("type".to_owned(), json!("object"))]);
    whole.extend(written.clone());
    match Schema::compile(&Value::Object(whole)) {
        Ok(schema) => schema.check(value).err(),
        // What came from elsewhere may not be JSON Schema to the letter; what it requires is plain.
        Err(_) => {
            let required =
                written.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let missing: Vec<&str> = required.filter(|name| value.get(name).is_none()).collect();
            (!missing.is_empty()).then(|| format!("it: {} is missing", missing.join(", ")))
        }
    }
}

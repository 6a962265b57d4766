//! Klasses: what the instances of one kind of custom object look like.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{CustomProblem, KlassId, OrgId, Suffix, Timestamp};

/// The most characters of a klass's name.
const NAME_LIMIT_CHARS: usize = 64;

/// The most attributes of one klass.
const PROPERTIES_LIMIT: usize = 200;

/// One custom attribute of a klass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Keys of Kustomer's that are kept as they came.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The definition of custom objects: a name, how it looks, and the attributes an instance may have.
///
/// *Shape*: `{"name":"order","metadata":{"properties":{"orderIDStr":{"displayName":"Order ID"}}}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Klass {
    /// The klass.
    pub id: KlassId,
    /// Its owner.
    pub org: OrgId,
    /// Its key, unique in the org.
    pub name: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The name of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// The colour of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// `properties` holds the attributes; other keys are kept as they came.
    pub metadata: Map<String, Value>,
    /// The app that brought it along, which alone takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Klass {
    /// The klass as JSON, without what identifies it.
    pub fn attributes(&self) -> Map<String, Value> {
        let members = [
            ("name", json!(self.name)),
            ("displayName", json!(self.display_name)),
            ("icon", json!(self.icon)),
            ("color", json!(self.color)),
            ("metadata", json!(self.metadata)),
            ("createdAt", json!(self.created_at)),
            ("updatedAt", json!(self.updated_at)),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Says what is wrong with a klass's name, in a sentence.
    pub fn check_name(name: &str) -> Result<(), String> {
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let rest = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if first && rest && name.len() <= NAME_LIMIT_CHARS {
            Ok(())
        } else {
            Err(format!(
                "a klass's name begins with a-z, goes on with letters, digits, `-` and `_`, and has at most {NAME_LIMIT_CHARS} characters"
            ))
        }
    }

    /// Every problem of a klass's `metadata`, with its path below `$.metadata`.
    pub fn check_metadata(metadata: &Map<String, Value>) -> Vec<(String, String)> {
        let Some(properties) = metadata.get("properties") else { return Vec::new() };
        let Value::Object(properties) = properties else {
            return vec![(
                "$.metadata.properties".to_owned(),
                "properties is an object: one key for each attribute".to_owned(),
            )];
        };
        let mut problems = Vec::new();
        if properties.len() > PROPERTIES_LIMIT {
            problems.push((
                "$.metadata.properties".to_owned(),
                format!("a klass has at most {PROPERTIES_LIMIT} attributes"),
            ));
        }
        for (name, property) in properties {
            let path = format!("$.metadata.properties.{name}");
            if let Err(problem) = Suffix::of(name) {
                problems.push((path.clone(), problem.to_string()));
            }
            if serde_json::from_value::<Property>(property.clone()).is_err() {
                problems.push((path, "an attribute is an object such as {\"displayName\": \"Order ID\"}".to_owned()));
            }
        }
        problems
    }

    /// The custom attributes of an instance, each as its type keeps it.
    ///
    /// *Errors*: a sentence that names the attribute: one the klass does not have, or a value its type does not take.
    pub fn accept_custom(&self, custom: &Map<String, Value>) -> Result<Map<String, Value>, CustomProblem> {
        let properties = self.metadata.get("properties").and_then(Value::as_object);
        custom
            .iter()
            .map(|(name, value)| {
                if !properties.is_some_and(|properties| properties.contains_key(name)) {
                    return Err(CustomProblem(format!("klass `{}` has no attribute `{name}`", self.name)));
                }
                accept_attribute(name, value)
            })
            .collect()
    }

    /// The custom attributes of a record without a klass: any name that ends in a type.
    ///
    /// *Errors*: as [`Klass::accept_custom`].
    pub fn accept_standard_custom(custom: &Map<String, Value>) -> Result<Map<String, Value>, CustomProblem> {
        custom.iter().map(|(name, value)| accept_attribute(name, value)).collect()
    }
}

fn accept_attribute(name: &str, value: &Value) -> Result<(String, Value), CustomProblem> {
    let kept =
        Suffix::of(name)?.accept(value).map_err(|problem| CustomProblem(format!("attribute `{name}` {problem}")))?;
    Ok((name.to_owned(), kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn order() -> Klass {
        let now = Timestamp::from_millisecond(0);
        Klass {
            id: KlassId::fresh(now, [0; 8]),
            org: OrgId::fresh(now, [0; 8]),
            name: "order".to_owned(),
            display_name: None,
            icon: None,
            color: None,
            metadata: object(json!({"properties": {"orderIDStr": {"displayName": "Order ID"}, "quantityNum": {}}})),
            installed_by: None,
            created_at: now,
            updated_at: now,
        }
    }

    #[test]
    fn an_instance_has_the_attributes_of_its_klass_and_no_others() {
        let kept = order().accept_custom(&object(json!({"orderIDStr": 1234, "quantityNum": "2"}))).unwrap();
        assert_eq!(Value::Object(kept), json!({"orderIDStr": "1234", "quantityNum": 2}));
        for (custom, sentence) in [
            (json!({"colorStr": "red"}), "klass `order` has no attribute `colorStr`"),
            (json!({"quantityNum": "two"}), "attribute `quantityNum` takes a number, not \"two\""),
        ] {
            assert_eq!(order().accept_custom(&object(custom)).unwrap_err().to_string(), sentence);
        }
    }

    #[test]
    fn all_problems_of_a_klass_are_told_with_their_paths() {
        let problems =
            Klass::check_metadata(&object(json!({"properties": {"order": {}, "aStr": 1, "bStr": {"displayName": 1}}})));
        let paths: Vec<&str> = problems.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["$.metadata.properties.order", "$.metadata.properties.aStr", "$.metadata.properties.bStr"]);
        assert_eq!(Klass::check_metadata(&object(json!({"properties": []}))).len(), 1);
        assert!(Klass::check_metadata(&Map::new()).is_empty());
    }

    #[test]
    fn a_klass_name_has_64_characters_and_not_65() {
        assert!(Klass::check_name(&"a".repeat(64)).is_ok());
        for wrong in ["", "Order", "1order", "or der", "ordér", &"a".repeat(65)] {
            assert!(Klass::check_name(wrong).is_err(), "{wrong}");
        }
    }
}

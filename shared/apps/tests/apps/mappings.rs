//! The mapping language as rows of `cases/*.json`: an input, a mapping, and what it gives; a row without `gives` gives nothing.

use apps::mapping::{Context, Input, Lets, Mapping};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    body: Value,
    #[serde(default, rename = "let")]
    lets: Map<String, Value>,
    mapping: Value,
    gives: Option<Value>,
    /// What it gives as compact JSON, where the spelling of numbers matters.
    json: Option<String>,
    /// Words of the problem with a mapping that cannot be read.
    problem: Option<String>,
}

impl Case {
    fn check(&self) {
        let name = &self.name;
        let parsed = Lets::parse(&self.lets).and_then(|lets| Ok((Mapping::parse(&self.mapping, &lets)?, lets)));
        let (mapping, lets) = match (parsed, &self.problem) {
            (Ok(parsed), None) => parsed,
            (Err(problem), Some(words)) => return assert!(problem.contains(words), "{name}: {problem}"),
            (Ok(_), Some(_)) => panic!("{name}: is read although it is wrong"),
            (Err(problem), None) => panic!("{name}: {problem}"),
        };
        let headers = json!({"x-topic": "orders/create"});
        let query = json!({"page": "2"});
        let input = Input {
            body: &self.body,
            headers: headers.as_object().unwrap(),
            query: query.as_object().unwrap(),
            method: "POST",
        };
        let value = mapping.value(&Context::new(&input, &lets));
        match &self.json {
            Some(json) => assert_eq!(value.map(|value| value.to_string()).as_ref(), Some(json), "{name}"),
            None => assert_eq!(value, self.gives, "{name}"),
        }
    }
}

fn check_all(source: &str) {
    let Value::Array(cases) = domain::exact::parse(source).unwrap() else { panic!("cases are a list") };
    for case in cases {
        let has_null = case.get("gives").is_some_and(Value::is_null);
        let mut case: Case = serde_json::from_str(&case.to_string()).unwrap();
        if has_null {
            case.gives = Some(Value::Null);
        }
        case.check();
    }
}

#[test]
fn paths_and_shapes() {
    check_all(include_str!("../cases/shapes.json"));
}

#[test]
fn questions() {
    check_all(include_str!("../cases/logic.json"));
}

#[test]
fn texts_and_numbers() {
    check_all(include_str!("../cases/texts.json"));
}

#[test]
fn lists_and_objects() {
    check_all(include_str!("../cases/lists.json"));
}

#[test]
fn mappings_that_cannot_be_read() {
    check_all(include_str!("../cases/problems.json"));
}

#[test]
fn a_number_of_the_sender_keeps_its_spelling() {
    let body = domain::exact::parse(r#"{"id":1E400,"list":[0.10,9007199254740993]}"#).unwrap();
    let lets = Lets::default();
    let mapping = Mapping::parse(&json!({"a": "$.body.id", "b": {"$each": ["$.body.list", "$.item"]}}), &lets).unwrap();
    let input = Input { body: &body, headers: &Map::new(), query: &Map::new(), method: "POST" };
    assert_eq!(
        mapping.value(&Context::new(&input, &lets)).unwrap().to_string(),
        r#"{"a":1E400,"b":[0.10,9007199254740993]}"#
    );
}

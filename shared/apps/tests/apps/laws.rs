//! What holds for every body: no app panics, and every event's data is an object.

use apps::{
    App, Input,
    mapping::{Context, Lets, Mapping},
    samples,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Texts that mean something to some mapping, so that arbitrary bodies get past the first condition.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,8}", "-?[0-9]{1,24}", Just("{\"a\":[1e5]}".to_owned()), Just("eyJhIjoxfQ".to_owned())]
}

fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,4}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

const OPERATORS: [&str; 34] = [
    "$first",
    "$if",
    "$and",
    "$or",
    "$not",
    "$eq",
    "$ne",
    "$exists",
    "$in",
    "$contains",
    "$startsWith",
    "$gt",
    "$lt",
    "$each",
    "$where",
    "$length",
    "$get",
    "$merge",
    "$fields",
    "$numbered",
    "$table",
    "$join",
    "$split",
    "$json",
    "$base64",
    "$text",
    "$number",
    "$lower",
    "$upper",
    "$sum",
    "$minus",
    "$cents",
    "$seconds",
    "$millis",
];

/// Mappings most of which can be read.
fn mappings() -> impl Strategy<Value = Value> {
    let path = prop::sample::select(vec!["$.body", "$.body.a", "$.body.0", "$.item", "$.headers", "$.let.x.a", "$$x"]);
    let leaf = prop_oneof![path.prop_map(Value::from), values()];
    leaf.prop_recursive(4, 32, 3, |inner| {
        let operator = prop::sample::select(&OPERATORS[..]);
        prop_oneof![
            (operator.clone(), inner.clone()).prop_map(|(name, operand)| json!({name: operand})),
            (operator.clone(), inner.clone(), inner.clone()).prop_map(|(name, a, b)| json!({name: [a, b]})),
            (operator, inner.clone(), inner.clone()).prop_map(|(name, a, b)| json!({name: [a, "name", b]})),
            prop::collection::vec(("[a-z]", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every place of a value, as the keys that lead to it.
fn places(value: &Value, at: &[String], found: &mut Vec<Vec<String>>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, member)| (key.clone(), member)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, element)| (index.to_string(), element)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, member) in members {
        let place = [at, &[key]].concat();
        places(member, &place, found);
        found.push(place);
    }
}

fn replace(value: &mut Value, place: &[String], other: Value) {
    match place.split_first() {
        None => *value = other,
        Some((key, inner)) => {
            let member = match value {
                Value::Array(list) => list.get_mut(key.parse::<usize>().unwrap()),
                Value::Object(object) => object.get_mut(key),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
            };
            replace(member.unwrap(), inner, other);
        }
    }
}

fn exercise(app: &App, body: &Value, headers: &Map<String, Value>) {
    for body in app.split(body).unwrap_or_else(|| vec![body.clone()]) {
        let input = Input { body: &body, headers, query: headers, method: "POST" };
        app.is_ping(&input);
        app.echo(&input);
        app.occurred_at(&input);
        assert_ne!(app.delivery_id(&input).as_deref(), Some(""));
        assert!(app.events(&input).iter().all(|fired| fired.data.is_object()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mapping_that_can_be_read_gives_something_or_nothing(named in mappings(), mapping in mappings(), body in values()) {
        let named = Map::from_iter([("x".to_owned(), named)]);
        let lets = Lets::parse(&named).unwrap_or_default();
        if let Ok(mapping) = Mapping::parse(&mapping, &lets) {
            let (headers, query) = (Map::new(), Map::new());
            let input = Input { body: &body, headers: &headers, query: &query, method: "POST" };
            let context = Context::new(&input, &lets);
            mapping.holds_for(&context, &body);
            assert_eq!(mapping.value(&context), mapping.value(&Context::new(&input, &lets)));
        }
    }

    #[test]
    fn an_arbitrary_body_is_some_events_or_none(body in values()) {
        for app in apps::all() {
            exercise(app, &body, &Map::new());
        }
    }

    #[test]
    fn a_sample_with_anything_anywhere_is_some_events_or_none(
        which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), other in values(),
    ) {
        let samples = samples::all();
        let sample = which.get(&samples);
        let mut body = match ingest::read(sample.content_type(), &sample.body.bytes()) {
            Ok(reading) => reading.data,
            Err(_) => Value::Null,
        };
        let mut found = vec![Vec::new()];
        places(&body, &[], &mut found);
        replace(&mut body, place.get::<Vec<String>>(&found), other);
        if let Some(app) = apps::find(sample.app) {
            exercise(app, &body, &sample.headers);
        }
    }
}

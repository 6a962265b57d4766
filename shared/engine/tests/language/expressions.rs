//! References, templates and functions: `tests/fixtures/{references,templates,functions}.json` at the root.

use engine::expression::Expression;
use serde_json::{Value, json};

use crate::support::{Given, parse, rows};

const TABLES: [(&str, &str); 3] = [
    ("references", include_str!("../../../../tests/fixtures/references.json")),
    ("templates", include_str!("../../../../tests/fixtures/templates.json")),
    ("functions", include_str!("../../../../tests/fixtures/functions.json")),
];

#[test]
fn expressions_give_what_the_tables_say() {
    let mut wrong = Vec::new();
    for (name, table) in TABLES {
        let table = parse(table);
        for row in rows(&table) {
            let expression = &row.row["expression"];
            let found = found(&Given::of(row.given), expression);
            let expected = row.row.as_object().unwrap().iter().find(|(key, _)| *key != "expression").unwrap();
            if (found.0, &found.1) != (expected.0.as_str(), expected.1) {
                wrong.push(format!(
                    "{name}: {expression}\n    is    {} {}\n    wants {} {}",
                    found.0, found.1, expected.0, expected.1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What came of an expression, in the words of the tables.
fn found(given: &Given, expression: &Value) -> (&'static str, Value) {
    if let Err(problems) = Expression::parse(expression) {
        return ("problem", json!(problems[0].code));
    }
    match given.resolve(expression) {
        Ok(Some(value)) => ("result", value),
        Ok(None) => ("missing", json!(true)),
        Err(fault) => ("fault", json!(fault.code())),
    }
}

#[test]
fn a_number_keeps_every_digit_through_a_reference() {
    let numbers = r#"{"a":9007199254740993,"b":1e400,"c":0.10,"d":-0.0}"#;
    let given = Given::of(&json!({"steps": {"1": null}}));
    assert_eq!(given.resolve(&json!("/#steps.1")).unwrap(), Some(Value::Null));
    let mut steps = json!({"steps": {}});
    steps["steps"]["1"] = parse(numbers);
    let params = json!({"a": "/#steps.1.a", "b": "/#steps.1.b", "c": "/#steps.1.c", "d": "/#steps.1.d"});
    let resolved = Given::of(&steps).resolve(&params).unwrap().unwrap();
    assert_eq!(resolved.to_string(), numbers);
}

#[test]
fn values_may_nest_to_the_limit_and_no_deeper() {
    let nested = |levels: usize| parse(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    assert!(Expression::parse(&nested(64)).is_ok());
    let problems = Expression::parse(&nested(65)).unwrap_err();
    assert_eq!(problems[0].code, "nested_too_deep");
}

#[test]
fn a_path_may_have_as_many_parts_as_the_limit_and_no_more() {
    let path = |parts: usize| json!(format!("/#steps{}", ".a".repeat(parts - 1)));
    assert!(Expression::parse(&path(128)).is_ok());
    assert_eq!(Expression::parse(&path(129)).unwrap_err()[0].code, "bad_reference");
}

//! References and literals: `cases/expressions.json`.

use engine::expression::{Expression, resolve};
use serde_json::{Value, json};

use crate::support::{context, parse};

#[test]
fn expressions_give_what_the_table_says() {
    let table = parse(include_str!("../cases/expressions.json"));
    let context = context(&table["context"]);
    for case in table["cases"].as_array().unwrap() {
        let params = &case["params"];
        match case.get("problem").and_then(Value::as_str) {
            Some(code) => {
                let problems = Expression::parse(params).expect_err(&params.to_string());
                assert_eq!(problems[0].code, code, "{params}: {problems:?}");
            }
            None => {
                let given = resolve(params, &context).unwrap_or_else(|fault| panic!("{params}: {fault}"));
                assert_eq!(given.as_ref(), case.get("gives"), "{params}");
            }
        }
    }
}

#[test]
fn a_number_keeps_every_digit_through_a_reference() {
    // serde_json writes the sign of an exponent out when it reads one, 1e400 as 1e+400; nothing else changes.
    let numbers = r#"{"a":9007199254740993,"b":1e+400,"c":0.10,"d":-0.0}"#;
    let given = json!({"steps": {"1": parse(numbers)}});
    let params = json!({"a": "/#steps.1.a", "b": "/#steps.1.b", "c": "/#steps.1.c", "d": "/#steps.1.d"});
    let resolved = resolve(&params, &context(&given)).unwrap().unwrap();
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

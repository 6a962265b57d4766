//! The sixteen operators: `tests/fixtures/conditions.json` at the root, one row per operator and case.

use engine::condition::{Condition, Operator, Verdict};
use serde_json::{Value, json};

use crate::support::{Given, parse, rows};

fn judge(condition: &Value, given: &Value) -> Verdict {
    Given::of(given).judge(condition)
}

#[test]
fn operators_judge_as_the_table_says() {
    let table = parse(include_str!("../../../../tests/fixtures/conditions.json"));
    let rows = rows(&table);
    for row in &rows {
        let condition = &row.row["condition"];
        assert_eq!(judge(condition, row.given).holds, row.row["result"], "{condition}");
    }
    for operator in Operator::ALL {
        for answer in [true, false] {
            let is_it = |row: &Value| row["condition"]["op"] == operator.name() && row["result"] == answer;
            let has_row = rows.iter().any(|row| is_it(row.row));
            assert!(has_row, "the table has no row where {} gives {answer}", operator.name());
        }
    }
}

#[test]
fn a_verdict_says_what_was_compared_and_what_was_missing() {
    let given = json!({"steps": {"1": {"status": "open"}}});
    let condition = json!({"op": "or", "values": [
        {"op": "eq", "values": ["/#steps.1.status", "done"]},
        {"op": "exists", "values": ["/#steps.1['the total']"]},
        {"op": "true", "values": [true]},
        {"op": "true", "values": ["never asked"]},
    ]});
    let verdict = judge(&condition, &given);
    let expected = json!({"op": "or", "result": true, "conditions": [
        {"op": "eq", "values": ["open", "done"], "from": ["/#steps.1.status", null], "result": false},
        {"op": "exists", "values": [null], "from": ["/#steps.1['the total']"], "result": false,
            "missing": ["/#steps.1['the total']"]},
        {"op": "true", "values": [true], "result": true},
    ]});
    assert_eq!(serde_json::to_value(&verdict).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Verdict>(expected).unwrap(), verdict);
}

#[test]
fn a_verdict_shortens_what_is_long() {
    let long = "ä".repeat(1_000);
    let given =
        json!({"steps": {"1": {"text": long, "list": vec![0; 1_000], "object": {"a": long}, "small": [1, "x"]}}});
    let values = |path: &str| judge(&json!({"op": "exists", "values": [path]}), &given).values[0].clone();
    assert_eq!(values("/#steps.1.text"), format!("{}…", "ä".repeat(512)));
    assert_eq!(values("/#steps.1.list"), "a list of 1000");
    assert_eq!(values("/#steps.1.object"), "an object of 1 keys");
    assert_eq!(values("/#steps.1.small"), json!([1, "x"]));
}

#[test]
fn a_template_that_cannot_be_rendered_is_missing_and_named() {
    let given = json!({"steps": {"1": {"many": vec![0; 200_000]}}});
    let condition = json!({"op": "eq", "values": ["{{#each steps.1.many}}{{#if this}}{{/if}}{{/each}}", "x"]});
    let verdict = judge(&condition, &given);
    assert!(!verdict.holds);
    assert!(verdict.missing[0].starts_with("{{#each"), "{verdict:?}");
    assert!(verdict.faults[0].contains("operations"), "{verdict:?}");
    let told = verdict.sentences().concat();
    assert!(told.contains("operations") && told.contains("(missing)"), "{told}");
}

#[test]
fn conditions_may_nest_to_the_limit_and_no_deeper() {
    let nested = |levels: usize| {
        let leaf = json!({"op": "true", "values": []});
        (1..levels).fold(leaf, |inner, _| json!({"op": "and", "values": [inner]}))
    };
    assert!(Condition::parse(&nested(64)).is_ok());
    assert_eq!(Condition::parse(&nested(65)).unwrap_err()[0].code, "nested_too_deep");
    assert_eq!(Condition::parse(&nested(100)).unwrap_err().len(), 1);
}

//! What holds for any document, any data and any outcomes.

use engine::expression::Expression;
use engine::journal::Outcome;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::{Given, drive, failed, problems, steps};

/// Texts made of what means something to the language.
fn texts() -> impl Strategy<Value = String> {
    let tokens = vec![
        "/#",
        "steps",
        "1",
        ".",
        "[",
        "]",
        "'",
        "\"",
        "a",
        "{{",
        "}}",
        "{{{",
        "}}}",
        "#each ",
        "/each",
        "else",
        "this",
        " ",
        "(",
        ")",
        "|",
        "as ",
        "=",
        "~",
        "&",
        "^",
        "!",
        ">",
        "*",
        "\\",
        "../",
        "@index",
        "@root",
        "eq ",
        "fn:",
        "0",
        "é",
        "#if ",
        "/if",
        "-",
        "lookup ",
        "steps.1.a",
        "{{/each}}",
        "{{#each steps.1.list}}",
        "{{{steps.1.a}}}",
    ];
    prop_oneof![
        prop::collection::vec(prop::sample::select(tokens), 0..14).prop_map(|parts| parts.concat()),
        "\\PC{0,12}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec!["0", "-0.0", "1e400", "9007199254740993", "0.10", "1513920182138"])
            .prop_map(|text| serde_json::from_str(text).unwrap()),
        texts().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        let keys = prop::sample::select(vec![
            "name",
            "trigger",
            "steps",
            "id",
            "transitions",
            "target",
            "condition",
            "op",
            "values",
            "params",
            "action",
            "errorCases",
            "eventName",
            "a",
            "a.b",
            "0",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys, inner), 0..4).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

fn operators() -> impl Strategy<Value = &'static str> {
    prop::sample::select(engine::condition::Operator::ALL.map(|operator| operator.name()).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_a_document_never_panics(document in values(), trigger in values(), steps in values()) {
        let _ = problems(&document);
        let _ = problems(&json!({"name": "a", "trigger": trigger, "steps": [steps]}));
    }

    #[test]
    fn resolving_never_panics_and_literals_stay(params in values(), data in values()) {
        let given = json!({"steps": {"1": data}});
        let _ = Given::of(&given).resolve(&params);
    }

    #[test]
    fn data_passes_through_unchanged(data in values()) {
        let given = json!({"steps": {"1": {"a": data}}});
        prop_assert_eq!(Given::of(&given).resolve(&json!("/#steps.1.a")), Ok(Some(data)));
    }

    #[test]
    fn text_passes_through_a_template_unchanged(text in texts()) {
        let given = json!({"steps": {"1": {"a": text}}});
        for template in ["{{{steps.1.a}}}", "{{{steps.1.a}}}{{! rendered by the crate }}", "{{#if true}}{{{steps.1.a}}}{{/if}}"] {
            prop_assert_eq!(Given::of(&given).resolve(&json!(template)), Ok(Some(json!(text))));
        }
    }

    #[test]
    fn a_template_that_parses_renders_or_fails_with_a_sentence(text in texts(), data in values()) {
        let given = json!({"steps": {"1": data}});
        if Expression::parse(&json!(text)).is_ok()
            && let Err(fault) = Given::of(&given).resolve(&json!(text))
        {
            prop_assert!(fault.to_string().ends_with('.'));
        }
    }

    #[test]
    fn opposite_operators_never_agree(left in values(), right in values()) {
        let given = json!({"steps": {"1": {"left": left, "right": right}}});
        let holds = |op: &str, values: Value| {
            Given::of(&given).judge(&json!({"op": op, "values": values})).holds
        };
        let both = json!(["/#steps.1.left", "/#steps.1.right"]);
        let one = json!(["/#steps.1.left"]);
        prop_assert_ne!(holds("eq", both.clone()), holds("neq", both.clone()));
        prop_assert_ne!(holds("contains", both.clone()), holds("not-contains", both));
        prop_assert_ne!(holds("exists", one.clone()), holds("dne", one.clone()));
        prop_assert_ne!(holds("true", one.clone()), holds("false", one));
    }

    #[test]
    fn the_journal_always_gives_the_run_back(
        data in values(), tests in prop::collection::vec((operators(), 0usize..5), 8), outcomes in prop::collection::vec(0u8..6, 1..8),
    ) {
        let actions = ["continue", "stop-processing", "retry-action", "retry-workflow"];
        let step = |place: usize| {
            let (op, target) = tests[place];
            let values = match op {
                "and" | "or" => json!([{"op": "exists", "values": ["/#steps.1"]}]),
                "exists" | "dne" | "true" | "false" => json!(["/#steps.s0.kind"]),
                _ => json!(["/#steps.1", "/#steps.s1.kind"]),
            };
            json!({"id": format!("s{place}"), "action": "house.act", "params": {"x": "/#steps.1", "e": "/#error"},
                "transitions": [
                    {"target": format!("s{target}"), "condition": {"op": op, "values": values}},
                    {"target": format!("s{}", (place + 1) % 5), "condition": {"op": "neq", "values": ["/#steps.s2.kind", 2]}},
                ],
                "errorCases": [{"condition": {"op": "or", "values": [{"op": "gt", "values": ["/#error.code", 3]}]},
                    "errorAction": {"type": actions[place % 4]}}]})
        };
        let definition = steps((0..5).map(step).collect());
        let mut turn = 0;
        // `drive` compares the run with its journal after every step.
        drive(&definition, &data, |_, _| {
            turn += 1;
            match outcomes[turn % outcomes.len()] {
                kind if turn > 40 || kind > 2 => failed(&kind.to_string()),
                kind => Outcome::Output(json!({"kind": kind})),
            }
        });
    }
}

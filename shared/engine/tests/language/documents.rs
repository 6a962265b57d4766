//! Documents and what is told of them: `tests/fixtures/documents.json` at the root.

use engine::definition::TriggerKind;
use engine::problem::Severity;
use engine::{Definition, Problem, check};
use serde_json::{Value, json};

use crate::support::{catalogue, definition, parse, problems};

#[test]
fn documents_have_the_problems_the_table_says() {
    let table = parse(include_str!("../../../../tests/fixtures/documents.json"));
    let mut wrong = Vec::new();
    for group in table.as_array().unwrap() {
        let catalogue = catalogue(&group["actions"]);
        for row in group["rows"].as_array().unwrap() {
            let checked = check(&row["document"], &catalogue);
            for (severity, key) in [(Severity::Error, "errors"), (Severity::Warning, "warnings")] {
                let expected = row.get(key).cloned().unwrap_or(json!([]));
                let found = told(&checked.problems, severity, &expected);
                if json!(found) != expected {
                    wrong.push(format!("{}: {key}\n    are   {}\n    wants {expected}", row["about"], json!(found)));
                }
            }
            for problem in &checked.problems {
                assert!(problem.message.ends_with(['.', '?']), "not a sentence: {}", problem.message);
            }
            let is_refused = checked.problems.iter().any(|problem| problem.severity == Severity::Error);
            assert_eq!(checked.definition.is_none(), is_refused, "{}", row["about"]);
        }
    }
    assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Path and code of each problem, and the suggestion where the table has one.
fn told(problems: &[Problem], severity: Severity, expected: &Value) -> Vec<Value> {
    let problems = problems.iter().filter(|problem| problem.severity == severity);
    problems
        .enumerate()
        .map(|(place, problem)| match (&problem.suggestion, expected[place].get(2)) {
            (Some(suggestion), Some(_)) => json!([problem.path, problem.code, suggestion]),
            _ => json!([problem.path, problem.code]),
        })
        .collect()
}

#[test]
fn a_document_comes_back_as_it_was_imported() {
    let text = include_str!("../cases/tutorial.json");
    let document = parse(text);
    let definition = definition(&document);
    assert_eq!(definition.document().to_string(), document.to_string());
    assert_eq!(definition.name(), "order-from-form-hook");
    assert_eq!(definition.event_name(), "kustomer.hooks.form.5a345109e578360010eaa1ad.receive");
    assert_eq!(definition.steps().len(), 5);
    assert_eq!(definition.step("find").and_then(|step| step.action()), Some("kustomer.customer.find-by-email"));
    assert_eq!(definition.step("found").and_then(|step| step.action()), None);
    assert!(definition.step("1").is_none());
}

#[test]
fn the_sample_of_the_documentation_is_a_workflow() {
    let document = json!({
        "name": "simple-company-create-workflow",
        "description": "Create a company from a request.",
        "trigger": {
            "eventName": "kustomer.app.ecommstore.company.create",
            "transitions": [{"target": "step2", "condition": {"op": "true", "values": [true]}}]
        },
        "steps": [{
            "transitions": [], "errorCases": [], "id": "step2", "action": "kustomer.company.create",
            "params": {"name": "/#steps.1.companyName"}, "appVersion": "kustomer-^1.4.11"
        }]
    });
    let definition = Definition::parse(&document).unwrap();
    assert!(definition.is_enabled());
    assert_eq!(definition.trigger().id(), "1");
    assert_eq!(definition.trigger().kind(), TriggerKind::Event);
    assert_eq!(definition.trigger().transitions()[0].target(), "step2");
}

#[test]
fn names_and_descriptions_may_be_as_long_as_the_limit_and_no_longer() {
    let with = |name: usize, description: usize| {
        let document = json!({
            "name": "n".repeat(name), "description": "ß".repeat(description),
            "trigger": {"eventName": "e", "transitions": []},
        });
        let problems = problems(&document);
        problems.into_iter().map(|problem| (problem.path, problem.code)).collect::<Vec<_>>()
    };
    assert_eq!(with(128, 4096), []);
    let expected = [("$.name".to_owned(), "too_long"), ("$.description".to_owned(), "too_long")];
    assert_eq!(with(129, 4097), expected);
}

#[test]
fn a_workflow_may_wait_for_as_many_different_events_as_the_limit_and_no_more() {
    let waiting = |events: usize| {
        let step = |place: usize| {
            let next = json!([{"target": format!("s{}", place + 1), "condition": {"op": "true", "values": []}}]);
            // Each event twice: what counts is how many different ones there are.
            let event = json!({"name": format!("kustomer.app.shop.e{}", place / 2), "match": []});
            json!({"id": format!("s{place}"), "action": "flow.wait", "params": {"event": event}, "transitions": next})
        };
        let mut steps: Vec<Value> = (0..events * 2).map(step).collect();
        steps.push(json!({"id": format!("s{}", events * 2), "transitions": []}));
        let first = json!([{"target": "s0", "condition": {"op": "true", "values": []}}]);
        let document = json!({"name": "a", "trigger": {"eventName": "e", "transitions": first}, "steps": steps});
        problems(&document).into_iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    let limit = engine::flow::AWAITED_EVENTS_LIMIT;
    for events in [1, limit - 1, limit] {
        assert_eq!(waiting(events), [] as [&str; 0], "{events}");
    }
    for events in [limit + 1, limit + 2] {
        assert_eq!(waiting(events), ["too_many_awaited_events"], "{events}");
    }
}

#[test]
fn a_workflow_may_be_disabled_and_callable() {
    let definition = definition(&json!({
        "name": "a", "enabled": false, "trigger": {"callable": true, "transitions": []},
    }));
    assert!(!definition.is_enabled());
    assert_eq!(definition.event_name(), "");
    assert_eq!(definition.trigger().kind(), TriggerKind::Callable);
}

#[test]
fn a_hostile_document_is_refused_without_much_work() {
    let long = "x".repeat(400_000);
    let condition = json!({"op": long, "values": []});
    let transitions: Vec<Value> = (0..20).map(|_| json!({"target": long, "condition": condition})).collect();
    let ids = (0..20_000).map(|place| {
        json!({"id": format!("step-{place}"), "transitions": [
            {"target": format!("stepp-{place}"), "condition": {"op": "true", "values": []}},
        ]})
    });
    let mut steps: Vec<Value> = ids.collect();
    steps.push(json!({"id": long, "action": long, "transitions": []}));
    let document = json!({"name": "a", "trigger": {"eventName": "e", "transitions": transitions}, "steps": steps});
    let problems = problems(&document);
    // Every target and the action are unknown; the last id is too long, there are too many steps, and all of it is too large.
    // The first of them are told.
    assert_eq!(problems.len(), engine::problem::PROBLEMS_LIMIT);
    assert!(problems.iter().filter(|problem| problem.suggestion.is_some()).count() < 100);
}

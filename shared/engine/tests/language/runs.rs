//! Runs as stories: documents driven through `start`, `next` and `record`.

use engine::journal::{Entry, Outcome};
use engine::run::{Decision, Ending, Given, Illegal, TRUNK, next, record, replay, start};
use serde_json::{Value, json};

use crate::support::{definition, drive, failed, order, parse, steps, surroundings, timed};

fn transaction() -> Value {
    json!({"id": "a5c3", "type": "transaction", "attributes": {"data": {
        "orderId": "1234", "price": "$10.25", "quantity": 2, "email": "test@example.com",
    }}})
}

fn tutorial_with(found: Value) -> (Vec<Entry>, Ending) {
    let definition = definition(&parse(include_str!("../cases/tutorial.json")));
    drive(&definition, &transaction(), |step, _| {
        Outcome::Output(match step {
            "find" => found.clone(),
            "create" => json!({"id": "new-customer"}),
            _ => json!({"id": "order"}),
        })
    })
}

#[test]
fn the_tutorial_makes_a_customer_who_is_new() {
    let (entries, ending) = tutorial_with(json!({}));
    assert_eq!(order(&entries), ["1", "find", "found", "create", "order-new"]);
    assert_eq!(ending, Ending::Succeeded);
    assert_eq!(entries[1].input, Some(json!({"email": "test@example.com"})));
    assert_eq!(entries[2].outcome, Outcome::Output(Value::Null));
    let expected = json!({
        "klassName": "order", "customer": "new-customer", "title": "Online Order",
        "data": transaction()["attributes"]["data"], "custom": {"orderIdStr": "1234"},
    });
    assert_eq!(entries[4].input, Some(expected));
}

#[test]
fn the_tutorial_finds_a_customer_who_is_known() {
    let (entries, _) = tutorial_with(json!({"id": "known"}));
    assert_eq!(order(&entries), ["1", "find", "found", "order-found"]);
    let input = entries[3].input.as_ref().unwrap();
    assert_eq!((&input["customer"], &input["title"]), (&json!("known"), &json!("Order 1234")));
}

#[test]
fn an_entry_says_which_transitions_were_considered() {
    let (entries, _) = tutorial_with(json!({}));
    let expected = json!({
        "step": "found", "visit": 1, "outcome": {"output": null},
        "transition": {"target": "create", "conditions": [
            {"target": "order-found", "verdict":
                {"op": "exists", "values": [null, ""], "from": ["/#steps.find.id", null], "result": false, "missing": ["/#steps.find.id"]}},
            {"target": "create", "verdict":
                {"op": "dne", "values": [null, true], "from": ["/#steps.find.id", null], "result": true, "missing": ["/#steps.find.id"]}},
        ]},
    });
    assert_eq!(serde_json::to_value(&entries[2]).unwrap(), expected);
}

#[test]
fn asking_what_is_next_changes_nothing() {
    let definition = definition(&parse(include_str!("../cases/tutorial.json")));
    let progress = start(&definition, transaction(), &surroundings());
    assert_eq!(
        next(&definition, &progress, TRUNK, &surroundings()),
        next(&definition, &progress, TRUNK, &surroundings())
    );
    let Decision::Perform { step, visit, action, .. } = next(&definition, &progress, TRUNK, &surroundings()) else {
        panic!("the first step has an action");
    };
    assert_eq!((step.as_str(), visit, action.as_str()), ("find", 1, "kustomer.customer.find-by-email"));
}

#[test]
fn a_trigger_with_no_open_transition_ends_the_run_at_once() {
    let document = json!({"name": "a", "trigger": {"eventName": "e", "transitions": []}});
    let (entries, ending) = drive(&definition(&document), &json!({}), |_, _| unreachable!());
    assert_eq!((order(&entries), ending), (vec!["1"], Ending::Succeeded));
}

#[test]
fn the_first_open_transition_wins() {
    let always = |target: &str| json!({"target": target, "condition": {"op": "true", "values": [true]}});
    let definition = steps(json!([
        {"id": "fork", "transitions": [always("left"), always("right")]},
        {"id": "left", "transitions": []},
        {"id": "right", "transitions": []},
    ]));
    let (entries, _) = drive(&definition, &json!({}), |_, _| unreachable!());
    assert_eq!(order(&entries), ["1", "fork", "left"]);
}

#[test]
fn a_step_without_params_is_given_an_empty_object() {
    let definition = steps(json!([{"id": "s", "action": "house.act", "transitions": []}]));
    let (entries, _) = drive(&definition, &json!({}), |_, input| Outcome::Output(input.clone()));
    assert_eq!(entries[1].outcome, Outcome::Output(json!({})));
}

#[test]
fn payload_text_that_looks_like_an_expression_is_data_all_the_way() {
    let definition = steps(json!([
        {"id": "a", "action": "house.act", "params": {"x": "/#steps.1.evil", "y": "<{{{steps.1.evil}}}>"}, "transitions": [
            {"target": "b", "condition": {"op": "eq", "values": ["/#steps.a.x", "/#steps.1.evil"]}},
        ]},
        {"id": "b", "action": "house.act", "params": {"again": "/#steps.a", "text": "{{{steps.a.x}}}"}, "transitions": []},
    ]));
    for evil in ["/#steps.1.secret", "{{{steps.1.secret}}}", "{{#each steps}}{{this}}{{/each}}", "{{", "/#"] {
        let trigger = json!({"evil": evil, "secret": "s3cret"});
        let (entries, ending) = drive(&definition, &trigger, |_, input| Outcome::Output(input.clone()));
        assert_eq!(ending, Ending::Succeeded);
        let expected = json!({"again": {"x": evil, "y": format!("<{evil}>")}, "text": evil});
        assert_eq!(entries[2].input.as_ref(), Some(&expected));
    }
}

#[test]
fn params_that_cannot_be_resolved_fail_the_step() {
    let definition = steps(json!([
        {"id": "s", "action": "house.act", "params": {"x": "{{{steps.1.big}}}{{{steps.1.big}}}"}, "transitions": []},
    ]));
    let trigger = json!({"big": "x".repeat(600_000)});
    let (entries, ending) = drive(&definition, &trigger, |_, _| unreachable!());
    assert_eq!(entries[1].input, None);
    let Ending::Failed(failure) = ending else { panic!("the run must fail") };
    assert_eq!(failure.code, "template_too_large");
}

#[test]
fn a_failure_without_an_error_case_fails_the_run() {
    let definition = steps(json!([{"id": "s", "action": "house.act", "transitions": []}]));
    let (entries, ending) = drive(&definition, &json!({}), |_, _| failed("email_taken"));
    assert_eq!(entries[1].transition, None);
    let Ending::Failed(failure) = ending else { panic!("the run must fail") };
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        ("email_taken", "Step \"s\" (house.act) failed: It is email_taken.")
    );
}

/// A step that fails, answered by `action` when the error is `known`, then a step that reports it.
fn with_error_case(action: &str) -> engine::Definition {
    steps(json!([
        {"id": "s", "action": "house.act",
            "transitions": [{"target": "report", "condition": {"op": "exists", "values": ["/#error.code"]}}],
            "errorCases": [
                {"condition": {"op": "and", "values": [{"op": "eq", "values": ["/#error.code", "other"]}]},
                    "errorAction": {"type": "stop-processing"}},
                {"condition": {"op": "or", "values": [{"op": "eq", "values": ["/#error.code", "known"]}]},
                    "errorAction": {"type": action}},
            ]},
        {"id": "report", "action": "house.act", "params": {"said": "/#error.message", "left": "/#steps.s"},
            "transitions": []},
    ]))
}

#[test]
fn an_error_case_may_continue_and_the_error_can_be_read() {
    let (entries, ending) = drive(&with_error_case("continue"), &json!({}), |step, _| match step {
        "s" => failed("known"),
        _ => Outcome::Output(json!({})),
    });
    assert_eq!((order(&entries), ending), (vec!["1", "s", "report"], Ending::Succeeded));
    assert_eq!(entries[2].input, Some(json!({"said": "It is known."})));
    let case = serde_json::to_value(&entries[1]).unwrap()["errorCase"].clone();
    assert_eq!(case["action"], "continue");
    assert_eq!(case["conditions"].as_array().unwrap().len(), 2);
}

#[test]
fn an_error_case_may_stop_the_run_without_an_error() {
    let (entries, ending) = drive(&with_error_case("continue"), &json!({}), |_, _| failed("other"));
    assert_eq!((order(&entries), ending), (vec!["1", "s"], Ending::Succeeded));
}

#[test]
fn an_error_no_case_is_about_fails_the_run() {
    let (entries, ending) = drive(&with_error_case("continue"), &json!({}), |_, _| failed("strange"));
    assert!(matches!(ending, Ending::Failed(failure) if failure.code == "strange"));
    assert_eq!(entries[1].error_case.as_ref().unwrap().action, None);
}

#[test]
fn an_action_is_tried_three_times_at_one_visit() {
    let definition = with_error_case("retry-action");
    let (entries, ending) = drive(&definition, &json!({}), |_, _| failed("known"));
    assert_eq!(order(&entries), ["1", "s", "s", "s"]);
    assert!(entries[1..].iter().all(|entry| entry.visit == 1));
    assert!(matches!(ending, Ending::Failed(failure) if failure.code == "known"));

    let mut attempts = 0;
    let (entries, ending) = drive(&definition, &json!({}), |_, _| {
        attempts += 1;
        if attempts < 3 { failed("known") } else { Outcome::Output(json!({})) }
    });
    assert_eq!(ending, Ending::Succeeded);
    assert_eq!(order(&entries), ["1", "s", "s", "s", "report"]);
}

#[test]
fn a_workflow_is_begun_three_times_with_new_visits() {
    let (entries, ending) = drive(&with_error_case("retry-workflow"), &json!({}), |_, _| failed("known"));
    let visits: Vec<u32> = entries[1..].iter().map(|entry| entry.visit).collect();
    assert_eq!((order(&entries), visits), (vec!["1", "s", "s", "s"], vec![1, 2, 3]));
    assert!(matches!(ending, Ending::Failed(failure) if failure.code == "known"));
}

#[test]
fn beginning_again_forgets_what_the_steps_left() {
    let always = json!({"op": "true", "values": []});
    let definition = steps(json!([
        {"id": "a", "action": "house.act", "params": {"seen": "/#steps.a.id", "error": "/#error.code"},
            "transitions": [{"target": "b", "condition": always}]},
        {"id": "b", "action": "house.act", "transitions": [],
            "errorCases": [{"condition": {"op": "and", "values": []}, "errorAction": {"type": "retry-workflow"}}]},
    ]));
    let (entries, _) = drive(&definition, &json!({}), |step, _| match step {
        "a" => Outcome::Output(json!({"id": 1})),
        _ => failed("known"),
    });
    assert_eq!(order(&entries), ["1", "a", "b", "a", "b", "a", "b"]);
    assert_eq!(entries[3].input, Some(json!({})));
}

/// `ring` steps that go round while the trigger has `go`.
fn ring(length: usize) -> engine::Definition {
    let step = |place: usize| {
        let target = format!("s{}", (place + 1) % length);
        json!({"id": format!("s{place}"), "transitions":
            [{"target": target, "condition": {"op": "exists", "values": ["/#steps.1.go"]}}]})
    };
    steps((0..length).map(step).collect())
}

#[test]
fn a_step_is_visited_as_often_as_the_limit_and_no_more() {
    let (entries, ending) = drive(&ring(1), &json!({"go": 1}), |_, _| unreachable!());
    assert_eq!((entries.len(), entries.last().unwrap().visit), (1 + 1_000, 1_000));
    assert!(matches!(ending, Ending::Failed(failure) if failure.code == "visit_limit"));
}

#[test]
fn a_run_takes_as_many_steps_as_the_limit_and_no_more() {
    let (entries, ending) = drive(&ring(20), &json!({"go": 1}), |_, _| unreachable!());
    assert_eq!(entries.len(), 1 + 10_000);
    assert!(matches!(ending, Ending::Failed(failure) if failure.code == "step_limit"));
}

#[test]
fn nothing_is_recorded_after_the_end() {
    let definition = steps(json!([{"id": "s", "transitions": []}]));
    let mut progress = start(&definition, json!({}), &surroundings());
    record(&definition, &mut progress, TRUNK, Given::default(), Outcome::Output(Value::Null), &surroundings()).unwrap();
    let again =
        record(&definition, &mut progress, TRUNK, Given::default(), Outcome::Output(Value::Null), &surroundings());
    assert_eq!(again, Err(Illegal::Over));
}

#[test]
fn a_journal_that_is_not_of_this_workflow_is_refused() {
    let (entries, _) = tutorial_with(json!({}));
    let tutorial = definition(&parse(include_str!("../cases/tutorial.json")));
    let other = steps(json!([{"id": "s", "transitions": []}]));
    assert_eq!(
        replay(&other, transaction(), timed(&entries), &surroundings()),
        Err(Illegal::NoSuchStep("find".to_owned()))
    );
    let swapped = [entries[2].clone(), entries[1].clone()];
    assert!(matches!(
        replay(&tutorial, transaction(), timed(&swapped), &surroundings()),
        Err(Illegal::OutOfOrder { .. })
    ));
    let twice = [entries[1].clone(), entries[1].clone()];
    assert!(matches!(
        replay(&tutorial, transaction(), timed(&twice), &surroundings()),
        Err(Illegal::OutOfOrder { .. })
    ));
    let past = [entries.as_slice(), &entries[4..]].concat();
    assert_eq!(replay(&tutorial, transaction(), timed(&past), &surroundings()), Err(Illegal::Over));
}

#[test]
fn an_entry_says_which_references_of_the_params_led_nowhere() {
    let params = json!({
        "email": "/#steps.1.emial", "name": "{{steps.1.frist}} {{steps.1.frist}}", "list": ["/#steps.1.list[7]"], "there": "/#steps.1.email",
        "prepared": "/#fn:default,steps.1.nothing,x", "block": "{{#if steps.1.no}}{{steps.1.no}}{{else}}-{{/if}}",
    });
    let definition = steps(json!([{"id": "s", "action": "a", "params": params, "transitions": []}]));
    let (entries, _) =
        drive(&definition, &json!({"email": "ann@example.com", "list": [1]}), |_, _| Outcome::Output(json!({})));
    assert_eq!(
        entries[1].missing,
        [
            "`/#steps.1.emial` is missing: `steps.1` has no `emial`. Did you mean `email`?",
            "`steps.1.frist` is missing: `steps.1` has no `frist`. What is there: `email` and `list`.",
            "`/#steps.1.list[7]` is missing: `steps.1.list` is a list of 1 and has no element 7; the first one is 0.",
        ]
    );
    assert_eq!(entries[0].missing, [""; 0]);
    // However many there are, the first ten are kept.
    let many: Vec<String> = (0..50).map(|n| format!("/#steps.1.none{n}")).collect();
    let definition = steps(json!([{"id": "s", "action": "a", "params": {"many": many}, "transitions": []}]));
    let (entries, _) = drive(&definition, &json!({}), |_, _| Outcome::Output(json!({})));
    assert_eq!(entries[1].missing.len(), 10);
}

#[test]
fn who_wrote_the_keys_of_a_param_is_known() {
    let step = |params: Value| {
        json!({
            "name": "keys",
            "trigger": { "eventName": "e", "id": "1", "transitions": [{ "target": "s", "condition": { "op": "true", "values": [] } }] },
            "steps": [{ "id": "s", "action": "a.b.c", "params": params, "transitions": [] }],
        })
    };
    for (params, expected) in [
        (json!({ "headers": {} }), true),
        (json!({ "headers": { "a": "b" } }), true),
        (json!({ "headers": { "a": "/#steps.1.b" }, "uri": "{{steps.1.c}}" }), true),
        (json!({ "uri": "/#steps.1.c" }), true),
        (json!({ "headers": "/#steps.1.headers" }), false),
        (json!({ "headers": "/#fn:parseJSON,steps.1.headers" }), false),
        (json!({ "headers": "{{steps.1.headers}}" }), false),
        (json!({ "headers": ["/#steps.1.headers"] }), false),
    ] {
        let definition = definition(&step(params.clone()));
        assert_eq!(definition.writes_keys_of("s", "headers"), expected, "{params}");
        assert!(definition.writes_keys_of("absent", "headers"));
    }
}

//! Loops, parallel steps, waits, answers and stops: what branches are, and what becomes of them.

use engine::journal::{Entry, Outcome};
use engine::run::Ending;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{drive, drive_by, failed, problems, steps};

fn always(target: &str) -> Value {
    json!([{"target": target, "condition": {"op": "true", "values": []}}])
}

/// What the last entry of the step left.
fn output<'e>(entries: &'e [Entry], step: &str) -> &'e Value {
    let last = entries.iter().rev().find(|entry| entry.step == step).unwrap();
    match &last.outcome {
        Outcome::Output(output) => output,
        other @ (Outcome::Failed(_) | Outcome::Pending(_) | Outcome::Stopped(_)) => panic!("{step} came to {other:?}"),
    }
}

fn error(ending: &Ending) -> (&str, &str) {
    match ending {
        Ending::Failed(failure) => (&failure.code, &failure.message),
        Ending::Succeeded => panic!("it succeeded"),
    }
}

fn echo(_: &str, input: &Value) -> Outcome {
    Outcome::Output(input.clone())
}

/// A loop over what the trigger has as `items`; each goes through `charge` and `note`.
fn looped(params: Value) -> engine::Definition {
    let mut given = json!({"items": "/#steps.1.items", "do": "charge"});
    given.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
    steps(json!([
        {"id": "each", "action": "flow.for-each", "params": given, "transitions": always("after")},
        {"id": "charge", "action": "pay", "params": {"of": "/#steps.each.item.price", "n": "/#steps.each.index", "all": "/#steps.each.count"},
         "transitions": always("note")},
        {"id": "note", "action": "note", "params": {"paid": "/#steps.charge.of", "by": "/#steps.1.by"}, "transitions": []},
        {"id": "after", "action": "sum", "params": {"results": "/#steps.each.results", "inside": "/#steps.charge"}, "transitions": []},
    ]))
}

fn items(count: usize) -> Value {
    let items: Vec<Value> = (0..count).map(|price| json!({ "price": price })).collect();
    json!({"by": "ann", "items": items})
}

#[test]
fn a_loop_goes_over_its_items_and_keeps_what_each_came_to_in_order() {
    let (entries, ending) = drive(&looped(json!({"concurrency": 2})), &items(3), echo);
    assert_eq!(ending, Ending::Succeeded);
    let results = json!([{"paid": 0, "by": "ann"}, {"paid": 1, "by": "ann"}, {"paid": 2, "by": "ann"}]);
    assert_eq!(output(&entries, "each"), &json!({"count": 3, "results": results}));
    // What stands in a branch is not seen outside of it.
    assert_eq!(output(&entries, "after"), &json!({"results": results.clone()}));
    let branches: Vec<(&str, &str)> =
        entries.iter().map(|entry| (entry.branch.as_str(), entry.step.as_str())).collect();
    assert_eq!(
        branches,
        [
            ("", "1"),
            ("", "each"),
            ("each#1.0", "charge"),
            ("each#1.0", "note"),
            ("each#1.1", "charge"),
            ("each#1.1", "note"),
            ("each#1.2", "charge"),
            ("each#1.2", "note"),
            ("", "each"),
            ("", "after"),
        ]
    );
}

#[test]
fn a_loop_over_nothing_is_over_at_once() {
    let (entries, _) = drive(&looped(json!({})), &items(0), echo);
    assert_eq!(output(&entries, "each"), &json!({"count": 0, "results": []}));
}

proptest! {
    #[test]
    fn in_whatever_order_branches_go_on_the_results_are_the_same(choices in prop::collection::vec(0_usize..50, 1..200), concurrency in 1_u64..=50) {
        let definition = looped(json!({"concurrency": concurrency, "onItemFailure": "continue"}));
        let perform = |step: &str, input: &Value| match (step, input["n"].as_u64()) {
            ("charge", Some(n)) if n % 3 == 1 => failed("declined"),
            _ => Outcome::Output(input.clone()),
        };
        let mut next = choices.iter().cycle();
        let (entries, ending) = drive_by(&definition, &items(20), perform, |ready| next.next().unwrap() % ready.max(1));
        let (in_order, _) = drive(&definition, &items(20), perform);
        prop_assert_eq!(ending, Ending::Succeeded);
        prop_assert_eq!(&output(&entries, "each")["results"], &output(&in_order, "each")["results"]);
        prop_assert_eq!(&output(&entries, "each")["failedCount"], &json!(7));
    }
}

#[test]
fn an_item_that_fails_ends_the_loop_or_is_told_in_its_output() {
    let perform = |step: &str, input: &Value| match (step, input["n"].as_u64()) {
        ("charge", Some(1)) => failed("declined"),
        _ => Outcome::Output(input.clone()),
    };
    let (entries, ending) = drive(&looped(json!({"concurrency": 1})), &items(3), perform);
    let (code, message) = error(&ending);
    assert_eq!(code, "item_failed");
    assert!(message.contains("Item 1 of 3 failed. Step \"charge\" (pay) failed: It is declined."), "{message}");
    assert!(entries.iter().all(|entry| entry.branch != "each#1.2"), "the third did not begin");

    let (entries, ending) = drive(&looped(json!({"onItemFailure": "continue"})), &items(3), perform);
    assert_eq!(ending, Ending::Succeeded);
    let each = output(&entries, "each");
    assert_eq!((&each["count"], &each["failedCount"], &each["results"][1]), (&json!(3), &json!(1), &Value::Null));
    assert_eq!((&each["failures"][0]["index"], &each["failures"][0]["code"]), (&json!(1), &json!("declined")));
}

#[test]
fn a_loop_takes_a_thousand_items_and_not_one_more() {
    let (_, ending) = drive(&looped(json!({"concurrency": 50})), &items(1_000), echo);
    assert_eq!(ending, Ending::Succeeded);
    let (entries, ending) = drive(&looped(json!({})), &items(1_001), echo);
    assert_eq!((error(&ending).0, entries.len()), ("too_many_items", 2));
}

#[test]
fn what_a_loop_needs_is_said() {
    for (params, trigger, code) in [
        (json!({"items": "/#steps.1.nothing"}), items(1), "missing_param"),
        (json!({"items": "text"}), items(1), "wrong_param"),
        (json!({"concurrency": 0}), items(1), "wrong_param"),
        (json!({"concurrency": 51}), items(1), "wrong_param"),
        (json!({"onItemFailure": "shrug"}), items(1), "wrong_param"),
    ] {
        let (_, ending) = drive(&looped(params.clone()), &trigger, echo);
        assert_eq!(error(&ending).0, code, "{params}");
    }
}

/// Loops inside of loops, `counts` long, around one step.
fn nested(counts: &[usize]) -> engine::Definition {
    let mut all = vec![json!({"id": "leaf", "action": "leaf", "params": {}, "transitions": []})];
    let mut inner = "leaf".to_owned();
    for (depth, count) in counts.iter().enumerate().rev() {
        let id = format!("loop{depth}");
        let items: Vec<usize> = (0..*count).collect();
        all.insert(
            0,
            json!({"id": id, "action": "flow.for-each", "params": {"items": items, "do": inner}, "transitions": []}),
        );
        inner = id;
    }
    steps(Value::Array(all))
}

#[test]
fn loops_stand_in_each_other_five_deep_and_come_to_ten_thousand_items() {
    let (_, ending) = drive(&nested(&[1, 1, 1, 1, 1]), &json!({}), echo);
    assert_eq!(ending, Ending::Succeeded);
    let (_, ending) = drive(&nested(&[1, 1, 1, 1, 1, 1]), &json!({}), echo);
    assert!(error(&ending).1.contains("At most 5 loops"), "{ending:?}");

    let (entries, ending) = drive(&nested(&[1_000, 1_000]), &json!({}), echo);
    assert!(error(&ending).1.contains("at most 10000 items together"), "{ending:?}");
    assert!(entries.iter().all(|entry| entry.step != "leaf"), "nothing inside has begun");
}

#[test]
fn parallel_steps_are_joined_by_all_or_by_the_first() {
    let parallel = |join: &str| {
        steps(json!([
            {"id": "both", "action": "flow.parallel", "params": {"do": ["mail", "order"], "join": join}, "transitions": always("after")},
            {"id": "mail", "action": "mail", "params": {"to": "ann"}, "transitions": []},
            {"id": "order", "action": "order", "params": {"number": 7}, "transitions": []},
            {"id": "after", "action": "sum", "params": "/#steps.both.results".to_owned().into_params(), "transitions": []},
        ]))
    };
    let (entries, ending) = drive(&parallel("all"), &json!({}), echo);
    assert_eq!(ending, Ending::Succeeded);
    assert_eq!(output(&entries, "both"), &json!({"results": {"mail": {"to": "ann"}, "order": {"number": 7}}}));

    let mail_fails = |step: &str, input: &Value| if step == "mail" { failed("bounced") } else { echo(step, input) };
    let (_, ending) = drive(&parallel("all"), &json!({}), mail_fails);
    assert_eq!(error(&ending).0, "branch_failed");
    assert!(error(&ending).1.contains("Branch \"mail\" failed."), "{ending:?}");

    let (entries, _) = drive(&parallel("any"), &json!({}), mail_fails);
    assert_eq!(output(&entries, "both"), &json!({"first": "order", "results": {"order": {"number": 7}}}));
    let (entries, _) = drive(&parallel("any"), &json!({}), echo);
    assert_eq!(output(&entries, "both")["first"], "mail");
    assert!(entries.iter().all(|entry| entry.step != "order"), "what is not needed any more is left where it is");
    let (_, ending) = drive(&parallel("any"), &json!({}), |_, _| failed("down"));
    assert_eq!(error(&ending).0, "branch_failed");
}

/// Params that hold one value.
trait IntoParams {
    fn into_params(self) -> Value;
}

impl IntoParams for String {
    fn into_params(self) -> Value {
        json!({ "value": self })
    }
}

#[test]
fn a_branch_waits_by_itself_while_others_go_on() {
    let definition = steps(json!([
        {"id": "both", "action": "flow.parallel", "params": {"do": ["slow", "quick"]}, "transitions": []},
        {"id": "slow", "action": "flow.wait", "params": {"for": "P1D"}, "transitions": always("later")},
        {"id": "later", "action": "later", "params": {"waited": "/#steps.slow.reason"}, "transitions": []},
        {"id": "quick", "action": "quick", "params": {}, "transitions": []},
    ]));
    let (entries, ending) = drive(&definition, &json!({}), echo);
    assert_eq!(ending, Ending::Succeeded);
    let order: Vec<&str> = entries.iter().map(|entry| entry.step.as_str()).collect();
    assert_eq!(order, ["1", "both", "slow", "quick", "slow", "later", "both"]);
    assert_eq!(output(&entries, "later"), &json!({"waited": "time"}));
}

#[test]
fn waits_that_make_no_sense_fail_and_say_why() {
    for (params, code) in [
        (json!({}), "missing_param"),
        (json!({"for": "PT1H", "until": "2027-01-01"}), "wrong_params"),
        (json!({"for": "-PT1H"}), "wrong_duration"),
        (json!({"for": "1 year"}), "wrong_duration"),
        (json!({"for": "P9999999D"}), "wrong_duration"),
        (json!({"until": "2027-02-30T00:00:00Z"}), "wrong_time"),
        (json!({"until": "tomorrow"}), "wrong_time"),
        (json!({"until": "2999-01-01T00:00:00Z"}), "wait_too_long"),
        (json!({"answer": false}), "wrong_param"),
        (json!({"answer": {"choices": [""]}}), "wrong_param"),
    ] {
        let definition = steps(json!([{"id": "w", "action": "flow.wait", "params": params, "transitions": []}]));
        let (_, ending) = drive(&definition, &json!({}), echo);
        assert_eq!(error(&ending).0, code, "{params}");
    }
}

#[test]
fn what_lies_in_the_past_is_not_waited_for_and_a_wait_without_an_answer_times_out() {
    for (params, reason) in [
        (json!({"until": "2017-01-01T00:00:00Z"}), "time"),
        (json!({"for": 0}), "time"),
        (json!({"for": "366d"}), "time"),
        (json!({"answer": true}), "timeout"),
    ] {
        let definition = steps(json!([{"id": "w", "action": "flow.wait", "params": params, "transitions": []}]));
        let (entries, ending) = drive(&definition, &json!({}), echo);
        assert_eq!((&ending, &output(&entries, "w")["reason"]), (&Ending::Succeeded, &json!(reason)), "{params}");
    }
}

#[test]
fn a_run_answers_once_and_goes_on() {
    let definition = steps(json!([
        {"id": "a", "action": "flow.respond", "params": {"status": 201, "output": {"id": "/#steps.1.id"}}, "transitions": always("b")},
        {"id": "b", "action": "flow.respond", "params": {"output": 2}, "transitions": []},
    ]));
    let (entries, ending) = drive(&definition, &json!({"id": 7}), echo);
    assert_eq!(output(&entries, "a"), &json!({"status": 201, "output": {"id": 7}}));
    assert_eq!(error(&ending).0, "already_responded");
}

#[test]
fn a_stop_ends_the_run_from_wherever_it_stands() {
    let stop = |params: Value| {
        steps(json!([
            {"id": "each", "action": "flow.for-each", "params": {"items": [1, 2, 3], "do": "stop"}, "transitions": always("never")},
            {"id": "stop", "action": "flow.stop", "params": params, "transitions": []},
            {"id": "never", "action": "never", "params": {}, "transitions": []},
        ]))
    };
    let (entries, ending) = drive(&stop(json!({})), &json!({}), echo);
    assert_eq!((entries.len(), ending), (3, Ending::Succeeded));
    let (_, ending) =
        drive(&stop(json!({"as": "failed", "code": "too_late", "message": "It is over."})), &json!({}), echo);
    assert_eq!(error(&ending), ("too_late", "It is over."));
    let (_, ending) = drive(&stop(json!({"as": "cancelled"})), &json!({}), echo);
    assert_eq!(error(&ending).0, "item_failed");
}

#[test]
fn a_loop_that_is_tried_again_begins_anew_under_other_names() {
    let definition = steps(json!([
        {"id": "each", "action": "flow.for-each", "params": {"items": [1], "do": "try"}, "transitions": [],
         "errorCases": [{"condition": {"op": "true", "values": []}, "errorAction": {"type": "retry-action"}}]},
        {"id": "try", "action": "try", "params": {}, "transitions": []},
    ]));
    let (entries, ending) = drive(&definition, &json!({}), |_, _| failed("down"));
    assert_eq!(error(&ending).0, "item_failed");
    let branches: Vec<&str> =
        entries.iter().filter(|entry| entry.step == "try").map(|entry| entry.branch.as_str()).collect();
    assert_eq!(branches, ["each#1.0", "each#1~2.0", "each#1~3.0"]);
}

#[test]
fn a_document_says_at_which_steps_branches_begin() {
    let document = |action: &str, params: Value| {
        json!({"name": "a", "trigger": {"eventName": "e", "transitions": always("s")},
            "steps": [{"id": "s", "action": action, "params": params, "transitions": []},
                      {"id": "charge", "action": "a", "transitions": []}]})
    };
    for (action, params, code) in [
        ("flow.for-each", json!({"items": []}), "missing"),
        ("flow.for-each", json!({"items": [], "do": "chrage"}), "unknown_target"),
        ("flow.for-each", json!({"items": [], "do": "/#steps.1.step"}), "unknown_target"),
        ("flow.parallel", json!({"do": "charge"}), "missing"),
        ("flow.parallel", json!({"do": ["charge", 5]}), "missing"),
    ] {
        let found = problems(&document(action, params.clone()));
        assert!(found.iter().any(|problem| problem.code.contains(code)), "{params}: {found:?}");
    }
    let found = problems(&document("flow.for-each", json!({"items": [], "do": "charge"})));
    assert!(found.iter().all(|problem| problem.code != "unreachable_step"), "{found:?}");
}

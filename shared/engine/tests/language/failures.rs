//! Steps that fail: what error cases see, what is tried again, and how a failed run says why.

use engine::journal::{Failure, Outcome, Retry};
use engine::run::{Ending, SYSTEM_LIMIT_ATTEMPTS};
use serde_json::{Value, json};

use crate::support::{drive, order, steps};

fn throttled() -> Outcome {
    Outcome::Failed(Failure { status: Some(503), ..Failure::new("throttled", "Slow down.").retryable() })
}

fn refused() -> Outcome {
    Outcome::Failed(Failure { status: Some(422), ..Failure::new("refused", "No.") })
}

/// A step `s` with these error cases, then one that keeps what can be read of the error.
fn with_cases(cases: Value) -> engine::Definition {
    steps(json!([
        {"id": "s", "action": "house.act", "errorCases": cases,
            "transitions": [{"target": "report", "condition": {"op": "true", "values": []}}]},
        {"id": "report", "action": "house.act", "params": {"error": "/#error"}, "transitions": []},
    ]))
}

fn case(condition: Value, action: &str) -> Value {
    json!({"condition": {"op": "and", "values": [condition]}, "errorAction": {"type": action}})
}

#[test]
fn a_failure_of_the_world_is_tried_again_by_itself() {
    let mut attempts = 0;
    let (entries, ending) = drive(&with_cases(json!([])), &json!({}), |step, _| {
        attempts += 1;
        if step == "s" && attempts < 5 { throttled() } else { Outcome::Output(json!({})) }
    });
    assert_eq!((order(&entries), ending), (vec!["1", "s", "s", "s", "s", "s", "report"], Ending::Succeeded));
    let told: Vec<_> = entries[1..6].iter().map(|entry| (entry.visit, entry.attempt, entry.retries)).collect();
    let again = Some(Retry::Action);
    assert_eq!(told, [(1, 1, again), (1, 2, again), (1, 3, again), (1, 4, again), (1, 5, None)]);
}

#[test]
fn a_failure_of_the_world_that_lasts_fails_the_run_and_says_how_often_it_was_tried() {
    let (entries, ending) = drive(&with_cases(json!([])), &json!({}), |_, _| throttled());
    assert_eq!(entries.len(), 1 + SYSTEM_LIMIT_ATTEMPTS as usize);
    let Ending::Failed(failure) = ending else { panic!("the run must fail") };
    assert_eq!(failure.message, "Step \"s\" (house.act) failed after 10 attempts: Slow down.");
    let expected = json!({"code": "throttled", "message": failure.message, "step": "s", "action": "house.act", "visit": 1,
        "attempt": 10, "status": 503});
    assert_eq!(serde_json::to_value(&failure).unwrap(), expected);
}

#[test]
fn a_failure_of_the_author_or_the_data_is_not_tried_again() {
    let (entries, ending) = drive(&with_cases(json!([])), &json!({}), |_, _| refused());
    assert_eq!(order(&entries), ["1", "s"]);
    assert!(matches!(ending, Ending::Failed(failure) if failure.message == "Step \"s\" (house.act) failed: No."));
}

#[test]
fn error_cases_see_all_of_the_error_and_may_end_the_attempts() {
    let rows = [
        (json!({"op": "gte", "values": ["/#error.attempt", 3]}), vec!["1", "s", "s", "s", "report"]),
        (json!({"op": "eq", "values": ["/#error.status", "503"]}), vec!["1", "s", "report"]),
        (json!({"op": "true", "values": ["/#error.retryable"]}), vec!["1", "s", "report"]),
        (json!({"op": "eq", "values": ["/#error.step", "s"]}), vec!["1", "s", "report"]),
        (json!({"op": "contains", "values": ["/#error.message", "Slow"]}), vec!["1", "s", "report"]),
    ];
    for (condition, expected) in rows {
        let definition = with_cases(json!([case(condition.clone(), "continue")]));
        let (entries, ending) = drive(&definition, &json!({}), |step, input| match step {
            "s" => throttled(),
            _ => Outcome::Output(input.clone()),
        });
        assert_eq!((order(&entries), ending), (expected, Ending::Succeeded), "{condition}");
    }
}

#[test]
fn what_follows_reads_the_last_error() {
    let definition = with_cases(json!([case(json!({"op": "true", "values": []}), "continue")]));
    let (entries, _) = drive(&definition, &json!({}), |step, _| match step {
        "s" => refused(),
        _ => Outcome::Output(json!({})),
    });
    let expected = json!({"error": {"code": "refused", "message": "No.", "status": 422, "attempt": 1, "retryable": false, "step": "s"}});
    assert_eq!(entries[2].input, Some(expected));
}

#[test]
fn an_author_may_try_a_failure_of_the_data_three_times_and_one_of_the_world_as_often_as_the_world_may() {
    let definition = with_cases(json!([case(json!({"op": "true", "values": []}), "retry-action")]));
    for (outcome, attempts) in [(refused(), 3), (throttled(), 10)] {
        let (entries, ending) = drive(&definition, &json!({}), |_, _| outcome.clone());
        assert_eq!(entries.len() - 1, attempts);
        assert!(matches!(ending, Ending::Failed(failure) if failure.attempt == u32::try_from(attempts).ok()));
    }
}

#[test]
fn attempts_are_counted_anew_at_each_visit() {
    let definition = steps(json!([
        {"id": "s", "action": "house.act", "transitions": [{"target": "s", "condition": {"op": "lt", "values": ["/#steps.s.n", 3]}}]},
    ]));
    let mut calls = 0;
    let (entries, ending) = drive(&definition, &json!({}), |_, _| {
        calls += 1;
        if calls % 2 == 1 { throttled() } else { Outcome::Output(json!({"n": calls / 2})) }
    });
    assert_eq!(ending, Ending::Succeeded);
    let told: Vec<_> = entries[1..].iter().map(|entry| (entry.visit, entry.attempt)).collect();
    assert_eq!(told, [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]);
}

#[test]
fn a_run_that_failed_at_a_later_visit_says_so() {
    let definition = steps(json!([
        {"id": "s", "action": "house.act", "transitions": [{"target": "s", "condition": {"op": "exists", "values": ["/#steps.s.n"]}}]},
    ]));
    let mut calls = 0;
    let (_, ending) = drive(&definition, &json!({}), |_, _| {
        calls += 1;
        if calls < 3 { Outcome::Output(json!({"n": 1})) } else { refused() }
    });
    assert!(
        matches!(ending, Ending::Failed(failure) if failure.message == "Step \"s\" (house.act) failed at visit 3: No.")
    );
}

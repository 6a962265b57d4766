//! Calls without an answer: what is tried again, under the same key, and what is not.

use domain::Failure;
use serde_json::{Value, json};
use service::ports::{NotCalled, Unavailable};

use super::{Exchange, URL, header_of, step};

fn down() -> Unavailable {
    Unavailable { port: "calls", cause: "it was told to fail".to_owned() }
}

/// The steps of the run that have the id `call`.
fn attempts(run: &Value) -> Vec<Value> {
    run["steps"].as_array().unwrap().iter().filter(|step| step["id"] == "call").cloned().collect()
}

#[tokio::test]
async fn what_the_network_fails_is_tried_again_under_the_same_key() {
    for (ending, code, reached) in [
        (NotCalled::NotSent(down()), "rest_not_reached", 1),
        (NotCalled::TimedOut(down()), "rest_timeout", 2),
        (NotCalled::Broken(down()), "rest_no_answer", 2),
    ] {
        let exchange = Exchange::with_params(json!({ "uri": URL, "method": "POST", "data": { "a": 1 } })).await;
        exchange.calls.script(URL, Err(ending));
        exchange.answer(200, &json!({}));
        let message = exchange.message(json!({})).await;
        let executor = &exchange.world.executor;

        executor.execute(&message).await.unwrap();
        let run = exchange.only_run().await;
        assert_eq!((&run["state"], &run["error"]), (&json!("waiting"), &Value::Null), "{run}");
        let error = &run["steps"][1]["error"];
        assert_eq!((&error["code"], &error["retryable"]), (&json!(code), &json!(true)));
        exchange.world.work_on(executor).await;

        let run = exchange.only_run().await;
        assert_eq!(run["state"], "succeeded", "{run}");
        let attempts: Vec<Value> = attempts(&run).iter().map(|step| step["attempts"].clone()).collect();
        assert_eq!(attempts, [1, 2], "{code}");
        let made = exchange.calls.made();
        assert_eq!(made.len(), reached, "{code}");
        assert!(made.iter().all(|call| *call == made[0]), "{code}: the same call, key and all");
        assert!(header_of(&made[0], "idempotency-key").is_some());
    }
}

#[tokio::test]
async fn a_service_that_stays_away_fails_the_run_after_ten_attempts() {
    let exchange = Exchange::with_params(json!({ "uri": URL })).await;
    exchange.calls.script(URL, Err(NotCalled::TimedOut(down())));
    exchange.world.post(&exchange.hook, json!({})).await.expect(202);
    exchange.world.work_on(&exchange.world.executor).await;
    let run = exchange.only_run().await;
    assert_eq!(
        (&run["state"], &run["error"]["code"], &run["error"]["attempt"]),
        (&json!("failed"), &json!("rest_timeout"), &json!(10))
    );
    let keys: Vec<Option<String>> =
        exchange.calls.made().iter().map(|call| header_of(call, "idempotency-key")).collect();
    assert_eq!(keys.len(), 10);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test]
async fn what_may_have_been_carried_out_is_not_tried_again_where_the_author_says_so() {
    for (ending, code, tried) in [
        (NotCalled::TimedOut(down()), "unknown_outcome", 1),
        (NotCalled::Broken(down()), "unknown_outcome", 1),
        (NotCalled::NotSent(down()), "rest_not_reached", 10),
    ] {
        let exchange = Exchange::with_params(json!({ "uri": URL, "onUnknownOutcome": "fail" })).await;
        exchange.calls.script(URL, Err(ending));
        let run = exchange.run(json!({})).await;
        assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!(code)), "{run}");
        assert_eq!(attempts(&run).len(), tried, "{code}");
        if code == "unknown_outcome" {
            let key = header_of(&exchange.only_call(), "idempotency-key").unwrap();
            assert!(run["error"]["message"].as_str().unwrap().contains(&key), "{run}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_fails_the_step_at_once_and_error_cases_read_why() {
    let failure = Failure { status: Some(200), ..Failure::new("rest_answer_too_large", "It was told to refuse.") };
    let exchange = Exchange::with_params(json!({ "uri": URL })).await;
    exchange.calls.script(URL, Err(NotCalled::Refused(failure.clone())));
    let run = exchange.run(json!({})).await;
    assert_eq!(
        (&run["state"], &run["error"]["code"], &run["error"]["status"]),
        (&json!("failed"), &json!("rest_answer_too_large"), &json!(200))
    );
    assert_eq!(exchange.world.queue.depth(), 0, "nothing is tried again");

    let mut call = step(json!({ "uri": URL }), tests::world::always("tell"));
    call["errorCases"] = json!([{ "condition": { "op": "eq", "values": ["/#error.code", "rest_answer_too_large"] }, "errorAction": { "type": "continue" } }]);
    let tell = json!({ "id": "tell", "action": "kustomer.company.create", "params": { "name": "{{error.code}} {{error.status}}" }, "transitions": [] });
    let exchange = Exchange::with_steps(json!([call, tell])).await;
    exchange.calls.script(URL, Err(NotCalled::Refused(failure)));
    let run = exchange.run(json!({})).await;
    assert_eq!(run["steps"][2]["output"]["name"], "rest_answer_too_large 200", "{run}");
}

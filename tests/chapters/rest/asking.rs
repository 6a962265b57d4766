//! Calls of which nobody knows what came, and whose author wants a person asked.

use std::sync::Arc;

use serde_json::{Value, json};
use service::{
    Executor,
    ports::{NotCalled, Queue, Store, Unavailable},
};
use tests::{
    faults::{Fault, Faulty, FaultyStore, Fuse},
    world::always,
};

use super::{Exchange, URL, header_of, step};

/// How long a claim lasts, and a second.
const PAST_CLAIM_SECONDS: i64 = 61;

fn lost() -> NotCalled {
    NotCalled::TimedOut(Unavailable { port: "calls", cause: "it was told to fail".to_owned() })
}

/// A call whose author wants a person asked, and a note of what it left.
fn steps() -> Value {
    let call = json!({ "uri": URL, "method": "POST", "onUnknownOutcome": "ask", "data": { "sum": "/#steps.1.attributes.data.sum" } });
    json!([
        step(call, always("keep")),
        { "id": "keep", "action": "kustomer.company.create", "params": { "name": "charge {{steps.call.id}}{{steps.call.body.id}}" }, "transitions": [] },
    ])
}

/// One whose first call is not answered, and every later one is.
async fn unanswered() -> Exchange {
    let exchange = Exchange::with_steps(steps()).await;
    exchange.calls.script(URL, Err(lost()));
    exchange.answer(201, &json!({ "id": "late" }));
    exchange
}

async fn run_id(exchange: &Exchange) -> String {
    let runs = exchange.world.get(&format!("/v1/workflows/{}/runs", exchange.workflow)).await.expect(200);
    runs.body["data"][0]["id"].as_str().unwrap().to_owned()
}

async fn say(exchange: &Exchange, said: Value) -> tests::Answer {
    exchange.world.api("POST", &format!("/v1/runs/{}/outcomes", run_id(exchange).await), said).await
}

#[tokio::test]
async fn a_run_is_held_for_a_call_that_is_not_answered_and_says_for_which() {
    let exchange = unanswered().await;
    let run = exchange.run(json!({ "sum": 12 })).await;
    assert_eq!(run["state"], "held", "{run}");
    let key = header_of(&exchange.only_call(), "idempotency-key").unwrap();
    let held = &run["heldFor"][0];
    assert_eq!(
        (&held["reason"], &held["step"], &held["visit"], &held["tries"], &held["answeredAt"]),
        (&json!("unknown_outcome"), &json!("call"), &json!(1), &json!(1), &Value::Null)
    );
    assert_eq!((&held["key"], &held["startedAt"]), (&json!(key), &run["startedAt"]));
    assert!(held["message"].as_str().unwrap().contains(&key), "{held}");
    assert_eq!(exchange.world.queue.depth(), 0, "nothing wakes it but a person");

    let path = format!("/v1/workflows/{}/runs?state=held", exchange.workflow);
    let listed = exchange.world.get(&path).await.expect(200).body["data"][0]["attributes"]["heldFor"].clone();
    assert_eq!(listed, run["heldFor"]);
    let id = run_id(&exchange).await;
    let refused = exchange.world.api("POST", &format!("/v1/runs/{id}/resume"), Value::Null).await.expect(409);
    assert_eq!(refused.code(), "outcome_needed");
    assert!(refused.text.contains("not_done"), "{}", refused.text);
    exchange.world.api("POST", &format!("/v1/runs/{id}/pause"), Value::Null).await.expect(200);
    let cancelled = exchange.world.api("POST", &format!("/v1/runs/{id}/cancel"), Value::Null).await.expect(200);
    assert_eq!((cancelled.attribute("state"), cancelled.attribute("heldFor")), (json!("cancelled"), Value::Null));
    assert_eq!(say(&exchange, json!({ "outcome": "done" })).await.expect(409).code(), "run_over");
}

#[tokio::test]
async fn what_was_done_leaves_what_the_person_says_and_the_run_goes_on() {
    let exchange = unanswered().await;
    exchange.run(json!({ "sum": 12 })).await;
    let output = domain::exact::parse(r#"{"id": "ch_1", "sum": 12.50}"#).unwrap();
    let said = say(&exchange, json!({ "outcome": "done", "output": output })).await.expect(200);
    assert_eq!(said.attribute("state"), "waiting");
    assert_eq!(said.attribute("heldFor")[0]["answeredAt"], json!(tests::world::NOON));
    assert_eq!(say(&exchange, json!({ "outcome": "failed" })).await.expect(409).code(), "answered_before");
    exchange.world.work_on(&exchange.world.executor).await;

    let run = exchange.only_run().await;
    assert_eq!((&run["state"], &run["heldFor"]), (&json!("succeeded"), &Value::Null), "{run}");
    assert_eq!(run["steps"][1]["output"].to_string(), r#"{"id":"ch_1","sum":12.50}"#);
    assert_eq!(run["steps"][2]["output"]["name"], "charge ch_1");
    let answered = &run["steps"][1]["answered"];
    assert_eq!((&answered["outcome"], &answered["at"]), (&json!("done"), &json!(tests::world::NOON)));
    assert_eq!(exchange.calls.made().len(), 1);
    assert_eq!(say(&exchange, json!({ "outcome": "done" })).await.expect(409).code(), "run_over");

    let log = exchange.world.get(&format!("/v1/audit-log?objectId={}", run_id(&exchange).await)).await.expect(200);
    let entries = log.body["data"].as_array().unwrap().clone();
    let by = |entry: &&Value| entry["attributes"]["operation"] == "GiveOutcome";
    assert_eq!(entries.iter().filter(by).count(), 2, "the run and the answer: {entries:?}");
    assert!(log.text.contains(r#""after":"done""#), "{}", log.text);
    let key = entries[0]["attributes"]["userId"].clone();
    assert_eq!(answered["key"], key);
}

#[tokio::test]
async fn what_was_not_done_is_tried_again_under_the_same_key_and_may_be_asked_about_again() {
    let exchange = Exchange::with_steps(steps()).await;
    exchange.calls.script(URL, Err(lost()));
    exchange.calls.script(URL, Err(lost()));
    exchange.answer(201, &json!({ "id": "third" }));
    exchange.run(json!({ "sum": 12 })).await;
    for tries in 1..=2 {
        let run = exchange.only_run().await;
        assert_eq!((&run["state"], &run["heldFor"][0]["tries"]), (&json!("held"), &json!(tries)));
        say(&exchange, json!({ "outcome": "not_done", "step": "call", "branch": "", "visit": 1 })).await.expect(200);
        exchange.world.work_on(&exchange.world.executor).await;
    }
    let run = exchange.only_run().await;
    assert_eq!((&run["state"], &run["steps"][2]["output"]["name"]), (&json!("succeeded"), &json!("charge third")));
    assert_eq!(
        (&run["steps"][1]["attempts"], &run["steps"][1]["answered"]["outcome"]),
        (&json!(3), &json!("not_done"))
    );
    let made = exchange.calls.made();
    assert!(made.len() == 3 && made.iter().all(|call| *call == made[0]), "{made:?}");
}

#[tokio::test]
async fn what_a_person_says_has_failed_fails_the_step_and_its_error_cases_apply() {
    let exchange = unanswered().await;
    exchange.run(json!({ "sum": 12 })).await;
    say(&exchange, json!({ "outcome": "failed", "message": "The bank took it back." })).await.expect(200);
    exchange.world.work_on(&exchange.world.executor).await;
    let run = exchange.only_run().await;
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("unknown_outcome")));
    assert!(run["error"]["message"].as_str().unwrap().contains("The bank took it back."), "{run}");
    assert_eq!(run["steps"][1]["answered"]["outcome"], "failed");

    let mut steps = steps();
    steps[0]["errorCases"] = json!([{ "condition": { "op": "eq", "values": ["/#error.code", "unknown_outcome"] }, "errorAction": { "type": "continue" } }]);
    let exchange = Exchange::with_steps(steps).await;
    exchange.calls.script(URL, Err(lost()));
    exchange.run(json!({ "sum": 12 })).await;
    say(&exchange, json!({ "outcome": "failed" })).await.expect(200);
    exchange.world.work_on(&exchange.world.executor).await;
    let run = exchange.only_run().await;
    assert_eq!((&run["state"], &run["steps"][2]["output"]["name"]), (&json!("succeeded"), &json!("charge ")), "{run}");
}

/// Three calls beside each other and a company, of which the calls to `a` and `b` are not answered.
async fn beside_each_other() -> Exchange {
    let call = |id: &str| {
        let params = json!({ "uri": format!("{URL}/{id}"), "onUnknownOutcome": "ask" });
        json!({ "id": id, "action": "kustomer.rest-api.json", "params": params, "transitions": [] })
    };
    let company =
        json!({ "id": "d", "action": "kustomer.company.create", "params": { "name": "d" }, "transitions": [] });
    let all =
        json!({ "id": "all", "action": "flow.parallel", "params": { "do": ["a", "b", "c", "d"] }, "transitions": [] });
    let exchange = Exchange::with_steps(json!([all, call("a"), call("b"), call("c"), company])).await;
    for id in ["a", "b"] {
        exchange.calls.script(&format!("{URL}/{id}"), Err(lost()));
    }
    exchange.calls.answer(&format!("{URL}/c"), 200, &[("content-type", "application/json")], "{}");
    exchange
}

#[tokio::test]
async fn several_branches_are_held_for_at_once_and_the_run_goes_on_when_all_are_answered() {
    let exchange = beside_each_other().await;
    let run = exchange.run(json!({})).await;
    let held: Vec<&Value> = run["heldFor"].as_array().unwrap().iter().map(|held| &held["step"]).collect();
    assert_eq!((held, &run["state"]), (vec![&json!("a"), &json!("b")], &json!("held")));
    assert_eq!(exchange.calls.made().len(), 3);

    let refused = say(&exchange, json!({ "outcome": "done" })).await.expect(400);
    assert_eq!(refused.code(), "which_step");
    let first = say(&exchange, json!({ "outcome": "done", "step": "b", "output": { "n": 2 } })).await.expect(200);
    assert_eq!(first.attribute("state"), "held");
    exchange.world.work_on(&exchange.world.executor).await;
    assert_eq!(exchange.only_run().await["state"], "held");
    assert_eq!(say(&exchange, json!({ "outcome": "failed", "step": "b" })).await.expect(409).code(), "answered_before");
    // The only one that is left needs no name.
    say(&exchange, json!({ "outcome": "done", "output": { "n": 1 } })).await.expect(200);
    exchange.world.work_on(&exchange.world.executor).await;

    let run = exchange.only_run().await;
    assert_eq!(run["state"], "succeeded", "{run}");
    let all = run["steps"].as_array().unwrap().iter().find(|step| step["id"] == "all").unwrap();
    assert_eq!(
        (&all["output"]["results"]["a"], &all["output"]["results"]["b"]),
        (&json!({ "n": 1 }), &json!({ "n": 2 }))
    );
    assert_eq!(exchange.calls.made().len(), 3);
}

#[tokio::test]
async fn what_is_said_wrong_is_refused_with_what_to_change() {
    let exchange = unanswered().await;
    exchange.run(json!({ "sum": 12 })).await;
    let past = "x".repeat(65_535);
    for (said, code) in [
        (json!({}), "bad_attribute"),
        (json!({ "outcome": "perhaps" }), "bad_attribute"),
        (json!({ "outcome": 1 }), "bad_attribute"),
        (json!({ "outcome": "not_done", "output": {} }), "bad_attribute"),
        (json!({ "outcome": "failed", "output": {} }), "bad_attribute"),
        (json!({ "outcome": "done", "message": "m" }), "bad_attribute"),
        (json!({ "outcome": "done", "visit": 0 }), "bad_attribute"),
        (json!({ "outcome": "done", "visit": "1" }), "bad_attribute"),
        (json!({ "outcome": "done", "step": 1 }), "bad_attribute"),
        (json!({ "outcome": "done", "out": {} }), "unknown_attribute"),
        (json!({ "outcome": "done", "output": past }), "bad_attribute"),
        (json!({ "outcome": "failed", "message": "m".repeat(1_001) }), "bad_attribute"),
    ] {
        assert_eq!(say(&exchange, said.clone()).await.expect(400).code(), code, "{said}");
    }
    for said in [json!({ "step": "keep" }), json!({ "branch": "each#1.0" }), json!({ "visit": 2 })] {
        let mut said = said;
        said["outcome"] = json!("done");
        assert_eq!(say(&exchange, said.clone()).await.expect(409).code(), "not_asked", "{said}");
    }
    assert_eq!(exchange.only_run().await["state"], "held");
    let most = "x".repeat(65_534);
    say(&exchange, json!({ "outcome": "done", "output": most })).await.expect(200);

    let exchange = unanswered().await;
    exchange.run(json!({ "sum": 12 })).await;
    say(&exchange, json!({ "outcome": "failed", "message": "m".repeat(1_000) })).await.expect(200);
}

/// A process whose store and queue fail once, and the same for whoever answers.
fn failing(exchange: &mut Exchange, fault: Fault) -> (Executor, Arc<Fuse>) {
    let fuse = Arc::new(Fuse::new(fault));
    let store: Arc<dyn Store> = Arc::new(Faulty::sharing(exchange.store.clone() as Arc<dyn Store>, fuse.clone()));
    let queue: Arc<dyn Queue> = Arc::new(Faulty::sharing(exchange.world.queue.clone() as Arc<dyn Queue>, fuse.clone()));
    (exchange.world.management.store, exchange.world.management.queue) = (store.clone(), queue.clone());
    let executor = Executor::new(store, queue, exchange.world.clock.clone()).with_calls(exchange.calls.clone());
    (executor, fuse)
}

/// Executes the message as the queue does, past every claim.
async fn deliver_until_done(exchange: &Exchange, executor: &Executor, message: &str) {
    for _ in 0..5 {
        if executor.execute(message).await.is_ok() {
            exchange.world.work_on(executor).await;
            return;
        }
        exchange.world.clock.pass_seconds(PAST_CLAIM_SECONDS);
    }
    panic!("the message ends on the dead-letter queue");
}

/// The run that is held, if it is.
async fn held_run(exchange: &Exchange) -> Option<String> {
    let path = format!("/v1/workflows/{}/runs?state=held", exchange.workflow);
    loop {
        let answer = exchange.world.get(&path).await;
        if answer.status == 200 {
            return Some(answer.body["data"][0]["id"].as_str()?.to_owned());
        }
    }
}

/// Says it until it is not answered that the store or the queue is down.
async fn answer_until_taken(exchange: &Exchange, run: &str, said: &Value, about: &str) {
    loop {
        let answer = exchange.world.api("POST", &format!("/v1/runs/{run}/outcomes"), said.clone()).await;
        match answer.status {
            503 => continue,
            409 => assert_eq!(answer.code(), "answered_before", "{about}"),
            status => assert_eq!(status, 200, "{about}: {answer:?}"),
        }
        return;
    }
}

#[tokio::test]
async fn a_crash_at_any_call_from_the_hold_over_the_answer_to_the_end_changes_nothing() {
    // A process that dies behind a call that was asked for makes it a third time, under the same key.
    for (said, name, calls) in [
        (json!({ "outcome": "done", "output": { "id": "ch_1" } }), "charge ch_1", 1),
        (json!({ "outcome": "not_done" }), "charge late", 3),
    ] {
        for fault in [Fault::Refuses, Fault::DoesAndFails] {
            let mut crashes = 0;
            for offset in 0.. {
                let mut exchange = unanswered().await;
                let message = exchange.message(json!({ "sum": 12 })).await;
                let (executor, fuse) = failing(&mut exchange, fault);
                let about = format!("{name} {fault:?} at call {offset}");

                fuse.fail_in(offset);
                deliver_until_done(&exchange, &executor, &message).await;
                // Where the process died between the claim and the call, the call is made later, and asked about as well.
                while let Some(id) = held_run(&exchange).await {
                    answer_until_taken(&exchange, &id, &said, &about).await;
                    while exchange.world.queue.depth() > 0 {
                        exchange.world.work_on(&executor).await;
                    }
                }
                let is_over = fuse.calls() <= offset;
                fuse.heal();

                let run = exchange.only_run().await;
                assert_eq!(
                    (&run["state"], &run["steps"][2]["output"]["name"]),
                    (&json!("succeeded"), &json!(name)),
                    "{about}: {run}"
                );
                let made = exchange.calls.made();
                let is_same = made.iter().all(|call| *call == made[0]);
                assert!(made.len() <= calls && is_same, "{about}: {made:?}");
                if is_over {
                    break;
                }
                crashes += 1;
            }
            assert!(crashes >= 20, "{name} {fault:?}: there are at least twenty calls, not {crashes}");
        }
    }
}

#[tokio::test]
async fn a_process_that_dies_at_a_call_leaves_it_to_be_asked_about() {
    let counting = Exchange::with_steps(steps()).await;
    counting.answer(200, &json!({}));
    let store = Arc::new(FaultyStore::new(counting.store.clone(), Fault::Refuses));
    let message = counting.message(json!({ "sum": 12 })).await;
    counting.executor_over(store.clone()).execute(&message).await.unwrap();
    let mut held = 0;
    for offset in 0..store.calls() {
        let exchange = Exchange::with_steps(steps()).await;
        exchange.answer(200, &json!({}));
        let faulty = Arc::new(FaultyStore::new(exchange.store.clone(), Fault::Refuses));
        let message = exchange.message(json!({ "sum": 12 })).await;
        faulty.fail_in(offset);
        assert!(exchange.executor_over(faulty).execute(&message).await.is_err(), "{offset}");
        let is_made = !exchange.calls.made().is_empty();
        let executor = exchange.executor_over(exchange.store.clone());
        deliver_until_done(&exchange, &executor, &message).await;
        let run = exchange.only_run().await;
        if run["state"] == "held" {
            assert!(is_made && run["heldFor"][0]["step"] == "call", "{offset}: {run}");
            held += 1;
        } else {
            assert_eq!(run["state"], "succeeded", "{offset}: {run}");
        }
        assert_eq!(exchange.calls.made().len(), 1, "{offset}: never twice");
    }
    assert_eq!(held, 1, "only where the outcome was not written");
}

#[tokio::test]
async fn a_branch_that_goes_on_beside_an_unknown_outcome_does_not_hide_it() {
    let call = json!({ "id": "a", "action": "kustomer.rest-api.json", "params": { "uri": URL }, "transitions": [] });
    let company = |id: &str, next: Value| json!({ "id": id, "action": "kustomer.company.create", "params": { "name": id }, "transitions": next });
    let wait = json!({ "id": "w", "action": "flow.wait", "params": { "for": 1 }, "transitions": always("c") });
    let all = json!({ "id": "all", "action": "flow.parallel", "params": { "do": ["a", "w"] }, "transitions": [] });
    for offset in 0.. {
        let exchange = Exchange::with_steps(json!([all, call, wait, company("c", json!([]))])).await;
        exchange.answer(200, &json!({}));
        let faulty = Arc::new(FaultyStore::new(exchange.store.clone(), Fault::Refuses));
        let message = exchange.message(json!({})).await;
        faulty.fail_in(offset);
        if exchange.executor_over(faulty).execute(&message).await.is_ok() {
            assert!(offset > 3);
            return;
        }
        // Past the claim the wait is over as well, so there is something to write when the call is come to.
        let executor = exchange.executor_over(exchange.store.clone());
        deliver_until_done(&exchange, &executor, &message).await;
        exchange.world.work_on(&executor).await;
        let run = exchange.only_run().await;
        assert_eq!(run["state"], "succeeded", "{offset}: {run}");
        let made = exchange.calls.made();
        assert!(made.iter().all(|call| *call == made[0]), "{offset}: {made:?}");
    }
}

//! Whatever happens on the way, a call is made at least once, always under one key, and its run comes to its end.

use std::sync::Arc;

use serde_json::{Value, json};
use service::{
    Executor,
    ports::{NotCalled, Queue, Store, Unavailable},
};
use tests::{
    faults::{Fault, Faulty, FaultyStore, Fuse},
    world::{always, workflow_of},
};

use super::{Exchange, URL, header_of, step};

/// How long a claim lasts, and a second.
const PAST_CLAIM_SECONDS: i64 = 61;

/// A customer, a call about her, and a note of the answer.
async fn exchange() -> Exchange {
    let call = json!({ "uri": URL, "method": "POST", "data": { "customer": "/#steps.customer.id" } });
    let steps = json!([
        { "id": "customer", "action": "kustomer.customer.create", "params": { "email": "/#steps.1.attributes.data.email" }, "transitions": always("call") },
        step(call, always("note")),
        { "id": "note", "action": "kustomer.note.create", "params": { "customer": "/#steps.customer.id", "body": "{{steps.call.body.id}}" }, "transitions": [] },
    ]);
    let exchange = Exchange::with_steps(steps).await;
    exchange.answer(201, &json!({ "id": "o-1" }));
    exchange
}

fn data() -> Value {
    json!({ "email": "ann@example.com" })
}

/// What the run holds, without what differs from one attempt to another.
async fn left_by(exchange: &Exchange) -> Value {
    let run = exchange.only_run().await;
    let steps = run["steps"].as_array().unwrap().iter().filter(|step| step["retries"].is_null()).map(|step| {
        let mut step = step.clone();
        for key in ["attempts", "startedAt", "endedAt"] {
            step.as_object_mut().unwrap().remove(key);
        }
        for key in ["createdAt", "updatedAt"] {
            step["output"].as_object_mut().and_then(|output| output.remove(key));
        }
        step
    });
    json!({ "state": run["state"], "steps": steps.collect::<Vec<_>>() })
}

/// Delivers the message until it is done, as the queue does, past every claim, and then what it has put on the queue.
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

#[track_caller]
fn assert_one_key(exchange: &Exchange, about: &str) -> usize {
    let made = exchange.calls.made();
    assert!(!made.is_empty() && made.iter().all(|call| *call == made[0]), "{about}: {made:?}");
    assert!(header_of(&made[0], "idempotency-key").is_some(), "{about}");
    made.len()
}

#[tokio::test]
async fn a_crash_at_any_call_of_the_store_ends_as_if_there_had_been_none_and_with_one_key() {
    let undisturbed = exchange().await;
    undisturbed.run(data()).await;
    let expected = left_by(&undisturbed).await;
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let (mut crashes, mut repeats) = (0, 0);
        for offset in 0.. {
            let exchange = exchange().await;
            let faulty = Arc::new(FaultyStore::new(exchange.store.clone(), fault));
            let message = exchange.message(data()).await;

            faulty.fail_in(offset);
            if exchange.executor_over(faulty.clone()).execute(&message).await.is_ok() {
                break;
            }
            crashes += 1;
            deliver_until_done(&exchange, &exchange.executor_over(exchange.store.clone()), &message).await;

            assert_eq!(left_by(&exchange).await, expected, "{fault:?} at call {offset}");
            repeats += assert_one_key(&exchange, &format!("{fault:?} at call {offset}")) - 1;
        }
        assert!(crashes >= 6, "{fault:?}: there are at least six calls, not {crashes}");
        // Only where the outcome was not written has the call to be made again.
        assert_eq!(repeats, usize::from(fault == Fault::Refuses), "{fault:?}");
    }
}

#[tokio::test]
async fn a_crash_at_any_call_of_store_and_queue_around_a_retry_ends_with_one_key() {
    let undisturbed = exchange().await;
    undisturbed.run(data()).await;
    let expected = left_by(&undisturbed).await;
    let down = || Unavailable { port: "calls", cause: "it was told to fail".to_owned() };
    for ending in [NotCalled::NotSent(down()), NotCalled::TimedOut(down()), NotCalled::Broken(down())] {
        for fault in [Fault::Refuses, Fault::DoesAndFails] {
            let mut crashes = 0;
            for offset in 0.. {
                let exchange = exchange_after(ending.clone()).await;
                let fuse = Arc::new(Fuse::new(fault));
                let store = Arc::new(Faulty::sharing(exchange.store.clone() as Arc<dyn Store>, fuse.clone()));
                let queue = Arc::new(Faulty::sharing(exchange.world.queue.clone() as Arc<dyn Queue>, fuse.clone()));
                let executor =
                    Executor::new(store, queue, exchange.world.clock.clone()).with_calls(exchange.calls.clone());
                let message = exchange.message(data()).await;

                fuse.fail_in(offset);
                let calls_before = fuse.calls();
                deliver_until_done(&exchange, &executor, &message).await;

                assert_eq!(left_by(&exchange).await, expected, "{ending:?} {fault:?} at call {offset}");
                assert_one_key(&exchange, &format!("{ending:?} {fault:?} at call {offset}"));
                if fuse.calls() - calls_before <= offset {
                    break;
                }
                crashes += 1;
            }
            assert!(crashes >= 12, "{ending:?} {fault:?}: there are at least twelve calls, not {crashes}");
        }
    }
}

/// The same where the first call ends so.
async fn exchange_after(ending: NotCalled) -> Exchange {
    let mut exchange = exchange().await;
    exchange.calls = Arc::default();
    exchange.calls.script(URL, Err(ending));
    exchange.answer(201, &json!({ "id": "o-1" }));
    exchange.world.executor = exchange.executor_over(exchange.store.clone());
    exchange
}

#[tokio::test]
async fn while_somebody_is_at_the_call_nobody_else_makes_it() {
    let exchange = exchange().await;
    let message = exchange.message(data()).await;
    // The store dies when the outcome is to be written: the call was made, and its claim still holds.
    let faulty = Arc::new(FaultyStore::new(exchange.store.clone(), Fault::Refuses));
    faulty.fail_in(calls_until_outcome().await);
    assert!(exchange.executor_over(faulty).execute(&message).await.is_err());
    assert_eq!(exchange.calls.made().len(), 1);
    let executor = exchange.executor_over(exchange.store.clone());
    for _ in 0..3 {
        // Sent again for when the claim is over, so that it does not use up its deliveries.
        executor.execute(&message).await.unwrap();
        assert!(exchange.world.queue.receive(10, 60).is_empty());
        exchange.world.clock.pass_seconds(19);
    }
    assert_eq!(exchange.calls.made().len(), 1);
    exchange.world.clock.pass_seconds(PAST_CLAIM_SECONDS);
    exchange.world.work_on(&executor).await;
    assert_eq!(exchange.only_run().await["state"], "succeeded");
    assert_one_key(&exchange, "behind the claim");
}

#[tokio::test]
async fn what_tells_of_an_event_a_second_time_waits_while_somebody_is_at_the_call() {
    for offset in 0.. {
        let exchange = Exchange::with_params(json!({ "uri": URL })).await;
        exchange.answer(201, &json!({}));
        let steps = json!([step(json!({ "uri": URL }), json!([]))]);
        exchange.world.workflow(workflow_of("hears", "shop.paid", steps)).await;
        let published = json!({ "name": "shop.paid", "data": {} });
        let event = exchange.world.api("POST", "/v1/events", published).await.expect(201).id();
        let message = exchange.world.queue.receive(1, 3_600).remove(0);
        let faulty = Arc::new(FaultyStore::new(exchange.store.clone(), Fault::Refuses));
        faulty.fail_in(offset);
        let ended = exchange.executor_over(faulty).execute(&message.body).await;
        if ended.is_ok() || exchange.calls.made().is_empty() {
            assert!(ended.is_err(), "some call of the store comes behind the call");
            continue;
        }
        // The first was at the call, and its claim holds.
        exchange.world.executor.execute(&message.body).await.unwrap();
        exchange.world.queue.delete(&message.receipt);
        assert_eq!(exchange.calls.made().len(), 1);
        exchange.world.clock.pass_seconds(PAST_CLAIM_SECONDS);
        exchange.world.work().await;
        assert_eq!(exchange.world.run_of(&event).await["state"], "succeeded");
        assert_eq!(exchange.calls.made().len(), 2);
        assert_one_key(&exchange, "told a second time");
        assert_eq!(exchange.world.queue.depth(), 0);
        return;
    }
}

/// How many calls of the store come before the one that writes the outcome of the call.
async fn calls_until_outcome() -> usize {
    for offset in 0.. {
        let exchange = exchange().await;
        let faulty = Arc::new(FaultyStore::new(exchange.store.clone(), Fault::Refuses));
        let message = exchange.message(data()).await;
        faulty.fail_in(offset);
        let ended = exchange.executor_over(faulty).execute(&message).await;
        if ended.is_err() && !exchange.calls.made().is_empty() {
            return offset;
        }
    }
    unreachable!("some call of the store comes behind the call")
}

#[tokio::test]
async fn an_outcome_that_nobody_knows_fails_the_step_where_its_author_wants_that() {
    let undisturbed = Exchange::with_params(json!({ "uri": URL, "onUnknownOutcome": "fail" })).await;
    undisturbed.answer(200, &json!({}));
    let counting = Arc::new(FaultyStore::new(undisturbed.store.clone(), Fault::Refuses));
    let message = undisturbed.message(json!({})).await;
    undisturbed.executor_over(counting.clone()).execute(&message).await.unwrap();
    for offset in 0..counting.calls() {
        let exchange = Exchange::with_params(json!({ "uri": URL, "onUnknownOutcome": "fail" })).await;
        exchange.answer(200, &json!({}));
        let faulty = Arc::new(FaultyStore::new(exchange.store.clone(), Fault::Refuses));
        let message = exchange.message(json!({})).await;
        faulty.fail_in(offset);
        assert!(exchange.executor_over(faulty).execute(&message).await.is_err(), "{offset}");
        let is_made = !exchange.calls.made().is_empty();
        deliver_until_done(&exchange, &exchange.executor_over(exchange.store.clone()), &message).await;
        let run = exchange.only_run().await;
        assert_eq!(exchange.calls.made().len(), 1, "{offset}: never twice");
        let expected = if is_made { json!("unknown_outcome") } else { Value::Null };
        assert_eq!(run["error"]["code"], expected, "{offset}: {run}");
    }
}

//! Steps that are tried again: when, how often, and what a run says meanwhile. A mail that could not be handed over is the
//! failure; what is told of it holds for every step outside.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Timestamp;
use serde_json::{Value, json};
use service::{
    Executor,
    memory::FixedWorld,
    ports::{self, Queue, Store, Unavailable, World as _},
};
use tests::{
    faults::{Fault, Faulty, Fuse},
    world::always,
};

use super::{
    Office,
    crashes::{FaultyPost, Handover, deliver_until_done, left_by, office},
    greeting,
};

/// How often one visit of a step is performed in all, where the world has to recover. *Source*: `docs/runs.md`.
const ATTEMPTS: usize = 10;

/// A world in which chance always has the longest wait.
struct Unlucky(Arc<FixedWorld>);

#[async_trait]
impl ports::World for Unlucky {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn pause(&self, milliseconds: u32) {
        self.0.pause(milliseconds).await;
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        bytes.fill(0xff);
        Ok(())
    }
}

/// An executor that is unlucky, and whose post cannot be reached for the first `times`.
fn down_for(office: &Office, times: usize) -> Executor {
    let post = FaultyPost::new(&office.post, &vec![Handover::CannotNow; times]);
    let world = Arc::new(Unlucky(office.world.clock.clone()));
    office.with_post(Executor::new(office.store.clone(), office.world.queue.clone(), world), post)
}

/// Delivers what is due now; gives whether there was anything.
async fn deliver(office: &Office, executor: &Executor) -> bool {
    let deliveries = office.world.queue.receive(10, 60);
    for delivery in &deliveries {
        executor.execute(&delivery.body).await.unwrap();
        office.world.queue.delete(&delivery.receipt);
    }
    !deliveries.is_empty()
}

/// The seconds until the run goes on.
async fn wait_of(office: &Office) -> i64 {
    let run = office.only_run().await;
    let resumes_at = Timestamp::parse(run["resumesAt"].as_str().unwrap_or_else(|| panic!("{run}"))).unwrap();
    (resumes_at.as_millisecond() - office.world.clock.now().as_millisecond()).div_euclid(1_000)
}

#[tokio::test]
async fn a_step_that_the_world_fails_is_tried_ten_times_with_waits_that_double_and_then_fails_the_run() {
    let office = Office::with_params(greeting()).await;
    office.world.post(&office.hook, json!({})).await.expect(202);
    let executor = down_for(&office, ATTEMPTS);
    for (attempt, longest) in (1..ATTEMPTS).zip([5, 10, 20, 40, 80, 160, 320, 640, 900]) {
        assert!(deliver(&office, &executor).await, "attempt {attempt}");
        let run = office.only_run().await;
        assert_eq!((&run["state"], &run["error"], &run["endedAt"]), (&json!("waiting"), &Value::Null, &Value::Null));
        assert_eq!(wait_of(&office).await, longest, "attempt {attempt}");
        // A second too early there is nothing to deliver.
        office.world.clock.pass_seconds(longest - 1);
        assert!(!deliver(&office, &executor).await, "attempt {attempt}");
        office.world.clock.pass_seconds(1);
    }
    assert!(deliver(&office, &executor).await);

    let run = office.only_run().await;
    let attempts: Vec<&Value> = run["steps"].as_array().unwrap().iter().skip(1).map(|step| &step["attempts"]).collect();
    assert_eq!(attempts, (1..=ATTEMPTS).collect::<Vec<_>>());
    assert_eq!((&run["state"], &run["resumesAt"]), (&json!("failed"), &Value::Null));
    let error = &run["error"];
    assert_eq!(
        (&error["code"], &error["step"], &error["attempt"]),
        (&json!("mail_not_sent"), &json!("send"), &json!(10))
    );
    let told = error["message"].as_str().unwrap();
    assert!(told.starts_with("Step \"send\" (kustomer.app.mail.send) failed after 10 attempts: "), "{told}");
    assert_eq!((office.post.sent().len(), office.world.queue.depth()), (0, 0));
}

#[tokio::test]
async fn a_wake_that_comes_early_or_twice_and_a_transaction_that_comes_again_change_nothing() {
    let office = Office::with_params(greeting()).await;
    let transaction = office.message(json!({})).await;
    let executor = down_for(&office, 1);
    executor.execute(&transaction).await.unwrap();
    let before = office.only_run().await;

    // As after a restart of a local queue, which forgets what it held back; and as the transaction's second delivery.
    let wake = wake_of(&office, &before);
    for message in [&wake, &transaction, &wake] {
        executor.execute(message).await.unwrap();
    }
    assert_eq!(office.only_run().await, before);

    office.world.work_on(&executor).await;
    let after = office.only_run().await;
    assert_eq!(after["state"], "succeeded");
    for message in [&wake, &transaction] {
        executor.execute(message).await.unwrap();
    }
    assert_eq!((office.only_run().await, office.post.sent().len()), (after, 1));
}

/// The message that wakes the run.
fn wake_of(office: &Office, run: &Value) -> String {
    let transaction = domain::TransactionId::parse(run["transactionId"].as_str().unwrap()).unwrap();
    let workflow = domain::WorkflowId::parse(run["workflowId"].as_str().unwrap()).unwrap();
    let run = domain::RunId::for_transaction(transaction, workflow);
    json!({ "v": 1, "wake": { "org": office.world.org, "transaction": transaction, "run": run } }).to_string()
}

#[tokio::test]
async fn a_crash_at_any_call_of_store_and_queue_around_a_wait_loses_nothing() {
    let data = json!({ "email": "ann@example.com" });
    let undisturbed = office().await;
    undisturbed.run(data.clone()).await;
    let expected = left_by(&undisturbed).await;
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let (mut crashes, mut repeats) = (0, 0);
        for offset in 0.. {
            let office = office().await;
            let fuse = Arc::new(Fuse::new(fault));
            let store = Arc::new(Faulty::sharing(office.store.clone() as Arc<dyn Store>, fuse.clone()));
            let queue = Arc::new(Faulty::sharing(office.world.queue.clone() as Arc<dyn Queue>, fuse.clone()));
            let post = FaultyPost::new(&office.post, &[Handover::CannotNow]);
            let executor = Executor::new(store, queue, Arc::new(Unlucky(office.world.clock.clone())));
            let executor = office.with_post(executor, post);
            let message = office.message(data.clone()).await;

            fuse.fail_in(offset);
            let calls_before = fuse.calls();
            deliver_until_done(&office, &executor, &message).await;

            assert_eq!(left_by(&office).await, expected, "{fault:?} at call {offset}");
            let sent = office.post.sent();
            assert!(
                !sent.is_empty() && sent.iter().all(|mail| *mail == sent[0]),
                "{fault:?} at call {offset}: {sent:?}"
            );
            repeats += sent.len() - 1;
            if fuse.calls() - calls_before <= offset {
                break;
            }
            crashes += 1;
        }
        assert!(crashes >= 12, "{fault:?}: there are at least twelve calls, not {crashes}");
        // Only where the outcome was not written has the mail to be sent again.
        assert_eq!(repeats, usize::from(fault == Fault::Refuses), "{fault:?}");
    }
}

#[tokio::test]
async fn a_run_that_begins_again_waits_before_it_does_and_is_ended_after_the_third_time() {
    let steps = json!([
        { "id": "mark", "action": "kustomer.company.create", "params": { "name": "m" }, "transitions": always("send") },
        {
            "id": "send",
            "action": "kustomer.app.mail.send",
            "params": greeting(),
            "errorCases": [{ "condition": { "op": "and", "values": [{ "op": "eq", "values": ["/#error.retryable", true] }] }, "errorAction": { "type": "retry-workflow" } }],
            "transitions": [],
        },
    ]);
    for (failures, state, begun) in [(2, "succeeded", 3), (3, "failed", 3), (0, "succeeded", 1)] {
        let office = Office::with_steps(steps.clone()).await;
        let message = office.message(json!({})).await;
        let executor = down_for(&office, failures);
        executor.execute(&message).await.unwrap();
        if failures > 0 {
            assert_eq!(office.only_run().await["state"], "waiting");
        }
        office.world.work_on(&executor).await;

        let run = office.only_run().await;
        assert_eq!(run["state"], state, "{run}");
        let steps = run["steps"].as_array().unwrap();
        let marks: Vec<&Value> = steps.iter().filter(|step| step["id"] == "mark").map(|step| &step["visit"]).collect();
        assert_eq!(marks, (1..=begun).collect::<Vec<_>>(), "each time with a visit of its own");
        assert_eq!(steps.iter().filter(|step| step["retries"] == "workflow").count(), begun.min(failures).min(2));
        let error = &run["error"]["step"];
        assert_eq!(*error, if state == "failed" { json!("send") } else { Value::Null });
    }
}

#[tokio::test]
async fn error_cases_read_the_attempt_and_may_end_the_attempts() {
    let steps = json!([
        {
            "id": "send",
            "action": "kustomer.app.mail.send",
            "params": greeting(),
            "errorCases": [{ "condition": { "op": "and", "values": [{ "op": "gte", "values": ["/#error.attempt", 2] }, { "op": "eq", "values": ["/#error.code", "mail_not_sent"] }] }, "errorAction": { "type": "continue" } }],
            "transitions": always("tell"),
        },
        { "id": "tell", "action": "kustomer.company.create", "params": { "name": "{{{error.code}}} at attempt {{{error.attempt}}}" }, "transitions": [] },
    ]);
    let office = Office::with_steps(steps).await;
    let message = office.message(json!({})).await;
    let executor = down_for(&office, ATTEMPTS);
    deliver_until_done(&office, &executor, &message).await;

    let run = office.only_run().await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["steps"][3]["output"]["name"], "mail_not_sent at attempt 2");
    assert_eq!(run["steps"][2]["errorCase"]["action"], "continue");
}

#[tokio::test]
async fn a_wake_for_which_there_is_nothing_is_done_with_and_one_that_is_none_is_refused() {
    let office = Office::with_params(greeting()).await;
    let absent = "5a345109e578360010eadead";
    let wake = json!({ "v": 1, "wake": { "org": office.world.org, "transaction": absent, "run": absent } }).to_string();
    office.executor().execute(&wake).await.unwrap();
    for wrong in ["{\"v\":1,\"wake\":{}}", "{\"v\":2,\"wake\":{\"org\":1}}", "{\"wake\":null}"] {
        assert!(office.executor().execute(wrong).await.is_err(), "{wrong}");
    }
    assert_eq!(office.world.queue.depth(), 0);
}

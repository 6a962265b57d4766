//! Whatever happens on the way, a mail goes out at least once, under one Message-ID, and its run comes to its end.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use domain::Failure;
use serde_json::{Value, json};
use service::{
    Executor,
    memory::MemoryPost,
    ports::{
        Change, Freshness, Item, Key, NotPosted, OutgoingMail, Page, Post, Posted, Range, Store, Unavailable,
        WriteError,
    },
};
use tests::{
    faults::{Fault, FaultyStore},
    world::always,
};

use super::{Office, greeting, message_id_of};

/// How long a claim lasts, and a second.
const PAST_CLAIM_SECONDS: i64 = 61;

/// What comes of handing a mail over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handover {
    Works,
    Refuses,
    CannotNow,
    /// The mail goes out, and nobody hears of it.
    WorksInSilence,
    /// The mail does not go out, and nobody hears of it.
    FailsInSilence,
}

/// A post where each handover is as it was told; after the last of them all work.
pub(super) struct FaultyPost {
    inner: Arc<MemoryPost>,
    handovers: Mutex<Vec<Handover>>,
}

impl FaultyPost {
    pub(super) fn new(inner: &Arc<MemoryPost>, handovers: &[Handover]) -> Arc<Self> {
        let handovers = handovers.iter().rev().copied().collect();
        Arc::new(Self { inner: inner.clone(), handovers: Mutex::new(handovers) })
    }
}

#[async_trait]
impl Post for FaultyPost {
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        let down = || Unavailable { port: "post", cause: "it was told to fail".to_owned() };
        let next = self.handovers.lock().unwrap().pop();
        match next.unwrap_or(Handover::Works) {
            Handover::Works => self.inner.send(mail).await,
            Handover::Refuses => Err(NotPosted::Refused(Failure::new("refused", "It was told to refuse."))),
            Handover::CannotNow => Err(NotPosted::NotSent(down())),
            Handover::WorksInSilence => {
                self.inner.send(mail).await?;
                Err(NotPosted::Unknown(down()))
            }
            Handover::FailsInSilence => Err(NotPosted::Unknown(down())),
        }
    }
}

/// A customer, a mail to her, and a note about it.
pub(super) async fn office() -> Office {
    let steps = json!([
        { "id": "customer", "action": "kustomer.customer.create", "params": { "email": "/#steps.1.attributes.data.email" }, "transitions": always("send") },
        {
            "id": "send",
            "action": "kustomer.app.mail.send",
            "params": { "to": "/#steps.customer.emails.0.email", "subject": "Hello", "text": "Hello Ann" },
            "transitions": always("note"),
        },
        {
            "id": "note",
            "action": "kustomer.note.create",
            "params": { "customer": "/#steps.customer.id", "body": "Sent {{steps.send.messageId}}" },
            "transitions": [],
        },
    ]);
    Office::with_steps(steps).await
}

/// What the store and the run hold, without what differs from one attempt to another: times, counts, names of the post,
/// and the attempts that failed and were followed by another.
pub(super) async fn left_by(office: &Office) -> Value {
    let run = office.only_run().await;
    let steps = run["steps"].as_array().unwrap().iter().filter(|step| step["retries"].is_null()).map(|step| {
        let mut step = step.clone();
        for key in ["attempts", "startedAt", "endedAt"] {
            step.as_object_mut().unwrap().remove(key);
        }
        for key in ["createdAt", "updatedAt"] {
            step["output"].as_object_mut().and_then(|output| output.remove(key));
        }
        if step["id"] == "send" {
            step["output"].as_object_mut().and_then(|output| output.remove("id"));
        }
        step
    });
    // Later entries are numbered by the writes before them, claims among them.
    let items = office.store.items();
    let keys = items.iter().map(|item| &item.key).filter(|key| !key.sort.starts_with("journal#"));
    let keys: Vec<String> = keys.map(|key| format!("{key:?}")).collect();
    json!({ "state": run["state"], "steps": steps.collect::<Vec<_>>(), "keys": keys })
}

/// Delivers the message until it is done, as the queue does, past every claim, and then what it has put on the queue.
pub(super) async fn deliver_until_done(office: &Office, executor: &Executor, message: &str) {
    for _ in 0..5 {
        if executor.execute(message).await.is_ok() {
            office.world.work_on(executor).await;
            return;
        }
        office.world.clock.pass_seconds(PAST_CLAIM_SECONDS);
    }
    panic!("the message ends on the dead-letter queue");
}

#[tokio::test]
async fn a_crash_at_any_call_of_the_store_sends_the_mail_and_ends_as_if_there_had_been_none() {
    let data = json!({ "email": "ann@example.com" });
    let undisturbed = office().await;
    undisturbed.run(data.clone()).await;
    let expected = left_by(&undisturbed).await;
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let mut crashes = 0;
        let mut repeats = 0;
        for offset in 0.. {
            let office = office().await;
            let faulty = Arc::new(FaultyStore::new(office.store.clone(), fault));
            let message = office.message(data.clone()).await;

            faulty.fail_in(offset);
            if office.executor_over(faulty.clone(), office.post.clone()).execute(&message).await.is_ok() {
                break;
            }
            crashes += 1;
            deliver_until_done(&office, &office.executor(), &message).await;

            assert_eq!(left_by(&office).await, expected, "{fault:?} at call {offset}");
            let sent = office.post.sent();
            assert!(!sent.is_empty(), "{fault:?} at call {offset}");
            assert!(sent.iter().all(|mail| *mail == sent[0]), "{fault:?} at call {offset}: {sent:?}");
            repeats += sent.len() - 1;
        }
        assert!(crashes >= 6, "{fault:?}: there are at least six calls, not {crashes}");
        // Only where the outcome was not written has the mail to be sent again.
        assert_eq!(repeats, if fault == Fault::Refuses { 1 } else { 0 }, "{fault:?}");
    }
}

#[tokio::test]
async fn whatever_the_post_does_the_run_ends_as_if_all_had_been_well() {
    let data = json!({ "email": "ann@example.com" });
    let undisturbed = office().await;
    undisturbed.run(data.clone()).await;
    let expected = left_by(&undisturbed).await;
    for (handovers, sent) in [
        (vec![Handover::CannotNow], 1),
        (vec![Handover::WorksInSilence], 2),
        (vec![Handover::FailsInSilence], 1),
        (vec![Handover::CannotNow, Handover::WorksInSilence, Handover::CannotNow, Handover::FailsInSilence], 2),
    ] {
        let office = office().await;
        let message = office.message(data.clone()).await;
        let post = FaultyPost::new(&office.post, &handovers);
        let executor = office.executor_over(office.store.clone(), post);
        deliver_until_done(&office, &executor, &message).await;

        assert_eq!(left_by(&office).await, expected, "{handovers:?}");
        let mails = office.post.sent();
        assert_eq!(mails.len(), sent, "{handovers:?}");
        assert!(mails.iter().all(|mail| *mail == mails[0]), "{handovers:?}");
        let run = office.only_run().await;
        let last = run["steps"].as_array().unwrap().iter().rfind(|step| step["id"] == "send").unwrap();
        assert_eq!(last["attempts"], handovers.len() + 1, "{handovers:?} {run}");
    }
}

#[tokio::test]
async fn a_mail_that_certainly_was_not_sent_waits_as_any_step_does_and_not_for_the_claim() {
    let office = Office::with_params(greeting()).await;
    let message = office.message(json!({})).await;
    let post = FaultyPost::new(&office.post, &[Handover::CannotNow]);
    let executor = office.executor_over(office.store.clone(), post);

    executor.execute(&message).await.unwrap();
    let run = office.only_run().await;
    assert_eq!((&run["state"], &run["error"]), (&json!("waiting"), &Value::Null));
    assert_eq!(run["steps"][1]["error"]["code"], "mail_not_sent");
    assert_eq!((&run["steps"][1]["error"]["retryable"], &run["steps"][1]["retries"]), (&json!(true), &json!("action")));
    assert!(run["resumesAt"].as_str().unwrap() <= "2026-11-22T12:00:05.000Z", "{run}");
    office.world.work_on(&executor).await;

    let run = office.only_run().await;
    assert_eq!((&run["state"], &run["resumesAt"], office.post.sent().len()), (&json!("succeeded"), &Value::Null, 1));
}

#[tokio::test]
async fn while_somebody_has_the_claim_the_message_comes_again_and_nothing_is_sent() {
    let office = Office::with_params(greeting()).await;
    let message = office.message(json!({})).await;
    let post = FaultyPost::new(&office.post, &[Handover::WorksInSilence]);
    assert!(office.executor_over(office.store.clone(), post).execute(&message).await.is_err());

    for _ in 0..3 {
        office.executor().execute(&message).await.unwrap();
        assert!(office.world.queue.receive(10, 60).is_empty(), "it comes when the claim is over");
        office.world.clock.pass_seconds(19);
    }

    assert_eq!(office.post.sent().len(), 1);
    assert_eq!(office.only_run().await["state"], "running");
}

#[tokio::test]
async fn an_unknown_outcome_fails_the_step_where_its_author_wants_that() {
    let mut params = greeting();
    params["onUnknownOutcome"] = json!("fail");
    for handover in [Handover::WorksInSilence, Handover::FailsInSilence] {
        let office = Office::with_params(params.clone()).await;
        let message = office.message(json!({})).await;
        let post = FaultyPost::new(&office.post, &[handover]);
        assert!(office.executor_over(office.store.clone(), post).execute(&message).await.is_err());
        let sent = office.post.sent();

        office.world.clock.pass_seconds(PAST_CLAIM_SECONDS);
        office.executor().execute(&message).await.unwrap();

        assert_eq!(office.post.sent(), sent);
        let run = office.only_run().await;
        assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("unknown_outcome")));
        if let Some(mail) = sent.first() {
            let told = run["error"]["message"].as_str().unwrap();
            assert!(told.contains(&message_id_of(mail)), "{told}");
        }
    }
}

#[tokio::test]
async fn a_step_that_failed_with_an_unknown_outcome_can_be_tried_again_by_its_error_case() {
    let mut params = greeting();
    params["onUnknownOutcome"] = json!("fail");
    let steps = json!([{
        "id": "send",
        "action": "kustomer.app.mail.send",
        "params": params,
        "errorCases": [{ "condition": { "op": "true", "values": [] }, "errorAction": { "type": "retry-action" } }],
        "transitions": [],
    }]);
    let office = Office::with_steps(steps).await;
    let message = office.message(json!({})).await;
    let post = FaultyPost::new(&office.post, &[Handover::WorksInSilence]);
    assert!(office.executor_over(office.store.clone(), post).execute(&message).await.is_err());

    deliver_until_done(&office, &office.executor(), &message).await;

    let run = office.only_run().await;
    assert_eq!(run["state"], "succeeded", "{run}");
    let sent = office.post.sent();
    assert_eq!((sent.len(), sent.first()), (2, sent.last()));
}

#[tokio::test]
async fn a_refused_mail_fails_the_step_and_each_attempt_is_journaled() {
    let steps = json!([{
        "id": "send",
        "action": "kustomer.app.mail.send",
        "params": greeting(),
        "errorCases": [{ "condition": { "op": "true", "values": [] }, "errorAction": { "type": "retry-action" } }],
        "transitions": [],
    }]);
    for (refusals, state, attempts) in
        [(2, "succeeded", vec![1, 2, 3]), (3, "failed", vec![1, 2, 3]), (0, "succeeded", vec![1])]
    {
        let office = Office::with_steps(steps.clone()).await;
        let message = office.message(json!({})).await;
        let post = FaultyPost::new(&office.post, &vec![Handover::Refuses; refusals]);
        let executor = office.executor_over(office.store.clone(), post);
        deliver_until_done(&office, &executor, &message).await;

        let run = office.only_run().await;
        assert_eq!(run["state"], state, "{run}");
        let journaled: Vec<u64> =
            run["steps"].as_array().unwrap().iter().skip(1).map(|step| step["attempts"].as_u64().unwrap()).collect();
        assert_eq!(journaled, attempts);
    }
}

/// Ports that let somebody else go first at every call.
struct Yielding<P>(Arc<P>);

#[async_trait]
impl<S: Store> Store for Yielding<S> {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        tokio::task::yield_now().await;
        self.0.find(key, freshness).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        tokio::task::yield_now().await;
        self.0.find_all(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        tokio::task::yield_now().await;
        self.0.list(range).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        tokio::task::yield_now().await;
        self.0.write(changes).await
    }
}

#[async_trait]
impl<P: Post> Post for Yielding<P> {
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        tokio::task::yield_now().await;
        self.0.send(mail).await
    }
}

#[tokio::test]
async fn two_executors_with_the_same_message_at_once_send_one_mail() {
    let office = office().await;
    let message = office.message(json!({ "email": "ann@example.com" })).await;
    let executor =
        || office.executor_over(Arc::new(Yielding(office.store.clone())), Arc::new(Yielding(office.post.clone())));
    let (first, second) = (executor(), executor());

    let (one, other) = tokio::join!(first.execute(&message), second.execute(&message));

    assert!(one.is_ok() || other.is_ok());
    // Whoever found the other's claim gets the message again.
    office.executor().execute(&message).await.unwrap();
    assert_eq!(office.post.sent().len(), 1);
    let run = office.only_run().await;
    assert_eq!((&run["state"], run["steps"].as_array().unwrap().len()), (&json!("succeeded"), 4));
}

/// A post that takes longer than the claim lasts: meanwhile another executor does the whole run.
struct SlowPost {
    inner: Arc<MemoryPost>,
    calls: AtomicUsize,
    office: Arc<Office>,
    message: String,
}

#[async_trait]
impl Post for SlowPost {
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        if self.calls.fetch_add(1, Ordering::SeqCst) == 0 {
            self.office.world.clock.pass_seconds(PAST_CLAIM_SECONDS);
            self.office.executor().execute(&self.message).await.unwrap();
        }
        self.inner.send(mail).await
    }
}

#[tokio::test]
async fn an_executor_that_was_too_slow_drops_its_outcome_and_finds_the_run_done() {
    let office = Arc::new(office().await);
    let message = office.message(json!({ "email": "ann@example.com" })).await;
    let post = Arc::new(SlowPost {
        inner: office.post.clone(),
        calls: AtomicUsize::new(0),
        office: office.clone(),
        message: message.clone(),
    });

    office.executor_over(office.store.clone(), post).execute(&message).await.unwrap();

    let sent = office.post.sent();
    assert_eq!((sent.len(), sent.first()), (2, sent.last()));
    let run = office.only_run().await;
    assert_eq!(run["state"], "succeeded");
    assert_eq!(run["steps"][2]["output"]["id"], "memory-1");
}

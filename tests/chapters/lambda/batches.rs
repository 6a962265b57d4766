//! Batches of the queue: what the executor gives back, and that nothing is done twice.

use serde_json::json;
use tests::{
    lambda::{Deadline, Deployment, Endpoints, Function, Service, Source, queue_event, variables},
    world::tutorial_order,
};

use super::BINARIES;

#[tokio::test]
async fn one_unreadable_message_between_two_good_ones_is_given_back_alone() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    let mut messages = deployment.aws.take_messages();
    messages.insert(1, "{\"v\":1,\"event\":\"kustomer.hooks.form".to_owned());

    assert_eq!(deployment.execute(&messages).await, ["message-1"]);

    assert_eq!(deployment.only_timeline().await.len(), 2);
}

#[tokio::test]
async fn the_same_batch_again_changes_nothing() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    deployment.post(&hook, r#"{"email":"test@example.com","orderId":"2"}"#).await.expect(202);
    let messages = deployment.aws.take_messages();
    assert_eq!(deployment.execute(&messages).await, [] as [String; 0]);
    let timeline = deployment.only_timeline().await;
    assert_eq!(timeline.len(), 2);

    let twice: Vec<String> = messages.iter().chain(&messages).cloned().collect();
    assert_eq!(deployment.execute(&twice).await, [] as [String; 0]);

    assert_eq!(deployment.only_timeline().await, timeline);
}

#[tokio::test]
async fn what_is_not_done_in_time_is_given_back_and_done_later() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    deployment.post(&hook, r#"{"email":"test@example.com","orderId":"2"}"#).await.expect(202);
    let messages = deployment.aws.take_messages();

    assert_eq!(deployment.execute_by(&messages, Deadline::Past).await, ["message-0", "message-1"]);
    assert_eq!(deployment.execute_by(&[], Deadline::Past).await, [] as [String; 0]);

    assert_eq!(deployment.execute(&messages).await, [] as [String; 0]);
    assert_eq!(deployment.only_timeline().await.len(), 2);
}

#[tokio::test]
async fn an_executor_without_messages_gives_none_back() {
    let aws = Endpoints::start().await;
    let executor = Function::start(BINARIES.executor, &variables(&aws)).await;
    let answer = executor.invoke(&queue_event([])).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
}

/// The receipts of `count` messages, each hidden for so many seconds.
fn hidden(count: usize, seconds: u64) -> Vec<(String, u64)> {
    (0..count).map(|index| (format!("receipt-{index}"), seconds)).collect()
}

#[tokio::test]
async fn what_a_killed_executor_had_comes_again_soon_after_the_end_of_its_time() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    for number in 0..12 {
        let order = json!({ "email": "test@example.com", "orderId": number.to_string() });
        deployment.post(&hook, order.to_string()).await.expect(202);
    }
    let messages = deployment.aws.take_messages();

    // Its time is over already; and no message can be hidden for 12 hours or more.
    deployment.execute_by(&messages, Deadline::Past).await;
    assert_eq!(deployment.aws.take_hidden(), [hidden(12, 15), hidden(12, 30)].concat());
    deployment.execute(&messages).await;
    assert_eq!(deployment.aws.take_hidden(), hidden(12, 39_600));
    assert_eq!(deployment.only_timeline().await.len(), 12);
}

#[tokio::test]
async fn what_fails_rests_longer_each_time_and_holds_up_nothing_else() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    let mut messages = deployment.aws.take_messages();
    messages.insert(0, "<garbage>".to_owned());

    for (receives, rest) in [(1, 30), (2, 120), (3, 480), (4, 900)] {
        deployment.take_from(Source::Transactions(receives), &messages, Deadline::Far).await;
        assert_eq!(deployment.aws.take_hidden(), [hidden(2, 39_600), hidden(1, rest)].concat(), "{receives}");
    }
    // What its queue has given up stays where it is.
    deployment.take_from(Source::Dead, &messages, Deadline::Far).await;
    assert_eq!(deployment.aws.take_hidden(), []);
}

#[tokio::test]
async fn a_queue_that_does_not_hear_when_messages_come_again_holds_up_no_batch() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    let mut messages = deployment.aws.take_messages();
    messages.push("<garbage>".to_owned());

    deployment.aws.stop(Service::Sqs);
    assert_eq!(deployment.execute(&messages).await, ["message-1"]);
    assert_eq!(deployment.only_timeline().await.len(), 1);
}

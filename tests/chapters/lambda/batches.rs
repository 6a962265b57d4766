//! Batches of the queue: what the executor gives back, and that nothing is done twice.

use serde_json::json;
use tests::{
    lambda::{Deadline, Deployment, Endpoints, Function, queue_event, variables},
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

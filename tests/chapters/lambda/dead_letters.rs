//! Messages that were given up, at the executor's own door: from the queue at their last delivery, and from the dead-letter queue.

use serde_json::{Value, json};
use tests::{
    lambda::{Deadline, Deployment, Service, Source},
    world::tutorial_order,
};

use super::BINARIES;

/// The last delivery there is.
const LAST: Source = Source::Transactions(service::RECEIVES_LIMIT);

/// What is told of each dead letter, newest first.
async fn told(deployment: &Deployment, attribute: &str) -> Vec<Value> {
    let letters = deployment.list("/v1/dead-letters").await;
    letters.iter().map(|letter| letter["attributes"].pointer(attribute).unwrap().clone()).collect()
}

/// Six orders, and between them four messages that can never be executed.
async fn batch_of_ten(deployment: &Deployment) -> Vec<String> {
    let hook = deployment.new_tutorial().await;
    for number in 0..6 {
        let order = json!({ "email": "test@example.com", "orderId": number.to_string() });
        deployment.post(&hook, order.to_string()).await.expect(202);
    }
    let mut messages = deployment.aws.take_messages();
    let good = messages[0].clone();
    messages.insert(1, "\u{1f}<garbage>".to_owned());
    messages.insert(3, good.replacen("\"5", &format!("{}\"5", "[".repeat(200_000)), 1));
    messages.insert(5, format!("{{{}", " ".repeat(1_048_575)));
    messages.insert(7, good.replacen("\"v\":1", "\"v\":2", 1));
    messages
}

#[tokio::test]
async fn six_of_a_batch_are_done_and_four_are_poison_kept_at_their_last_delivery() {
    let deployment = Deployment::start(BINARIES).await;
    let messages = batch_of_ten(&deployment).await;
    let poison = ["message-1", "message-3", "message-5", "message-7"];

    assert_eq!(deployment.execute(&messages).await, poison);
    assert_eq!(deployment.only_timeline().await.len(), 6);
    assert_eq!(told(&deployment, "/state").await, [] as [Value; 0]);

    assert_eq!(deployment.take_from(LAST, &messages, Deadline::Far).await, [] as [String; 0]);
    assert_eq!(deployment.only_timeline().await.len(), 6);
    assert_eq!(told(&deployment, "/reason/code").await, ["unreadable"; 4]);
    assert!(told(&deployment, "/bytes").await.contains(&json!(1_048_576)));
    assert!(told(&deployment, "/firstReceivedAt").await.iter().all(Value::is_string));
}

#[tokio::test]
async fn what_comes_from_the_dead_letter_queue_is_kept_and_never_executed() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    let messages = deployment.aws.take_messages();

    assert_eq!(deployment.take_from(Source::Dead, &messages, Deadline::Far).await, [] as [String; 0]);

    assert_eq!(deployment.list("/v1/customers").await, [] as [Value; 0]);
    assert_eq!(told(&deployment, "/reason/code").await, ["no_answer"]);
    let letter = deployment.list("/v1/dead-letters").await.remove(0)["id"].as_str().unwrap().to_owned();
    deployment.api("POST", &format!("/v1/dead-letters/{letter}/redrive"), Value::Null).await.expect(200);
    assert_eq!(deployment.aws.take_messages(), messages);
    assert_eq!(deployment.execute(&messages).await, [] as [String; 0]);
    assert_eq!(deployment.only_timeline().await.len(), 1);
}

#[tokio::test]
async fn while_the_store_is_down_a_letter_stays_on_its_queue() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    let messages = deployment.aws.take_messages();

    deployment.aws.stop(Service::DynamoDb);
    for source in [LAST, Source::Dead] {
        assert_eq!(deployment.take_from(source, &messages, Deadline::Far).await, ["message-0"], "{source:?}");
    }

    deployment.aws.resume(Service::DynamoDb);
    assert_eq!(deployment.take_from(Source::Dead, &messages, Deadline::Far).await, [] as [String; 0]);
    assert_eq!(told(&deployment, "/kind").await, ["transaction"]);
}

#[tokio::test]
async fn what_is_not_done_in_time_at_its_last_delivery_is_kept_as_that() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    let messages = deployment.aws.take_messages();

    assert_eq!(deployment.take_from(LAST, &messages, Deadline::Past).await, [] as [String; 0]);

    assert_eq!(told(&deployment, "/reason/code").await, ["timed_out"]);
}

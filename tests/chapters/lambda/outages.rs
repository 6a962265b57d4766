//! A service of AWS that is down, or a hook that is paused: nothing is accepted that could be lost, and nothing taken is lost.

use serde_json::json;
use tests::{
    lambda::{Deployment, Service, tick_event},
    world::tutorial_order,
};

use super::BINARIES;

#[tokio::test]
async fn a_batch_is_given_back_whole_while_the_store_is_down_and_taken_later() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    let mut messages = deployment.aws.take_messages();
    messages.push(messages[0].clone());

    deployment.aws.stop(Service::DynamoDb);
    assert_eq!(deployment.execute(&messages).await, ["message-0", "message-1"]);

    deployment.aws.resume(Service::DynamoDb);
    assert_eq!(deployment.execute(&messages).await, [] as [String; 0]);
    assert_eq!(deployment.only_timeline().await.len(), 1);
}

#[tokio::test]
async fn what_arrives_while_the_queue_is_down_is_kept_in_the_store_until_a_tick_has_sent_it() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;

    deployment.aws.stop(Service::Sqs);
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);

    deployment.aws.resume(Service::Sqs);
    let ticked = deployment.ticker.invoke(&tick_event()).await.unwrap();
    assert_eq!(ticked, json!({ "sent": 1, "hasMore": false }));
    let messages = deployment.aws.take_messages();
    assert_eq!(deployment.execute(&messages).await, [] as [String; 0]);
    assert_eq!(deployment.only_timeline().await.len(), 1);
}

#[tokio::test]
async fn a_hook_that_is_known_takes_posts_while_the_store_is_down() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    assert_eq!(deployment.aws.take_messages().len(), 1);

    deployment.aws.stop(Service::DynamoDb);
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    deployment.aws.resume(Service::DynamoDb);

    let messages = deployment.aws.take_messages();
    assert_eq!(deployment.execute(&messages).await, [] as [String; 0]);
    assert_eq!(deployment.only_timeline().await.len(), 1);
}

#[tokio::test]
async fn what_a_paused_hook_held_goes_on_at_the_next_tick() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    let path = format!("/v1/hooks/form/{}", hook.id);
    deployment.api("PATCH", &path, json!({ "paused": true })).await.expect(200);
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);
    assert_eq!(deployment.get(&format!("{path}/held")).await.expect(200).body["meta"]["count"], 1);

    deployment.api("PATCH", &path, json!({ "paused": false })).await.expect(200);
    let ticked = deployment.ticker.invoke(&tick_event()).await.unwrap();
    assert_eq!(ticked, json!({ "sent": 1, "hasMore": false }));
    let messages = deployment.aws.take_messages();
    assert_eq!(deployment.execute(&messages).await, [] as [String; 0]);
    assert_eq!(deployment.only_timeline().await.len(), 1);
    assert_eq!(deployment.get(&format!("{path}/held")).await.expect(200).body["meta"]["count"], 0);
}

#[tokio::test]
async fn nothing_is_accepted_while_the_queue_and_the_store_are_down() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;

    deployment.aws.stop(Service::Sqs);
    deployment.aws.stop(Service::DynamoDb);
    let answer = deployment.post(&hook, tutorial_order().to_string()).await.expect(503);
    assert_eq!(answer.code(), "unavailable");
    assert_eq!(answer.headers["retry-after"], "5");

    deployment.aws.resume(Service::Sqs);
    deployment.aws.resume(Service::DynamoDb);
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);
    assert_eq!(deployment.aws.take_messages().len(), 1);
}

#[tokio::test]
async fn a_file_is_not_accepted_while_the_bucket_is_down() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_hook().await;
    let body = "--b\r\ncontent-disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nbytes\r\n--b--\r\n";

    deployment.aws.stop(Service::S3);
    let content_type = [("content-type", "multipart/form-data; boundary=b")];
    let answer = deployment.send("POST", &hook.path, &content_type, body).await.expect(503);

    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);
}

//! A service of AWS that is down: nothing is accepted that could be lost, and nothing taken is lost.

use tests::{
    lambda::{Deployment, Service},
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
async fn nothing_is_accepted_while_the_queue_is_down() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;

    deployment.aws.stop(Service::Sqs);
    let answer = deployment.post(&hook, tutorial_order().to_string()).await.expect(503);
    assert_eq!(answer.code(), "unavailable");
    assert_eq!(answer.headers["retry-after"], "5");

    deployment.aws.resume(Service::Sqs);
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
